"""The table of `make conformance`: release by architecture by program by mode: the same bytes and
output?

    python -m tests.conformance [ARCHITECTURE | PROGRAM[:MODE] …] [--keep]

Without names all programs are linked for all architectures, big ones included. What cannot be
built or run here says why in its row. A table in short comes last. Exit status 1 when anything
differs, or is missing where LINKPIPE_TOOLS is "required".
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from attrs import evolve, field, frozen

from tests.conformance import oracle
from tests.conformance.oracle import MODES, Linked
from tests.conformance.programs import Program, inputs, scratch, table
from tests.conformance.targets import native
from tests.conformance.toolchain import goroot
from tests.conformance.tools import required

YES, NO, NONE = "yes", "NO", "-"


@frozen
class Row:
    """One line of the table; `missing` is what would be needed to fill it in."""

    program: Program
    mode: str
    same: str
    runs: str
    missing: str = ""
    ours: Linked | None = None
    theirs: Linked | None = None
    found: list[str] = field(factory=list)

    @property
    def place(self) -> str:
        """Release and architecture, as a line of a table begins."""
        go = (goroot() / "VERSION").read_text().split()[0].removeprefix("go")
        return f"| {go:7} | {self.program.goarch or native():6} "

    def line(self) -> str:
        """The row as text."""
        begin = f"{self.place}| {self.program.base:20} | {self.mode:7} "
        if self.ours is None or self.theirs is None:
            return f"{begin}| {self.same:5} | {self.runs:5} |{'':10}|{'':10}|{'':7}|".rstrip()
        ratio = self.ours.seconds / self.theirs.seconds
        return (
            f"{begin}| {self.same:5} | {self.runs:5} | {self.ours.seconds:6.2f} s "
            f"| {self.theirs.seconds:6.2f} s | {ratio:5.1f} |"
        )

    @property
    def wrong(self) -> bool:
        """Whether the table is not as it should be because of this row."""
        return NO in (self.same, self.runs) or bool(self.missing and required())


HEAD = """\
| Go      | arch   | program              | mode    | same? | runs? | linkpipe | go link  | ratio |
|---------|--------|----------------------|---------|-------|-------|----------|----------|-------|"""


def both(program: Program, mode: str, folder: Path, *more: str) -> tuple[Linked, Linked]:
    """Link a program with linkpipe and with the oracle, with the flags of a mode and ``more``."""
    given, flags = inputs(program), (*MODES[mode], *more)
    external = oracle.external(program)
    theirs = oracle.link_oracle(given, flags, folder / "theirs", external=external)
    ours = oracle.link_linkpipe(given, flags, folder / "ours", external=external)
    return ours, theirs


def outputs(program: Program, ours: Linked, theirs: Linked) -> str:
    """Whether the two linked programs print the same: YES, NO, or NONE for a library."""
    if program.run is None:
        return NONE
    if ours.status or not ours.output.exists():
        return NO
    results = [oracle.prints(program, linked.output) for linked in (ours, theirs)]
    return YES if results[0] == results[1] else NO


def row(program: Program, mode: str, folder: Path) -> Row:
    """Link a program in one mode and compare."""
    missing = program.missing_compiler()
    if missing:
        return Row(program, mode, NONE, NONE, missing)
    ours, theirs = both(program, mode, folder)
    found = oracle.differences(ours, theirs)
    missing = program.missing_runner()
    runs = NONE if missing else outputs(program, ours, theirs)
    return Row(program, mode, NO if found else YES, runs, missing, ours, theirs, found)


def pair(host: Row, plugin: Row) -> Row:
    """Whether linkpipe's host, opening linkpipe's plugin, prints what the oracle's pair does: so
    many times out of so many."""
    program, missing = pair_of(host.program), host.missing or plugin.missing
    if missing or not (host.ours and host.theirs and plugin.ours and plugin.theirs):
        return Row(program, host.mode, NONE, NONE, missing)
    if host.ours.status or plugin.ours.status:
        return Row(program, host.mode, NONE, NO)
    good, printed = oracle.opens(
        host.program, (host.ours, plugin.ours), (host.theirs, plugin.theirs)
    )
    found = [f"{good} of {oracle.TIMES} times\n{printed}"] if good < oracle.TIMES else []
    runs = NO if found else f"{good}/{oracle.TIMES}"
    return Row(program, host.mode, NONE, runs, found=found)


def pair_of(host: Program) -> Program:
    """The program that stands for a host with its plugin."""
    return evolve(host, name=host.name.replace("host", "host+plugin"))


SHORT = """\
| Go      | arch   | programs | same bytes | same output |
|---------|--------|----------|------------|-------------|"""


def in_short(rows: Iterable[Row]) -> list[str]:
    """The same, a line for the programs of an architecture that went the same way: in which modes
    they had the same bytes, and in which the same output, a plugin and its host together."""
    modes: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
    for told in rows:
        base = told.program.base
        for name in dict.fromkeys((base.replace("+plugin", ""), base.replace("host+", ""))):
            same, runs = modes.setdefault((told.place, name), ([], []))
            same += [told.mode] if told.same == YES else []
            runs += [told.mode] if told.runs not in (NO, NONE) else []
    programs: dict[tuple[str, str, str], list[str]] = {}
    for (place, name), (same, runs) in modes.items():
        key = place, " ".join(same) or NONE, " ".join(runs) or NONE
        programs.setdefault(key, []).append(name)
    return [
        f"{place}| {' '.join(names)} | {same} | {runs} |"
        for (place, same, runs), names in programs.items()
    ]


def main(argv: list[str]) -> int:
    keep = "--keep" in argv
    wanted = {arg for arg in argv if not arg.startswith("-")}
    cases = [
        (program, mode)
        for program in table().values()
        for mode in MODES
        if not wanted
        or {program.name, f"{program.name}:{mode}", program.goarch or native()} & wanted
    ]
    folder = scratch()
    print(HEAD, flush=True)
    rows: dict[tuple[str, str, str], Row] = {}
    for program, mode in cases:
        told = row(program, mode, folder / program.name / mode)
        rows[program.goarch, program.base, mode] = told
        print(told.line(), flush=True)
        host = rows.get((program.goarch, program.base.replace("plugin", "host"), mode))
        if program.buildmode == "plugin" and host:
            told = pair(host, told)
            rows[program.goarch, told.program.base, mode] = told
            print(told.line(), flush=True)
    print("", SHORT, *in_short(rows.values()), sep="\n")
    for told in rows.values():
        for text in told.found:
            print(f"\n{told.program.name} {told.mode}: {text}")
    for missing in dict.fromkeys(told.missing for told in rows.values() if told.missing):
        print(f"\nnot all was compared: {missing}")
    if keep:
        print(f"\noutputs are in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return int(any(told.wrong for told in rows.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
