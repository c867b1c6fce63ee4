"""What the commands that ask about a link share: the program, the form of the answer, the statuses.

    linkpipe COMMAND [OPTIONS] TARGET [WHAT] [-- GO BUILD FLAGS]

TARGET is a package, which the user's own go command compiles, @FILE, a file with the arguments of a
link, @ for arguments of a link that follow ``--``, or a saved link; for some commands a binary,
too. Nothing is written but what --output names.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from linkpipe.cli._people import in_formats, invoke, people, print_error
from linkpipe.cli._progress import progress
from linkpipe.errors import LinkpipeError, OptionError, UserError

if TYPE_CHECKING:
    from linkpipe.ask.reasons import Inlined
    from linkpipe.engine.context import Link
    from linkpipe.engine.runner import Observer

YES, NO, FAILED = 0, 1, 3
"""Exit statuses: the answer, and that there was no link to ask about. A question that cannot be
understood, or a file that cannot be read, is 2, as for every command for people."""

GO_FLAGS = "[-- GO BUILD FLAGS]"
"""What ends the usage of each command."""

Made = Callable[[Callable[..., int]], click.Command]


def asks(name: str, what: str = "", *, target: str = "TARGET", formats: Sequence[str] = ()) -> Made:
    """Make a command that asks about a link of a function, which takes ``target``, ``form`` and its
    own options, prints, and returns the exit status. ``what`` follows ``target`` in its usage, when
    that is the only argument; ``formats`` are those that it has beside text and JSON."""

    def decorate(function: Callable[..., int]) -> click.Command:
        argument = click.argument("target", metavar=f"{target} {what}".rstrip())
        return people(name)(argument(to_file(in_formats(*formats)(function))))

    return decorate


def to_file(function: Callable[..., int]) -> Callable[..., int]:
    """Give a command that prints the option ``--output``."""

    @wraps(function)
    def answer(*, output: str, **options: Any) -> int:
        if not output:
            return function(**options)
        text = io.StringIO()
        with redirect_stdout(text):
            status = function(**options)
        Path(output).write_text(text.getvalue(), "utf-8", "surrogateescape")
        return status

    return click.option(
        "-o",
        "--output",
        metavar="FILE",
        default="",
        help="Write to a file; to the terminal if not given.",
    )(answer)


def where(line: str, inlined: Sequence[Inlined], because: str = "") -> str:
    """A place in the source, what was inlined there, and what else there is to say."""
    inner = ", ".join(f"{each.function} {each.line}" for each in inlined)
    parts = (line, f"inlined {inner}" if inner else "", because)
    return "; ".join(part for part in parts if part)


def ask(command: click.Command, argv: Sequence[str]) -> int:
    """Run a command of ``asks``; what follows ``--`` is for go build."""
    words = list(argv)
    at = words.index("--") if "--" in words else len(words)
    return invoke(command, words[:at], obj=tuple(words[at + 1 :]))


def called(target: str) -> str:
    """What the output of a target is called: "." as its folder is."""
    return os.path.basename(os.path.abspath(target.removeprefix("@"))) or "link"


def is_binary(target: str) -> bool:
    """Whether a target is a binary: an ELF file, which no package is."""
    if not os.path.isfile(target):  # a FIFO would be waited for
        return False
    try:
        with open(target, "rb") as file:
            return file.read(4) == b"\x7fELF"
    except OSError:
        return False


def linked(
    target: str,
    until: str = "",
    output: str = "",
    observers: Sequence[Observer] = (),
    go: str = "",
) -> Link:
    """Link the target of a command, up to the fact or pass ``until``; ``go`` is the go command that
    compiles a package. Ends the command with status FAILED when it cannot be built or linked."""
    from linkpipe import api

    with begun(target) as (what, flags), progress("go build") as bar:
        watching = (*observers, bar)
        return api.link(what, until=until, flags=flags, output=output, observers=watching, go=go)


@contextmanager
def begun(target: str) -> Iterator[tuple[str | list[str], Sequence[str]]]:
    """A target and flags as linkpipe.api takes them. Errors in what is done with them, but those
    about the question, end the command with status FAILED."""
    from linkpipe.engine.saved import is_saved, read

    context = click.get_current_context()
    flags = context.obj or ()
    arguments, saved = target.startswith("@"), is_saved(target)
    what: str | list[str] = [target] if arguments else target
    if target == "@":
        if not flags:
            raise click.ClickException("@ is a link whose arguments follow --: there are none")
        what, flags, arguments = list(flags), (), False
    if flags and (arguments or saved):
        told = "@FILE" if arguments else target
        raise click.ClickException(f"{told} is a link: there is no go build to give flags to")
    if arguments:
        Path(target[1:]).open("rb").close()
    if saved:
        read(target)
    try:
        yield what, flags
    except LinkpipeError as e:
        # A wrong flag, or what would be a wrong use of a saved link, is about the question.
        if isinstance(e, OptionError) or (saved and isinstance(e, UserError) and e.status == 2):
            raise
        form = f"--format={context.params.get('form')}"
        print_error(f"linkpipe {context.command.name}", e, [form])
        raise click.exceptions.Exit(FAILED) from e
