"""resolve: ids and winners equal those of the slow, sequential rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkpipe.engine.context import Link
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.packages.loading import PackageLoader
from linkpipe.packages.places import Places
from linkpipe.passes.resolve import resolve
from linkpipe.tables.objects import Objects
from linkpipe.tables.symbols import Flag, Symbols
from linkpipe.testing.links import object_format, release
from tests.goobj_writer import Obj, Sym, write_archive
from tests.passes.slow_resolve import resolve_slowly

TEXT, RODATA, NOPTRDATA, DATA, BSS, DWARF = 1, 3, 5, 7, 9, 12
DUPOK = int(Flag.DUPOK)


def resolved(folder: Path, objects: Sequence[Obj], *, w: bool = False) -> tuple[Symbols, Objects]:
    """Resolve one package per object, loaded in order."""
    files = {obj.package: write_archive(folder / f"{i}.a", obj) for i, obj in enumerate(objects)}
    loader = PackageLoader(Places(files), next(iter(files.values())))
    for path, file in files.items():
        loader.add(path, file, "test")
    loader.load()
    packages, loaded = loader.freeze(None, object_format())
    arch: Any = SimpleNamespace(regabi=True)
    link = resolve.run(
        Link(
            {
                "packages": packages,
                "objects": loaded,
                "arch": arch,
                "release": release(),
                "options": SimpleNamespace(w=w, dumpdep=False),
            }
        )
    )
    return link.symbols, link.objects


def assert_same_as_slow(symbols: Symbols, objects: Objects) -> None:
    slow = resolve_slowly(objects)
    assert len(symbols) == slow.count
    for (obj, local), sym in slow.ids.items():
        assert int(objects.local_to_id[objects.local_base[obj] + local]) == sym
    for sym, winner in slow.winners.items():
        assert (int(symbols.object[sym]), int(symbols.local[sym])) == winner
        assert int(symbols.size[sym]) == slow.sizes[sym]
        assert int(symbols.align[sym]) == slow.aligns.get(sym, 0)
    sticky = int(Flag.LOCAL | Flag.USED_IN_IFACE)
    for sym, flags in slow.sticky.items():
        assert int(symbols.flags[sym]) & sticky & flags == flags
        assert symbols.check() == []


names = st.sampled_from(["", "a", "b", "p.f", "type:int", "a_rather_long_name", "x" * 40])


@st.composite
def named(draw: st.DrawFn, dup: bool = True) -> Sym:
    size = draw(st.integers(0, 40))
    has_content = draw(st.booleans())
    return Sym(
        name=draw(names),
        abi=draw(st.sampled_from([0, 0, 1, goobj.ABI_STATIC])),
        type=draw(st.sampled_from([RODATA, DATA, BSS])),
        flag=(DUPOK if dup else 0) | draw(st.sampled_from([0, int(Flag.LOCAL)])),
        flag2=draw(st.sampled_from([0, 1])),
        size=size,
        align=draw(st.sampled_from([0, 1, 8, 32])),
        data=b"x" * size if has_content else b"",
    )


@st.composite
def hashed(draw: st.DrawFn) -> Sym:
    # Few hashes, many clashes; also hashes that share their first half only.
    key = draw(st.sampled_from([b"A", b"B", b"12345678A", b"12345678B"]))
    return Sym(name=draw(names), size=draw(st.integers(0, 9)), hash=key)


@st.composite
def objects_(draw: st.DrawFn) -> list[Obj]:
    def one(i: int) -> Obj:
        plain = draw(st.lists(names, max_size=3, unique=True))
        return Obj(
            package=f"p{i}",
            defs=tuple(Sym(name=name, size=1) for name in plain),
            hashed64=tuple(draw(st.lists(hashed(), max_size=3))),
            hashed=tuple(draw(st.lists(hashed(), max_size=3))),
            nonpkg=tuple(draw(st.lists(named(), max_size=5))),
            refs=tuple(draw(st.lists(named(), max_size=4))),
        )

    return [one(i) for i in range(draw(st.integers(1, 4)))]


@settings(max_examples=150)
@given(objects=objects_())
def test_equal_to_the_sequential_rules(tmp_path: Path, objects: list[Obj]) -> None:
    symbols, loaded = resolved(tmp_path, objects)
    assert_same_as_slow(symbols, loaded)


# Under the hash that names once had these are alike.
ALIKE = ("runtime.printstring", "main.evi\udc88b\x03cp\udccb\x1f\x1a")


@pytest.mark.parametrize("name", ALIKE)
def test_names_are_compared_and_not_only_their_hashes(tmp_path: Path, name: str) -> None:
    """A name that was made to have another's hash does not stand for it, however it is asked."""
    other = ALIKE[name == ALIKE[0]]
    objects = [
        Obj("p0", refs=(Sym(name=name), Sym(name=other))),
        Obj("p1", nonpkg=(Sym(name=name, size=8, flag=DUPOK),)),
    ]
    symbols, loaded = resolved(tmp_path, objects)
    assert_same_as_slow(symbols, loaded)
    names = [text.encode("utf-8", "surrogateescape") for text in (name, other)]
    ids = symbols.lookup_many(names, [0, 0]).tolist()
    assert [symbols.name_bytes(sym) for sym in ids] == names
    assert [symbols.lookup(text) for text in names] == ids
    assert [int(symbols.size[sym]) for sym in ids] == [8, 0]
    assert symbols.lookup_others(np.array(ids), 1).tolist() == [0, 0]


