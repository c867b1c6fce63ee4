"""Find the edit of a pipeline that breaks a link, or what is linked."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
import click

from linkpipe.cli._people import print_json
from linkpipe.cli._target import GO_FLAGS, NO, YES, ask, asks, begun

if TYPE_CHECKING:
    from linkpipe.ask.bisect import Bisected, Edit


@asks("bisect", GO_FLAGS)
@click.option("--bad", metavar="FILE", required=True, help="The pipeline with which it breaks.")
@click.option(
    "--good", metavar="FILE", default="", help="One that it extends; the default one if not given."
)
@click.option(
    "--test",
    metavar="COMMAND",
    default="",
    help='What a shell runs, "$1" being the output: 0 it holds, 125 it says nothing. If not given, '
    "that there is an output.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=300.0,
    show_default=True,
    help="What a link, and a test, may take; what takes longer has failed.",
)
def command(target: str, bad: str, good: str, test: str, seconds: float, form: str) -> int:
    """Find the edit of a pipeline (an insert, a replacement, a removal) that breaks a link, or what
    is linked: the edits are halved, with at most log2(edits) + 2 links. If the edit is about a pass
    with the option `limit`, the number of symbols is found, too, from which on it breaks.

    TARGET is a package, as go build takes it, @FILE, a file with the arguments of a link, or a
    saved link. Where the test fails without any edit, and TARGET is a package, what `go tool link`
    writes is tried as well: if the test holds for that, the default pipeline is at fault.

    The exit status is 0 when an edit was found, 1 when none was, 2 when a pipeline cannot be read,
    3 when the program cannot be built.

    \b
    Examples:
      linkpipe bisect --bad acme.toml ./cmd/prog
      linkpipe bisect --bad acme.toml --test '"$1" --version' ./cmd/prog
      linkpipe bisect --good base.toml --bad acme.toml --test 'go tool nm "$1"' prog.saved
    """
    from linkpipe.ask.bisect import bisect
    from linkpipe.ask.trial import Trial

    with tempfile.TemporaryDirectory(prefix="linkpipe-bisect-") as folder:
        with begun(target) as (what, flags):
            trial = Trial.of(what, flags, folder, test, seconds)
        found = bisect(good, bad, trial)
        stock = trial.with_go_tool_link() if found.outcome == "fails" else None
    if form == "json":
        print_json("linkpipe.bisect/1", {**attrs.asdict(found), "go_tool_link_holds": stock})
    else:
        for line in _told(found, stock):
            click.echo(line)
    return YES if found.outcome == "found" else NO


def _told(found: Bisected, stock: bool | None) -> list[str]:
    count = f"{found.links} links for {len(found.edits)} edits"
    if found.outcome == "holds":
        return ["the test holds with all edits", count]
    if found.outcome == "fails":
        return ["the test fails without any edit, too", _STOCK[stock]]
    lines = [_edit(edit) for edit in found.culprits]
    if len(found.culprits) > 1:
        lines.insert(0, "one of these; no pipeline with only some of them can be planned:")
    else:
        before = found.edits.index(found.culprits[0])
        lines.append(
            f"the test holds with what stands before it ({before} edits), and fails with it"
        )
    if found.limit == 0:
        lines.append("it fails with limit = 0, too")
    elif found.limit is not None:
        held = found.limit - 1
        lines.append(f"with limit = {held} the test holds, with limit = {found.limit} it fails")
    return [*lines, count]


_STOCK = {
    True: "for what go tool link writes it holds: the pipeline that is to be good is at fault",
    False: "for what go tool link writes, too: the fault is in the program, or in the test",
    None: "whether it does for what go tool link writes can be told of a package only",
}


def _edit(edit: Edit) -> str:
    why = f" ({edit.why})" if edit.why else ""
    return f"{edit.file}:{edit.line}: [[{edit.kind}]] {edit.name}{why}"


def main(argv: Sequence[str]) -> int:
    """``linkpipe bisect``."""
    return ask(command, argv)
