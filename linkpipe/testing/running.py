"""One pass, run as a link runs it."""

from __future__ import annotations

from typing import Any

from linkpipe.engine.context import Link
from linkpipe.engine.pass_api import Pass
from linkpipe.engine.pipeline import Step
from linkpipe.engine.plan import Plan, Planned
from linkpipe.engine.runner import run_plan
from linkpipe.observe.check import Check


def run_pass(step: Pass, link: Link, options: Any = None) -> Link:
    """Run a pass on a link: it can read and set only what it declared, and what it returns is
    checked as ``linkpipe link -check`` does. ``options`` is an object of the pass's options class,
    that class's defaults when None.

    Raises PassError when the pass breaks its word, and whatever else a link would show.
    """
    if step.options is not None and options is None:
        options = step.options()
    planned = Planned(Step(step.name), step, options, {})
    return run_plan(Plan((planned,), ()), link, [Check()])
