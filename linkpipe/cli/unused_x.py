"""Show which -X definitions of a link have no effect, and why."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import click

from linkpipe.cli._people import print_json, print_table
from linkpipe.cli._target import GO_FLAGS, NO, YES, ask, asks, linked


@asks("unused-x", GO_FLAGS)
def command(target: str, form: str) -> int:
    """Show which -X definitions of a link have no effect: no such package or variable, no string,
    a variable that nothing needs, or one whose package sets it again when the program starts; and
    the names that are like the one that is not there.

    TARGET is a package, as go build takes it, @FILE, a file with the arguments of a link, or a
    saved link. Definitions are those of the link: of -ldflags.

    The exit status is 0 when all have an effect, 1 when one has none, 3 when the program cannot be
    built.

    \b
    Examples:
      linkpipe unused-x ./cmd/prog -- -ldflags=-X=main.version=1.2
      linkpipe unused-x --format json ./cmd/prog -- "-ldflags=-s -X main.version=1.2"
    """
    from linkpipe.ask.unused_x import unused_x

    found = unused_x(linked(target, "graph"))
    if form == "json":
        print_json("linkpipe.unused-x/1", attrs.asdict(found))
    elif found.unused:
        rows = [
            (each.name, each.why, f"did you mean {' or '.join(each.near)}?" if each.near else "")
            for each in found.unused
        ]
        print_table(("-X", "why it has no effect", ""), rows, fold=True)
    else:
        click.echo("every -X has an effect")
    return NO if found.unused else YES


def main(argv: Sequence[str]) -> int:
    """``linkpipe unused-x``."""
    return ask(command, argv)
