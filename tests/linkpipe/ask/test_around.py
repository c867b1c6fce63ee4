"""The part of the graph around something is what networkx finds there."""

from __future__ import annotations

from typing import Any

import networkx as nx
import pytest

from linkpipe import api
from linkpipe.ask.around import around
from linkpipe.errors import UserError
from linkpipe.graphs.graph import ROOT
from tests.linkpipe.ask.links import QUIET, linked


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_it_is_what_networkx_finds(depth: int) -> None:
    """In both directions, each by itself; the roots are an end."""
    link = linked(QUIET)
    found = around(link, "fmt.Fprintln", depth)
    graph: Any = nx.DiGraph(link.graph.nx)
    start = link.graph.find("fmt.Fprintln")
    graph.remove_edges_from(list(graph.out_edges(ROOT)) if depth > 1 else [])
    graph.add_edges_from((ROOT, sym) for sym, _ in link.graph.roots)
    expected: dict[int, int] = {}
    for each in (graph, graph.reverse()):
        for node, far in nx.single_source_shortest_path_length(each, start, depth).items():
            expected[node] = min(far, expected.get(node, far))
    assert {node.id: node.distance for node in found.nodes} == expected
    assert found.left_out == 0
    edges = {(edge.source, edge.target) for edge in found.edges}
    whole = link.graph.nx.subgraph(expected)
    assert edges == set(whole.edges)
    assert all(edge.reason for edge in found.edges)


def test_names_and_packages() -> None:
    found = around(linked(QUIET), "main.measure")
    by_name = {node.name: node for node in found.nodes}
    assert by_name["main.measure"].distance == 0
    assert by_name["main.main"].package == "main"
    assert by_name["main.main"].size > 0


def test_the_nearest_are_shown() -> None:
    whole = around(linked(QUIET), "main.main", 3)
    few = around(linked(QUIET), "main.main", 3, limit=5)
    assert few.nodes == whole.nodes[:5]
    assert few.left_out == len(whole.nodes) - 5


def test_what_is_not_in_the_output_has_nothing_around_it() -> None:
    with pytest.raises(UserError, match="is in the output"):
        around(linked(QUIET), "main.square.Perimeter")
    with pytest.raises(UserError, match="nothing is known yet"):
        around(linked(QUIET, "objects"), "main.main")


def test_it_is_promised() -> None:
    assert api.around is around
