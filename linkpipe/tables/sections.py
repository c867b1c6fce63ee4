"""Sections and segments of the output, in file order.

There are some dozens of them, so they are frozen objects, not columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from linkpipe.arrays.columns import table
from linkpipe.arrays.types import I32, I64
from linkpipe.tables.listing import InNotebook
from linkpipe.values import Shown, record


@table
class Section(Shown):
    """One section.

    Attributes:
        name: as in the output, ".text".
        segment: "text", "rodata", "relro", "data", "pdata" or "dwarf".
        rwx: permission bits, 4 read, 2 write, 1 execute.
        symbols: int32[k], the symbols laid out in it, by address; carriers, which have no bytes
            of their own, stand among those that they carry.
        align: bytes, 0: nothing in it asks for any.
        vaddr: address; 0 before address assignment.
        size: bytes.
        zeros: whether it occupies no bytes in the file (.bss and the like).
        compressed: whether its content is stored compressed.
        lead: bytes kept free before its first symbol.
        packed: whether its symbols follow each other without gaps, whatever they ask for.
    """

    name: str
    segment: str
    rwx: int
    symbols: I32
    align: int
    vaddr: int = 0
    size: int = 0
    zeros: bool = False
    compressed: bool = False
    lead: int = 0
    packed: bool = False


@record
class Segment(Shown):
    """One loadable segment: addresses, and the bytes of the file that back them.

    Attributes:
        name: "text", "rodata", "relro", "data", "pdata" or "dwarf".
        rwx: permission bits, 4 read, 2 write, 1 execute.
        sections: rows in Sections, ascending addresses.
        vaddr: address; 0 before address assignment.
        size: in memory, bytes.
        fileoff: where in the file it begins, bytes.
        filesize: in the file, bytes.
    """

    name: str
    rwx: int
    sections: tuple[int, ...]
    vaddr: int = 0
    size: int = 0
    fileoff: int = 0
    filesize: int = 0


@table
class Sections(InNotebook, Shown):
    """Sections and segments of the output.

    Attributes:
        items: all sections in creation order; a symbol's ``section`` column holds a row of it.
        segments: all segments in file order.
    """

    items: tuple[Section, ...]
    segments: tuple[Segment, ...]

    def __getitem__(self, row: int) -> Section:
        return self.items[row]

    def __len__(self) -> int:
        return len(self.items)

    def find(self, name: str) -> int:
        """The row of the first section of that name, -1 when there is none."""
        return next((i for i, s in enumerate(self.items) if s.name == name), -1)

    def segment(self, name: str) -> Segment:
        """The segment of that name."""
        return self.by_name[name]

    @property
    def by_name(self) -> Mapping[str, Segment]:
        """Segments by name."""
        return {s.name: s for s in self.segments}

    def vaddrs(self) -> I64:
        """The address of each section: int64[len(self)]."""
        return np.array([s.vaddr for s in self.items], np.int64)

    def bases(self) -> I64:
        """Where offsets in each section count from: int64[len(self) + 1], the last one, 0, for "no
        section". In code that is parted in sections they count from the first one."""
        bases = np.append(self.vaddrs(), 0)
        text = [row for row, section in enumerate(self.items) if section.name == ".text"]
        bases[text] = bases[text[:1]]
        return bases

    def rows(self) -> Iterator[dict[str, Any]]:
        """One dict for each section, for dumps."""
        for row, s in enumerate(self.items):
            yield {
                "row": row,
                "name": s.name,
                "segment": s.segment,
                "rwx": s.rwx,
                "align": s.align,
                "vaddr": s.vaddr,
                "size": s.size,
                "symbols": len(s.symbols),
            }
