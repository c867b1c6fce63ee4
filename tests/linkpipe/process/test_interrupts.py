"""Requests to end: once, and not between what belongs together."""

from __future__ import annotations

import signal

import pytest

from linkpipe.errors import Terminated
from linkpipe.process import interrupts


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interrupts, "_ending", False)


def test_the_first_request_unwinds_and_no_other() -> None:
    with pytest.raises(Terminated) as caught:
        interrupts.end(signal.SIGHUP, None)
    assert caught.value.code == 129
    interrupts.end(signal.SIGINT, None)


def test_a_request_waits_for_what_belongs_together() -> None:
    done = []

    def block() -> None:
        with interrupts.held():
            interrupts.end(signal.SIGINT, None)
            done.append("started")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == ["started"]


def test_an_error_in_the_block_is_what_is_told() -> None:
    with pytest.raises(OSError, match="no such"), interrupts.held():
        raise OSError("no such")
