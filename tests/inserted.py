"""Programs of the conformance suite linked with one more pass, without a package that brings it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from linkpipe import api
from linkpipe.engine import plan as plans
from linkpipe.engine import session
from linkpipe.engine.pipeline import Step
from tests.conformance.programs import inputs, table
from tests.conformance.toolchain import goroot


def link_with_pass(
    monkeypatch: pytest.MonkeyPatch,
    step: api.Pass,
    after: str,
    output: Path,
    *,
    program: str = "hello",
    flags: tuple[str, ...] = (),
    until: str = "",
) -> api.Link:
    """The link of a program with ``step`` behind the pass ``after``, "": before all."""
    make = plans.make_plan

    def made(*args: Any, **named: Any) -> api.Plan:
        plan = make(*args, **named)
        at = ["", *(planned.name for planned in plan.passes)].index(after)
        one = api.Planned(Step(step.name), step, None, {})
        barriers = tuple(attrs.evolve(each, at=each.at + (each.at >= at)) for each in plan.barriers)
        passes = (*plan.passes[:at], one, *plan.passes[at:])
        return attrs.evolve(plan, passes=passes, barriers=barriers)

    given = inputs(table()[program])
    variables = {**given.environment(), "GOROOT": str(goroot())}
    with monkeypatch.context() as patch:
        patch.setattr(session, "make_plan", made)
        arguments = [*given.flags, *flags, str(given.main)]
        return api.link(arguments, output=str(output), variables=variables, until=until)
