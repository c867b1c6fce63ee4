"""The bulk kernels do what the loops in their docstrings do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.arrays.image import copy_spans, get_words, put_words


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 40)), max_size=60), st.randoms())
def test_copy_spans_is_the_loop(pieces: list[tuple[int, int]], random: object) -> None:
    """Pieces of few and of many equal sizes, in any order, land where the loop puts them."""
    source = np.arange(256, dtype=np.uint8)
    sizes = np.array([n for n, _ in pieces], np.int64)
    source_at = np.array([a for _, a in pieces], np.int64)
    to_at = np.cumsum(sizes + 1) - sizes
    order = list(range(len(pieces)))
    random.shuffle(order)  # type: ignore[attr-defined]
    want, got = np.zeros(1000, np.uint8), np.zeros(1000, np.uint8)
    for a, b, n in zip(to_at, source_at, sizes, strict=True):
        want[a : a + n] = source[b : b + n]
    copy_spans(got, to_at[order], source, source_at[order], sizes[order])
    assert (got == want).all()


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40),
    st.sampled_from([1, 2, 4, 8]),
    st.sampled_from(["<", ">"]),
)
def test_put_words_is_the_loop(values: list[int], width: int, endian: str) -> None:
    """Low bytes of each value, in the byte order, at unaligned places; and back."""
    at = np.arange(len(values)) * (width + 1) + 1
    image = np.zeros(512, np.uint8)
    want = bytearray(512)
    order = "little" if endian == "<" else "big"
    for place, value in zip(at.tolist(), values, strict=True):
        low = value % (1 << (8 * width))
        want[place : place + width] = low.to_bytes(width, order)  # type: ignore[arg-type]
    put_words(image, at, np.array(values, np.int64), width, endian)
    assert image.tobytes() == bytes(want)
    assert get_words(image, at, width, endian).tolist() == [v % (1 << 8 * width) for v in values]


def test_pieces_outside_of_the_image_are_refused() -> None:
    """A lying table cannot make a kernel write past the image."""
    image, source = np.zeros(8, np.uint8), np.zeros(64, np.uint8)
    many = np.full(20, 6, np.int64)
    with pytest.raises(IndexError):
        copy_spans(image, many, source, np.zeros(20, np.int64), np.full(20, 4, np.int64))
    with pytest.raises(IndexError):
        put_words(image, np.array([6]), np.array([1]), 4, "<")
