"""The table of `make conformance`: program by flag set, the same bytes? the same output?

    python -m tests.conformance [PROGRAM[:MODE] …] [--keep]

Without names all programs are linked, big ones included. Exit status 1 when anything differs.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from attrs import frozen

from tests.conformance import oracle
from tests.conformance.oracle import MODES, Linked
from tests.conformance.programs import Program, inputs, scratch, table


@frozen
class Row:
    """One line of the table."""

    program: str
    mode: str
    same: bool
    runs: str
    ours: Linked
    theirs: Linked
    found: list[str]

    def line(self) -> str:
        ratio = self.ours.seconds / self.theirs.seconds
        return (
            f"| {self.program:12} | {self.mode:4} | {'yes' if self.same else 'NO':5} "
            f"| {self.runs:5} | {self.ours.seconds:6.2f} s | {self.theirs.seconds:6.2f} s "
            f"| {ratio:5.1f} |"
        )


HEAD = """| program      | mode | same? | runs? | linkpipe | go link  | ratio |
|--------------|------|-------|-------|----------|----------|-------|"""


def both(program: Program, mode: str, folder: Path) -> tuple[Linked, Linked]:
    """Link a program with linkpipe and with the oracle."""
    given, flags = inputs(program), MODES[mode]
    external = oracle.external(program)
    theirs = oracle.link_oracle(given, flags, folder / "theirs", external=external)
    ours = oracle.link_linkpipe(given, flags, folder / "ours", external=external)
    return ours, theirs


def outputs(program: Program, ours: Linked, theirs: Linked) -> str:
    """Whether the two linked programs print the same: "yes", "NO", or "-" for a library."""
    if program.run is None:
        return "-"
    if ours.status or not ours.output.exists():
        return "NO"
    results = [oracle.run(linked.output, *program.run) for linked in (ours, theirs)]
    return "yes" if results[0] == results[1] else "NO"


def row(program: Program, mode: str, folder: Path) -> Row:
    """Link a program in one mode and compare."""
    ours, theirs = both(program, mode, folder)
    found = oracle.differences(ours, theirs)
    runs = outputs(program, ours, theirs)
    return Row(program.name, mode, not found, runs, ours, theirs, found)


def plugin_runs(links: dict[tuple[str, str], tuple[Linked, Linked]], mode: str) -> str:
    """Whether linkpipe's host, opening linkpipe's plugin, prints what the oracle's pair does."""
    if ("host", mode) not in links or ("plugin", mode) not in links:
        return "-"
    hosts, plugins = links["host", mode], links["plugin", mode]
    if any(linked.status for linked in (*hosts, *plugins)):
        return "NO"
    results = [
        oracle.run(host.output, plugin.output) for host, plugin in zip(hosts, plugins, strict=True)
    ]
    return "yes" if results[0] == results[1] and results[0][0] == 0 else "NO"


def main(argv: list[str]) -> int:
    keep = "--keep" in argv
    wanted = [arg for arg in argv if not arg.startswith("-")]
    programs = table()
    cases = [
        (programs[name], mode)
        for name in programs
        for mode in MODES
        if not wanted or {name, f"{name}:{mode}"} & set(wanted)
    ]
    folder = scratch()
    print(HEAD, flush=True)
    rows, links = [], {}
    for program, mode in cases:
        told = row(program, mode, folder / program.name / mode)
        links[program.name, mode] = told.ours, told.theirs
        rows.append(told)
        print(told.line(), flush=True)
    pairs = {mode: plugin_runs(links, mode) for mode in MODES}
    for mode, runs in pairs.items():
        if runs != "-":
            print(
                f"| host+plugin  | {mode:4} | the host opens the plugin and prints the same: {runs}"
            )
    for told in rows:
        for text in told.found:
            print(f"\n{told.program} {told.mode}: {text}")
    if keep:
        print(f"\noutputs are in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    wrong = any(told.found or told.runs == "NO" for told in rows) or "NO" in pairs.values()
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
