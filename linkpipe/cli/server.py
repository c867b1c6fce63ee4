"""Show or stop the link servers, which do links with everything imported (LINKPIPE_SERVER=auto)."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

import attrs
import click

from linkpipe.cli._people import as_format, invoke, people, print_json, print_table

_GOES = 5.0
"""Seconds that a server has to end."""


@attrs.frozen
class Server:
    """A server.

    Attributes:
        process: its number.
        answers: whether it says how it is; if not, it may be starting, and no more is known but
            ``why_not``.
        since: when it began to serve, seconds since the epoch.
        asked: how many times something was asked for: links, and this, by which it waits anew.
        running: links that it does now.
        idle_minutes: after so many without a link it ends.
        resident: bytes, its resident set.
        python: the interpreter.
        why_not: why it does no link now; empty when it does.
    """

    process: int
    answers: bool
    since: float = 0.0
    asked: int = 0
    running: int = 0
    idle_minutes: float = 0.0
    resident: int = 0
    python: str = ""
    why_not: str = ""


@people("server")
@click.argument("what", metavar="status|stop", type=click.Choice(("status", "stop")))
@as_format
def command(what: str, form: str) -> int:
    """Show or stop the link servers, which do links with everything imported.

    With LINKPIPE_SERVER=auto in the environment a link is done by a server where there is one, and
    starts one where there is none. There is a server for each Python, and for each set of variables
    that decides how Python starts; `status` shows all that are this user's, and `stop` ends them.
    Links that run go on.

    The exit status is 0 when there is a server (or was, for `stop`), 1 when there is none, and 2
    when one does not end.

    \b
    Examples:
      LINKPIPE_SERVER=auto go build -toolexec=linkpipe-toolexec .
      linkpipe server status
      linkpipe server stop
    """
    named = list(_servers())
    found = [each for _, each in named]
    stay = []
    if what == "stop":
        stay = [each.process for name, each in named if not _stop(name, each.process)]
    if form == "json":
        print_json("linkpipe.server/1", {"servers": [attrs.asdict(each) for each in found]})
    elif not found:
        click.echo("there is no server")
    elif what == "stop":
        gone = [str(each.process) for each in found if each.process not in stay]
        if gone:
            click.echo(f"stopped: {', '.join(gone)}")
    else:
        titles = ("process", "asked", "running", "MiB", "since", "python")
        print_table(titles, [_row(each) for each in found], fold=True)
    for process in stay:
        click.echo(f"the server, process {process}, does not end", err=True)
    return 2 if stay else 0 if found else 1


def _row(each: Server) -> tuple[str, ...]:
    if not each.answers:
        return (str(each.process), *"????", each.why_not or "it does not answer")
    return (
        str(each.process),
        str(each.asked),
        str(each.running),
        f"{each.resident / (1 << 20):.0f}",
        time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(each.since)),
        f"{each.python}: {each.why_not}" if each.why_not else each.python,
    )


def _servers() -> Iterator[tuple[str, Server]]:
    """All that live: the name of their files, and what they say of themselves."""
    from linkpipe.server import client, place

    try:
        folder = place.open_folder()
    except place.Unusable:
        return
    try:
        for file in sorted(os.listdir(folder)):
            name, _, kind = file.partition(".")
            process = 0
            if kind == "lock":
                with suppress(OSError):  # what is no server's file is no reason to show none
                    process = place.holder(folder, name)
            if process:
                told = client.status(folder, name)
                yield name, Server(process, "since" in told, **told)
    finally:
        os.close(folder)


def _stop(name: str, process: int) -> bool:
    """End a server; whether it has ended."""
    import select

    from linkpipe.server import place

    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    folder = place.open_folder()
    try:
        if place.holder(folder, name) != process:  # the number may be somebody else's by now
            return True
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        signal.pidfd_send_signal(handle, signal.SIGCONT)
        return bool(select.select([handle], [], [], _GOES)[0])
    except (ProcessLookupError, FileNotFoundError):
        return True
    finally:
        os.close(folder)
        os.close(handle)


def main(argv: Sequence[str]) -> int:
    """``linkpipe server``."""
    return invoke(command, argv)
