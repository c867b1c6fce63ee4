"""Show what the bytes of a program are: by package, symbol, section or kind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence

import attrs
import click

from linkpipe.cli._people import print_json, print_table
from linkpipe.cli._target import GO_FLAGS, YES, ask, asks, linked

_COLUMNS = ("size", "code", "data", "pclntab", "debug", "other")


@asks("size", GO_FLAGS)
@click.option(
    "--by",
    type=click.Choice(("package", "symbol", "section", "kind")),
    default="package",
    show_default=True,
    help="What to add up by.",
)
@click.option("--top", metavar="N", default=20, show_default=True, help="Rows; 0: all.")
def command(target: str, by: str, top: int, form: str) -> int:
    """Show what the bytes of a program are: code, data, line tables and debug information of each
    package, symbol, section or kind of content; in brackets what belongs to none. The sum is the
    size of the file, to the byte.

    TARGET is a package, as go build takes it, or @FILE, a file with the arguments of a link. It is
    linked into a temporary file.

    The exit status is 0, or 3 when the program cannot be built.

    \b
    Examples:
      linkpipe size ./cmd/prog
      linkpipe size --by kind ./cmd/prog -- -ldflags=-s
      linkpipe size --by symbol --top 0 --format json ./cmd/prog
    """
    from linkpipe.ask.size import size

    with tempfile.TemporaryDirectory(prefix="linkpipe-") as folder:
        link = linked(target, output=os.path.join(folder, "out"))
        found = size(link, by, top)
    if form == "json":
        print_json("linkpipe.size/1", attrs.asdict(found))
        return YES
    rows = [[str(getattr(row, column)) for column in _COLUMNS] + [row.name] for row in found.rows]
    sums = [str(sum(getattr(row, column) for row in found.rows)) for column in _COLUMNS]
    cells = [*rows, [*sums, "(the whole file)"]]
    numbers = (row[:-1] for row in cells)
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *numbers, strict=True)]
    right = [
        [*(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=False)), row[-1]]
        for row in cells
    ]
    titles = [f"{title:>{width}}" for title, width in zip(_COLUMNS, widths, strict=True)]
    print_table((*titles, by), right, fold=True)
    return YES


def main(argv: Sequence[str]) -> int:
    """``linkpipe size``."""
    return ask(command, argv)
