from __future__ import annotations

import inspect
import io
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linkpipe.engine.context import Fact
from linkpipe.engine.contract import _declared, changed
from linkpipe.engine.pass_api import Link, Pass
from linkpipe.engine.plan import Plan, Planned
from linkpipe.engine.runner import Observer, run_plan
from linkpipe.errors import InputError, ObserverError, PassError, UserError
from linkpipe.tables.mode import Mode
from tests.linkpipe.synthetic import Greeting, plan_of, setter, steps


class Recorder(Observer):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_start(self, plan: Any, link: Link) -> None:
        self.heard.append("start")

    def before_pass(self, planned: Planned, link: Link) -> None:
        self.heard.append(f"before {planned.name}")

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        assert seconds >= 0
        self.heard.append(f"after {planned.name}: {changed(before, after)}")

    def on_skip(self, planned: Planned, link: Link) -> None:
        self.heard.append(f"skip {planned.name}")

    def on_error(self, planned: Planned, link: Link, error: BaseException) -> None:
        self.heard.append(f"error {planned.name} {type(error).__name__}")

    def on_end(self, link: Link) -> None:
        self.heard.append("end")


def synthetic(name: str) -> Any:
    """A value of a class of that name."""
    return type(name, (), {})()


def crash(link: Link) -> Link:
    raise KeyError("oops")


class Farewell(BaseException):
    """What no handler of a library's catches."""


def leave(link: Link) -> Link:
    raise GeneratorExit


def leave_otherwise(link: Link) -> Link:
    raise Farewell


def wander(link: Link) -> Link:
    os.chdir("/")
    return link.evolve(y=1)


def hush(link: Link) -> Link:
    os.close(1)
    os.dup2(0, 2)
    return link.evolve(y=1)


def replace_stderr(link: Link) -> Link:
    sys.stderr = io.StringIO()
    return link.evolve(y=1)


def run(tmp_path: Path, *passes: Pass, link: Link | None = None) -> tuple[Link, list[str]]:
    recorder = Recorder()
    plan = plan_of(tmp_path, steps(*(p.name for p in passes)), *passes)
    try:
        return run_plan(plan, link or Link(), [recorder]), recorder.heard
    except BaseException as e:
        e.add_note(str(recorder.heard))
        raise


def test_passes_run_in_order_and_observers_hear_of_it(tmp_path: Path) -> None:
    link, heard = run(tmp_path, setter("a", (), ["x"]), setter("b", ["x"], ["y"]))
    assert (link.fact("x"), link.fact("y")) == ("a", "b")
    assert heard == [
        "start",
        "before a",
        "after a: ['x']",
        "before b",
        "after b: ['y']",
        "end",
    ]


def test_the_link_that_comes_back_is_free(tmp_path: Path) -> None:
    link, _ = run(tmp_path, setter("a", (), ["x"]))
    assert link.access is None
    assert link.providers == {"x": ("a",)}


def test_facts_that_nobody_will_read_are_let_go(tmp_path: Path) -> None:
    """So that tables make room for those that replace them; what a pass may read is there."""
    seen: dict[str, set[str]] = {}

    def look(link: Link) -> Link:
        seen["look"] = set(link.facts)
        return link.evolve(z=1)

    passes = [
        setter("a", (), ["x"]),
        setter("b", ["x"], ["y"]),
        Pass("look", look, requires=("y",), provides=("z",), optional=("w",)),
        setter("c", ["z"], ["last"]),
    ]
    plan = plan_of(tmp_path, steps(*(p.name for p in passes)), *passes)
    given = Link({"options": "o", "arch": "a", "w": "kept", "unread": "gone"})
    end = run_plan(plan, given, keep=False)
    assert seen["look"] == {"options", "arch", "w", "y"}
    assert set(end.facts) == {"options", "arch"}
    run_plan(plan, given)
    assert seen["look"] == {"options", "arch", "w", "y", "x", "unread"}
    run_plan(plan, given, [Early()], keep=False)
    assert "x" not in seen["look"], "who only hears of the start wants nothing more"
    run_plan(plan, given, [Early(), Late()], keep=False)
    assert "x" in seen["look"], "an observer may want to see it"


