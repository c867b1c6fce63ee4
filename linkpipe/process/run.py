"""Run a command as this process: its streams, its signals, its end.

Little is imported here and in what this imports: each page of memory that the parent has made is
copied when the child first touches it.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from collections.abc import Callable

from linkpipe.process import interrupts, ledger, parent, streams


def process(
    command: Callable[[], int], *, child: bool = False, last: Callable[[], object] = bool
) -> None:
    """Run a command as this process, or as a ``child`` of it (parent.py), and end. ``last`` is
    called when its status has been noted.

    A request to end unwinds, so that temporary files go, and what was registered with atexit is
    done. The end is ``os._exit``: a link's tables are large, and to free them one by one before
    the process ends anyway takes a tenth of a small link.
    """
    streams.take()
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
    signal.pthread_sigmask(signal.SIG_BLOCK, parent.SIGNALS)  # they come too late now
    ledger.finished(status & 0xFF)
    last()
    os._exit(status & 0xFF)
