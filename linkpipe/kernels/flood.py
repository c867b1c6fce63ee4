"""What can be reached: from some symbols, by rows of a table that say which others they need.

The types that callers see, numpy's, stand in flood.pyi.
"""

from __future__ import annotations

import cython
import numpy as np


def flood(
    first: cython.const[cython.longlong][::1],
    count: cython.const[cython.int][::1],
    follow: cython.const[cython.int][::1],
    wave: cython.const[cython.int][::1],
    reached: cython.uchar[::1],
):
    """Mark what can be reached from the symbols ``wave``, in ``reached`` uint8[n]; what is marked
    there is not looked into, unless it is in ``wave``.

    Symbol s needs ``follow[r]`` for each of the ``count[s]`` rows r from ``first[s]`` on. Rows and
    symbols are checked here: those that there are not raise IndexError.

    ``for s in wave: new = follow[s's rows] not in reached; reached |= new; wave += new``
    """
    n: cython.longlong = reached.shape[0]
    if first.shape[0] != n or count.shape[0] != n:
        raise ValueError("columns of symbols differ in length")
    # Symbols that have been marked and not been looked into; each is there once.
    waiting: cython.int[::1] = memoryview(np.empty(n, np.int32))
    waits: cython.longlong
    i: cython.longlong
    row: cython.longlong
    target: cython.longlong
    symbol: cython.longlong = 0
    bad: cython.bint = False
    with cython.nogil:
        for i in range(wave.shape[0]):
            symbol = wave[i]
            waits = 0
            while True:
                if (
                    symbol < 0
                    or symbol >= n
                    or count[symbol] < 0
                    or not 0 <= first[symbol] <= follow.shape[0] - count[symbol]
                ):
                    bad = True
                    break
                for row in range(first[symbol], first[symbol] + count[symbol]):
                    target = follow[row]
                    if target < 0 or target >= n:
                        bad = True
                        break
                    if not reached[target]:
                        reached[target] = 1
                        waiting[waits] = cython.cast(cython.int, target)
                        waits += 1
                if bad or waits == 0:
                    break
                waits -= 1
                symbol = waiting[waits]
            if bad:
                break
    if bad:
        raise IndexError(f"symbol {symbol}, or what it needs, is not in a table of {n}")
