"""A warning of passes whose work comes too late, and is for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linkpipe.engine.runner import Observer
from linkpipe.output.stdout import say

if TYPE_CHECKING:
    from linkpipe.engine.context import Link
    from linkpipe.engine.plan import Plan


class Misplaced(Observer):
    """Warns on standard error, for every link by a command."""

    @property
    def wants_link(self) -> bool:
        """Nothing is linked for it."""
        return False

    def on_start(self, plan: Plan, link: Link) -> None:
        """Only a file beside the default pipeline puts passes where they should not be."""
        if len({planned.step.place.file for planned in plan.passes}) < 2:
            return
        from linkpipe.engine.places import misplaced

        for words in misplaced(plan):
            say(f"linkpipe: warning: {words}\n", 2)
