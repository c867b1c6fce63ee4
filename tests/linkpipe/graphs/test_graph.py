"""The reachability graph: kernels equal their slow versions, questions are answered in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.errors import UserError
from linkpipe.graphs.csr import Csr, breadth_first, build_csr
from linkpipe.graphs.graph import ROOT, Graph, Step
from linkpipe.reloctype import R_ADDR, R_CALL, R_METHODOFF
from linkpipe.symkind import SymKind
from linkpipe.tables.objects import AuxColumns
from linkpipe.tables.symbols import STATIC
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
        given=link.symbols,
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


def test_why_is_a_shortest_chain_from_a_root() -> None:
    graph = graph_of(4, [(1, 2), (2, 3), (1, 3)])
    steps = graph.why(graph.symbols.lookup("f3"))
    assert [(step.name, step.reason) for step in steps] == [
        ("f1", "root: entry point"),
        ("f3", "R_CALL"),
    ]
    assert graph.why(graph.symbols.lookup("dead")) == []
    assert graph.why(ROOT) == []


def test_why_takes_a_name_too() -> None:
    """A name is looked up, it is not a symbol that is not in the output."""
    graph = graph_of(4, [(1, 2), (2, 3), (1, 3)])
    for name in ("f1", "f3"):
        assert graph.why(name) == graph.why(graph.symbols.lookup(name)) != []
    assert graph.why("dead") == []
    with pytest.raises(UserError, match="no symbol is named 'f9'") as caught:
        graph.why("f9")
    assert "whole name" in caught.value.remedy


def test_a_name_is_that_of_what_is_in_the_output() -> None:
    """Of a function's two forms, by ABI, the one that is there; and of symbols without a place in
    the table of names, which only their own object refers to, any."""
    tiny = Tiny()
    tiny.symbol("both", version=1, reachable=False)
    kept = tiny.symbol("both")
    own = tiny.symbol("own", version=STATIC)
    link = tiny.link()
    objects: Any = NoObjects()
    roots = ((kept, "x"), (own, "y"))
    graph = Graph(
        link.symbols, objects, link.relocs, link.arch, roots, np.zeros(0, np.bool_), link.symbols
    )
    assert graph.find("both") == kept
    assert not any(link.symbols.lookup("own", version) for version in (0, 1))
    assert graph.why("own") == [Step(own, "own", "root: y")]


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
    graph = Graph(link.symbols, objects, link.relocs, link.arch, ((a, "x"),), special, link.symbols)
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


def test_a_link_that_is_not_asked_builds_nothing() -> None:
    graph = graph_of(3, [(1, 2)])
    assert not {"csr", "transposed", "nx"} & set(vars(graph))
    assert isinstance(graph.csr, Csr)
    assert "nx" not in vars(graph)


def test_what_a_graph_remembers_cannot_be_changed() -> None:
    """A graph is a fact: its answers are shared by all who ask."""
    graph = graph_of(3, [(1, 2), (2, 3)])
    arrays: list[Any] = [graph.node_ids, *graph.csr, *graph.transposed, *graph.tree]
    assert [array for array in arrays if array.flags.writeable] == []
