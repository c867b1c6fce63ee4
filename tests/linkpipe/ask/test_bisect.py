"""linkpipe bisect: the edit that was planted is the edit that is named, with few links."""

from __future__ import annotations

import random
from math import ceil, log2
from pathlib import Path

import attrs
import pytest

from linkpipe.ask.bisect import bisect
from linkpipe.engine.pipeline import load_pipeline
from linkpipe.engine.plan import make_plan
from linkpipe.engine.plugins import Catalog
from linkpipe.errors import PipelineError, UserError
from tests.conformance.toolchain import goroot
from tests.linkpipe.ask.links import QUIET, response_file
from tests.linkpipe.cli.schemas import checked
from tests.linkpipe.cli.test_asking import ask
from tests.linkpipe.synthetic import catalog, setter, steps

EDITS = 16
VERSION = "GOROOT/bin/go version -m $1 | grep -q path"
PLANTED = (
    ("remove", 'name = "buildinfo"', VERSION),
    ("insert", 'name = "slim"\nafter = "pclntab"', "grep -q runtime/proc.go $1"),
    ("replace", 'name = "buildinfo"\nwhen = { buildmode = ["plugin"] }', VERSION),
    ("remove", 'name = "findfunctab"', "$1"),
)
"""Edits that a program shows, and what holds of it without."""
BROKEN = ("buildinfo", "findfunctab", "pclntab")


def harmless(rng: random.Random, number: int, names: list[str]) -> tuple[str, str]:
    """An edit that changes nothing: its kind and its text."""
    kind = rng.choice(("insert", "replace"))
    name = names.pop(rng.randrange(len(names)))
    if kind == "insert":
        side = rng.choice(("after", "before"))
        return kind, f'barrier = "mine-{number}"\n{side} = "{name}"\nwhy = "a place"\n'
    return kind, f'name = "{name}"\nwhy = "said anew"\n'


def spoiled(seed: int, folder: Path) -> str:
    """The path of a pipeline of 16 edits in two files, one of which breaks the program."""
    rng = random.Random(seed)
    kind, text, _ = PLANTED[seed % len(PLANTED)]
    there = [step.name for step in load_pipeline().steps if step.name not in BROKEN]
    edits = [harmless(rng, number, there) for number in range(EDITS - 1)]
    edits.insert(rng.randrange(EDITS), (kind, f'{text}\nwhy = "planted"\n'))
    half = rng.randrange(1, EDITS)
    for name, extends, part in (
        ("first.toml", "default", edits[:half]),
        ("second.toml", "first.toml", edits[half:]),
    ):
        tables = "\n".join(f"[[{kind}]]\n{text}" for kind, text in part)
        (folder / name).write_text(f'extends = "{extends}"\n\n{tables}')
    return str(folder / "second.toml")


@pytest.mark.once
@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.big) for seed in range(2, 10))]
)
def test_a_planted_fault_is_found(tmp_path: Path, seed: int) -> None:
    """Among 16 edits, by real links of a program that crashes, lacks something, or has too much."""
    bad = spoiled(seed, tmp_path)
    kind, text, test = PLANTED[seed % len(PLANTED)]
    test = test.replace("GOROOT", str(goroot())).replace("$1", '"$1"') + " >/dev/null"
    done = ask(
        "bisect", "--bad", bad, "--test", test, response_file(QUIET, tmp_path), "--format", "json"
    )
    assert done.returncode == 0, done.stderr
    told = checked(done.stdout)
    (culprit,) = told["culprits"]
    first = text.partition("\n")[0]
    assert (culprit["kind"], culprit["why"]) == (kind, "planted")
    assert first == f'name = "{culprit["name"]}"'
    file = Path(culprit["file"])
    assert file.read_text().splitlines()[culprit["line"] - 1] == first
    assert len(told["edits"]) == EDITS
    assert told["links"] <= log2(EDITS) + 2


