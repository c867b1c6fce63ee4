"""networkx's view of the reachability graph: a backend for its dispatching.

networkx hands a call on a graph whose ``__networkx_backend__`` is "linkpipe" to ``BACKEND``,
found through the entry point group ``networkx.backends``. Searches that people do on large
graphs (descendants, ancestors, shortest paths, dominators …) have implementations here that
work on the columns. Every other algorithm of networkx works too: the graph is converted,
once, and networkx's own implementation runs on the copy.

Results are networkx's: the same types, the same exceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import attrs
import networkx as nx
import numpy as np

from linkpipe.arrays.types import I64
from linkpipe.graphs.csr import Csr, breadth_first
from linkpipe.graphs.dominators import dominators
from linkpipe.graphs.graph import Graph

if TYPE_CHECKING:
    from networkx import DiGraph


def to_networkx(graph: Graph, touching: I64 | None = None) -> DiGraph[Any]:
    """A frozen networkx.DiGraph with the attributes of nodes and edges: the whole graph, or the
    nodes ``touching`` and their neighbours with the edges at the former."""
    csr = graph.csr
    sources = np.repeat(np.arange(len(csr.starts) - 1), np.diff(csr.starts))
    targets, reasons, nodes = csr.targets, csr.reasons, graph.node_ids
    if touching is not None:
        wanted = np.zeros(len(graph.symbols), np.bool_)
        wanted[touching] = True
        keep = wanted[sources] | wanted[targets]
        sources, targets, reasons = sources[keep], targets[keep], reasons[keep]
        nodes = np.unique(np.concatenate((touching, sources, targets)))
    words = {code: Attributes(reason=graph.reason(code)) for code in np.unique(reasons).tolist()}
    out: DiGraph[Any] = nx.DiGraph()
    out.graph = Attributes()
    out.add_nodes_from(nodes.tolist())
    for node in out:
        out._node[node] = Attributes(graph.attributes(node))
    succ, pred = out._succ, out._pred
    for u, v, code in zip(sources.tolist(), targets.tolist(), reasons.tolist(), strict=True):
        succ[u][v] = pred[v][u] = words[code]  # one for all edges of that reason
    return nx.freeze(out)


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise nx.NetworkXError(
        "Frozen graph can't be modified; networkx.DiGraph(link.graph) is a copy that can"
    )


class Attributes(dict[str, Any]):
    """What is known of a node or an edge of a frozen graph, and cannot be changed either; copies
    are plain dicts."""

    __setitem__ = __delitem__ = __ior__ = clear = popitem = setdefault = update = _refuse

    def pop(self, key: str, *default: Any) -> Any:
        """The default, when there is nothing to remove: writers of formats ask in this way."""
        return default[0] if default and key not in self else _refuse()

    def __reduce__(self) -> Any:
        return dict, (dict(self),)


class _Either(type):
    """Makes a Graph of a Graph's fields, and a plain networkx graph of anything else."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return Graph(**kwargs) if "symbols" in kwargs else nx.DiGraph(*args, **kwargs)


class AsDiGraph(nx.DiGraph, metaclass=_Either):  # type: ignore[misc]  # networkx has no types
    """What a Graph says that it is an instance of. networkx asks for that class to tell directed
    graphs from others, and to make graphs like this one; attrs.evolve finds the fields in it and
    makes a Graph of them."""

    __attrs_attrs__ = attrs.fields(Graph)


