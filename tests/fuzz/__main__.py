"""make fuzz: run cases, print what became of them, end with status 1 when anything is wrong."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from random import Random

import attrs

from tests.conformance.programs import scratch
from tests.conformance.toolchain import cache
from tests.fuzz.bases import names
from tests.fuzz.cases import Case, case, files
from tests.fuzz.programs import batch
from tests.fuzz.server import Outcome, Server
from tests.fuzz.smaller import named, smaller
from tests.fuzz.texts import TEXTS
from tests.fuzz.verdicts import BAD, FINE, Verdict, judge, suspicious

AFTER_RELOCATE = "relocate fips dwarfcompress elfsymtab elfimage output hostlink".split()


@attrs.define
class Figures:
    """What is counted: verdicts by kind of edit and by last pass."""

    kinds: dict[str, Counter[str]] = attrs.field(factory=lambda: defaultdict(Counter))
    passes: dict[str, Counter[str]] = attrs.field(factory=lambda: defaultdict(Counter))
    exceptions: Counter[str] = attrs.field(factory=Counter)
    compared: int = 0
    archives: int = 0
    far: int = 0

    def add(self, given: Case, ours: Outcome, verdict: Verdict, *, compared: bool) -> None:
        self.kinds[given.kind][verdict.name] += 1
        self.passes[ours.last or "(before the first)"][verdict.name] += 1
        self.exceptions[verdict.exception] += bool(verdict.exception)
        self.compared += compared
        if given.kind not in TEXTS or given.kind == "cgo directives":
            self.archives += 1
            self.far += ours.last in AFTER_RELOCATE

    @property
    def total(self) -> Counter[str]:
        return sum(self.kinds.values(), Counter())

    def table(self) -> str:
        """In Markdown."""
        shown = [name for name in (*FINE, *BAD) if self.total[name]]
        lines = []
        for title, rows in (("changed", self.kinds), ("last pass", self.passes)):
            lines.append(f"| {title} | cases | " + " | ".join(shown) + " |")
            lines.append("|---|---:|" + "---:|" * len(shown))
            listed = [*sorted(rows.items()), ("all", self.total)]
            for name, counts in listed:
                cells = [str(counts[column] or "") for column in shown]
                lines.append(f"| {name} | {counts.total()} | " + " | ".join(cells) + " |")
            lines.append("")
        share = 100 * self.far / max(1, self.archives)
        lines.append(
            f"{self.total.total()} cases, {self.compared} of them compared with the oracle; "
            f"{share:.0f} % of {self.archives} damaged archives reached relocate."
        )
        lines += [f"exception: {name}: {count}" for name, count in self.exceptions.items() if name]
        return "\n".join(lines)


def kept(
    seed: int, number: int, given: Case, ours: Outcome, theirs: Outcome | None
) -> dict[str, object]:
    """A finding, as it is written down."""
    return {
        "seed": seed,
        "number": number,
        "case": given.as_data(),
        "last": ours.last,
        "status": ours.status,
        "said": ours.said[:4000],
        "oracle": theirs and {"status": theirs.status, "said": theirs.said[:4000]},
        "left": ours.left,
    }


def shape(verdict: Verdict, ours: Outcome, theirs: Outcome | None) -> str:
    """What findings of one cause have in common: the class, the pass, the words without numbers and
    names."""
    said = ours.said if ours.status else (theirs.said if theirs else "")
    lines = [line for line in said.splitlines() if line.strip()]
    place = next((line.strip() for line in lines if line.strip().startswith("at:")), "")
    first = re.sub(r'[0-9]+|"[^"]*"|/\S+|\S+[.:/]\S+', "#", lines[0] if lines else "")
    return f"{verdict.name} | {ours.last} | {first[:100]} | {place}"


def campaign(server: Server, given: argparse.Namespace) -> int:
    """Run cases until the time is over or as many as asked; 1 when one is wrong."""
    figures, found = Figures(), dict[str, tuple[int, int]]()
    folder = cache() / "fuzz" / "findings"
    folder.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + 60 * given.minutes
    number = given.first
    while time.monotonic() < end and (not given.cases or number < given.first + given.cases):
        one = case(given.seed, number)
        inputs = files(one)
        ours = server.linkpipe(inputs)
        asked = Random(f"{given.seed}:{number}:oracle").random() < given.oracle
        asked = one.comparable and (asked or suspicious(inputs, ours))
        theirs = server.oracle(inputs) if asked else None
        verdict = judge(inputs, ours, theirs)
        figures.add(one, ours, verdict, compared=theirs is not None)
        if verdict.bad:
            what = shape(verdict, ours, theirs)
            first, count = found.get(what, (number, 0))
            found[what] = first, count + 1
            if not count:
                print(f"--case {number} --seed {given.seed}: {what}", flush=True)
                told = json.dumps(kept(given.seed, number, one, ours, theirs), indent=1)
                (folder / f"{given.seed}-{number}.json").write_text(told)
        number += 1
        if given.every and number % given.every == 0:
            print(f"# {number - given.first} {dict(figures.total)}", flush=True)
    text = f"seed {given.seed}, cases {given.first} to {number - 1}\n\n{figures.table()}\n"
    text += "".join(
        f"\n{count} times, first --case {first}: {what}" for what, (first, count) in found.items()
    )
    (cache() / "fuzz" / f"report-{given.seed}.md").write_text(text + "\n")
    print(text)
    return int(bool(found))


def again(server: Server, given: argparse.Namespace) -> int:
    """One case, with all that is known of it."""
    one = case(given.seed, given.case)
    inputs = files(one)
    ours = server.linkpipe(inputs)
    theirs = server.oracle(inputs) if one.comparable else None
    verdict = judge(inputs, ours, theirs)
    print(json.dumps(kept(given.seed, given.case, one, ours, theirs), indent=1, ensure_ascii=True))
    if given.smaller and verdict.bad:

        def still(step: Case) -> bool:
            try:
                tried = files(step)
            except (ValueError, IndexError, KeyError):
                return False
            theirs = server.oracle(tried) if step.comparable else None
            return judge(tried, server.linkpipe(tried), theirs) == verdict

        print(json.dumps(named(smaller(one, still)).as_data(), indent=1))
    print(f"{verdict.name} {verdict.exception}; {ours.seconds:.2f} s, {ours.peak >> 20} MiB")
    print(f"the files: {server.folder / 'place'}" if given.keep else "")
    return int(verdict.bad)


def programs(server: Server, given: argparse.Namespace) -> int:
    """Valid programs, until there are as many as asked; 1 when one is not linked to the same."""
    counts: Counter[str] = Counter()
    number, begin = given.first, time.monotonic()
    while counts.total() < given.programs:
        folder = server.folder / f"batch-{number}"
        folder.mkdir()
        for name, inputs in batch(given.seed, number, folder):
            ours, theirs = server.linkpipe(inputs), server.oracle(inputs)
            told = judge(inputs, ours, theirs).name
            counts["refused by both" if theirs.status and told == "clean error" else told] += 1
            if told not in ("same", "clean error"):
                said = ours.said or theirs.said
                print(f"{told}: --seed {given.seed} {name}: {said}", flush=True)
        if not given.keep:
            shutil.rmtree(folder)
        number += 1
        if given.every and number % given.every == 0:
            print(f"# {number - given.first} batches, {dict(counts)}", flush=True)
    seconds = time.monotonic() - begin
    print(
        f"seed {given.seed}, batches {given.first} to {number - 1}: {dict(counts)}, {seconds:.0f} s"
    )
    return int(counts["same"] + counts["refused by both"] != counts.total())


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument(
        "--cases", type=int, default=0, help="how many at most; 0: what time allows"
    )
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--oracle", type=float, default=0.25, help="share that is compared")
    parser.add_argument("--every", type=int, default=0, help="tell after so many how it goes")
    parser.add_argument("--case", type=int, help="run this one again")
    parser.add_argument("--smaller", action="store_true", help="... and make it small")
    parser.add_argument("--keep", action="store_true", help="keep the folder of the last case")
    parser.add_argument("--programs", type=int, default=0, help="so many valid programs instead")
    given = parser.parse_args(argv)
    server = Server(Path(scratch()))
    try:
        server.warm(*names())
        if given.programs:
            return programs(server, given)
        return again(server, given) if given.case is not None else campaign(server, given)
    finally:
        if not given.keep:
            shutil.rmtree(server.folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
