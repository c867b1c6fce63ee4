"""Show why a symbol, a package or a module is in the output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
import click

from linkpipe.cli._people import COUNT, print_json, print_table
from linkpipe.cli._target import GO_FLAGS, NO, YES, ask, asks, linked, where

if TYPE_CHECKING:
    from linkpipe.ask.reasons import Reason
    from linkpipe.ask.why import Why


@asks("why")
@click.argument("what", metavar=f"SYMBOL|PACKAGE|MODULE {GO_FLAGS}")
@click.option("--all", "every", is_flag=True, help="Every immediate reason too.")
@click.option("--after", metavar="PASS", default="", help="Ask after this pass.")
@click.option(
    "--limit",
    metavar="N",
    type=COUNT,
    default=10,
    show_default=True,
    help="Symbols of a pattern; 0: all.",
)
def command(target: str, what: str, every: bool, after: str, limit: int, form: str) -> int:
    """Show why a symbol, a package or a module is in the output: a shortest chain of reasons from
    where the program starts, each with the source line of what refers, where it has one.

    TARGET is a package, as go build takes it, @FILE, a file with the arguments of a link, or a
    saved link. In symbols' names * stands for any text and ? for one character. With --after those
    that the linker itself makes, up to that pass, have answers, too: which pass made them.

    The exit status is 0 when it is in the output, 1 when it is not, 2 when nothing has that name,
    3 when the program cannot be built.

    \b
    Examples:
      linkpipe why ./cmd/prog net/http
      linkpipe why --all ./cmd/prog 'os.(*File).Write'
      linkpipe why --format json . 'main.*' -- -tags=netgo
      linkpipe why --after findfunctab ./cmd/prog runtime.findfunctab
    """
    from linkpipe.ask.why import Makers, why

    made = Makers()
    link = linked(target, after or "graph", observers=[made] if after else ())
    found = why(link, what, every=every, makers=made.passes)
    shown = found[: limit or None]
    if form == "json":
        answers = [attrs.asdict(each) for each in shown]
        print_json("linkpipe.why/1", {"what": what, "found": len(found), "answers": answers})
    else:
        for number, each in enumerate(shown):
            click.echo("\n" * bool(number), nl=False)
            _print(each, every)
        if len(shown) < len(found):
            click.echo(f"\n{len(found) - len(shown)} more: --limit 0 shows all")
    return YES if any(each.reachable for each in found) else NO


def _print(answer: Why, every: bool) -> None:
    if answer.made_by:
        click.echo(f"the symbol {answer.name} is made by the linker ({answer.size} bytes)")
        click.echo(f"pass {answer.made_by}")
        return
    if not answer.reachable:
        click.echo(f"the {answer.kind} {answer.name} is not in the output: nothing needs it")
        return
    count = "" if answer.kind == "symbol" else f" in {answer.symbols} symbols"
    click.echo(f"the {answer.kind} {answer.name} is in the output ({answer.size} bytes{count})")
    if answer.imports:
        click.echo(f"imported: {' -> '.join(answer.imports)}")
    rows = [(each.kind, each.target, _where(each)) for each in answer.chain]
    print_table(("reason", "symbol", "where"), rows, fold=True)
    if every:
        click.echo("every immediate reason:")
        rows = [(each.kind, each.source or "(root)", _where(each)) for each in answer.reasons]
        print_table(("reason", "by", "where"), rows, fold=True)


def _where(reason: Reason) -> str:
    return where(reason.line, reason.inlined, reason.because)


def main(argv: Sequence[str]) -> int:
    """``linkpipe why``."""
    return ask(command, argv)
