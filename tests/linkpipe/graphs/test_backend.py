"""The reachability graph is a networkx graph: its attributes, the algorithms, the formats.

All is held to the copy that networkx itself made of the graph, which knows nothing of linkpipe.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import attrs
import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.graphs.backend import BACKEND, Backend
from linkpipe.graphs.backend_info import NATIVE, backend_info
from linkpipe.graphs.graph import ROOT, Graph
from tests.linkpipe.graphs.test_graph import graph_of

EDGES = [(1, 2), (2, 3), (1, 3), (3, 4), (4, 2), (4, 5)]
U, V = 4, 6  # f1, f3
MISSING, UNKNOWN = 9, 10**9  # a symbol that is not in the output; no symbol


def plain(graph: Graph) -> Any:
    """A graph of networkx alone, which can be changed."""
    return nx.DiGraph(graph.nx)


class Raised(NamedTuple):
    """The end of a call in an exception."""

    error: type[Exception]


def outcome(call: Callable[[Any], Any], graph: Any) -> Any:
    """What a call gives as plain values, or which exception it ends in."""
    try:
        return plainly(call(graph))
    except Exception as error:
        return Raised(type(error))


def plainly(value: Any) -> Any:
    if isinstance(value, type | str | bytes):
        return value
    if isinstance(value, nx.Graph):
        data = (value.graph, value.nodes(data=True), value.edges(data=True))
        return [value.is_directed(), *map(plainly, data)]
    if hasattr(value, "keys"):
        return {key: plainly(value[key]) for key in value}
    if isinstance(value, Iterator | list | tuple) or hasattr(value, "_nodes"):
        return [plainly(item) for item in value]
    if hasattr(value, "__iter__"):
        return sorted(map(plainly, value))
    return value


# Attributes of a DiGraph that want arguments, or something else than a call.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "edge_subgraph": ([(U, V)],),
    "get_edge_data": (U, V),
    "has_edge": (U, V),
    "has_node": (U,),
    "has_predecessor": (V, U),
    "has_successor": (U, V),
    "nbunch_iter": ([U, V],),
    "neighbors": (U,),
    "number_of_edges": (U, V),
    "predecessors": (V,),
    "subgraph": ([ROOT, U, V],),
    "successors": (U,),
}
CHANGES = {
    "add_edge": (U, ROOT),
    "add_edges_from": ([(U, ROOT)],),
    "add_node": (99,),
    "add_nodes_from": ([99],),
    "add_weighted_edges_from": ([(U, ROOT, 1)],),
    "clear": (),
    "clear_edges": (),
    "remove_edge": (U, V),
    "remove_edges_from": ([(U, V)],),
    "remove_node": (U,),
    "remove_nodes_from": ([U],),
    "update": ([(U, ROOT)],),
}
ATTRIBUTES = sorted(name for name in dir(nx.freeze(nx.DiGraph())) if not name.startswith("_"))


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_it_has_every_attribute_of_a_digraph(name: str) -> None:
    """Each gives what it gives of the copy, or is refused because the graph does not change."""
    graph = graph_of(5, EDGES)
    copy = nx.freeze(plain(graph))
    if name in CHANGES:
        before = plainly(copy)
        with pytest.raises(nx.NetworkXError, match="Frozen graph can't be modified"):
            getattr(graph, name)(*CHANGES[name])
        assert plainly(graph) == before
        return

    def ask(of: Any) -> Any:
        found = getattr(of, name)
        called = callable(found) and not isinstance(found, type) and "factory" not in name
        return found(*ARGUMENTS.get(name, ())) if called else found

    found = outcome(ask, graph)
    assert found == outcome(ask, copy)
    assert found != Raised(TypeError), "say with which arguments it is called"


def test_questions_about_every_node_and_edge() -> None:
    """Those that are asked most, answered from the columns, whatever they are asked about."""
    graph = graph_of(5, EDGES)
    copy = plain(graph)
    fast = graph_of(5, EDGES)
    asked = [*copy, 1, MISSING, UNKNOWN, -1, "f1", None]
    for u in asked:
        for ask in (
            lambda g, u=u: u in g,
            lambda g, u=u: g.has_node(u),
            lambda g, u=u: g[u],
            lambda g, u=u: g.neighbors(u),
            lambda g, u=u: g.successors(u),
            lambda g, u=u: g.predecessors(u),
        ):
            assert outcome(ask, fast) == outcome(ask, copy)
        for v in asked:
            for ask in (
                lambda g, u=u, v=v: g.has_edge(u, v),
                lambda g, u=u, v=v: g.get_edge_data(u, v, "none"),
            ):
                assert outcome(ask, fast) == outcome(ask, copy)
    assert list(fast) == list(copy)
    assert len(fast) == fast.order() == fast.number_of_nodes() == len(copy)
    assert fast.number_of_edges() == copy.number_of_edges() == 7
    assert str(fast) == "Graph with 7 nodes and 7 edges"
    assert "nx" not in vars(fast)


def test_it_is_an_instance_of_digraph() -> None:
    """Parts of networkx drop the edges of what is not: the layouts, for one."""
    graph = graph_of(3, [(1, 2)])
    assert isinstance(graph, nx.DiGraph)
    assert isinstance(graph, Graph)
    assert not isinstance(graph, nx.MultiDiGraph)
    assert "nx" not in vars(graph)


def test_a_changed_graph_is_a_graph() -> None:
    """attrs.evolve asks for the class, too, which says DiGraph here; and what networkx makes with
    it is networkx's."""
    graph = graph_of(3, [(1, 2)])
    roots = ((graph.symbols.lookup("f3"), "entry point"),)
    other = attrs.evolve(graph, roots=roots)
    assert type(other) is Graph
    assert (other.symbols, other.roots) == (graph.symbols, roots)
    assert nx.descendants(other, ROOT) == {graph.symbols.lookup("f3")}
    assert attrs.fields(graph.__class__) == attrs.fields(Graph)
    assert "nx" not in vars(graph)
    made = graph.__class__([(1, 2)], name="x")
    assert (type(made), made.name, list(made.edges)) == (nx.DiGraph, "x", [(1, 2)])


