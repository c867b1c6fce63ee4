"""A missing tool skips with a hint, and fails where nothing may be skipped."""

from __future__ import annotations

import shutil

import pytest

from tests.conformance import gosuites, tools

HINT = "no gdb, llvm-dwarfdump: `make cross-tools` installs it"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine without any tool."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.delenv(tools.VARIABLE, raising=False)
    return monkeypatch


def test_nothing_is_missing() -> None:
    tools.need("")
    assert tools.missing() == ""


def test_skips_with_a_hint(bare: pytest.MonkeyPatch) -> None:
    with pytest.raises(pytest.skip.Exception, match=HINT):
        tools.need(tools.missing("gdb", "llvm-dwarfdump"))
    bare.setenv(tools.VARIABLE, "")
    with pytest.raises(pytest.skip.Exception):
        tools.need(tools.missing("gdb"))


def test_fails_where_nothing_may_be_skipped(bare: pytest.MonkeyPatch) -> None:
    bare.setenv(tools.VARIABLE, "required")
    with pytest.raises(pytest.fail.Exception, match=HINT):
        tools.need(tools.missing("gdb", "llvm-dwarfdump"))


def test_suites_that_need_a_tool_do_not_start_without(
    bare: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bare.setenv(tools.VARIABLE, "required")
    assert gosuites.main(["runtime"]) == 1
    assert "runtime: no gdb: " in capsys.readouterr().err
