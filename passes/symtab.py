"""symtab: mark where sections begin and end, and group symbols that lie together.

The runtime finds its data by markers such as runtime.noptrdata and runtime.enoptrdata;
they are defined here and get their values with the addresses. Symbols of one sort, such as
string constants or type descriptors, are laid out next to each other and, unless other
modules have to see them, carried by one symbol (``go:string.*``) that stands for them in the
symbol table.

`section_groups` is uint8[number of symbols], the SymKind under which a symbol is laid out, 0 where
that is its own. The carried get their `container` and flags.
Source: cmd/link/internal/ld/symtab.go:421-550.
Reads `symbols`, `mode`; provides `symbols`, `section_groups`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.columns import frozen
from linkpipe.arrays.types import U8
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import STATIC, Flag, Symbols, SymbolsEdit

# Markers in order of creation (their order in the symbol table depends on it).
_MARKERS = (
    ("runtime.rodata", SymKind.SRODATA),
    ("runtime.erodata", SymKind.SRODATAEND),
    ("runtime.types", SymKind.SRODATA),
    ("runtime.etypes", SymKind.SRODATA),
    ("runtime.noptrdata", SymKind.SNOPTRDATA),
    ("runtime.enoptrdata", SymKind.SNOPTRDATAEND),
    ("runtime.data", SymKind.SDATA),
    ("runtime.edata", SymKind.SDATAEND),
    ("runtime.bss", SymKind.SBSS),
    ("runtime.ebss", SymKind.SBSS),
    ("runtime.noptrbss", SymKind.SNOPTRBSS),
    ("runtime.enoptrbss", SymKind.SNOPTRBSS),
    ("runtime.gcmask.*", SymKind.SNOPTRBSS),
    ("runtime.covctrs", SymKind.SNOPTRBSS),
    ("runtime.ecovctrs", SymKind.SNOPTRBSS),
    ("runtime.end", SymKind.SBSS),
    ("runtime.epclntab", SymKind.SRODATA),
    # The programs that tell the garbage collector where pointers are get content later, so
    # they are laid out like other data; their ends are markers.
    ("runtime.gcdata", None),
    ("runtime.egcdata", SymKind.SRODATA),
    ("runtime.gcbss", None),
    ("runtime.egcbss", SymKind.SRODATA),
)

_CARRIERS = (
    ("type:*", SymKind.STYPE),
    ("go:string.*", SymKind.SGOSTRING),
    ("go:funcdesc", SymKind.SGOFUNC),
    ("runtime.gcbits.*", SymKind.SGCBITS),
    ("runtime.gcmask.*", SymKind.SGCMASK),
)


@linkpass(requires=("symbols", "mode"), provides=("symbols", "section_groups"))
def symtab(link: Link) -> Link:
    """Define section markers and carriers, and group symbols by name."""
    edit = link.symbols.edit()
    for name, kind in _MARKERS:
        marker = edit.lookup_or_create(name)
        if kind is None:
            edit.set(marker, kind=SymKind.SRODATA, size=0)
            edit.add_flags(marker, Flag.REACHABLE)
        else:
            edit.set(marker, kind=kind, value=0)
            edit.add_flags(marker, Flag.REACHABLE | Flag.SPECIAL | Flag.LOCAL)
    carriers = _carriers(link, edit)
    _hide(link, edit)
    symbols = edit.freeze()
    groups = _groups(symbols)
    grouped = np.flatnonzero(groups)
    edit = symbols.edit()
    if link.mode.dynlink:
        # Other modules look for these by name.
        visible = (SymKind.SGOFUNC, SymKind.STYPE)
        carried = grouped[~np.isin(groups[grouped], visible)]
    else:
        carried = grouped
    table = np.zeros(256, np.int32)
    table[list(carriers)] = list(carriers.values())
    edit.set(carried, container=table[groups[carried]])
    edit.add_flags(carried, Flag.NOT_IN_SYMTAB)
    return link.evolve(symbols=edit.freeze(), section_groups=frozen(groups))


def _carriers(link: Link, edit: SymbolsEdit) -> dict[int, int]:
    """The carrier symbol of each kind."""
    carriers: dict[int, int] = {}
    for name, kind in _CARRIERS:
        sym = edit.lookup_or_create(name)
        edit.set(sym, kind=kind, size=0, align=link.arch.ptrsize)
        edit.add_flags(sym, Flag.REACHABLE | (0 if kind == SymKind.STYPE else Flag.LOCAL))
        carriers[kind] = sym
    return carriers


def _hide(link: Link, edit: SymbolsEdit) -> None:
    """Keep private symbols of the compiler out of an executable's symbol table."""
    hidden = np.zeros(len(edit), np.bool_)
    if not link.mode.external:
        private = (edit.version >= STATIC) & (edit.object != 0)
        hidden = private & ((edit.flags & Flag.FROM_ASSEMBLY) == 0)
        hidden |= edit.kind == SymKind.SCOVERAGE_COUNTER
    edit.add_flags(np.flatnonzero(hidden), Flag.NOT_IN_SYMTAB)


def _groups(symbols: Symbols) -> U8:
    """The kind under which each reachable symbol is laid out, 0: its own."""
    groups = np.zeros(len(symbols), np.uint8)
    laid_out = (symbols.flags & (Flag.REACHABLE | Flag.SPECIAL)) == Flag.REACHABLE
    kind = symbols.kind
    masks = np.flatnonzero(laid_out & (kind == SymKind.SNOPTRBSS))
    groups[masks[symbols.starts_with(masks, b"type:.gcmask.")]] = SymKind.SGCMASK

    ids = np.flatnonzero(laid_out & ((kind == SymKind.SRODATA) | (kind == SymKind.SGOFUNC)))
    itab = (symbols.flags[ids] & Flag.ITAB) != 0
    groups[ids] = np.select(
        [
            symbols.starts_with(ids, b"go:string."),
            symbols.starts_with(ids, b"runtime.gcbits."),
            symbols.ends_with(ids, "·f".encode()),
            symbols.starts_with(ids, b"type:") | itab,
        ],
        [SymKind.SGOSTRING, SymKind.SGCBITS, SymKind.SGOFUNC, SymKind.STYPE],
    )
    return groups
