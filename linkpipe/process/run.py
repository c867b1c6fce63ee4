"""Run a command as this process: its streams, its signals, its end.

Little is imported here and in what this imports: each page of memory that the parent has made is
copied when the child first touches it.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import signal
import sys
from collections.abc import Callable

from linkpipe.process import interrupts, ledger, parent


def process(command: Callable[[], int], *, child: bool = False) -> None:
    """Run a command as this process, or as a ``child`` of it (parent.py), and end.

    A request to end unwinds, so that temporary files go, and what was registered with atexit is
    done. The end is ``os._exit``: a link's tables are large, and to free them one by one before
    the process ends anyway takes a tenth of a small link.
    """
    _open_streams()
    # A link makes many objects that live until it ends, and no cycles to speak of.
    gc.disable()
    for number in parent.SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, interrupts.end)
    if child:
        parent.fork()
    try:
        status = command()
    except SystemExit as e:
        status = e.code if isinstance(e.code, int) else 1
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:  # a command drops a stream that nobody reads any more
                stream.flush()
        except (OSError, ValueError):
            status = status or 1
    ledger.finished(status & 0xFF)
    os._exit(status & 0xFF)


class _Lossy(io.FileIO):
    """A file that takes what it has no room for."""

    def write(self, content: bytes | memoryview, /) -> int:  # type: ignore[override]  # no array
        """Write what there is room for; the number of bytes that have been seen to."""
        try:
            return super().write(content)
        except OSError:
            return memoryview(content).nbytes


def _open_streams() -> None:
    """Let the standard streams be there, and messages be no reason to fail.

    A stream that was closed is /dev/null now, or else the next file that is opened would be it.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # As standard error does: what cannot be written where only ASCII can be is no failure.
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.stderr = io.TextIOWrapper(
        io.BufferedWriter(_Lossy(2, "w", closefd=False)),
        encoding=getattr(sys.stderr, "encoding", None) or "utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )
