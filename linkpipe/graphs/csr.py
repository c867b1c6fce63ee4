"""Compressed sparse rows: the edges of a large graph as columns, and kernels over them.

Each function's docstring holds what it computes in slow and obvious words; property tests
hold the two together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from linkpipe.arrays.columns import frozen
from linkpipe.arrays.ragged import expand, offsets
from linkpipe.arrays.types import I32, I64


class Csr(NamedTuple):
    """Edges by source: those of node u are the rows [starts[u], starts[u+1]).

    ``starts`` int64[n+1]; ``targets`` int32[m], ascending for each source, no target twice;
    ``reasons`` int32[m].
    """

    starts: I64
    targets: I32
    reasons: I32


def build_csr(n: int, sources: I32, targets: I32, reasons: I32) -> Csr:
    """Rows for n nodes from edges in any order; of equal edges the first one stays.

    ``{(u, v): r for u, v, r in reversed(edges)}``, sorted
    """
    keys = sources.astype(np.int64) * n + targets
    keys, first = np.unique(keys, return_index=True)
    starts = offsets(np.bincount(sources[first], minlength=n))
    return Csr(frozen(starts), frozen(targets[first]), frozen(reasons[first]))


def breadth_first(csr: Csr, start: int) -> tuple[I32, I32]:
    """Search from a node: each node's predecessor and distance, int32[n] both.

    Nodes that are not reached have distance -1; the start is its own predecessor. Of several
    predecessors at one distance the largest counts.
    """
    n = len(csr.starts) - 1
    parent, distance = np.zeros(n, np.int32), np.full(n, -1, np.int32)
    parent[start], distance[start] = start, 0
    wave = np.array([start], np.int64)
    far = 0
    while len(wave):
        far += 1
        counts = csr.starts[wave + 1] - csr.starts[wave]
        found = csr.targets[expand(csr.starts[wave], counts)]
        source = np.repeat(wave, counts)
        fresh = distance[found] < 0
        found, source = found[fresh], source[fresh]
        parent[found] = source  # sources ascend, so the largest is written last
        distance[found] = far
        wave = np.unique(found).astype(np.int64)
    return frozen(parent), frozen(distance)
