"""The reachability graph: kernels equal their slow versions, its networkx face networkx."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.graphs.backend import BACKEND, Backend
from linkpipe.graphs.backend_info import NATIVE, backend_info
from linkpipe.graphs.csr import Csr, breadth_first, build_csr
from linkpipe.graphs.graph import ROOT, Graph
from linkpipe.reloctype import R_ADDR, R_CALL, R_METHODOFF
from linkpipe.symkind import SymKind
from linkpipe.tables.objects import AuxColumns
from tests.tiny import Tiny

Edges = list[tuple[int, int, int]]


class NoObjects:
    """Objects in which no symbol has auxiliary ones."""

    def auxs(self, objects: Any, locals_: Any, types: Any) -> AuxColumns:
        zero = np.zeros(len(objects), np.int64)
        return AuxColumns(zero, np.zeros(0, np.uint8), np.zeros(0, np.int32))


def columns(edges: Edges) -> Any:
    return [np.array([edge[i] for edge in edges], np.int32) for i in range(3)]


def graph_of(n: int, edges: Sequence[tuple[int, int]], roots: Sequence[int] = (1,)) -> Graph:
    """A graph of the symbols f1 … fn."""
    tiny = Tiny()
    ids = [tiny.symbol(f"f{i + 1}", kind=SymKind.STEXT, size=i) for i in range(n)]
    tiny.symbol("dead", reachable=False)
    for u, v in edges:
        tiny.reloc(ids[u - 1], R_CALL, ids[v - 1])
    link = tiny.link()
    objects: Any = NoObjects()
    return Graph(
        symbols=link.symbols,
        objects=objects,
        relocs=link.relocs,
        arch=link.arch,
        roots=tuple((ids[root - 1], "entry point") for root in roots),
        special=np.zeros(len(link.relocs), np.bool_),
    )


def sizes(n: int) -> st.SearchStrategy[int]:
    return st.integers(0, n - 1)


edge_lists = st.integers(1, 8).flatmap(
    lambda n: st.tuples(
        st.just(n), st.lists(st.tuples(sizes(n), sizes(n), st.integers(0, 9)), max_size=20)
    )
)


@given(edge_lists)
def test_build_csr(case: tuple[int, Edges]) -> None:
    """The docstring's version: of equal edges the first stays, targets ascend."""
    n, edges = case
    csr = build_csr(n, *columns(edges))
    slow = {(u, v): r for u, v, r in reversed(edges)}
    fast = {
        (u, int(csr.targets[i])): int(csr.reasons[i])
        for u in range(n)
        for i in range(int(csr.starts[u]), int(csr.starts[u + 1]))
    }
    assert fast == slow
    assert list(fast) == sorted(slow)


@given(edge_lists)
def test_breadth_first(case: tuple[int, Edges]) -> None:
    """Distances are networkx's; each predecessor is the largest that is one step nearer."""
    n, edges = case
    plain = nx.DiGraph()
    plain.add_nodes_from(range(n))
    plain.add_edges_from((u, v) for u, v, _ in edges)
    parent, distance = breadth_first(build_csr(n, *columns(edges)), 0)
    expected = nx.single_source_shortest_path_length(plain, 0)
    assert {i: int(d) for i, d in enumerate(distance) if d >= 0} == expected
    for node, far in expected.items():
        nearer = [u for u in plain.pred[node] if expected.get(u) == far - 1]
        assert int(parent[node]) == (max(nearer) if far else 0)


small = st.lists(st.tuples(st.integers(1, 7), st.integers(1, 7)), max_size=20)


@given(small, st.integers(1, 7), st.integers(1, 7))
def test_algorithms_equal_networkx(edges: list[tuple[int, int]], a: int, b: int) -> None:
    """Every algorithm that the backend has gives what networkx gives on the converted graph."""
    graph = graph_of(7, edges)
    plain = graph.nx
    nodes = list(plain)
    u, v = nodes[-8 + a], nodes[-8 + b]
    assert nx.descendants(graph, u) == nx.descendants(plain, u)
    assert nx.ancestors(graph, u) == nx.ancestors(plain, u)
    assert nx.has_path(graph, u, v) == nx.has_path(plain, u, v)
    assert nx.single_source_shortest_path_length(
        graph, u, cutoff=2
    ) == nx.single_source_shortest_path_length(plain, u, cutoff=2)
    assert [set(layer) for layer in nx.bfs_layers(graph, u)] == [
        set(layer) for layer in nx.bfs_layers(plain, u)
    ]
    dominators = nx.immediate_dominators(plain, ROOT)
    dominators.pop(ROOT, None)  # networkx before 3.6 names the start too
    assert nx.immediate_dominators(graph, ROOT) == dominators
    if nx.has_path(plain, u, v):
        path = nx.shortest_path(graph, u, v)
        assert len(path) == len(nx.shortest_path(plain, u, v))
        assert nx.is_path(plain, path)
        assert nx.shortest_path_length(graph, u, v) == len(path) - 1
    else:
        with pytest.raises(nx.NetworkXNoPath):
            nx.shortest_path(graph, u, v)
        with pytest.raises(nx.NetworkXNoPath):
            nx.shortest_path_length(graph, u, v)


