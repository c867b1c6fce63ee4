"""Work beside the passes: its result is written once, and nothing outlives the link."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from linkpipe.engine.pass_api import Link, Pass
from linkpipe.engine.runner import run_plan
from linkpipe.errors import PassError
from linkpipe.observe.check import Check
from linkpipe.observe.mutable import mutable
from tests.linkpipe.synthetic import plan_of, steps


@attrs.define(eq=False)
class Counting:
    """Work that says what was done to it."""

    told: list[str] = attrs.field(factory=list)
    fails: str = ""

    def wait(self) -> int:
        self.told.append("wait")
        if self.fails == "wait":
            raise ValueError("no result")
        return 7

    def close(self) -> None:
        self.told.append("close")
        if self.fails == "close":
            raise ValueError("not closed")


def starts(*work: Counting) -> Pass:
    def run(link: Link) -> Link:
        return link.evolve({"acme.results": tuple(link.start(one) for one in work)})

    return Pass("acme.start", run, (), ["acme.results"])


def asks(*found: Any) -> Pass:
    def run(link: Link) -> Link:
        results = link.fact("acme.results")
        return link.evolve({"acme.sum": sum(result.value for result in (*results, *results))})

    return Pass("acme.ask", run, ["acme.results"], ["acme.sum"])


def fails(link: Link) -> Link:
    raise ValueError("on purpose")


def run(folder: Path, *passes: Pass) -> Link:
    """With the check on: a result is no finding."""
    plan = plan_of(folder, steps(*(p.name for p in passes)), *passes)
    return run_plan(plan, Link({}), [Check()])


def test_the_result_is_written_once(tmp_path: Path) -> None:
    work = Counting()
    link = run(tmp_path, starts(work), asks())
    assert work.told == ["wait", "close"]
    (result,) = link.fact("acme.results")
    assert (result.value, link.fact("acme.sum")) == (7, 14)
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        result.value = 8
    assert list(mutable(result, "t")) == []


def test_what_nobody_waited_for_ends_with_the_link(tmp_path: Path) -> None:
    work = Counting()
    link = run(tmp_path, starts(work))
    assert work.told == ["close"]
    with pytest.raises(RuntimeError, match="has ended"):
        link.fact("acme.results")[0].value  # noqa: B018 - asks for it


def test_and_with_a_link_that_fails(tmp_path: Path) -> None:
    """All of it, though some of it fails to close."""
    work, other = Counting(), Counting(fails="close")
    with pytest.raises((PassError, ValueError)):
        run(tmp_path, starts(work, other), Pass("acme.fail", fails))
    assert work.told == other.told == ["close"]


def test_work_that_fails_fails_the_pass_that_asks(tmp_path: Path) -> None:
    work = Counting(fails="wait")
    with pytest.raises(PassError, match="pass acme.ask: crashed with ValueError: no result"):
        run(tmp_path, starts(work), asks())
    assert work.told == ["wait", "close"]


def test_outside_of_a_run_it_is_waited_for_at_once() -> None:
    work = Counting()
    result = Link({}).start(work)
    assert work.told == ["wait", "close"]
    assert result.value == 7
