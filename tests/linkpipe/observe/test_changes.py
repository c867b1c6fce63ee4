"""What passes changed: the log holds each change once and in order, and the words sum it up."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from linkpipe.api import Link, linkpass
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
