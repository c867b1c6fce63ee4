"""Which relocations and auxiliary symbols keep their target in the link.

The rule is shared by the reachability pass, which applies it, and by the graph, which
explains the result. Source: cmd/link/internal/ld/deadcode.go:152-290 (flood).
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from linkpipe import reloctype as rt
from linkpipe.arrays.types import U8, U16, Bool
from linkpipe.formats import goobj

MARKERS = (rt.R_USEIFACE, rt.R_USEIFACEMETHOD, rt.R_USENAMEDMETHOD)
"""Relocations that say something to the analysis about their target and do not keep it."""

_NEVER = (*MARKERS, rt.R_METHODOFF, rt.R_USETYPE, rt.R_INITORDER)

# Debug information refers to what it describes and to other debug information, so it keeps nothing
# that is not kept without it; the pass `dwarfgather` finds what belongs to what was kept.
_DWARF = frozenset(
    (
        goobj.AUX_DWARF_INFO,
        goobj.AUX_DWARF_LOC,
        goobj.AUX_DWARF_RANGES,
        goobj.AUX_DWARF_LINES,
    )
)
# Without a name and laid out by whoever reads them through their function; they refer to nothing.
_PAYLOAD = frozenset(
    (
        goobj.AUX_FUNCINFO,
        goobj.AUX_PCSP,
        goobj.AUX_PCFILE,
        goobj.AUX_PCLINE,
        goobj.AUX_PCINLINE,
        goobj.AUX_PCDATA,
    )
)

FOLLOWED_AUXS = (
    frozenset(range(goobj.AUX_SEH_UNWIND_INFO + 1)) - _PAYLOAD - _DWARF - {goobj.AUX_GOTYPE}
)
"""The kinds of auxiliary symbols that are kept with their symbol, of those that matter here. The
oracle also marks payloads (function information, pc-value tables), but never lays them out. A
symbol's type is not kept with it."""


def are(types: U8 | U16, few: Collection[int]) -> Bool:
    """Whether each type is one of a few: bool[m]. What np.isin says, four times as fast."""
    out = np.zeros(len(types), np.bool_)
    for one in few:
        out |= types == one
    return out


def followed(
    types: U16,
    weak: Bool,
    calls: Collection[int],
    weak_calls: bool,
    strong: Bool | None = None,
) -> Bool:
    """Whether each relocation of a reachable symbol keeps its target: bool[m].

    Weak ones do not, nor do those of methods (that is decided method by method) and those
    that are notes to the analysis. ``calls`` are the types of direct calls; with
    ``weak_calls`` weak calls count as strong (links that can load plugins), and so do those that
    are ``strong`` whatever they say.
    """
    out = ~are(types, _NEVER)
    rows = np.flatnonzero(weak)
    kept = np.zeros(len(rows), np.bool_) if strong is None else strong[rows]
    if weak_calls:
        kept |= are(types[rows], calls)
    out[rows] &= kept
    return out
