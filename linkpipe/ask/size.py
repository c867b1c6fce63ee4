"""What the bytes of a linked file are, added up to the last one.

A symbol takes the bytes that are laid out for it, to where the next one begins at most. What lies
between symbols, and between sections, is padding; headers, tables of symbols and debug information
are rows of their own, and so is what a host linker adds to the sections that Go made. Bytes that
are only there in memory (.bss) do not count.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import attrs
import numpy as np

from linkpipe.arrays.columns import frozen
from linkpipe.arrays.types import I64
from linkpipe.ask.modules import Modules
from linkpipe.engine.context import Link
from linkpipe.errors import UserError
from linkpipe.formats.elf import SHF_ALLOC, SectionType, file_dtype
from linkpipe.formats.elfread import Elf, read
from linkpipe.tables.sections import Section
from linkpipe.tables.symbols import Flag
from linkpipe.values import Value

BY = ("package", "symbol", "section", "kind")
"""What bytes can be added up by."""

PADDING, HEADERS, DEBUG, TABLE, HOST = (
    "padding",
    "headers",
    "debug information",
    "symbol table",
    "host linker",
)
_COLUMNS = ("code", "data", "pclntab", "debug", "other")
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
_COLUMN = frozen(np.array([_COLUMNS.index(column) for column in _IN_COLUMN.values()]))


@attrs.frozen(eq=False, repr=False)
class Row(Value):
    """Bytes of one thing: ``size`` is the sum of the others.

    Attributes:
        name: a package, a symbol, a section, a kind; in brackets what is none of them.
        size: all of its bytes in the file.
        code: instructions. data: variables, constants, types. pclntab: the runtime's line tables.
        debug: debug information. other: tables of symbols, headers, padding.
    """

    name: str
    size: int
    code: int
    data: int
    pclntab: int
    debug: int
    other: int


@attrs.frozen(eq=False, repr=False)
class Size(Value):
    """The bytes of a file: ``total`` is its size, and that of all ``rows``, the largest first."""

    by: str
    total: int
    rows: tuple[Row, ...]


def size(link: Link, by: str = "package", top: int = 0) -> Size:
    """What the bytes of the file are that ``link``, which ran to its end, has written: ``by``
    package, symbol, section or kind. With ``top`` that many rows, and one for all others.

    Raises UserError for a way to add up that there is not, InputError when the file is damaged.
    """
    if by not in BY:
        raise UserError(f"cannot add up by {by!r}", status=2, remedy=f"ways are: {', '.join(BY)}")
    file = read(Path(link.output))
    pieces = _Reader(link, file).pieces()
    group, labels = _groups(link, file, pieces, by)
    column = _COLUMN[pieces.kind]
    found, place = np.unique(group, return_inverse=True)
    sums = np.zeros((len(found), len(_COLUMNS)), np.int64)
    np.add.at(sums, (place, column), pieces.size)
    order = np.argsort(-sums.sum(axis=1), kind="stable")
    shown = order[:top] if top else order
    rows = [_row(labels(int(found[i])), sums[i].tolist()) for i in shown.tolist()]
    if len(shown) < len(order):
        rest = order[len(shown) :]
        rows.append(_row(f"({len(rest)} others)", sums[rest].sum(axis=0).tolist()))
    return Size(by, len(file.data), tuple(rows))


def _row(name: str, sums: list[int]) -> Row:
    return Row(name, sum(sums), *sums)


class _Pieces(NamedTuple):
    """Bytes that belong together, columns: ``symbol`` int64, 0 for none; ``section`` int64, its
    number in the file, 0 for none; ``kind`` int64, a place in KINDS; ``size`` int64."""

    symbol: I64
    section: I64
    kind: I64
    size: I64


def _groups(link: Link, file: Elf, pieces: _Pieces, by: str) -> tuple[I64, Callable[[int], str]]:
    """A number for each piece, equal for those that are added up, and its name."""
    if by == "kind":
        return pieces.kind, KINDS.__getitem__
    # What is no symbol, or no section, is called by its kind.
    kinds = -1 - pieces.kind
    if by == "section":
        group, names = np.where(pieces.section > 0, pieces.section, kinds), file.names
        return group, lambda i: names[i] if i > 0 else f"({KINDS[-1 - i]})"
    if by == "symbol":
        group, name = np.where(pieces.symbol > 0, pieces.symbol, kinds), link.symbols.name
        return group, lambda i: (name(i) or "(nameless)") if i > 0 else f"({KINDS[-1 - i]})"
    owners, labels = Modules(link).owners(pieces.symbol)
    group = np.where(pieces.symbol > 0, owners, kinds)
    return group, lambda i: labels[i] if i >= 0 else f"({KINDS[-1 - i]})"


@attrs.frozen(eq=False)
class _Reader:
    """Takes a file to pieces, nothing twice and nothing left out."""

    link: Link
    file: Elf

    def pieces(self) -> _Pieces:
        """All of it."""
        found: list[_Pieces] = []
        end, length = 0, len(self.file.data)
        for start, stop, section in (*sorted(self._places()), (length, length, 0)):
            begin = max(start, end)
            found.append(_one(0, PADDING, begin - end))
            if section:
                found += self._section(section, max(stop - begin, 0))
            else:
                found.append(_one(0, HEADERS, max(stop - begin, 0)))
            end = max(end, stop)
        columns = (np.concatenate(column) for column in zip(*found, strict=True))
        pieces = _Pieces(*columns)
        keep = pieces.size > 0
        return _Pieces(*(column[keep] for column in pieces))

    def _places(self) -> list[tuple[int, int, int]]:
        """Where in the file what lies: start, end, section; 0 for headers."""
        header, sections = self.file.header, self.file.sections
        own = 16 + file_dtype(self.file.elf_class, self.file.endian).itemsize
        tables = [(0, own, 0)]
        tables.append((header["phoff"], header["phoff"] + self.file.segments.nbytes, 0))
        tables.append((header["shoff"], header["shoff"] + sections.nbytes, 0))
        for row in range(1, len(sections)):
            if sections["type"][row] not in (SectionType.NOBITS, SectionType.NULL):
                start = int(sections["offset"][row])
                tables.append((start, start + int(sections["size"][row]), row))
        return tables

    def _section(self, section: int, length: int) -> list[_Pieces]:
        name = self.file.names[section]
        if name.startswith((".debug", ".zdebug")):
            return [_one(section, DEBUG, length)]
        if not int(self.file.sections["flags"][section]) & SHF_ALLOC:
            return [_one(section, TABLE, length)]
        own = [each for each in self.link.sections.items if each.name == name]
        pieces = [self._symbols(section, each) for each in own]
        rest = length - sum(int(each.size.sum()) for each in pieces)
        external = self.link.mode.external
        if not own or rest < 0:
            return [_one(section, HOST if external and not own else "data", length)]
        return [*pieces, _one(section, HOST if external else PADDING, rest)]

    def _symbols(self, number: int, section: Section) -> _Pieces:
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
        return _Pieces(ids, np.full(len(ids), number), kind, size)


def _one(section: int, kind: str, size: int) -> _Pieces:
    """A piece that is no symbol."""
    values = (0, section, KINDS.index(kind), size)
    return _Pieces(*(np.array([value], np.int64) for value in values))
