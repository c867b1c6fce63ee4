"""Functions in another order than the default one."""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.columns import frozen
from linkpipe.arrays.types import I32, Ints
from linkpipe.tables.symbols import Symbols


def functions_first(symbols: Symbols, text_order: I32, functions: Ints) -> I32:
    """The order of functions with ``functions`` in front, in their order: int32[n], for the fact
    ``text_order`` before functions get their addresses. What is not in ``text_order``, and what
    comes again, is passed over.

    The function that stands first stays there. The runtime takes the offset 0 in the table of names
    for none, so that the first function has no name in a traceback (runtime/symtab.go, funcName),
    and that had better not be one that somebody wants to see. Functions of the FIPS module lie
    between their markers whatever their place here: the layout sorts by kind.
    """
    if not len(text_order):
        return text_order
    first = int(np.argmin(symbols.kind[text_order]))  # of several the one in front
    place = np.full(len(symbols), -1, np.int64)
    place[text_order] = np.arange(len(text_order))
    place[text_order[first]] = -1
    wanted = np.asarray(functions, np.int64)
    wanted = wanted[(wanted >= 0) & (wanted < len(place))]
    wanted = wanted[place[wanted] >= 0]
    _, once = np.unique(wanted, return_index=True)
    chosen = wanted[np.sort(once)].astype(np.int32)
    rest = np.ones(len(text_order), np.bool_)
    rest[place[chosen]] = rest[first] = False
    return frozen(np.concatenate((text_order[[first]], chosen, text_order[rest])))