def test_facts_by_which_files_are_named_are_kept(tmp_path: Path) -> None:
    first = setter("a", (), ["x"])
    given = Link({"options": "o", "arch": "a", "symbols": 1, "objects": 2, "graph": 3})
    end = run_plan(plan_of(tmp_path, steps("a"), first), given, keep=False)
    assert set(end.facts) == {"options", "arch", "symbols", "objects"}


class Early(Observer):
    def on_start(self, plan: Plan, link: Link) -> None:
        pass


class Late(Observer):
    def on_end(self, link: Link) -> None:
        pass


def test_options_reach_the_pass(tmp_path: Path) -> None:
    def greet(link: Link, options: Greeting) -> Link:
        return link.evolve({"x": options.text})

    link, _ = run(tmp_path, Pass("greet", greet, provides=["x"], options=Greeting))
    assert link.fact("x") == "hello"


def mask(link: Link) -> Link:
    os.umask(0o123)
    return link.evolve(y=1)


def redecorate(link: Link) -> Link:
    os.environ["A_NEW_VARIABLE"] = "1"
    os.environ["HOME"] = "/nowhere"
    del os.environ["PATH"]
    return link.evolve(y=1)


def deafen(link: Link) -> Link:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return link.evolve(y=1)


def surroundings() -> list[object]:
    streams = [(about.st_dev, about.st_ino) for about in map(os.fstat, range(3))]
    os.umask(umask := os.umask(0))
    handler = signal.getsignal(signal.SIGTERM)
    return [os.getcwd(), sys.stderr, *streams, umask, dict(os.environ), handler]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda link: link.evolve({"z": 1}), "sets the fact 'z', which it has not declared"),
        (lambda link: link.fact("z"), "reads the fact 'z', which it has not declared"),
        (lambda link: link, "did not set the fact `y`"),
        (lambda link: None, "returned NoneType, not a Link"),
        (crash, "crashed with KeyError: 'oops'"),
        (lambda link: sys.exit(3), "crashed with SystemExit: 3"),
        (leave, "crashed with GeneratorExit: "),
        (leave_otherwise, "crashed with Farewell: "),
        (wander, "moved the working directory to /"),
        (hush, "closed the file of stdout and replaced the file of stderr"),
        (replace_stderr, "replaced sys.stderr"),
        (mask, "changed the umask to 123"),
        (redecorate, "changed environment variables: A_NEW_VARIABLE, HOME, PATH"),
        (deafen, "changed the handler of SIGTERM"),
        (lambda link: Link({}), "lost the fact `x`"),
        (lambda link: Link({**link.facts, "x": 2, "y": 1}), "sets the fact `x`, which it has not"),
        (lambda link: link.evolve(y=None), "set the fact `y` to a value of type NoneType"),
    ],
)
def test_a_pass_that_breaks_its_contract_is_named(
    tmp_path: Path, broken: Any, message: str
) -> None:
    """It, and not the pass after it. Working directory, streams, umask, variables and handlers are
    as they were."""
    good, after = setter("good", (), ["x"]), setter("after", ["x", "y"])
    before = surroundings()
    with pytest.raises(PassError, match="^pass bad: ") as caught:
        run(tmp_path, good, Pass("bad", broken, provides=["y"]), after)
    assert message in caught.value.message
    assert surroundings() == before
    assert caught.value.remedy
    assert caught.value.exit_status == 2
    assert "\towner: sample 1.0\n" in caught.value.render()


