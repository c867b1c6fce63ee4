"""The command ``linkpipe``: finds the subcommand's module and hands over.

A subcommand is a module of this package with a ``main(argv) -> int`` (``why-no-dce`` lives in
``why_no_dce.py``); its docstring's first line is its help. Nothing is imported but the one that is
asked for: ``linkpipe link`` is on the path of every link.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing's takes longer to import than a link waits for a server
if TYPE_CHECKING:
    from collections.abc import Sequence

HIDDEN = frozenset({"__init__", "main", "toolexec"})


def run() -> None:
    """The console script."""
    if sys.argv[1:2] == ["link"]:
        from linkpipe.server import client

        client.link(sys.argv[2:])
    from linkpipe.process.run import process

    process(lambda: main(sys.argv[1:]), child=sys.argv[1:2] == ["link"])


def main(argv: Sequence[str]) -> int:
    """Run a subcommand; returns the exit status."""
    if "_LINKPIPE_COMPLETE" in os.environ:  # a shell asks, see `linkpipe completion`
        from linkpipe.cli._group import complete

        return complete(os.environ["_LINKPIPE_COMPLETE"])
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

    module = import_module(f"linkpipe.cli.{name.replace('-', '_')}")
    status: int = module.main(argv[1:])
    return status


def commands() -> dict[str, str]:
    """Subcommands by name, with the file of each."""
    folder = os.path.dirname(os.path.abspath(__file__))
    names = sorted(name[:-3] for name in os.listdir(folder) if name.endswith(".py"))
    return {
        name.replace("_", "-"): os.path.join(folder, f"{name}.py")
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