def test_it_has_no_other_attributes() -> None:
    """Whoever asks for what no graph has is told so, and the graph is not converted for that."""
    graph = graph_of(1, [])
    assert not hasattr(graph, "columns")
    assert not hasattr(graph, "__array__")
    with pytest.raises(AttributeError, match="neither Graph nor networkx.DiGraph has 'colour'"):
        graph.colour  # noqa: B018 - asking is the test
    assert "nx" not in vars(graph)


@pytest.mark.parametrize(
    "change",
    [
        lambda g: g.nodes[U].update(name="x"),
        lambda g: g.nodes[U].pop("name"),
        lambda g: g.nodes[U].clear(),
        lambda g: g.nodes[U].setdefault("x", 1),
        lambda g: g.nodes[U].popitem(),
        lambda g: g.edges[U, V].__setitem__("reason", "x"),
        lambda g: g.edges[U, V].__delitem__("reason"),
        lambda g: g.adj[U][V].__ior__({"reason": "x"}),
        lambda g: g.graph.update(x=1),
        lambda g: nx.set_node_attributes(g, 1, "x"),
        lambda g: nx.set_edge_attributes(g, 1, "x"),
        lambda g: nx.contracted_nodes(g, U, V, copy=False),
        lambda g: nx.relabel_nodes(g, {U: 99}, copy=False),
    ],
)
def test_what_is_known_of_nodes_and_edges_does_not_change(change: Callable[[Any], Any]) -> None:
    """networkx's own frozen graphs let their attributes be changed; a link's facts never do."""
    graph = graph_of(5, EDGES)
    before = plainly(graph)
    with pytest.raises(nx.NetworkXError, match="Frozen graph can't be modified"):
        change(graph)
    assert plainly(graph) == before


