"""Write a page about one link or two: sizes, reasons, passes, as pictures and tables."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import click
import numpy as np

from linkpipe.cli._people import people
from linkpipe.cli._target import GO_FLAGS, YES, ask, linked, to_file

if TYPE_CHECKING:
    from linkpipe.ask.report import Report


@people("report")
@click.argument("target")
@click.argument("other", default="", metavar=f"[OTHER] {GO_FLAGS}")
@to_file
@click.option(
    "--format",
    "form",
    type=click.Choice(("html", "json")),
    default="html",
    show_default=True,
    help="A page, or the data in it, for a program.",
)
def command(target: str, other: str, form: str) -> int:
    """Write a page about a program that is linked for it: where its bytes go, by module, package
    and symbol; what would leave with each; for any symbol the chain of reasons why it is there;
    what switched the pruning of unused methods off; the passes and what each cost. With OTHER two
    links stand side by side, with what changed from the first to the second.

    The page is one file that loads nothing, for any browser: with charts, and with tables that say
    the same for the keyboard and for screen readers.

    TARGET and OTHER are packages, as go build takes them, files with the arguments of a link
    (@FILE), or saved links; they are linked into temporary files.

    The exit status is 0, 2 when a file cannot be read or written; 3 when a program cannot be built.

    \b
    Examples:
      linkpipe report ./cmd/prog -o prog.html
      linkpipe report before.saved ./cmd/prog -o changes.html
      linkpipe report --format json ./cmd/prog -o prog.json -- -tags=netgo
    """
    from linkpipe.ask.report import changes
    from linkpipe.cli._page import page

    found = [_asked(each) for each in (target, other) if each]
    links = [_plain(each) for each in found]
    changed = _plain(changes(found[0], found[1])) if other else None
    if form == "json":
        # Columns of all symbols: without indentation.
        told = {"schema": "linkpipe.report/1", "links": links, "changes": changed}
        click.echo(json.dumps(told, ensure_ascii=False, separators=(",", ":")))
    else:
        click.echo(page(links, changed))
    return YES


def _asked(target: str) -> Report:
    from linkpipe.ask.report import Watch, report

    watch = Watch()
    with tempfile.TemporaryDirectory(prefix="linkpipe-") as folder:
        link = linked(target, output=os.path.join(folder, "out"), observers=[watch])
        return report(link, watch, name=target)


def _plain(value: Any) -> dict[str, Any]:
    """A value as JSON has it."""
    return attrs.asdict(value, value_serializer=_list)


def _list(owner: object, field: object, value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def main(argv: Sequence[str]) -> int:
    """``linkpipe report``."""
    return ask(command, argv)
