"""kernels/gosort.py, compiled and not: Go's sort leaves equal elements in a certain order, and so
do we."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels import forms

# Checksums of what sort.Slice of Go 1.27.3 makes of `keys` below: for each length, all numbers of
# distinct keys and all shapes, the permutations one after another as 16-bit words.
FROM_GO = {
    5: 0xB15CC800,
    12: 0xA0F69D9F,
    13: 0xEB4CF7AC,
    49: 0x80B05C5E,
    50: 0x16DA7843,
    51: 0x58F03D7C,
    100: 0xA37270C4,
    257: 0x703C760D,
    1000: 0x4FF2C1D4,
    5000: 0x9060B7E1,
}


def keys(n: int, distinct: int, shape: int) -> list[int]:
    """Random, ascending, descending, and ascending with some out of place."""
    out, x = [], n * 31 + distinct
    for i in range(n):
        x = (x * 1664525 + 1013904223) & 0xFFFFFFFF
        random, up, down = (x >> 8) % distinct, i * distinct // n, (n - i) * distinct // n
        out.append((random, up, down, random if x >> 28 == 0 else up)[shape])
    return out


@pytest.mark.parametrize("n", FROM_GO)
@forms("gosort")
def test_it_is_gos_sort(gosort: Any, n: int) -> None:
    crc = 0
    for distinct in (1, 2, 7, 100, 1000000):
        for shape in range(4):
            order = gosort.order(np.array(keys(n, distinct, shape), np.int64))
            crc = zlib.crc32(order.astype("<u2").tobytes(), crc)
    assert crc == FROM_GO[n]


@forms("gosort")
@given(st.lists(st.integers(0, 20) | st.integers(-(2**63), 2**63 - 1), max_size=300))
def test_it_sorts(gosort: Any, numbers: list[int]) -> None:
    check(numbers, gosort.order(np.array(numbers, np.int64)))


@forms("gosort")
@given(st.lists(st.integers(0, 20), max_size=100))
def test_it_sorts_when_every_pivot_was_bad(gosort: Any, numbers: list[int]) -> None:
    """The way out of quadratic time: a heap sort."""
    check(numbers, gosort.order(np.array(numbers, np.int64), 0))


def check(numbers: list[int], order: Any) -> None:
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(len(numbers)))
    assert [numbers[i] for i in order.tolist()] == sorted(numbers)


@forms("gosort")
@given(st.lists(st.lists(st.sampled_from([0, 1, 127, 128, 255]), max_size=4).map(bytes)))
def test_texts_are_ranked(gosort: Any, texts: list[bytes]) -> None:
    size = np.array([len(text) for text in texts], np.int64)
    at = np.cumsum(size) - size
    rank = {text: i for i, text in enumerate(sorted(set(texts)))}
    whole = np.frombuffer(b"".join(texts), np.uint8)
    assert gosort.ranks(whole, at, size).tolist() == [rank[text] for text in texts]


@forms("gosort")
@pytest.mark.parametrize(("at", "size"), [(-1, 1), (3, 1), (2, 2), (0, -1), (2**62, 2**62)])
def test_a_text_outside_of_its_bytes_is_an_error(gosort: Any, at: int, size: int) -> None:
    three, two = np.zeros(3, np.uint8), np.array([0, at])
    with pytest.raises(IndexError, match="text 1 does not lie"):
        gosort.ranks(three, two, np.array([3, size]))
    with pytest.raises(ValueError, match="differ in length"):
        gosort.ranks(three, two, np.array([1]))
