"""What each pass changed: in words, or as a log with one line for each field of each row.

``-print-changed`` tells of each pass in words, on standard error:

    addresses: symbols: value of 3022, section of 12 changed (runtime.text, …)
    addresses: sections set (21 rows)
    stackcheck: nothing

``-observe changes:format=json,file=FILE`` writes the log: lines of JSON (docs/schemas/changes.json)
in the one order in which passes ran, facts were set, and rows and columns stand in a table. Numbers
of symbols, sections and relocation types are written as names. A fact that is set for the first
time is one line: what is in it `-dump` writes. With ``match`` only rows are told of in whose symbol
(of a table without symbols: in any text) that regular expression is found.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import chain
from typing import IO, Any

import attrs
import numpy as np

from linkpipe.arrays.types import I64
from linkpipe.engine.context import Link
from linkpipe.engine.contract import changed
from linkpipe.engine.plan import Plan, Planned
from linkpipe.engine.runner import Observer
from linkpipe.errors import UserError, os_error
from linkpipe.observe import tables
from linkpipe.observe.dump import pattern
from linkpipe.observe.final import same
from linkpipe.observe.words import Names
from linkpipe.tables.listing import Listing
from linkpipe.values import Value, record

SCHEMA = "linkpipe.changes/1"
_SHOWN = 3


@attrs.frozen
class ChangesOptions:
    """Attributes:
    format: "text", or "json" for lines of JSON.
    file: the file to write; none for standard error.
    facts: only these; empty for all.
    match: a regular expression: only rows in whose symbol it is found; empty for all.
    """

    format: str = attrs.field(default="text", validator=attrs.validators.in_(("text", "json")))
    file: str = ""
    facts: tuple[str, ...] = ()
    match: str = attrs.field(default="", converter=pattern)


@record
class Change(Value):
    """A change of one field.

    Attributes:
        number: counts all changes of a link, from 1.
        by: the pass.
        fact: the name of the fact.
        kind: "set", a fact that there was not; "replaced", one that is told of as a whole, or has
            changed in what its rows do not show (the bytes of a symbol);
            "changed", a field of a row; "added" and "removed", a row.
        symbol: the symbol's name, "" in a table that is not about symbols.
        row: what tells the row from others beside that, as text; "" for a fact.
        field: the column; "" for a row or a fact.
        before, after: values (in short: an array is its type and shape); those of all fields of a
            row that was removed or added; null where there is none. Of a fact how many rows it has,
            null where it has none.
    """

    number: int
    by: str
    fact: str
    kind: str
    symbol: str = ""
    row: str = ""
    field: str = ""
    before: Any = None
    after: Any = None


class Changes(Observer):
    """Observer "changes"."""

    options = ChangesOptions

    def __init__(self, options: ChangesOptions) -> None:
        self.wanted = options
        self._match = re.compile(options.match) if options.match else None
        self._number = 0
        self._file: IO[str] | None = None

    @property
    def wants_link(self) -> bool:
        """A file tells of a link that was made, and of none that was not."""
        return not self.wanted.file

    def on_start(self, plan: Plan, link: Link) -> None:
        """Begin the file. It has to take what is written, or there is no link."""
        for fact in self.wanted.facts:
            if fact not in plan.providers:
                raise UserError(
                    f"changes: facts: no pass provides the fact {fact}",
                    status=2,
                    label="linkpipe",
                    remedy=f"there are: {', '.join(sorted(plan.providers))}",
                )
        if self.wanted.file:
            self._file = self._opened()

    def _opened(self) -> IO[str]:
        try:
            return open(self.wanted.file, "w", encoding="utf-8", errors="backslashreplace")
        except OSError as e:
            raise UserError(
                f"changes: {os_error(e)}", status=2, label="linkpipe", remedy="name another file"
            ) from e

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        """Tell what the pass changed."""
        found = self._changes(planned.name, before, after)
        lines: Iterable[str] = _words(planned.name, found)
        if self.wanted.format == "json":
            lines = (json.dumps({"schema": SCHEMA, **_plain(each)}) for each in found)
        file = self._file or sys.stderr
        with self._writing():
            for line in lines:
                file.write(f"{line}\n")
            file.flush()

    def on_error(self, planned: Planned, link: Link, error: BaseException) -> None:
        """End the file with what came before."""
        self.on_end(link)

    def on_end(self, link: Link) -> None:
        """End the file."""
        if self._file is not None:
            with self._writing():
                self._file.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as e:
            if self._file is not None:
                with suppress(OSError):  # what is left of it has no room either
                    self._file.close()
                self._file = None
            raise UserError(
                f"changes: cannot write to {self.wanted.file or 'standard error'}: {os_error(e)}",
                status=2,
                label="linkpipe",
                remedy="make room there, or name another file",
            ) from e

    def _changes(self, name: str, before: Link, after: Link) -> Iterator[Change]:
        for fact in changed(before, after):
            if self.wanted.facts and fact not in self.wanted.facts:
                continue
            for told in _of_fact(fact, before, after):
                if self._match is not None and not self._wanted(told):
                    continue
                self._number += 1
                yield Change(self._number, name, fact, **told)

    def _wanted(self, told: Mapping[str, Any]) -> bool:
        assert self._match is not None
        if told.get("symbol"):
            return self._match.search(told["symbol"]) is not None
        return tables.matches(tables.jsonable(dict(told)), self._match)


def _plain(change: Change) -> dict[str, Any]:
    return {f.name: tables.jsonable(getattr(change, f.name)) for f in attrs.fields(Change)}


def _of_fact(fact: str, before: Link, after: Link) -> Iterator[dict[str, Any]]:
    """The changes of a fact, in its order."""
    new = after.facts[fact]
    if fact not in before.facts:
        yield {"kind": "set", "after": _count(new)}
        return
    old = before.facts[fact]
    both = type(old) is type(new) and not hasattr(new, "subgraph_matching")
    found: Iterator[dict[str, Any]] = iter(())
    if both and callable(getattr(new, "listing", None)):
        found = _of_listing(old.listing(), new.listing(), Names(before), Names(after))
    elif both and not (isinstance(new, np.ndarray) and new.dtype == np.uint8):
        found = _of_rows(list(tables.rows(old)), list(tables.rows(new)))
    first = next(found, None)
    if first is not None:
        yield from chain((first,), found)
    elif not same(old, new):  # in what rows do not show
        yield {"kind": "replaced", "before": _count(old), "after": _count(new)}


def _count(value: Any) -> int | None:
    return len(value) if hasattr(value, "__len__") else None


def _of_listing(old: Listing, new: Listing, was: Names, now: Names) -> Iterator[dict[str, Any]]:
    """Where a key has as many rows as before they stand in the same order, and each is compared;
    others are removed and added."""
    top = 1 + max(int(table.columns[table.key].max(initial=-1)) for table in (old, new))
    count = [np.bincount(table.columns[table.key], minlength=top) for table in (old, new)]
    other = count[0] != count[1]
    parted = [other[table.columns[table.key]] for table in (old, new)]
    yield from _of_whole("removed", "before", old, np.flatnonzero(parted[0]), was)
    pairs = np.flatnonzero(~parted[0]), np.flatnonzero(~parted[1])
    fields = []
    for column, numbers in new.columns.items():
        differs = np.flatnonzero(old.columns[column][pairs[0]] != numbers[pairs[1]])
        if column in new.hidden or not len(differs):
            continue
        at = pairs[0][differs], pairs[1][differs]
        values = old.written(column, at[0], was), new.written(column, at[1], now)
        fields += list(zip(differs.tolist(), *values, [column] * len(differs), strict=True))
    fields.sort(key=lambda each: each[0])
    called = _called(new, pairs[1][np.array([each[0] for each in fields], np.int64)], now)
    for (symbol, row), (_, one, another, column) in zip(called, fields, strict=True):
        told = {"symbol": symbol, "row": row, "field": column}
        yield {"kind": "changed", **told, "before": one, "after": another}
    yield from _of_whole("added", "after", new, np.flatnonzero(parted[1]), now)


def _of_whole(
    kind: str, side: str, table: Listing, at: I64, names: Names
) -> Iterator[dict[str, Any]]:
    called, rows = _called(table, at, names), table.rows(at, names)
    for (symbol, row), values in zip(called, rows, strict=True):
        yield {"kind": kind, "symbol": symbol, "row": row, side: values}


def _called(table: Listing, at: I64, names: Names) -> list[tuple[str, str]]:
    """What tells rows from others: the symbol, and what else."""
    there = {*table.words, *table.columns}
    symbols = table.written("name", at, names) if "name" in there else [""] * len(at)
    others = [c for c in (table.key, *table.names) if c in there and c != "name"]
    told = [table.written(column, at, names) for column in others]
    rows = (
        " ".join(f"{column}={value}" for column, value in zip(others, values, strict=True))
        for values in zip(*told, strict=True)
    )
    return list(zip(map(str, symbols), rows, strict=True))


def _of_rows(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Of a table whose rows are known by their first column, or their place."""
    was, now = _known(old, new)
    for key, row in was.items():
        if key not in now:
            yield {"kind": "removed", "row": key, "before": row}
    for key, row in now.items():
        if key not in was:
            yield {"kind": "added", "row": key, "after": row}
            continue
        for field in dict.fromkeys((*was[key], *row)):
            values = was[key].get(field), row.get(field)
            one, another = map(tables.jsonable, values)
            if one != another or not same(*values):  # in short, two arrays look the same
                told = {"row": key, "field": field}
                yield {"kind": "changed", **told, "before": one, "after": another}


