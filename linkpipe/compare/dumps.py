"""Dumped tables, read back: a file that continues another one is put together with it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

from linkpipe.errors import InputError
from linkpipe.values import Shown, record

PLAN = "00.plan.json"
_FILE = re.compile(r"\d\d+\.[\w.-]+\.jsonl")


@record
class Table(Shown):
    """A fact after a pass.

    Attributes:
        file: where it was read.
        header: as linkpipe.observe.dump describes it.
        rows: all of them, in the table's order.
    """

    file: str
    header: Mapping[str, Any]
    rows: list[dict[str, Any]]

    @property
    def fact(self) -> str:
        """The fact's name."""
        return str(self.header["fact"])

    @property
    def after(self) -> str:
        """The pass that left it so."""
        return str(self.header["after"])


def read(file: str) -> Table:
    """Read a table. Raises InputError for what is none, or continues one that is not there."""
    return _read(file, ())


def _read(file: str, parents: tuple[str, ...]) -> Table:
    header, rows = _lines(file)
    since = header.get("since")
    if since is None:
        return Table(file, header, rows)
    key, gone = header.get("key"), header.get("gone")
    if not isinstance(since, str) or not isinstance(key, str) or not isinstance(gone, list):
        raise _wrong(file, "its header does not say what it continues")
    before = os.path.join(os.path.dirname(file), since)
    if before in parents:
        raise _wrong(file, "it continues itself")
    if not os.path.exists(before):
        raise _wrong(file, f"it continues {since}, which is not there", "dump the link again")
    old = _read(before, (*parents, file))
    try:
        replaced = {*gone, *(row[key] for row in rows)}
        kept = [row for row in old.rows if row[key] not in replaced]
        return Table(file, header, sorted(kept + rows, key=lambda row: row[key]))
    except (KeyError, TypeError) as e:
        raise _wrong(file, f"rows without a {key}") from e


def _lines(file: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as f:
            header, *rows = map(json.loads, f)
        header = header["header"]
        if not all(isinstance(header[name], str) for name in ("fact", "after")):
            raise _wrong(file, "its header names no fact")
    except (ValueError, KeyError, TypeError, RecursionError) as e:
        raise _wrong(file, "it has no header, or a line that is no JSON") from e
    if not all(isinstance(row, dict) for row in rows):
        raise _wrong(file, "it has a line that is no row")
    return header, rows


def _wrong(file: str, why: str, remedy: str = "name a FILE.jsonl that -dump wrote") -> InputError:
    return InputError(
        f"{file} is not a table that linkpipe dumped: {why}",
        file=file,
        label="linkpipe",
        remedy=remedy,
    )


def links(folder: str) -> dict[str, str]:
    """The dumped links in a folder, name -> folder of each; "" is the folder itself. Raises
    InputError when there is none."""
    if os.path.exists(os.path.join(folder, PLAN)):
        return {"": folder}
    inside = {name: os.path.join(folder, name) for name in sorted(os.listdir(folder))}
    found = {n: path for n, path in inside.items() if os.path.exists(os.path.join(path, PLAN))}
    if not found:
        raise InputError(
            f"there is no dumped link in {folder}",
            file=folder,
            label="linkpipe",
            remedy=f"name a directory given to -dump, or a folder in it with a {PLAN}",
        )
    return found


def last_tables(folder: str) -> dict[str, str]:
    """Fact -> the file of its table after the last pass that changed it, in the passes' order."""
    found: dict[str, str] = {}
    for name in sorted(filter(_FILE.fullmatch, os.listdir(folder)), key=_number):
        header, _ = _head(os.path.join(folder, name))
        found[header] = os.path.join(folder, name)
    return found


def _number(name: str) -> tuple[int, str]:
    return int(name.partition(".")[0]), name


def _head(file: str) -> tuple[str, str]:
    """Fact and pass of a table, of which only the header is read."""
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as f:
            header = json.loads(f.readline())["header"]
        return str(header["fact"]), str(header["after"])
    except (ValueError, KeyError, TypeError, RecursionError) as e:
        raise _wrong(file, "it has no header") from e
