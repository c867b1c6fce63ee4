"""Passes that run beside the passes behind them.

A pass that is ``concurrent`` is started where it stands, in a thread, with the Link as it is there;
the passes behind it go on until one needs what it provides. A Link is immutable, so nothing but
time tells the difference: who needs a fact gets it, and the error of the pass that stands first is
the link's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from contextvars import copy_context
from threading import Thread
from typing import Any, Self

from linkpipe.engine.context import Link
from linkpipe.engine.contract import with_facts
from linkpipe.engine.plan import Planned
from linkpipe.errors import Terminated

Work = Callable[[], Mapping[str, Any]]
"""Runs a pass: the facts that it has set."""


class Started(Thread):
    """A pass in a thread. When it has ended it holds nothing of the Link that it was given.

    Attributes:
        planned: the pass in its place.
        seconds: wall time that it took.
    """

    def __init__(self, planned: Planned, work: Work) -> None:
        super().__init__(name=planned.name)
        self.planned = planned
        self.seconds = 0.0
        self._context = copy_context()
        self._work: Work | None = work
        self._made: Mapping[str, Any] = {}
        self._error: BaseException | None = None

    def run(self) -> None:
        """What the thread does."""
        begun = time.perf_counter()
        assert self._work is not None
        try:
            self._made = self._context.run(self._work)
        except BaseException as e:
            self._error = e
        self._work = None
        self.seconds = time.perf_counter() - begun

    def onto(self, link: Link) -> Link:
        """A Link of a later place in the plan with what the pass has set. Waits for the pass;
        raises what it raised."""
        self.join()
        if self._error is not None:
            raise self._error
        return with_facts(link, self._made, self.name)


class Concurrent:
    """The passes of one link that run beside others, which is the block that it is entered for."""

    def __init__(self) -> None:
        self._started: list[Started] = []

    def __enter__(self) -> Self:
        return self

    def start(self, planned: Planned, work: Work) -> bool:
        """Start a pass; False where there are no more threads for this user."""
        new = Started(planned, work)
        with suppress(RuntimeError):
            new.start()
            self._started.append(new)
        return new.ident is not None

    def providing(self, facts: Collection[str] | None = None) -> Iterator[Started]:
        """Passes in order: up to the last that provides one of ``facts``, all when none are given.
        Who takes one waits for it before the next."""
        wanted = [
            at
            for at, one in enumerate(self._started, 1)
            if facts is None or not one.planned.run.access.writes.isdisjoint(facts)
        ]
        for one in self._started[: max(wanted, default=0)]:
            yield one
            self._started.remove(one)

    def __exit__(self, *error: object) -> None:
        """Wait for all, whatever has happened: what they read must not go before they do."""
        for one in self._started:
            while one.is_alive():
                with suppress(KeyboardInterrupt, Terminated):
                    one.join()
