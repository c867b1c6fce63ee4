"""Show a table that was dumped: its rows as a table on the terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import click

from linkpipe.cli._people import console, invoke
from linkpipe.observe.diff import read
from linkpipe.observe.tables import matches


@click.command("show")
@click.argument("file", type=click.Path(exists=True, dir_okay=False))
@click.option("--match", metavar="PATTERN", help="Only rows in which the pattern is found.")
@click.option("--columns", metavar="A,B,…", help="Only these columns.")
@click.option("--limit", default=50, show_default=True, help="At most so many rows; 0: all.")
def command(file: str, match: str | None, columns: str | None, limit: int) -> None:
    """Show a table from a dump (FILE.jsonl, see `linkpipe link -dump`)."""
    try:
        header, rows = read(file)
        pattern = re.compile(match) if match else None
    except (ValueError, re.error) as e:
        raise click.ClickException(str(e)) from e
    found = [row for row in rows if pattern is None or matches(row, pattern)]
    shown = found[:limit] if limit else found
    wanted = columns.split(",") if columns else list(dict.fromkeys(k for row in shown for k in row))
    click.echo(f"{header['fact']} after {header['after']}: {len(found)} of {len(rows)} rows")

    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(*wanted, box=box.SIMPLE_HEAD)
    for row in shown:
        table.add_row(*(Text(_cell(row.get(name))) for name in wanted))
    console().print(table)
    if len(shown) < len(found):
        click.echo(f"{len(found) - len(shown)} more: --limit 0 shows all")


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def main(argv: Sequence[str]) -> int:
    """``linkpipe show``."""
    return invoke(command, argv)