@pytest.mark.parametrize(
    ("fact", "wrong", "right", "expected"),
    [
        ("symbols", 3, synthetic("Symbols"), "Symbols"),
        ("mode", "external", Mode(True, False, False, False), "Mode"),
        ("moduledata", "7", 7, "int"),
        ("text_order", [1, 2], np.zeros(2, np.int32), "ndarray of int32"),
        ("trampolines", [], {}, "Mapping"),
        ("inittasks", [], (), "tuple"),
        ("output", b"a.out", "a.out", "str"),
    ],
)
def test_a_fact_has_the_type_that_link_declares(
    tmp_path: Path, fact: str, wrong: Any, right: Any, expected: str
) -> None:
    def sets(value: Any) -> Pass:
        return Pass("sets", lambda link: link.evolve({fact: value}), provides=[fact])

    link, _ = run(tmp_path, sets(right))
    assert link.fact(fact) is right
    with pytest.raises(PassError) as caught:
        run(tmp_path, sets(wrong), setter("next", [fact]))
    assert caught.value.message == (
        f"set the fact `{fact}` to a value of type {type(wrong).__name__}, expected {expected}"
    )


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (np.zeros(10), "ndarray of float64"),
        (np.zeros((2, 5), np.uint8), "ndarray of uint8, 2-dimensional"),
        (b"abc", "bytes"),
        (None, "NoneType"),
    ],
)
def test_an_image_is_bytes_in_a_row(tmp_path: Path, wrong: Any, told: str) -> None:
    """What is written as it is must not be numbers of another width."""
    sets = Pass("sets", lambda link: link.evolve(image=wrong), provides=["image"])
    with pytest.raises(PassError) as caught:
        run(tmp_path, sets)
    assert caught.value.message == (
        f"set the fact `image` to a value of type {told}, expected ndarray of uint8"
    )


def test_every_declared_type_is_understood() -> None:
    """One that is not would let any value pass."""
    for name, value in vars(Link).items():
        if isinstance(value, Fact):
            assert _declared(name)[0], name


def test_what_passes_share_does_not_know_their_names(tmp_path: Path) -> None:
    def shared(link: Link) -> Link:
        raise PassError("asks too early")

    with pytest.raises(PassError, match="^pass eager: asks too early") as caught:
        run(tmp_path, Pass("eager", shared))
    assert caught.value.owner == "sample 1.0"


def test_a_crash_says_where(tmp_path: Path) -> None:
    """In the pass's own code, however deep in somebody else's it came to pass."""
    with pytest.raises(PassError) as caught:
        run(tmp_path, Pass("bad", lambda link: json.loads("{")))
    line = inspect.getsourcelines(test_a_crash_says_where)[1] + 3
    assert caught.value.at == f"{__file__}:{line}"


class Faulty(Recorder):
    """Fails when it hears of one thing."""

    def __init__(self, method: str) -> None:
        super().__init__()
        setattr(self, method, self.fail)

    def fail(self, *told: Any) -> None:
        raise ZeroDivisionError("division by zero")


@pytest.mark.parametrize(
    ("method", "of"),
    [
        ("on_start", ""),
        ("before_pass", ", of the pass a"),
        ("after_pass", ", of the pass a"),
        ("on_skip", ", of the pass b"),
        ("on_end", ""),
    ],
)
def test_a_faulty_observer_is_named(tmp_path: Path, method: str, of: str) -> None:
    mode = Mode(external=False, iscgo=False, can_use_plugins=False, dynlink=False)
    a = Pass("a", lambda link: link.evolve(mode=mode), (), ["mode"])
    text = steps("a", "b") + "when = { external = true }\n"
    plan = plan_of(tmp_path, text, a, setter("b"))
    with pytest.raises(ObserverError) as caught:
        run_plan(plan, Link(), [Faulty(method)])
    what = f"the observer {__name__}.Faulty failed in {method}{of}"
    assert caught.value.message == f"{what}: ZeroDivisionError: division by zero"
    assert f"test_runner.py:{inspect.getsourcelines(Faulty.fail)[1] + 1}" in caught.value.remedy


class Duck:
    """Has one method of an observer's, and no other."""

    def on_start(self, plan: Plan, link: Link) -> None:
        return


