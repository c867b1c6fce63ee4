"""gcdata: the programs describe every pointer of .data and .bss, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.engine.context import Link
from linkpipe.errors import InputError, LinkErrors
from linkpipe.formats import goobj
from linkpipe.gotypes.layout import TFLAG_GC_MASK_ON_DEMAND, Kind
from tests.datalink import BSS, DATA, RODATA, data_link, descriptor, lay_out, ref, word
from tests.goobj_writer import Sym
from tests.linkpipe.kernels.test_gcprog import run

# A type: a tuple is a mask of words, a list a struct of types, a dict an array.
Shape = Any


def dict_of(pair: tuple[Shape, int]) -> dict[str, Any]:
    return {"elem": pair[0], "length": pair[1]}


SHAPES: st.SearchStrategy[Shape] = st.recursive(
    st.lists(st.booleans(), min_size=1, max_size=9).map(tuple),
    lambda inner: st.lists(inner, max_size=4) | st.tuples(inner, st.integers(0, 5)).map(dict_of),
    max_leaves=6,
)


def bits(shape: Shape) -> list[int]:
    """Which words are pointers."""
    if isinstance(shape, dict):
        return bits(shape["elem"]) * int(shape["length"])
    if isinstance(shape, list):
        return [bit for field in shape for bit in bits(field)]
    return [int(bit) for bit in shape]


def ptrdata(shape: Shape) -> int:
    words = bits(shape)
    return 8 * (len(words) - words[::-1].index(1)) if 1 in words else 0


class Package:
    """Writes types and variables."""

    def __init__(self) -> None:
        self.syms: list[Sym] = []

    def add(self, sym: Sym) -> int:
        self.syms.append(sym)
        return len(self.syms) - 1

    def type(self, shape: Shape) -> int:
        words = bits(shape)
        name = f"type:t{len(self.syms)}"
        common: dict[str, Any] = {"size": 8 * len(words), "ptrdata": ptrdata(shape)}
        if isinstance(shape, dict):
            elem = self.type(shape["elem"])
            tail = word(0) * 2 + word(shape["length"])
            sym = descriptor(name, Kind.ARRAY, tail=tail, refs=[(48, elem)], **common)
        elif isinstance(shape, list):
            fields = [self.type(field) for field in shape]
            tail, at = word(0) * 2 + word(len(fields)) * 2, 0
            for field in shape:
                tail += word(0) * 2 + word(at)
                at += 8 * len(bits(field))
            refs = [(80 + 24 * i + 8, field) for i, field in enumerate(fields)]
            sym = descriptor(name, Kind.STRUCT, tail=tail, refs=refs, **common)
        else:
            value = sum(bit << i for i, bit in enumerate(words[: common["ptrdata"] // 8]))
            value |= -1 << common["ptrdata"] // 8  # what stands behind that does not count
            size = (len(words) + 7) // 8
            data = (value % 256**size).to_bytes(size, "little")
            mask = self.add(Sym(name=f"runtime.gcbits.{name}", type=RODATA, data=data, size=2))
            sym = descriptor(name, Kind.POINTER, tail=word(0), refs=[(32, mask)], **common)
        return self.add(sym)

    def variable(self, name: str, type_: int | None, words: int, kind: int = DATA) -> None:
        auxs = () if type_ is None else ((goobj.AUX_GOTYPE, ref(type_)),)
        self.add(Sym(name=name, type=kind, size=8 * words, align=8, auxs=auxs))


def program(link: Link, name: str) -> list[int]:
    return run(bytes(link.symbols.data(link.symbols.lookup(name))))


@given(st.lists(st.tuples(SHAPES, st.sampled_from([DATA, BSS])), max_size=6))
def test_programs_describe_the_variables(
    tmp_path: Path, variables: list[tuple[Shape, int]]
) -> None:
    """Word by word, by the slow rule."""
    package = Package()
    kept = [(shape, kind) for shape, kind in variables if ptrdata(shape)]
    for i, (shape, kind) in enumerate(kept):
        package.variable(f"v{i}", package.type(shape), len(bits(shape)), kind)
    link = lay_out(data_link(tmp_path, package.syms))
    for name, section, kind in (
        ("runtime.gcdata", ".data", DATA),
        ("runtime.gcbss", ".bss", BSS),
    ):
        where = link.sections[link.sections.find(section)]
        expected = [0] * (where.size // 8)
        for i, (shape, of) in enumerate(kept):
            if of == kind:
                at = int(link.symbols.value[link.symbols.lookup(f"v{i}")]) - where.vaddr
                expected[at // 8 : at // 8 + len(bits(shape))] = bits(shape)
        assert program(link, name) == expected


def test_an_array_costs_one_element(tmp_path: Path) -> None:
    package = Package()
    shape = {"elem": (1, 0), "length": 1000}
    package.variable("v", package.type(shape), 2000)
    link = lay_out(data_link(tmp_path, package.syms))
    content = bytes(link.symbols.data(link.symbols.lookup("runtime.gcdata")))
    assert content == bytes([2, 1, 0x82, 999 & 0x7F | 0x80, 999 >> 7, 0])


def refused(tmp_path: Path, package: Package) -> str:
    with pytest.raises((InputError, LinkErrors)) as caught:
        lay_out(data_link(tmp_path, package.syms))
    return str(caught.value.render())


def test_a_variable_needs_a_type(tmp_path: Path) -> None:
    package = Package()
    package.variable("p.x", None, 3)
    message = refused(tmp_path, package)
    assert "missing Go type information for global symbol p.x: size 24" in message


def test_a_variable_with_pointers_has_pointers(tmp_path: Path) -> None:
    package = Package()
    package.variable("p.x", package.type((0, 0)), 2)
    assert "has no pointers but in data section" in refused(tmp_path, package)


def test_a_mask_has_to_be_there(tmp_path: Path) -> None:
    package = Package()
    type_ = package.add(
        descriptor("type:T", Kind.POINTER, ptrdata=8, tail=word(0), tflag=TFLAG_GC_MASK_ON_DEMAND)
    )
    package.variable("p.x", type_, 1)
    assert "GC mask not available" in refused(tmp_path, package)
    package = Package()
    package.variable("p.x", package.add(descriptor("type:T", Kind.INT, ptrdata=80)), 10)
    assert "pointer mask is cut short" in refused(tmp_path, package)


def test_a_type_cannot_contain_itself(tmp_path: Path) -> None:
    package = Package()
    tail = word(0) * 2 + word(1) * 2 + word(0) * 3
    package.variable(
        "p.x",
        package.add(descriptor("type:T", Kind.STRUCT, ptrdata=8, tail=tail, refs=[(88, 0)])),
        1,
    )
    assert "type contains itself" in refused(tmp_path, package)


def test_a_type_without_end_is_refused_early(tmp_path: Path) -> None:
    """Forty structs of two of the one before would have 2**40 pointers."""
    package = Package()
    last = package.type((1,))
    for i in range(40):
        tail = word(0) * 2 + word(2) * 2 + (word(0) * 2 + word(0)) * 2
        sym = descriptor(
            f"type:S{i}", Kind.STRUCT, ptrdata=8, tail=tail, refs=[(88, last), (112, last)]
        )
        last = package.add(sym)
    package.variable("p.x", last, 1)
    assert "more pointers than it has room for" in refused(tmp_path, package)


def test_types_are_as_deep_as_somebody_nests_them(tmp_path: Path) -> None:
    """No stack overflows, and nothing is too deep."""
    package = Package()
    last = package.type((1,))
    for i in range(2000):
        tail = word(0) * 2 + word(1) * 2 + word(0) * 3
        last = package.add(
            descriptor(f"type:S{i}", Kind.STRUCT, ptrdata=8, tail=tail, refs=[(88, last)])
        )
    package.variable("p.x", last, 1)
    link = lay_out(data_link(tmp_path, package.syms))
    assert program(link, "runtime.gcdata") == [1]


@given(st.binary(max_size=120), st.sampled_from([Kind.STRUCT, Kind.ARRAY, Kind.POINTER]))
def test_damaged_types_are_errors(tmp_path: Path, data: bytes, kind: Kind) -> None:
    """Whatever a descriptor says, nothing outside of it is read."""
    package = Package()
    whole = bytes([*data[:23], kind, *data[24:]]) if len(data) > 23 else data
    package.add(Sym(name="type:T", type=RODATA, data=whole, size=len(whole)))
    package.variable("p.x", 0, 1)
    try:
        link = lay_out(data_link(tmp_path, package.syms))
    except (InputError, LinkErrors):
        return
    assert program(link, "runtime.gcdata") is not None
