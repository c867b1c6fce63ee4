"""DWARF: numbers as the standard writes them, abbreviations as the compiler knows them."""

from __future__ import annotations

import re
from enum import IntEnum

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.formats.dwarf import (
    ABBREVS,
    At,
    Code,
    Encoding,
    Form,
    Tag,
    abbrev_section,
    put_leb,
    sleb,
    sleb_sizes,
    uleb,
    uleb_sizes,
)
from tests.conformance.toolchain import goroot

UNSIGNED = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 300), max_size=30)
SIGNED = st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-300, 300), max_size=30)


@pytest.mark.parametrize(
    ("value", "text"),
    [(2, "02"), (127, "7f"), (128, "80 01"), (129, "81 01"), (12857, "b9 64")],
)
def test_unsigned_numbers_of_the_standard(value: int, text: str) -> None:
    """Figure C.1 of DWARF 5."""
    assert uleb(value).hex(" ") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2, "02"),
        (-2, "7e"),
        (127, "ff 00"),
        (-127, "81 7f"),
        (128, "80 01"),
        (-128, "80 7f"),
        (129, "81 01"),
        (-129, "ff 7e"),
    ],
)
def test_signed_numbers_of_the_standard(value: int, text: str) -> None:
    """Figure C.2 of DWARF 5."""
    assert sleb(value).hex(" ") == text


@given(UNSIGNED)
def test_unsigned_numbers_by_the_array(values: list[int]) -> None:
    """All at once as one by one, above 2**63 too."""
    array = np.array(values, np.uint64)
    sizes = uleb_sizes(array)
    assert sizes.tolist() == [len(uleb(value)) for value in values]
    assert written(array, sizes) == b"".join(map(uleb, values))


@given(SIGNED)
def test_signed_numbers_by_the_array(values: list[int]) -> None:
    array = np.array(values, np.int64)
    sizes = sleb_sizes(array)
    assert sizes.tolist() == [len(sleb(value)) for value in values]
    assert written(array, sizes) == b"".join(map(sleb, values))


@given(st.lists(st.tuples(st.integers(0, 2**21 - 1), st.integers(3, 6)), max_size=20))
def test_numbers_filled_up(rows: list[tuple[int, int]]) -> None:
    """A number may take more bytes than it needs, and means the same."""
    values, sizes = (
        (np.array(column, np.int64) for column in zip(*rows, strict=True))
        if rows
        else (
            np.zeros(0, np.int64),
            np.zeros(0, np.int64),
        )
    )
    out, at = written(values, sizes), 0
    for value, size in rows:
        piece = out[at : at + size]
        assert all(byte & 0x80 for byte in piece[:-1])
        assert not piece[-1] & 0x80
        assert sum((byte & 0x7F) << 7 * i for i, byte in enumerate(piece)) == value
        at += size


def written(values: np.ndarray, sizes: np.ndarray) -> bytes:
    ends = np.cumsum(sizes)
    out = np.full(int(ends[-1]) if len(ends) else 0, 0xEE, np.uint8)
    put_leb(out, ends - sizes, values, sizes)
    return out.tobytes()


def constants(name: str) -> dict[str, int]:
    """DW_… constants of the toolchain's own list."""
    text = (goroot() / "src/cmd/internal/dwarf/dwarf_defs.go").read_text()
    found = re.findall(rf"^\tDW_{name}_(\w+)\s*=\s*(0x[0-9a-f]+|\d+)", text, re.MULTILINE)
    return {key.upper(): int(value, 0) for key, value in found}


@pytest.mark.parametrize(
    ("enum", "name"), [(Tag, "TAG"), (Form, "FORM"), (Encoding, "ATE"), (At, "AT")]
)
def test_constants_are_the_standards(enum: type[IntEnum], name: str) -> None:
    known = constants(name)
    missing = {member.name for member in enum} - set(known)
    assert all(member.startswith("GO_") for member in missing)
    for member in enum:
        if member.name in known:
            assert int(member) == known[member.name], member


def test_codes_are_the_compilers() -> None:
    """The numbers of abbreviations follow from their order in the toolchain's list."""
    text = (goroot() / "src/cmd/internal/dwarf/dwarf.go").read_text()
    block = text[text.index("DW_ABRV_NULL = iota") :].partition(")")[0]
    names = re.findall(r"^\s*DW_ABRV_(\w+)", block, re.MULTILINE)
    for code in Code:
        assert names[code] == code.name
    assert names[-1] == "PUTVAR_START"
    assert len(ABBREVS) == names.index("PUTVAR_START") - 1 + 14


def test_the_section_can_be_read_back() -> None:
    """By the rules of section 7.5.3: number, tag, children, pairs up to a pair of zeros."""
    data, at = abbrev_section(), 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    for code, abbrev in enumerate(ABBREVS, 1):
        assert (number(), number(), data[at]) == (code, abbrev.tag, abbrev.children)
        at += 1
        pairs = []
        while (pair := (number(), number())) != (0, 0):
            pairs.append(pair)
        assert pairs == list(abbrev.attributes)
    assert data[at:] == b"\0"
