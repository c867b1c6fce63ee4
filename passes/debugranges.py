"""debugranges: which addresses units, inlined calls and blocks take up, .debug_ranges of DWARF 4.

The compiler leaves one symbol for each function with lists; the linker adds for each unit a list of
the stretches of text that belong to it. A list is pairs of words, distances from the unit's first
function, and ends with a pair of zeros.

Source: the DWARF 4 standard, section 2.17.3; cmd/link/internal/ld/dwarf.go (writepcranges);
cmd/internal/dwarf/dwarf.go (PutBasedRanges).
Reads `dwarf`, `symbols`, `debug_sections`; provides `symbols`, `debug_sections`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.types import I64
from linkpipe.debuginfo.sections import UnitRanges, by_unit, unit_ranges, with_debug_section
from linkpipe.engine.pass_api import Link, linkpass


@linkpass(requires=("dwarf", "symbols", "debug_sections"), provides=("symbols", "debug_sections"))
def debugranges(link: Link) -> Link:
    """Write the ranges of units, lay out range lists."""
    dwarf, arch, edit = link.dwarf, link.arch, link.symbols.edit()
    with_text = np.flatnonzero(np.diff(dwarf.first))
    pairs, starts = _pairs(unit_ranges(dwarf, dwarf.final_text, link.symbols), with_text)
    content = pairs.astype(f"{arch.endian}u{arch.ptrsize}").tobytes()
    edit.set_contents(dwarf.range_list[with_text], content, 2 * arch.ptrsize * starts)
    every = by_unit(dwarf, dwarf.range_list, dwarf.ranges)
    sections = with_debug_section(link.debug_sections, dwarf, "ranges", every)
    return link.evolve(symbols=edit.freeze(), debug_sections=sections)


def _pairs(ranges: UnitRanges, units: I64) -> tuple[I64, I64]:
    """The lists of ``units``, which are sorted, end to end: int64[r, 2]; and the row at which each
    starts, and the end."""
    order = np.argsort(ranges.unit, kind="stable")
    row = np.searchsorted(units, ranges.unit[order])
    starts = np.append(0, np.cumsum(np.bincount(row, minlength=len(units)) + 1))
    out = np.zeros((int(starts[-1]), 2), np.int64)
    # Before a range lie the ends of the lists before its own.
    at = np.arange(len(order)) + row
    out[at, 0], out[at, 1] = ranges.start[order], ranges.end[order]
    return out, starts
