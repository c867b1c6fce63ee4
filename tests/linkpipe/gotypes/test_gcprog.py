"""GC programs say what they were told, in the bytes that Go's writer would use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.gotypes.gcprog import ProgramWriter


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


@given(st.lists(st.integers(0, 400), max_size=30), st.integers(0, 5000))
def test_pointers_and_gaps(gaps: list[int], tail: int) -> None:
    writer, expected = ProgramWriter(), []
    for gap in gaps:
        expected += [0] * gap + [1]
        writer.pointer(len(expected) - 1)
    expected += [0] * tail
    writer.zero_until(len(expected))
    assert writer.index == len(expected)
    assert run(writer.finish()) == expected


@given(st.lists(st.tuples(st.lists(st.booleans(), min_size=1, max_size=150), st.integers(0, 300))))
def test_repetitions(parts: list[tuple[list[bool], int]]) -> None:
    writer, expected = ProgramWriter(), []
    for pattern, times in parts:
        for bit in pattern:
            expected.append(int(bit))
            if bit:
                writer.pointer(len(expected) - 1)
        writer.zero_until(len(expected))
        writer.repeat(len(pattern), times)
        expected += expected[-len(pattern) :] * times
    assert run(writer.finish()) == expected


def test_bytes_are_those_of_gos_writer() -> None:
    """Literal bits in runs of up to 127, long gaps as one zero repeated."""
    writer = ProgramWriter()
    writer.pointer(0)
    writer.pointer(2)
    assert writer.finish() == bytes([3, 0b101, 0])
    writer = ProgramWriter()
    writer.zero_until(32)
    assert writer.finish() == bytes([1, 0, 0x81, 31, 0])
    writer = ProgramWriter()
    for i in range(128):
        writer.pointer(i)
    assert writer.finish() == bytes([127, *[255] * 15, 127, 1, 1, 0])
    writer = ProgramWriter()
    writer.pointer(0)
    writer.zero_until(20)
    writer.repeat(200, 300)
    assert writer.finish()[-5:] == bytes([0xC8, 1, 0xAC, 2, 0])


def test_going_back_is_refused() -> None:
    writer = ProgramWriter()
    writer.pointer(5)
    with pytest.raises(ValueError, match="word 3 comes after word 6"):
        writer.pointer(3)
