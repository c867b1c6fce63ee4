"""Explain an error: its cause and what to do, by its code or by what was printed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from textwrap import fill

import attrs
import click

from linkpipe.cli._people import as_format, invoke, people, print_json
from linkpipe.cli._target import NO, YES, to_file

_LONGEST = 1 << 20
"""Characters of a text that are looked at."""


@people("explain")
@click.argument("text", metavar="CODE|TEXT|-", nargs=-1)
@to_file
@as_format
def command(text: Sequence[str], form: str) -> int:
    """Explain an error: its cause and what to do about it. CODE is what JSON output has (LP201);
    TEXT is what was printed, by linkpipe, by go build or by a program that opens a plugin; with -
    it is read from standard input. Without anything, all codes are listed.

    The exit status is 0, or 1 when nothing is known of it.

    \b
    Examples:
      linkpipe explain LP201
      linkpipe explain 'relocation target main.f not defined'
      go build ./cmd/prog 2>&1 | linkpipe explain -
    """
    from linkpipe.ask.explain import PAGES, explain

    if not text and form == "text":
        for page in PAGES:
            click.echo(f"{page.code}  {page.title}")
        return YES
    asked = sys.stdin.read(_LONGEST) if tuple(text) == ("-",) else " ".join(text)
    found = explain(asked)
    if form == "json":
        answers = [attrs.asdict(each) for each in found]
        print_json("linkpipe.explain/1", {"answers": answers})
        return YES if found else NO
    if not found:
        click.echo("nothing is known of that: `linkpipe explain` lists the codes")
        return NO
    for number, each in enumerate(found):
        click.echo("\n" * bool(number), nl=False)
        click.echo(f"{each.code}: {each.title}")
        _print(each.cause, each.cure)
        for topic in each.topics:
            click.echo(f"\n{topic.title}")
            _print(topic.cause, topic.cure)
    return YES


def _print(cause: str, cure: str) -> None:
    click.echo(fill(cause, 100, initial_indent="  cause: ", subsequent_indent="         "))
    click.echo(fill(cure, 100, initial_indent="  cure:  ", subsequent_indent="         "))


def main(argv: Sequence[str]) -> int:
    """``linkpipe explain``."""
    return invoke(command, argv)
