"""kernels/dominators.py, compiled and not: what networkx says."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.arrays.types import I32, I64
from linkpipe.graphs.csr import Csr, build_csr
from tests.kernels import forms

Edges = list[tuple[int, int]]

GRAPHS = st.integers(1, 12).flatmap(
    lambda n: st.tuples(
        st.just(n),
        st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), max_size=40),
    )
)


def rows(n: int, edges: Edges) -> Csr:
    pairs = np.array(edges, np.int32).reshape(-1, 2)
    return build_csr(n, pairs[:, 0], pairs[:, 1], np.zeros(len(pairs), np.int32))


def run(kernel: Any, n: int, edges: Edges, root: int = 0) -> tuple[I32, I32]:
    forward, back = rows(n, edges), rows(n, [(v, u) for u, v in edges])
    found: tuple[I32, I32] = kernel.immediate(
        forward.starts, forward.targets, back.starts, back.targets, root
    )
    return found


def expected(n: int, edges: Edges, root: int) -> dict[int, int]:
    """networkx's answer, in which the root is its own dominator (newer versions say None)."""
    graph: Any = nx.DiGraph(edges)
    graph.add_nodes_from(range(n))
    return {**nx.immediate_dominators(graph, root), root: root}


@forms("dominators")
@given(GRAPHS, st.data())
def test_it_is_what_networkx_says(dominators: Any, graph: tuple[int, Edges], data: Any) -> None:
    n, edges = graph
    root = data.draw(st.integers(0, n - 1))
    dominator, order = run(dominators, n, edges, root)
    wanted = expected(n, edges, root)
    assert {node: int(dominator[node]) for node in order.tolist()} == wanted
    assert [node for node in range(n) if dominator[node] < 0] == sorted(set(range(n)) - set(wanted))
    place = {node: at for at, node in enumerate(order.tolist())}
    assert all(place[wanted[node]] < place[node] for node in wanted if node != root)


@forms("dominators")
@given(GRAPHS)
def test_sums_are_of_all_that_a_node_dominates(dominators: Any, graph: tuple[int, Edges]) -> None:
    """What a node dominates is what cannot be reached without it."""
    n, edges = graph
    values: I64 = np.arange(1, n + 1) ** 2
    dominator, order = run(dominators, n, edges)
    total = dominators.sums(dominator, order, values)
    whole: Any = nx.DiGraph(edges)
    whole.add_nodes_from(range(n))
    reached = {0, *nx.descendants(whole, 0)}
    for node in range(n):
        less = whole.copy()
        less.remove_node(node)
        left = {0, *nx.descendants(less, 0)} if node else set()
        gone = reached - left if node in reached else set()
        assert total[node] == sum(int(values[each]) for each in gone)


def test_a_long_chain_takes_no_recursion_and_no_square_of_time() -> None:
    """With edges back from each node, which make paths in the forest long."""
    from linkpipe.kernels import dominators

    n = 200_000
    edges = [(i, i + 1) for i in range(n - 1)] + [(i, i // 2) for i in range(1, n)]
    dominator, order = run(dominators, n, edges)
    assert dominator.tolist() == [0, *range(n - 1)]
    assert order.tolist() == list(range(n))


@forms("dominators")
def test_rows_that_do_not_fit(dominators: Any) -> None:
    good = rows(3, [(0, 1), (1, 2)])
    starts, targets = good.starts, good.targets
    wrong = [
        (starts[:2], targets),
        (starts, targets + 2),
        (starts, targets - 2),
        (starts[::-1].copy(), targets),
        (starts, targets[:1]),
    ]
    for first, second in wrong:
        with pytest.raises(IndexError):
            dominators.immediate(first, second, starts, targets, 0)
        with pytest.raises(IndexError):
            dominators.immediate(starts, targets, first, second, 0)
    for root in (-1, 3):
        with pytest.raises(IndexError):
            dominators.immediate(starts, targets, starts, targets, root)
    dominator, order = dominators.immediate(starts, targets, starts, targets, 0)
    with pytest.raises(IndexError):
        dominators.sums(dominator, order, np.zeros(2, np.int64))
    with pytest.raises(IndexError):
        dominators.sums(dominator, order + 3, np.zeros(3, np.int64))