class Hidden(Observer):
    """Has a method that cannot be had."""

    @property
    def after_pass(self) -> Any:
        raise ZeroDivisionError("division by zero")


@pytest.mark.parametrize(
    ("observer", "failed"),
    [(Duck(), "Duck failed in before_pass"), (Hidden(), "Hidden failed in after_pass")],
)
def test_what_is_no_observer_is_named_when_it_is_needed(
    tmp_path: Path, observer: Any, failed: str
) -> None:
    with pytest.raises(ObserverError, match=failed):
        run_plan(plan_of(tmp_path, steps("a"), setter("a")), Link(), [observer], keep=False)


def test_no_memory_is_no_bug_in_a_pass(tmp_path: Path) -> None:
    """Of a limit (ulimit -v) or a small machine."""

    def large(link: Link) -> Link:
        return link.evolve(y=np.zeros(1 << 62, np.uint8))

    with pytest.raises(UserError, match="pass a: out of memory: Unable to allocate") as caught:
        run_plan(plan_of(tmp_path, steps("a"), Pass("a", large, (), ["y"])), Link())
    assert "ulimit -v" in caught.value.remedy


def test_a_faulty_observer_does_not_hide_the_passs_error(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, steps("bad"), Pass("bad", crash))
    with pytest.raises(PassError, match="crashed with KeyError") as caught:
        run_plan(plan, Link(), [Faulty("on_error")])
    assert "Faulty failed in on_error, of the pass bad" in caught.value.render()


def test_what_an_observer_says_on_purpose_does_not_hide_it_either(tmp_path: Path) -> None:
    class Full(Recorder):
        def on_error(self, *told: Any) -> None:
            raise UserError("no space left on device", label="link")

    plan = plan_of(tmp_path, steps("bad"), Pass("bad", crash))
    with pytest.raises(PassError, match="crashed with KeyError") as caught:
        run_plan(plan, Link(), [Full()])
    assert "no space left on device" in caught.value.render()


def test_an_optional_fact_that_is_missing_is_the_passs_error(tmp_path: Path) -> None:
    reads = Pass("reads", lambda link: link.evolve(y=link.fact("x")), (), ["y"], ["x"])
    with pytest.raises(PassError, match="pass reads: reads the fact `x`, which is not"):
        run(tmp_path, reads)


def test_an_error_in_the_input_comes_through_as_it_is(tmp_path: Path) -> None:
    def refuse(link: Link) -> Link:
        raise InputError("truncated", file="a.a")

    with pytest.raises(InputError, match="truncated") as caught:
        run(tmp_path, Pass("load", refuse))
    assert caught.value.__notes__ == ["['start', 'before load', 'error load InputError']"]


def test_an_interrupt_is_told_and_goes_on(tmp_path: Path) -> None:
    def interrupted(link: Link) -> Link:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        run(tmp_path, Pass("slow", interrupted))
    assert caught.value.__notes__[0].startswith("while the pass slow was running, for 0.")
    assert "error slow KeyboardInterrupt" in caught.value.__notes__[1]


@pytest.mark.parametrize("external", [True, False])
def test_conditions_on_the_mode(tmp_path: Path, external: bool) -> None:
    mode = Mode(external=external, iscgo=False, can_use_plugins=False, dynlink=False)
    decide = Pass("linkmode", lambda link: link.evolve(mode=mode), (), ["mode"])
    text = steps("linkmode", "a") + "when = { external = true }\n"
    recorder = Recorder()
    plan = plan_of(tmp_path, text, decide, setter("a", (), ["x"]))
    link = run_plan(plan, Link(), [recorder])
    assert link.has("x") is external
    assert ("skip a" in recorder.heard) is not external


def test_changed_facts() -> None:
    value: list[int] = []
    before = Link({"a": value, "b": 1})
    assert changed(before, before.evolve(a=value)) == []
    assert changed(before, before.evolve({"c": 2}, a=[])) == ["a", "c"]
