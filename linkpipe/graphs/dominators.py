"""What keeps what alone: the tree of dominators of a graph in columns.

A node dominates what is reached through it only, so what leaves with it in a graph is the subtree
below it.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.columns import frozen, table
from linkpipe.arrays.types import I32, I64
from linkpipe.graphs.csr import Csr, build_csr
from linkpipe.kernels import dominators as kernel
from linkpipe.values import Shown


@table
class Dominators(Shown):
    """Attributes:
    immediate: int32[n], the nearest node by which every path from the root to a node comes; the
        root's is itself, -1 for what is not reached.
    order: int32[k], the nodes that are reached, each behind its dominator.
    """

    immediate: I32
    order: I32

    def sums(self, values: I64) -> I64:
        """Of each node the sum over all that it dominates, itself among it: int64[n]."""
        return kernel.sums(self.immediate, self.order, values)


def dominators(csr: Csr, root: int) -> Dominators:
    """The tree of a graph from a root."""
    n = len(csr.starts) - 1
    sources = np.repeat(np.arange(n, dtype=np.int32), np.diff(csr.starts))
    back = build_csr(n, csr.targets, sources, csr.reasons)
    immediate, order = kernel.immediate(csr.starts, csr.targets, back.starts, back.targets, root)
    return Dominators(frozen(immediate), frozen(order))
