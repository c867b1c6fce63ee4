"""Log each pass with structlog, to standard error."""

from __future__ import annotations

import os
import sys
from typing import Any

import attrs
import structlog

from linkpipe import server
from linkpipe.engine.context import Link
from linkpipe.engine.contract import changed
from linkpipe.engine.places import misplaced
from linkpipe.engine.plan import Plan, Planned
from linkpipe.engine.runner import Observer


@attrs.frozen
class LogOptions:
    """Attributes:
    format: "text", or "json" for lines of JSON.
    """

    format: str = attrs.field(default="text", validator=attrs.validators.in_(("text", "json")))


class Log(Observer):
    """Observer "log"."""

    options = LogOptions

    def __init__(self, options: LogOptions) -> None:
        colors = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        renderer: Any = structlog.dev.ConsoleRenderer(colors=colors)
        if options.format == "json":
            renderer = structlog.processors.JSONRenderer(sort_keys=True)
        self._log = structlog.wrap_logger(
            structlog.PrintLogger(sys.stderr),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper("iso"),
                renderer,
            ],
        )
        if options.format == "json":
            self._log = self._log.bind(schema="linkpipe.log/1")

    def on_start(self, plan: Plan, link: Link) -> None:
        """Log the plan."""
        self._log = self._log.bind(output=link.options.o)
        self._log.info(
            "plan",
            passes=[planned.name for planned in plan.passes],
            skipped=[step.name for step in plan.skipped],
            **({"linked": server.told} if server.told else {}),
        )
        for words in misplaced(plan):
            self._log.warning("misplaced", why=words)

    def before_pass(self, planned: Planned, link: Link) -> None:
        """Log the pass that starts."""
        self._log.debug("start", **{"pass": planned.name})

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        """Log what it changed."""
        facts = changed(before, after)
        sizes = {
            fact: len(after.facts[fact]) for fact in facts if hasattr(after.facts[fact], "__len__")
        }
        self._log.info(
            "done",
            **{"pass": planned.name},
            ms=round(seconds * 1000, 1),
            changed=facts,
            sizes=sizes,
        )

    def on_skip(self, planned: Planned, link: Link) -> None:
        """Log that a condition ruled it out."""
        self._log.info("skipped", **{"pass": planned.name}, when=dict(planned.when))

    def on_error(self, planned: Planned, link: Link, error: BaseException) -> None:
        """Log the failure; the command prints the error itself."""
        self._log.error("failed", **{"pass": planned.name}, error=type(error).__name__)
