"""Times each command that asks about a link, of cmd/go, beside the link that it needs.

    python -m benchmarks.questions [--rounds N]

Prints a table: seconds and CPU seconds of a whole process; what of both goes beyond the link, which
is whole for `size` and `verify`, and up to the graph of what is needed for the others; and
the peak of memory beside that of a whole link. All take turns, in each round; medians.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from benchmarks.bench import MIB, machine
from tests.conformance.oracle import MEASURE
from tests.conformance.programs import inputs, scratch, table
from tests.conformance.toolchain import goroot

_API = "import sys; from linkpipe import api; api.link({!r}, until={!r}, output={!r})"
GRAPH, WHOLE = "(link, up to the graph)", "(link, whole)"
ASKED: dict[str, tuple[str, tuple[str, ...]]] = {
    "why": (GRAPH, ("ARGS", "net/http")),
    "why --all": (GRAPH, ("--all", "ARGS", "fmt.Fprintf")),
    "why-no-dce": (GRAPH, ("ARGS",)),
    "whatif --cut": (GRAPH, ("--cut", "net/http", "ARGS")),
    "whatif --rank": (GRAPH, ("--rank", "net/http,text/template,crypto/tls", "ARGS")),
    "unused-x": (GRAPH, ("ARGS",)),
    "graph": (GRAPH, ("--focus", "net/http", "ARGS")),
    "size": (WHOLE, ("ARGS",)),
    "size --tree": (WHOLE, ("--tree", "ARGS")),
    "size --by symbol": (WHOLE, ("--by", "symbol", "ARGS")),
    "size --against": (WHOLE, ("--against", "BINARY", "ARGS")),
    "report": (WHOLE, ("ARGS", "-o", "PAGE")),
    "size BINARY": ("", ("BINARY",)),
    "verify": (WHOLE, ("BINARY",)),
}
"""Commands, the link that each needs, and what they are asked."""


@frozen
class Cost:
    """Of one process: seconds, CPU seconds, bytes at most."""

    seconds: float
    cpu: float
    peak: int


def cost(command: Sequence[str], folder: Path, env: dict[str, str]) -> Cost:
    """Run a command whose answer is no error."""
    measured = folder / "measured"
    argv = [sys.executable, "-I", "-S", str(MEASURE), str(measured), *command]
    done = subprocess.run(argv, cwd=folder, env=env, capture_output=True, text=True, check=False)
    if done.returncode > 1:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")
    seconds, cpu, peak = measured.read_text().split()
    return Cost(float(seconds), float(cpu), int(peak))


def commands(folder: Path) -> dict[str, list[str]]:
    """The links, and each command."""
    given, args = inputs(table()["go"]), folder / "args"
    words = [*given.flags, str(given.main)]
    args.write_text("\n".join(f'"{word}"' for word in words))
    meant = {"ARGS": f"@{args}", "BINARY": str(goroot() / "bin" / "go")}
    meant["PAGE"] = str(folder / "page.html")
    out = str(folder / "out")
    found = {
        GRAPH: [sys.executable, "-P", "-c", _API.format([f"@{args}"], "graph", out)],
        WHOLE: [sys.executable, "-P", "-c", _API.format([f"@{args}"], "", out)],
    }
    for name, (_, asked) in ASKED.items():
        command = [sys.executable, "-P", "-m", "linkpipe", name.split()[0]]
        found[name] = [*command, *(meant.get(word, word) for word in asked)]
    return found


def report(costs: dict[str, list[Cost]]) -> str:
    """The table."""
    lines = [
        "| command | seconds | beyond the link | CPU seconds | beyond the link | peak | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    middle = {
        name: Cost(*(statistics.median(column) for column in zip(
            *((each.seconds, each.cpu, each.peak) for each in found), strict=True)))
        for name, found in costs.items()
    }  # fmt: skip
    for name, its in middle.items():
        base = ASKED[name][0] if name in ASKED else ""
        more, cpu = "", ""
        if base:
            more = f"{max(its.seconds - middle[base].seconds, 0):.2f}"
            cpu = f"{max(its.cpu - middle[base].cpu, 0):.2f}"
        title = f"`{name}`" if name in ASKED else name
        lines.append(
            f"| {title} | {its.seconds:.2f} | {more} | {its.cpu:.2f} | {cpu} "
            f"| {its.peak / MIB:.0f} MiB | {its.peak / middle[WHOLE].peak:.2f} |"
        )
    return "\n".join(lines)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.questions", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args(argv).rounds
    folder = scratch()
    given = inputs(table()["go"])
    env = {**given.environment(), "LINKPIPE_CHECK": "", "GOROOT": str(goroot())}
    env["PATH"] = f"{goroot() / 'bin'}{os.pathsep}{env['PATH']}"
    asked = commands(folder)
    costs: dict[str, list[Cost]] = {name: [] for name in asked}
    for number in range(rounds + 1):  # the first is thrown away: caches are cold
        for name, command in asked.items():
            found = cost(command, folder, env)
            if number:
                costs[name].append(found)
    print(f"{rounds} rounds. {machine()}.\n")
    print(report(costs))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
