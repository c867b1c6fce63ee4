"""What leaves with each row of a table of sizes: all rows at once, nearly, or some exactly.

In a graph, what leaves with a node is what it dominates, so one tree of dominators answers for all
rows. A package is one node of it, and imports are edges, as each initialiser runs because of an
import; what belongs to no package is a node by itself.

The figure is never too large. It is too small where Go's rules are no edges: a method is kept by
its type *and* a call of its signature somewhere, and no graph has an edge that needs two sources,
so this one has an edge from the type alone; and where packages are made one node, paths into one
part of a package and out of another are taken for real. What leaves exactly is found by running
reachability without the row (linkpipe.ask.whatif).
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from linkpipe.arrays.types import I64, Bool
from linkpipe.ask.groups import Groups
from linkpipe.ask.whatif import Cuts
from linkpipe.engine.context import Link
from linkpipe.graphs.csr import build_csr
from linkpipe.graphs.dominators import Dominators, dominators
from linkpipe.graphs.graph import ROOT
from linkpipe.values import record


@record
class Retained:
    """Attributes:
    link: what it is about.
    groups: its rows.
    weight: int64[n], the bytes of each symbol that count.
    """

    link: Link
    groups: Groups
    weight: I64

    @cached_property
    def _cuts(self) -> Cuts:
        return Cuts(self.link)

    @cached_property
    def _nodes(self) -> I64:
        """The node of each symbol: that of its row, behind ROOT, or one of its own behind these;
        ROOT's is itself."""
        n, own = len(self.link.graph.symbols), self.groups.own
        of = self.groups.of[:n]
        found = np.where((of >= 0) & (of < own), 1 + of, 1 + own + np.arange(n))
        found[ROOT] = ROOT
        return found

    @cached_property
    def _tree(self) -> Dominators:
        arcs, nodes = self.link.graph.arcs, self._nodes
        source, target = nodes[arcs.source], nodes[arcs.target]
        if self.groups.packages:
            # An initialiser is there because its package is imported.
            tasks = self.link.inittasks[0]
            keep = arcs.source != tasks if tasks else np.ones(len(source), np.bool_)
            imports = self._imports()
            source = np.concatenate((source[keep], imports[:, 0]))
            target = np.concatenate((target[keep], imports[:, 1]))
        edges = np.flatnonzero(source != target)
        count = 1 + self.groups.own + len(nodes)
        none = np.zeros(len(edges), np.int32)
        csr = build_csr(count, source[edges].astype(np.int32), target[edges].astype(np.int32), none)
        return dominators(csr, ROOT)

    def _imports(self) -> I64:
        """Imports as edges from node to node."""
        place = {path: row for row, paths in enumerate(self.groups.packages) for path in paths}
        items = self.link.packages.items
        node = [1 + place[item.path] for item in items]
        edges = [(ROOT, node[row]) for row in self._cuts.modules.unimported]
        edges += [(node[row], node[to]) for row, item in enumerate(items) for to in item.imports]
        return np.array(edges, np.int64).reshape(-1, 2)

    @cached_property
    def rows(self) -> I64:
        """What leaves with each row, by dominators: int64[own]."""
        nodes, tree, own = self._nodes, self._tree, self.groups.own
        values = np.zeros(len(tree.immediate), np.int64)
        np.add.at(values, nodes, self.weight[: len(nodes)])
        return tree.sums(values)[1 : 1 + own]

    @property
    def known(self) -> Bool:
        """Whether each row is of the graph: bool[own]. What the linker makes later is not."""
        found: Bool = self._tree.immediate[1 : 1 + self.groups.own] >= 0
        return found

    @cached_property
    def parents(self) -> I64:
        """The row that dominates each row most nearly, -1 for none: int64[own]."""
        above, own = self._tree.immediate.astype(np.int64), self.groups.own
        at = above[1 : 1 + own]
        while (at > own).any():  # nodes that are no row: what dominates them
            at = np.where(at > own, above[at], at)
        return np.where(at <= ROOT, -1, at - 1)

    def exactly(self, row: int) -> int:
        """What leaves with a row, by running reachability without it."""
        gone = self._cuts.gone([self.groups.subject(row)])
        return int(self.weight[: len(gone)][gone].sum())
