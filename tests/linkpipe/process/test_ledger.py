"""The ledger: what was noted can be read, whatever became of who noted it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from linkpipe.process import ledger


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    ledger.begin()  # other tests of this process have linked
    yield
    ledger.forget()
    ledger.begin()


def test_what_is_noted_is_read_in_order(tmp_path: Path) -> None:
    """Names of files may be any bytes."""
    memory = ledger.share()
    odd = os.fsdecode(b"line\n\xff.a")
    ledger.doing("pass load")
    ledger.opened(7, f"/{odd}")
    ledger.doing("")
    ledger.finished(0)
    assert list(ledger.noted(memory)) == [
        ("doing", "pass load"),
        ("input", "7", f"/{odd}"),
        ("doing", ""),
        ("finished", "0"),
    ]


def test_a_note_that_was_not_written_to_its_end_is_left_out() -> None:
    memory = ledger.share()
    ledger.started(7)
    memory.write(b"aside\0/o")
    assert list(ledger.noted(memory)) == [("started", "7")]


def test_the_last_word_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many inputs there are."""
    monkeypatch.setattr(ledger, "_SIZE", 1 << 14)
    memory = ledger.share()
    for number in range(2000):
        ledger.opened(number, f"/input/{number}")
    ledger.finished(3)
    notes = list(ledger.noted(memory))
    assert notes[-1] == ("finished", "3")
    assert 100 < len(notes) < 2000


def test_inputs_that_have_another_size(tmp_path: Path) -> None:
    for name in "same", "shorter", "gone":
        (tmp_path / name).write_text("abc")
        ledger.opened(3, str(tmp_path / name))
    (tmp_path / "shorter").write_text("a")
    (tmp_path / "gone").unlink()
    assert ledger.changed() == [
        (str(tmp_path / "shorter"), 3, 1),
        (str(tmp_path / "gone"), 3, None),
    ]
    ledger.begin()
    assert ledger.changed() == []
