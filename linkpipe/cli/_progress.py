"""A bar on the terminal while something takes longer than a second."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, Timer
from typing import TYPE_CHECKING

import click

from linkpipe.engine.context import Link
from linkpipe.engine.plan import Plan, Planned
from linkpipe.engine.runner import Observer

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE = 1.0
"""Seconds without one."""


class Bar(Observer):
    """Shows what is done, and of a link which pass is running; it is gone when it ends.

    Attributes:
        text: what is done.
        done, total: how much of it is; ``total`` is None where nobody knows.
    """

    def __init__(self, text: str) -> None:
        self.text, self.done = text, 0
        self.total: int | None = None
        self._lock, self._ended = Lock(), False
        self._shown: Progress | None = None
        self._timer = Timer(max(_PATIENCE, 0), self._show)
        self._timer.daemon = True

    def start(self) -> None:
        """Show it in a while."""
        self._timer.start()

    def end(self) -> None:
        """Make room for what comes after it."""
        self._timer.cancel()
        with self._lock:
            self._ended = True
            if self._shown:
                self._shown.stop()
                self._shown = None

    def told(self, done: int, total: int, text: str = "") -> None:
        """So much is done."""
        self.done, self.total, self.text = done, total, text or self.text
        with self._lock:
            self._update()

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import Progress

        with self._lock:
            if self._ended:
                return
            self._shown = Progress(
                console=Console(stderr=True),
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._shown.add_task(self.text, total=self.total)
            self._shown.start()

    def _update(self) -> None:
        if self._shown:
            task = self._shown.task_ids[0]
            self._shown.update(task, completed=self.done, total=self.total, description=self.text)

    def on_start(self, plan: Plan, link: Link) -> None:
        """Note how many passes there are."""
        self.told(0, len(plan.passes))

    def before_pass(self, planned: Planned, link: Link) -> None:
        """Show the pass."""
        self.told(self.done, self.total or 0, planned.name)

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        """Count it."""
        self.done += 1

    def on_skip(self, planned: Planned, link: Link) -> None:
        """Count it, too."""
        self.done += 1


@contextmanager
def progress(text: str) -> Iterator[Bar]:
    """A bar while something is done, where there is a terminal to show it on, and no program that
    reads JSON."""
    bar = Bar(text)
    context = click.get_current_context(silent=True)
    form = context.params.get("form") if context else ""
    if sys.stderr.isatty() and (form != "json" or sys.stdout.isatty()):
        bar.start()
    try:
        yield bar
    finally:
        bar.end()
