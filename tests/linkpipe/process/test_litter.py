"""What dead processes leave is removed, and nothing else."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from linkpipe.process import litter


@pytest.fixture
def dead() -> int:
    """The number of a process that has ended."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


def named(pid: int, machine: str = "") -> str:
    mine = litter.own_name().split("-")
    return "-".join([mine[0], machine or mine[1], str(pid), mine[3]])


def test_a_folder_goes_with_its_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with litter.folder() as folder:
        Path(folder, "deep").mkdir()
        assert os.stat(folder).st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []


def test_what_is_swept(tmp_path: Path, dead: int) -> None:
    """What this user's dead processes of this machine left under that prefix."""
    for name in (named(dead), f".out.{named(dead)}"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
    keep = {
        named(os.getpid()),  # it runs
        named(1),  # it runs, and is somebody else's
        named(dead, "00000000"),  # of another machine, and young
        f".other.{named(dead)}",
        f"{named(dead)}.txt",
        "linkpipe-notes",
        "linkpipe-0-0-0",
    }
    for name in keep:
        (tmp_path / name).touch()
    litter.sweep(str(tmp_path), "")
    litter.sweep(str(tmp_path), ".out.")
    assert {p.name for p in tmp_path.iterdir()} == keep


def test_what_is_a_day_old_is_swept_from_every_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / named(1, "00000000")
    left.touch()
    now = left.stat().st_ctime
    for age, there in ((86000, True), (87000, False)):
        monkeypatch.setattr("linkpipe.process.litter.time.time", lambda age=age: now + age)
        litter.sweep(str(tmp_path), "")
        assert left.exists() is there


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_what_is_somebody_elses_stays(tmp_path: Path, dead: int) -> None:
    left = tmp_path / named(dead)
    left.touch()
    os.chown(left, 12345, 12345)
    litter.sweep(str(tmp_path), "")
    assert left.exists()


@pytest.mark.parametrize("new", [None, "half"])
def test_an_old_output_goes_back_where_nothing_is(
    tmp_path: Path, dead: int, new: str | None
) -> None:
    """What stands there now may be newer than it: a link of somebody's that went well."""
    out, kept = tmp_path / "out", tmp_path / f".out.{named(dead)}.old"
    kept.write_text("old")
    if new:
        out.write_text(new)
    litter.sweep(str(tmp_path), ".out.", str(out))
    assert out.read_text() == (new or "old")
    assert not kept.exists()


def test_a_folder_in_the_place_of_an_output_gives_way(tmp_path: Path) -> None:
    (tmp_path / "out" / "deep").mkdir(parents=True)
    (tmp_path / "kept").write_text("old")
    litter.put_back(str(tmp_path / "out"), str(tmp_path / "kept"))
    assert (tmp_path / "out").read_text() == "old"
    litter.put_back(str(tmp_path / "out"), str(tmp_path / "none"))
    assert (tmp_path / "out").read_text() == "old"
