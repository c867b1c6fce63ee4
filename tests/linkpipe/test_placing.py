"""Placing data in bulk does what the loops in the docstrings do."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.arches.amd64 import ARCH
from linkpipe.placing import alignments, place, round_up
from tests.tiny import with_arch

_ALIGNS = st.sampled_from([1, 2, 4, 8, 16, 32, 64])


@given(st.integers(0, 100), st.lists(st.tuples(st.integers(0, 50), _ALIGNS), max_size=40))
def test_place_is_the_loop(start: int, things: list[tuple[int, int]]) -> None:
    """Any mix of sizes and alignments, also things without size."""
    want, at = [], start
    for size, align in things:
        at += -at % align
        want.append(at)
        at += size
    sizes = np.array([size for size, _ in things], np.int64)
    aligns = np.array([align for _, align in things], np.int32)
    places, end = place(start, sizes, aligns)
    assert places.tolist() == want
    assert end == at


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, 2, 4, 8, 64, 4096]), st.integers(0, 2**40)), max_size=20
    ),
    st.sampled_from([1, 4]),
    st.sampled_from([8, 32]),
)
def test_alignment_is_the_rule(symbols: list[tuple[int, int]], least: int, most: int) -> None:
    """A stated alignment counts if it is not below the least; else the size decides."""
    want = []
    for align, size in symbols:
        if align:
            want.append(max(align, least))
            continue
        chosen = most
        while chosen > size and chosen > least:
            chosen >>= 1
        want.append(chosen)
    arch = with_arch(ARCH, min_align=least, max_align=most)
    stated = np.array([align for align, _ in symbols], np.int32)
    sizes = np.array([size for _, size in symbols], np.int64)
    assert alignments(stated, sizes, arch).tolist() == want


def test_round_up() -> None:
    """Zero is what a section without symbols is aligned to: it asks for nothing."""
    assert [round_up(n, 8) for n in (0, 1, 8, 9)] == [0, 8, 8, 16]
    assert round_up(5, 0) == 5
