"""The mutation tool: what it changes, what it leaves alone, and what it makes of the answers."""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path

import pytest
from attrs import evolve

from tests.conformance.toolchain import ROOT
from tests.mutation.__main__ import (
    KILLED,
    SAMPLED,
    Result,
    decide,
    equivalents,
    report,
    run,
    sample,
)
from tests.mutation.covering import LINKS, Covering, own_tests
from tests.mutation.operators import Mutant, mutants, of_files
from tests.mutation.tree import Tree

CHANGES = [
    ("x = a < b", ["(a <= b)"]),
    ("x = a in b", ["(a not in b)"]),
    ("x = a is None", ["(a is not None)"]),
    ("x = a + b", ["(a - b)"]),
    ("x = a << b", ["(a >> b)"]),
    ("x = a and b", ["(a or b)"]),
    ("x = ~a", ["(a)"]),
    ("x = a if b else c", ["(c if b else a)"]),
    ("x = 7", ["(6)", "(8)"]),
    ("x = True", ["False"]),
    ("x = 'a'", ["''"]),
    ("x = b''", ["b'X'"]),
    ("x = f(a, b, k=c)", ["", "b, a"]),
    ("x = f(\n    k=c,  # why\n)", [""]),
    ("x += y", ["pass", "x -= y"]),
    ("f(x)", ["pass"]),
    ("raise E('why')", ["pass"]),
    ("def f():\n    return a", ["return None"]),
    ("for x in y:\n    continue", ["break"]),
    ("if a:\n    b = c", ["not (a)"]),
    ("if a == b:\n    c = d", ["(a != b)"]),
    ("x = a * (b + c) * d", ["((b + c) // d)", "(a * (b + c) // d)", "(a // (b + c))", "(b - c)"]),
]


@pytest.mark.parametrize(("source", "after"), CHANGES)
def test_changes(source: str, after: list[str]) -> None:
    found = [mutant.after for mutant in mutants("f.py", source)]
    if "*" not in source:
        assert sorted(found) == sorted(after)
    assert found
    for mutant in mutants("f.py", source):
        changed = mutant.apply(source)
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(source))
        assert mutant.before in source


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""',
        "import a, b",
        "x: dict[str, 1 + 2]",
        "def f(x: int | None) -> list[int]:\n    '''What it does.'''",
        "e = InputError('words', remedy='words', status=2)",
        "x = f'{a + b:03}'",
        "if TYPE_CHECKING:\n    x = 1",
        "return_nothing = None",
        "x = max(a, b)",
    ],
)
def test_what_does_not_run_is_left_alone(source: str) -> None:
    assert mutants("f.py", source) == []


def test_every_change_of_a_file_is_a_program() -> None:
    """And is known by one name, which stays when the statement moves."""
    for file in ("passes/strdata.py", "arches/x86.py", "linkpipe/graphs/csr.py"):
        source = (ROOT / file).read_text()
        found = mutants(file, source)
        for mutant in found:
            ast.parse(mutant.apply(source))
            assert source.encode()[mutant.start : mutant.end].decode() == mutant.before
        names = [mutant.id for mutant in found]
        assert len(set(names)) == len(names) > 20
        assert [mutant.id for mutant in mutants(file, "\n\n" + source)] == names


def test_a_mutant_has_the_lines_of_its_statement() -> None:
    source = "if (a or\n        b):\n    x = f(\n        1)\n"
    assert {(m.before, m.first, m.last) for m in mutants("f.py", source)} == {
        ("a or\n        b", 1, 2),
        ("1", 3, 4),
    }


def test_a_sample_is_of_every_file_and_every_kind() -> None:
    found = of_files(ROOT, ["passes/strdata.py", "passes/fips.py", "passes/load.py"])
    chosen = sample(found, 30, seed=1)
    assert chosen == sample(found, 30, seed=1) != sample(found, 30, seed=2)
    assert len(chosen) == len({mutant.id for mutant in chosen})
    assert abs(len(chosen) - 30) <= 2
    assert {mutant.file for mutant in chosen} == {mutant.file for mutant in found}
    kinds = {mutant.operator for mutant in found if mutant.file == "passes/strdata.py"}
    assert {m.operator for m in chosen if m.file == "passes/strdata.py"} == kinds


def test_tests_come_in_a_good_order() -> None:
    """The file's own, then the quickest, and the links when all others have passed; a line that
    runs when the file is imported is tested by whatever uses the file."""
    own, slow, quick, link = "tests/passes/test_p.py::a", "b", "c", f"{LINKS}::d"
    covering = Covering(
        {own: 9.0, slow: 5.0, quick: 1.0, link: 0.1},
        {"passes/p.py": {3: [slow, link, own], 4: [quick], 9: [link]}},
    )
    mutant = Mutant("passes/p.py", "constant", 3, 4, 0, 1, 0, "1", "(2)", "")
    assert own_tests("passes/p.py") == "tests/passes/test_p.py"
    assert covering.tests(mutant) == ([own, quick, slow], [link])
    assert covering.tests(evolve(mutant, first=9, last=9)) == ([], [link])
    assert covering.tests(evolve(mutant, first=1, last=1)) == ([own, quick, slow], [link])
    assert covering.tests(evolve(mutant, file="passes/q.py")) == ([], [])
    constants = Covering(covering.seconds, {"passes/p.py": {}})
    assert constants.tests(mutant) == ([own], [link])


