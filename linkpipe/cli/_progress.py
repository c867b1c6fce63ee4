"""A bar on the terminal while a link takes longer than a second."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from linkpipe.engine.context import Link
from linkpipe.engine.plan import Plan, Planned
from linkpipe.engine.runner import Observer

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE = 1.0
"""Seconds without one."""


class Bar(Observer):
    """Shows which pass is running, on standard error where that is a terminal; it is gone when the
    link ends."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._total = 0
        self._done = 0
        self._shown: Progress | None = None

    def on_start(self, plan: Plan, link: Link) -> None:
        """Note how many passes there are."""
        self._total = len(plan.passes)

    def before_pass(self, planned: Planned, link: Link) -> None:
        """Show the pass, when there was nothing to see for long enough."""
        if self._shown is None and time.monotonic() - self._began > _PATIENCE:
            from rich.console import Console
            from rich.progress import Progress

            self._shown = Progress(
                console=Console(stderr=True),
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._shown.add_task("", total=self._total)
            self._shown.start()
        if self._shown:
            self._shown.update(
                self._shown.task_ids[0], completed=self._done, description=planned.name
            )

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        """Count it."""
        self._done += 1

    def on_skip(self, planned: Planned, link: Link) -> None:
        """Count it, too."""
        self._done += 1

    def on_error(self, planned: Planned, link: Link, error: BaseException) -> None:
        """Make room for the message."""
        self._end()

    def on_end(self, link: Link) -> None:
        """Make room for the answer."""
        self._end()

    def _end(self) -> None:
        if self._shown:
            self._shown.stop()
            self._shown = None


def bar() -> tuple[Observer, ...]:
    """A bar, where there is a terminal to show it on."""
    return (Bar(),) if sys.stderr.isatty() else ()
