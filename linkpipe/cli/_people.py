"""What the commands for people share: options, output as text or JSON, errors, exit statuses.

Text on a terminal is a table as wide as the terminal; in a pipe it is plain and whole. JSON has a
``schema``, "linkpipe.NAME/VERSION", and keys_like_this.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeVar

import click

from linkpipe import __version__
from linkpipe.errors import LinkpipeError, os_error

ERROR = 2
"""The exit status of every command for people when it cannot do what it was asked for."""

COUNT = click.IntRange(min=0)
"""How many, of what an option limits."""

F = TypeVar("F", bound=Callable[..., Any])
Made = Callable[[Callable[..., Any]], click.Command]


def people(name: str) -> Made:
    """Make a command of a function: as click does, with -h, --help and --version."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        command: click.Command = click.command(
            name, context_settings={"help_option_names": ["-h", "--help"]}
        )(version(function))
        return command

    version = click.version_option(__version__, "--version", message=f"linkpipe {__version__}")
    return decorate


def in_formats(*more: str) -> Callable[[F], F]:
    """The option ``--format``: text, JSON, and what else a command has."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(("text", "json", *more)),
        default="text",
        show_default=True,
        help="For people, or for a program.",
    )


as_format = in_formats()


def invoke(command: click.Command, argv: Sequence[str], obj: Any = None) -> int:
    """Run a click command, with ``obj`` in its context; returns the exit status, and shows
    linkpipe's own errors as text."""
    name = f"linkpipe {command.name}"
    try:
        status = command.main(list(argv), prog_name=name, standalone_mode=False, obj=obj)
    except click.ClickException as e:
        e.show()
        return ERROR
    except click.Abort:
        return 130
    except click.exceptions.Exit as e:
        return e.exit_code
    except LinkpipeError as e:
        print_error(name, e, argv)
        return ERROR
    except OSError as e:
        print(f"{name}: {os_error(e)}", file=sys.stderr)
        return ERROR
    return int(status or 0)


def print_error(name: str, error: LinkpipeError, argv: Sequence[str]) -> None:
    """Print an error to standard error, and, where JSON was asked for, as JSON, too: with a code
    that `linkpipe explain` knows."""
    print(f"{name}: {error.render()}", file=sys.stderr)
    if "--format=json" in argv or ("--format", "json") in pairwise(argv):
        print_json("linkpipe.error/1", error.told())


def print_json(schema: str, value: dict[str, Any]) -> None:
    """Print a value with its schema."""
    click.echo(json.dumps({"schema": schema, **value}, indent=1, ensure_ascii=False))


def print_numbers(
    titles: Sequence[str], rows: Sequence[Sequence[str]], *, count: int, fold: bool = False
) -> None:
    """Print a table whose first ``count`` columns are numbers, which end below one another."""
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    right = [
        [f"{cell:>{width}}" if at < count else cell for at, (cell, width) in enumerate(pairs)]
        for pairs in (list(zip(cells, widths, strict=True)) for cells in (titles, *rows))
    ]
    print_table(right[0], right[1:], fold=fold)


def print_table(
    titles: Sequence[str], rows: Sequence[Sequence[str]], *, fold: bool = False
) -> tuple[str, ...]:
    """Print a table; returns the titles of columns for which the terminal has no room.

    Nothing is ever cut off: on a terminal the last columns are left out, unless all are to be
    folded, and what is yet too wide is folded; in a pipe there is room for everything.
    """
    widths = [
        max(len(cell) for cell in column) for column in zip(titles, *rows, strict=True)
    ] if titles else []  # fmt: skip
    if not sys.stdout.isatty():
        for cells in (titles, *rows):
            padded = (f"{cell:{width}}" for cell, width in zip(cells, widths, strict=True))
            click.echo("  ".join(padded).rstrip())
        return ()
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    room, fit = console.width + 2, 0
    for width in widths:
        room -= width + 2
        fit += room >= 0
    fit = len(titles) if fold else max(fit, min(2, len(titles)))
    plain = bool(os.environ.get("NO_COLOR"))
    table = Table(
        box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="" if plain else "bold"
    )
    for title in titles[:fit]:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row[:fit]))
    console.print(table)
    return tuple(titles[fit:])
