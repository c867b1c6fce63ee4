"""Tables as JSON lines: a header, then one object for each row.

A table offers ``rows()``, an iterator of dicts in a stable order; one that is large offers a
`linkpipe.tables.listing.Listing` instead, from which the dump chooses rows. Facts that are no
tables are written as what they are: arrays and sequences row by row, frozen values field by field.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import IO, Any

import attrs
import numpy as np

from linkpipe.observe.dump import Dumper

_DEPTH = 4


def rows(value: Any) -> Iterator[dict[str, Any]]:
    """The rows of any fact."""
    offered = getattr(value, "rows", None)
    if callable(offered):
        yield from offered()
    elif isinstance(value, np.ndarray) and value.dtype == np.uint8:
        # An image: its bytes belong into no text file.
        import hashlib

        yield {"bytes": value.size, "sha256": hashlib.sha256(value).hexdigest()}
    elif isinstance(value, (np.ndarray, list, tuple)):
        for row, item in enumerate(value.tolist() if isinstance(value, np.ndarray) else value):
            yield {"row": row, "value": item}
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield {"key": key, "value": item}
    elif attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield {"field": field.name, "value": getattr(value, field.name)}
    else:
        yield {"value": value}


def jsonable(value: Any, depth: int = _DEPTH) -> Any:
    """A value as JSON has it: bytes as text, enumerations by name, deep things in short."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{list(value.shape)}"
    if depth == 0:
        return f"<{type(value).__name__}>"
    if isinstance(value, Mapping):
        return {str(jsonable(key)): jsonable(item, depth - 1) for key, item in value.items()}
    if isinstance(value, (frozenset, set)):
        return sorted(jsonable(item, depth - 1) for item in value)
    if isinstance(value, Iterable) and isinstance(value, (list, tuple)):
        return [jsonable(item, depth - 1) for item in value]
    if attrs.has(type(value)):
        return {
            field.name: jsonable(getattr(value, field.name), depth - 1)
            for field in attrs.fields(type(value))
        }
    return f"<{type(value).__name__}>"


def matches(value: Any, match: re.Pattern[str]) -> bool:
    """Whether a pattern is found in any text of a row."""
    if isinstance(value, str):
        return match.search(value) is not None
    if isinstance(value, dict):
        return any(matches(item, match) for item in value.values())
    if isinstance(value, list):
        return any(matches(item, match) for item in value)
    return False


def write(value: Any, file: IO[str], header: dict[str, Any], match: re.Pattern[str] | None) -> None:
    """Write a fact as JSON lines."""
    file.write(json.dumps({"header": header}) + "\n")
    for row in rows(value):
        # Rows are plain values but for a few, and to look at each value of each would take longer
        # than all the rest.
        if match is None or matches(jsonable(row), match):
            file.write(json.dumps(row, ensure_ascii=False, default=jsonable) + "\n")


def _accepts(value: Any) -> bool:
    # Graphs have formats of their own; as rows they would be written twice.
    return not (hasattr(value, "subgraph_matching") or hasattr(value, "adj"))


JSONL = Dumper("jsonl", _accepts, write, rows=True)
