"""Show what the bytes of a program are, what would leave with each part, and what has grown."""

from __future__ import annotations

import csv
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs
import click

from linkpipe.cli._people import COUNT, print_json, print_numbers
from linkpipe.cli._progress import progress
from linkpipe.cli._target import GO_FLAGS, NO, YES, ask, asks, called, is_binary, linked
from linkpipe.values import evolve

if TYPE_CHECKING:
    from linkpipe.ask.growth import Growth
    from linkpipe.ask.size import Row, Size

_COLUMNS = ("size", "code", "data", "pclntab", "debug", "other")
_MARK = "<!-- linkpipe size -->"
"""The first line of a comment: who has written one before finds it by this, and writes it anew."""
_METAFILE = "esbuild-metafile"


def limit(text: str) -> tuple[float, bool]:
    """How much a file may grow, "5%" or a number of bytes: the number, and whether it is in
    hundredths."""
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        number = -1
    if not 0 <= number < 1e18:
        raise click.BadParameter(f"{text!r} is no limit: 5%, or a number of bytes")
    return number, text.endswith("%")


@asks("size", GO_FLAGS, target="TARGET|BINARY", formats=("markdown", "csv", _METAFILE))
@click.option(
    "--by",
    type=click.Choice(("package", "module", "symbol", "section", "kind")),
    default="package",
    show_default=True,
    help="What to add up by.",
)
@click.option("--top", metavar="N", type=COUNT, default=20, show_default=True, help="Rows; 0: all.")
@click.option("--tree", is_flag=True, help="Each below the one that every way to it comes by.")
@click.option("--exact", is_flag=True, help="What would leave exactly, for however many rows.")
@click.option("--against", metavar="OTHER", default="", help="What changed since OTHER, a TARGET.")
@click.option(
    "--fail-over",
    metavar="LIMIT",
    type=limit,
    help="With --against: status 1 when the file grew by more than 5%, or by so many bytes.",
)
def command(
    target: str,
    by: str,
    top: int,
    tree: bool,
    exact: bool,
    against: str,
    fail_over: tuple[float, bool] | None,
    form: str,
) -> int:
    """Show what the bytes of a program are: code, data, line tables and debug information of each
    package, module, symbol, section or kind of content; in brackets what belongs to none. The sum
    is the size of the file, to the byte. "retained" is the code and data that would leave with it.

    TARGET is a package, as go build takes it, @FILE, a file with the arguments of a link, or a
    saved link, which is linked into a temporary file; or a binary, of which nobody knows what would
    leave.

    Behind ≈ is the figure by dominators, which is never too large; without it reachability was run
    again, which is done for up to 25 rows, and with --exact for all.

    The exit status is 0; with --against 1 when there is a difference, or with --fail-over when it
    is too large; 2 when a file cannot be read; 3 when the program cannot be built.

    \b
    Examples:
      linkpipe size ./cmd/prog
      linkpipe size --tree --top 40 ./cmd/prog
      linkpipe size --by kind ./cmd/prog -- -ldflags=-s
      linkpipe size --against prog.old --fail-over 5% ./cmd/prog
      linkpipe size --format esbuild-metafile --output meta.json ./cmd/prog
    """
    if fail_over and not against:
        raise click.UsageError("--fail-over is about --against OTHER")
    if against:
        if tree or exact or form == _METAFILE:
            raise click.UsageError("--against has neither --tree, --exact nor that format")
        return _compare(target, against, by, top, fail_over, form)
    top = 0 if form == _METAFILE else top  # viewers show what there is
    found, imports = _measured(target, by, top, tree=tree, exact=exact or None)
    if form == "json":
        print_json("linkpipe.size/1", attrs.asdict(found))
    elif form == _METAFILE:
        _metafile(found, imports, called(target))
    elif form == "csv":
        columns = [*_COLUMNS, "retained", "exact", "parent", "name"]
        _csv(columns, [[getattr(row, name) for name in columns] for row in found.rows])
    else:
        _print(found, markdown=form == "markdown")
    return YES


def _measured(
    target: str,
    by: str,
    top: int = 0,
    *,
    tree: bool = False,
    exact: bool | None = None,
    alone: bool = False,
) -> tuple[Size, Mapping[str, Sequence[str]]]:
    """The sizes of a target, and which package imports which. ``alone``: read it as a binary."""
    from linkpipe.ask.size import size, size_of_file

    if is_binary(target):
        if tree or exact:
            raise click.UsageError("a binary does not tell what depends on what: link it")
        return size_of_file(target, by, top), {}
    with tempfile.TemporaryDirectory(prefix="linkpipe-") as folder:
        link = linked(target, output=os.path.join(folder, "out"))
        if alone:
            return size_of_file(link.output, by, top), {}
        items = link.packages.items
        imports = {each.path: [items[row].path for row in each.imports] for each in items}
        with progress("reachability without each") as bar:
            return size(link, by, top, tree=tree, exact=exact, progress=bar.told), imports


