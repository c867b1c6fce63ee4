"""Work that goes on beside the passes, and its results.

A pass may start what takes its time (a compiler that is asked what it can do) and leave it to a
later pass to wait for it. Between the two a fact holds the result and nothing that runs: the work
belongs to the runner, which ends it with the link, whichever way that ends.

    @linkpass(provides=("acme.answer",))
    def acme_ask(link: Link) -> Link:
        return link.evolve({"acme.answer": link.start(Question("..."))})

    @linkpass(requires=("acme.answer",), ...)
    def acme_use(link: Link) -> Link:
        answer = link.fact("acme.answer").value
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from functools import cached_property
from typing import Generic, Protocol, TypeVar

import attrs

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Work(Protocol[T_co]):
    """Something that has been started."""

    def wait(self) -> T_co:
        """Wait for the result; called once, or never."""

    def close(self) -> None:
        """Stop what still runs, and tidy up; called once, behind ``wait`` or instead of it."""


@attrs.frozen(eq=False, repr=False)
class Result(Generic[T]):
    """The result of work: written once, by the first who asks."""

    _wait: Callable[[], T]

    @cached_property
    def value(self) -> T:
        """The result; waits for it. Raises what the work raises, RuntimeError when the link that it
        was a part of has ended."""
        return self._wait()


class Background:
    """The work of one link."""

    def __init__(self) -> None:
        self._running: list[Work[object]] = []

    def start(self, work: Work[T]) -> Result[T]:
        """Own the work from here on."""
        self._running.append(work)
        return Result(lambda: self._wait(work))

    def _wait(self, work: Work[T]) -> T:
        if work not in self._running:
            raise RuntimeError("the link that this was a part of has ended, or it has failed")
        self._running.remove(work)
        try:
            return work.wait()
        finally:
            work.close()

    def close(self) -> None:
        """End what nobody waited for."""
        with ExitStack() as stack:
            while self._running:
                stack.callback(self._running.pop(0).close)


def at_once(work: Work[T]) -> Result[T]:
    """The result of work that is waited for now, where no runner owns it."""
    with closing(Background()) as background:
        result = background.start(work)
        result.value  # noqa: B018 - remembered
        return result
