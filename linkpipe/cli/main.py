"""The command ``linkpipe``: finds the subcommand's module and hands over.

A subcommand is a module of this package with a ``main(argv) -> int``; its docstring's first line
is its help. Nothing is imported but the one that is asked for: ``linkpipe link`` is on the path of
every link.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from linkpipe.errors import Terminated

HIDDEN = frozenset({"__init__", "main", "toolexec"})


def run() -> None:
    """The console script."""
    process(lambda: main(sys.argv[1:]))


def process(command: Callable[[], int]) -> NoReturn:
    """Run a command as this process, and end it.

    A request to terminate unwinds, so that temporary files go, and what was registered with
    atexit is done. The end is ``os._exit``: a link's tables are large, and to free them one by
    one before the process ends anyway takes a tenth of a small link.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # As standard error does: what cannot be written where only ASCII can be is no failure.
        sys.stdout.reconfigure(errors="backslashreplace")
    # A link makes many objects that live until it ends, and no cycles to speak of.
    gc.disable()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, _terminate)
    try:
        status = command()
    except SystemExit as e:
        status = e.code if isinstance(e.code, int) else 1
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # a command drops a stream that nobody reads any more
                stream.flush()
    except OSError:
        status = status or 1
    os._exit(status)


def _terminate(number: int, _: object) -> NoReturn:
    raise Terminated(128 + number)


def main(argv: Sequence[str]) -> int:
    """Run a subcommand; returns the exit status."""
    name = argv[0] if argv else "--help"
    if name in ("-h", "--help", "help"):
        print(_help(), end="")
        return 0
    if name in ("-V", "--version", "version"):
        from linkpipe import __version__

        print(f"linkpipe {__version__}")
        return 0
    if name == "link":
        from linkpipe.cli import link

        return link.main(argv[1:])
    if name not in commands():
        from linkpipe.engine.plugins import suggestion

        remedy = suggestion(name, commands()) or "`linkpipe --help` lists the commands"
        print(f'linkpipe: unknown command "{name}"\n\t{remedy}', file=sys.stderr)
        return 2
    from importlib import import_module

    status: int = import_module(f"linkpipe.cli.{name}").main(argv[1:])
    return status


def commands() -> dict[str, str]:
    """Subcommands by name, with the file of each."""
    folder = os.path.dirname(os.path.abspath(__file__))
    names = sorted(name[:-3] for name in os.listdir(folder) if name.endswith(".py"))
    return {
        name: os.path.join(folder, f"{name}.py")
        for name in names
        if name not in HIDDEN and not name.startswith("_")
    }


def _help() -> str:
    import ast

    lines = ["usage: linkpipe COMMAND [ARGUMENT ...]", "", "Commands:"]
    for name, path in commands().items():
        with open(path, encoding="utf-8") as file:
            doc = ast.get_docstring(ast.parse(file.read())) or ""
        lines.append(f"  {name:12} {doc.partition(chr(10))[0]}")
    lines += ["", "`linkpipe COMMAND --help` tells more about one.", ""]
    return "\n".join(lines)