def test_where_the_test_always_holds_or_never(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('extends = "default"\n\n[[remove]]\nname = "buildinfo"\n')
    target = response_file(QUIET, tmp_path)
    done = ask("bisect", "--bad", str(bad), target)
    assert done.returncode == 1, done.stderr
    assert done.stdout == "the test holds with all edits\n2 links for 1 edits\n"
    done = ask("bisect", "--bad", str(bad), "--test", "false", target)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("the test fails without any edit, too\n")


def test_a_default_pipeline_is_held_to_go_tool_link(tmp_path: Path) -> None:
    """Of a package the toolchain's own linker shows whose fault it is that the test fails."""
    bad = tmp_path / "bad.toml"
    bad.write_text('extends = "default"\n\n[[remove]]\nname = "buildinfo"\n')
    for test, words in (
        ("false", "for what go tool link writes, too: the fault is in the program, or in the test"),
        # linkpipe's output is in the folder of a link that has no output of go's linker yet.
        (
            "test -e $1.tried || { touch $1.tried; exit 1; }",
            "for what go tool link writes it holds",
        ),
    ):
        done = ask("bisect", "--bad", str(bad), "--test", test, "./quiet")
        assert done.returncode == 1, done.stderr
        assert words in done.stdout


def test_what_hangs_has_failed(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('extends = "default"\n\n[[remove]]\nname = "buildinfo"\nwhy = "smaller"\n')
    test = f'{goroot()}/bin/go version -m "$1" | grep -q path || sleep 1000'
    done = ask(
        "bisect", "--bad", str(bad), "--seconds", "5", "--test", test,
        response_file(QUIET, tmp_path),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        f"{bad}:4: [[remove]] buildinfo (smaller)\n"
        "the test holds with what stands before it (0 edits), and fails with it\n"
        "2 links for 1 edits\n"
    )


@attrs.frozen
class Limited:
    """Options of a pass that does its work for so many symbols."""

    limit: int = 1000
    word: str = ""


A = setter("a", (), ("one",))
WANTS = setter("wants", ("brought",), ("two",))
BRINGS = setter("brings", ("one",), ("brought",))
LIMITED = setter("limited", ("one",), ("three",), options=Limited)
KNOWN = catalog(A, WANTS, BRINGS, LIMITED)


class Linked:
    """A test without links: whether a pipeline that can be planned has the pass in it, with a
    limit from ``first`` on."""

    def __init__(self, culprit: str, first: int = 0, known: Catalog = KNOWN) -> None:
        self.culprit, self.first, self.known = culprit, first, known
        self.links = 0

    def __call__(self, file: str) -> bool | None:
        self.links += 1
        pipeline = load_pipeline(file, self.known)
        try:
            plan = make_plan(pipeline, self.known)
        except PipelineError:
            return None
        given = {planned.name: planned.options for planned in plan.passes}
        names = {*given, *(barrier.name for barrier in pipeline.barriers)}
        limit = getattr(given.get(self.culprit), "limit", self.first)
        return self.culprit not in names or limit < self.first


def written(folder: Path, *edits: str) -> tuple[str, str]:
    (folder / "good.toml").write_text(steps("a"))
    text = "\n".join(('extends = "good.toml"', *edits))
    (folder / "bad.toml").write_text(text)
    return str(folder / "good.toml"), str(folder / "bad.toml")


@pytest.mark.parametrize("count", [1, 2, 3, 7, 16, 100])
def test_links_are_few(tmp_path: Path, count: int) -> None:
    """Whichever edit it is."""
    edits = [f'[[insert]]\nbarrier = "b{n}"\nafter = "a"' for n in range(count)]
    good, bad = written(tmp_path, *edits)
    for number in {0, count // 2, count - 1}:
        test = Linked(f"b{number}")
        found = bisect(good, bad, test, KNOWN)
        assert [edit.name for edit in found.culprits] == [f"b{number}"]
        assert found.links == test.links <= ceil(log2(count)) + 2
        assert found.culprits[0].line == 3 * number + 3


def test_what_cannot_be_planned_is_passed_over(tmp_path: Path) -> None:
    """A pass that wants what a later edit brings: both edits are named."""
    wants = '[[insert]]\nname = "wants"\nafter = "a"'
    brings = '[[insert]]\nname = "brings"\nbefore = "wants"'
    other = '[[insert]]\nbarrier = "b"\nafter = "a"'
    good, bad = written(tmp_path, other, wants, brings)
    found = bisect(good, bad, Linked("wants"), KNOWN)
    assert [edit.name for edit in found.culprits] == ["wants", "brings"]
    found = bisect(good, bad, Linked("b"), KNOWN)
    assert [edit.name for edit in found.culprits] == ["b"]


@pytest.mark.parametrize("first", [0, 1, 2, 3, 77, 1000])
def test_a_pass_with_a_limit(tmp_path: Path, first: int) -> None:
    """From how many symbols on it breaks; its other options stay."""
    edit = '[[insert]]\nname = "limited"\nafter = "a"\noptions = { word = "é\\"" }'
    good, bad = written(tmp_path, edit)
    found = bisect(good, bad, Linked("limited", first), KNOWN)
    assert found.limit == first
    assert found.links <= 2 + 2 * 10 + 2


def test_pipelines_that_have_nothing_to_do_with_each_other(tmp_path: Path) -> None:
    good, bad = written(tmp_path)
    with pytest.raises(UserError, match="does not extend"):
        bisect(bad, good, Linked("a"), KNOWN)
    wants = '[[insert]]\nname = "wants"\nafter = "a"'
    good, bad = written(tmp_path, wants)
    with pytest.raises(UserError, match="cannot be planned"):
        bisect(good, bad, Linked("wants"), KNOWN)


def test_strangers_stay_strangers(tmp_path: Path) -> None:
    """A copy extends what its file extends: each edit stays whose it was."""
    good, _ = written(tmp_path)
    for name in "xy":
        text = f'extends = "good.toml"\n[[insert]]\nbarrier = "{name}"\nafter = "a"\n'
        (tmp_path / f"{name}.toml").write_text(text)
    both = tmp_path / "both.toml"
    both.write_text('extends = ["x.toml", "y.toml"]\n[[insert]]\nbarrier = "z"\nafter = "y"\n')
    found = bisect(good, str(both), Linked("y"), KNOWN)
    assert [edit.name for edit in found.edits] == ["x", "y", "z"]
    assert [edit.name for edit in found.culprits] == ["y"]