PRODUCT = "def larger(a, b):\n    if a > b:\n        return a\n    return b\n"
TESTS = "from product import larger\n\ndef test_it():\n    assert larger(2, 1) == 2\n"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    (tmp_path / "product.py").write_text(PRODUCT)
    (tmp_path / "test_product.py").write_text(TESTS)
    return Tree(tmp_path)


IT = "test_product.py::test_it"
COVERING = Covering({IT: 0.1}, {"product.py": {2: [IT]}})


def test_mutants_are_tried_and_the_file_is_as_before(tree: Tree) -> None:
    ends = {m.after: decide(tree, m, COVERING) for m in mutants("product.py", PRODUCT)[:1]}
    assert ends == {"(a >= b)": ("survived", "")}
    turned = Mutant("product.py", "comparison", 2, 2, 25, 30, 0, "a > b", "a < b", "")
    assert decide(tree, turned, COVERING) == ("unit tests", IT)
    broken = evolve(turned, after="a >")
    assert decide(tree, broken, COVERING)[0] == "unit tests"
    nowhere = evolve(turned, file="other.py")
    assert decide(tree, nowhere, COVERING) == ("not run by any test", "")
    assert (tree.root / "product.py").read_text() == PRODUCT


def test_a_test_that_is_not_there_kills_nothing(tree: Tree) -> None:
    """Nobody noticed the mutant: the tool itself is at fault, and says so."""
    changed = mutants("product.py", PRODUCT)[0]
    for gone in ("test_gone.py::test_it", "test_product.py::test_gone"):
        with pytest.raises(RuntimeError, match=f"{changed.id}: the tests are not there"):
            decide(tree, changed, Covering({gone: 0.1}, {"product.py": {2: [gone]}}))
    assert (tree.root / "product.py").read_text() == PRODUCT


def test_a_changed_file_is_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte code of it as it was lies beside it; size and time can be the same."""
    monkeypatch.setenv("LINKPIPE_CACHE", str(tmp_path))
    tree = Tree.copy("it")
    file = tree.root / "linkpipe" / "__init__.py"
    about, text = file.stat(), file.read_text()
    assert list((file.parent / "__pycache__").glob("__init__.*.pyc"))
    file.write_text(text.replace('__version__ = "0', '__version__ = "9'))
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))
    status, printed = tree.run(["-c", "import linkpipe; print(linkpipe.__version__)"])
    assert (status, printed[0]) == (0, "9")


def test_what_takes_too_long_is_stopped(tree: Tree) -> None:
    assert tree.run(["-c", "while True: pass"], timeout=0.5) == (None, "")


def test_a_run_goes_on_where_it_was(tree: Tree, tmp_path: Path) -> None:
    """What was killed stays so; what survived is tried again when something has changed."""
    changes = mutants("product.py", PRODUCT)
    log = tmp_path / "log"
    before = [Result(changes[0].id, "survived", "", "another state")]
    before += [Result(mutant.id, "unit tests", "x", "another state") for mutant in changes[1:]]
    log.write_text("".join(json.dumps(vars_of(result)) + "\n" for result in before))
    results = run(changes, COVERING, [tree], log)
    assert len(log.read_text().splitlines()) == len(changes) + 1
    assert results[changes[0].id].state != "another state"
    run(changes, COVERING, [tree], log)
    assert len(log.read_text().splitlines()) == len(changes) + 1


def vars_of(result: Result) -> dict[str, str]:
    return {name: getattr(result, name) for name in ("id", "end", "noticed", "state")}


def test_the_report_counts_and_shows() -> None:
    changes = mutants("product.py", PRODUCT)
    ends = ["survived", "links", "time out", *["unit tests"] * len(changes)]
    results = {m.id: Result(m.id, end, "", "") for m, end in zip(changes, ends, strict=False)}
    text = report(changes, results)
    count = len(changes)
    killed = 100 * (count - 1) / count
    assert (
        f"| product.py | {len(changes)} | {len(changes) - 3} | 1 | 1 | 0 | 1 | {killed:.1f} % |"
        in text
    )
    assert "product.py:2 (comparison)\n-a > b\n+(a >= b)" in text


def test_a_copy_is_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passes and architectures too, which stand elsewhere than they are imported from."""
    monkeypatch.setenv("LINKPIPE_CACHE", str(tmp_path))
    tree = Tree.copy("it")
    names = ("linkpipe.passes.strdata", "linkpipe.arches.x86", "linkpipe.graphs.csr")
    script = f"import importlib\nfor name in {names}: print(importlib.import_module(name).__file__)"
    status, printed = tree.run(["-c", script])
    assert status == 0
    assert all(Path(line).is_relative_to(tree.root) for line in printed.split())
    assert not (tree.root / ".git").exists()


def test_equivalent_mutants_are_there_and_few() -> None:
    """Each has a reason, and they are at most one in twenty of a file's."""
    files = [
        str(file.relative_to(ROOT)) for folder in SAMPLED for file in (ROOT / folder).rglob("*.py")
    ]
    listed = equivalents()
    assert all(listed.values())
    left = set(listed)
    for file in files:
        names = {mutant.id for mutant in of_files(ROOT, [file])}
        assert len(names & left) <= max(1, len(names) / 20)
        left -= names
    assert left == set(), "the statement has changed: is the mutant still equivalent?"
    assert set(KILLED).isdisjoint(listed)
