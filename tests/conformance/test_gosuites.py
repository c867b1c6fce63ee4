"""The judgement over Go's own suites, on made-up outcomes: it can fail."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.conformance import gosuites
from tests.conformance.gosuites import Outcome, Suite, judge, read_events
from tests.conformance.toolchain import go, goroot, link_tool

SUITE = Suite("nm", "cmd/nm")


def outcome(made: int = 1, **tests: str) -> Outcome:
    named = {name.replace("__", "/"): result for name, result in tests.items()}
    return Outcome(named, {name: f"{name} said so\n" for name in named}, made, made)


def events(*told: tuple[str, str] | tuple[str, str, str]) -> list[str]:
    keys = ("Action", "Test", "Output")
    return [json.dumps({k: v for k, v in zip(keys, one, strict=False) if v}) for one in told]


def test_events() -> None:
    lines = events(
        ("output", "TestA", "no gdb\n"), ("skip", "TestA"), ("pass", "TestB"), ("pass", "")
    )
    tests, printed = read_events(lines)
    assert tests == {"TestA": "skip", "TestB": "pass"}
    assert Outcome(tests, printed).counts() == "1/1/0"
    assert Outcome(tests, printed).reason("TestA") == "no gdb"


@pytest.mark.parametrize(
    "lines",
    [
        events(("pass", "TestA"), ("fail", "")),  # TestMain's exit status
        events(("pass", "TestA")),  # cut off
        ["go: no such package"],
        [],
    ],
)
def test_a_suite_that_fails_as_a_whole(lines: list[str]) -> None:
    assert read_events(lines)[0][gosuites.PACKAGE] == "fail"


def test_a_failed_test_is_not_told_twice() -> None:
    assert read_events(events(("fail", "TestA"), ("fail", "")))[0] == {"TestA": "fail"}


def test_the_same_is_no_difference() -> None:
    both = outcome(TestA="pass", TestB="skip", TestC="fail")
    assert judge("nm", both, both, {}) == ([], [])


@pytest.mark.parametrize(("ours", "theirs"), [("fail", "pass"), ("skip", "pass"), ("pass", "fail")])
def test_a_difference_needs_a_reason(ours: str, theirs: str) -> None:
    pair = outcome(TestA=ours), outcome(TestA=theirs)
    told = f"nm TestA: linkpipe {ours}, stock {theirs}"
    assert judge("nm", *pair, {}) == ([], [f"{told}\nTestA said so"])
    assert judge("nm", *pair, {"TestA": "why"}) == ([f"{told}: why"], [])


def test_a_test_that_did_not_run() -> None:
    found = judge("nm", outcome(TestA="pass"), outcome(TestA="pass", TestB="pass"), {})
    assert found == ([], ["nm TestB: linkpipe -, stock pass"])


def test_an_excuse_that_is_not_needed() -> None:
    """Lists shrink; but of a part of a suite nothing can be said."""
    both = outcome(TestA="pass")
    assert "take it out" in judge("nm", both, both, {"TestA": "why"})[1][0]
    assert "take it out" in judge("nm", both, both, {"TestGone": "why"})[1][0]
    assert judge("nm", both, both, {"TestA": "why"}, whole=False) == ([], [])


def test_subtests() -> None:
    """A test fails with its subtests; a reason speaks for what is below it, and only there."""
    ours = outcome(TestA="fail", TestA__x="fail", TestA__y="fail", TestA__z="pass")
    theirs = outcome(TestA="pass", TestA__x="pass", TestA__y="pass", TestA__z="pass")
    assert judge("nm", ours, theirs, {"TestA": "why"})[1] == []
    assert judge("nm", ours, theirs, {"TestA/x": "why", "TestA/y": "why"})[1] == []
    complaints = judge("nm", ours, theirs, {"TestA/x": "why"})[1]
    assert [text.split(":")[0] for text in complaints] == ["nm TestA", "nm TestA/y"]


def test_without_links_there_is_no_proof() -> None:
    both = outcome(made=0, TestA="pass")
    assert "proves nothing" in judge("nm", both, both, {})[1][0]


@pytest.mark.parametrize(
    ("ours", "theirs", "known", "status"),
    [
        ("pass", "pass", {}, 0),
        ("fail", "pass", {}, 1),
        ("fail", "pass", {"nm": {"TestA": "why"}}, 0),
        ("pass", "pass", {"nm": {"TestA": "why"}}, 1),
        ("pass", "pass", {"gone": {}}, 1),
        ("fail", "fail", {}, 2),
    ],
)
def test_the_exit_status(
    ours: str, theirs: str, known: dict[str, dict[str, str]], status: int
) -> None:
    pair = {"nm": {"linkpipe": outcome(TestA=ours), "stock": outcome(TestA=theirs)}}
    assert gosuites.report([SUITE], pair, known, whole=True, every=True) == status


def test_every_suite_is_there() -> None:
    for suite in gosuites.SUITES:
        package = goroot() / "src" / suite.package
        assert list(package.glob("*_test.go")), suite
        assert not suite.overlaid or "func main()" in (package / suite.overlaid).read_text()


@pytest.mark.parametrize("linker", gosuites.LINKERS)
def test_the_wrapper(tmp_path: Path, linker: str) -> None:
    """It names a linker of its own to the go command in every run, counts links, and no other
    tool's calls."""

    def call(tool: Path | str, *args: str) -> str:
        done = subprocess.run(
            [gosuites.wrapper(tmp_path, linker), tool, *args],
            env=os.environ | {"GOROOT": str(goroot())},
            text=True,
            capture_output=True,
            check=False,
        )
        return done.stdout

    first, second = (call(link_tool(), "-V=full") for _ in range(2))
    assert first.startswith("link version go1.")
    assert first != second
    assert (" linkpipe=" in first) == (linker == "linkpipe")
    assert call("/bin/echo", "hello") == "hello\n"
    assert gosuites.lines_of(tmp_path / "asked") == 0
    call(link_tool(), "no-such-archive")
    assert gosuites.lines_of(tmp_path / "asked") == 1


def test_the_linker_is_overlaid(tmp_path: Path) -> None:
    """Whoever runs the main function of the overlaid package runs the wrapper, with the linker's
    path for whatever name it was called by, and gets its exit status."""
    package = tmp_path / "tool"
    package.mkdir()
    (package / "main.go").write_text("package main\n\nfunc main() { println(1) }\n")
    (package / "go.mod").write_text("module example.test/tool\n")
    (tmp_path / "toolexec").write_text('#!/bin/sh\necho "$@"\nexit 7\n')
    (tmp_path / "toolexec").chmod(0o755)
    told = gosuites.overlay(tmp_path, package / "main.go", link_tool())
    go("build", f"-overlay={told}", "-o", tmp_path / "built", ".", cwd=package)
    done = subprocess.run(
        [tmp_path / "built", "-V=full", "x y"], text=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stdout) == (7, f"{link_tool()} -V=full x y\n")
    assert [suite.name for suite in gosuites.SUITES if suite.overlaid] == ["link"]
