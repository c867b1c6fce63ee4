"""Which tests run which lines, and for how long: asked once of the product as it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from tests.mutation.operators import Mutant
from tests.mutation.tree import Tree

UNIT = ("tests/linkpipe", "tests/passes", "tests/arches")
LINKS = "tests/mutation/links.py"
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0")


def own_tests(file: str) -> str:
    """The test file that mirrors a file of the product."""
    path = Path(file)
    return str(Path("tests") / path.parent / f"test_{path.name}")


@frozen
class Covering:
    """``seconds``: test -> how long it takes; ``lines``: file -> line -> the tests that run it,
    but for what runs when the file is imported."""

    seconds: dict[str, float]
    lines: dict[str, dict[int, list[str]]]

    def tests(self, mutant: Mutant) -> tuple[list[str], list[str]]:
        """The tests that can notice a mutant, unit tests and links, each in the order in which to
        run them: the file's own first, then the quickest."""
        lines = self.lines.get(mutant.file, {})
        found = {t for n in range(mutant.first, mutant.last + 1) for t in lines.get(n, ())}
        own = own_tests(mutant.file) + "::"
        if not found and mutant.file in self.lines:  # runs on import: whatever uses the file
            found = {test for tests in lines.values() for test in tests}
            found |= {test for test in self.seconds if test.startswith((own, LINKS))}
        order = sorted(found, key=lambda t: (not t.startswith(own), self.seconds[t], t))
        return (
            [test for test in order if not test.startswith(LINKS)],
            [test for test in order if test.startswith(LINKS)],
        )


def measure(
    tree: Tree, files: Sequence[str], tests: Sequence[str], folder: Path, jobs: int
) -> Covering:
    """Run the tests in the tree and see which lines of the files each of them runs. Tests that
    fail there are left out."""
    from coverage import CoverageData

    folder.mkdir(parents=True, exist_ok=True)
    data, watched = folder / "coverage", folder / "tests.json"
    roots = sorted({Path(file).parts[0] for file in files})
    words: list[str | Path] = [
        *PYTEST,
        "-p",
        "tests.mutation.watch",
        # In one word: two, and pytest takes the file for one with tests, until it knows the option.
        f"--watch={watched}",
        "-n",
        str(jobs),
    ]
    words += [*(f"--cov={root}" for root in roots), "--cov-context=test", "--cov-report="]
    status, printed = tree.run([*words, *tests], COVERAGE_FILE=str(data))
    if status not in (0, 1):
        raise RuntimeError(f"the tests cannot be run in {tree.root}:\n{printed}")
    ran = json.loads(watched.read_text())
    seconds = {name: test["seconds"] for name, test in ran.items() if test["passed"]}
    if not seconds or not all(name.startswith(tuple(tests)) for name in seconds):
        raise RuntimeError(f"no test passes in {tree.root}, or others do:\n{printed}")
    found = CoverageData(str(data))
    found.read()
    places = {Path(name).resolve(): name for name in found.measured_files()}
    lines: dict[str, dict[int, list[str]]] = {}
    for file in files:
        name = places.get((tree.root / file).resolve())
        contexts = found.contexts_by_lineno(name) if name else {}
        lines[file] = {
            line: sorted({t for c in by if (t := c.rpartition("|")[0]) in seconds})
            for line, by in contexts.items()
        }
    return Covering(seconds, lines)
