"""Whole numbers as Go reads them from text (strconv.ParseInt with base 0 and 64 bits)."""

from __future__ import annotations

import re

_INT = r"[+-]?(0[xX](_?[0-9a-fA-F])+|0[bB](_?[01])+|0[oO]?(_?[0-7])+|0|[1-9](_?[0-9])*)"
_MOST_DIGITS = 100


def parse_int(text: str) -> int:
    """The number. Raises ValueError for what is none, or has more than 64 bits."""
    value = _value(text)
    if value is None:
        raise ValueError("parse error")
    if not -(1 << 63) <= value < 1 << 63:
        raise ValueError("value out of range")
    return value


def number(text: str) -> int:
    """The number; 0 for what is none, the nearest for what has more than 64 bits (ld.go,
    atolwhex)."""
    return max(-(1 << 63), min(_value(text) or 0, (1 << 63) - 1))


def _value(text: str) -> int | None:
    if text.isascii() and text.isdecimal() and text[0] != "0" and len(text) <= _MOST_DIGITS:
        return int(text)  # most are: sizes in archives
    if not re.fullmatch(_INT, text):
        return None
    digits = text.replace("_", "")
    # Go reads a leading 0 as octal; Python wants 0o.
    sign, body = (digits[0], digits[1:]) if digits[0] in "+-" else ("", digits)
    if len(body.lstrip("0")) > _MOST_DIGITS:  # Python refuses thousands of them
        return -(1 << 64) if sign == "-" else 1 << 64
    return int(sign + (f"0o{body}" if re.fullmatch("0[0-7]+", body) else body), 0)
