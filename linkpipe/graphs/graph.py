"""The reachability graph: what refers to what, and why, among the symbols of the output.

Nodes are symbol ids; node 0 stands for the roots, so every node is a descendant of it. An
edge says that one symbol keeps another, with the first reason found: a relocation, an
auxiliary symbol, a method that may be called, a root.

A link of an ordinary program has 10⁵ nodes and 10⁶ edges, and most links never ask. So the
graph costs nothing until it is asked; then it is built once, as compressed sparse rows (CSR),
and questions are answered by kernels over its columns.

It *is* a networkx graph to whoever holds it: ``networkx.descendants(link.graph, 0)``,
``networkx.shortest_path``, ``networkx.immediate_dominators`` and all others run on it, through
networkx's own dispatching (see backend.py; networkx is imported by its callers only), and it has
all attributes of a DiGraph. What is answered from the columns is in this class; the rest is
answered by a copy, converted when it is first needed and kept. Nothing changes either: methods
that would, and attributes of nodes and edges, raise networkx's error of frozen graphs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from linkpipe.arrays.columns import frozen, table
from linkpipe.arrays.types import I32, I64, Bool
from linkpipe.errors import UserError
from linkpipe.formats import goobj
from linkpipe.graphs.csr import Csr, breadth_first, build_csr
from linkpipe.graphs.edges import FOLLOWED_AUXS, followed
from linkpipe.reloctype import NAMES, R_HOST, R_METHODOFF
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag

if TYPE_CHECKING:
    from networkx import DiGraph

    from linkpipe.arch import Architecture
    from linkpipe.tables.objects import Objects
    from linkpipe.tables.relocs import Relocs
    from linkpipe.tables.symbols import Symbols


ROOT = 0
"""The node that stands for the roots."""

# Reasons as numbers: a relocation's type, or one of these plus a detail.
AUX, METHOD, MAPINIT, FROM_ROOT = 1 << 16, 1 << 17, 1 << 18, 1 << 19

_AUX_NAMES = {
    goobj.AUX_FUNCDATA: "function data",
    goobj.AUX_DWARF_INFO: "debug information",
    goobj.AUX_DWARF_LOC: "debug locations",
    goobj.AUX_DWARF_RANGES: "debug ranges",
    goobj.AUX_DWARF_LINES: "debug lines",
}


class Step(NamedTuple):
    """A step of an explanation: this symbol was kept, for this reason, by the step before."""

    symbol: int
    name: str
    reason: str


class Arcs(NamedTuple):
    """What keeps what: ``source`` and ``target`` int32[m], symbols; ``reason`` int32[m] (see
    Graph.reason); ``row`` int64[m], the relocation that says so, -1 where it is none."""

    source: I32
    target: I32
    reason: I32
    row: I64


@table
class Graph:
    """The graph of a link, as reachability left it.

    Attributes:
        symbols, objects, relocs, arch: what it is about.
        roots: symbols that the analysis started from, each with the reason.
        special: bool[len(relocs)], relocations that were followed though their type says
            otherwise: those of methods that may be called, and dropped map initialisers.
        given: the symbols as the analysis found them, for those who run it again.
        weak_calls: whether weak calls were followed.
        imports: whether all that interface tables refer to was followed.
    """

    symbols: Symbols
    objects: Objects
    relocs: Relocs
    arch: Architecture
    roots: tuple[tuple[int, str], ...]
    special: Bool
    given: Symbols
    weak_calls: bool = False
    imports: bool = False

    __networkx_backend__ = "linkpipe"

    @cached_property
    def node_ids(self) -> I64:
        """All nodes, ascending: int64[k]; the first is ROOT."""
        return frozen(np.concatenate(([ROOT], self.symbols.reachable())))

    @cached_property
    def arcs(self) -> Arcs:
        """Everything by which one symbol keeps another; an edge stands for all from one to the
        other."""
        relocs = self.relocs
        strong = None
        if self.imports:
            strong = self.symbols.has(relocs.owner(), Flag.ITAB)
        keep = followed(relocs.type, relocs.weak, self.arch.calls, self.weak_calls, strong)
        rows = np.flatnonzero(keep | self.special)
        kind = relocs.type[rows].astype(np.int32)
        odd = self.special[rows]
        kind[odd] = np.where(kind[odd] == R_METHODOFF, METHOD, MAPINIT)

        ids = self.symbols.reachable()
        ids = ids[self.symbols.object[ids] != 0]
        auxs = self.objects.auxs(self.symbols.object[ids], self.symbols.local[ids], FOLLOWED_AUXS)
        roots = np.array([sym for sym, _ in self.roots], np.int32)
        sources = (
            np.full(len(roots), ROOT, np.int32),
            relocs.owner()[rows],
            np.repeat(ids, auxs.counts).astype(np.int32),
        )
        targets = (roots, relocs.target[rows], auxs.target)
        reasons = (FROM_ROOT + np.arange(len(roots)), kind, AUX + auxs.type.astype(np.int32))
        source, target = np.concatenate(sources), np.concatenate(targets)
        # Content that the linker replaced has lost its auxiliary symbols: they may be missing.
        valid = self.symbols.has(target, Flag.REACHABLE)
        valid &= (source == ROOT) | self.symbols.has(source, Flag.REACHABLE)
        reason = np.concatenate(reasons).astype(np.int32)
        row = np.full(len(source), -1, np.int64)
        row[len(roots) : len(roots) + len(rows)] = rows
        source, target = frozen(source[valid]), frozen(target[valid])
        return Arcs(source, target, frozen(reason[valid]), frozen(row[valid]))

    @cached_property
    def csr(self) -> Csr:
        """Edges by source, one from a symbol to another."""
        source, target, reason, _ = self.arcs
        return build_csr(len(self.symbols), source, target, reason)

    @cached_property
    def transposed(self) -> Csr:
        """Edges by target: ``targets`` are the sources."""
        sources = np.repeat(np.arange(len(self.symbols)), np.diff(self.csr.starts))
        return build_csr(
            len(self.symbols), self.csr.targets, sources.astype(np.int32), self.csr.reasons
        )

    def reason(self, code: int) -> str:
        """A reason in words."""
        if code >= FROM_ROOT:
            return f"root: {self.roots[code - FROM_ROOT][1]}"
        if code >= MAPINIT:
            return "replaces the initialiser of an unused map"
        if code >= METHOD:
            return "method that may be called"
        if code >= AUX:
            return _AUX_NAMES.get(code - AUX, f"auxiliary symbol {code - AUX}")
        linkage = self.arch.linkage
        host = linkage.host.get(code - R_HOST) if linkage is not None else None
        kind = host or self.arch.relocs.get(code)
        return kind.name if kind else NAMES.get(code, f"relocation {code}")

    def label(self, node: int) -> str:
        """The name of a node."""
        if node == ROOT:
            return "(roots)"
        return self.symbols.name(node) or f"(nameless {node})"

    def why(self, sym: int | str) -> list[Step]:
        """How the symbol, by id or by name, got into the output: a shortest chain from a root;
        empty when it is not in the output.

        Raises UserError when no symbol has that name.
        """
        if isinstance(sym, str):
            sym = self.find(sym)
        if sym not in self or sym == ROOT:
            return []
        parent, _ = self.tree
        steps = []
        while sym != ROOT:
            before = int(parent[sym])
            steps.append(Step(sym, self.label(sym), self._edge(before, sym)["reason"]))
            sym = before
        return steps[::-1]

    def find(self, name: str) -> int:
        """The symbol of that name: of several (a function has one for each ABI) one that is in
        the output, when there is any.

        Raises UserError when there is none.
        """
        versions = (self.arch.abi_internal, 0)
        known = [sym for version in versions if (sym := self.symbols.lookup(name, version))]
        kept = [sym for sym in known if sym in self]
        if not kept:  # symbols that only their own object refers to are not found by name
            rows = self.node_ids[1:]
            names = zip(rows.tolist(), self.symbols.names(rows), strict=True)
            wanted = name.encode("utf-8", "surrogateescape")
            kept = [sym for sym, found in names if found == wanted]
        if kept or known:
            return (kept or known)[0]
        raise UserError(
            f"no symbol is named {name!r}",
            remedy="give the whole name, as in go tool nm: main.main, net/http.(*Server).Serve",
        )

    @cached_property
    def tree(self) -> tuple[I32, I32]:
        """Shortest chains from the roots: each symbol's predecessor and distance, int32[n] both
        (see breadth_first)."""
        return breadth_first(self.csr, ROOT)

    def subgraph_matching(self, match: re.Pattern[str] | None) -> DiGraph[Any]:
        """The nodes whose name the pattern is found in (all for None) with their neighbours and
        the edges between, as a networkx graph with names and reasons."""
        from linkpipe.graphs.backend import to_networkx

        if match is None:
            return to_networkx(self)
        hits = [node for node in self.node_ids.tolist() if match.search(self.label(node))]
        return to_networkx(self, touching=np.array(hits, np.int64))

    # What networkx's users call on a graph.

    def is_directed(self) -> bool:
        """Always."""
        return True

    def is_multigraph(self) -> bool:
        """Never: of several edges between two nodes the first is kept."""
        return False

    def __len__(self) -> int:
        return len(self.node_ids)

    def __iter__(self) -> Iterator[int]:
        return iter(self.node_ids.tolist())

    def __contains__(self, node: object) -> bool:
        if not isinstance(node, (int, np.integer)) or not 0 <= node < len(self.symbols):
            return False
        return node == ROOT or bool(self.symbols.flags[node] & Flag.REACHABLE)

    def __getitem__(self, node: int) -> dict[int, dict[str, Any]]:
        """The edges that leave a node: neighbour -> attributes."""
        rows = self._row(self.csr, node)
        pairs = zip(self.csr.targets[rows].tolist(), self.csr.reasons[rows].tolist(), strict=True)
        return {target: {"reason": self.reason(reason)} for target, reason in pairs}

    def number_of_nodes(self) -> int:
        """Reachable symbols, and the root."""
        return len(self)

    def order(self) -> int:
        """Reachable symbols, and the root."""
        return len(self)

    def number_of_edges(self, u: int | None = None, v: int | None = None) -> int:
        """Pairs of symbols one of which keeps the other: all, or 1 or 0 for one pair."""
        return len(self.csr.targets) if u is None or v is None else int(self.has_edge(u, v))

    def has_node(self, node: int) -> bool:
        """Whether the symbol is in the output."""
        return node in self

    def has_edge(self, u: int, v: int) -> bool:
        """Whether u keeps v."""
        return u in self and bool((self.csr.targets[self._row(self.csr, u)] == v).any())

    def get_edge_data(self, u: int, v: int, default: Any = None) -> Any:
        """The attributes of an edge: {"reason": …}."""
        return self._edge(u, v) if self.has_edge(u, v) else default

    def successors(self, node: int) -> Iterator[int]:
        """What the node keeps."""
        return self._next(self.csr, node)

    neighbors = successors

    def predecessors(self, node: int) -> Iterator[int]:
        """What keeps the node."""
        return self._next(self.transposed, node)

    def _next(self, csr: Csr, node: int) -> Iterator[int]:
        if node not in self:
            from networkx import NetworkXError

            raise NetworkXError(f"The node {node} is not in the digraph.")
        return iter(csr.targets[self._row(csr, node)].tolist())

    @cached_property
    def nx(self) -> DiGraph[Any]:
        """The whole graph as a networkx.DiGraph, frozen; nodes have ``name``, ``kind``, ``size``,
        edges ``reason``. Takes seconds for a large program."""
        from linkpipe.graphs.backend import to_networkx

        return to_networkx(self)

    @property  # type: ignore[misc]  # where object has an attribute
    def __class__(self) -> type[Any]:
        """A networkx.DiGraph to those who have networkx and ask: parts of it take only these."""
        if "networkx" not in sys.modules:
            return Graph
        from linkpipe.graphs.backend import AsDiGraph

        return AsDiGraph

    def __getattr__(self, name: str) -> Any:
        """What networkx.DiGraph has and this class has not (``nodes``, ``subgraph``, ``degree``,
        the internals that networkx itself reads …): the converted graph's, which is frozen."""
        from networkx import DiGraph, freeze

        if name.startswith("__") or not hasattr(freeze(DiGraph()), name):
            raise AttributeError(f"neither Graph nor networkx.DiGraph has {name!r}")
        return getattr(self.nx, name)

    def __str__(self) -> str:
        return f"Graph with {len(self)} nodes and {self.number_of_edges()} edges"

    def attributes(self, node: int) -> dict[str, Any]:
        """The attributes of a node: name, kind, size."""
        if node == ROOT:
            return {"name": self.label(ROOT)}
        return {
            "name": self.label(node),
            "kind": SymKind(int(self.symbols.kind[node])).name,
            "size": int(self.symbols.size[node]),
        }

    def _row(self, csr: Csr, node: int) -> slice:
        if node not in self:
            raise KeyError(node)
        return slice(int(csr.starts[node]), int(csr.starts[node + 1]))

    def _edge(self, u: int, v: int) -> dict[str, Any]:
        rows = self._row(self.csr, u)
        at = rows.start + int(np.searchsorted(self.csr.targets[rows], v))
        return {"reason": self.reason(int(self.csr.reasons[at]))}
