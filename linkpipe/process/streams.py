"""The standard streams of a process, which need not be there, or take what is written to them."""

from __future__ import annotations

import io
import os
import sys


class _Lossy(io.FileIO):
    """A file that takes what it has no room for."""

    def write(self, content: bytes | memoryview, /) -> int:  # type: ignore[override]  # no array
        """Write what there is room for; the number of bytes that have been seen to."""
        try:
            return super().write(content)
        except OSError:
            return memoryview(content).nbytes


def be_there() -> None:
    """A stream that was closed is /dev/null now, or else the next file that is opened would be
    it."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def take() -> None:
    """Let the streams be there, and messages be no reason to fail."""
    be_there()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # As standard error does: what cannot be written where only ASCII can be is no failure.
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(_Lossy(2, "w", closefd=False)),
        encoding=getattr(sys.stderr, "encoding", None) or "utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )


def open_again() -> None:
    """Make streams as Python does when it starts, of the files that are there now."""
    encoding, errors = sys.stdout.encoding, sys.stdin.errors
    # They are open to the end.
    sys.stdin = open(0, encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115 - to the end
    sys.stdout = open(1, "w", encoding=encoding, errors=errors, closefd=False)  # noqa: SIM115 - to the end
