"""What a link needs of the process that asks for it, so that all is as if it were done there.

Arguments, environment, umask, limits, priority, processors, blocked and ignored signals are written
down by one and taken on by the other; working directory and standard streams are handed over as
files. The two are the same Python (place.py), so the text between them is marshal's.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal makes enums of it, which takes 6 ms
import marshal
import os
import resource
import time

TYPE_CHECKING = False  # typing's takes longer to import than all of these
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

SIGNALS: tuple[int, ...] = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP, _signal.SIGQUIT)
"""Requests to end, as in linkpipe/process/parent.py."""

_EVERY = sorted(map(int, _signal.valid_signals()))
LIMITS = sorted({getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")})


class Refused(Exception):
    """This process cannot become like the one that asks: ``str`` says in what, in words."""


def write(
    kind: str, identity: bytes, args: Sequence[str], tool: str, blocked: Iterable[int]
) -> bytes:
    """This process, as bytes. ``kind`` is what it asks for, and of whom ``identity``; ``blocked``
    are the signals that are, but for a while."""
    mask = os.umask(0o077)
    os.umask(mask)
    return marshal.dumps(
        {
            "kind": kind,
            "identity": identity,
            "args": list(args),
            "tool": tool,
            "variables": dict(os.environb),
            "umask": mask,
            "limits": [(number, *resource.getrlimit(number)) for number in LIMITS],
            "priority": os.getpriority(os.PRIO_PROCESS, 0),
            "processors": sorted(os.sched_getaffinity(0)),
            "ignored": [n for n in _EVERY if _signal.getsignal(n) == _signal.SIG_IGN],
            "blocked": list(map(int, blocked)),
            "caller": os.getppid(),
            "spent": time.process_time(),
        }
    )


def read(file: int) -> dict[str, Any]:
    """What was written."""
    asked: dict[str, Any] = marshal.loads(os.pread(file, os.fstat(file).st_size, 0))
    return asked


def take_on(asked: dict[str, Any], folder: int, streams: Sequence[int]) -> None:
    """Be like the process that wrote ``asked``, with its working directory and its streams, as
    open files. Raises Refused where the kernel does not let it."""
    what = "working directory"
    try:
        os.fchdir(folder)
        what = "limits"
        for number, soft, hard in asked["limits"]:
            if resource.getrlimit(number) != (soft, hard):
                resource.setrlimit(number, (soft, hard))
        what = "priority"
        if os.getpriority(os.PRIO_PROCESS, 0) != asked["priority"]:
            os.setpriority(os.PRIO_PROCESS, 0, asked["priority"])
        what = "processors"
        if sorted(os.sched_getaffinity(0)) != asked["processors"]:
            os.sched_setaffinity(0, asked["processors"])
    except (OSError, ValueError) as e:
        raise Refused(f"the server cannot take on the {what} of this process") from e
    os.umask(asked["umask"])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environb.clear()
    os.environb.update(asked["variables"])
    time.tzset()
    for number in _EVERY:
        handler = _signal.SIG_IGN if number in asked["ignored"] else _signal.SIG_DFL
        if _signal.getsignal(number) != handler:
            _signal.signal(number, handler)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, asked["blocked"])
