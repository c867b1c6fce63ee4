"""Walks: from some symbols or nodes to those that they lead to, by rows of a table.

The types that callers see, numpy's, stand in walk.pyi.
"""

from __future__ import annotations

import cython
import numpy as np


def spread(
    entry: cython.const[cython.int][::1],
    first: cython.const[cython.longlong][::1],
    count: cython.const[cython.int][::1],
    follow: cython.const[cython.int][::1],
    target: cython.const[cython.int][::1],
    always: cython.const[cython.uchar][::1],
    among: cython.const[cython.longlong][::1],
    wanted: cython.const[cython.uchar][::1],
    reached: cython.const[cython.uchar][::1],
    used: cython.uchar[::1],
    done: cython.uchar[::1],
):
    """Mark what is used with the symbols ``among``, in ``used`` uint8[n], of symbols that are
    ``wanted`` alone: the parts of one that is ``reached`` and used are used too. One whose parts
    have been marked is ``done``, and not looked into again.

    The parts of symbol s are ``follow[r]``, or ``target[r]`` where that is ``always`` one, for each
    of the ``count[e]`` rows r from ``first[e]`` on, where e is ``entry[s]``, or 0 where there is no
    such entry. Rows and symbols are checked here: those that there are not raise IndexError.

    ``for s in among: if used[s] and reached[s] and not done[s]: done |= s;
    used |= wanted & s's parts; among += wanted & s's parts``
    """
    n: cython.longlong = wanted.shape[0]
    if not (
        entry.shape[0] == reached.shape[0] == used.shape[0] == done.shape[0] == n
        and first.shape[0] == count.shape[0] > 0
    ):
        raise ValueError("columns of symbols, or of entries, differ in length")
    if not follow.shape[0] == target.shape[0] == always.shape[0]:
        raise ValueError("columns of rows differ in length")
    # Symbols that are done and have not been looked into; each is there once.
    waiting: cython.int[::1] = memoryview(np.empty(n + 1, np.int32))
    waits: cython.longlong
    i: cython.longlong
    at: cython.longlong
    row: cython.longlong
    part: cython.longlong
    symbol: cython.longlong = 0
    bad: cython.bint = False
    with cython.nogil:
        for i in range(among.shape[0]):
            symbol = among[i]
            if symbol < 0 or symbol >= n:
                bad = True
                break
            if done[symbol] or not (used[symbol] and reached[symbol]):
                continue
            done[symbol] = 1
            waiting[0] = cython.cast(cython.int, symbol)
            waits = 1
            while waits:
                waits -= 1
                symbol = waiting[waits]
                at = entry[symbol]
                if at < 0 or at >= first.shape[0]:
                    at = 0
                if count[at] < 0 or not 0 <= first[at] <= follow.shape[0] - count[at]:
                    bad = True
                    break
                for row in range(first[at], first[at] + count[at]):
                    part = target[row] if always[row] else follow[row]
                    if part < 0 or part >= n:
                        bad = True
                        break
                    if wanted[part]:
                        used[part] = 1
                        if reached[part] and not done[part]:
                            done[part] = 1
                            waiting[waits] = cython.cast(cython.int, part)
                            waits += 1
                if bad:
                    break
            if bad:
                break
    if bad:
        raise IndexError(f"symbol {symbol}, or a part of it, is not in a table of {n}")


def preorder(
    roots: cython.const[cython.longlong][::1],
    ends: cython.const[cython.longlong][::1],
    following: cython.const[cython.longlong][::1],
    same: cython.const[cython.longlong][::1],
    visited: cython.longlong[::1],
):
    """Walk from each of some roots (-1: none), each node before those that it leads to; one is only
    visited when there is -1 in ``visited`` at the place ``same`` that it has, which then is the
    node. The nodes visited, in order: int64[k].

    Node i leads to ``following[ends[i] : ends[i + 1]]``, the last first. Nodes and rows are checked
    here: those that there are not raise IndexError.

    ``def visit(i): if visited[same[i]] < 0: visited[same[i]] = i; out.append(i); visit all of
    reversed(following[ends[i] : ends[i + 1]])``
    """
    n: cython.longlong = same.shape[0]
    if ends.shape[0] != n + 1 or visited.shape[0] != n:
        raise ValueError("columns of nodes differ in length")
    order = np.empty(n, np.int64)
    out: cython.longlong[::1] = memoryview(order)
    # Each node that is visited puts there what it leads to, once.
    waiting: cython.longlong[::1] = memoryview(np.empty(following.shape[0] + 1, np.int64))
    waits: cython.longlong
    count: cython.longlong = 0
    i: cython.longlong
    j: cython.longlong
    node: cython.longlong = 0
    bad: cython.bint = False
    with cython.nogil:
        for i in range(roots.shape[0]):
            if roots[i] == -1:
                continue
            waiting[0] = roots[i]
            waits = 1
            while waits:
                waits -= 1
                node = waiting[waits]
                if not (
                    0 <= node < n
                    and 0 <= same[node] < n
                    and 0 <= ends[node] <= ends[node + 1] <= following.shape[0]
                ):
                    bad = True
                    break
                if visited[same[node]] != -1:
                    continue
                if waits + ends[node + 1] - ends[node] > waiting.shape[0]:
                    bad = True
                    break
                visited[same[node]] = node
                out[count] = node
                count += 1
                for j in range(ends[node], ends[node + 1]):
                    waiting[waits] = following[j]
                    waits += 1
            if bad:
                break
    if bad:
        raise IndexError(f"node {node}, or what it leads to, is not in a table of {n}")
    return order[:count]
