"""kernels/walk.py, compiled and not, beside the slow, obvious version."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels import forms


def columns(needs: list[list[int]]) -> tuple[Any, Any, Any, Any]:
    """The table of what each symbol needs, the last symbol's entry and rows first; symbols that
    need none have no entry: none at all, or one beyond the last."""
    having = [sym for sym, rows in enumerate(needs) if rows][::-1]
    entry = np.where(np.arange(len(needs)) % 2, 0, len(having) + 1).astype(np.int32)
    entry[having] = np.arange(1, len(having) + 1)
    count = np.array([0, *(len(needs[sym]) for sym in having)], np.int32)
    first = np.cumsum(count, dtype=np.int64) - count
    follow = np.array([target for sym in having for target in needs[sym]], np.int32)
    for column in (entry, first, count, follow):
        column.setflags(write=False)
    return entry, first, count, follow


@forms("walk")
@given(st.data())
def test_what_is_used_spreads_to_its_parts(walk: Any, data: Any) -> None:
    n = data.draw(st.integers(1, 9))
    some = st.lists(st.integers(0, n - 1), max_size=4)
    needs = data.draw(st.lists(some, min_size=n, max_size=n))
    entry, first, count, follow = columns(needs)
    rows = len(follow)
    others = st.lists(st.integers(0, n - 1), min_size=rows, max_size=rows)
    target = np.array(data.draw(others), np.int32)
    bits = st.lists(st.integers(0, 1), min_size=n, max_size=n)
    wanted, reached, used, done = (np.array(data.draw(bits), np.uint8) for _ in range(4))
    always = np.array(data.draw(st.lists(st.integers(0, 1), min_size=rows, max_size=rows)), "u1")
    among = data.draw(some)
    slow_used, slow_done, todo = used.tolist(), done.tolist(), list(among)
    while todo:
        s = todo.pop()
        if slow_used[s] and reached[s] and not slow_done[s]:
            slow_done[s] = 1
            of = entry[s] if entry[s] < len(first) else 0
            span = slice(first[of], first[of] + count[of])
            parts = np.where(always[span], target[span], follow[span]).tolist()
            parts = [part for part in parts if wanted[part]]
            for part in parts:
                slow_used[part] = 1
            todo += parts
    given_ = entry, first, count, follow, target, always, np.array(among, np.int64)
    walk.spread(*given_, wanted, reached, used, done)
    assert (used.tolist(), done.tolist()) == (slow_used, slow_done)


@forms("walk")
@pytest.mark.parametrize(
    ("first", "count", "target", "among"),
    [
        (0, 1, 3, 1),
        (0, 1, -1, 1),
        (0, 1, 0, 3),
        (0, 1, 0, -1),
        (0, 1, 0, 2**63 - 1),
        (1, 1, 0, 1),
        (-1, 1, 0, 1),
        (2**63 - 1, 1, 0, 1),
        (0, -1, 0, 1),
        (0, 2**31 - 1, 0, 1),
    ],
)
@pytest.mark.parametrize("always", [0, 1])
def test_parts_that_there_are_not(
    walk: Any, always: int, first: int, count: int, target: int, among: int
) -> None:
    table = np.array([0, 1, 0], "i4"), np.array([0, first]), np.array([0, count], "i4")
    bad, good = np.array([target], "i4"), np.zeros(1, "i4")
    parts = (good, bad) if always else (bad, good)
    ones = [np.ones(3, np.uint8) for _ in range(3)]
    given_ = *table, *parts, np.array([always], "u1"), np.array([among])
    with pytest.raises(IndexError, match="is not in a table of 3"):
        walk.spread(*given_, *ones, np.zeros(3, "u1"))


@forms("walk")
def test_columns_of_parts_of_other_lengths_are_errors(walk: Any) -> None:
    table, none = columns([[0], [1]]), np.zeros(0, np.int64)
    two, three = np.zeros(2, np.uint8), np.zeros(3, np.uint8)
    parts = np.zeros(2, np.int32)
    for marks in ((three, two, two, two), (two, three, two, two), (two, two, two, three)):
        with pytest.raises(ValueError, match="differ in length"):
            walk.spread(*table, parts, two, none, *marks)
    for target, always in ((parts[1:], two), (parts, three)):
        with pytest.raises(ValueError, match="differ in length"):
            walk.spread(*table, target, always, none, two, two, two, two)


@forms("walk")
@given(st.data())
def test_a_walk_in_preorder(walk: Any, data: Any) -> None:
    n = data.draw(st.integers(1, 9))
    some = st.lists(st.integers(0, n - 1), max_size=4)
    leads = data.draw(st.lists(some, min_size=n, max_size=n))
    same = data.draw(st.lists(st.integers(0, n - 1), min_size=n, max_size=n))
    visited = data.draw(st.lists(st.sampled_from([-1, -1, -1, 7]), min_size=n, max_size=n))
    ends = np.cumsum([0, *map(len, leads)])
    following = np.array([node for nodes in leads for node in nodes], np.int64)
    got = np.array(visited, np.int64)
    out: list[int] = []

    def visit(node: int) -> None:
        if visited[same[node]] == -1:
            visited[same[node]] = node
            out.append(node)
            for other in leads[node][::-1]:
                visit(other)

    for roots in (data.draw(some), data.draw(some)):
        out.clear()
        for root in roots:
            visit(root)
        given_ = np.array([*roots, -1], np.int64), ends, following, np.array(same, np.int64)
        assert walk.preorder(*given_, got).tolist() == out
        assert got.tolist() == visited


@forms("walk")
@pytest.mark.parametrize(
    ("root", "end", "following", "same"),
    [
        (2, 1, 1, 0),
        (-2, 1, 1, 0),
        (2**63 - 1, 1, 1, 0),
        (0, 2, 1, 0),
        (0, -1, 1, 0),
        (0, 2**63 - 1, 1, 0),
        (0, 1, 2, 0),
        (0, 1, -2, 0),
        (0, 1, 1, 2),
        (0, 1, 1, -1),
    ],
)
def test_nodes_that_there_are_not(
    walk: Any, root: int, end: int, following: int, same: int
) -> None:
    one = np.array([root]), np.array([0, end, 1]), np.array([following])
    with pytest.raises(IndexError, match="is not in a table of 2"):
        walk.preorder(*one, np.array([same, 1]), np.full(2, -1))


@forms("walk")
def test_columns_of_nodes_of_other_lengths_are_errors(walk: Any) -> None:
    none, two = np.zeros(0, np.int64), np.zeros(2, np.int64)
    for ends, visited in ((two, two), (np.zeros(3, np.int64), none)):
        with pytest.raises(ValueError, match="differ in length"):
            walk.preorder(none, ends, none, two, visited)
