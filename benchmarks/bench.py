"""Times linkpipe and `go tool link` on the same archives, in the same run. Rules: README.md here.

    python -m benchmarks.bench [--rounds N] [--out FOLDER] [PROGRAM …]

Writes bench.md (the table), bench.json (every measurement), passes.svg (time per pass) and
growth.svg (processor time by size).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import time
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

from attrs import define, field, frozen

from benchmarks import real
from benchmarks.installed import state
from benchmarks.plot import exponent, growth_svg, passes_svg
from benchmarks.served import Server
from tests.conformance import oracle
from tests.conformance.oracle import Linked
from tests.conformance.programs import Inputs, inputs, scratch, table
from tests.conformance.toolchain import ROOT, goroot

PROGRAMS = ("hello", "go", "compile", "plugin", "host")
BARE, PROBES, SERVED = " -s -w", "+probes", "+served"
"""What is added to the name of a case that is linked without symbols and debug information, of one
in which linkpipe does not remember what the C compiler can do, and of one that a link server
does."""
CASES = (
    *PROGRAMS,
    *(f"{name}{BARE}" for name in PROGRAMS),
    f"plugin{BARE}{PROBES}",
    f"host{BARE}{PROBES}",
    *real.VERSIONS,
    *("netuser", "netuserpie", "race", "cshared"),
    *(f"{name}{SERVED}" for name in PROGRAMS),
    *(f"{name}{BARE}{SERVED}" for name in ("hello", "go")),
)
# What is aimed at: wall time at most so many times the oracle's, peak memory at most so many times
# its, everywhere; and debug information costs at most so many times what the rest of the link of
# cmd/go does.
MARKS = {
    "hello": 2.0,
    "go": 1.0,
    f"go{BARE}": 1.0,
    **dict.fromkeys(real.VERSIONS, 0.9),
    "plugin": 1.0,
    f"hello{SERVED}": 0.9,
    f"go{SERVED}": 0.8,
    f"plugin{SERVED}": 0.8,
}
PEAK_MARK = 1.2
DEBUG_MARK = 2.0
GROWING = ("go", "compile", *real.VERSIONS)
GROWTH_MARK = 1.05
"""How fast processor time may grow with the size of the program: the exponent."""
MIB = 1 << 20


@define
class Case:
    """All measurements of one program: seconds and bytes for each round; the size of the file."""

    name: str
    size: int = 0
    seconds: dict[str, list[float]] = field(factory=lambda: {"stock": [], "linkpipe": []})
    cpu: dict[str, list[float]] = field(factory=lambda: {"stock": [], "linkpipe": []})
    peak: dict[str, list[int]] = field(factory=lambda: {"stock": [], "linkpipe": []})
    passes: list[dict[str, float]] = field(factory=list)
    same: list[bool] = field(factory=list)

    def median(self, which: str) -> float:
        return statistics.median(self.seconds[which])

    def memory(self, which: str) -> float:
        return statistics.median(self.peak[which])

    def row(self) -> str:
        ratio = self.median("linkpipe") / self.median("stock")
        peak, memory = f"{self.memory('linkpipe') / MIB:.0f} MiB", ""
        if SERVED in self.name:
            peak = "–"  # measured is the client's, which does nothing
        else:
            most = self.memory("linkpipe") / self.memory("stock")
            memory = f"**{most:.2f}**" if most > PEAK_MARK else f"{most:.2f}"
        mark = f"≤ {MARKS[self.name]:.1f}" if self.name in MARKS else ""
        best = min(self.seconds["linkpipe"]) / min(self.seconds["stock"])
        cpu = statistics.median(self.cpu["linkpipe"]) / statistics.median(self.cpu["stock"])
        return (
            f"| {self.name} | {self.median('stock') * 1000:.0f} ms "
            f"| {self.median('linkpipe') * 1000:.0f} ms | **{ratio:.2f}** | {best:.2f} "
            f"| {cpu:.2f} | {mark} "
            f"| {self.memory('stock') / MIB:.0f} MiB | {peak} "
            f"| {memory} | {'yes' if all(self.same) else 'NO'} |"
        )


HEAD = """| program | go tool link | linkpipe | wall ratio | ratio of best | CPU ratio | mark | \
go tool link peak | linkpipe peak | peak ratio | same |
|---|---|---|---|---|---|---|---|---|---|---|"""


@frozen
class Setting:
    """What one case is about."""

    program: str
    flags: tuple[str, ...]
    variables: Mapping[str, str]
    served: bool = False

    @classmethod
    def of(cls, name: str) -> Setting:
        """The setting of a case by its name."""
        rest = name.removesuffix(SERVED).removesuffix(PROBES)
        program = rest.removesuffix(BARE)
        flags = () if program == rest else tuple(BARE.split())
        asked = oracle.ASK if PROBES in name else {}
        return cls(program, flags, asked, served=name.endswith(SERVED))


def one(
    command: list[str], given: Inputs, folder: Path, setting: Setting, *more: str,
    server: Server | None = None,
) -> Linked:  # fmt: skip
    """One link that must succeed, by linkpipe's server if there is one; the output of the one
    before is out of the way. It is not checked, as the links of tests are."""
    shutil.rmtree(folder, ignore_errors=True)
    variables = {**setting.variables, "LINKPIPE_CHECK": ""}
    if server is not None and command == server.command:
        return server.link(given, setting.flags, folder, variables)
    linked = oracle.link([*command, *more], given, setting.flags, folder, variables=variables)
    if linked.status:
        sys.exit(f"{' '.join(command)}: exit status {linked.status}\n{linked.stderr}")
    return linked


def measure(name: str, rounds: int, linkpipe: list[str], folder: Path) -> Case:
    """Measure one program: a round to warm up, then `rounds` in alternating order."""
    setting = Setting.of(name)
    own = setting.program not in real.VERSIONS
    given = inputs(table()[setting.program] if own else real.program(setting.program))
    commands = {"stock": oracle.stock(), "linkpipe": linkpipe}
    case = Case(name)
    with Server(folder / "server", linkpipe) if setting.served else nullcontext() as server:
        for number in range(rounds + 1):
            order = list(commands) if number % 2 else list(reversed(commands))
            linked = {
                which: one(commands[which], given, folder / which, setting, server=server)
                for which in order
            }
            if number:
                for which, result in linked.items():
                    case.seconds[which].append(result.seconds)
                    case.cpu[which].append(result.cpu)
                    case.peak[which].append(result.peak)
            case.same.append(not oracle.differences(linked["linkpipe"], linked["stock"]))
            case.size = linked["stock"].output.stat().st_size
        timing = server.timing if server else folder / "timing.json"
        for _ in range(0 if server else 3):
            # Links of its own: to write it down costs a little too.
            one(commands["linkpipe"], given, folder / "linkpipe", setting, f"-timing={timing}")
    for line in timing.read_text().splitlines()[-3:]:
        told = json.loads(line)
        parts = {"(before)": told["before"]}
        parts |= {part["name"]: part["seconds"] for part in told["passes"]}
        case.passes.append(parts)
    timing.unlink()
    shutil.rmtree(folder / "server", ignore_errors=True)
    return case


def debug_cost(cases: list[Case]) -> str:
    """What debug information costs linkpipe, beside the rest of the link of cmd/go."""
    seconds = {case.name: case.median("linkpipe") for case in cases}
    if not {"go", f"go{BARE}"} <= set(seconds):
        return ""
    ratio = seconds["go"] / seconds[f"go{BARE}"] - 1
    return (
        f"\nDebug information costs linkpipe {ratio:.2f} times what the rest of cmd/go's link does "
        f"(mark: ≤ {DEBUG_MARK:.0f}).\n"
    )


def growth(cases: list[Case]) -> dict[str, dict[str, tuple[int, float]]]:
    """Linker -> program -> size of the file, bytes, and processor seconds, of linkpipe without
    what comes before its first pass. Empty when fewer than three programs were measured."""
    some = [case for case in cases if case.name in GROWING]
    if len(some) < 3:
        return {}
    found: dict[str, dict[str, tuple[int, float]]] = {}
    for which in ("linkpipe", "stock"):
        for case in some:
            start = statistics.median(one["(before)"] for one in case.passes)
            seconds = statistics.median(case.cpu[which]) - start * (which == "linkpipe")
            name = "go tool link" if which == "stock" else which
            found.setdefault(name, {})[case.name] = case.size, seconds
    return found


def growth_told(found: dict[str, dict[str, tuple[int, float]]]) -> str:
    """How processor time grows with the size of the file, in words."""
    if not found:
        return ""
    told = {name: exponent(list(points.values())) for name, points in found.items()}
    sizes = [f"{name} {size / 1e6:.0f} MB" for name, (size, _) in found["linkpipe"].items()]
    return (
        f"\nProcessor time behind the start grows with the {told['linkpipe']:.2f}th power of the "
        f"file's size (mark: ≤ {GROWTH_MARK}; go tool link's with the "
        f"{told['go tool link']:.2f}th): {', '.join(sizes)}.\n"
    )


def machine() -> str:
    """What this was measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    version = (goroot() / "VERSION").read_text().split()[0]
    return (
        f"{model}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, {version}"
    )


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.bench", description=__doc__)
    parser.add_argument("programs", nargs="*", default=CASES, metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench")
    told = parser.parse_args(argv)
    folder = scratch()
    linkpipe = state("")
    begin = machine()
    print(HEAD, flush=True)
    cases = []
    for name in told.programs:
        cases.append(measure(name, told.rounds, linkpipe, folder))
        print(cases[-1].row(), flush=True)
    shutil.rmtree(folder)

    told.out.mkdir(parents=True, exist_ok=True)
    day = time.strftime("%Y-%m-%d")
    growing = growth(cases)
    text = (
        f"`make bench`, {day}, medians of {told.rounds} rounds. {begin}.\n\n"
        + "\n".join([HEAD, *(case.row() for case in cases)])
        + f"\n{debug_cost(cases)}{growth_told(growing)}"
    )
    (told.out / "bench.md").write_text(text)
    (told.out / "passes.svg").write_text(
        passes_svg({case.name: case.passes for case in cases}, f"Time per pass, {day}")
    )
    if growing:
        (told.out / "growth.svg").write_text(growth_svg(growing, f"Processor time, {day}"))
    measured = {
        case.name: {
            "size": case.size,
            "seconds": case.seconds,
            "cpu": case.cpu,
            "peak": case.peak,
            "passes": case.passes,
        }
        for case in cases
    }
    (told.out / "bench.json").write_text(
        json.dumps({"date": day, "machine": begin, "cases": measured}, indent=1)
    )
    print(f"\n{told.out}: bench.md, bench.json, passes.svg, growth.svg")
    return int(not all(all(case.same) for case in cases))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
