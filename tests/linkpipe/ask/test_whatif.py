"""What would leave: as it does when the program is edited accordingly, and linked again."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from linkpipe import api
from linkpipe.ask.whatif import Rank, WhatIf, rank, whatif
from linkpipe.errors import UserError
from linkpipe.tables.symbols import Flag
from tests.conformance.toolchain import environment
from tests.linkpipe.ask.links import DEEP, QUIET, SEVERAL, WITH_PLUGIN, linked

EDITS = {
    "executes": 'template.Must(template.New("x").Parse("{{.}}")).Execute(os.Stdout, 1)',
    "looksUp": "reflect.ValueOf(os.Stdout).MethodByName(os.Args[0]).IsValid()",
    "prints": "fmt.Println(os.Args, shapes)",
    "reads": "println(table[os.Args[0]])",
    "sorts": "sort.Sort(sort.Reverse(sort.StringSlice(os.Args)))",
}
"""Functions of a program, and what is in each until it is taken out."""

HEAD = """package main

import (
	"fmt"
	"os"
	"reflect"
	"sort"
	"text/template"
)

type shape interface{ Area() int }
type square struct{ side int }

func (s square) Area() int      { return s.side * s.side }
func (s square) String() string { return "square" }

var shapes = []shape{square{1}}

var table = map[string]int{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7,
	"h": 8, "i": 9, "j": 10, "k": 11, "l": 12, "m": 13, "n": 14, "o": 15, "p": 16, "q": 17,
	"r": 18, "s": 19, "t": 20, "u": 21, "v": 22, "w": 23, "x": 24, "y": 25, "z": 26}

var _ = fmt.Sprint
var _ = os.Exit
var _ = reflect.ValueOf
var _ = sort.Sort
var _ *template.Template
"""


def source(name: str, *, edited: bool) -> str:
    """A program with one of the functions, the imports of which stay when it is emptied."""
    lines = "" if edited else f"\t{EDITS[name]}\n"
    return f"{HEAD}\n//go:noinline\nfunc {name}() {{\n{lines}}}\n\nfunc main() {{ {name}() }}\n"


MERGED = re.compile(r"runtime\.gcbits\.|.*\.\.stmp_|\$|runtime\.mapinitnoop$|go:string\.")


def names(link: api.Link) -> Counter[str]:
    """The symbols in the output, but constants: these are merged by content, and have any name; and
    what stands in for the initialisers of maps that nothing needs, which comes when one goes."""
    symbols = link.symbols
    kept = symbols.reachable()
    found = (symbols.name(sym) for sym in kept[~symbols.has(kept, Flag.CONTENT_HASHED)].tolist())
    return Counter(name for name in found if not MERGED.match(name))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("edited")
    (found / "go.mod").write_text("module edited.test\n\ngo 1.26\n")
    for name in EDITS:
        for edited in (False, True):
            (found / name / str(edited)).mkdir(parents=True)
            (found / name / str(edited) / "main.go").write_text(source(name, edited=edited))
    return found


@pytest.mark.parametrize("name", EDITS)
def test_it_is_what_a_relink_leaves(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function is emptied in the source, compiled and linked: the same symbols are gone."""
    for variable, value in environment(CGO_ENABLED="0").items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(folder)
    whole, edited = (api.link(f"./{name}/{each}", until="graph") for each in (False, True))
    leaving = whatif(whole, f"main.{name}")
    left = names(whole) - Counter(leaving.names)
    assert left | Counter([f"main.{name}"]) == names(edited)
    assert leaving.symbols > 2
    assert leaving.cut == (f"main.{name}",)


