"""make mutants: make mutants, run the tests on each, and say what survived."""

from __future__ import annotations

import argparse
import hashlib
import json
import queue
import random
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from attrs import asdict, frozen

from tests.conformance.programs import lock
from tests.conformance.toolchain import ROOT, cache
from tests.mutation.covering import LINKS, PYTEST, UNIT, Covering, measure, own_tests
from tests.mutation.operators import Mutant, of_files
from tests.mutation.tree import Tree

SAMPLED = ("passes", "arches", "linkpipe/layout", "linkpipe/tables")
WHOLE = ("passes/strdata.py", "passes/elfsymtab.py")
EQUIVALENT = Path(__file__).with_name("equivalent.toml")
KILLED = ("unit tests", "links", "time out")


@frozen
class Result:
    """What became of a mutant: ``end`` is one of KILLED, "survived" or "not run by any test";
    ``state`` is that of the tree then."""

    id: str
    end: str
    noticed: str
    state: str


def sample(mutants: Sequence[Mutant], count: int, seed: int) -> list[Mutant]:
    """So many of them: each file by its share, at least one, and within a file the operators in
    turn. The same for the same seed."""
    chance = random.Random(seed)
    by_file: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        by_file[mutant.file].append(mutant)
    chosen = []
    for _, those in sorted(by_file.items()):
        share = max(1, round(count * len(those) / len(mutants)))
        chance.shuffle(those)
        turns: Counter[str] = Counter()
        turn = {}
        for mutant in those:
            turn[mutant.id] = turns[mutant.operator]
            turns[mutant.operator] += 1
        chosen += sorted(those, key=lambda mutant: turn[mutant.id])[:share]
    return chosen


