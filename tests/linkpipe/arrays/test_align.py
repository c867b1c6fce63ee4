"""Rounding up: numbers, arrays and bytes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.arrays.align import padded, round_up

ROWS = st.lists(st.tuples(st.integers(0, 2**40), st.sampled_from([1, 2, 8, 12, 4096])))


def slow(value: int, to: int) -> int:
    while value % to:
        value += 1
    return value


@given(ROWS)
def test_arrays_are_rounded_as_their_elements(rows: list[tuple[int, int]]) -> None:
    value = np.array([v for v, _ in rows], np.int64)
    to = np.array([t for _, t in rows], np.int64)
    assert round_up(value, to).tolist() == [slow(v, t) for v, t in rows]
    assert round_up(value, 16).tolist() == [slow(v, 16) for v, _ in rows]
    assert [round_up(v, t) for v, t in rows] == [slow(v, t) for v, t in rows]


def test_nothing_is_asked_for_by_zero() -> None:
    assert round_up(5, 0) == 5


def test_bytes_are_filled_with_zeros() -> None:
    assert [padded(b"abc", to) for to in (1, 4)] == [b"abc", b"abc\0"]
    assert padded(b"", 4) == b""
