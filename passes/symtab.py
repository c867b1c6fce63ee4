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
from linkpipe.arrays.types import I64, U8
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.release import Group
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import STATIC, Flag, Symbols, SymbolsEdit

_NONE = np.uint8(255)
"""In place of a group's row."""


@linkpass(requires=("symbols", "mode"), provides=("symbols", "section_groups"))
def symtab(link: Link) -> Link:
    """Define section markers and carriers, and group symbols by name."""
    edit = link.symbols.edit()
    markers = edit.own_many([name for name, _ in link.release.markers])
    kinds = np.array([kind or 0 for _, kind in link.release.markers], np.uint8)
    plain, placed = markers[kinds == 0], markers[kinds != 0]
    edit.set(plain, kind=int(SymKind.SRODATA), size=0)
    edit.add_flags(plain, Flag.REACHABLE)
    edit.set(placed, kind=kinds[kinds != 0], value=0)
    edit.add_flags(placed, Flag.REACHABLE | Flag.SPECIAL | Flag.LOCAL)
    carriers = _carriers(link, edit)
    _hide(link, edit)
    symbols = edit.freeze()
    which, kinds = _groups(link, symbols), np.zeros(len(symbols), np.uint8)
    edit = symbols.edit()
    for row, group in enumerate(link.release.groups, 1):
        ids = np.flatnonzero(which == row)
        kinds[ids] = _kind(link, group)
        # Other modules look for some of them by name.
        visible = group.visible and link.mode.dynlink
        if not visible or (group.carried and not link.options.relocatable):
            edit.set(ids, container=carriers[group])
        if not visible:
            edit.add_flags(ids, Flag.NOT_IN_SYMTAB)
    return link.evolve(symbols=edit.freeze(), section_groups=frozen(kinds))


def _kind(link: Link, group: Group) -> SymKind:
    moved = link.options.relocatable and group.relro_kind is not None
    return group.relro_kind if moved and group.relro_kind is not None else group.kind


def _carriers(link: Link, edit: SymbolsEdit) -> dict[Group, int]:
    """The carrier symbol of each group; 0 where it has none."""
    made = {}
    for carrier in link.release.carriers:
        bare = carrier.alone and link.mode.dynlink
        if not bare and (link.options.relocatable or not carrier.relro):
            sym = made[carrier.name] = edit.own(carrier.name)
            align = link.arch.ptrsize if carrier.aligned else 0
            edit.set(sym, kind=carrier.kind, size=0, align=align)
            edit.add_flags(sym, Flag.REACHABLE | (Flag.LOCAL if carrier.local else 0))
    moved = link.options.relocatable
    return {
        group: made.get(group.relro_carrier if moved and group.relro_carrier else group.carrier, 0)
        for group in link.release.groups
    }


def _hide(link: Link, edit: SymbolsEdit) -> None:
    """Keep private symbols of the compiler out of an executable's symbol table."""
    hidden = np.zeros(len(edit), np.bool_)
    if not link.mode.external:
        private = (edit.version >= STATIC) & (edit.object != 0)
        hidden = private & ((edit.flags & int(Flag.FROM_ASSEMBLY)) == 0)
        hidden |= edit.kind == int(SymKind.SCOVERAGE_COUNTER)
    edit.add_flags(np.flatnonzero(hidden), Flag.NOT_IN_SYMTAB)


def _groups(link: Link, symbols: Symbols) -> U8:
    """The group of each symbol: its row in the release's, from 1 on; 0: none. uint8[n]."""
    which = np.full(len(symbols), _NONE)
    asked, live = int(Flag.REACHABLE | Flag.SPECIAL), int(Flag.REACHABLE)
    laid_out = (symbols.flags & asked) == live
    laid_out[[symbols.lookup(carrier.name) for carrier in link.release.carriers]] = False
    among: dict[tuple[SymKind, ...], list[int]] = {}
    for row, group in enumerate(link.release.groups):
        among.setdefault(group.among, []).append(row)
    laid = np.flatnonzero(laid_out)
    for kinds, rows in among.items():
        wanted = np.zeros(256, np.bool_)
        wanted[list(kinds)] = True
        ids = laid[wanted[symbols.kind[laid]]]
        which[ids] = np.minimum(which[ids], _first_groups(link, symbols, ids, rows))
    return which + np.uint8(1)  # which makes 0 of none


def _first_groups(link: Link, symbols: Symbols, ids: I64, rows: list[int]) -> U8:
    """The first of these groups to which each symbol belongs, _NONE: none. uint8[n]."""
    first = np.full(len(ids), _NONE)
    groups = [(row, link.release.groups[row]) for row in rows]
    starts = [(row, text.encode()) for row, group in groups for text in group.prefixes]
    ends = [(row, text.encode()) for row, group in groups for text in group.suffixes]
    for texts, ask in ((starts, symbols.which_start), (ends, symbols.which_end)):
        row_of = np.array([_NONE, *(row for row, _ in texts)], np.uint8)
        first = np.minimum(first, row_of[ask(ids, *(text for _, text in texts))])
    for row, group in groups:
        found = np.zeros(len(ids), np.bool_)
        for kind in group.whole:
            found |= symbols.kind[ids] == kind
        if group.itabs:
            found |= (symbols.flags[ids] & Flag.ITAB) != 0
        first[found] = np.minimum(first[found], row)
    return first
