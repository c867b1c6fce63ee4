"""`--part N` parts the tests: each is in one of N, whatever else runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def collected(*more: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:randomly", *more],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in done.stdout.splitlines() if "::" in line]


@pytest.mark.parametrize("part", [2, 4])
def test_a_part_is_the_same_each_time_and_about_so_large(part: int) -> None:
    folder = "tests/linkpipe/arrays"
    every, some = collected(folder), collected(folder, "--part", str(part))
    assert some
    assert set(some) < set(every)
    assert some == collected(folder, "--part", str(part))
    assert 0.5 < len(some) / (len(every) / part) < 2
