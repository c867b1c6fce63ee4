"""Show whether a binary is what its source gives: build and link it again, and compare."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
import click

from linkpipe.cli._people import in_formats, people, print_error, print_json
from linkpipe.cli._progress import progress
from linkpipe.cli._target import FAILED, GO_FLAGS, NO, YES, ask, to_file
from linkpipe.errors import InputError, LinkpipeError

if TYPE_CHECKING:
    from linkpipe.ask.verify import Verify


@people("verify")
@click.argument("binary")
@click.argument("package", default="", metavar=f"[PACKAGE] {GO_FLAGS}")
@to_file
@in_formats()
@click.pass_obj
def command(flags: tuple[str, ...], binary: str, package: str, form: str) -> int:
    """Show whether a binary is what its source gives. It says how it was built; your own go command
    compiles the same again with the same settings, linkpipe links it, and the bytes have to be the
    same. Where they are not, the first symbol that differs is named, the input that it comes from,
    and the setting that most likely explains it.

    BINARY is a program that go build wrote. PACKAGE is what to build, seen from the current folder,
    if it is not the package that the binary names. What was built from a module that was downloaded
    is downloaded again, in the same version.

    The exit status is 0 when it is the same, 1 when it differs, 2 when the binary cannot be read or
    says too little, 3 when it cannot be built here.

    \b
    Examples:
      linkpipe verify ./prog
      linkpipe verify ~/go/bin/staticcheck
      linkpipe verify ./prog ./cmd/prog -- -ldflags="-s -w"
    """
    from linkpipe.ask.verify import verify

    try:
        with progress("go build, and a link"):
            found = verify(binary, package, flags or ())
    except InputError:
        raise
    except LinkpipeError as e:
        print_error("linkpipe verify", e, [f"--format={form}"])
        raise click.exceptions.Exit(FAILED) from e
    if form == "json":
        print_json("linkpipe.verify/1", attrs.asdict(found))
    else:
        _print(found)
    return YES if found.same else NO


def _print(found: Verify) -> None:
    what = f"{found.package} gives with {found.go_version}"
    if found.assumed:
        what += f" and -ldflags={shlex.quote(shlex.join(found.assumed))}, which it does not say"
    click.echo(f"{found.file} is {'' if found.same else 'not '}what {what}")
    place = found.difference
    if place:
        at = f"{place.symbol or place.section}+{place.offset:#x}"
        here = (
            f", where the binary has {place.found}" if place.found not in ("", place.symbol) else ""
        )
        click.echo(f"it first differs in {at} ({place.section}){here}")
        if place.relocation:
            click.echo(f"relocation: {place.relocation}")
        if place.input:
            click.echo(f"input: {place.input}, package {place.package}")
    for guess in found.guesses:
        click.echo(f"{'explained' if guess.proven else 'most likely'}: {guess.text}")
    for line in found.lines:
        click.echo(line)


def main(argv: Sequence[str]) -> int:
    """``linkpipe verify``."""
    return ask(command, argv)
