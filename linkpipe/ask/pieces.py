"""What the bytes of a linked file are: pieces, nothing twice and nothing left out.

A symbol takes the bytes that are laid out for it, to where the next one begins at most. What lies
between symbols, and between sections, is padding; headers, tables of symbols and debug information
are pieces of their own, and so is what a host linker adds to the sections that Go made. Bytes that
are only there in memory (.bss) do not count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import attrs
import numpy as np

from linkpipe.arrays.types import I64
from linkpipe.engine.context import Link
from linkpipe.formats.elf import SHF_ALLOC, SectionType, file_dtype
from linkpipe.formats.elfread import Elf
from linkpipe.tables.sections import Section
from linkpipe.tables.symbols import Flag

PADDING, HEADERS, DEBUG, TABLE, HOST = (
    "padding",
    "headers",
    "debug information",
    "symbol table",
    "host linker",
)
COLUMNS = ("code", "data", "pclntab", "debug", "other")
_IN_COLUMN = {
    "code": "code",
    "types": "data",
    "strings": "data",
    "read-only data": "data",
    "data": "data",
    "pclntab": "pclntab",
    DEBUG: "debug",
    TABLE: "other",
    HEADERS: "other",
    PADDING: "other",
    HOST: "other",
}
KINDS = tuple(_IN_COLUMN)
"""What bytes are."""
COLUMN = tuple(COLUMNS.index(column) for column in _IN_COLUMN.values())
"""The column that each kind is counted in."""


class Pieces(NamedTuple):
    """Bytes that belong together, columns: ``symbol`` int64, 0 for none; ``section`` int64, its
    number in the file, 0 for none; ``kind`` int64, a place in KINDS; ``size`` int64."""

    symbol: I64
    section: I64
    kind: I64
    size: I64


def one(section: int, kind: str, size: int) -> Pieces:
    """A piece that is no symbol."""
    values = (0, section, KINDS.index(kind), size)
    return Pieces(*(np.array([value], np.int64) for value in values))


def of_file(file: Elf, section: Callable[[int, int], list[Pieces]]) -> Pieces:
    """All of a file: ``section`` takes one of the sections with the names of nothing that is known
    (debug information, tables) to pieces: its number, and how many bytes of it are left."""
    found: list[Pieces] = []
    end, length = 0, len(file.data)
    for start, stop, number in (*sorted(_places(file)), (length, length, 0)):
        begin = max(start, end)
        found.append(one(0, PADDING, begin - end))
        rest = max(stop - begin, 0)
        if not number:
            found.append(one(0, HEADERS, rest))
        elif file.names[number].startswith((".debug", ".zdebug")):
            found.append(one(number, DEBUG, rest))
        elif not int(file.sections["flags"][number]) & SHF_ALLOC:
            found.append(one(number, TABLE, rest))
        else:
            found += section(number, rest)
        end = max(end, stop)
    columns = (np.concatenate(column) for column in zip(*found, strict=True))
    pieces = Pieces(*columns)
    keep = pieces.size > 0
    return Pieces(*(column[keep] for column in pieces))


def _places(file: Elf) -> list[tuple[int, int, int]]:
    """Where in the file what lies: start, end, section; 0 for headers."""
    header, sections = file.header, file.sections
    own = 16 + file_dtype(file.elf_class, file.endian).itemsize
    tables = [(0, own, 0)]
    tables.append((header["phoff"], header["phoff"] + file.segments.nbytes, 0))
    tables.append((header["shoff"], header["shoff"] + sections.nbytes, 0))
    for row in range(1, len(sections)):
        if sections["type"][row] not in (SectionType.NOBITS, SectionType.NULL):
            start = int(sections["offset"][row])
            tables.append((start, start + int(sections["size"][row]), row))
    # What lies outside of the file is not there.
    length = len(file.data)
    return [(min(start, length), min(stop, length), row) for start, stop, row in tables]


@attrs.frozen(eq=False)
class Linked:
    """Takes the sections of a file to pieces that a link has written."""

    link: Link
    file: Elf

    def pieces(self) -> Pieces:
        """All of the file."""
        return of_file(self.file, self._section)

    def _section(self, number: int, length: int) -> list[Pieces]:
        name = self.file.names[number]
        own = [each for each in self.link.sections.items if each.name == name]
        pieces = [self._symbols(number, each) for each in own]
        rest = length - sum(int(each.size.sum()) for each in pieces)
        external = self.link.mode.external
        if not own or rest < 0:
            return [one(number, HOST if external and not own else "data", length)]
        return [*pieces, one(number, HOST if external else PADDING, rest)]

    def _symbols(self, number: int, section: Section) -> Pieces:
        """The symbols of a section, each to where the next one begins at most."""
        symbols = self.link.symbols
        ids = section.symbols.astype(np.int64)
        ids = ids[~np.isin(ids, symbols.container[ids])]
        ids = ids[np.argsort(symbols.value[ids], kind="stable")]
        start = symbols.value[ids]
        ends = np.append(start[1:], section.vaddr + section.size)[: len(ids)]
        size = np.maximum(np.minimum(symbols.size[ids], ends - start), 0)
        data = "data" if section.rwx & 2 else "read-only data"
        kind = np.full(len(ids), KINDS.index("code" if section.rwx & 1 else data))
        kind[symbols.has(ids, Flag.GO_TYPE)] = KINDS.index("types")
        kind[symbols.starts_with(ids, b"go:string.")] = KINDS.index("strings")
        if "gopclntab" in section.name:
            kind[:] = KINDS.index("pclntab")
        return Pieces(ids, np.full(len(ids), number), kind, size)
