"""Show what would make plugin.Open fail, or the program crash later, from the binaries alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import attrs
import click

from linkpipe.cli._people import in_formats, invoke, people, print_json, print_table
from linkpipe.cli._target import NO, YES, to_file

if TYPE_CHECKING:
    from linkpipe.ask.plugin_check import PluginCheck, Problem


@people("plugin-check")
@click.argument("host")
@click.argument("plugins", nargs=-1, required=True, metavar="PLUGIN...")
@to_file
@in_formats("sarif")
def command(host: str, plugins: tuple[str, ...], form: str) -> int:
    """Show what would make plugin.Open fail, or the program crash later: each package that is not
    the one that the host was built with, and why; symbols that nobody has, libraries that are not
    there, a plugin path that is there twice.

    HOST is the program, PLUGIN a plugin, and all of them binaries: nothing is built, and no source
    is needed. Plugins are taken to be opened in the order in which they are given.

    The exit status is 0 when all fits, 1 when something does not, and 2 when a file cannot be read.

    \b
    Examples:
      linkpipe plugin-check ./prog ./plugins/*.so
      linkpipe plugin-check --format sarif --output found.sarif ./prog ./greet.so
    """
    from linkpipe.ask.plugin_check import plugin_check

    found = plugin_check(host, plugins)
    if form == "json":
        print_json("linkpipe.plugin-check/1", {"fits": found.fits, **attrs.asdict(found)})
    elif form == "sarif":
        _print_sarif(found)
    else:
        _print(found)
    return YES if found.fits else NO


def _print(found: PluginCheck) -> None:
    for file, problems in _all(found):
        if not problems:
            click.echo(f"{file}: fits")
            continue
        count = len(problems)
        click.echo(f"{file}: {count} problem{'s' if count > 1 else ''}")
        rows = [(each.kind, each.name, _why(each)) for each in problems]
        print_table(("problem", "name", "why"), rows, fold=True)
    if found.unchecked:
        names = ", ".join(found.unchecked)
        click.echo(f"libraries were not looked for: this machine has no {names}")


def _all(found: PluginCheck) -> Iterator[tuple[str, tuple[Problem, ...]]]:
    if found.problems:
        yield found.host, found.problems
    for plugin in found.plugins:
        yield plugin.file, plugin.problems


def _why(problem: Problem) -> str:
    return "; ".join(cause.text for cause in problem.causes)


def _print_sarif(found: PluginCheck) -> None:
    from linkpipe.ask.findings import Finding, to_sarif
    from linkpipe.ask.plugin_check import KINDS

    findings = [
        Finding(each.kind, f"{KINDS[each.kind]}: {each.name}: {_why(each)}", file)
        for file, problems in _all(found)
        for each in problems
    ]
    click.echo(to_sarif("linkpipe plugin-check", KINDS, findings), nl=False)


def main(argv: Sequence[str]) -> int:
    """``linkpipe plugin-check``."""
    return invoke(command, argv)
