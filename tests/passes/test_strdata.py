"""strdata: which variables -X sets, and to what."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from linkpipe.engine.context import Link
from linkpipe.errors import LinkpipeError
from linkpipe.flags.environ import BASELINE, Environment
from linkpipe.formats.goobj import AUX_GOTYPE, PKG_NONE
from linkpipe.passes.strdata import strdata
from linkpipe.reloctype import R_ADDR
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag
from tests.goobj_writer import Obj, Sym
from tests.objlink import resolved

BSS, RODATA, STRING = 9, 3, "type:string"
ENVIRONMENT = Environment("/go", "linux", "amd64", "go1.27.3", experiments=tuple(sorted(BASELINE)))


def set_strings(
    tmp_path: Path, *definitions: str, type_: str = STRING, reachable: bool = True
) -> Link:
    variable = Sym(name="p.v", type=BSS, size=16, auxs=((AUX_GOTYPE, (PKG_NONE, 1)),))
    other = Sym(name="p.w", type=BSS, size=16)
    names = ("runtime.buildVersion", "runtime.defaultGOROOT", "a/b%2ec.v")
    others = [attrs.evolve(variable, name=name) for name in names]
    string = Sym(name=type_, type=RODATA, size=1, data=b"t")
    link = resolved(
        tmp_path,
        [Obj("p", nonpkg=(variable, string, other, *others))],
        X=definitions,
        environment=ENVIRONMENT,
    )
    edit = link.symbols.edit()
    if reachable:
        edit.add_flags(range(1, len(link.symbols)), Flag.REACHABLE)
    return strdata.run(link.evolve(symbols=edit.freeze()))


def value(link: Link, name: str) -> bytes | None:
    """What the string variable points to; None when it was not set."""
    symbols = link.symbols
    rows = link.relocs.rows_of(symbols.lookup(name))
    if rows.start == rows.stop:
        return None
    assert link.relocs.type[rows].tolist() == [R_ADDR]
    header = bytes(symbols.data(symbols.lookup(name)))
    text = bytes(symbols.data(int(link.relocs.target[rows][0])))
    assert text.endswith(b"\0")
    assert int.from_bytes(header[8:16], "little") == len(text) - 1
    return text[:-1]


def test_a_variable_is_set_and_keeps_its_size(tmp_path: Path) -> None:
    link = set_strings(tmp_path, "p.v=a=b", "p.v=last wins")
    assert value(link, "p.v") == b"last wins"
    sym = link.symbols.lookup("p.v")
    assert link.symbols.kind[sym] == SymKind.SDATA
    assert link.symbols.size[sym] == 16
    text = link.symbols.lookup("p.v.str")
    assert link.symbols.kind[text] == SymKind.SRODATA


def test_the_first_equals_sign_and_the_last_dot_before_it_count(tmp_path: Path) -> None:
    assert value(set_strings(tmp_path, "p.v=x.y=z"), "p.v") == b"x.y=z"


def test_import_paths_are_escaped_as_in_symbol_names(tmp_path: Path) -> None:
    assert value(set_strings(tmp_path, "a/b.c.v=1"), "a/b%2ec.v") == b"1"


def test_the_runtime_is_told_version_and_goroot(tmp_path: Path) -> None:
    link = set_strings(tmp_path)
    assert value(link, "runtime.buildVersion") == b"go1.27.3"
    assert value(link, "runtime.defaultGOROOT") == b"/go"


@pytest.mark.parametrize("name", ["p.none", "p.w"])
def test_what_is_not_there_or_has_no_type_is_passed_over(tmp_path: Path, name: str) -> None:
    assert value(set_strings(tmp_path, f"{name}=x"), name) is None


def test_what_nothing_reaches_is_passed_over(tmp_path: Path) -> None:
    assert value(set_strings(tmp_path, "p.v=x", reachable=False), "p.v") is None


def test_only_strings_can_be_set(tmp_path: Path) -> None:
    with pytest.raises(LinkpipeError) as error:
        set_strings(tmp_path, "p.v=x", type_="type:int")
    assert "p.v: cannot set with -X: not a var of type string (type:int)" in error.value.render()
    assert error.value.exit_status == 2
