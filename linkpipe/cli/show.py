"""Show a table that was dumped: its rows as a table on the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import click

from linkpipe.cli._people import as_format, invoke, people, print_json, print_table
from linkpipe.compare.dumps import read
from linkpipe.engine.plugins import suggestion
from linkpipe.observe.tables import matches


@people("show")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--match", metavar="PATTERN", help="Only rows in which the pattern is found.")
@click.option("--columns", metavar="A,B,…", help="Only these columns.")
@click.option("--limit", default=50, show_default=True, help="At most so many rows; 0: all.")
@as_format
def command(file: str, match: str | None, columns: str | None, limit: int, form: str) -> None:
    """Show a table from a dump (FILE.jsonl, see `linkpipe link -dump`), whole: a file that holds
    what a pass changed is put together with those before it.

    The exit status is 0, or 2 when there is no such table, column or pattern.
    """
    table = read(file)
    try:
        pattern = re.compile(match) if match else None
    except re.error as e:
        raise click.ClickException(f"no regular expression as Python has them: {e}") from e
    found = [row for row in table.rows if pattern is None or matches(row, pattern)]
    shown = found[:limit] if limit else found
    known = list(dict.fromkeys(k for row in table.rows for k in row))
    wanted = columns.split(",") if columns else known
    for name in wanted:
        if name not in known:
            remedy = suggestion(name, known) or f"there are: {', '.join(known)}"
            raise click.ClickException(f'no column "{name}"\n\t{remedy}')
    if form == "json":
        rows = [{name: row[name] for name in wanted if name in row} for row in shown]
        told = {"fact": table.fact, "after": table.after, "total": len(table.rows)}
        print_json("linkpipe.rows/1", {**told, "found": len(found), "rows": rows})
        return
    click.echo(f"{table.fact} after {table.after}: {len(found)} of {len(table.rows)} rows")
    left_out = print_table(wanted, [[_cell(row.get(name)) for name in wanted] for row in shown])
    if len(shown) < len(found):
        click.echo(f"{len(found) - len(shown)} more: --limit 0 shows all")
    if left_out:
        click.echo(f"no room for {', '.join(left_out)}: --columns chooses")


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def main(argv: Sequence[str]) -> int:
    """``linkpipe show``."""
    return invoke(command, argv)
