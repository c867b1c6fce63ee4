"""debugrnglists: which addresses units, inlined calls and blocks take up, .debug_rnglists of
DWARF 5.

The compiler leaves one symbol for each function with lists; the linker adds a header, and for
each unit a list of the stretches of text that belong to it. A list starts with its base, an
index into .debug_addr, and goes on with distances from there.

Source: cmd/link/internal/ld/dwarf.go (writepcranges); cmd/internal/dwarf/dwarf.go
(PutRngListRanges).
Reads `dwarf`, `symbols`, `relocs`, `debug_sections`; provides `symbols`, `relocs`,
`debug_sections`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.types import I64, U8
from linkpipe.debuginfo.sections import (
    UnitRanges,
    by_unit,
    list_header,
    unit_ranges,
    with_debug_section,
)
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.formats.dwarf import Rle
from linkpipe.formats.leb128 import put_leb, uleb_sizes
from linkpipe.reloctype import R_DWTXTADDR_U4
from linkpipe.symkind import SymKind
from linkpipe.tables.relocs import single_relocs

_BASE = 5
"""Bytes of the entry with a list's base: the index takes four."""


@linkpass(
    requires=("dwarf", "symbols", "relocs", "debug_sections"),
    provides=("symbols", "relocs", "debug_sections"),
)
def debugrnglists(link: Link) -> Link:
    """Write the ranges of units, lay out range lists."""
    dwarf, edit = link.dwarf, link.symbols.edit()
    with_text = np.flatnonzero(np.diff(dwarf.first))
    lists = dwarf.range_list[with_text]
    content, starts = _lists(
        unit_ranges(dwarf, dwarf.final_text, link.symbols), with_text, len(dwarf)
    )
    edit.set_contents(lists, content, starts)
    base = dwarf.functions[dwarf.first[with_text]]
    relocs = link.relocs.extended(
        lists, single_relocs(np.ones_like(lists), 4, R_DWTXTADDR_U4, base)
    )
    every = by_unit(dwarf, dwarf.range_list, dwarf.ranges)
    header = list_header(edit, SymKind.SDWARFRANGE, link.arch, every, offsets=True)
    sections = with_debug_section(
        link.debug_sections, link.dwarf, "rnglists", np.append(header, every)
    )
    return link.evolve(symbols=edit.freeze(), relocs=relocs, debug_sections=sections)


def _lists(ranges: UnitRanges, units: I64, k: int) -> tuple[U8, I64]:
    """The lists of ``units`` (of ``k``) end to end, and where each one starts, and the end."""
    order = np.argsort(ranges.unit, kind="stable")
    unit, start, end = (column[order] for column in ranges)
    first, second = uleb_sizes(start), uleb_sizes(end)
    sizes = 1 + first + second
    total = np.zeros(k, np.int64)
    np.add.at(total, unit, sizes)
    total = total[units] + _BASE + 1
    starts = np.append(0, np.cumsum(total))
    out = np.zeros(int(starts[-1]), np.uint8)
    out[starts[:-1]] = Rle.BASE_ADDRESSX
    out[starts[1:] - 1] = Rle.END_OF_LIST
    # Lists follow each other, so a range is displaced by the heads and ends before it.
    at = np.cumsum(sizes) - sizes
    at += _BASE + (_BASE + 1) * np.searchsorted(units, unit)
    out[at] = Rle.OFFSET_PAIR
    put_leb(out, at + 1, start.view(np.uint64), first)
    put_leb(out, at + 1 + first, end.view(np.uint64), second)
    return out, starts
