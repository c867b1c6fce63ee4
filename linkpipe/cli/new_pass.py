"""Begin a plugin: write a small project that works at once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from linkpipe.cli._people import invoke, people
from linkpipe.templates import copy


@people("new-pass")
@click.argument("name")
@click.option("--observer", "kind", flag_value="observer", help="An observer, not a pass.")
@click.option("--dump-format", "kind", flag_value="dump-format", help="A format of dumps.")
@click.option("--arch", "kind", flag_value="arch", help="An architecture.")
@click.option(
    "-o", "--output", metavar="FOLDER", default="", help="The folder; linkpipe-NAME if not given."
)
def command(name: str, kind: str | None, output: str) -> int:
    """Begin a plugin: write a small project that works at once, a pass if no other kind is asked
    for. NAME is what pipelines and flags will call it, such as acme.count.

    The project has its entry point, a pipeline where there is one to have, tests, and a README that
    says how to install, test and use it. The architecture is a whole one, to be changed
    into another; NAME is that of the project only, and its README says what GOARCH it offers.

    The exit status is 0; 2 when the name is none or is taken, or the folder is there already.

    \b
    Examples:
      linkpipe new-pass acme.count
      linkpipe new-pass --observer acme.sizes
      linkpipe new-pass --output plugins/ours --arch acme.arch
    """
    folder = Path(output or f"linkpipe-{name.replace('.', '-').replace('_', '-')}")
    files = copy(kind or "pass", name, folder)
    for file in files:
        click.echo(file)
    click.echo(f"{folder / 'README.md'} says how to install, test and use it")
    return 0


def main(argv: Sequence[str]) -> int:
    """``linkpipe new-pass``."""
    return invoke(command, argv)