def state_of_tree() -> str:
    """Changes when the product or a test does."""
    digest = hashlib.sha256()
    for folder in ("linkpipe", "passes", "arches", "releases", "tests"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            digest.update(str(file.relative_to(ROOT)).encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def decide(tree: Tree, mutant: Mutant, covering: Covering) -> tuple[str, str]:
    """What becomes of a mutant, and the test that noticed it."""
    units, links = covering.tests(mutant)
    if not units and not links:
        return "not run by any test", ""
    file = tree.root / mutant.file
    source = file.read_text()
    file.write_text(mutant.apply(source))
    try:
        for tests, end in ((units, "unit tests"), (links, "links")):
            if not tests:
                continue
            listed = tree.root / "mutant-tests"
            listed.write_text("\n".join(tests))
            usual = sum(covering.seconds[test] for test in tests)
            status, printed = tree.run([*PYTEST, "-x", f"@{listed}"], timeout=60 + 10 * usual)
            if status is None:
                return "time out", ""
            if "not found: " in printed or "no tests ran" in printed:
                raise RuntimeError(f"{mutant.id}: the tests are not there:\n{printed}")
            if status:
                failed = [line for line in printed.splitlines() if line.startswith("FAILED")]
                return end, failed[0].split()[1] if failed else "the tests cannot be collected"
    finally:
        file.write_text(source)
    return "survived", ""


def run(
    mutants: Sequence[Mutant], covering: Covering, trees: Sequence[Tree], log: Path
) -> dict[str, Result]:
    """Decide on all mutants that the log does not know the end of; add them to it as they come.

    One that survived is tried again when anything has changed since.
    """
    state = state_of_tree()
    lines = log.read_text().splitlines() if log.exists() else []
    known = {result.id: result for result in (Result(**json.loads(line)) for line in lines)}
    left = [
        mutant
        for mutant in mutants
        if (was := known.get(mutant.id)) is None or (was.end not in KILLED and was.state != state)
    ]
    free: queue.Queue[Tree] = queue.Queue()
    for tree in trees:
        free.put(tree)
    lock = Lock()

    def one(mutant: Mutant) -> None:
        tree = free.get()
        try:
            end, noticed = decide(tree, mutant, covering)
        finally:
            free.put(tree)
        with lock, log.open("a") as out:
            known[mutant.id] = Result(mutant.id, end, noticed, state)
            out.write(json.dumps(asdict(known[mutant.id])) + "\n")
            print(f"{end}: {mutant.file}:{mutant.first} {mutant.operator}", flush=True)

    with ThreadPoolExecutor(len(trees)) as pool:
        list(pool.map(one, left))
    return {mutant.id: known[mutant.id] for mutant in mutants}


def equivalents() -> dict[str, str]:
    """Mutants that change nothing that can be seen: id -> reason."""
    listed = tomllib.loads(EQUIVALENT.read_text()).get("equivalent", [])
    return {entry["id"]: entry["reason"] for entry in listed}


def report(mutants: Sequence[Mutant], results: dict[str, Result]) -> str:
    """The figures by file, and the survivors, in Markdown."""
    same = equivalents()
    rows = ["| file | mutants | unit tests | links | time out | equivalent | survived | killed |"]
    rows.append("|---|" + "---:|" * 7)
    by_file: dict[str, Counter[str]] = defaultdict(Counter)
    alive = []
    for mutant in mutants:
        end = results[mutant.id].end
        if end not in KILLED:
            end = "equivalent" if mutant.id in same else "survived"
            alive.append(mutant)
        by_file[mutant.file][end] += 1
        by_file["all"][end] += 1
    for file in sorted(by_file, key=lambda name: (name == "all", name)):
        ends = by_file[file]
        count = ends.total()
        killed = sum(ends[end] for end in KILLED)
        columns = [ends[end] for end in (*KILLED, "equivalent", "survived")]
        rows.append(f"| {file} | {count} | " + " | ".join(map(str, columns)))
        rows[-1] += f" | {100 * killed / count:.1f} % |"
    text = "\n".join(rows) + "\n"
    for mutant in alive:
        reason = same.get(mutant.id, results[mutant.id].end)
        text += f"\n`{mutant.id}` {reason}\n```diff\n{mutant.diff()}\n```\n"
    return text


def main(argv: Sequence[str]) -> int:
    """Returns 1 when fewer were killed than asked."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("files", nargs="*", help="files to change; none for the sample")
    parser.add_argument("--sample", type=int, default=0, help="how many in all; 0: of files, all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--own", action="store_true", help="with each file's own tests only")
    parser.add_argument("--least", type=float, default=0, help="per cent that must be killed")
    parser.add_argument("--out", type=Path, default=cache() / "mutants" / "results")
    given = parser.parse_args(argv)

    files = given.files or sorted(
        str(file.relative_to(ROOT))
        for folder in SAMPLED
        for file in (ROOT / folder).rglob("*.py")
        if file.name != "__init__.py"
    )
    mutants = of_files(ROOT, files)
    if given.sample or not given.files:
        whole = [mutant for mutant in mutants if mutant.file in WHOLE and not given.files]
        rest = [mutant for mutant in mutants if mutant not in whole]
        mutants = whole + sample(rest, given.sample or 600, given.seed)
    tests = [*UNIT, LINKS]
    if given.own:
        tests = sorted({own_tests(file) for file in files})
    given.out.mkdir(parents=True, exist_ok=True)
    with lock(given.out / "lock"):  # the copies are one run's at a time
        results = tried(mutants, files, tests, given)
    text = report(mutants, results)
    (given.out / "report.md").write_text(text)
    ends = [asdict(mutant) | asdict(results[mutant.id]) for mutant in mutants]
    (given.out / "report.json").write_text(json.dumps(ends, indent=1))
    print(text)
    killed = sum(results[mutant.id].end in KILLED for mutant in mutants)
    return int(100 * killed < given.least * len(mutants))


def tried(
    mutants: Sequence[Mutant], files: Sequence[str], tests: Sequence[str], given: argparse.Namespace
) -> dict[str, Result]:
    """What became of each mutant with these tests."""
    trees = [Tree.copy(f"job-{job}") for job in range(given.jobs)]
    covering = measure(trees[0], files, tests, given.out, given.jobs)
    print(f"{len(mutants)} mutants, {len(covering.seconds)} tests", flush=True)
    log = given.out / ("own.jsonl" if given.own else "all.jsonl")
    return run(mutants, covering, trees, log)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
