"""make fuzz: run cases, print what became of them, end with status 1 when anything is wrong."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice, takewhile
from multiprocessing import get_context
from pathlib import Path
from random import Random

import attrs

from tests.conformance.programs import scratch
from tests.conformance.toolchain import ROOT, cache
from tests.fuzz.bases import names
from tests.fuzz.cases import Case, case
from tests.fuzz.programs import batch
from tests.fuzz.server import Server
from tests.fuzz.smaller import named, smaller
from tests.fuzz.texts import TEXTS
from tests.fuzz.verdicts import BAD, FINE, Told, Verdict, judge, verdict_of

AFTER_RELOCATE = "relocate fips dwarfcompress elfsymtab elfimage output hostlink".split()


@attrs.frozen
class Ran:
    """A case that was run. Of findings: ``what`` those of one cause have in common, and what is
    written down."""

    number: int
    kind: str
    edits: int
    last: str
    verdict: Verdict
    compared: bool
    what: str = ""
    finding: str = ""

    @classmethod
    def of(cls, number: int, case: Case, told: Told) -> Ran:
        """Without what both linkers wrote."""
        compared = told.theirs is not None
        return cls(number, case.kind, len(case.edits), told.ours.last, told.verdict, compared)


@attrs.define
class Figures:
    """What is counted: verdicts by kind of edit and by last pass."""

    kinds: dict[str, Counter[str]] = attrs.field(factory=lambda: defaultdict(Counter))
    passes: dict[str, Counter[str]] = attrs.field(factory=lambda: defaultdict(Counter))
    exceptions: Counter[str] = attrs.field(factory=Counter)
    edits: int = 0
    compared: int = 0
    far_compared: int = 0
    archives: int = 0
    far: int = 0

    def add(self, ran: Ran) -> None:
        verdict = ran.verdict
        self.kinds[ran.kind][verdict.name] += 1
        self.passes[ran.last or "(before the first)"][verdict.name] += 1
        self.exceptions[verdict.exception] += bool(verdict.exception)
        self.edits += ran.edits
        far = ran.last in AFTER_RELOCATE
        self.compared += ran.compared
        self.far_compared += ran.compared and far
        if ran.kind not in TEXTS or ran.kind == "cgo directives":
            self.archives += 1
            self.far += far

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
            f"{self.total.total()} cases, {self.edits} edits; {self.compared} compared with the "
            f"oracle, {self.far_compared} of which reached relocate, as did {share:.0f} % of "
            f"{self.archives} damaged archives."
        )
        lines += [f"exception: {name}: {count}" for name, count in self.exceptions.items() if name]
        return "\n".join(lines)


def kept(seed: int, number: int, given: Case, told: Told) -> dict[str, object]:
    """A finding, as it is written down."""
    ours, theirs = told.ours, told.theirs
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


def shape(told: Told) -> str:
    """What findings of one cause have in common: the class, the pass, the words without numbers and
    names."""
    ours, theirs = told.ours, told.theirs
    said = ours.said if ours.status else (theirs.said if theirs else "")
    lines = [line for line in said.splitlines() if line.strip()]
    place = next((line.strip() for line in lines if line.strip().startswith("at:")), "")
    first = re.sub(r'[0-9]+|"[^"]*"|/\S+|\S+[.:/]\S+', "#", lines[0] if lines else "")
    return f"{told.verdict.name} | {ours.last} | {first[:100]} | {place}"


@attrs.frozen
class Worker:
    """Runs the cases of a seed, a share of them beside the oracle."""

    server: Server
    seed: int
    oracle: float
    base: str

    def run(self, number: int) -> Ran:
        one = case(self.seed, number, self.base)
        compared = Random(f"{self.seed}:{number}:oracle").random() < self.oracle
        told = verdict_of(self.server, one, compared=compared)
        if told.verdict.bad:
            again = verdict_of(self.server, one, compared=True, fresh=True)
            if again.verdict != told.verdict:
                print(f"--case {number} --seed {self.seed}: {told.verdict.name}, but not alone")
            told = again
        ran = Ran.of(number, one, told)
        if not told.verdict.bad:
            return ran
        finding = kept(self.seed, number, one, told)
        return attrs.evolve(ran, what=shape(told), finding=json.dumps(finding, indent=1))


_workers: list[Worker] = []
"""The one of this process, where there are several."""


def _begin(worker: Worker) -> None:
    own = Server(worker.server.folder / str(os.getpid()))
    _workers.append(attrs.evolve(worker, server=own))


def _run(number: int) -> Ran:
    return _workers[0].run(number)


def all_run(worker: Worker, jobs: int, numbers: Iterator[int]) -> Iterator[Ran]:
    """What became of cases, run by so many processes."""
    if jobs == 1:
        yield from map(worker.run, numbers)
        return
    forks = get_context("fork")
    with ProcessPoolExecutor(jobs, forks, _begin, (worker,)) as pool:
        while some := list(islice(numbers, 50 * jobs)):
            yield from pool.map(_run, some, chunksize=5)


def campaign(server: Server, given: argparse.Namespace) -> int:
    """Run cases until the time is over, Ctrl-C, or as many as asked; 1 when one is wrong."""
    figures, found = Figures(), dict[str, tuple[int, int]]()
    folder = cache() / "fuzz" / "findings"
    folder.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    end = begin + 60 * given.minutes
    last = given.first + given.cases if given.cases else sys.maxsize
    stopped: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: stopped.append(number))
    numbers = takewhile(
        lambda _: not stopped and time.monotonic() < end, iter(range(given.first, last))
    )
    number = given.first
    for ran in all_run(Worker(server, given.seed, given.oracle, given.base), given.jobs, numbers):
        figures.add(ran)
        if ran.what:
            first, count = found.get(ran.what, (ran.number, 0))
            found[ran.what] = first, count + 1
            if not count:
                print(f"--case {ran.number} --seed {given.seed}: {ran.what}", flush=True)
                (folder / f"{given.seed}-{ran.number}.json").write_text(ran.finding)
        number = ran.number + 1
        if given.every and number % given.every == 0:
            print(f"# {number - given.first} {dict(figures.total)}", flush=True)
    signal.signal(signal.SIGINT, before)
    seconds = time.monotonic() - begin
    text = f"seed {given.seed}, cases {given.first} to {number - 1}, {seconds:.0f} s\n\n"
    text += f"{figures.table()}\n"
    text += "".join(
        f"\n{count} times, first --case {first}: {what}" for what, (first, count) in found.items()
    )
    (cache() / "fuzz" / f"report-{given.seed}.md").write_text(text + "\n")
    print(text)
    write_down(given.seed, given.base, given.first, seconds, figures)
    return int(bool(found))


def write_down(seed: int, base: str, first: int, seconds: float, figures: Figures) -> None:
    """A line of JSON for this run, so that runs add up."""
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
    row = {
        "date": time.strftime("%Y-%m-%d %H:%M"),
        "commit": subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip(),
        "seed": seed,
        "base": base,
        "first": first,
        "cases": figures.total.total(),
        "edits": figures.edits,
        "compared": figures.compared,
        "compared, reached relocate": figures.far_compared,
        "seconds": round(seconds),
        **figures.total,
    }
    with (cache() / "fuzz" / "runs.jsonl").open("a") as file:
        file.write(json.dumps(row) + "\n")


def again(server: Server, given: argparse.Namespace) -> int:
    """One case, with all that is known of it."""
    one = case(given.seed, given.case, given.base)
    told = verdict_of(server, one, compared=True, fresh=True)
    verdict, ours = told.verdict, told.ours
    print(json.dumps(kept(given.seed, given.case, one, told), indent=1, ensure_ascii=True))
    if given.smaller and verdict.bad:

        def still(step: Case) -> bool:
            try:
                return verdict_of(server, step, compared=True, fresh=True).verdict == verdict
            except (ValueError, IndexError, KeyError):
                return False

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
    parser.add_argument("--base", default="", help="only bases whose names begin so")
    parser.add_argument("--oracle", type=float, default=0.1, help="share that is compared")
    parser.add_argument("--jobs", type=int, default=1, help="so many processes")
    parser.add_argument("--every", type=int, default=0, help="tell after so many how it goes")
    parser.add_argument("--case", type=int, help="run this one again")
    parser.add_argument("--smaller", action="store_true", help="... and make it small")
    parser.add_argument("--keep", action="store_true", help="keep the folder of the last case")
    parser.add_argument("--programs", type=int, default=0, help="so many valid programs instead")
    given = parser.parse_args(argv)
    server = Server(Path(scratch()))
    try:
        server.warm(*(name for name in names() if name.startswith(given.base)))
        if given.programs:
            return programs(server, given)
        return again(server, given) if given.case is not None else campaign(server, given)
    finally:
        server.close()
        if not given.keep:
            shutil.rmtree(server.folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