def _compare(
    target: str, other: str, by: str, top: int, limit: tuple[float, bool] | None, form: str
) -> int:
    from linkpipe.ask.growth import growth

    # A link knows more than a binary tells: both are asked in the same way.
    alone = is_binary(target) or is_binary(other)
    before = _measured(other, by, exact=False, alone=alone)[0]
    found = growth(before, _measured(target, by, exact=False, alone=alone)[0])
    over = False
    if limit:
        number, hundredths = limit
        over = found.difference > (found.before * number / 100 if hundredths else number)
    if form == "json":
        shown = evolve(found, changes=found.changes[: top or None])
        told = {"same": not found.changes, "over": over, "found": len(found.changes)}
        print_json("linkpipe.size-against/1", {**told, **attrs.asdict(shown)})
    elif form == "csv":
        columns = ("difference", "before", "after", "change", "name")
        rows = [[getattr(each, name) for name in columns] for each in found.changes[: top or None]]
        _csv(columns, rows)
    else:
        _print_growth(found, top, over, markdown=form == "markdown")
    return NO if over or (found.changes and not limit) else YES


def _print(found: Size, *, markdown: bool) -> None:
    retained = any(row.retained is not None for row in found.rows)
    titles = [*_COLUMNS, *(["retained"] if retained else []), found.by]
    rows = [
        [
            *(str(getattr(row, column)) for column in _COLUMNS),
            *([_retained(row)] if retained else []),
            "  " * row.depth + row.name,
        ]
        for row in found.rows
    ]
    sums = [str(sum(getattr(row, column) for row in found.rows)) for column in _COLUMNS]
    rows.append([*sums, *([""] if retained else []), "(the whole file)"])
    if markdown:
        click.echo(_MARK)
        _markdown(titles, rows)
    else:
        print_numbers(titles, rows, count=len(titles) - 1, fold=True)


def _retained(row: Row) -> str:
    if row.retained is None:
        return ""
    return f"{row.retained}" if row.exact else f"≈{row.retained}"


def _print_growth(found: Growth, top: int, over: bool, *, markdown: bool) -> None:
    if markdown:
        click.echo(_MARK)
    if not found.changes:
        click.echo(f"no difference: {found.after} bytes")
        return
    told = f"{found.difference:+d} bytes ({found.percent:+g}%)"
    click.echo(f"{found.before} -> {found.after} bytes: {told}{', over the limit' * over}")
    shown = found.changes[: top or None]
    titles = ("difference", "before", "after", "change", found.by)
    rows = [
        [f"{each.difference:+d}", str(each.before), str(each.after), each.change, each.name]
        for each in shown
    ]
    if markdown:
        click.echo()
        _markdown(titles, rows)
    else:
        print_numbers(titles, rows, count=3, fold=True)
    if len(shown) < len(found.changes):
        click.echo("\n" * markdown, nl=False)
        click.echo(f"{len(found.changes) - len(shown)} more: --top 0 shows all")


def _markdown(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    numbers = sum(
        title in (*_COLUMNS, "retained", "difference", "before", "after") for title in titles
    )
    click.echo(f"| {' | '.join(titles)} |")
    lines = ("---:" if at < numbers else "---" for at in range(len(titles)))
    click.echo(f"|{'|'.join(lines)}|")
    for row in rows:
        # Names are code; a bar would end the cell.
        *cells, name = row
        click.echo(f"| {' | '.join(cells)} | `{name.replace('|', chr(92) + '|')}` |")


def _csv(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)


def _metafile(found: Size, imports: Mapping[str, Sequence[str]], output: str) -> None:
    """What viewers of esbuild's metafiles read: inputs, here packages, and what each has in the
    output."""
    names = {row.name for row in found.rows}
    inputs = {
        row.name: {
            "bytes": row.size,
            "imports": [
                {"path": path, "kind": "import-statement"}
                for path in imports.get(row.name, ())
                if path in names
            ],
        }
        for row in found.rows
    }
    out = {
        "bytes": found.total,
        "inputs": {row.name: {"bytesInOutput": row.size} for row in found.rows},
        "imports": [],
        "exports": [],
        **({"entryPoint": "main"} if "main" in names else {}),
    }
    click.echo(json.dumps({"inputs": inputs, "outputs": {output: out}}, indent=1))


def main(argv: Sequence[str]) -> int:
    """``linkpipe size``."""
    return ask(command, argv)
