"""Type descriptors are read the same in bulk and one by one, in both sizes and byte orders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.formats.leb128 import uleb
from linkpipe.gotypes.data import TypeData, targets_at
from linkpipe.gotypes.layout import TFLAG_EXTRA_STAR, TFLAG_UNCOMMON, Kind, TypeLayout
from linkpipe.reloctype import R_ADDR
from tests.goobj_writer import Obj, Reloc, Sym
from tests.objlink import resolved
from tests.typeview import Field, TypeView, views

TARGETS = [(8, "little"), (8, "big"), (4, "little"), (4, "big")]


def test_layout_is_the_runtimes() -> None:
    """Offsets as the comments of decodesym.go and internal/abi give them."""
    layout = TypeLayout(8, "little", 11, 0xFF)
    assert (layout.common, layout.tflag, layout.gcdata, layout.string) == (48, 20, 32, 40)
    assert [layout.size_of_kind(kind) for kind in (Kind.STRUCT, Kind.MAP, Kind.INT, 77)] == [
        80, 136, 48, 48,
    ]  # fmt: skip
    layout = TypeLayout(4, "little", 11, 0xFF)
    assert (layout.common, layout.tflag, layout.gcdata, layout.string) == (32, 12, 20, 24)
    assert layout.size_of_kind(Kind.MAP) == 32 + 40 + 4


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, 3), st.integers(1, 9)), max_size=5), st.integers(0, 3)
        ),
        max_size=5,
    )
)
def test_targets_at(cases: list[tuple[list[tuple[int, int]], int]]) -> None:
    counts = np.array([len(relocs) for relocs, _ in cases], np.int64)
    flat = [row for relocs, _ in cases for row in relocs]
    offset = np.array([o for o, _ in flat], np.int32)
    target = np.array([t for _, t in flat], np.int32)
    found = targets_at(counts, offset, target, np.array([w for _, w in cases], np.int64))
    assert found.tolist() == [next((t for o, t in rows if o == w), 0) for rows, w in cases]


def name(text: str, flags: int = 0) -> bytes:
    raw = text.encode()
    return bytes([flags]) + uleb(len(raw)) + raw


def read(folder: Path, syms: list[Sym], ptrsize: int, order: Any) -> TypeData:
    link = resolved(folder, [Obj("p", defs=tuple(syms))])
    return TypeData(link.symbols, link.objects, ptrsize, order)


def one(types: TypeData, sym: int) -> TypeView:
    return next(views(types, np.array([sym])))


class Head:
    """Writes the common head of a descriptor."""

    def __init__(self, ptrsize: int, order: str) -> None:
        self.ptrsize, self.order = ptrsize, order

    def word(self, value: int, size: int = 0) -> bytes:
        return value.to_bytes(size or self.ptrsize, "little" if self.order == "little" else "big")

    def type(
        self,
        kind: int,
        tail: bytes,
        *,
        size: int = 0,
        ptrdata: int = 0,
        tflag: int = 0,
        relocs: tuple[tuple[int, int], ...] = (),
        typename: str = "",
    ) -> Sym:
        head = self.word(size) + self.word(ptrdata) + bytes(4) + bytes([tflag, 8, 8, kind])
        head += bytes(2 * self.ptrsize + 8)
        rows = tuple(Reloc(o, 4, R_ADDR, (goobj.PKG_SELF, t)) for o, t in relocs)
        data = head + tail
        return Sym(name=typename, data=data, size=len(data), relocs=rows)


@pytest.mark.parametrize(("ptrsize", "order"), TARGETS)
def test_a_struct_with_methods(tmp_path: Path, ptrsize: int, order: str) -> None:
    w = Head(ptrsize, order)
    common, word = 4 * ptrsize + 16, ptrsize
    fields = common + 4 * word + 16
    tail = w.word(0) * 2 + w.word(2) * 2  # package, slice of fields
    tail += bytes(4) + w.word(3, 2) + w.word(1, 2) + w.word(16 + 6 * word, 4) + bytes(4)
    tail += w.word(0) * 2 + w.word(0) + w.word(0) * 2 + w.word(word)
    tail += bytes(3 * 16)
    relocs = (
        (4 * ptrsize + 8, 1),
        (3 * ptrsize + 8, 2),
        (fields, 3), (fields + word, 5),
        (fields + 3 * word, 4), (fields + 4 * word, 0),
    )  # fmt: skip
    struct_ = w.type(
        Kind.STRUCT, tail, size=2 * word, ptrdata=word, tflag=TFLAG_UNCOMMON | TFLAG_EXTRA_STAR,
        relocs=relocs, typename="type:p.T",
    )  # fmt: skip
    names = [name("*p.T"), b"\x01", name("A"), name("Embedded" * 20, 8)]
    syms = [struct_, *(Sym(name=f"n{i}", data=d, size=len(d)) for i, d in enumerate(names))]
    syms.append(w.type(Kind.INT, b"", size=word, typename="type:int"))
    types = read(tmp_path, syms, ptrsize, order)
    ids = np.array([types.symbols.lookup("type:p.T"), types.symbols.lookup("type:int")])
    assert types.kinds(ids).tolist() == [Kind.STRUCT, Kind.INT]
    assert types.sizes(ids).tolist() == [2 * word, word]
    assert types.ptrdata(ids).tolist() == [word, 0]
    methods = types.methods(ids)
    assert methods.counts.tolist() == [3, 0]
    assert methods.first.tolist() == [fields + 6 * word, 0]
    view, plain = views(types, ids)
    assert (view.kind, view.size, view.ptrdata) == (Kind.STRUCT, 2 * word, word)
    assert view.string == b"p.T"
    assert view.length == 2
    assert view.fields == [
        Field(b"A", int(ids[1]), 0, False),
        Field(b"Embedded" * 20, int(ids[0]), word, True),
    ]
    assert (plain.kind, plain.string) == (Kind.INT, b"")


@pytest.mark.parametrize(("ptrsize", "order"), TARGETS)
def test_a_function_and_an_array(tmp_path: Path, ptrsize: int, order: str) -> None:
    w = Head(ptrsize, order)
    common = 4 * ptrsize + 16
    at = common + ptrsize
    tail = (w.word(1, 2) + w.word(0x8002, 2)).ljust(ptrsize, b"\0") + bytes(3 * ptrsize)
    function = w.type(
        Kind.FUNC, tail, typename="type:F",
        relocs=((at, 1), (at + ptrsize, 0), (at + 2 * ptrsize, 1)),
    )  # fmt: skip
    array = w.type(
        Kind.ARRAY, w.word(0) * 2 + w.word(77), typename="type:A",
        relocs=((common, 0), (common + ptrsize, 1)),
    )  # fmt: skip
    types = read(tmp_path, [function, array], ptrsize, order)
    f, a = types.symbols.lookup("type:F"), types.symbols.lookup("type:A")
    view = one(types, f)
    assert (view.params, view.results, view.variadic) == ([a], [f, a], True)
    view = one(types, a)
    assert (view.elem, view.map_elem, view.length) == (f, a, 77)


def test_references_are_found_in_bulk(tmp_path: Path) -> None:
    w = Head(8, "little")
    types = read(
        tmp_path,
        [
            w.type(Kind.POINTER, bytes(8), relocs=((48, 1), (40, 0)), typename="a"),
            w.type(Kind.INT, b"", typename="b"),
        ],
        8,
        "little",
    )
    ids = np.array([1, 2, 1])
    assert types.targets(ids, 48).tolist() == [2, 0, 2]
    assert types.targets(ids, np.array([40, 40, 3])).tolist() == [1, 0, 0]


@given(st.binary(max_size=90), st.booleans())
def test_damaged_types_are_errors_or_numbers(tmp_path: Path, data: bytes, flip: bool) -> None:
    """Nothing that the bytes say leads outside of them."""
    syms = [Sym(name="t", data=data, size=len(data))]
    types = read(tmp_path, syms, 4 if flip else 8, "little")
    ids = np.array([1])
    try:
        methods = types.methods(ids)
        assert int(methods.first[0] + 16 * methods.counts[0]) <= len(data)
        view = one(types, 1)
        _ = (view.kind, view.string, view.length, view.fields, view.params, view.results)
    except InputError:
        pass
    try:
        at, size = types.names(ids)
        start = int(types.symbols.data_at[1])
        assert start <= int(at[0]) <= int(at[0] + size[0]) <= start + len(data)
    except InputError:
        pass


@pytest.mark.parametrize("length", [0, 1, 127, 128, 300])
def test_names(tmp_path: Path, length: int) -> None:
    text = "n" * length
    types = read(tmp_path, [Sym(name="x", data=name(text) + b"rest", size=9)], 8, "little")
    at, size = types.names(np.array([1]))
    assert types.objects.arena.view(int(at[0]), int(size[0])).tobytes() == text.encode()
