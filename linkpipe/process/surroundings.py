"""What a process shares with all code that runs in it: working directory and standard streams.

A path that the user gave means a place in the folder that the command was started in, and what is
printed goes where the user looks. Whoever runs other people's code looks afterwards whether that is
still so, and puts it back.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from linkpipe.process import ledger

_STREAMS = ("stdin", "stdout", "stderr")


class Changed(Exception):
    """Code that was called has changed the surroundings; they are as they were. ``str`` says what
    it was, in words."""


class Surroundings:
    """Working directory and standard streams as they are now. ``close`` lets go of what it takes
    to put them back."""

    def __init__(self) -> None:
        self._process = os.getpid()
        self._folder = -1
        self._kept: dict[int, tuple[int, tuple[int, int]]] = {}
        self._python = {name: getattr(sys, name) for name in _STREAMS}
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
        return [*self._moved(), *self._streams(), *self._objects()]

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

    def close(self) -> None:
        """Let go of the copies."""
        for file in (self._folder, *(copy for copy, _ in self._kept.values())):
            with suppress(OSError):
                os.close(file)


def _file(file: int | str) -> tuple[int, int]:
    about = os.stat(file)
    return about.st_dev, about.st_ino
