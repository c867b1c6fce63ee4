"""Show what switched the pruning of unused methods off, and what it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
import click

from linkpipe.cli._people import print_json, print_table
from linkpipe.cli._target import GO_FLAGS, NO, YES, ask, asks, linked, where

if TYPE_CHECKING:
    from linkpipe.ask.why_no_dce import Cause, Kept

_FOLD = 3
"""So many steps in a row are shown as one."""


@asks("why-no-dce", GO_FLAGS)
@click.option("--fail", is_flag=True, help="End with status 1 when there is a cause: a gate.")
@click.option(
    "--go",
    "releases",
    metavar="A,B",
    default="",
    help="Releases of Go side by side: their numbers, or folders of toolchains.",
)
def command(target: str, fail: bool, releases: str, form: str) -> int:
    """Show what switched the pruning of unused methods off, each cause with the chain of calls to
    it and its source line, and how much it keeps.

    The linker drops methods that nobody can call, until something may call any method: a function
    that looks methods up by a name or a number that is not known when linking (reflect.Method,
    MethodByName, the iterators over methods, text/template), or another module, loaded at run time
    (an import of plugin). Where your own code comes to it for the last time there is a >.

    TARGET is a package, as go build takes it, @FILE, a file with the arguments of a link, or a
    saved link.

    With --go the package is compiled and linked by each of several releases: of "1.25" that is
    go1.25.5 on PATH, or whichever patch release of it there is; a folder is a GOROOT.

    The exit status is 0; with --fail 1 when there is a cause; 3 when the program cannot be built.

    \b
    Examples:
      linkpipe why-no-dce ./cmd/prog
      linkpipe why-no-dce --fail ./cmd/prog -- -tags=netgo
      linkpipe why-no-dce --go 1.25,1.26 ./cmd/prog
    """
    from linkpipe.ask.why_no_dce import why_no_dce

    if releases:
        return _side_by_side(target, releases.split(","), fail, form)
    found = why_no_dce(linked(target, "graph"))
    if form == "json":
        print_json("linkpipe.why-no-dce/1", attrs.asdict(found))
    elif found.causes:
        many = "1 cause keeps" if len(found.causes) == 1 else f"{len(found.causes)} causes keep"
        click.echo(f"unused methods are not pruned: {many} {_amount(found.together)}")
        for number, cause in enumerate(found.causes, 1):
            click.echo()
            _print(number, cause, len(found.causes) > 1)
    else:
        click.echo("unused methods are pruned")
    return NO if fail and found.causes else YES


def _side_by_side(target: str, names: Sequence[str], fail: bool, form: str) -> int:
    from linkpipe.ask.why_no_dce import side_by_side, why_no_dce
    from linkpipe.engine.saved import is_saved
    from linkpipe.packages.gobuild import named_go

    if target.startswith("@") or is_saved(target):
        raise click.UsageError("--go is about a package: a link is of one release")
    commands = [named_go(name.strip()) for name in names if name.strip()]
    answers = {}
    for go in commands:
        link = linked(target, "graph", go=go)
        version = link.options.environment.version
        if version in answers:
            raise click.UsageError(f"{go} is {version}, and so is another")
        answers[version] = why_no_dce(link)
        del link  # one at a time in memory
    found = side_by_side(answers)
    if form == "json":
        print_json("linkpipe.why-no-dce-releases/1", attrs.asdict(found))
    else:
        rows = [
            [each.name, *("yes" if go in each.releases else "-" for go in answers)]
            for each in found.causes
        ]
        kept = [str(each.answer.together.size) for each in found.releases]
        print_table(("cause", *answers), [*rows, ["(bytes kept)", *kept]], fold=True)
    return NO if fail and found.causes else YES


def _print(number: int, cause: Cause, several: bool) -> None:
    if cause.kind == "reflection":
        calls = f"calls {cause.calls}" if cause.calls else "looks methods up"
        click.echo(f"{number}. {cause.name} {calls}")
    else:
        click.echo(f"{number}. {cause.name}: other modules may call any method")
    if cause.imports:
        click.echo(f"imported: {' -> '.join(cause.imports)}")
    if several:
        alone = _amount(cause.alone) if cause.alone.symbols else "nothing: others keep the same"
        click.echo(f"without it alone would go {alone}")
    rows = _rows(cause)
    if rows:
        print_table(("", "reason", "symbol", "where"), rows, fold=True)


def _rows(cause: Cause) -> list[tuple[str, str, str, str]]:
    """The chain, with steps inside the standard library folded, and the look-up at its end."""
    rows: list[tuple[str, str, str, str]] = []
    inside: list[tuple[str, str, str, str]] = []
    steps = cause.chain
    for number, each in enumerate(steps):
        mark = ">" if number == cause.own else ""
        row = (mark, each.kind, each.target, where(each.line, each.inlined, each.because))
        following = steps[number + 1] if number + 1 < len(steps) else None
        # A step from and to code that is not the user's.
        if number and following and following.standard and (each.standard or not each.package):
            inside.append(row)
            continue
        rows += _folded(inside)
        inside = []
        rows.append(row)
    rows += _folded(inside)
    if cause.kind == "reflection" and rows:
        mark = ">" if cause.own == len(steps) else ""
        rows.append((mark, "look-up", cause.calls, where(cause.line, cause.inlined)))
    return rows


def _folded(rows: list[tuple[str, str, str, str]]) -> list[tuple[str, str, str, str]]:
    if len(rows) < _FOLD:
        return rows
    return [("", f"{len(rows)} steps", "inside the standard library", "")]


def _amount(kept: Kept) -> str:
    return f"{kept.size} bytes in {kept.symbols} symbols, {kept.methods} methods among them"


def main(argv: Sequence[str]) -> int:
    """``linkpipe why-no-dce``."""
    return ask(command, argv)
