"""What "not slower" means: `make bench AGAINST=COMMIT`."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import against
from benchmarks.against import Case


@pytest.mark.parametrize(
    ("here", "same", "verdict"),
    [
        ((1.03, 1.0, 9.0), True, "not slower"),
        ((1.04, 1.0, 9.0), True, "SLOWER"),
        ((0.5, 0.5, 0.5), False, "WRONG"),
    ],
)
def test_the_median_ratio_decides(here: tuple[float, ...], same: bool, verdict: str) -> None:
    """Of CPU time, round by round, so that one slow round is nothing; and other bytes are worse."""
    case = Case("hello", (1.0, 1.0, 1.0), here, same)
    assert case.verdict == verdict
    assert case.row().endswith(f"{verdict} |")


@pytest.mark.parametrize(("seconds", "status"), [(1.0, 0), (1.1, 1)])
def test_fifteen_rounds_of_two_states_side_by_side(
    seconds: float, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit status is for scripts."""
    asked = []

    def measure(name: str, rounds: int, commands: dict[str, list[str]], folder: Path) -> Case:
        asked.append((name, rounds, commands))
        return Case(name, (1.0, 1.0), (seconds, seconds), True)

    monkeypatch.setattr(against, "measure", measure)
    monkeypatch.setattr(against, "state", lambda commit: [commit])
    monkeypatch.setattr(against, "run", lambda *command: "c0ffee\n")
    monkeypatch.setattr(against, "scratch", lambda: tmp_path)
    assert against.main(["main", "hello"]) == status
    assert asked == [("hello", 15, {"before": ["c0ffee"], "here": [""]})]
