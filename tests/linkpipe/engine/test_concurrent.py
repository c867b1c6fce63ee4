"""Passes that run beside those behind them: what a link sees of it is time, and nothing else."""

from __future__ import annotations

import threading
import time
import weakref
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from linkpipe.engine.contract import changed
from linkpipe.engine.pass_api import Link, Pass
from linkpipe.engine.pipeline import load_pipeline
from linkpipe.engine.plan import Planned, make_plan
from linkpipe.engine.plugins import Catalog
from linkpipe.engine.releases import release_of
from linkpipe.engine.runner import Observer, run_plan
from linkpipe.errors import InputError
from linkpipe.flags.options import Options
from linkpipe.tables.mode import Mode
from tests.linkpipe.synthetic import plan_of, setter, steps

LONG = 20.0
"""Seconds after which a test has failed that waits for another thread."""


@pytest.fixture(autouse=True)
def two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINKPIPE_THREADS", "2")


class Listener(Observer):
    """Writes down what it hears of passes that have ended."""

    in_turn = False

    def __init__(self) -> None:
        self.heard: list[str] = []

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        assert seconds >= 0
        self.heard.append(f"{planned.name}: {changed(before, after)}")

    def on_error(self, planned: Planned, link: Link, error: BaseException) -> None:
        self.heard.append(f"{planned.name} {error}")


def run(folder: Path, *passes: Pass, observer: Observer | None = None, keep: bool = True) -> Link:
    plan = plan_of(folder, steps(*(each.name for each in passes)), *passes)
    return run_plan(plan, Link(), [observer] if observer else [], keep=keep)


def beside(name: str, run: Any, requires: Any = (), provides: Any = ()) -> Pass:
    return Pass(name, run, requires, provides, concurrent=True)


def waits(event: Event, **facts: Any) -> Any:
    """The work of a pass that ends when something has happened, and what it then provides."""

    def run(link: Link) -> Link:
        assert event.wait(LONG)
        return link.evolve(facts)

    return run


def test_the_passes_behind_it_go_on_until_one_needs_what_it_provides(tmp_path: Path) -> None:
    event, listener = Event(), Listener()

    def release(link: Link) -> Link:
        event.set()
        return link.evolve(y=2)

    link = run(
        tmp_path,
        beside("slow", waits(event, x=1), (), ["x"]),
        Pass("other", release, (), ["y"]),
        Pass(
            "needs", lambda link: link.evolve(z=link.fact("x") + link.fact("y")), ["x", "y"], ["z"]
        ),
        observer=listener,
    )
    assert link.fact("z") == 3
    assert link.set_by == {"x": "slow", "y": "other", "z": "needs"}
    assert listener.heard == ["other: ['y']", "slow: ['x']", "needs: ['z']"]


def test_it_sees_the_link_of_its_place_and_sets_no_more_than_it_made(tmp_path: Path) -> None:
    event = Event()

    def release(link: Link) -> Link:
        event.set()
        return link.evolve(x="new")

    def read(link: Link) -> Link:
        assert event.wait(LONG)
        return link.evolve(y=link.fact("x"))

    link = run(
        tmp_path,
        setter("first", (), ["x"]),
        beside("slow", read, ["x"], ["y"]),
        Pass("changes", release, ["x"], ["x"]),
        Pass("needs", lambda link: link.evolve(z=link.fact("y")), ["y"], ["z"]),
    )
    assert (link.fact("x"), link.fact("z")) == ("new", "first")


def refuse(link: Link) -> Link:
    raise InputError("truncated", file="b.a")


def test_the_error_of_the_pass_that_stands_first_is_the_links(tmp_path: Path) -> None:
    event, listener = Event(), Listener()

    def late(link: Link) -> Link:
        assert event.wait(LONG)
        raise InputError("damaged", file="a.a")

    def refuse_first(link: Link) -> Link:
        event.set()
        return refuse(link)

    with pytest.raises(InputError, match="damaged"):
        run(
            tmp_path, beside("slow", late), Pass("fast", refuse_first, (), ["y"]), observer=listener
        )
    assert listener.heard == ["slow damaged"]


def test_an_error_is_heard_of_when_nobody_needs_the_pass(tmp_path: Path) -> None:
    ran = []

    def note(link: Link) -> Link:
        ran.append(1)
        return link.evolve(y=1)

    last = Pass("last", note, (), ["y"])
    with pytest.raises(InputError, match="truncated"):
        run(tmp_path, beside("check", refuse), last)
    assert ran == [1]


