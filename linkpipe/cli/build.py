"""Build a Go program with linkpipe as its linker: takes what `go build` takes."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from linkpipe.errors import UserError
from linkpipe.packages.gobuild import go_command, toolexec_flag

HELP = """\
usage: linkpipe build [ARGUMENT OF go build ...]

Runs `go build -toolexec=linkpipe-toolexec ARGUMENT ...`: go compiles, linkpipe links.
The go command is found on PATH; $LINKPIPE_GO names another. The exit status is go's, or 1 when
there is no go command.

    linkpipe build -o prog ./cmd/prog
    linkpipe build -buildmode=plugin -o p.so ./plugin
"""

PATHS = ("LINKPIPE_PIPELINE", "LINKPIPE_DUMP", "LINKPIPE_TIMING")


def main(argv: Sequence[str]) -> int:
    """``linkpipe build``; when all is well it is replaced by the go command and does not return."""
    if argv and argv[0] in ("-h", "-help", "--help"):
        print(HELP, end="")
        return 0
    try:
        go, flag = go_command(), toolexec_flag()
    except UserError as e:
        print(f"linkpipe build: {e.render()}", file=sys.stderr)
        return e.exit_status
    for name in PATHS:
        # The go command runs the linker in other directories than this one.
        if os.environ.get(name):
            os.environ[name] = os.path.abspath(os.environ[name])
    sys.stdout.flush()
    return os.execv(go, [go, "build", flag, *argv])