def test_packages_are_compared_and_not_only_their_hashes(tmp_path: Path) -> None:
    """This path's hash was once that of q/r."""
    asked = "evil/pkgx\u03d6b\udca1-\x7fV"
    with pytest.raises(InputError, match="p0: reference to nonexistent package evil/pkg"):
        resolved(tmp_path, [Obj("p0", packages=(asked,)), Obj("q/r")])


def test_builtins_are_compared_and_not_only_their_hashes(tmp_path: Path) -> None:
    """A reference to runtime.printstring by its number does not reach what only looks like it."""
    number = [name for name, _ in release().builtins].index(b"runtime.printstring")
    evil = Sym(name=ALIKE[1], abi=1, size=8, flag=DUPOK)
    _, loaded = resolved(tmp_path, [Obj("p0", nonpkg=(evil,))])
    assert int(loaded.builtins[number]) == 0


def test_debug_symbols_among_the_hashed_ones_are_passed_over(tmp_path: Path) -> None:
    """In a link without debug information they are not read, and each of the others keeps its own
    hash: none is found under that of its neighbour."""
    debug = Sym(name="d", type=DWARF, size=4, hash=b"D")
    syms = (debug, *(Sym(name=text, size=4, hash=text.encode()) for text in "ab"))
    for part in ("hashed64", "hashed"):
        parts: Any = [{part: syms}, {part: syms[:0:-1]}]
        objects = [Obj(f"p{i}", **fields) for i, fields in enumerate(parts)]
        symbols, loaded = resolved(tmp_path, objects, w=True)
        ids = loaded.local_to_id[loaded.local_base[1] : loaded.local_base[3]].tolist()
        assert ids == [0, 1, 2, 2, 1]
        assert [symbols.name(sym) for sym in (1, 2)] == ["a", "b"]


def one(type_: int, size: int, content: bool = False, dupok: bool = False) -> Sym:
    data = b"c" * size if content else b""
    return Sym(name="v", type=type_, size=size, data=data, flag=DUPOK if dupok else 0)


@pytest.mark.parametrize(
    ("first", "second", "winner", "size"),
    [
        (one(BSS, 8), one(TEXT, 4, content=True), 1, 8),
        (one(BSS, 8), one(DATA, 8, content=True), 1, 8),
        (one(BSS, 16), one(DATA, 8, content=True), 1, 16),
        (one(DATA, 8, content=True), one(BSS, 16), 0, 16),
        (one(BSS, 8), one(BSS, 16), 1, 16),
        (one(BSS, 16), one(BSS, 8), 0, 16),
        (one(TEXT, 8, content=True), one(BSS, 4), 0, 8),
        (one(RODATA, 4, content=True, dupok=True), one(RODATA, 2, content=True), 1, 2),
    ],
)
def test_who_wins_when_a_name_is_defined_twice(
    tmp_path: Path, first: Sym, second: Sym, winner: int, size: int
) -> None:
    """The oracle's table of eight cases, one by one."""
    objects = [Obj("p0", nonpkg=(first,)), Obj("p1", nonpkg=(second,))]
    symbols, loaded = resolved(tmp_path, objects)
    sym = symbols.lookup("v")
    assert int(symbols.object[sym]) == winner + 1
    assert int(symbols.size[sym]) == size
    assert_same_as_slow(symbols, loaded)


def test_two_definitions_with_content_are_an_error(tmp_path: Path) -> None:
    both = [Obj(f"p{i}", nonpkg=(one(DATA, 8, content=True),)) for i in range(2)]
    with pytest.raises(InputError) as error:
        resolved(tmp_path, both)
    assert str(error.value) == (
        "duplicated definition of symbol v, from p1 (type SDATA size 8) and p0 (type SDATA size 8)"
    )
    assert error.value.exit_status == 1


def test_a_reference_to_a_package_that_is_not_loaded_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="p0: reference to nonexistent package q/r"):
        resolved(tmp_path, [Obj("p0", packages=("q/r",))])


@pytest.mark.parametrize("w", [False, True])
def test_a_debug_symbol_that_would_keep_all_methods_is_an_error(tmp_path: Path, w: bool) -> None:
    """The oracle heeds the flag, in a link that writes no debug information too."""
    fine = Obj("q", nonpkg=(Sym(name="x", type=DWARF),))
    marked = Sym(name="d", type=DWARF, flag=int(Flag.REFLECT_METHOD))
    resolved(tmp_path, [fine], w=w)
    with pytest.raises(InputError, match="symbol 1 is debug information and has flags") as error:
        resolved(tmp_path, [fine, Obj(package="p", defs=(Sym(name="y"),), nonpkg=(marked,))], w=w)
    assert error.value.file == f"{tmp_path}/1.a(_go_.o)"
