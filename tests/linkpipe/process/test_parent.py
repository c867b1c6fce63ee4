"""A parent and its child, for a command that does nothing much."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def run(body: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command with this body as a child."""
    code = f"import os, sys\ndef command():\n    {body}\n"
    code += "from linkpipe.process.run import process\nprocess(command, child=True)\n"
    return subprocess.run(
        [sys.executable, "-P", "-c", code],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("status", [0, 1, 2, 130, 255])
def test_the_status_is_the_childs(status: int) -> None:
    done = run(f"return {status}")
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "")


def test_streams_and_folder_are_the_childs() -> None:
    done = run("print(os.getcwd()); print('said', file=sys.stderr); return 0")
    assert (done.stdout, done.stderr) == (f"{os.getcwd()}\n", "said\n")


def test_a_child_without_a_result_is_spoken_for() -> None:
    done = run("os._exit(0)")
    assert done.returncode == 2
    assert done.stderr.startswith("linkpipe: the process was ended with status 0, and left no ")


def test_where_there_can_be_no_child_there_is_none() -> None:
    """A limit on processes fails no link that could be done without another."""
    fork = "os.fork = lambda: (_ for _ in ()).throw(BlockingIOError(11, 'again'))"
    code = f"import os; {fork}\nfrom linkpipe.process.run import process\n"
    code += "process(lambda: 7, child=True)"
    done = subprocess.run([sys.executable, "-P", "-c", code], check=False)
    assert done.returncode == 7


def test_the_parent_is_small() -> None:
    """What it has imported is copied for the child, page by page, in every link."""
    code = (
        "import sys; before = set(sys.modules); import linkpipe.process.run; "
        "heavy = {'attr', 'numpy', 'ctypes', 'subprocess', 'tempfile', 'typing', 'inspect', 'ast'};"
        "print(sorted(heavy & (set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout == "[]\n", done.stderr
