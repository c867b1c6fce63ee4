"""Runs cases: linkpipe is imported once, and each case is a child that is forked off, with limits
and a folder of its own."""

from __future__ import annotations

import gc
import os
import resource
import select
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from mmap import mmap
from pathlib import Path
from typing import Any, NoReturn

import attrs

from linkpipe.cli import link as command
from linkpipe.engine.plan import Planned
from linkpipe.engine.runner import Observer
from tests.conformance.toolchain import link_tool
from tests.fuzz.cases import MODES, Case, Files, files, known

OLD = b"what an earlier link wrote\n"
CPU_SECONDS, SECONDS = 20, 90
GIB = 1 << 30
LIMITS = {
    resource.RLIMIT_CPU: CPU_SECONDS,
    resource.RLIMIT_AS: 8 * GIB,
    resource.RLIMIT_FSIZE: GIB >> 2,
    resource.RLIMIT_CORE: 0,
}
# Go's runtime reserves addresses as it likes.
THEIR_LIMITS = {resource.RLIMIT_FSIZE: GIB >> 2, resource.RLIMIT_CORE: 0, resource.RLIMIT_CPU: 60}
SAID = 1 << 16


@attrs.frozen
class Outcome:
    """What one link did.

    Attributes:
        status: the exit status; below zero, the signal that ended it.
        said: on standard error and standard output.
        late: whether it was ended from outside, for taking too long.
        last: the last pass that began.
        seconds, peak: of processor time; bytes, the largest resident set.
        output: what is in the output's place, None for nothing.
        touched: whether that is another file than before.
        left: files that are there and were not.
    """

    status: int
    said: str
    late: bool
    last: str
    seconds: float
    peak: int
    output: bytes | None
    touched: bool
    left: tuple[str, ...]


@attrs.define(eq=False)
class _Progress(Observer):
    """Writes down, where the parent sees it, which pass runs."""

    where: mmap

    def before_pass(self, planned: Planned, link: Any) -> None:
        self.where[:64] = planned.name.encode().ljust(64, b"\0")


@attrs.define(eq=False)
class Server:
    """Runs cases in ``folder``."""

    folder: Path
    shared: mmap = attrs.field(factory=lambda: mmap(-1, 4096), init=False)

    def warm(self, *names: str) -> None:
        """Get ready: link these bases as they are, in all modes, so that what links import when
        they need it is imported."""
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        for name in names:
            for mode in MODES if name == names[0] else ("dwarf",):
                given = files(Case(name, mode, ()))
                place = self._place(given)
                before = os.getcwd(), dict(os.environ)
                try:
                    os.chdir(place)
                    os.environ.update(given.env)
                    assert command.main(given.argv, "", given.env) == 0, name
                finally:
                    os.chdir(before[0])
                    os.environ.clear()
                    os.environ.update(before[1])
        gc.collect()
        gc.freeze()

    def linkpipe(self, given: Files) -> Outcome:
        """Link with linkpipe."""

        def run() -> NoReturn:
            os.environ.clear()
            os.environ.update(given.env)
            progress = _Progress(self.shared)
            asked = command.observers
            command.observers = lambda *args: (*asked(*args), progress)
            status = 99
            try:
                status = command.main(given.argv, "", given.env)
            except BaseException:
                import traceback

                traceback.print_exc()
            finally:
                for stream in (sys.stdout, sys.stderr):
                    stream.flush()
                os._exit(status)

        return self._run(given, run, LIMITS)

    def oracle(self, given: Files) -> Outcome:
        """Link with go tool link."""
        tool = str(link_tool())
        argv = [tool, *given.argv]
        return self._run(given, lambda: os.execve(tool, argv, given.env), THEIR_LIMITS)

    def _place(self, given: Files) -> Path:
        place = self.folder / "place"
        shutil.rmtree(place, ignore_errors=True)
        (place / "tmp").mkdir(parents=True)
        (place / "out").write_bytes(OLD)
        for name, content in given.files.items():
            (place / name).write_bytes(content)
        if b"fifo" in given.files["importcfg"]:
            os.mkfifo(place / "fifo")
        if b"sparse" in given.files["importcfg"]:
            with (place / "sparse").open("wb") as file:
                file.truncate(64 * GIB)
        if "answers" in given.files:
            self._keep_answers(given, place)
        given.env["TMPDIR"] = str(place / "tmp")
        return place

    def _keep_answers(self, given: Files, place: Path) -> None:
        """Put what is to be read of earlier answers where linkpipe looks for them."""
        from linkpipe.hostlinker.probecache import cache_file

        home = place / "cache"
        given.env["XDG_CACHE_HOME"] = str(home)
        (home / "linkpipe" / "probes").mkdir(parents=True, mode=0o700)
        before = dict(os.environ)
        os.environ.update(given.env)
        try:
            name = cache_file([str(known("tiny").cc)], [])
        finally:
            os.environ.clear()
            os.environ.update(before)
        if name:
            file = Path(name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(given.files["answers"])

    def _run(self, given: Files, body: Callable[[], object], limits: dict[int, int]) -> Outcome:
        place = self._place(given)
        before = _listing(place)
        old = (place / "out").stat().st_ino
        self.shared[:64] = bytes(64)
        said = os.memfd_create("said")
        child = os.fork()
        if child == 0:
            _become(place, said, limits)
            body()
        late = not _ends(child)
        if late:
            os.kill(-child, signal.SIGKILL)
        _, status, used = os.wait4(child, 0)
        size = os.fstat(said).st_size
        text = os.pread(said, min(size, SAID), 0).decode("utf-8", "replace")
        os.close(said)
        out = place / "out"
        output = out.read_bytes() if out.is_file() else None
        left = tuple(sorted(_listing(place) - before - {"out"}))
        touched = output != OLD or out.stat().st_ino != old
        return Outcome(
            os.waitstatus_to_exitcode(status),
            text,
            late,
            bytes(self.shared[:64]).rstrip(b"\0").decode(),
            used.ru_utime + used.ru_stime,
            used.ru_maxrss << 10,
            output,
            touched,
            tuple(name for name in left if not name.startswith("cache")),
        )


def _listing(place: Path) -> set[str]:
    return {
        os.path.relpath(os.path.join(folder, name), place)
        for folder, folders, names in os.walk(place)
        for name in (*folders, *names)
    }


def _become(place: Path, said: int, limits: dict[int, int]) -> None:
    """Be a process of its own: a group, a folder, streams, limits."""
    os.setpgid(0, 0)
    os.chdir(place)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(said, 1)
    os.dup2(said, 2)
    # Whoever runs this may have put others in their place.
    sys.stdout, sys.stderr = (
        os.fdopen(number, "w", errors="backslashreplace") for number in (1, 2)
    )
    for what, most in limits.items():
        # At the hard limit of processor time the kernel kills; before, it says why.
        resource.setrlimit(what, (most, most + (what == resource.RLIMIT_CPU)))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _ends(child: int) -> bool:
    """Wait for a child; False when it takes too long."""
    handle = os.pidfd_open(child)
    try:
        ready: Sequence[int] = select.select([handle], [], [], SECONDS)[0]
        return bool(ready)
    finally:
        os.close(handle)