class Backend:
    """The backend: a method for each algorithm that has an implementation here, and for all
    others one that converts."""

    @staticmethod
    def convert_to_nx(obj: Any, *, name: str | None = None) -> Any:
        """A Graph as a networkx.DiGraph; anything else as it is."""
        return obj.nx if isinstance(obj, Graph) else obj

    @staticmethod
    def convert_from_nx(graph: Any, **_: Any) -> Any:
        """Not possible: the graph is made by a link."""
        raise NotImplementedError("only a link makes a reachability graph")

    @staticmethod
    def can_run(name: str, args: Any, kwargs: Any) -> bool:
        """Whether a call can be answered: all can; those that would change the graph raise
        networkx's error of frozen graphs."""
        return True

    @staticmethod
    def descendants(G: Graph, source: int) -> set[int]:
        """Everything that the node keeps, directly or not."""
        return _reached(G, G.csr, source)

    @staticmethod
    def ancestors(G: Graph, source: int) -> set[int]:
        """Everything that keeps the node, directly or not."""
        return _reached(G, G.transposed, source)

    @staticmethod
    def has_path(G: Graph, source: int, target: int) -> bool:
        """Whether one node keeps another, directly or not."""
        _require(G, source, target)
        return bool(breadth_first(G.csr, source)[1][target] >= 0)

    @staticmethod
    def shortest_path(
        G: Graph,
        source: int | None = None,
        target: int | None = None,
        weight: Any = None,
        method: str = "dijkstra",
    ) -> Any:
        """A chain of as few edges as possible."""
        if weight is not None or source is None or target is None:
            return nx.shortest_path(G.nx, source, target, weight, method)
        _require(G, source, target)
        parent, distance = breadth_first(G.csr, source)
        if distance[target] < 0:
            raise nx.NetworkXNoPath(f"No path between {source} and {target}.")
        path = [target]
        while path[-1] != source:
            path.append(int(parent[path[-1]]))
        return path[::-1]

    @staticmethod
    def bidirectional_shortest_path(G: Graph, source: int, target: int) -> Any:
        """The same as ``shortest_path``."""
        return Backend.shortest_path(G, source, target)

    @staticmethod
    def shortest_path_length(
        G: Graph,
        source: int | None = None,
        target: int | None = None,
        weight: Any = None,
        method: str = "dijkstra",
    ) -> Any:
        """The number of edges of a shortest chain."""
        if weight is not None or source is None or target is None:
            return nx.shortest_path_length(G.nx, source, target, weight, method)
        _require(G, source, target)
        distance = int(breadth_first(G.csr, source)[1][target])
        if distance < 0:
            raise nx.NetworkXNoPath(f"No path between {source} and {target}.")
        return distance

    @staticmethod
    def single_source_shortest_path_length(
        G: Graph, source: int, cutoff: int | None = None
    ) -> dict[int, int]:
        """The distance of each node that the source keeps, nearest first."""
        _require(G, source)
        distance = breadth_first(G.csr, source)[1]
        nodes = np.flatnonzero(distance >= 0)
        if cutoff is not None:
            nodes = nodes[distance[nodes] <= cutoff]
        nodes = nodes[np.argsort(distance[nodes], kind="stable")]
        return dict(zip(nodes.tolist(), distance[nodes].tolist(), strict=True))

    @staticmethod
    def bfs_layers(G: Graph, sources: Any) -> Iterator[list[int]]:
        """Nodes by distance from one node."""
        if sources not in G:
            yield from nx.bfs_layers(G.nx, sources)
            return
        distance = breadth_first(G.csr, sources)[1]
        for far in range(int(distance.max()) + 1):
            yield np.flatnonzero(distance == far).tolist()

    @staticmethod
    def immediate_dominators(G: Graph, start: int) -> dict[int, int]:
        """For each node that the start keeps the last one that every chain to it goes through:
        without that one it would not be in the output."""
        if start not in G:
            raise nx.NetworkXError("start is not in G")
        found = dominators(G.csr, start)
        nodes = found.order[1:]
        return dict(zip(nodes.tolist(), found.immediate[nodes].tolist(), strict=True))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        algorithm = nx.utils.backends._registered_algorithms.get(name)
        if algorithm is None or name.startswith("__"):
            raise AttributeError(name)

        def convert(*args: Any, **kwargs: Any) -> Any:
            # The algorithm may be wrapped, in a function that has its attributes only.
            if nx.utils.backends._dispatchable._will_call_mutate_input(algorithm, args, kwargs):
                _refuse()
            plain = [self.convert_to_nx(arg) for arg in args]
            named = {key: self.convert_to_nx(arg) for key, arg in kwargs.items()}
            return algorithm.orig_func(*plain, **named)

        return convert


def _require(G: Graph, *nodes: int) -> None:
    for node in nodes:
        if node not in G:
            raise nx.NodeNotFound(f"Node {node} not in G")


def _reached(G: Graph, csr: Csr, source: int) -> set[int]:
    if source not in G:
        raise nx.NetworkXError(f"The node {source} is not in the graph.")
    distance = breadth_first(csr, source)[1]
    return set(np.flatnonzero(distance > 0).tolist())


BACKEND = Backend()