def _known(*sides: list[dict[str, Any]]) -> list[dict[str, dict[str, Any]]]:
    """Rows by what tells them from others, which is the same on both sides."""
    names = [[f"{next(iter(row.values()), '')}" for row in rows] for rows in sides]
    if any(len(set(some)) < len(some) for some in names):
        names = [list(map(str, range(len(rows)))) for rows in sides]
    return [dict(zip(some, rows, strict=True)) for some, rows in zip(names, sides, strict=True)]


def _words(name: str, found: Iterator[Change]) -> Iterator[str]:
    """A line for each fact."""
    facts: dict[str, list[Change]] = {}
    for change in found:
        facts.setdefault(change.fact, []).append(change)
    if not facts:
        yield f"{name}: nothing"
    for fact, changes in facts.items():
        first = changes[0]
        if first.kind == "set":
            rows = "" if first.after is None else f" ({first.after} rows)"
            yield f"{name}: {fact} set{rows}"
            continue
        if first.kind == "replaced":
            rows = "" if first.after is None else f" ({first.before} rows, now {first.after})"
            yield f"{name}: {fact} replaced{rows}"
            continue
        parts = []
        for kind in ("changed", "added", "removed"):
            some = [change for change in changes if change.kind == kind]
            if some:
                of = Counter(change.field for change in some)
                what = ", ".join(f"{field} of {n}" if field else f"{n}" for field, n in of.items())
                parts.append(f"{what} {kind} ({_some(some)})")
        yield f"{name}: {fact}: {'; '.join(parts)}"


def _some(changes: list[Change]) -> str:
    called = list(dict.fromkeys(change.symbol or change.row for change in changes))
    return ", ".join(called[:_SHOWN]) + (", …" if called[_SHOWN:] else "")
