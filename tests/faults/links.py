"""Links as their users start them, under conditions that a test sets, many in little time.

Each is a process of its own, forked from one that has imported linkpipe already; from there on it
is the command itself: its parent and its child, its streams, its status.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs

from tests.conformance.programs import TINY, Program, inputs
from tests.conformance.toolchain import environment

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.faults.preloaded"])

before: list[Callable[[], None]] = []
"""What each link calls first, beside its conditions."""

HANGS = 60
"""Seconds after which a link is said to hang."""

OLD = "old output"


def as_it_is() -> None:
    """No other conditions than usual."""


@attrs.frozen
class Ended:
    """How a link ended: its status, and what it printed."""

    status: int
    out: str
    err: str


@attrs.frozen
class Running:
    """A link that goes on."""

    process: multiprocessing.process.BaseProcess
    folder: Path

    @property
    def pid(self) -> int:
        assert self.process.pid
        return self.process.pid

    def until(self, happened: Callable[[], object]) -> None:
        """Wait for something that the link does while it runs."""

        def either() -> object:
            assert self.process.is_alive(), self.printed("err")
            return happened()

        self.wait_for(either)

    def wait_for(self, happened: Callable[[], object]) -> None:
        """Wait for something that comes about by the link."""
        end = time.monotonic() + HANGS
        while not happened():
            assert time.monotonic() < end, "it does not come about"
            time.sleep(0.01)

    @property
    def child(self) -> int:
        """The process that does the work."""
        (pid,) = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return int(pid)

    def ended(self) -> Ended:
        """Wait for the end."""
        self.process.join(HANGS)
        if self.process.exitcode is None:
            os.kill(self.pid, signal.SIGKILL)
            raise AssertionError("the link hangs")
        return Ended(self.process.exitcode, self.printed("out"), self.printed("err"))

    def printed(self, stream: str) -> str:
        return (self.folder / f"std{stream}").read_text(errors="replace")


def start(
    folder: Path,
    *flags: str,
    program: Program | None = TINY,
    conditions: Callable[[], None] = as_it_is,
    main: str = "",
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Running:
    """Start the link of a program in a folder with a file ``out``, its output, which is old if it
    is there. ``main`` is another archive of the main package. ``conditions`` is called first, in
    the link's process. Without a program the pipeline is all there is. Nothing is checked, as in
    the links of users."""
    argv, env = ["x.a"], environment(**{"LINKPIPE_CHECK": "", **variables})
    if program is not None:
        given = inputs(program)
        argv, env = [*given.flags, str(given.main)], given.environment() | env
    argv = [*argv[:-1], "-o", "out", *flags, main or argv[-1]]
    process = _CONTEXT.Process(target=_run, args=(str(folder), argv, env, [*before, conditions]))
    process.start()
    return Running(process, folder)


def link(folder: Path, *flags: str, **how: Any) -> Ended:
    """As ``start``, and wait for the end."""
    return start(folder, *flags, **how).ended()


def _run(
    folder: str, argv: list[str], env: Mapping[str, str], conditions: list[Callable[[], None]]
) -> None:
    from linkpipe.cli.link import main
    from linkpipe.process.run import process

    os.chdir(folder)
    for number, name in ((0, os.devnull), (1, "stdout"), (2, "stderr")):
        file = os.open(name, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - as Python itself does
    os.environ.clear()
    os.environ.update(env)
    sys.path.insert(0, folder)  # where a test puts what it installs
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)  # whoever runs the tests may have them ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for condition in conditions:
        condition()
    process(lambda: main(argv), child=True)


def install(
    folder: Path,
    body: str,
    *,
    requires: tuple[str, ...] = (),
    provides: tuple[str, ...] = (),
    before: str = "",
) -> str:
    """Install a pass "own" with this body, of which the parameter is named link; a pipeline where
    it stands before another in the default one, or alone."""
    info = folder / "own-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[linkpipe.passes]\nown = own_pass:own\n")
    (info / "RECORD").write_text("")
    (folder / "own_pass.py").write_text(
        "import os, signal, sys, time\n"
        "import numpy as np\n"
        "from linkpipe.engine.pass_api import linkpass\n\n"
        f"@linkpass(name='own', requires={requires!r}, provides={provides!r})\n"
        "def own(link):\n" + textwrap.indent(body, "    ")
    )
    text = '[[pass]]\nname = "own"\n'
    if before:
        text = f'extends = "default"\n[[insert]]\nname = "own"\nbefore = "{before}"\n'
    (folder / "p.toml").write_text(text)
    return str(folder / "p.toml")


def observer(folder: Path, source: str) -> None:
    """Install an observer "own" with these methods."""
    info = folder / "watch-1.dist-info"
    info.mkdir(exist_ok=True)
    (info / "entry_points.txt").write_text("[linkpipe.observers]\nown = own_watch:Own\n")
    (info / "RECORD").write_text("")
    (folder / "own_watch.py").write_text(
        "import os, signal, sys, time\n"
        "from linkpipe.engine.runner import Observer\n\n"
        "class Own(Observer):\n" + textwrap.indent(source, "    ")
    )


def files(folder: Path) -> set[str]:
    """What lies in a folder beside what tests put there."""
    ours = ("own", "watch", "stdout", "stderr", "p.toml", "__pycache__", "cc", "log", "tmp")
    return {p.name for p in folder.iterdir() if not p.name.startswith(ours)}
