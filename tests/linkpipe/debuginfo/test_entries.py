"""Entries: all of one shape at a time are what they are one by one."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.debuginfo.entries import Text, encode
from linkpipe.formats.dwarf import DWARF4, DWARF5, At, Code, DwarfForm, Form
from linkpipe.formats.leb128 import uleb
from linkpipe.reloctype import R_ADDR, R_ADDROFF, R_DWARFSECREF

SOURCE = np.frombuffer(bytes(range(1, 256)), np.uint8)
MADE = np.frombuffer(b"made by the linker", np.uint8)
USED = [0, *Code]
NUMBERS = sorted(
    {
        at
        for code in Code
        for at, form in DWARF5.abbrevs[code - 1].attributes
        if form is not Form.STRING
    }
)
STRINGS = sorted(
    {at for code in Code for at, form in DWARF5.abbrevs[code - 1].attributes if form is Form.STRING}
)
ByteOrder = Literal["little", "big"]

ENTRY = st.tuples(
    st.sampled_from(USED),
    st.lists(st.integers(0, 200), min_size=len(NUMBERS), max_size=len(NUMBERS)),
    st.lists(
        st.tuples(st.integers(-len(MADE), 200), st.integers(0, 9)),
        min_size=len(STRINGS),
        max_size=len(STRINGS),
    ),
)


def slowly(
    entries: list[Any], dwarf: DwarfForm, ptrsize: int, order: ByteOrder
) -> tuple[bytes, list[Any], list[int]]:
    """One entry after the other, one attribute after the other."""
    out, references, starts = bytearray(), [], []
    for code, numbers, strings in entries:
        starts.append(len(out))
        out.append(code)
        for at, form in dwarf.abbrevs[code - 1].attributes if code else ():
            if form is Form.STRING:
                start, size = strings[STRINGS.index(at)]
                source = SOURCE if start >= 0 else MADE
                begin = start if start >= 0 else -1 - start
                out += source[begin : begin + size].tobytes() + b"\0"
                continue
            value = numbers[NUMBERS.index(at)]
            if form in (Form.REF_ADDR, Form.SEC_OFFSET):
                references.append((len(out), 4, R_DWARFSECREF, value))
                out += bytes(4)
            elif form is Form.ADDR:
                kind = R_ADDROFF if at is At.GO_RUNTIME_TYPE else R_ADDR
                if value:
                    references.append((len(out), ptrsize, kind, value))
                out += bytes(ptrsize)
            elif form is Form.UDATA:
                out += uleb(value % 2**64)
            else:
                out += value.to_bytes(4 if form is Form.DATA4 else 1, order)
    return bytes(out), references, [*starts, len(out)]


@pytest.mark.parametrize(("ptrsize", "order"), [(4, "little"), (8, "big"), (8, "little")])
@pytest.mark.parametrize("dwarf", [DWARF4, DWARF5], ids=["4", "5"])
@given(st.lists(ENTRY, max_size=12))
def test_equal_to_the_loop(
    dwarf: DwarfForm, ptrsize: int, order: ByteOrder, entries: list[Any]
) -> None:
    """Bytes, where each entry starts, and what refers to symbols, in order."""
    # Strings lie inside of their source.
    entries = [
        (code, numbers, [(at, min(size, len(MADE) + at) if at < 0 else size) for at, size in s])
        for code, numbers, s in entries
    ]
    entries = [
        (c, n, [(at, size if at >= 0 else min(size, len(MADE) - (-1 - at))) for at, size in s])
        for c, n, s in entries
    ]
    codes = np.array([code for code, _, _ in entries], np.int64)
    columns: dict[At, Any] = {
        at: np.array([numbers[i] for _, numbers, _ in entries], np.int64)
        for i, at in enumerate(NUMBERS)
    }
    for i, at in enumerate(STRINGS):
        start = np.array([strings[i][0] for _, _, strings in entries], np.int64)
        size = np.array([strings[i][1] for _, _, strings in entries], np.int64)
        columns[at] = Text(SOURCE, start, size, MADE)
    found = encode(codes, columns, dwarf.abbrevs, ptrsize, "<" if order == "little" else ">")
    content, references, starts = slowly(entries, dwarf, ptrsize, order)
    assert found.content.tobytes() == content
    assert found.starts.tolist() == starts
    rows = zip(
        *(c.tolist() for c in (found.place, found.size, found.type, found.target)), strict=True
    )
    assert list(rows) == references


def test_a_column_of_the_wrong_kind_is_refused() -> None:
    codes = np.array([Code.NULLTYPE])
    with pytest.raises(TypeError, match="NAME is text"):
        encode(codes, {At.NAME: codes}, DWARF5.abbrevs, 8, "<")


def test_numbers_below_zero_are_written_as_64_bits() -> None:
    """As the oracle writes the offset of a field that it has cut to 32 bits."""
    values = np.array([-(2**31), 2**31 - 1])
    none = np.zeros(2, np.int64)
    name = Text(SOURCE, none, none, MADE)
    columns: dict[At, Any] = {At.NAME: name, At.DATA_MEMBER_LOCATION: values}
    found = encode(np.full(2, Code.STRUCTFIELD), columns, DWARF5.abbrevs, 8, "<")
    want = [bytes((Code.STRUCTFIELD, 0)) + uleb(v % 2**64) + bytes(5) for v in values.tolist()]
    assert found.content.tobytes() == b"".join(want)
