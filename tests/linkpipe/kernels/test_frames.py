"""kernels/frames.py, compiled and not, beside a writer byte by byte."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels import forms
from tests.passes.slow_frames import Function, record_slowly

# A function: its stretches (bytes, depth of the stack), bytes behind the last, whether it has no
# caller. Depths below zero are those of damaged tables.
STRETCH = st.tuples(
    st.integers(1, 70) | st.integers(250, 260) | st.sampled_from([0xFFFF, 0x10000, 0x10001, 2**20]),
    st.integers(-9, 40) | st.sampled_from([64, 256, 4096, 2**31 - 1, -(2**31)]),
)
FUNCTION = st.tuples(st.lists(STRETCH, max_size=6), st.sampled_from([0, 0, 3]), st.booleans())


def columns(functions: list[Function]) -> tuple[np.ndarray[Any, Any], ...]:
    counts = np.array([len(stretches) for stretches, _, _ in functions], np.int64)
    ends = [
        np.cumsum([size for size, _ in stretches], dtype=np.int64) for stretches, *_ in functions
    ]
    end = np.concatenate([np.zeros(0, np.int64), *ends])
    sizes = np.array([size for stretches, *_ in functions for size, _ in stretches], np.int64)
    value = np.array([depth for stretches, *_ in functions for _, depth in stretches], np.int32)
    length = np.array([sum(s for s, _ in stretches) + rest for stretches, rest, _ in functions])
    top = np.array([is_top for *_, is_top in functions], np.uint8)
    return counts, end - sizes, end, value, length.astype(np.int64), top


@forms("frames")
@given(
    st.lists(FUNCTION, max_size=8),
    st.sampled_from([b"", b"\x1e", b"\x82\x01"]),
    st.sampled_from([4, 8]),
    st.booleans(),
)
def test_records_of_functions(
    frames: Any, functions: list[Function], register: bytes, ptrsize: int, big: bool
) -> None:
    below = 0 if register else ptrsize
    content, records = frames.encode(
        np.frombuffer(b"head", np.uint8),
        *columns(functions),
        np.frombuffer(register, np.uint8),
        ptrsize,
        below,
        big,
    )
    want, places = b"head", []
    for function in functions:
        places.append(len(want))
        want += record_slowly(function, register, ptrsize, below, big)
    assert content.tobytes() == want
    assert records.tolist() == places


@forms("frames")
@pytest.mark.parametrize("counts", [[2, 2], [1, 1], [-1, 4], [2**62, 2**62]])
def test_stretches_that_there_are_not(frames: Any, counts: list[int]) -> None:
    functions: list[Function] = [([(4, 8), (4, 8)], 0, False), ([(4, 8)], 0, False)]
    _, *rest = columns(functions)
    none = np.zeros(0, np.uint8)
    with pytest.raises(ValueError, match="stretches"):
        frames.encode(none, np.array(counts), *rest, none, 8, 8, False)


@forms("frames")
def test_columns_of_one_length(frames: Any) -> None:
    counts, start, end, value, length, top = columns([([(4, 8)], 0, False)])
    none = np.zeros(0, np.uint8)
    for wrong in (
        (counts, start[:0], end, value, length, top),
        (counts, start, end, value, length[:0], top),
    ):
        with pytest.raises(ValueError, match="differ in length"):
            frames.encode(none, *wrong, none, 8, 8, False)
