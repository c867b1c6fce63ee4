"""What the bytes of a binary are that nobody linked just now: read from the file alone.

Symbols come from its table of symbols; functions from the runtime's line tables (pclntab) where it
has none. Of what has no name only the section is known. The file may be anything: what is damaged
is an InputError.

Layouts: runtime/symtab.go (pcHeader, moduledata, functab).
"""

from __future__ import annotations

import re
from functools import cached_property

import numpy as np

from linkpipe.arrays.types import I64, U64
from linkpipe.ask.groups import NO_MODULE
from linkpipe.ask.modules import LINKER, SHARED, STANDARD
from linkpipe.ask.pieces import KINDS, PADDING, Pieces, of_file, one
from linkpipe.compare import buildinfo, moduledata
from linkpipe.formats.elf import SHF_EXECINSTR, SHF_WRITE, STT_SECTION
from linkpipe.formats.elfread import Elf, damaged, string
from linkpipe.values import record

_PATH = re.compile(r"[\w./~%+-]+")


@record
class Binary:
    """A file with its symbols."""

    file: Elf

    def pieces(self) -> Pieces:
        """All of the file; symbols are places in ``names``."""
        return of_file(self.file, self._section)

    @property
    def names(self) -> list[str]:
        """The names of symbols; the first one stands for none."""
        return self._symbols[0]

    @cached_property
    def packages(self) -> list[str]:
        """The package that each name begins with, LINKER or SHARED for those that begin with
        none."""
        return [package_of(name) for name in self.names]

    @cached_property
    def modules(self) -> list[str]:
        """The module of each name's package: as the build information says, which a binary keeps
        when it is stripped; STANDARD where it names none and the path has no dot."""
        info = buildinfo.read(self.file) or buildinfo.BuildInfo("")
        main = info.main.path if info.main else ""
        known: dict[str, str] = {LINKER: LINKER, SHARED: SHARED, "main": main or NO_MODULE}
        for package in self.packages:
            if package not in known:
                found = info.module(package)
                plain = "." not in package.partition("/")[0]
                known[package] = found.path if found else STANDARD if plain else NO_MODULE
        return [known[package] for package in self.packages]

    @cached_property
    def _symbols(self) -> tuple[list[str], I64, U64, U64]:
        """Names, sections, addresses and sizes, by section and address."""
        symbols = self.file.symbols
        records = symbols.records
        kind = records["info"] & 15
        keep = (records["size"] > 0) & (records["section"] > 0) & (kind != STT_SECTION)
        keep &= records["section"] < len(self.file.sections)
        rows = np.flatnonzero(keep)
        order = np.lexsort(
            (records["size"][rows], records["value"][rows], records["section"][rows])
        )
        rows = rows[order]
        if self.file.index(".symtab") is None or not len(rows):
            return self._functions()
        names = ["", *(symbols.name(row) for row in rows.tolist())]
        section = records["section"][rows].astype(np.int64)
        value, size = (records[name][rows].astype(np.uint64) for name in ("value", "size"))
        return names, section, value, size

    def _functions(self) -> tuple[list[str], I64, U64, U64]:
        """The functions of the pclntab."""
        none = [""], np.zeros(0, np.int64), np.zeros(0, np.uint64), np.zeros(0, np.uint64)
        found = moduledata.find(self.file)
        text = self.file.index(".text")
        if found is None or text is None or not found.tables.functions:
            return none
        table = found.tables
        base = table.starts["functab"]
        words = table.data[base : base + (len(table.data) - base) // 4 * 4]
        words = words.view(f"{table.endian}u4")
        entry, record = table.functab.astype(np.int64).T
        last = 2 * table.functions
        if int(record.max()) // 4 + 1 >= len(words) or last >= len(words) or (record % 4).any():
            raise damaged(self.file.path, "a function's record lies outside the pclntab", base)
        end = np.append(entry[1:], int(words[last]))
        if (end < entry).any():
            raise damaged(self.file.path, "functions of the pclntab are not in order", base)
        at = words[record // 4 + 1].astype(np.int64) + table.starts["funcnametab"]
        data = table.data.tobytes()
        names = ["", *(string(data, offset) for offset in at.tolist())]
        start = (entry + found.word("text")).astype(np.uint64)
        return names, np.full(len(entry), text), start, (end - entry).astype(np.uint64)

    def _section(self, number: int, length: int) -> list[Pieces]:
        """The symbols of a section, each to where the next one begins at most, and the rest."""
        name, flags = self.file.names[number], int(self.file.sections["flags"][number])
        kind = (
            "code" if flags & SHF_EXECINSTR else "data" if flags & SHF_WRITE else "read-only data"
        )
        if "gopclntab" in name:
            kind = "pclntab"
        _, section, value, size = self._symbols
        rows = np.flatnonzero(section == number)
        start, end = value[rows], value[rows] + size[rows]
        first = np.uint64(int(self.file.sections["addr"][number]))
        first = np.uint64(0) if self.file.relocatable else first
        # Addresses wrap, so all are counted from the section's start, and cut off at its end.
        start, end = start - first, end - first
        inside = (start < np.uint64(length)) & (end >= start)
        rows, start, end = rows[inside], start[inside], end[inside]
        if kind == "pclntab" or not len(rows):
            return [one(number, kind, length)]
        following = np.append(start[1:], np.uint64(length))
        taken = (np.minimum(end, following) - start).astype(np.int64)
        kinds = np.full(len(rows), KINDS.index(kind))
        for row, symbol in enumerate(rows.tolist()):
            told = self.names[symbol + 1]
            if told.startswith("type:"):
                kinds[row] = KINDS.index("types")
            elif told.startswith("go:string."):
                kinds[row] = KINDS.index("strings")
        pieces = Pieces(rows + 1, np.full(len(rows), number), kinds, taken)
        rest = PADDING if kind == "code" else kind
        return [pieces, one(number, rest, length - int(taken.sum()))]


def package_of(name: str) -> str:
    """The package that a symbol's name begins with, LINKER for what the linker and C make, SHARED
    for types and instances that are of none."""
    text = name.removeprefix("type:")
    if text.startswith("go:"):
        return LINKER
    folder, slash, rest = text.lstrip("*").partition("[")[0].rpartition("/")
    last, dot, _ = rest.partition(".")
    path = folder + slash + last
    if not dot or not _PATH.fullmatch(path):
        return SHARED if text != name else LINKER
    return re.sub("%([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), path)
