"""kernels/spans.py, compiled and not, beside the loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels import forms

SOURCE = np.arange(256, dtype=np.uint8)


@forms("spans")
@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 120)), max_size=20),
    st.randoms(use_true_random=False),
)
def test_copy_spans_is_the_loop(spans: Any, pieces: list[tuple[int, int]], random: Any) -> None:
    """Pieces of a few bytes and of many, in any order; what is between them stays as it was."""
    sizes = np.array([n for n, _ in pieces], np.int64)
    source_at = np.array([a for _, a in pieces], np.int64)
    to_at = np.cumsum(sizes + 1) - sizes
    order = list(range(len(pieces)))
    random.shuffle(order)
    want, got = np.full((2, 3000), 7, np.uint8)
    for a, b, n in zip(to_at, source_at, sizes, strict=True):
        want[a : a + n] = SOURCE[b : b + n]
    spans.copy_spans(got, to_at[order], SOURCE, source_at[order], sizes[order])
    assert (got == want).all()


@forms("spans")
@pytest.mark.parametrize(
    ("to_at", "source_at", "size"),
    [(-1, 0, 2), (7, 0, 2), (0, -1, 2), (0, 255, 2), (0, 0, -1), (0, 0, 9), (2**62, 0, 2**62)],
)
def test_a_piece_outside_of_its_bytes_is_an_error(
    spans: Any, to_at: int, source_at: int, size: int
) -> None:
    """A lying table cannot make it read or write anywhere else; an empty piece lies anywhere."""
    image, one = np.zeros(8, np.uint8), np.array([4], np.int64)
    to, source = np.array([1, to_at]), np.array([1, source_at])
    with pytest.raises(IndexError, match="piece 1 "):
        spans.copy_spans(image, to, SOURCE, source, np.array([1, size]))
    spans.copy_spans(image, to, SOURCE, source, np.array([1, 0]))
    assert image.tolist() == [0, 1, 0, 0, 0, 0, 0, 0]
    with pytest.raises(ValueError, match="differ in length"):
        spans.copy_spans(image, one, SOURCE, one, np.zeros(2, np.int64))
