"""Save a link in one file, which gives the same link anywhere, or list what such a file holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
import click

from linkpipe.cli._people import as_format, people, print_json
from linkpipe.cli._progress import progress
from linkpipe.cli._target import GO_FLAGS, YES, ask, begun, called

if TYPE_CHECKING:
    from linkpipe.engine.saved import Saved


@people("save")
@click.argument("target", metavar=f"TARGET {GO_FLAGS}")
@as_format
@click.option(
    "-o", "--output", metavar="FILE", default="", help="The file; NAME.saved if not given."
)
@click.option("--strip-paths", is_flag=True, help="Do not say where the inputs were.")
@click.option(
    "--list", "listing", is_flag=True, help="Save nothing; list what TARGET, a saved link, holds."
)
def command(target: str, output: str, strip_paths: bool, listing: bool, form: str) -> int:
    """Save a link in one file: the archives of all packages, flags, the variables that a link
    reads, and the plan. Every command takes the file as a TARGET, on any machine; and it is what a
    report of a bug needs. Nothing else is in it, and what is in it is listed.

    TARGET is a package, as go build takes it, @FILE, a file with the arguments of a link, @ for the
    arguments of a link that follow --, or a saved link. A link that fails prints the command that
    saves it. With --strip-paths the file does not say where archives were; what compilers and
    flags have written into archives stays: build with -trimpath, too.

    The exit status is 0; 2 when a file cannot be read; 3 when the program cannot be built.

    \b
    Examples:
      linkpipe save ./cmd/prog
      linkpipe save --strip-paths --output prog.saved ./cmd/prog -- -trimpath
      linkpipe save @ -- -importcfg importcfg -o prog main.a
      linkpipe save --list prog.saved
      linkpipe why prog.saved net/http
    """
    from linkpipe import api
    from linkpipe.engine import saved

    if listing:
        found = saved.read(target)
    else:
        output = output or f"{called(target)}.saved"
        with begun(target) as (what, flags), progress("go build"):
            found = api.save(what, output, flags=flags, strip_paths=strip_paths)
    if form == "json":
        print_json(
            "linkpipe.save/1", {"file": target if listing else output, **attrs.asdict(found)}
        )
    else:
        _print(target if listing else output, found)
    return YES


def _print(file: str, found: Saved) -> None:
    size = sum(each.size for each in found.files)
    click.echo(f"{file}: a link of {found.go}")
    click.echo(f"{len(found.files)} files, {size} bytes")
    if found.external:
        said = f" ({found.compiler_version})" if found.compiler_version else ""
        click.echo(f"finished by {' '.join(found.compiler)}{said}")
    for name, value in found.variables.items():
        click.echo(f"variable {name}={value}")
    for arg in found.args:
        click.echo(f"flag {arg}")
    for operand in found.operands:
        click.echo(f"package {operand}")
    click.echo(f"{len(found.plan)} passes")


def main(argv: Sequence[str]) -> int:
    """``linkpipe save``."""
    return ask(command, argv)
