"""Times linkpipe with plugins installed, none of which a link names, beside linkpipe alone.

    python -m benchmarks.plugins [--rounds N] [PROGRAM …]

Both are built and installed as `make bench AGAINST=COMMIT` does it, each in an environment of its
own; one has the packages of the shelf and the sample besides, with all that they require. Told
are medians of CPU time, the ratio of a round, with by alone, as its median with a 95 % interval
(bootstrap), that of the best of each, and whether the bytes are the oracle's. The exit status is 1
when all of the interval is above the mark, or the bytes are others. Rules: README.md here.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from pathlib import Path

from benchmarks.against import LIMIT
from benchmarks.bench import Setting, machine, one
from benchmarks.child import interval
from benchmarks.installed import install
from tests.conformance import oracle
from tests.conformance.programs import inputs, scratch, table
from tests.conformance.toolchain import cache
from tests.samples import checkout

PLUGINS = ("shelf/*", "tests/plugin_sample")
PROGRAMS = ("hello -s -w",)


def measure(name: str, rounds: int, commands: dict[str, list[str]], folder: Path) -> bool:
    """Measure one program: two rounds to warm up, then `rounds` in alternating order. Prints its
    row; whether it is as it should be."""
    setting = Setting.of(name)
    given = inputs(table()[setting.program])
    stock = one(oracle.stock(), given, folder / "stock", setting)
    found: dict[str, list[float]] = {which: [] for which in commands}
    same = True
    for number in range(-2, rounds):
        for which in list(commands) if number % 2 else list(reversed(commands)):
            linked = one(commands[which], given, folder / which, setting)
            same = same and not oracle.differences(linked, stock)
            if number >= 0:
                found[which].append(1000 * linked.cpu)
    alone, beside = found.values()
    ratios = [b / a for a, b in zip(alone, beside, strict=True)]
    low, high = interval(ratios)
    print(
        f"| {name} | {statistics.median(alone):.1f} ms | {statistics.median(beside):.1f} ms "
        f"| **{statistics.median(ratios):.4f}** | {low:.4f} to {high:.4f} "
        f"| {min(beside) / min(alone):.4f} "
        f"| {'yes' if same else 'NO'} |",
        flush=True,
    )
    return same and low <= LIMIT


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.plugins", description=__doc__)
    parser.add_argument("programs", nargs="*", default=PROGRAMS, metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=40)
    told = parser.parse_args(argv)
    place = cache() / "plugins"
    shutil.rmtree(place, ignore_errors=True)
    source = checkout(place / "source")
    plugins = [
        path.parent for each in PLUGINS for path in sorted(source.glob(f"{each}/pyproject.toml"))
    ]
    commands = {
        "alone": install(place / "alone", source),
        "with plugins": install(place / "with", source, *plugins),
    }
    folder = scratch()
    print(f"CPU time, medians of {told.rounds} rounds. {machine()}.\n")
    print("| program | alone | with plugins | ratio | 95 % | best | same |")
    print("|---|---|---|---|---|---|---|")
    good = [measure(name, told.rounds, commands, folder) for name in told.programs]
    shutil.rmtree(folder)
    return int(not all(good))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
