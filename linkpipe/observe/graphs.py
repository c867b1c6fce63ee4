"""Graphs as GraphML and DOT.

A fact is dumped as a graph when it is a networkx graph, or offers ``subgraph_matching(match)``,
which returns one: the nodes whose name the pattern is found in (all for None) with the edges at
them. The graph of a real program has a million edges: name a pattern (the option
``match`` of the dump).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any

from linkpipe.observe.dump import Dumper

if TYPE_CHECKING:
    from networkx import DiGraph


def accepts(value: Any) -> bool:
    """Whether a fact is a graph."""
    return hasattr(value, "subgraph_matching") or hasattr(value, "adj")


def restricted(value: Any, match: re.Pattern[str] | None) -> DiGraph[Any]:
    """The part of a graph that a pattern matches, as a networkx graph."""
    if hasattr(value, "subgraph_matching"):
        found: DiGraph[Any] = value.subgraph_matching(match)
        return found
    if match is None:
        return value
    nodes = {n for n, data in value.nodes(data=True) if match.search(str(data.get("name", n)))}
    edges = [(a, b) for a, b in value.edges() if a in nodes or b in nodes]
    return value.subgraph(nodes.union(*edges))


Nodes = Iterable[tuple[Any, dict[str, Any]]]
Edges = Iterable[tuple[Any, Any, dict[str, Any]]]


def write_graphml(
    value: Any, file: IO[str], header: dict[str, Any], match: re.Pattern[str] | None
) -> None:
    """Write GraphML; attributes of nodes and edges become its data."""
    part = restricted(value, match)
    graphml(file, header, _sorted_nodes(part), _sorted_edges(part), multi=_is_multi(value))


def graphml(
    file: IO[str], header: dict[str, Any], nodes: Nodes, edges: Edges, *, multi: bool = False
) -> None:
    """Write these as GraphML."""
    import networkx as nx

    graph = nx.MultiDiGraph() if multi else nx.DiGraph()
    graph.graph.update({key: str(text) for key, text in header.items()})
    graph.add_nodes_from((node, _plain(data)) for node, data in nodes)
    graph.add_edges_from((a, b, _plain(data)) for a, b, data in edges)
    for line in nx.generate_graphml(graph):
        file.write(line + "\n")


def write_dot(
    value: Any, file: IO[str], header: dict[str, Any], match: re.Pattern[str] | None
) -> None:
    """Write DOT, for Graphviz. Nodes are labelled by their ``name``, edges by their ``reason``."""
    part = restricted(value, match)
    dot(file, header, _sorted_nodes(part), _sorted_edges(part))


def dot(file: IO[str], header: dict[str, Any], nodes: Nodes, edges: Edges) -> None:
    """Write these as DOT."""
    for key, text in header.items():
        file.write(f"// {key}: {text}\n")
    file.write("digraph {\n\trankdir=LR;\n\tnode [shape=box];\n")
    for node, data in nodes:
        file.write(f"\t{_quote(node)} [label={_quote(data.get('name', node))}];\n")
    for a, b, data in edges:
        label = f" [label={_quote(data['reason'])}]" if "reason" in data else ""
        file.write(f"\t{_quote(a)} -> {_quote(b)}{label};\n")
    file.write("}\n")


def _is_multi(value: Any) -> bool:
    """Whether two nodes may have more than one edge."""
    ask = getattr(value, "is_multigraph", None)
    return bool(ask()) if callable(ask) else True


def _sorted_nodes(graph: DiGraph[Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    yield from sorted(graph.nodes(data=True), key=lambda node: node[0])


def _sorted_edges(graph: DiGraph[Any]) -> Iterator[tuple[Any, Any, dict[str, Any]]]:
    yield from sorted(graph.edges(data=True), key=lambda edge: (edge[0], edge[1], str(edge[2])))


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    """Attributes of the types that GraphML has."""
    return {
        key: value if isinstance(value, (bool, int, float, str)) else str(value)
        for key, value in data.items()
        if value is not None
    }


def _quote(text: Any) -> str:
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


GRAPHML = Dumper("graphml", accepts, write_graphml)
DOT = Dumper("dot", accepts, write_dot)
