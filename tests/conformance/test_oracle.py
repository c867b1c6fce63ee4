"""What runs and captures for the comparison does what it says."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance import oracle
from tests.conformance.measure import LARGEST
from tests.conformance.programs import lock

DIES = 'echo run >> "$1"; test $(wc -l < "$1") -gt {lives_after} || kill -SEGV $$; echo fine'


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("runner", "lives_after", "runs", "status"),
    [(("sh",), 0, 1, 0), (("sh",), 1, 2, 0), (("sh",), 9, 3, -11), ((), 1, 1, -11)],
    ids=["lives", "dies once in an emulator", "always dies", "dies here"],
)
def test_what_dies_in_an_emulator_is_run_again(
    tmp_path: Path, runner: tuple[str, ...], lives_after: int, runs: int, status: int
) -> None:
    program = script(tmp_path / "program", DIES.format(lives_after=lives_after))
    log = tmp_path / "log"
    assert oracle.run(program, log, runner=runner)[0] == status
    assert len(log.read_text().splitlines()) == runs


def test_a_lock_needs_no_folder(tmp_path: Path) -> None:
    """A fresh clone has no cache yet."""
    with lock(tmp_path / "none" / "yet" / "file.lock") as held:
        assert held is None
    assert (tmp_path / "none" / "yet").is_dir()


def test_a_linker_does_not_fill_the_disk(tmp_path: Path) -> None:
    """It takes the blocks of an output ahead, be it of terabytes."""
    ask = "import resource; print(resource.getrlimit(resource.RLIMIT_FSIZE))"
    command = [
        sys.executable,
        "-P",
        str(oracle.MEASURE),
        str(tmp_path / "m"),
        sys.executable,
        "-c",
        ask,
    ]
    said = subprocess.run(command, text=True, capture_output=True, check=True).stdout
    assert said == f"{(LARGEST, LARGEST)}\n"
