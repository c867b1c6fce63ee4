"""Times linkpipe beside each release's own linker, all releases in turns. Rules: README.md here.

    python -m benchmarks.releases [--rounds N] [PROGRAM …]

Prints, for each program and release, the median CPU time of linkpipe, of the release's linker, and
of one in the other; how many times the pinned release's ratio that is, in each round (the mark is
1.05): median and middle half; and the same of the best rounds of each. A name that ends in
"+served" is of links that a link server does.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
from contextlib import nullcontext
from pathlib import Path

from benchmarks.bench import Setting, machine, one
from benchmarks.installed import state
from benchmarks.served import Server
from tests.conformance import oracle
from tests.conformance.programs import inputs, scratch, table
from tests.conformance.releases import VERSIONS, install
from tests.conformance.toolchain import goroot

PROGRAMS = ("hello -s -w", "go -s -w")
HEAD = """| program | release | linkpipe | its linker | CPU ratio | of the pinned release's \
| middle half | best |
|---|---|---|---|---|---|---|---|"""


def both(
    name: str, release: Path, linkpipe: list[str], folder: Path, server: Server | None
) -> tuple[float, float]:
    """CPU seconds of one link by linkpipe, and by the release's own linker."""
    os.environ["LINKPIPE_GOROOT"] = str(release)
    setting = Setting.of(name)
    given = inputs(table()[setting.program])
    ours = one(linkpipe, given, folder / "ours", setting, server=server)
    theirs = one(oracle.stock(), given, folder / "theirs", setting)
    return ours.cpu, theirs.cpu


def measure(
    name: str, releases: dict[str, Path], rounds: int, linkpipe: list[str], folder: Path
) -> list[str]:
    """The rows of one program: a round to warm up, then `rounds` of all releases in turns."""
    found: dict[str, list[tuple[float, float]]] = {release: [] for release in releases}
    with (
        Server(folder / "server", linkpipe) if Setting.of(name).served else nullcontext() as server
    ):
        for number in range(rounds + 1):
            order = list(releases) if number % 2 else list(reversed(releases))
            for release in order:
                pair = both(name, releases[release], linkpipe, folder, server)
                if number:
                    found[release].append(pair)
    shutil.rmtree(folder / "server", ignore_errors=True)
    ratios = {release: [ours / theirs for ours, theirs in found[release]] for release in found}
    best = {
        release: min(a for a, _ in one) / min(b for _, b in one) for release, one in found.items()
    }
    pinned = next(iter(found))
    rows = []
    for release, measured in found.items():
        beside = [a / b for a, b in zip(ratios[release], ratios[pinned], strict=True)]
        low, middle, high = statistics.quantiles(beside, n=4)
        ours, theirs = map(statistics.median, zip(*measured, strict=True))
        rows.append(
            f"| {name} | {release} | {1000 * ours:.0f} ms | {1000 * theirs:.0f} ms "
            f"| {statistics.median(ratios[release]):.2f} | **{middle:.3f}** "
            f"| {low:.2f} to {high:.2f} | {best[release] / best[pinned]:.3f} |"
        )
    return rows


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.releases", description=__doc__)
    parser.add_argument("programs", nargs="*", default=PROGRAMS, metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=20)
    told = parser.parse_args(argv)
    pinned = goroot()
    releases = {(pinned / "VERSION").read_text().split()[0].removeprefix("go"): pinned}
    releases |= {version: install(name) for name, version in reversed(VERSIONS.items())}
    linkpipe, folder = state(""), scratch()
    print(f"{machine()}; {told.rounds} rounds\n")
    print(HEAD)
    for name in told.programs:
        print(*measure(name, releases, told.rounds, linkpipe, folder), sep="\n", flush=True)
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
