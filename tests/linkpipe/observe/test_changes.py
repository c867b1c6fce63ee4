"""What passes changed: the log holds each change once and in order, and the words sum it up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from linkpipe.api import Link, linkpass
from linkpipe.engine.pass_api import Pass
from linkpipe.engine.runner import run_plan
from linkpipe.errors import UserError
from linkpipe.observe.changes import Changes, ChangesOptions
from linkpipe.testing import Tiny
from tests.faults.links import link
from tests.linkpipe.cli.schemas import checked
from tests.linkpipe.synthetic import plan_of, setter, steps


@linkpass(name="grow", requires=("symbols", "relocs"), provides=("symbols", "relocs"))
def grow(link: Link) -> Link:
    """Give main.a another size, make a symbol, and let main.a refer to it."""
    edit, relocs = link.symbols.edit(), link.relocs.edit()
    edit.set(edit.lookup("main.a"), size=99, value=7)
    new = edit.lookup_or_create("main.new")
    relocs.add(edit.lookup("main.a"), offset=8, size=8, type=1, target=new, add=3)
    return link.evolve(symbols=edit.freeze(), relocs=relocs.freeze())


@linkpass(name="again", requires=("x.map",), provides=("x.map", "x.bytes"))
def again(link: Link) -> Link:
    """Change facts that are no tables."""
    told = {key: value for key, value in link.fact("x.map").items() if key != "gone"}
    return link.evolve({"x.map": {**told, "kept": 2, "new": 3}, "x.bytes": link.fact("x.map")})


@linkpass(name="begin", provides=("symbols", "relocs", "x.map"))
def begin(link: Link) -> Link:
    """Set what the others change."""
    tiny = Tiny()
    for name in ("main.a", "main.b"):
        tiny.symbol(name, size=16)
    given = tiny.link()
    told = {"gone": 1, "kept": 1}
    return link.evolve({"symbols": given.symbols, "relocs": given.relocs, "x.map": told})


def run(folder: Path, options: ChangesOptions) -> None:
    nothing = setter("nothing")
    names = ("begin", "grow", "nothing", "again")
    plan = plan_of(folder, steps(*names), begin, grow, nothing, again)
    run_plan(plan, Link(), [Changes(options)])


def watched(folder: Path, **options: Any) -> list[dict[str, Any]]:
    """The log."""
    log = folder / "log"
    run(folder, ChangesOptions(**{"format": "json", "file": str(log), **options}))
    return [checked(line) for line in log.read_text().splitlines()]


def test_the_log(tmp_path: Path) -> None:
    """One order over all passes; symbols by name; each field before and after."""
    found = watched(tmp_path)
    assert [each["number"] for each in found] == list(range(1, len(found) + 1))
    short = [
        tuple(each[key] for key in ("by", "fact", "kind", "symbol", "field", "before", "after"))
        for each in found
        if each["kind"] != "added" or each["fact"] == "x.map"
    ]
    assert ("grow", "symbols", "changed", "main.a", "size", 16, 99) in short
    assert ("grow", "symbols", "changed", "main.a", "value", 0, 7) in short
    assert ("again", "x.map", "changed", "", "value", 1, 2) in short
    assert ("again", "x.bytes", "set", "", "", None, 2) in short
    added = {each["fact"]: each for each in found if each["kind"] == "added"}
    assert added["symbols"]["after"]["name"] == "main.new"
    assert added["relocs"]["symbol"] == "main.a"
    assert (added["relocs"]["after"]["target"], added["relocs"]["after"]["add"]) == (
        "main.new", 3)  # fmt: skip
    assert [each["row"] for each in found if each["kind"] == "removed"] == ["gone"]
    assert {each["symbol"] for each in found} <= {"main.a", "main.new", ""}


def test_only_what_is_asked_for(tmp_path: Path) -> None:
    found = watched(tmp_path, facts=("symbols",), match="new$")
    assert [(each["kind"], each["symbol"]) for each in found] == [("added", "main.new")]
    with pytest.raises(UserError, match="no pass provides the fact nosuch"):
        watched(tmp_path, facts=("nosuch",))
    with pytest.raises(UserError, match="no such file or directory"):
        watched(tmp_path, file=str(tmp_path / "no" / "log"))


def test_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, ChangesOptions())
    first, *lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"begin: symbols set \(\d+ rows\)", first)
    assert lines == [
        "begin: relocs set (0 rows)",
        "begin: x.map set (2 rows)",
        "grow: symbols: size of 1, value of 1 changed (main.a); 1 added (main.new)",
        "grow: relocs: 1 added (main.a)",
        "nothing: nothing",
        "again: x.map: value of 1 changed (kept); 1 added (new); 1 removed (gone)",
        "again: x.bytes set (2 rows)",
    ]


@attrs.frozen(eq=False)
class Table:
    """With rows that do not show all that it holds."""

    shown: tuple[dict[str, Any], ...]
    hidden: Any = None

    def rows(self) -> Iterator[dict[str, Any]]:
        return iter(self.shown)


def deep(value: Any) -> Any:
    return [[[[[value]]]]]


ONE, OTHER = {"name": "a", "n": 1}, {"name": "b", "n": 2}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        # What is written in short on both sides.
        ({"k": np.array([1, 2])}, {"k": np.array([3, 4])}, ["changed k value"]),
        ({"k": np.array([1, 2])}, {"k": np.array([1, 2])}, []),
        ({"k": np.array([1])}, {"k": np.array([1.0])}, ["changed k value"]),
        ({"k": deep(1)}, {"k": deep(2)}, ["changed k value"]),
        ({"k": deep(1)}, {"k": deep(1)}, []),
        # What no row shows.
        (Table((ONE,), np.array([1])), Table((ONE,), np.array([2])), ["replaced"]),
        (Table((ONE,), np.array([1])), Table((ONE,), np.array([1])), []),
        # Names that are unique on one side alone: rows go by their place.
        (Table((ONE, OTHER)), Table((ONE, OTHER, OTHER)), ["added 2"]),
        (Table((ONE, ONE, OTHER)), Table((ONE, OTHER)),
         ["removed 2", "changed 1 name", "changed 1 n"]),
    ],
)  # fmt: skip
def test_every_change_is_told(tmp_path: Path, old: Any, new: Any, told: list[str]) -> None:
    """And none that there is not."""
    first = setter("first", provides=("x.fact",))
    first = attrs.evolve(first, run=lambda link: link.evolve({"x.fact": old}))
    second = attrs.evolve(first, name="second", run=lambda link: link.evolve({"x.fact": new}))
    log = tmp_path / "log"
    plan = plan_of(tmp_path, steps("first", "second"), first, second)
    run_plan(plan, Link(), [Changes(ChangesOptions(format="json", file=str(log)))])
    found = [checked(line) for line in log.read_text().splitlines()]
    assert [
        " ".join(filter(None, (each["kind"], each["row"], each["field"])))
        for each in found
        if each["by"] == "second"
    ] == told


def test_new_bytes_of_a_symbol_are_a_change(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the same length, which no column shows; but not that a table was made anew."""

    def content(name: str, byte: bytes) -> Pass:
        @linkpass(name=name, requires=("symbols",), provides=("symbols",))
        def setting(link: Link) -> Link:
            edit = link.symbols.edit()
            edit.set_content(edit.lookup("main.a"), byte * 16)
            return link.evolve(symbols=edit.freeze())

        return setting

    passes = [begin, content("one", b"1"), content("same", b"1"), content("other", b"2")]
    plan = plan_of(tmp_path, steps(*(each.name for each in passes)), *passes)
    run_plan(plan, Link(), [Changes(ChangesOptions())])
    *_, same, other = capsys.readouterr().err.splitlines()
    assert same == "same: nothing"
    assert re.fullmatch(r"other: symbols replaced \((\d+) rows, now \1\)", other)


