"""Show what would leave a program without a symbol or a package."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import click

from linkpipe.cli._people import print_json, print_table
from linkpipe.cli._target import GO_FLAGS, NO, YES, ask, asks, linked


@asks("whatif", GO_FLAGS)
@click.option(
    "--cut",
    metavar="WHAT",
    multiple=True,
    required=True,
    help="A symbol, a package, a module or a pattern of symbols; may be given several times.",
)
@click.option("--top", metavar="N", default=20, show_default=True, help="Packages; 0: all.")
@click.option("--symbols", is_flag=True, help="List the symbols that leave, too.")
def command(target: str, cut: Sequence[str], top: int, symbols: bool, form: str) -> int:
    """Show what would leave a program if nothing referred to a symbol or a package: what it alone
    keeps, found by running the reachability analysis again without it.

    TARGET is a package, as go build takes it, or @FILE, a file with the arguments of a link. Sizes
    are of code and data; debug information and line tables are not counted.

    The exit status is 0 when something would leave, 1 when nothing would, 2 when nothing has that
    name, 3 when the program cannot be built.

    \b
    Examples:
      linkpipe whatif --cut net/http ./cmd/prog
      linkpipe whatif --cut text/template --cut html/template ./cmd/prog
    """
    from linkpipe.ask.whatif import whatif

    found = whatif(linked(target, "graph"), *cut)
    status = YES if found.symbols else NO
    if form == "json":
        print_json("linkpipe.whatif/1", attrs.asdict(found))
        return status
    if not found.symbols:
        click.echo("nothing would leave: it is not in the output")
        return status
    click.echo(f"{found.size} bytes in {found.symbols} symbols would leave ({found.own} cut)")
    shown = found.packages[: top or None]
    width = max(len("bytes"), *(len(str(each.size)) for each in shown))
    rows = [
        (f"{each.size:>{width}}", f"{each.symbols:>7}", each.package, "whole" if each.whole else "")
        for each in shown
    ]
    print_table((f"{'bytes':>{width}}", "symbols", "package", ""), rows, fold=True)
    if len(shown) < len(found.packages):
        click.echo(f"{len(found.packages) - len(shown)} more: --top 0 shows all")
    for name in found.names if symbols else ():
        click.echo(name)
    return status


def main(argv: Sequence[str]) -> int:
    """``linkpipe whatif``."""
    return ask(command, argv)
