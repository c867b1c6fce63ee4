"""GC programs: run, they give back the pointers that were written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.gcprog import ProgramWriter


def run(program: bytes) -> list[int]:
    """The bits that a program emits, by the rules of the format."""
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

    while code := program[at]:
        at += 1
        if code < 0x80:
            literal = int.from_bytes(program[at : at + (code + 7) // 8], "little")
            at += (code + 7) // 8
            bits += [literal >> i & 1 for i in range(code)]
        else:
            words = code & 0x7F or varint()
            times = varint()
            assert 0 < words <= len(bits)
            bits += bits[-words:] * times
    assert at + 1 == len(program)
    return bits


@given(st.lists(st.integers(0, 400), max_size=60))
def test_pointers_come_back(gaps: list[int]) -> None:
    """Any distances between pointers, short and long, are kept."""
    writer, want, word = ProgramWriter(), [], -1
    for gap in gaps:
        word += gap + 1
        writer.pointer(word)
        want += [0] * gap + [1]
    assert run(writer.finish()) == want


@given(st.integers(0, 3), st.lists(st.booleans(), min_size=1, max_size=300), st.integers(1, 500))
def test_repetitions_come_back(before: int, element: list[bool], times: int) -> None:
    """An element of any length, repeated, and what comes after it."""
    writer = ProgramWriter()
    writer.zero_until(before)
    for i, is_pointer in enumerate(element):
        if is_pointer:
            writer.pointer(before + i)
    writer.zero_until(before + len(element))
    writer.repeat(len(element), times)
    end = before + len(element) * (times + 1)
    assert writer.index == end
    writer.pointer(end)
    assert run(writer.finish()) == [0] * before + [int(p) for p in element] * (times + 1) + [1]


@pytest.mark.parametrize(
    ("words", "end", "program"),
    [
        ([], 0, "00"),
        ([0, 3], 5, "05 09 00"),
        ([0], 32, "20 01000000 00"),
        ([0], 33, "02 01 81 1f 00"),
        ([0], 200, "02 01 81 c601 00"),
        (list(range(128)), 128, "7f" + "ff" * 15 + "7f" + "01 01 00"),
    ],
)
def test_encoding(words: list[int], end: int, program: str) -> None:
    """The oracle's choices: 127 bits to an instruction, from 32 zeros on a repetition."""
    writer = ProgramWriter()
    for word in words:
        writer.pointer(word)
    writer.zero_until(end)
    assert writer.finish().hex() == program.replace(" ", "")


def test_going_back_is_refused() -> None:
    """Overlapping variables would shift all that follows."""
    writer = ProgramWriter()
    writer.pointer(4)
    with pytest.raises(ValueError, match="word 4"):
        writer.pointer(4)
