"""The difference between two dumped tables, row by row.

Rows are told apart by their key: the first of ``id``, ``row``, ``name``, ``key``, ``field`` that
they have. Where keys repeat or are missing, the place in the file is the key.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

KEYS = ("id", "row", "name", "key", "field")


@attrs.frozen
class Change:
    """One difference: ``kind`` is "+" (only after), "-" (only before) or "~" (changed, with the
    columns that did: name -> (before, after))."""

    kind: str
    key: Any
    row: Mapping[str, Any]
    columns: Mapping[str, tuple[Any, Any]] = {}

    def line(self) -> str:
        """One line of text."""
        if self.kind == "~":
            name = self.row.get("name", "")
            parts = ", ".join(f"{c}: {a!r} -> {b!r}" for c, (a, b) in self.columns.items())
            return f"~ {self.key} {name}{': ' if name else ''}{parts}"
        return f"{self.kind} {self.key} {json.dumps(dict(self.row), ensure_ascii=False)}"


def diff(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> Iterator[Change]:
    """Changes in the order of ``after``, then what is gone."""
    old, new = _keyed(before), _keyed(after)
    for key, row in new.items():
        if key not in old:
            yield Change("+", key, row)
            continue
        was = old[key]
        columns = {
            name: (was.get(name), row.get(name))
            for name in {**was, **row}
            if was.get(name) != row.get(name)
        }
        if columns:
            yield Change("~", key, row, columns)
    for key, row in old.items():
        if key not in new:
            yield Change("-", key, row)


def read(path: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Header and rows of a dumped table. Raises ValueError when it is none."""
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    if not lines or "header" not in lines[0]:
        raise ValueError(f"{path} is not a table that linkpipe dumped")
    return lines[0]["header"], lines[1:]


def _keyed(rows: Iterable[Mapping[str, Any]]) -> dict[Any, Mapping[str, Any]]:
    listed = list(rows)
    for key in KEYS:
        values = [row.get(key) for row in listed]
        if None not in values and len({json.dumps(value) for value in values}) == len(values):
            return dict(zip(values, listed, strict=True))
    return dict(enumerate(listed))
