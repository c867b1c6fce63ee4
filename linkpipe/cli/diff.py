"""Show what changed between two dumped tables, or two dumped links."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import click

from linkpipe.cli._people import as_format, invoke, people, print_json
from linkpipe.compare.diff import Change, compare
from linkpipe.compare.dumps import last_tables, links, read
from linkpipe.errors import InputError


@people("diff")
@click.argument("before", type=click.Path(exists=True))
@click.argument("after", type=click.Path(exists=True))
@click.option("--fact", "facts", metavar="NAME", multiple=True, help="Of links: only this fact.")
@click.option("--limit", default=0, help="At most so many lines of a table; 0: all.")
@as_format
def command(before: str, after: str, facts: tuple[str, ...], limit: int, form: str) -> int:
    """Show what changed between two dumped tables (FILE.jsonl), or between the tables of two
    dumped links (DIR), as their last passes left them.

    Rows of one link are told apart by number, those of two links by name. In a directory with
    several links each is compared with the one of its name in the other.

    The exit status is 0 when nothing changed and 1 when something did, as with diff(1), and 2 when
    one cannot be read or the two cannot be compared.
    """
    if os.path.isdir(before) != os.path.isdir(after):
        raise click.ClickException("a table and a directory: name two of one sort")
    pairs = _links(before, after, facts) if os.path.isdir(before) else iter([("", before, after)])
    told: list[dict[str, Any]] = []
    for title, old, new in pairs:
        changes = list(compare(read(old), read(new))) if old and new else []
        one = {"table": title, "before": old, "after": new, "changes": changes}
        if changes or not (old and new):
            told.append(one)
    if form == "json":
        print_json("linkpipe.diff/1", {"same": not told, "tables": [_plain(t) for t in told]})
    else:
        for one in told:
            _print(one, limit)
    return 1 if told else 0


def _links(before: str, after: str, facts: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """(title, file, file) for each fact of each link; "" where one has it not."""
    old, new = links(before), links(after)
    if len(old) == len(new) == 1:
        pairs = [("", *old.values(), *new.values())]
    else:
        if not old.keys() & new.keys():
            raise InputError(
                f"no link of {before} has the name of one of {after}",
                label="linkpipe",
                remedy=f"name one: {', '.join((*old.values(), *new.values()))}",
            )
        pairs = [(name, old.get(name, ""), new.get(name, "")) for name in {**old, **new}]
    for name, one, other in pairs:
        if not (one and other):
            yield name, one, other
            continue
        tables, others = last_tables(one), last_tables(other)
        for fact in {**tables, **others}:
            if not facts or fact in facts:
                title = f"{name}: {fact}" if name else fact
                yield title, tables.get(fact, ""), others.get(fact, "")


def _print(one: dict[str, Any], limit: int) -> None:
    title, changes = one["table"], one["changes"]
    if not (one["before"] and one["after"]):
        click.echo(f"{title}: only {'before' if one['before'] else 'after'}")
        return
    if title:
        click.echo(f"{title}:")
    kinds: Counter[str] = Counter()
    for change in changes:
        kinds[change.kind] += 1
        if not limit or kinds.total() <= limit:
            click.echo(change.line())
    click.echo(", ".join(f"{kinds[kind]} {kind}" for kind in ("added", "removed", "changed")))


def _plain(one: dict[str, Any]) -> dict[str, Any]:
    def change(c: Change) -> dict[str, Any]:
        columns = {name: {"before": a, "after": b} for name, (a, b) in c.columns.items()}
        return {"kind": c.kind, "key": c.key, "row": dict(c.row), "columns": columns}

    return {**one, "changes": [change(c) for c in one["changes"]]}


def main(argv: Sequence[str]) -> int:
    """``linkpipe diff``."""
    return invoke(command, argv)
