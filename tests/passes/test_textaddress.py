"""textaddress: functions are sorted by kind, aligned, and far enough apart."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.arches import arm, riscv64
from linkpipe.arrays.align import round_up
from linkpipe.arrays.columns import frozen
from linkpipe.engine.context import Link
from linkpipe.errors import InputError, LinkErrors
from linkpipe.passes.textaddress import textaddress
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from linkpipe.tables.symbols import Flag
from tests.tiny import EXTERNAL, INTERNAL, Tiny

KINDS = [SymKind.STEXTFIPSSTART, SymKind.STEXTFIPS, SymKind.STEXTFIPSEND, SymKind.STEXT]


def functions(
    rows: list[tuple[SymKind, int, int]], mode: Mode = INTERNAL, **flags: Any
) -> tuple[Link, list[int]]:
    """Functions of (kind, size, alignment) in text order, laid out; and their ids."""
    p = Tiny(mode, **flags)
    ids = [p.symbol(f"f{i}", kind=kind, size=size) for i, (kind, size, _) in enumerate(rows)]
    for sym, (_, _, align) in zip(ids, rows, strict=True):
        p.symbols.set(sym, align=align)
    link = p.link().evolve(text_order=frozen(np.array(ids, np.int32)))
    return textaddress(link), ids


@given(
    st.lists(
        st.tuples(
            st.sampled_from(KINDS), st.integers(0, 100), st.sampled_from([0, 1, 16, 32, 64, 128])
        )
    ),
    st.sampled_from([0, 1, 64]),
)
def test_functions_by_the_slow_rule(rows: list[tuple[SymKind, int, int]], funcalign: int) -> None:
    """One after the other, as data.go's assignAddress does it."""
    link, ids = functions(rows, funcalign=funcalign)
    unit = funcalign or 32
    at, expected = 0x401000, {}
    order = sorted(zip(rows, ids, strict=True), key=lambda row: row[0][0])
    for (_, size, align), sym in order:
        at += -at % max(unit, align)
        expected[sym] = at
        at += max(size, 16)
    assert link.text_order.tolist() == list(expected)
    assert link.symbols.value[list(expected)].tolist() == list(expected.values())
    section = link.sections[0]
    assert (section.name, section.segment, section.rwx) == (".text", "text", 5)
    assert section.symbols.tolist() == link.text_order.tolist()
    assert (section.vaddr, section.size) == (0x401000, at - 0x401000 + 1)
    assert section.align == max([unit, *(align for _, _, align in rows)])


@pytest.mark.parametrize(
    ("mode", "flags", "start"),
    [
        (INTERNAL, {}, 0x401000),
        (INTERNAL, {"T": 0x700001}, 0x700020),
        (EXTERNAL, {}, 0),
        (EXTERNAL, {"T": 0x700000}, 0),
    ],
)
def test_where_the_text_starts(mode: Mode, flags: dict[str, Any], start: int) -> None:
    link, ids = functions([(SymKind.STEXT, 40, 0)], mode, **flags)
    assert int(link.symbols.value[ids[0]]) == start


def test_the_text_is_marked() -> None:
    link, _ = functions([(SymKind.STEXT, 40, 0)])
    ids = [link.symbols.lookup(name) for name in ("runtime.text", "runtime.etext")]
    assert link.symbols.value[ids].tolist() == [0x401000, 0x401028]
    assert link.symbols.section[ids].tolist() == [0, 0]
    assert link.symbols.kind[ids].tolist() == [SymKind.STEXT, SymKind.STEXTEND]
    assert link.symbols.has(ids, Flag.REACHABLE | Flag.LOCAL | Flag.SPECIAL).all()


def test_the_end_lies_within_the_section() -> None:
    """By one instruction of the least size."""
    p = Tiny()
    link = p.link().evolve(arch=attrs.evolve(p.arch, pc_quantum=4))
    section = textaddress(link).sections[0]
    assert section.size == 4


def test_parts_of_a_section_lie_in_it() -> None:
    """A section of a C object is laid out whole, and its alignment counts; behind it come its
    parts by address, wherever a pass has put them, which take no room of their own."""
    tiny = Tiny()
    sizes = {"f": 40, "p(.text)": 100, "g": 8}
    f, section, g = (
        tiny.symbol(name, kind=SymKind.STEXT, size=size) for name, size in sizes.items()
    )
    tiny.symbols.set(section, align=64)
    parts = [tiny.symbol(name, kind=SymKind.STEXT, size=8) for name in ("a", "b")]
    tiny.symbols.set(parts, container=section, value=np.array([0, 72]))
    tiny.symbols.add_flags(parts, Flag.INTERIOR)
    given = [parts[1], f, section, g, parts[0]]
    link = textaddress(tiny.link().evolve(text_order=frozen(np.array(given, np.int32))))
    symbols, start = link.symbols, int(link.symbols.value[section])
    assert start % 64 == 0
    assert symbols.value[parts].tolist() == [start, start + 72]
    assert symbols.value[g] == round_up(start + 100, tiny.arch.func_align)
    assert link.text_order.tolist() == [f, section, *parts, g]
    assert set(symbols.section[parts].tolist()) == {0}
    assert link.sections.items[0].align == 64


def among_trampolines(offset: int) -> Link:
    """Code of a C object with a part at an offset, and two functions behind it; all but the last
    need a trampoline to the next one."""
    tiny = Tiny(arch=riscv64.ARCH)
    section, g, h = (tiny.symbol(name, kind=SymKind.STEXT, size=64) for name in "cgh")
    part = tiny.symbol("part", kind=SymKind.STEXT)
    tiny.symbols.set(part, container=section, value=offset)
    tiny.symbols.add_flags([part], Flag.INTERIOR)
    tiny.reloc(section, riscv64.GO_JAL, g)
    tiny.reloc(g, riscv64.GO_JAL, h)
    facts: dict[str, Any] = {"packages": SimpleNamespace(items=[])}
    facts |= {"text_order": frozen(np.array([section, part, g, h], np.int32))}
    facts |= {"host_files": {section: "p.a(x.o)"}}
    return textaddress(tiny.link().evolve(**facts))


