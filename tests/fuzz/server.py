"""Runs cases: linkpipe is imported once, and links are done by a child that is forked off, each
with limits and a folder of its own.

A child does some tens of links, one after another, because to fork and to copy the pages that are
written to takes as long as a third of a small link. It ends with the first link that went wrong, or
that used much memory. What is found wrong is linked again in a new one (``fresh``)."""

from __future__ import annotations

import gc
import math
import os
import pickle
import resource
import select
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from mmap import mmap
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import attrs

from linkpipe.cli import link as command
from linkpipe.engine import entrypoints, flagedits, plugins
from linkpipe.engine.pipeline import load_pipeline
from linkpipe.engine.plan import Planned
from linkpipe.engine.runner import Observer
from tests.conformance.toolchain import link_tool
from tests.fuzz import CHECKED
from tests.fuzz.cases import SHARES, Case, Files, files, known

OLD = b"what an earlier link wrote\n"
# Of processor time; of time; of time in which nothing is done.
CPU_SECONDS, SECONDS, IDLE = 20, 90, 8
GIB = 1 << 30
# A child is replaced after so many links, or when it keeps so much memory.
LINKS, KEPT = 60, GIB >> 1
LIMITS = {
    resource.RLIMIT_CPU: CPU_SECONDS,
    # What finds faults notes for every byte of the address space whether it may be used.
    resource.RLIMIT_AS: 8 * GIB if not CHECKED else resource.RLIM_INFINITY,
    resource.RLIMIT_FSIZE: GIB >> 2,
    resource.RLIMIT_CORE: 0,
}
# Go's runtime reserves addresses as it likes.
THEIR_LIMITS = {resource.RLIMIT_FSIZE: GIB >> 2, resource.RLIMIT_CORE: 0, resource.RLIMIT_CPU: 8}
SAID = 1 << 16


@attrs.frozen
class Outcome:
    """What one link did.

    Attributes:
        status: the exit status; below zero, the signal that ended it.
        said: on standard error and standard output.
        late: whether it was ended from outside, for taking too long.
        last: the last pass that began.
        seconds, peak: of processor time; bytes, the largest resident set, beyond what was there
            before the link's process began to link.
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


@attrs.frozen(eq=False)
class _Child:
    """A process that links what it is sent: through ``requests`` a folder, arguments, variables;
    through ``results`` the status, and what was used. What it says is in the file ``said``. Of its
    memory ``begun`` bytes are its parent's, which may be a process that has run many tests."""

    process: int
    begun: int
    said: int
    requests: BinaryIO
    results: BinaryIO

    def end(self) -> tuple[int, resource.struct_rusage]:
        """End it, if it has not; its exit status, and what it used in its life."""
        with suppress(ProcessLookupError):
            os.killpg(self.process, signal.SIGKILL)
        _, status, used = os.wait4(self.process, 0)
        self.requests.close()
        self.results.close()
        os.close(self.said)
        return os.waitstatus_to_exitcode(status), used