def test_what_is_there_for_its_effect_comes_when_all_before_it_have_ended(tmp_path: Path) -> None:
    """It prints, say: not where the link fails before it."""
    printed = []

    def late(link: Link) -> Link:
        time.sleep(0.05)
        return refuse(link)

    def say(link: Link) -> Link:
        printed.append(1)
        return link

    with pytest.raises(InputError, match="truncated"):
        run(tmp_path, beside("check", late), Pass("prints", say))
    assert printed == []


def test_a_check_does_not_wait(tmp_path: Path) -> None:
    event = Event()

    def look(link: Link) -> Link:
        event.set()
        return link

    run(tmp_path, beside("slow", waits(event, x=1), (), ["x"]), Pass("check", look, checks=True))


def test_the_error_of_a_check_comes_behind_those_before_it(tmp_path: Path) -> None:
    event = Event()

    def damaged(link: Link) -> Link:
        assert event.wait(LONG)
        raise InputError("damaged", file="a.a")

    def fail(link: Link) -> Link:
        event.set()
        return refuse(link)

    with pytest.raises(InputError, match="damaged"):
        run(tmp_path, beside("slow", damaged, (), ["x"]), Pass("check", fail, checks=True))


def test_a_condition_waits_for_what_decides_it(tmp_path: Path) -> None:
    mode = Mode(external=True, iscgo=False, can_use_plugins=False, dynlink=False)

    def decide(link: Link) -> Link:
        time.sleep(0.05)
        return link.evolve(mode=mode)

    text = steps("mode", "a") + "when = { external = true }\n"
    plan = plan_of(tmp_path, text, beside("mode", decide, (), ["mode"]), setter("a", (), ["x"]))
    assert run_plan(plan, Link()).fact("x") == "a"


class Measures(Observer):
    in_turn = True


class Ends(Observer):
    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        return


class Looks(Observer):
    def on_end(self, link: Link) -> None:
        return


@pytest.mark.parametrize(
    ("observer", "alone"), [(Measures(), True), (Ends(), True), (Looks(), False)]
)
def test_an_observer_of_passes_hears_of_them_in_turn(
    tmp_path: Path, observer: Observer, alone: bool
) -> None:
    assert (thread_of(tmp_path, observer) is threading.main_thread()) == alone


def test_one_thread_is_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert thread_of(tmp_path) is not threading.main_thread()
    monkeypatch.setenv("LINKPIPE_THREADS", "1")
    assert thread_of(tmp_path) is threading.main_thread()


def test_where_no_thread_can_be_started_it_runs_at_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    assert thread_of(tmp_path) is threading.main_thread()


def thread_of(folder: Path, observer: Observer | None = None) -> Thread:
    """The thread in which a concurrent pass runs."""
    work = beside("a", lambda link: link.evolve(x=threading.current_thread()), (), ["x"])
    found = run(folder, work, observer=observer).fact("x")
    assert isinstance(found, Thread)
    return found


def test_an_interrupted_link_ends_when_it_has_ended(tmp_path: Path) -> None:
    """What it reads is unmapped behind the link."""
    ended = []

    def slow(link: Link) -> Link:
        time.sleep(0.2)
        ended.append(1)
        return link

    def interrupted(link: Link) -> Link:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, beside("slow", slow), Pass("other", interrupted, (), ["y"]))
    assert ended == [1]


def test_it_holds_nothing_of_its_link_when_it_has_ended(tmp_path: Path) -> None:
    class Table:
        """A large one."""

    held, gone = [], []

    def make(link: Link) -> Link:
        table = Table()
        held.append(weakref.ref(table))
        return link.evolve(x=table)

    def look(link: Link) -> Link:
        end = time.monotonic() + LONG
        while held[0]() is not None and time.monotonic() < end:
            time.sleep(0.01)
        gone.append(held[0]() is None)
        return link.evolve(z=1)

    run(
        tmp_path,
        Pass("make", make, (), ["x"]),
        beside("reads", lambda link: link.evolve(y=link.has("x")), ["x"], ["y"]),
        setter("replaces", ["x"], ["x"]),
        Pass("look", look, (), ["z"]),
        Pass("needs", lambda link: link, ["y", "z"]),
        keep=False,
    )
    assert gone == [True]


def test_of_the_default_pipeline_long_stretches_run_beside_others() -> None:
    """Which pass waits for each that is concurrent, in a link with default flags."""
    options = Options(buildmode="exe")
    plan = make_plan(load_pipeline(), Catalog(), options, release_of(Catalog(), ""))
    waits = {}
    for at, planned in enumerate(plan.passes):
        made = planned.run.access.writes
        behind = (
            p.name
            for p in plan.passes[at + 1 :]
            if p.run.access.reads & made or not (p.run.provides or p.run.checks or p.run.concurrent)
        )
        if planned.run.concurrent:
            waits[planned.name] = next(behind)
    assert waits == {"dwarfgather": "dwarf", "elfsymtab": "elfimage"}
