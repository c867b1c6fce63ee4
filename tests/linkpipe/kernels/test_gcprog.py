"""kernels/gcprog.py, compiled and not, beside the slow writer; programs say what they were told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels import forms
from tests.passes.slow_gcprog import ProgramWriter

Step = tuple[int, int, int]
FAR = 1 << 62
NEAR = st.integers(0, 200)
WORDS = st.one_of(NEAR, st.integers(2**31 - 2, 2**32 + 2), st.integers(FAR - 2, 2**63 - 1))
STEPS = st.one_of(
    st.tuples(WORDS, st.just(0), st.just(-1)),
    st.tuples(WORDS, WORDS, WORDS),
    st.tuples(NEAR, st.just(0), st.just(-1)),
    st.tuples(NEAR, NEAR, NEAR),
)


def run(program: bytes) -> list[int]:
    """The bits that a program writes (runtime/mbitmap.go)."""
    bits: list[int] = []
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = program[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while True:
        code = program[at]
        at += 1
        if code == 0:
            assert at == len(program)
            return bits
        if code < 0x80:
            bits += [program[at + i // 8] >> i % 8 & 1 for i in range(code)]
            at += (code + 7) // 8
        else:
            words = code & 0x7F or varint()
            bits += bits[-words:] * varint()


def columns(values: list[tuple[int, list[Step]]], size: int) -> tuple[Any, ...]:
    """The arguments of the kernel: each value has a type of its own."""
    first = np.cumsum([0, *(len(steps) for _, steps in values)])
    rows = np.array([step for _, steps in values for step in steps], np.int64).reshape(-1, 3)
    words = np.array([word for word, _ in values], np.int64)
    return words, np.arange(len(values)), first, *np.ascontiguousarray(rows.T), size


def slow(values: list[tuple[int, list[Step]]], size: int) -> tuple[bytes, list[bool]]:
    """What the writer makes of them. Words end at FAR."""
    writer, wrong = ProgramWriter(), []
    for word, steps in values:
        try:
            for at, length, times in steps:
                if times < 0:
                    writer.pointer(min(word + at, FAR))
                else:
                    writer.zero_until(min(word + at, FAR))
                    writer.repeat(length, times)
                    writer.index = min(writer.index, FAR)
        except ValueError:
            wrong.append(True)
        else:
            wrong.append(False)
    writer.zero_until(max(size, writer.index))
    return writer.finish(), wrong


@forms("gcprog")
@given(st.lists(st.tuples(WORDS, st.lists(STEPS, max_size=5)), max_size=8), WORDS)
def test_programs_are_those_of_the_slow_writer(
    gcprog: Any, values: list[tuple[int, list[Step]]], size: int
) -> None:
    """Ordered or not: what lies before what is described already is told."""
    got, wrong = gcprog.program(*columns(values, size))
    assert (bytes(got), wrong.tolist()) == slow(values, size)
    ordered = [(at, sorted(steps)) for at, steps in sorted(values)]
    got, wrong = gcprog.program(*columns(ordered, size))
    assert (bytes(got), wrong.tolist()) == slow(ordered, size)


@forms("gcprog")
@given(st.lists(NEAR, max_size=300))
def test_bits_in_runs(gcprog: Any, gaps: list[int]) -> None:
    """Runs of any length, among them those that end where an instruction is full."""
    expected: list[int] = []
    for gap in gaps:
        expected += [0] * (gap % 40) + [1]
    pointers = np.flatnonzero(expected).tolist()
    values = [(at, [(0, 0, -1)]) for at in pointers]
    got, wrong = gcprog.program(*columns(values, len(expected)))
    assert not wrong.any()
    assert run(bytes(got)) == expected


@forms("gcprog")
def test_bytes_are_those_of_gos_writer(gcprog: Any) -> None:
    """Literal bits in runs of up to 127, long gaps as one zero repeated."""

    def program(steps: list[Step], size: int = 0) -> bytes:
        return bytes(gcprog.program(*columns([(0, steps)], size))[0])

    assert program([(0, 0, -1), (2, 0, -1)]) == bytes([3, 0b101, 0])
    assert program([], 32) == bytes([1, 0, 0x81, 31, 0])
    assert program([(i, 0, -1) for i in range(128)]) == bytes([127, *[255] * 15, 127, 1, 1, 0])
    repeated = program([(0, 0, -1), (20, 200, 300)])
    assert repeated[-5:] == bytes([0xC8, 1, 0xAC, 2, 0])


@forms("gcprog")
@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({0: [-1]}, ValueError),
        ({0: [0, 0]}, ValueError),
        ({1: [1]}, IndexError),
        ({1: [-1]}, IndexError),
        ({2: [0, 2]}, IndexError),
        ({2: [1, 0]}, IndexError),
        ({2: [-1, 1]}, IndexError),
        ({3: [-1]}, ValueError),
        ({4: [-1]}, ValueError),
        ({5: [1, 1]}, ValueError),
    ],
)
def test_columns_that_do_not_fit_are_refused(
    gcprog: Any, change: dict[int, list[int]], error: type[Exception]
) -> None:
    """Before anything is read outside of them."""
    right = list(columns([(0, [(1, 0, -1)])], 4))
    assert bytes(gcprog.program(*right)[0]) == bytes([4, 2, 0])
    for row, values in change.items():
        right[row] = np.array(values, np.int64)
    with pytest.raises(error):
        gcprog.program(*right)
