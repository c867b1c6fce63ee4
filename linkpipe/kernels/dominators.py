"""Dominators of a graph in compressed sparse rows, and sums over the tree that they make.

A node dominates another when every path from the root to that one comes through it; the nearest
such node is its immediate dominator. Lengauer and Tarjan, "A fast algorithm for finding dominators
in a flowgraph", TOPLAS 1979, the simple form, without recursion: m log n steps whatever the graph.
The types that callers see stand in dominators.pyi. Rows and targets are checked here.
"""

from __future__ import annotations

import cython
import numpy as np


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _fits(
    starts: cython.const[cython.longlong][::1], targets: cython.const[cython.int][::1]
) -> cython.bint:
    """Whether rows ascend over all targets, and these are nodes."""
    n: cython.longlong = starts.shape[0] - 1
    i: cython.longlong
    if n < 0 or starts[0] != 0 or starts[n] != targets.shape[0]:
        return False
    ok: cython.bint = True
    for i in range(n):
        ok = ok and starts[i] <= starts[i + 1]
    for i in range(targets.shape[0]):
        ok = ok and 0 <= targets[i] < n
    return ok


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _visit(
    starts: cython.const[cython.longlong][::1],
    targets: cython.const[cython.int][::1],
    root: cython.int,
    number: cython.int[::1],
    vertex: cython.int[::1],
    parent: cython.int[::1],
    following: cython.longlong[::1],
) -> cython.int:
    """Number the nodes that are reached in depth-first order; returns how many there are.
    ``parent`` is by number."""
    count: cython.int = 1
    at: cython.int = root
    to: cython.int
    number[root] = 0
    vertex[0] = root
    following[root] = starts[root]
    while True:
        if following[at] < starts[at + 1]:
            to = targets[following[at]]
            following[at] += 1
            if number[to] < 0:
                number[to] = count
                vertex[count] = to
                parent[count] = number[at]
                following[to] = starts[to]
                count += 1
                at = to
        elif at == root:
            return count
        else:
            at = vertex[parent[number[at]]]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _least(
    node: cython.int,
    ancestor: cython.int[::1],
    label: cython.int[::1],
    semi: cython.int[::1],
    path: cython.int[::1],
) -> cython.int:
    """The node with the least semidominator between a node and the root of its tree in the forest,
    whose paths are made shorter on the way."""
    depth: cython.longlong = 0
    at: cython.int = node
    if ancestor[node] < 0:
        return label[node]
    while ancestor[ancestor[at]] >= 0:
        path[depth] = at
        depth += 1
        at = ancestor[at]
    while depth > 0:
        depth -= 1
        at = path[depth]
        if semi[label[ancestor[at]]] < semi[label[at]]:
            label[at] = label[ancestor[at]]
        ancestor[at] = ancestor[ancestor[at]]
    return label[node]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _dominate(
    starts: cython.const[cython.longlong][::1],
    sources: cython.const[cython.int][::1],
    count: cython.int,
    number: cython.int[::1],
    vertex: cython.int[::1],
    parent: cython.int[::1],
    work: cython.int[:, ::1],
) -> cython.void:
    """The immediate dominators, by number, into row 0 of ``work``; edges are by target."""
    found: cython.int[::1] = work[0]
    ancestor: cython.int[::1] = work[1]
    label: cython.int[::1] = work[2]
    semi: cython.int[::1] = work[3]
    bucket: cython.int[::1] = work[4]
    rest: cython.int[::1] = work[5]
    path: cython.int[::1] = work[6]
    w: cython.int
    v: cython.int
    u: cython.int
    p: cython.int
    i: cython.longlong
    for w in range(count):
        ancestor[w] = bucket[w] = rest[w] = -1
        label[w] = semi[w] = w
    for w in range(count - 1, 0, -1):
        for i in range(starts[vertex[w]], starts[vertex[w] + 1]):
            v = number[sources[i]]
            if v >= 0:
                u = _least(v, ancestor, label, semi, path)
                if semi[u] < semi[w]:
                    semi[w] = semi[u]
        rest[w] = bucket[semi[w]]
        bucket[semi[w]] = w
        p = parent[w]
        ancestor[w] = p
        v = bucket[p]
        bucket[p] = -1
        while v >= 0:
            u = _least(v, ancestor, label, semi, path)
            found[v] = u if semi[u] < semi[v] else p
            v = rest[v]
    found[0] = 0
    for w in range(1, count):
        if found[w] != semi[w]:
            found[w] = found[found[w]]


def immediate(
    starts: cython.const[cython.longlong][::1],
    targets: cython.const[cython.int][::1],
    back_starts: cython.const[cython.longlong][::1],
    back_targets: cython.const[cython.int][::1],
    root: cython.int,
):
    """The immediate dominator of each node, int32[n]: -1 for what is not reached from ``root``,
    which is its own; and the nodes that are reached, int32[k], each behind its dominator. Edges
    are given by source and by target. Raises IndexError for rows that do not fit, or other nodes
    than there are.

    ``networkx.immediate_dominators(graph, root)``
    """
    n: cython.longlong = starts.shape[0] - 1
    ok: cython.bint = back_starts.shape[0] == starts.shape[0] and 0 <= root < n
    ok = ok and _fits(starts, targets) and _fits(back_starts, back_targets)
    if not ok:
        raise IndexError("rows that do not fit, or nodes that do not exist")
    dominator = np.full(n, -1, np.int32)
    order = np.zeros(n, np.int32)
    work: cython.int[:, ::1] = np.zeros((9, n), np.int32)
    number: cython.int[::1] = work[7]
    parent: cython.int[::1] = work[8]
    following: cython.longlong[::1] = np.zeros(n, np.int64)
    out: cython.int[::1] = dominator
    vertex: cython.int[::1] = order
    count: cython.int
    i: cython.longlong
    with cython.nogil:
        for i in range(n):
            number[i] = -1
        count = _visit(starts, targets, root, number, vertex, parent, following)
        _dominate(back_starts, back_targets, count, number, vertex, parent, work)
        for i in range(count):
            out[vertex[i]] = vertex[work[0, i]]
    return dominator, order[:count]


def sums(
    dominator: cython.const[cython.int][::1],
    order: cython.const[cython.int][::1],
    values: cython.const[cython.longlong][::1],
):
    """Of each node the sum of its value and of those of all that it dominates: int64[n], zero for
    what is not reached; ``dominator`` and ``order`` are what ``immediate`` returns. Raises
    IndexError for other nodes than there are.

    ``[sum(values[v] for v in nodes if u in dominators(v)) for u in nodes]``
    """
    n: cython.longlong = dominator.shape[0]
    total = np.zeros(n, np.int64)
    out: cython.longlong[::1] = total
    ok: cython.bint = values.shape[0] == n
    i: cython.longlong
    at: cython.int
    with cython.nogil:
        for i in range(order.shape[0]):
            at = order[i]
            if not (ok and 0 <= at < n and 0 <= dominator[at] < n):
                ok = False
                break
            out[at] = values[at]
        if ok:
            for i in range(order.shape[0] - 1, 0, -1):
                at = order[i]
                out[dominator[at]] += out[at]
    if not ok:
        raise IndexError("nodes that do not exist")
    return total