@pytest.mark.parametrize(
    "copied",
    [
        nx.DiGraph,
        nx.Graph,
        lambda g: g.copy(),
        lambda g: g.to_undirected(),
        lambda g: g.reverse(),
        lambda g: g.subgraph([U, V]).copy(),
    ],
)
def test_copies_can_be_changed(copied: Callable[[Any], Any]) -> None:
    graph = graph_of(5, EDGES)
    before = plainly(graph)
    copy = copied(graph)
    copy.nodes[U]["name"] = "x"
    copy.edges[next(iter(copy.edges))]["reason"] = "x"
    copy.add_edge(99, U)
    assert plainly(graph) == before
    assert not nx.is_frozen(copy)


# How each algorithm of the backend is called, with two nodes and a number.
CALLS: dict[str, Callable[[Any, Any, Any, int], Any]] = {
    "ancestors": lambda g, u, v, n: nx.ancestors(g, u),
    "bfs_layers": lambda g, u, v, n: [set(layer) for layer in nx.bfs_layers(g, u)],
    "bidirectional_shortest_path": lambda g, u, v, n: nx.bidirectional_shortest_path(g, u, v),
    "descendants": lambda g, u, v, n: nx.descendants(g, u),
    "has_path": lambda g, u, v, n: nx.has_path(g, u, v),
    "immediate_dominators": lambda g, u, v, n: nx.immediate_dominators(g, u),
    "shortest_path": lambda g, u, v, n: nx.shortest_path(g, u, v),
    "shortest_path_length": lambda g, u, v, n: nx.shortest_path_length(g, u, v),
    "single_source_shortest_path_length": lambda g, u, v, n: list(
        nx.single_source_shortest_path_length(g, u, cutoff=n or None).values()
    ),
}
NODES = st.integers(4, 10) | st.sampled_from([ROOT, 1, 11, UNKNOWN])  # f1 … f7, or something else


@pytest.mark.parametrize("name", NATIVE)
@given(
    edges=st.lists(st.tuples(st.integers(1, 7), st.integers(1, 7)), max_size=20),
    roots=st.lists(st.integers(1, 7), max_size=3),
    u=NODES,
    v=NODES,
    n=st.integers(0, 3),
)
def test_each_algorithm_of_the_backend_is_networkxs(
    name: str, edges: list[tuple[int, int]], roots: list[int], u: int, v: int, n: int
) -> None:
    """The same results and exceptions; and it ran on the columns: nothing was converted."""
    graph = graph_of(7, edges, roots)

    def call(of: Any) -> Any:
        return CALLS[name](of, u, v, n)

    found = outcome(call, graph)
    if not isinstance(found, Raised) or name != "bfs_layers":
        assert "nx" not in vars(graph)
    copy = plain(graph)
    expected = outcome(call, copy)
    if name == "immediate_dominators" and isinstance(expected, dict):
        expected.pop(u, None)  # networkx before 3.6 names the start too
    if name.endswith("shortest_path") and not isinstance(found, Raised):  # one of several
        assert (found[0], found[-1]) == (u, v)
        assert nx.is_path(copy, found)
        found, expected = len(found), len(expected)
    assert found == expected


