"""strdata: which variables -X sets, and to what."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import attrs
import pytest

from linkpipe.arch import Architecture
from linkpipe.arches.amd64 import ARCH
from linkpipe.arches.s390x import ARCH as S390X
from linkpipe.arches.x86 import ARCH as X86
from linkpipe.engine.context import Link
from linkpipe.errors import LinkpipeError
from linkpipe.flags.environ import Environment
from linkpipe.formats.goobj import AUX_GOTYPE, PKG_NONE
from linkpipe.passes.strdata import strdata
from linkpipe.reloctype import R_ADDR
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag
from tests.goobj_writer import Obj, Reloc, Sym
from tests.objlink import resolved

BSS, DATA, RODATA, STRING = 9, 7, 3, "type:string"
ENVIRONMENT = Environment("/go", "linux", "amd64", "go1.27.3")


def set_strings(
    tmp_path: Path,
    *definitions: str,
    type_: str = STRING,
    dead: Collection[str] = (),
    modinfo: bytes | None = None,
    arch: Architecture = ARCH,
) -> Link:
    """Run the pass on a program in which p.v, the runtime's variables and some others are strings
    (type_), p.w has no type, p.set has a value, and those in ``dead`` are not reached."""
    gotype = (AUX_GOTYPE, (PKG_NONE, 1))
    variable = Sym(name="p.v", type=BSS, size=16, auxs=(gotype, (AUX_GOTYPE, (PKG_NONE, 2))))
    string = Sym(name=type_, type=RODATA, size=1, data=b"t")
    other = Sym(name="p.w", type=BSS, size=16)
    before = tuple(Reloc(at, 8, R_ADDR, (PKG_NONE, 1), 0) for at in (0, 24))
    given = Sym(
        name="p.set", type=DATA, size=48, data=bytes(range(48)), auxs=(gotype,), relocs=before
    )
    names = ("runtime.buildVersion", "runtime.defaultGOROOT", "runtime.modinfo", "a/b%2ec.v")
    others = [attrs.evolve(variable, name=name) for name in names]
    link = resolved(
        tmp_path,
        [Obj("p", nonpkg=(variable, string, other, given, *others))],
        X=definitions,
        environment=ENVIRONMENT,
        arch=arch,
    )
    edit = link.symbols.edit()
    ids = [sym for sym in range(1, len(link.symbols)) if link.symbols.name(sym) not in dead]
    edit.add_flags(ids, Flag.REACHABLE)
    relocs = link.relocs.edit()
    sym = edit.lookup("p.set")
    for reloc in before:
        relocs.add(sym, offset=reloc.offset, size=8, type=R_ADDR, target=edit.lookup(type_))
    packages = attrs.evolve(link.packages, modinfo=modinfo)
    return strdata.run(
        link.evolve(symbols=edit.freeze(), relocs=relocs.freeze(), packages=packages)
    )


def value(link: Link, name: str) -> bytes | None:
    """What the string variable points to; None when it was not set."""
    symbols, ptrsize, order = link.symbols, link.arch.ptrsize, link.arch.byteorder
    rows = link.relocs.rows_of(symbols.lookup(name))
    if rows.start == rows.stop:
        return None
    fields = (link.relocs.type, link.relocs.offset, link.relocs.size, link.relocs.add)
    assert [field[rows].tolist() for field in fields] == [[R_ADDR], [0], [ptrsize], [0]]
    header = bytes(symbols.data(symbols.lookup(name)))
    made = int(link.relocs.target[rows][0])
    assert symbols.name(made) == f"{name}.str"
    text = bytes(symbols.data(made))
    assert text.endswith(b"\0")
    assert header[:ptrsize] == bytes(ptrsize)
    assert int.from_bytes(header[ptrsize : 2 * ptrsize], order) == len(text) - 1
    return text[:-1]


def test_a_variable_is_set_and_keeps_its_size(tmp_path: Path) -> None:
    link = set_strings(tmp_path, "p.v=a=b", "p.v=last wins")
    assert value(link, "p.v") == b"last wins"
    symbols = link.symbols
    sym = symbols.lookup("p.v")
    assert symbols.kind[sym] == SymKind.SDATA
    assert symbols.size[sym] == 16
    text = symbols.lookup("p.v.str")
    assert symbols.kind[text] == SymKind.SRODATA
    assert symbols.has(text, Flag.REACHABLE)
    assert symbols.size[text] == len(b"last wins\0")


def test_a_value_that_is_there_is_replaced(tmp_path: Path) -> None:
    """The pointer that it was too, and nothing is left of a larger variable but its size: a red
    zone may lie behind the string."""
    link = set_strings(tmp_path, "p.set=new")
    assert value(link, "p.set") == b"new"
    sym = link.symbols.lookup("p.set")
    assert link.symbols.size[sym] == 48
    assert link.symbols.kind[sym] == SymKind.SDATA


@pytest.mark.parametrize("arch", [X86, S390X], ids=["386", "s390x"])
def test_pointer_and_length_are_the_architectures(tmp_path: Path, arch: Architecture) -> None:
    assert value(set_strings(tmp_path, "p.v=xyz", arch=arch), "p.v") == b"xyz"


def test_the_first_equals_sign_and_the_last_dot_before_it_count(tmp_path: Path) -> None:
    assert value(set_strings(tmp_path, "p.v=x.y=z"), "p.v") == b"x.y=z"


def test_import_paths_are_escaped_as_in_symbol_names(tmp_path: Path) -> None:
    assert value(set_strings(tmp_path, "a/b.c.v=1"), "a/b%2ec.v") == b"1"


def test_the_runtime_is_told_version_and_goroot(tmp_path: Path) -> None:
    link = set_strings(tmp_path)
    assert value(link, "runtime.buildVersion") == b"go1.27.3"
    assert value(link, "runtime.defaultGOROOT") == b"/go"
    assert value(link, "runtime.modinfo") is None
    assert value(link, "p.v") is None


def test_the_runtime_is_told_of_the_modules(tmp_path: Path) -> None:
    """The bytes as the importcfg has them, which -X may replace."""
    assert value(set_strings(tmp_path, modinfo=b"\xff0w"), "runtime.modinfo") == b"\xff0w"
    link = set_strings(tmp_path, "runtime.modinfo=x", modinfo=b"0w")
    assert value(link, "runtime.modinfo") == b"x"


def test_values_are_bytes(tmp_path: Path) -> None:
    """Arguments need not be UTF-8."""
    assert value(set_strings(tmp_path, "p.v=é\udcff"), "p.v") == "é".encode() + b"\xff"


@pytest.mark.parametrize("name", ["p.none", "p.w"])
def test_what_is_not_there_or_has_no_type_is_passed_over(tmp_path: Path, name: str) -> None:
    """And the next one is set all the same."""
    link = set_strings(tmp_path, f"{name}=x", "p.v=y")
    assert value(link, name) is None
    assert value(link, "p.v") == b"y"
    assert not link.symbols.lookup(f"{name}.str")


def test_what_nothing_reaches_is_passed_over(tmp_path: Path) -> None:
    link = set_strings(tmp_path, "p.set=x", "p.v=y", dead=["p.set", "runtime.buildVersion"])
    assert value(link, "runtime.buildVersion") is None
    assert value(link, "p.v") == b"y"
    assert not link.symbols.lookup("p.set.str")


def test_only_strings_can_be_set(tmp_path: Path) -> None:
    with pytest.raises(LinkpipeError) as error:
        set_strings(tmp_path, "p.v=x", type_="type:int")
    assert "p.v: cannot set with -X: not a var of type string (type:int)" in error.value.render()
    assert error.value.exit_status == 2
