"""Warn of ``-X`` definitions that have no effect, on standard error."""

from __future__ import annotations

import sys

from linkpipe.ask.unused_x import unused_x
from linkpipe.engine.context import Link
from linkpipe.engine.plan import Planned
from linkpipe.engine.runner import Observer


class WarnX(Observer):
    """Observer "warn-x"."""

    in_turn = False

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        """Warn as soon as it is known what the program needs. A variable that is no string ends
        the link with an error of its own."""
        if "graph" not in after.facts or "graph" in before.facts:
            return
        for each in unused_x(after).unused:
            if each.kind != "not-a-string":
                near = f"; did you mean {' or '.join(each.near)}?" if each.near else ""
                sys.stderr.write(
                    f"linkpipe: warning: -X {each.name} has no effect: {each.why}{near}\n"
                )
