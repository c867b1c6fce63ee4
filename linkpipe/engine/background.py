"""What outlasts a pass: work that goes on beside the passes, and what is settled at the end.

A pass may start what takes its time (a compiler that is asked what it can do) and leave it to a
later pass to wait for it. Between the two a fact holds the result and nothing that runs: the work
belongs to the runner, which ends it with the link, whichever way that ends.

    @linkpass(provides=("acme.answer",))
    def acme_ask(link: Link) -> Link:
        return link.evolve({"acme.answer": link.start(Question("..."))})

    @linkpass(requires=("acme.answer",), ...)
    def acme_use(link: Link) -> Link:
        answer = link.fact("acme.answer").value

What a link replaces is replaced last, when all passes have run and all observers are content: what
a pass enters in ``link.until_end()`` is left with the link, by the error that the link fails with
if it does.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from linkpipe.values import record

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Work(Protocol[T_co]):
    """Something that has been started."""

    def wait(self) -> T_co:
        """Wait for the result; called once, or never."""

    def close(self) -> None:
        """Stop what still runs, and tidy up; called once, behind ``wait`` or instead of it."""


@record
class Result(Generic[T]):
    """The result of work: written once, by the first who asks."""

    _wait: Callable[[], T]

    @cached_property
    def value(self) -> T:
        """The result; waits for it. Raises what the work raises, RuntimeError when the link that it
        was a part of has ended."""
        return self._wait()


class Background:
    """What outlasts the passes of one link, which is the block that it is entered for."""

    def __init__(self) -> None:
        self._running: list[Work[object]] = []
        self._entered = ExitStack()

    def __enter__(self) -> Self:
        return self

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

    def keep(self, entered: ExitStack) -> None:
        """Leave all that was entered when the link ends; what came last is left first."""
        self._entered.push(entered)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """End what nobody waited for, then leave what was entered."""
        last = ExitStack()
        last.push(self._entered)
        for work in self._running:
            last.callback(work.close)
        self._running.clear()
        return last.__exit__(kind, error, trace)


def at_once(work: Work[T]) -> Result[T]:
    """The result of work that is waited for now, where no runner owns it."""
    with Background() as background:
        result = background.start(work)
        result.value  # noqa: B018 - remembered
        return result
