"""probecache: whose answers are believed, and who can write them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from linkpipe.hostlinker.probecache import keep_answers, read_answers

ANSWERS = {"-no-pie": True, "-Qunused-arguments": False}


@pytest.fixture(params=[0o000, 0o022, 0o077])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file with answers, kept under some umask."""
    path = tmp_path / "cache" / "linkpipe" / "probes" / "a.json"
    was = os.umask(request.param)
    keep_answers(str(path), ANSWERS)
    os.umask(was)
    assert read_answers(str(path)) == ANSWERS
    return path


def test_nobody_else_reads_or_writes_whatever_the_umask(kept: Path) -> None:
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert kept.parent.parent.stat().st_mode & 0o777 == 0o700


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def link(path: Path) -> None:
    path.rename(path.with_name("b"))
    path.symlink_to("b")


def linked_folder(path: Path) -> None:
    folder = path.parent
    folder.rename(folder.with_name("there"))
    folder.symlink_to("there")


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.chmod(0o620),
        lambda path: path.chmod(0o602),
        lambda path: path.parent.chmod(0o777),
        lambda path: path.parent.parent.chmod(0o770),
        lambda path: path.write_text(path.read_text() + " " * (1 << 16)),
        fifo,
        link,
        linked_folder,
    ],
    ids="group others folder outer-folder long fifo link linked-folder".split(),
)
def test_what_somebody_else_may_have_written_is_not_believed(
    kept: Path, change: Callable[[Path], None]
) -> None:
    """A pipe there does not stop the link, either."""
    change(kept)
    assert read_answers(str(kept)) == {}


def test_what_is_another_users_is_not_believed(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert read_answers(str(kept)) == {}


def test_nothing_is_written_into_a_folder_of_others(kept: Path) -> None:
    before = kept.read_text()
    kept.parent.chmod(0o777)
    keep_answers(str(kept), {"-x": True})
    assert kept.read_text() == before
    assert [path.name for path in kept.parent.iterdir()] == ["a.json"]
