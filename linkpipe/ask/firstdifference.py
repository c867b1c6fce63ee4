"""Where a binary first differs from a link: the symbol, the relocation, and the input it is of.

Up to there both are laid out alike, so the link's own tables say what stands at an address of the
binary, stripped or not. What differs but for the addresses in it comes first: addresses of later
symbols differ as a consequence.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.types import I64, Bool
from linkpipe.ask.modules import Modules
from linkpipe.compare import moduledata
from linkpipe.engine.context import Link
from linkpipe.formats.elf import SHF_ALLOC, SectionType
from linkpipe.formats.elfread import Elf
from linkpipe.reloctype import NAMES
from linkpipe.values import Value, record

_NO_SYMBOLS = ("gopclntab", ".note", ".go.buildinfo", ".shstrtab")
"""Sections, by what is in their names, that say what others are, or how the file was built."""


@record
class Difference(Value):
    """Attributes:
    section: by its name.
    symbol: the symbol that stands there in the link; "" for none.
    found: the function or symbol that stands there in the binary, as far as it says.
    offset: bytes from its start, or from the section's.
    relocation: the relocation that writes there, as type and target, when all else is the same.
    package: whose symbol it is.
    input: the file that it comes from, "archive(member)"; "" for what the linker makes.
    """

    section: str
    symbol: str
    found: str
    offset: int
    relocation: str
    package: str
    input: str


def first_difference(binary: Elf, output: Elf, link: Link) -> Difference | None:
    """The first place where ``binary`` is not ``output``, which ``link`` wrote; None when they
    differ but in headers and tables."""
    relocated = _Relocated(link, binary)
    later: Difference | None = None
    for section, name in enumerate(output.names):
        other = binary.index(name)
        flags = int(output.sections["flags"][section])
        if other is None or not flags & SHF_ALLOC or any(word in name for word in _NO_SYMBOLS):
            continue
        if output.sections["type"][section] == SectionType.NOBITS:
            continue
        ours, theirs = output.content(section), binary.content(other)
        start = int(output.sections["addr"][section])
        size = min(len(ours), len(theirs))
        differ = ours[:size] != theirs[:size]
        if not differ.any():
            continue
        hidden = relocated.mask(start, size)
        plain = np.flatnonzero(differ & ~hidden)
        if len(plain):
            return relocated.at(name, start, int(plain[0]))
        later = later or relocated.at(name, start, int(np.flatnonzero(differ)[0]))
    return later


class _Relocated:
    """The symbols of a link by address, and where relocations write."""

    def __init__(self, link: Link, binary: Elf) -> None:
        self._link, self._binary = link, binary
        symbols, relocs = link.symbols, link.relocs
        ids = symbols.reachable()
        ids = ids[~np.isin(ids, symbols.container[ids])]
        ids = ids[(symbols.value[ids] != 0) & (symbols.size[ids] > 0)]
        self._ids = ids[np.argsort(symbols.value[ids], kind="stable")]
        self._starts = symbols.value[self._ids]
        self.rows, counts = relocs.rows_of_many(self._ids)
        bases = np.repeat(self._starts, counts)
        self.places: I64 = np.add(bases, relocs.offset[self.rows], dtype=np.int64)
        self.sizes: I64 = relocs.size[self.rows].astype(np.int64)

    def mask(self, start: int, size: int) -> Bool:
        """Which bytes of a section relocations write: bool[size]."""
        inside = (self.places >= start) & (self.places < start + size) & (self.sizes > 0)
        edges = np.zeros(size + 1, np.int64)
        places = self.places[inside] - start
        np.add.at(edges, places, 1)
        np.add.at(edges, np.minimum(places + self.sizes[inside], size), -1)
        return np.cumsum(edges)[:size] > 0

    def at(self, section: str, start: int, offset: int) -> Difference:
        """What stands at an offset of a section."""
        link, address = self._link, start + offset
        row = int(np.searchsorted(self._starts, address, side="right")) - 1
        sym = int(self._ids[row]) if row >= 0 else 0
        value, size = int(link.symbols.value[sym]), int(link.symbols.size[sym])
        if not sym or not start <= value <= address < value + size:
            return Difference(section, "", self._found(section, address), offset, "", "", "")
        home = int(link.symbols.object[sym])
        return Difference(
            section,
            link.symbols.name(sym) or "(nameless)",
            self._found(section, address),
            address - value,
            self._relocation(address),
            Modules(link).package(sym),
            link.objects.names[home] if home else "",
        )

    def _found(self, section: str, address: int) -> str:
        """What stands at an address of the binary."""
        symbols, row = self._binary.symbols, self._binary.index(section)
        if len(symbols) and row is not None:
            return symbols.at(row, address).partition("+")[0]
        module = moduledata.find(self._binary)
        return module.function_at(address) if module else ""

    def _relocation(self, address: int) -> str:
        found = np.flatnonzero((self.places <= address) & (address < self.places + self.sizes))
        if not len(found):
            return ""
        row = int(self.rows[found[0]])
        relocs, kinds = self._link.relocs, self._link.arch.relocs
        number = int(relocs.type[row])
        kind = kinds[number].name if number in kinds else NAMES.get(number, str(number))
        return f"{kind} {self._link.symbols.name(int(relocs.target[row]))}".rstrip()
