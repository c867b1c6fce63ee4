"""Whole numbers as Go reads them."""

from __future__ import annotations

import pytest

from linkpipe.formats.goint import number, parse_int

NUMBERS = [
    ("0", 0),
    ("007", 7),
    ("0o17", 15),
    ("0b11", 3),
    ("0x_f", 15),
    ("-0X10", -16),
    ("+1_0", 10),
    (str(2**63 - 1), 2**63 - 1),
    (str(-(2**63)), -(2**63)),
]


@pytest.mark.parametrize(("text", "value"), NUMBERS)
def test_numbers(text: str, value: int) -> None:
    assert parse_int(text) == number(text) == value


@pytest.mark.parametrize(
    "text", ["", "-", "08", "1__0", "_1", "1_", " 1", "1\n", "0x", "x", "\u0661"]
)
def test_what_is_no_number(text: str) -> None:
    """Python takes some of these."""
    assert number(text) == 0
    with pytest.raises(ValueError, match="parse error"):
        parse_int(text)


@pytest.mark.parametrize(
    ("text", "nearest"),
    [(str(2**63), 2**63 - 1), ("-0x8000000000000001", -(2**63)), ("9" * 5000, 2**63 - 1)],
)
def test_what_is_too_large(text: str, nearest: int) -> None:
    assert number(text) == nearest
    with pytest.raises(ValueError, match="value out of range"):
        parse_int(text)
