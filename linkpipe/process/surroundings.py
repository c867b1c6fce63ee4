"""What a process shares with all code that runs in it: working directory, standard streams, umask,
environment variables, signal handlers.

A path that the user gave means a place in the folder that the command was started in, and what is
printed goes where the user looks; the output has the user's mode, the host linker the user's
variables, and a request to end is heard. Whoever runs other people's code looks afterwards whether
that is still so, and puts it back.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from linkpipe.process import ledger

_STREAMS = ("stdin", "stdout", "stderr")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE)


class Changed(Exception):
    """Code that was called has changed the surroundings; they are as they were. ``str`` says what
    it was, in words."""


class Surroundings:
    """All of that as it is now. ``close`` lets go of what it takes to put it back."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._folder = -1
        self._kept: dict[int, tuple[int, tuple[int, int]]] = {}
        self._python = {name: getattr(sys, name) for name in _STREAMS}
        self._variables = dict(_variables())
        self._handlers = {number: signal.getsignal(number) for number in _SIGNALS}
        self._status = -1
        with suppress(OSError):  # there need be no /proc
            self._status = os.open("/proc/self/status", os.O_RDONLY | os.O_CLOEXEC)
        self._umask = self._read_umask()
        with suppress(OSError):  # few files may be opened: what cannot be kept is not watched
            self._folder = os.open(".", os.O_PATH | os.O_DIRECTORY)
        self._where = _file(self._folder) if self._folder >= 0 else (0, 0)
        for number in range(len(_STREAMS)):
            with suppress(OSError):
                self._kept[number] = os.dup(number), _file(number)

    @contextmanager
    def kept(self, who: str) -> Iterator[None]:
        """Run a block of somebody's code: "pass load". Raises Changed when it left other
        surroundings behind; an error of its own goes on. A copy of this process that comes out of
        the block, because of a fork in it, ends here: there is one link."""
        ledger.doing(who)
        try:
            yield
        except BaseException:
            self._put_back(who)
            raise
        changed = self._put_back(who)
        if changed:
            raise Changed(" and ".join(changed))

    def _put_back(self, who: str) -> list[str]:
        if os.getpid() != self._process:
            with suppress(OSError):
                os.write(2, f"linkpipe: {who}: forked, and the copy came back: it ends\n".encode())
            os._exit(2)
        return [
            *self._moved(),
            *self._streams(),
            *self._objects(),
            *self._changed_umask(),
            *self._changed_variables(),
            *self._changed_handlers(),
        ]

    def _moved(self) -> Iterator[str]:
        if self._folder < 0:
            return
        try:
            same = _file(".") == self._where
        except OSError:
            same = True  # it is gone, which nobody can help
        if not same:
            where = os.getcwd()
            os.fchdir(self._folder)
            yield f"moved the working directory to {where}"

    def _streams(self) -> Iterator[str]:
        for number, (copy, file) in self._kept.items():
            try:
                what = "" if _file(number) == file else "replaced"
            except OSError:
                what = "closed"
            if what:
                os.dup2(copy, number)
                yield f"{what} the file of {_STREAMS[number]}"

    def _objects(self) -> Iterator[str]:
        for number, (name, stream) in enumerate(self._python.items()):
            what = "" if getattr(sys, name) is stream else "replaced"
            if stream is not None and stream.closed:
                what = "closed"
                mode = "r" if number == 0 else "w"
                stream = open(number, mode, closefd=False)  # noqa: SIM115 - closed by nobody
                self._python[name] = stream
            if what:
                setattr(sys, name, stream)
                yield f"{what} sys.{name}"

    def _read_umask(self) -> int:
        """The umask; 0 where it cannot be told. To ask the system for it is to set it, also for the
        threads that write files."""
        if self._status < 0:
            return 0
        found = re.search(rb"\nUmask:\s*([0-7]+)\n", os.pread(self._status, 256, 0))
        return int(found[1], 8) if found else 0

    def _changed_umask(self) -> Iterator[str]:
        found = self._read_umask()
        if found != self._umask:
            os.umask(self._umask)
            yield f"changed the umask to {found:03o}"

    def _changed_variables(self) -> Iterator[str]:
        now = _variables()
        if now == self._variables:
            return
        every = now.keys() | self._variables.keys()
        names = sorted(key for key in every if now.get(key) != self._variables.get(key))
        for name in names:
            if name in self._variables:
                os.environb[name] = self._variables[name]
            else:
                del os.environb[name]
        what = ", ".join(os.fsdecode(name) for name in names)
        yield f"changed environment variables: {what}"

    def _changed_handlers(self) -> Iterator[str]:
        for number, handler in self._handlers.items():
            if signal.getsignal(number) is not handler:
                with suppress(ValueError, TypeError):  # another thread; no handler of Python's
                    signal.signal(number, handler)
                yield f"changed the handler of {number.name}"

    def close(self) -> None:
        """Let go of the copies."""
        for file in (self._folder, self._status, *(copy for copy, _ in self._kept.values())):
            with suppress(OSError):
                os.close(file)


def _variables() -> dict[bytes, bytes]:
    """The environment as Python keeps it: to decode it after each pass would take milliseconds."""
    kept: dict[bytes, bytes] = vars(os.environ)["_data"]
    return kept


def _file(file: int | str) -> tuple[int, int]:
    about = os.stat(file)
    return about.st_dev, about.st_ino