def test_without_a_package_what_it_alone_imports_is_not_initialised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import is taken out of the source, compiled and linked: the same symbols are gone, those
    of packages among it that only this one imports (net/url, text/template/parse)."""
    for variable, value in environment(CGO_ENABLED="0").items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "go.mod").write_text("module edited.test\n\ngo 1.26\n")
    for name, line in (("whole", 'import _ "text/template"\n'), ("edited", "")):
        (tmp_path / name).mkdir()
        text = f'package main\n\nimport "os"\n{line}\nfunc main() {{ os.Getpid() }}\n'
        (tmp_path / name / "main.go").write_text(text)
    whole, edited = (api.link(f"./{name}", until="graph") for name in ("whole", "edited"))
    leaving = whatif(whole, "text/template")
    assert names(whole) - Counter(leaving.names) == names(edited)
    left = {each.package for each in leaving.packages if each.whole}
    assert {"text/template", "text/template/parse", "net/url"} <= left


def test_packages_that_leave_add_up() -> None:
    found = whatif(linked(DEEP), "looking.test/deep/helper")
    assert sum(each.symbols for each in found.packages) == found.symbols
    assert sum(each.size for each in found.packages) == found.size > found.own > 0
    assert len(found.names) <= found.symbols
    helper = next(each for each in found.packages if each.package == "looking.test/deep/helper")
    assert helper.whole
    assert helper.size == found.own


def test_a_cause_that_leaves_takes_what_it_keeps_with_it() -> None:
    """Without package reflect nothing looks methods up: its callers do not any more."""
    link = linked(DEEP)
    marks = whatif(link, "reflect")
    cause = api.why_no_dce(link).together
    assert marks.size > cause.size
    assert "main.gadget.Off" in marks.names


def test_a_host_without_package_plugin_is_pruned() -> None:
    found = whatif(linked(WITH_PLUGIN), "plugin")
    assert found.symbols > 1000
    assert "main.gadget.On" in found.names


def test_what_is_needed_by_others_stays() -> None:
    """And what is not there cannot leave."""
    found = whatif(linked(QUIET), "main.measure")
    assert "main.measure" in found.names
    assert "main.square.Area" in found.names, "nobody else calls it"
    assert "fmt.Fprintln" not in found.names
    assert whatif(linked(QUIET), "main.square.Perimeter").symbols == 0


def test_several_at_once() -> None:
    one, other = (whatif(linked(QUIET), what) for what in ("main.measure", "fmt"))
    both = whatif(linked(QUIET), "main.measure", "fmt")
    assert both.cut == ("main.measure", "fmt")
    assert {*one.names, *other.names} <= set(both.names)


def test_an_edge_that_is_cut() -> None:
    """As when the call is taken out: what it alone reached leaves, and what made it stays."""
    found = whatif(linked(QUIET), "main.main -> fmt.Fprintln")
    whole = whatif(linked(QUIET), "fmt.Fprintln")
    assert found.cut == ("main.main -> fmt.Fprintln",)
    assert found.names == whole.names, "nobody else calls it"
    assert found.own == 0
    kept = whatif(linked(DEEP), "main -> runtime.printnl")
    assert "runtime.printnl" not in kept.names
    assert whatif(linked(DEEP), "main.run->looking.test/deep/helper").symbols > 1000


def test_a_call_through_an_interface_is_an_edge() -> None:
    """The method leaves with the one call of it, though its type stays."""
    found = whatif(linked(QUIET), "main.measure -> main.square.Area")
    assert "main.square.Area" in found.names
    assert "main.measure" not in found.names
    assert "type:main.square" not in found.names


def test_what_makes_a_function_look_up_is_an_edge() -> None:
    """Cut from reflection, a function switches no pruning off."""
    found = whatif(linked(DEEP), "looking.test/deep/helper.find -> reflect.Value.MethodByName")
    assert "main.gadget.Off" in found.names
    assert "looking.test/deep/helper.find" not in found.names


def test_an_edge_that_there_is_not() -> None:
    with pytest.raises(UserError, match="nothing of main.main refers to reflect.Copy"):
        whatif(linked(QUIET), "main.main -> reflect.Copy")
    with pytest.raises(UserError, match=r"is named 'main\.mesure'"):
        whatif(linked(QUIET), "main.mesure -> fmt.Fprintln")


def test_what_matters_only_together() -> None:
    """Each of two causes keeps what the other keeps, so neither alone is worth much."""
    link = linked(SEVERAL)
    found = rank(link, "main.byName", "main.byNumber", "main.main")
    alone = {each.name: each for each in found.alone}
    assert [each.size for each in found.alone] == sorted(
        (a.size for a in found.alone), reverse=True
    )
    for name in ("main.byName", "main.byNumber"):
        assert alone[name].size == whatif(link, name).size
    (pair,) = found.pairs
    assert {pair.first, pair.second} == {"main.byName", "main.byNumber"}
    both = whatif(link, "main.byName", "main.byNumber")
    assert pair.size == both.size - alone["main.byName"].size - alone["main.byNumber"].size
    assert found.size == whatif(link, "main.byName", "main.byNumber", "main.main").size


def test_too_many_to_rank() -> None:
    with pytest.raises(UserError, match="13 things to rank, 12 at most"):
        rank(linked(QUIET), *["fmt"] * 13)


def test_a_name_that_there_is_not() -> None:
    with pytest.raises(UserError, match=r"is named 'main\.mesure'"):
        whatif(linked(QUIET), "main.mesure")


def test_it_is_promised() -> None:
    assert api.whatif is whatif
    assert api.WhatIf is WhatIf
    assert api.rank is rank
    assert api.Rank is Rank