def test_a_real_link(tmp_path: Path) -> None:
    """By the flag; the log of the same link says the same of a symbol as the final table does, and
    the file that is linked is the same."""
    plain = link(tmp_path, "-w", "-s")
    assert plain.status == 0
    wanted = (tmp_path / "out").read_bytes()
    for name in ("stdout", "stderr"):
        (tmp_path / name).unlink()
    log = "changes:format=json,file=log,match=^main[.]main$,facts=symbols"
    done = link(tmp_path, "-w", "-s", "-print-changed", "-observe", log)
    assert done.status == 0, done.err
    assert (tmp_path / "out").read_bytes() == wanted
    lines = done.err.splitlines()
    assert "stackcheck: nothing" in lines
    assert any(re.fullmatch(r"textaddress: symbols: .*value of \d+.* changed \(.*\).*", each)
               for each in lines), done.err  # fmt: skip
    found = [checked(line) for line in (tmp_path / "log").read_text().splitlines()]
    (placed,) = (each for each in found if (each["by"], each["field"]) == ("textaddress", "value"))
    assert placed["before"] == 0
    assert placed["after"] > 0
    for one, other in pairwise(found):
        assert one["number"] < other["number"]
    values: dict[str, Any] = {}
    for each in found:
        if each["kind"] == "changed":
            assert values.setdefault(each["field"], each["before"]) == each["before"]
            values[each["field"]] = each["after"]
    assert json.dumps(values["value"]) == json.dumps(placed["after"])
