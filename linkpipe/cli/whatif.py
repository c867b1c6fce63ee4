"""Show what would leave a program without a symbol or a package."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import click

from linkpipe.cli._people import COUNT, print_json, print_numbers, print_table
from linkpipe.cli._progress import progress
from linkpipe.cli._target import GO_FLAGS, NO, YES, ask, asks, linked


@asks("whatif", GO_FLAGS)
@click.option(
    "--cut",
    metavar="WHAT",
    multiple=True,
    help="A symbol, a package, a module, a pattern of symbols, or an edge, 'A -> B'; may be given "
    "several times.",
)
@click.option("--rank", metavar="A,B,C", default="", help="Each of these alone, and pairs of them.")
@click.option(
    "--top", metavar="N", type=COUNT, default=20, show_default=True, help="Packages; 0: all."
)
@click.option("--symbols", is_flag=True, help="List the symbols that leave, too.")
def command(target: str, cut: Sequence[str], rank: str, top: int, symbols: bool, form: str) -> int:
    """Show what would leave a program if nothing referred to a symbol or a package: what it alone
    keeps, found by running the reachability analysis again without it.

    TARGET is a package, as go build takes it, @FILE, a file with the arguments of a link, or a
    saved link. Sizes are of code and data; debug information and line tables are not counted. An
    edge "A -> B" is all by which A refers to B; A and B are what --cut takes. --rank shows what
    would leave without each of several, without all, and what only two together keep.

    The exit status is 0 when something would leave, 1 when nothing would, 2 when nothing has that
    name, 3 when the program cannot be built.

    \b
    Examples:
      linkpipe whatif --cut net/http ./cmd/prog
      linkpipe whatif --cut text/template --cut html/template ./cmd/prog
      linkpipe whatif --cut 'main.main -> fmt.Println' ./cmd/prog
      linkpipe whatif --rank net/http,encoding/json,text/template ./cmd/prog
    """
    from linkpipe.ask.whatif import whatif

    if bool(cut) == bool(rank):
        raise click.UsageError("say --cut WHAT, or --rank A,B,C")
    if rank:
        return _rank(target, _parts(rank), form)
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


def _rank(target: str, names: Sequence[str], form: str) -> int:
    from linkpipe.ask.whatif import rank

    link = linked(target, "graph")
    with progress("reachability without each") as bar:
        found = rank(link, *names, progress=bar.told)
    status = YES if found.symbols else NO
    if form == "json":
        print_json("linkpipe.whatif-rank/1", attrs.asdict(found))
        return status
    rows = [[str(each.size), str(each.symbols), each.name] for each in found.alone]
    rows.append([str(found.size), str(found.symbols), "(all together)"])
    print_numbers(("bytes", "symbols", "without"), rows, count=2, fold=True)
    if found.pairs:
        click.echo("more with two together than with each:")
        pairs = [
            [str(each.size), str(each.symbols), each.first, each.second] for each in found.pairs
        ]
        print_numbers(("bytes", "symbols", "without", "and"), pairs, count=2, fold=True)
    return status


def _parts(text: str) -> list[str]:
    """A list as commas part it, but those within brackets: a.F[int,string] is one name."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign in "[(") - (sign in "])")
        if sign == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts if part.strip()]


def main(argv: Sequence[str]) -> int:
    """``linkpipe whatif``."""
    return ask(command, argv)
