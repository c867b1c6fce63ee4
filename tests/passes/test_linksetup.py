"""linksetup: functions are laid out package by package, dependencies first, and the runtime is
told about the link."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkpipe.arches.amd64 import ARCH
from linkpipe.engine.context import Link
from linkpipe.errors import InputError
from linkpipe.packages.loading import PackageLoader
from linkpipe.packages.places import Places
from linkpipe.passes.linksetup import linksetup
from linkpipe.passes.resolve import resolve
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from linkpipe.tables.symbols import Flag, Symbols
from linkpipe.testing.links import object_format, release
from tests.goobj_writer import Obj, Sym, write_archive

DUPOK = int(Flag.DUPOK)
TEXT, NOPTRBSS = 1, 10


def function(name: str, dupok: bool = False) -> Sym:
    return Sym(name=name, type=TEXT, abi=1, size=4, data=b"code", flag=DUPOK if dupok else 0)


def setup(
    folder: Path, objects: list[Obj], *, buildmode: str = "exe", dead: frozenset[str] = frozenset()
) -> Link:
    """Resolve packages p0, p1 … (each imports what it names), mark all but ``dead`` reachable."""
    files = {obj.package: write_archive(folder / f"{i}.a", obj) for i, obj in enumerate(objects)}
    loader = PackageLoader(Places(files), next(iter(files.values())))
    loader.add(objects[0].package, files[objects[0].package], "test")
    loader.load()
    packages, loaded = loader.freeze(None, object_format())
    options: Any = SimpleNamespace(w=False, dumpdep=False, buildmode=buildmode)
    mode = Mode(external=False, iscgo=False, can_use_plugins=False, dynlink=False)
    link = Link(
        {
            "packages": packages,
            "objects": loaded,
            "arch": ARCH,
            "options": options,
            "mode": mode,
            "release": release(),
        }
    )
    link = resolve.run(link)
    edit = link.symbols.edit()
    for sym in range(1, link.symbols.made):
        if link.symbols.name(sym) not in dead:
            edit.add_flags(sym, Flag.REACHABLE)
    return linksetup.run(link.evolve(symbols=edit.freeze()))


def order(link: Link) -> list[str]:
    return [link.symbols.name(sym) for sym in link.text_order.tolist()]


def test_imports_come_first_and_shared_functions_last(tmp_path: Path) -> None:
    link = setup(
        tmp_path,
        [
            Obj("p0", imports=("p1",), defs=(function("a"),), nonpkg=(function("s", True),)),
            Obj("p1", defs=(function("b"), function("c")), nonpkg=(function("s", True),)),
        ],
    )
    assert order(link) == ["b", "c", "s", "a"]
    # The function is p0's (it was loaded first) but lies with p1.
    assert link.symbols.packages[link.symbols.lookup("s", 1)] == "p1"


def test_what_the_runtime_is_made_of_comes_before_all_others(tmp_path: Path) -> None:
    link = setup(
        tmp_path,
        [
            Obj("p0", imports=("p1", "internal/abi"), defs=(function("a"),)),
            Obj("p1", defs=(function("b"),)),
            Obj("internal/abi", defs=(function("z"),)),
        ],
    )
    assert order(link) == ["z", "b", "a"]


def test_unreachable_functions_are_left_out(tmp_path: Path) -> None:
    objects = [Obj("p0", defs=(function("a"), function("b")))]
    assert order(setup(tmp_path, objects, dead=frozenset({"a"}))) == ["b"]


def test_a_variable_in_the_place_of_a_function_is_an_error(tmp_path: Path) -> None:
    """It wins over what several may define, and its bytes would be called; not when nobody does.
    (A function that one package defines wins over the variable.)"""

    def objects(shared: bool) -> list[Obj]:
        variable = Sym(name="p1.f", type=NOPTRBSS, abi=1, size=8)
        return [
            Obj("p0", imports=("p1",), nonpkg=(variable,)),
            Obj("p1", nonpkg=(function("p1.f", shared),)),
        ]

    with pytest.raises(InputError, match=r"p0: p1\.f is a variable, and a function in p1"):
        setup(tmp_path, objects(shared=True))
    assert order(setup(tmp_path, objects(shared=True), dead=frozenset({"p1.f"}))) == []
    assert order(setup(tmp_path, objects(shared=False))) == ["p1.f"]


def test_an_import_cycle_is_an_error(tmp_path: Path) -> None:
    cycle = [Obj("p0", imports=("p1",)), Obj("p1", imports=("p0",))]
    with pytest.raises(InputError, match="found import cycle while visiting p0"):
        setup(tmp_path, cycle)


def test_a_plugin_has_module_data_of_its_own(tmp_path: Path) -> None:
    runtime = (
        Sym(name="runtime.firstmoduledata", type=NOPTRBSS, size=568),
        Sym(name="runtime.islibrary", type=NOPTRBSS, size=1),
    )
    link = setup(tmp_path, [Obj("p0", nonpkg=runtime)], buildmode="plugin")
    symbols = link.symbols
    assert symbols.name(link.moduledata) == "local.moduledata"
    assert symbols.has(link.moduledata, Flag.LOCAL | Flag.REACHABLE)
    assert bytes(symbols.data(symbols.lookup("runtime.islibrary"))) == b"\1"


@pytest.mark.parametrize(
    ("buildmode", "told"),
    [("c-shared", ["islibrary"]), ("c-archive", ["isarchive"]), ("pie", []), ("exe", [])],
)
def test_the_runtime_learns_that_it_is_in_a_library(
    buildmode: str, told: list[str], tmp_path: Path
) -> None:
    """It has the runtime, so its module data is the runtime's own."""
    flags = ("islibrary", "isarchive")
    variables = [Sym(name=f"runtime.{name}", type=NOPTRBSS, size=1) for name in flags]
    variables.append(Sym(name="runtime.firstmoduledata", type=NOPTRBSS, size=568))
    link = setup(tmp_path, [Obj("p0", nonpkg=tuple(variables))], buildmode=buildmode)
    symbols = link.symbols
    ids = {name: symbols.lookup(f"runtime.{name}") for name in flags}
    assert [name for name, sym in ids.items() if bytes(symbols.data(sym)) == b"\1"] == told
    assert symbols.name(link.moduledata) == "runtime.firstmoduledata"