@pytest.mark.parametrize(
    ("offset", "order"),
    [(8, "c part g-tramp0 g h-tramp0 h"), (68, "c g-tramp0 part g h-tramp0 h")],
)
def test_trampolines_stand_among_parts_by_address(offset: int, order: str) -> None:
    link = among_trampolines(offset)
    assert [link.symbols.name(sym) for sym in link.text_order.tolist()] == order.split()


def test_a_part_far_behind_its_section_is_refused_where_there_are_trampolines() -> None:
    """The oracle puts what is to come in front of it, and ends with "phase error"."""
    with pytest.raises(InputError) as error:
        among_trampolines(1 << 20)
    said = error.value.render()
    assert "part: the symbol lies outside of its section c" in said
    assert "p.a(x.o)" in said


@pytest.mark.parametrize("name", ["runtime.text", "runtime.etext"])
def test_marks_that_a_c_object_defines(name: str) -> None:
    """The oracle makes a program of it that cannot find its functions."""
    p = Tiny()
    sym = p.symbol(name, kind=SymKind.STEXT, size=8)
    p.symbols.add_flags(sym, Flag.OF_C)
    link = p.link().evolve(text_order=frozen(np.array([sym], np.int32)))
    with pytest.raises(InputError, match="the linker makes it itself"):
        textaddress(link)


def test_c_objects_may_ask_for_the_alignment_of_huge_pages() -> None:
    """Beyond that the file would be gigabytes, and it is not said to be damaged."""
    link, ids = functions([(SymKind.STEXT, 8, 1 << 26)])
    assert link.symbols.value[ids[0]] % (1 << 26) == 0
    with pytest.raises(LinkErrors) as error:
        functions([(SymKind.STEXT, 8, 1 << 27)])
    said = error.value.render()
    assert "f0: bad alignment value" in said
    assert "a power of two up to 67108864" in said
    assert "a pass has made it" in said


@pytest.mark.parametrize(
    ("flag", "remedy"), [(Flag.OF_C, "align less in C"), (0, "a pass has made it")]
)
def test_who_asks_for_too_much_is_told(flag: int, remedy: str) -> None:
    p = Tiny()
    sym = p.symbol("f", kind=SymKind.STEXT, size=8)
    p.symbols.set(sym, align=1 << 27)
    p.symbols.add_flags(sym, flag)
    with pytest.raises(LinkErrors) as error:
        textaddress(
            p.link().evolve(
                text_order=frozen(np.array([sym], np.int32)), host_files={sym: "p.a(x.o)"}
            )
        )
    assert "p.a(x.o)" in error.value.render()
    assert remedy in error.value.render()


@pytest.mark.parametrize(
    ("size", "align", "said"),
    [
        (8, 1 << 26, "align functions less, or sections of C objects"),
        (1 << 26, 16, "make the largest smaller"),
    ],
)
def test_there_may_be_too_much_code(size: int, align: int, said: str) -> None:
    """One small object of C may ask for gigabytes."""
    with pytest.raises(InputError, match=r"too much code \(\d{10}, over 2e\+09 bytes\)") as error:
        functions([(SymKind.STEXT, size, align)] * 31)
    assert said in error.value.render()
    functions([(SymKind.STEXT, size, align)] * 29)


def parted(limit: int, *sizes: int) -> Link:
    """Functions for a host linker of arm, laid out with -debugtextsize."""
    p = Tiny(EXTERNAL, arm.ARCH, debugtextsize=limit)
    ids = [p.symbol(f"f{i}", kind=SymKind.STEXT, size=size) for i, size in enumerate(sizes)]
    p.symbols.set([sym for sym, size in zip(ids, sizes, strict=True) if size == 90], align=32)
    packages: Any = SimpleNamespace(items=[])
    order = frozen(np.array(ids, np.int32))
    return textaddress(p.link().evolve(text_order=order, packages=packages))


def test_code_for_a_host_linker_is_parted() -> None:
    """A section ends before the function that would make it larger than -debugtextsize; the symbol
    of each begins it, and offsets count from the first. Below zero it is more than any, as in the
    oracle."""
    link = parted(100, 40, 60, 16, 90, 4)
    names = [[link.symbols.name(sym) for sym in s.symbols.tolist()] for s in link.sections.items]
    assert names == [["f0", "f1"], ["f2"], ["f3"], ["f4"]]
    # A function that begins a section counts for the alignment of the one before.
    assert [(s.vaddr, s.size, s.align) for s in link.sections.items] == [
        (0, 100, 4),
        (100, 28, 32),
        (128, 92, 4),
        (220, 20, 4),
    ]
    starts = [link.symbols.lookup(f"runtime.text.{i}") for i in (1, 2, 3)]
    assert link.symbols.value[starts].tolist() == [100, 128, 220]
    assert link.symbols.section[starts].tolist() == [1, 2, 3]
    assert link.symbols.section[link.symbols.lookup("runtime.etext")] == 3
    assert link.sections.bases().tolist() == [0, 0, 0, 0, 0]
    for limit in (0, -1, 1000):
        assert len(parted(limit, 40, 60, 16, 90, 4).sections) == 1


def test_a_function_fits_into_a_section() -> None:
    with pytest.raises(InputError, match="limit 80 less than text symbol f1 size of 90") as error:
        parted(80, 40, 90)
    assert "larger -debugtextsize" in error.value.render()
