"""Requests to end (signals), as exceptions: raised once, and not between what belongs together."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_ending = False
_held = False
_waiting = 0


def end(number: int, _: object) -> None:
    """Unwind (a handler of signals). What tidies up is not to be interrupted by the next signal: a
    terminal sends one to parent and child, and the parent hands on its own."""
    global _ending, _waiting  # noqa: PLW0603 - of this process
    if _held:
        _waiting = number
        return
    if _ending:
        return
    _ending = True
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    from linkpipe.errors import Terminated

    raise Terminated(128 + number)


@contextmanager
def held() -> Iterator[None]:
    """A short block that is not interrupted, but after it: another process is started and written
    down, so that it can be ended."""
    global _held, _waiting  # noqa: PLW0603 - of this process
    _held = True
    try:
        yield
    finally:
        _held = False
    number, _waiting = _waiting, 0
    if number:
        end(number, None)
