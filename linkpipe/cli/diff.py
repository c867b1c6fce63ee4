"""Show what changed between two dumped tables: two passes of a link, or two links."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click

from linkpipe.cli._people import invoke
from linkpipe.observe.diff import diff, read


@click.command("diff")
@click.argument("before", type=click.Path(exists=True, dir_okay=False))
@click.argument("after", type=click.Path(exists=True, dir_okay=False))
@click.option("--limit", default=0, help="At most so many lines; 0: all.")
def command(before: str, after: str, limit: int) -> int:
    """Show what changed between two dumped tables (FILE.jsonl).

    The exit status is 0 when nothing did and 1 when something did, as with diff(1).
    """
    try:
        (_, old), (_, new) = read(before), read(after)
    except ValueError as e:
        raise click.ClickException(str(e)) from e
    kinds: Counter[str] = Counter()
    for change in diff(old, new):
        kinds[change.kind] += 1
        if not limit or kinds.total() <= limit:
            click.echo(change.line())
    if kinds:
        click.echo(f"{kinds['+']} added, {kinds['-']} removed, {kinds['~']} changed")
    return 1 if kinds else 0


def main(argv: Sequence[str]) -> int:
    """``linkpipe diff``."""
    return invoke(command, argv)
