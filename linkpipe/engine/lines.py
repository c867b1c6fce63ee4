"""In which line of a TOML file a value stands, for messages.

tomllib tells values, not where they are. They are found by asking it again: a file that is cut
off behind a line can be read or not, so the first cut at which a value is there ends the statement
that sets it, and that statement begins behind the last readable cut before. The reader itself
decides what is a string, a comment or an array, and nothing is done until there is an error.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

# What closes an array that goes over several lines.
_CLOSERS = ("", "]", "]]")


def line_of(text: str, path: Sequence[str | int]) -> int:
    """The 1-based line in which the statement (or the element of an array) starts that sets the
    value at ``path``, such as ("pass", 2, "when"); the line of what it would be in when there is
    no such value, 0 when there is nothing of it. ``text`` can be read."""
    lines = text.split("\n")
    while path and not _has(_cut(lines, len(lines))[1], path):
        path = path[:-1]
    if not path:
        return 0
    absent, present = 0, len(lines)
    while present - absent > 1:
        middle = (absent + present) // 2
        if _has(_cut(lines, middle)[1], path):
            present = middle
        else:
            absent = middle
    return _cut(lines, absent)[0] + 1


def _cut(lines: Sequence[str], count: int) -> tuple[int, Mapping[str, Any]]:
    """The longest readable beginning of at most ``count`` lines: how many it has, and what is
    in it."""
    for length in range(count, 0, -1):
        text = "\n".join(lines[:length])
        for closer in _CLOSERS:
            try:
                return length, tomllib.loads(f"{text}\n{closer}")
            except tomllib.TOMLDecodeError:
                pass
    return 0, {}


def _has(value: Any, path: Sequence[str | int]) -> bool:
    for part in path:
        if isinstance(part, int):
            if not (isinstance(value, list) and part < len(value)):
                return False
        elif not (isinstance(value, dict) and part in value):
            return False
        value = value[part]
    return True