ALGORITHMS: dict[str, Callable[[Any], Any]] = {
    "all_simple_paths": lambda g: nx.all_simple_paths(g, ROOT, 8),
    "attracting_components": nx.attracting_components,
    "betweenness_centrality": nx.betweenness_centrality,
    "bfs_tree": lambda g: nx.bfs_tree(g, ROOT),
    "condensation": nx.condensation,
    "closeness_centrality": nx.closeness_centrality,
    "core_number": nx.core_number,
    "dag_longest_path": nx.dag_longest_path,
    "degree_centrality": nx.degree_centrality,
    "density": nx.density,
    "dfs_edges": lambda g: nx.dfs_edges(g, ROOT),
    "dfs_tree": lambda g: nx.dfs_tree(g, ROOT),
    "dominance_frontiers": lambda g: nx.dominance_frontiers(g, ROOT),
    "find_cycle": nx.find_cycle,
    "is_directed_acyclic_graph": nx.is_directed_acyclic_graph,
    "is_weakly_connected": nx.is_weakly_connected,
    "isolates": nx.isolates,
    "lowest_common_ancestor": lambda g: nx.lowest_common_ancestor(g, U, V),
    "check_planarity": lambda g: nx.check_planarity(g)[0],
    "reverse_view": nx.reverse_view,
    "shortest_path_length from one": lambda g: nx.shortest_path_length(g, ROOT),
    "shortest_path to all": lambda g: nx.shortest_path(g, ROOT),
    "simple_cycles": nx.simple_cycles,
    "spring_layout": lambda g: {n: list(at) for n, at in nx.spring_layout(g, seed=1).items()},
    "strongly_connected_components": nx.strongly_connected_components,
    "subgraph_view": lambda g: nx.subgraph_view(g, filter_node=lambda node: node != U),
    "topological_sort": nx.topological_sort,
    "transitive_closure": nx.transitive_closure,
    "weakly_connected_components": nx.weakly_connected_components,
    "create_empty_copy": nx.create_empty_copy,
    "is_chordal": nx.is_chordal,
    "compose": lambda g: nx.compose(g, nx.DiGraph([(ROOT, 99)]), backend="networkx"),
    "compose_all": lambda g: nx.compose_all([g, g]),
    "relabel_nodes": lambda g: nx.relabel_nodes(g, dict(g.nodes(data="name"))),
    "is_isomorphic": lambda g: nx.is_isomorphic(g, g),
    "get_node_attributes": lambda g: nx.get_node_attributes(g, "name"),
}


@pytest.mark.parametrize("edges", [EDGES, [(1, 2), (1, 3), (2, 4), (3, 4)]], ids=["cycle", "dag"])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_other_algorithms_run_on_a_copy(name: str, edges: list[tuple[int, int]]) -> None:
    graph = graph_of(5, edges)
    found = outcome(ALGORITHMS[name], graph)
    assert found == outcome(ALGORITHMS[name], plain(graph))


@pytest.mark.parametrize(
    "write",
    [
        nx.write_adjlist,
        nx.write_edgelist,
        nx.write_gexf,
        nx.write_gml,
        nx.write_graphml,
        nx.write_multiline_adjlist,
        lambda g, file: nx.write_pajek(nx.relabel_nodes(nx.create_empty_copy(g, False), str), file),
        nx.write_weighted_edgelist,
        lambda g, file: file.write(repr(nx.node_link_data(g, edges="edges")).encode()),
        lambda g, file: file.write(repr(nx.adjacency_data(g)).encode()),
        lambda g, file: file.write(repr(nx.cytoscape_data(g)).encode()),
        lambda g, file: file.write(repr(nx.to_dict_of_dicts(g)).encode()),
        lambda g, file: file.write(nx.to_numpy_array(g).tobytes()),
        lambda g, file: file.write("\n".join(nx.generate_network_text(g)).encode()),
    ],
)
def test_it_is_written_in_all_formats(write: Callable[[Any, Any], Any]) -> None:
    graph = graph_of(5, EDGES)
    ours, theirs = io.BytesIO(), io.BytesIO()
    write(graph, ours)
    write(plain(graph), theirs)
    assert without_comments(ours.getvalue()) == without_comments(theirs.getvalue()) != []


def without_comments(written: bytes) -> list[bytes]:
    """Lines but for those that name the command line and the time."""
    return [line for line in written.splitlines() if not line.startswith(b"#")]


def test_graphs_are_made_by_links_only() -> None:
    with pytest.raises(NotImplementedError):
        BACKEND.convert_from_nx(nx.DiGraph())


def test_the_backend_says_what_it_has() -> None:
    """networkx lists it; and it is found through the entry point, as the others are."""
    native = {name for name, item in vars(Backend).items() if isinstance(item, staticmethod)}
    assert native - {"convert_to_nx", "convert_from_nx", "can_run"} == set(NATIVE) == set(CALLS)
    assert set(NATIVE) <= set(nx.utils.backends._registered_algorithms)
    assert nx.utils.backends.backend_info["linkpipe"] == backend_info()
    assert "linkpipe" in nx.utils.backends.backends
    with pytest.raises(AttributeError):
        BACKEND.no_such_algorithm  # noqa: B018 - asking is the test