def test_module_data_has_no_other_content(tmp_path: Path) -> None:
    bad = Sym(name="runtime.firstmoduledata", type=NOPTRBSS, size=568, data=bytes(8))
    with pytest.raises(InputError) as error:
        setup(tmp_path, [Obj("p0", nonpkg=(bad,))])
    assert "runtime.firstmoduledata is a table of the linker's own" in error.value.render()
    assert "0.a(_go_.o)" in error.value.render()


def test_a_program_fills_the_runtimes_module_data(tmp_path: Path) -> None:
    runtime = (Sym(name="runtime.firstmoduledata", type=NOPTRBSS, size=568),)
    link = setup(tmp_path, [Obj("p0", nonpkg=runtime)])
    assert link.symbols.name(link.moduledata) == "runtime.firstmoduledata"
    assert int(link.symbols.kind[link.moduledata]) == SymKind.SMODULEDATA
    assert int(link.symbols.size[link.moduledata]) == 0
    tlsg = link.symbols.lookup("runtime.tlsg")
    assert link.tlsg == tlsg
    assert int(link.symbols.kind[tlsg]) == SymKind.STLSBSS


def slow_order(link: Link) -> list[int]:
    """AssignTextSymbolOrder, record by record."""
    objects, symbols, packages = link.objects, link.symbols, link.packages
    own: dict[int, list[int]] = {}
    shared: dict[int, list[int]] = {}
    for obj in range(1, len(objects)):
        package = int(objects.package[obj])
        for local in range(int(objects.defined[obj])):
            sym = int(objects.local_to_id[objects.local_base[obj] + local])
            if not _is_reachable_text(symbols, sym):
                continue
            elsewhere = (int(symbols.object[sym]), int(symbols.local[sym])) != (obj, local)
            dupok = bool(int(symbols.flags[sym]) & DUPOK)
            (shared if elsewhere or dupok else own).setdefault(package, []).append(sym)
    out: list[int] = []
    for first in (True, False):
        for row in packages.postorder:
            if release().is_runtime(packages.items[row].path) == first:
                for sym in (*own.get(row, ()), *shared.get(row, ())):
                    if sym not in out:
                        out.append(sym)
    return out


def _is_reachable_text(symbols: Symbols, sym: int) -> bool:
    reachable = bool(int(symbols.flags[sym]) & Flag.REACHABLE)
    return reachable and int(symbols.kind[sym]) == SymKind.STEXT


@st.composite
def programs(draw: st.DrawFn) -> list[Obj]:
    paths = ["p0", "p1", "runtime", "internal/abi", "p4"]
    out = []
    for i, path in enumerate(paths):
        later = paths[i + 1 :]
        names = draw(st.lists(st.sampled_from("abcdef"), max_size=4, unique=True))
        nonpkg = tuple(attrs.evolve(function(name, True)) for name in names)
        defs = tuple(function(f"{path}.{k}") for k in range(draw(st.integers(0, 2))))
        imports = tuple(draw(st.lists(st.sampled_from(later), unique=True)) if later else ())
        out.append(Obj(path, imports=imports, defs=defs, nonpkg=nonpkg))
    return out


@settings(max_examples=80)
@given(objects=programs())
def test_equal_to_the_sequential_order(tmp_path: Path, objects: list[Obj]) -> None:
    link = setup(tmp_path, objects)
    assert link.text_order.tolist() == slow_order(link)