def test_other_algorithms_run_on_a_copy() -> None:
    graph = graph_of(3, [(1, 2), (2, 3), (3, 1)])
    assert nx.number_strongly_connected_components(graph) == len(graph) - 2
    assert not nx.is_directed_acyclic_graph(graph)
    assert nx.shortest_path_length(graph, ROOT)[graph.symbols.lookup("f3")] == 3
    with pytest.raises(nx.NetworkXNotImplemented):
        nx.is_chordal(graph)


def test_the_graph_cannot_be_changed() -> None:
    graph = graph_of(2, [(1, 2)])
    with pytest.raises(nx.NetworkXError):
        graph.nx.remove_node(1)
    with pytest.raises(nx.NetworkXError):
        nx.contracted_nodes(graph, 1, 2, copy=False)
    with pytest.raises(NotImplementedError):
        BACKEND.convert_from_nx(nx.DiGraph())


def test_unknown_nodes_are_networkx_errors() -> None:
    graph = graph_of(1, [])
    missing = graph.symbols.lookup("dead")
    for function in (nx.descendants, nx.ancestors, nx.immediate_dominators):
        with pytest.raises(nx.NetworkXError):
            function(graph, missing)
    with pytest.raises(nx.NodeNotFound):
        nx.shortest_path(graph, ROOT, missing)
    with pytest.raises(nx.NetworkXException):
        list(nx.bfs_layers(graph, [missing]))


def test_a_graph_answers_like_a_digraph() -> None:
    graph = graph_of(3, [(1, 2), (1, 2), (2, 3)])
    plain = graph.nx
    assert list(graph) == list(plain)
    assert len(graph) == graph.number_of_nodes() == graph.order() == len(plain)
    assert graph.number_of_edges() == plain.number_of_edges() == 3
    assert (graph.is_directed(), graph.is_multigraph()) == (True, False)
    for node in plain:
        assert list(graph.successors(node)) == sorted(plain.successors(node))
        assert list(graph.predecessors(node)) == sorted(plain.predecessors(node))
        assert graph[node] == graph.adj[node] == dict(plain[node])
        assert graph.has_node(node)
        for other in plain:
            assert graph.has_edge(node, other) == plain.has_edge(node, other)
            assert graph.get_edge_data(node, other) == plain.get_edge_data(node, other)
    assert dict(graph.nodes) == dict(plain.nodes)
    assert set(graph.edges) == set(plain.edges)
    for odd in (-1, 10**9, "f1", None):
        assert odd not in graph


def test_why_is_a_shortest_chain_from_a_root() -> None:
    graph = graph_of(4, [(1, 2), (2, 3), (1, 3)])
    steps = graph.why(graph.symbols.lookup("f3"))
    assert [(step.name, step.reason) for step in steps] == [
        ("f1", "root: entry point"),
        ("f3", "R_CALL"),
    ]
    assert graph.why(graph.symbols.lookup("dead")) == []
    assert graph.why(ROOT) == []


def test_reasons_name_relocations_methods_and_map_initialisers() -> None:
    tiny = Tiny()
    a, b, c = (tiny.symbol(name, kind=SymKind.STEXT) for name in "abc")
    tiny.reloc(a, R_METHODOFF, b)
    tiny.reloc(a, R_CALL, c, weak=True)
    tiny.reloc(b, R_ADDR, c)
    tiny.reloc(b, R_METHODOFF, a)
    link = tiny.link()
    special = np.array([True, True, False, False])
    objects: Any = NoObjects()
    graph = Graph(link.symbols, objects, link.relocs, link.arch, ((a, "x"),), special)
    assert graph[a] == {
        b: {"reason": "method that may be called"},
        c: {"reason": "replaces the initialiser of an unused map"},
    }
    assert graph[b] == {c: {"reason": "R_ADDR"}}


def test_a_pattern_selects_nodes_and_their_neighbours() -> None:
    graph = graph_of(4, [(1, 2), (2, 3), (3, 4), (1, 4)])
    part = graph.subgraph_matching(re.compile("^f2$"))
    assert sorted(data["name"] for _, data in part.nodes(data=True)) == ["f1", "f2", "f3"]
    assert part.number_of_edges() == 2
    assert graph.subgraph_matching(None).number_of_edges() == 5


def test_the_backend_says_what_it_has() -> None:
    """networkx lists it; and it is found through the entry point, as the others are."""
    native = {name for name, item in vars(Backend).items() if isinstance(item, staticmethod)}
    assert native - {"convert_to_nx", "convert_from_nx", "can_run"} == set(NATIVE)
    assert set(NATIVE) <= set(nx.utils.backends._registered_algorithms)
    assert nx.utils.backends.backend_info["linkpipe"] == backend_info()
    assert "linkpipe" in nx.utils.backends.backends
    with pytest.raises(AttributeError):
        BACKEND.no_such_algorithm  # noqa: B018 - asking is the test


def test_a_link_that_is_not_asked_builds_nothing() -> None:
    graph = graph_of(3, [(1, 2)])
    assert not {"csr", "transposed", "nx"} & set(vars(graph))
    assert isinstance(graph.csr, Csr)
    assert "nx" not in vars(graph)
