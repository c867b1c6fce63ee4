"""The difference between two dumped tables, row by row.

Within one link rows are told apart by what numbers them there (the header's ``key``, or else one
of ``id``, ``row`` …), between two links by name, for their numbers have nothing to do with each
other; columns that only number something are then left out. Where what tells rows apart repeats,
the order among the equal ones does.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs

from linkpipe.compare.dumps import Table
from linkpipe.errors import InputError

IN_LINK = (("id",), ("row",), ("name",), ("key",), ("field",), ("path",))
BY_NAME = (("name",), ("path",), ("key",), ("field",))
_NUMBERS = ("id", "row")

Rows = Iterable[Mapping[str, Any]]


@attrs.frozen
class Change:
    """One difference: ``kind`` is "added" (only after), "removed" (only before) or "changed" (with
    the columns that did: name -> (before, after))."""

    kind: str
    key: Any
    row: Mapping[str, Any]
    columns: Mapping[str, tuple[Any, Any]] = {}

    def line(self) -> str:
        """One line of text."""
        if self.kind == "changed":
            name = self.row.get("name", "")
            name = "" if name == self.key else name
            parts = ", ".join(f"{c}: {a!r} -> {b!r}" for c, (a, b) in self.columns.items())
            return f"~ {self.key} {name}{': ' if name else ''}{parts}"
        sign = {"added": "+", "removed": "-"}[self.kind]
        return f"{sign} {self.key} {json.dumps(dict(self.row), ensure_ascii=False)}"


def compare(before: Table, after: Table) -> Iterator[Change]:
    """What differs between two tables of one fact. Raises InputError for two facts."""
    if before.fact != after.fact:
        raise InputError(
            f"{before.file} is a table of `{before.fact}`, {after.file} one of `{after.fact}`",
            label="linkpipe",
            remedy="compare tables of the same fact",
        )
    if os.path.realpath(os.path.dirname(before.file)) == os.path.realpath(
        os.path.dirname(after.file)
    ):
        key = after.header.get("key")
        return diff(before.rows, after.rows, [(key,)] if key else IN_LINK)
    names = tuple(after.header.get("names") or ())
    numbers = {*_NUMBERS, *after.header.get("numbers", ())}
    keys = [names] if names else BY_NAME
    return diff(_without(before.rows, numbers), _without(after.rows, numbers), keys)


def diff(before: Rows, after: Rows, keys: Iterable[tuple[str, ...]] = IN_LINK) -> Iterator[Change]:
    """Changes in the order of ``after``, then what is gone. Rows are told apart by the first of
    ``keys`` whose columns they all have."""
    listed, others = list(before), list(after)
    names = next((k for k in keys if all(c in row for row in (*listed, *others) for c in k)), ())
    old, new = _keyed(listed, names), _keyed(others, names)
    for key, row in new.items():
        if key not in old:
            yield Change("added", _short(key), row)
            continue
        was = old[key]
        columns = {
            name: (was.get(name), row.get(name))
            for name in {**was, **row}
            if was.get(name) != row.get(name)
        }
        if columns:
            yield Change("changed", _short(key), row, columns)
    for key, row in old.items():
        if key not in new:
            yield Change("removed", _short(key), row)


def _keyed(rows: list[Mapping[str, Any]], names: tuple[str, ...]) -> dict[Any, Mapping[str, Any]]:
    """Rows by the values in some columns, and their place among the rows with the same ones."""
    seen: Counter[Any] = Counter()
    found = {}
    for row in rows:
        key = tuple(_hashable(row[name]) for name in names)
        found[*key, seen[key]] = row
        seen[key] += 1
    return found


def _hashable(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (list, dict)) else value


def _short(key: tuple[Any, ...]) -> Any:
    """A key as people read it: one value alone, and no place where it is the first."""
    *names, place = key
    told = [*names, place] if place or not names else names
    return told[0] if len(told) == 1 else " ".join(map(str, told))


def _without(rows: Rows, numbers: set[str]) -> list[dict[str, Any]]:
    return [{name: value for name, value in row.items() if name not in numbers} for row in rows]
