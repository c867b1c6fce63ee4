"""Ragged kernels equal the slow versions in their docstrings."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from linkpipe.arrays.ragged import (
    expand,
    first_seen,
    offsets,
    owners,
    seen_places,
    slices,
    sorting,
    turns,
)

ranges = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 9)), max_size=30)


@given(ranges)
def test_expand_lists_the_members_of_every_range(rows: list[tuple[int, int]]) -> None:
    starts = np.array([s for s, _ in rows], np.int64)
    counts = np.array([n for _, n in rows], np.int64)
    slow = [x for s, n in rows for x in range(s, s + n)]
    assert expand(starts, counts).tolist() == slow
    assert owners(counts).tolist() == [i for i, (_, n) in enumerate(rows) for _ in range(n)]
    assert offsets(counts).tolist() == [sum(n for _, n in rows[:i]) for i in range(len(rows) + 1)]


@given(st.lists(st.integers(0, 20), max_size=40))
def test_first_seen_numbers_keys_in_order_of_appearance(keys: list[int]) -> None:
    new, place = seen_places(np.array(keys, np.int64), 21)
    assert first_seen(np.array(keys, np.int64), 21).tolist() == new.tolist()
    order = list(dict.fromkeys(keys))
    assert np.array(keys, np.int64)[new].tolist() == order
    assert place.tolist() == [order.index(k) if k in order else -1 for k in range(21)]


@given(
    st.lists(st.integers(0, 9) | st.integers(-(1 << 63), (1 << 63) - 1), max_size=40),
    st.integers(0, 62),
)
@example([1 << 62, 5], 0)
def test_sorting_keeps_equal_ones_in_their_order(keys: list[int], shift: int) -> None:
    """Also where keys leave no room for their places, or are below zero."""
    for some in (keys, [abs(key) >> shift for key in keys if key > -(1 << 63)]):
        slow = sorted(range(len(some)), key=some.__getitem__)
        assert sorting(np.array(some, np.int64)).tolist() == slow
        small = np.array([key % 100 for key in some], np.int32)
        assert sorting(small).tolist() == np.argsort(small, kind="stable").tolist()


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 8)), max_size=40))
def test_turns_part_what_overlaps_and_keep_its_order(rows: list[tuple[int, int]]) -> None:
    rows.sort(key=lambda row: row[0])
    found = turns(np.array([at for at, _ in rows]), np.array([at + size for at, size in rows]))
    slow, reach = list[int](), 0
    for begin, size in rows:
        slow.append(slow[-1] + 1 if slow and begin < reach else 0)
        reach = max(reach, begin + size)
    assert found.tolist() == slow


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20), st.binary(max_size=9)
)
def test_slices_are_pieces_of_the_text(rows: list[tuple[int, int]], some: bytes) -> None:
    """With zeros in them and without."""
    text = np.frombuffer(b"plain\1\2\3\4\5\6\7" + some + bytes(12), np.uint8)
    at, size = (np.array([row[i] for row in rows], np.int32) for i in (0, 1))
    assert slices(text, at, size) == [text[a : a + n].tobytes() for a, n in rows]
    assert slices(text, at + len(some) + 5, size) == [
        text[a : a + n].tobytes() for a, n in zip(at + len(some) + 5, size, strict=True)
    ]
