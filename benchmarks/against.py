"""Times linkpipe as it is here beside linkpipe as it was at a commit. Rules: README.md here.

    python -m benchmarks.against COMMIT [--rounds N] [PROGRAM …]

Prints the CPU time of both and the ratio for each program. Exit status 1 when a link is slower by
more than `LIMIT` says, or is no longer the oracle's.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from pathlib import Path

from attrs import frozen

from benchmarks.bench import BARE, PROGRAMS, Setting, machine, one
from benchmarks.installed import run, state
from tests.conformance import oracle
from tests.conformance.programs import inputs, scratch, table

LIMIT = 1.03
"""What is still "not slower": the median, over the rounds, of CPU time here by CPU time there."""

CASES = (*PROGRAMS, *(f"{name}{BARE}" for name in PROGRAMS))
HEAD = """| program | {commit} | here | CPU ratio | middle half | same | |
|---|---|---|---|---|---|---|"""


@frozen
class Case:
    """The CPU seconds of one program, round by round, and whether the bytes are the oracle's."""

    name: str
    before: tuple[float, ...]
    here: tuple[float, ...]
    same: bool

    @property
    def ratios(self) -> list[float]:
        """Here by before, each of one round: what the machine does to one it does to the other."""
        return [here / before for here, before in zip(self.here, self.before, strict=True)]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def verdict(self) -> str:
        if not self.same:
            return "WRONG"
        return "SLOWER" if self.ratio > LIMIT else "not slower"

    def row(self) -> str:
        low, _, high = (
            statistics.quantiles(self.ratios, n=4) if len(self.here) > 1 else ([self.ratio] * 3)
        )
        return (
            f"| {self.name} | {statistics.median(self.before) * 1000:.0f} ms "
            f"| {statistics.median(self.here) * 1000:.0f} ms | **{self.ratio:.3f}** "
            f"| {low:.3f} to {high:.3f} | {'yes' if self.same else 'NO'} | {self.verdict} |"
        )


def measure(name: str, rounds: int, commands: dict[str, list[str]], folder: Path) -> Case:
    """Measure one program: a round to warm up, then `rounds` in alternating order."""
    setting = Setting.of(name)
    given = inputs(table()[setting.program])
    stock = one(oracle.stock(), given, folder / "stock", setting)
    seconds: dict[str, list[float]] = {which: [] for which in commands}
    same = True
    for number in range(rounds + 1):
        for which in list(commands) if number % 2 else list(reversed(commands)):
            linked = one(commands[which], given, folder / which, setting)
            if number:
                seconds[which].append(linked.cpu)
            if which == "here":
                same = same and not oracle.differences(linked, stock)
    return Case(name, tuple(seconds["before"]), tuple(seconds["here"]), same)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.against", description=__doc__)
    parser.add_argument("commit", metavar="COMMIT")
    parser.add_argument("programs", nargs="*", default=CASES, metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=15)
    told = parser.parse_args(argv)
    commit = run("git", "rev-parse", "--verify", f"{told.commit}^{{commit}}").strip()
    commands = {"before": state(commit), "here": state("")}
    folder = scratch()
    print(f"CPU time, medians of {told.rounds} rounds. {machine()}.\n")
    print(HEAD.format(commit=commit[:7]), flush=True)
    cases = []
    for name in told.programs:
        cases.append(measure(name, told.rounds, commands, folder))
        print(cases[-1].row(), flush=True)
    shutil.rmtree(folder)
    good = all(case.verdict == "not slower" for case in cases)
    print(f"\n{'not slower' if good else 'SLOWER'} than {commit[:7]} (at most {LIMIT:.2f} times)")
    return int(not good)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
