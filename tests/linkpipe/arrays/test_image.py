"""The bulk kernels do what the loops in their docstrings do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.arrays.image import get_words, put_words


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


def test_words_outside_of_the_image_are_refused() -> None:
    """A lying table cannot make a kernel write past the image."""
    image = np.zeros(8, np.uint8)
    with pytest.raises(IndexError):
        put_words(image, np.array([6]), np.array([1]), 4, "<")
