"""debugaddr: the addresses that debug information refers to by index, .debug_addr of
DWARF 5.

Each unit has a table of its functions' addresses; entries and lists name a function by its place
in it. Relocations of the kinds R_DWTXTADDR stand where such an index goes; the first mention of a
function gives it the next one.

The index of each function is kept in `dwarf`.
Source: cmd/link/internal/ld/dwarf.go (writedebugaddr, assignDebugAddrSlot, writeDebugAddrHdr).
Reads `dwarf`, `symbols`, `relocs`, `debug_sections`; provides `dwarf`, `symbols`, `relocs`,
`debug_sections`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.ragged import first_seen, owners
from linkpipe.arrays.types import I64
from linkpipe.debuginfo.sections import list_header, with_debug_section
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError
from linkpipe.kernels.spans import chosen
from linkpipe.reloctype import DWTXTADDR, R_ADDR
from linkpipe.symkind import SymKind
from linkpipe.tables.relocs import single_relocs
from linkpipe.values import evolve


@linkpass(
    requires=("dwarf", "symbols", "relocs", "debug_sections"),
    provides=("dwarf", "symbols", "relocs", "debug_sections"),
)
def debugaddr(link: Link) -> Link:
    """Give functions their index, write the tables of addresses."""
    dwarf, symbols, edit = link.dwarf, link.symbols, link.symbols.edit()
    unit_of = np.full(len(symbols), -1, np.int64)
    unit_of[dwarf.functions] = dwarf.owner
    unit, function = _mentions(link)
    bad = np.flatnonzero(unit_of[function] != unit)
    if len(bad):
        raise InputError(
            "debug information refers to a function of another unit by index",
            symbol=symbols.name(int(function[bad[0]])),
            remedy="rebuild the package; the file is damaged",
        )
    new = first_seen(function, len(symbols))
    unit, function = unit[new], function[new]
    order = np.argsort(unit, kind="stable")
    unit, function = unit[order], function[order]
    count = np.bincount(unit, minlength=len(dwarf))
    index = np.full(len(symbols), -1, np.int32)
    index[function] = np.arange(len(unit)) - (np.cumsum(count) - count)[unit]

    word = link.arch.ptrsize
    with_text = np.flatnonzero(dwarf.addresses)
    tables, count = dwarf.addresses[with_text], count[with_text]
    starts = word * np.append(0, np.cumsum(count))
    edit.set_contents(tables, bytes(int(starts[-1])), starts)
    place = word * np.arange(len(function)) - starts[owners(count)]
    added = single_relocs(place, word, R_ADDR, function)._replace(counts=count)
    sorted_ = dwarf.addresses[dwarf.order]
    sorted_ = sorted_[sorted_ != 0]
    header = list_header(edit, SymKind.SDWARFADDR, link.arch, sorted_, offsets=False)
    return link.evolve(
        dwarf=evolve(dwarf, index=index),
        symbols=edit.freeze(),
        relocs=link.relocs.extended(tables, added),
        debug_sections=with_debug_section(
            link.debug_sections, link.dwarf, "addr", np.append(header, sorted_)
        ),
    )


def _mentions(link: Link) -> tuple[I64, I64]:
    """Units and the functions that they refer to by index, in order, with repetitions."""
    dwarf, relocs = link.dwarf, link.relocs
    owner = dwarf.owner
    described = np.flatnonzero(dwarf.info)
    holders = np.stack((dwarf.info, dwarf.ranges, dwarf.locs), axis=1)[described]
    wanted = np.zeros(1 << 16, np.uint8)
    wanted[list(DWTXTADDR)] = 1
    rows, holder = chosen(*relocs.spans_of(holders.ravel()), relocs.type, wanted)
    unit = owner[described[holder // 3]]
    # The list of a unit's own ranges comes last.
    with_text = np.flatnonzero(np.diff(dwarf.first))
    base = dwarf.functions[dwarf.first[with_text]]
    return (
        np.concatenate((unit, with_text)),
        np.concatenate((relocs.target[rows], base)).astype(np.int64),
    )
