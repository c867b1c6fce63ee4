"""Go's sort, step for step: the order of equal elements has to be the oracle's."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.pdqsort import _Sorter, go_sort_slice

_CASES = [
    (0, 1, "random", "e3b0c44298fc1c14"),
    (12, 3, "random", "0979a903b024b3ca"),
    (13, 3, "random", "a9ba5c9436503d63"),
    (49, 5, "random", "a94286bc2a47ab69"),
    (50, 7, "random", "b1cd875425c3dd4d"),
    (200, 9, "random", "2f1116ec02e941bb"),
    (3000, 40, "random", "3b74faf47cc9655d"),
    (3000, 1500, "random", "05bdb1b80abaf941"),
    (1000, 1, "random", "550625f47dc1b7d1"),
    (1000, 200, "nearly sorted", "ec065a84c635b698"),
    (1000, 200, "descending", "92a458988604f71b"),
    (1000, 0, "up and down", "3978f2da5706d917"),
    (20000, 5000, "random", "2006cea261c73b74"),
]
"""Length, number of different keys, pattern, and the digest of what Go 1.27.3's sort.Slice made
of it (the first 8 bytes of the SHA-256 of the indices as little-endian uint32)."""


def keys_of(count: int, modulus: int, pattern: str) -> list[int]:
    """The keys of a case; the random ones are those of a linear congruential generator."""
    if pattern == "up and down":
        return [min(i, count - i) for i in range(count)]
    if pattern == "descending":
        return [(count - i) * modulus // count for i in range(count)]
    if pattern == "nearly sorted":
        keys = [i * modulus // count for i in range(count)]
        keys[count // 2], keys[3] = keys[3], keys[count // 2]
        return keys
    keys, x = [], count + 1
    for _ in range(count):
        x = (x * 6364136223846793005 + 1442695040888963407) % 2**64
        keys.append((x >> 33) % modulus)
    return keys


@pytest.mark.parametrize(("count", "modulus", "pattern", "digest"), _CASES)
def test_equal_elements_lie_where_go_leaves_them(
    count: int, modulus: int, pattern: str, digest: str
) -> None:
    """Digests recorded from Go itself: short and long input, all the sort's special cases."""
    order = np.array(go_sort_slice(keys_of(count, modulus, pattern)), "<u4")
    assert hashlib.sha256(order.tobytes()).hexdigest()[:16] == digest


@given(st.lists(st.integers(0, 40), max_size=300))
def test_it_sorts(keys: list[int]) -> None:
    """The result is a permutation, and in order."""
    order = go_sort_slice(keys)
    assert sorted(order) == list(range(len(keys)))
    assert [keys[i] for i in order] == sorted(keys)


@given(st.lists(st.integers(0, 20), max_size=100))
def test_its_fallback_sorts(keys: list[int]) -> None:
    """Input made to be slow ends in heap sort; that has to sort too."""
    sorter = _Sorter(keys)
    sorter.sort(0, len(keys), 0)
    assert sorted(sorter.data) == list(range(len(keys)))
    assert [keys[i] for i in sorter.data] == sorted(keys)
