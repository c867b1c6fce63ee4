"""Compare two linked files: where they part, in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from linkpipe.cli._people import as_format, invoke, people, print_json
from linkpipe.compare.files import differences


@people("compare")
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option(
    "--symbols",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="An unstripped twin of A: its symbols name places when A has none.",
)
@click.option("--limit", default=200, show_default=True, help="At most so many lines; 0: all.")
@click.option("--bytes", "exact", is_flag=True, help="Compressed debug sections byte by byte, too.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing; the status says it.")
@as_format
def command(
    a: Path, b: Path, symbols: Path | None, limit: int, exact: bool, quiet: bool, form: str
) -> int:
    """Compare two linked files: where they part, in words.

    A is the reference ("first"), B the other ("second"). Compressed debug sections are compared as
    they were before compression, for linkers do not compress to the same bytes.

    The exit status is 0 when they are the same, 1 when they differ, and 2 when one cannot be read
    or, where bytes differ, is no ELF file.
    """
    lines = list(differences(a, b, symbols, exact=exact))
    shown = [] if quiet else lines[:limit] if limit else lines
    if form == "json" and not quiet:
        found = {"same": not lines, "total": len(lines), "differences": shown}
        print_json("linkpipe.compare/1", found)
        return int(bool(lines))
    for line in shown:
        click.echo(line)
    if shown and len(shown) < len(lines):
        click.echo(f"and {len(lines) - len(shown)} lines more (--limit 0 shows all)")
    return int(bool(lines))


def main(argv: Sequence[str]) -> int:
    """``linkpipe compare``."""
    return invoke(command, argv)