@attrs.define(eq=False)
class Server:
    """Runs cases in ``folder``."""

    folder: Path
    shared: mmap = attrs.field(factory=lambda: mmap(-1, 4096), init=False)
    child: _Child | None = attrs.field(default=None, init=False)
    links: int = attrs.field(default=0, init=False)

    def warm(self, *names: str) -> None:
        """Get ready: link these bases as they are, in all modes, so that what links import when
        they need it is imported, and keep what is the same for all: what is installed, and the
        default pipeline."""
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        usual = load_pipeline()
        vars(plugins)["scan"] = cache(entrypoints.scan)
        assert "load_pipeline" in vars(flagedits), "it is called elsewhere"
        vars(flagedits)["load_pipeline"] = lambda file, catalog, edits="": (
            load_pipeline(file, catalog, edits) if file or edits else usual
        )
        for name in names:
            modes = list(SHARES[known(name).kind])
            for mode in modes if name == names[0] else modes[1:2]:
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

    def close(self) -> None:
        """End the child."""
        if self.child:
            self.child.end()
        self.child = None

    def linkpipe(self, given: Files, *, fresh: bool = False) -> Outcome:
        """Link with linkpipe, in a new child if it shall be ``fresh``."""
        place = self._place(given)
        seen = _Seen.of(place)
        if fresh or self.links >= LINKS:
            self.close()
        if self.child is None:
            self.child, self.links = self._fork(), 0
        child, self.links = self.child, self.links + 1
        self.shared[:64] = bytes(64)
        os.ftruncate(child.said, 0)
        os.lseek(child.said, 0, os.SEEK_SET)
        pickle.dump((str(place), given.argv, given.env), child.requests)
        child.requests.flush()
        late = not _readable(child.results.fileno(), child.process)
        try:
            if late:
                raise EOFError
            status, seconds, peak, kept = pickle.load(child.results)
            text = _read(child.said)
        except EOFError:
            text, kept = _read(child.said), 0
            status, used = child.end()
            seconds, peak = used.ru_utime + used.ru_stime, used.ru_maxrss << 10
            self.child = None
        peak, kept = peak - child.begun, kept - child.begun
        if kept > KEPT or status not in (0, 1, 2):
            self.close()
        last = bytes(self.shared[:64]).rstrip(b"\0").decode()
        return Outcome(status, text, late, last, seconds, peak, *seen.now(place))

    def oracle(self, given: Files) -> Outcome:
        """Link with go tool link."""
        tool = str(link_tool())
        place = self._place(given)
        seen = _Seen.of(place)
        said = os.memfd_create("said")
        child = os.fork()
        if child == 0:
            _become(place, said, THEIR_LIMITS)
            os.execve(tool, [tool, *given.argv], given.env)
        handle = os.pidfd_open(child)
        late = not _readable(handle, child)
        os.close(handle)
        if late:
            os.killpg(child, signal.SIGKILL)
        _, status, used = os.wait4(child, 0)
        text = _read(said)
        os.close(said)
        seconds, peak = used.ru_utime + used.ru_stime, used.ru_maxrss << 10
        return Outcome(
            os.waitstatus_to_exitcode(status), text, late, "", seconds, peak, *seen.now(place)
        )

    def _fork(self) -> _Child:
        said = os.memfd_create("said")
        (requests, to_child), (results, from_child) = os.pipe(), os.pipe()
        begun = _sizes()["RssAnon"]  # files that are mapped here are not there
        process = os.fork()
        if process == 0:
            os.close(to_child)
            os.close(results)
            self._serve(said, os.fdopen(requests, "rb"), os.fdopen(from_child, "wb"))
        os.close(requests)
        os.close(from_child)
        return _Child(process, begun, said, os.fdopen(to_child, "wb"), os.fdopen(results, "rb"))

    def _serve(self, said: int, requests: BinaryIO, results: BinaryIO) -> NoReturn:
        """Link what comes, as the command does in a process that ends with the link."""
        gc.disable()
        progress, asked = _Progress(self.shared), command.observers
        command.observers = lambda *args: (*asked(*args), progress)
        while True:
            try:
                place, argv, env = pickle.load(requests)
            except EOFError:
                os._exit(0)
            before = _cpu()
            cpu = LIMITS[resource.RLIMIT_CPU] + math.ceil(before)
            _become(Path(place), said, LIMITS | {resource.RLIMIT_CPU: cpu})
            os.environ.clear()
            os.environ.update(env)
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")  # the largest resident set is counted from here
            status = 99
            try:
                status = command.main(argv, "", env)
            except BaseException:
                traceback.print_exc()
            finally:
                for stream in (sys.stdout, sys.stderr):
                    stream.flush()
            pickle.dump((status, _cpu() - before, *_resident()), results)
            results.flush()

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


@attrs.frozen
class _Seen:
    """The folder of a link, before it."""

    names: frozenset[str]
    old: int

    @classmethod
    def of(cls, place: Path) -> _Seen:
        return cls(frozenset(_listing(place)), (place / "out").stat().st_ino)

    def now(self, place: Path) -> tuple[bytes | None, bool, tuple[str, ...]]:
        """What is in the output's place, whether that is another file, what else is new."""
        out = place / "out"
        output = out.read_bytes() if out.is_file() else None
        touched = output != OLD or out.stat().st_ino != self.old
        left = sorted(_listing(place) - self.names - {"out"})
        return output, touched, tuple(name for name in left if not name.startswith("cache"))


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
    os.close(nothing)
    os.dup2(said, 1)
    os.dup2(said, 2)
    # Whoever runs this may have put others in their place. They stay open as long as the process.
    sys.stdout, sys.stderr = (
        open(number, "w", errors="backslashreplace", closefd=False)  # noqa: SIM115 - open to the end
        for number in (1, 2)
    )
    for what, most in limits.items():
        # Of processor time the next link gets more: there is no hard limit.
        hard = resource.getrlimit(what)[1] if what == resource.RLIMIT_CPU else most
        resource.setrlimit(what, (most, hard))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _resident() -> tuple[int, int]:
    """The largest resident set, and the one of now, in bytes."""
    sizes = _sizes()
    return sizes["VmHWM"], sizes["VmRSS"]


def _sizes() -> dict[str, int]:
    """What the kernel says of this process's memory, in bytes."""
    with open("/proc/self/status") as file:
        rows = [line.split() for line in file]
    return {row[0].rstrip(":"): int(row[1]) << 10 for row in rows if row[-1] == "kB"}


def _read(said: int) -> str:
    return os.pread(said, min(os.fstat(said).st_size, SAID), 0).decode("utf-8", "replace")


def _readable(handle: int, process: int) -> bool:
    """Wait for a process to end, or to answer; False when it takes too long, or waits itself."""
    end, idle, before = time.monotonic() + SECONDS, 0, -1
    while time.monotonic() < end and idle < IDLE:
        ready: Sequence[int] = select.select([handle], [], [], 1)[0]
        if ready:
            return True
        words = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        used = int(words[11]) + int(words[12])
        idle = idle + 1 if used <= before + 1 and words[0] == "S" else 0
        before = used
    return False
