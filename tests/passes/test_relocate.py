"""relocate: what is written where, what the host linker gets, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkpipe import reloctype as rt
from linkpipe.arches import amd64, riscv64
from linkpipe.engine.context import Link
from linkpipe.errors import InputError, LinkErrors
from linkpipe.output.relocvalues import overflows
from linkpipe.passes.relocate import relocate
from linkpipe.relockind import Range
from linkpipe.symkind import SymKind
from linkpipe.tables.cgo import CgoFacts
from linkpipe.tables.symbols import Flag
from tests.tiny import EXTERNAL, PLUGIN, Tiny

TEXT, RODATA, DATA = 0x401000, 0x500000, 0x600000


class Program(Tiny):
    """Two functions, a constant and a variable, each in a section of its own."""

    def __init__(self, *args: Any, **flags: Any) -> None:
        super().__init__(*args, **flags)
        self.f = self.symbol("main.f", 1, kind=SymKind.STEXT, content=bytes(16))
        self.g = self.symbol("main.g", 1, kind=SymKind.STEXT, content=b"\x90" * 5, size=8)
        self.symbols.set(self.g, size=8)
        self.const = self.symbol("main.c", kind=SymKind.SRODATA, content=bytes(range(16)))
        self.var = self.symbol("main.v", kind=SymKind.SDATA, content=bytes(16))

    def run(self, **facts: Any) -> Link:
        """Lay out and relocate."""
        self.section(".text", TEXT, [self.f, self.method, self.g], rwx=5)
        self.section(".rodata", RODATA, [self.const], rwx=4)
        self.section(".data", DATA, [self.var], rwx=6)
        self.section(".tbss", DATA, [self.tlsg], rwx=6, zeros=True)
        return relocate(self.link().evolve(**facts))


def content(link: Link, sym: int, size: int) -> bytes:
    """The bytes of a symbol in the image."""
    row = int(link.symbols.section[sym])
    segment = link.sections.segment(link.sections[row].segment)
    at = int(link.symbols.value[sym]) - segment.vaddr + segment.fileoff
    return link.image[at : at + size].tobytes()


def word(link: Link, sym: int, offset: int = 0, size: int = 4) -> int:
    """A little-endian word of a symbol, signed."""
    return int.from_bytes(content(link, sym, offset + size)[offset:], "little", signed=True)


def test_contents_and_padding() -> None:
    """Contents are copied; gaps in code are breakpoints, gaps elsewhere zero."""
    link = Program().run()
    program = link.symbols
    g = program.lookup("main.g", 1)
    assert content(link, g, 8) == b"\x90" * 5 + b"\xcc" * 3
    assert content(link, program.lookup("main.c"), 16) == bytes(range(16))
    assert not link.image[:4096].any()
    assert not link.image.flags.writeable


def test_formulas_of_the_static_kinds() -> None:
    """S + A, S + A - P - w, and offsets from a section, for a program linked here."""
    p = Program()
    p.reloc(p.f, rt.R_CALL, p.g, offset=1)
    p.reloc(p.f, rt.R_PCREL, p.var, offset=8, add=4)
    p.reloc(p.var, rt.R_ADDR, p.const, size=8, add=2)
    p.reloc(p.const, rt.R_ADDROFF, p.g, add=1)
    p.reloc(p.const, rt.R_METHODOFF, p.const, offset=4)
    p.reloc(p.const, rt.R_TLS_LE, p.tlsg, offset=8)
    link = p.run()
    g = int(link.symbols.value[p.g])
    assert word(link, p.f, 1) == g - (TEXT + 5)
    assert word(link, p.f, 8) == DATA + 4 - (TEXT + 12)
    assert word(link, p.var, 0, 8) == RODATA + 2
    assert word(link, p.const, 0) == g - TEXT + 1
    assert word(link, p.const, 4) == 0
    assert word(link, p.const, 8) == -8
    assert len(link.external_relocs) == 0


def test_relocations_of_a_c_object_at_one_place_are_applied_in_order() -> None:
    """The last one counts, also where places only overlap, whatever the kinds; not so with Go's,
    which have one for each place, but for their markers."""
    p = Program()
    for sym in (p.f, p.var):
        p.reloc(sym, rt.R_ADDR, p.const, size=4)
        p.reloc(sym, rt.R_ADDROFF, p.g)
        p.reloc(sym, rt.R_ADDR, p.g, size=4)
        p.reloc(sym, rt.R_CALL, p.g, offset=2)
        p.reloc(sym, rt.R_ADDR, p.g, offset=8, size=4)
        p.reloc(sym, rt.R_TLS_LE, p.tlsg, offset=12)
        p.reloc(sym, rt.R_ADDR, p.g, offset=12, size=4)
    p.symbols.add_flags([p.f], Flag.OF_C)
    link = p.run(host_files={p.f: "p.a(x.o)"})
    g = int(link.symbols.value[p.g])
    assert word(link, p.f, size=2) == g & 0xFFFF
    assert word(link, p.f, offset=2) == g - TEXT - 6
    assert word(link, p.f, offset=8) == word(link, p.f, offset=12) == g


def test_sums_of_a_c_object_at_one_place_add_up() -> None:
    """What is added to a place is added to what the ones before have left there."""
    p = Program(arch=riscv64.ARCH)
    for _ in range(3):
        p.reloc(p.const, riscv64.GO_ADD32, p.g)
    p.reloc(p.const, riscv64.GO_SUB32, p.var, add=7)
    p.symbols.set_content(p.const, bytes(16))
    p.symbols.add_flags([p.const], Flag.OF_C)
    p.symbols.set(p.const, object=0)
    link = p.run(host_files={p.const: "p.a(x.o)"})
    g, var = int(link.symbols.value[p.g]), int(link.symbols.value[p.var])
    assert word(link, p.const) == 3 * g - var - 7


def test_targets_that_are_not_linked() -> None:
    """A weak address becomes unreachableMethod, a method -1, a weak offset stays as it was."""
    p = Program()
    gone = p.symbol("main.gone", 1, kind=SymKind.STEXT, reachable=False)
    p.reloc(p.var, rt.R_ADDR, gone, size=8, weak=True)
    p.reloc(p.const, rt.R_METHODOFF, gone)
    p.reloc(p.const, rt.R_ADDROFF, gone, offset=4, weak=True)
    link = p.run()
    assert word(link, p.var, 0, 8) == int(link.symbols.value[p.method])
    assert word(link, p.const) == -1
    assert content(link, p.const, 8)[4:] == bytes(range(4, 8))


def test_markers_are_not_applied() -> None:
    """Relocations of no width only speak to reachability, whatever their type."""
    p = Program()
    nobody = p.symbol("main.nobody", kind=SymKind.Sxxx, reachable=False)
    p.reloc(p.f, rt.R_USETYPE, nobody, size=0)
    assert content(p.run(), p.f, 16) == bytes(16)


def told(link: Link) -> list[dict[str, Any]]:
    """The relocations left to the host linker, numbers as numbers."""
    table = link.external_relocs
    return list(table.listing().rows(np.arange(len(table)), lambda _, numbers: numbers))


def messages(p: Program) -> list[str]:
    """The headlines of the errors of a link."""
    with pytest.raises(LinkErrors) as raised:
        p.run()
    return [error.headline() for error in raised.value.errors]


def test_a_place_without_a_source_has_an_offset() -> None:
    """As in data, and in code that was not compiled."""
    p = Program()
    p.reloc(p.var, rt.R_ADDR, p.symbol("main.missing", kind=SymKind.Sxxx), size=8, offset=8)
    with pytest.raises(LinkErrors) as raised:
        p.run()
    assert raised.value.render().splitlines()[:2] == [
        "main.v: relocation target main.missing not defined",
        "\toffset: 8",
    ]


def test_undefined_targets() -> None:
    """The oracle's words; another ABI's definition is mentioned; each pair is named once."""
    p = Program()
    missing = p.symbol("main.missing", kind=SymKind.Sxxx)
    g0 = p.symbol("main.g", 0, kind=SymKind.Sxxx)
    main = p.symbol("main.main", 1, kind=SymKind.Sxxx)
    p.reloc(p.f, rt.R_CALL, missing)
    p.reloc(p.f, rt.R_CALL, missing, offset=4)
    p.reloc(p.f, rt.R_CALL, g0, offset=8)
    p.reloc(p.f, rt.R_CALL, main, offset=12)
    assert messages(p) == [
        "main.f: relocation target main.missing not defined",
        "main.f: relocation target main.g not defined for ABI0 (but is defined for ABIInternal)",
        "main.f: function main is undeclared in the main package",
    ]


def test_values_that_do_not_fit() -> None:
    """A branch beyond 2 GiB and an address above it are refused, not cut."""
    p = Program()
    p.reloc(p.f, rt.R_PCREL, p.var, add=1 << 31)
    p.reloc(p.const, rt.R_ADDR, p.var, add=1 << 31)
    p.reloc(p.const, rt.R_ADDROFF, p.const, offset=4, add=1 << 33)
    far = DATA + (1 << 31)
    branch, address, offset = messages(p)
    big = "is too big:"
    assert branch == (
        f"main.f: pc-relative relocation R_PCREL address for main.v {big} {far - TEXT - 4:#x}"
    )
    assert address == (
        f"main.c: non-pc-relative relocation address for main.v {big} {far:#x} "
        f"({DATA:#x} + 0x80000000)"
    )
    assert offset == (
        f"main.c: non-pc-relative relocation R_ADDROFF address for main.c {big} 0x200000000"
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"offset": 14}, "invalid relocation main.v: 14+4 not in [0,16)"),
        ({"offset": -1}, "invalid relocation main.v: -1+4 not in [0,16)"),
        ({"type_": 999}, "unknown reloc to main.v: 999 (R_999)"),
        ({"type_": rt.R_HOST + 2}, "unknown reloc to main.v: 258 (R_258)"),
        ({"size": 3}, "bad reloc size 0x3 for main.v"),
    ],
)
def test_damaged_relocations(fields: dict[str, int], message: str) -> None:
    """An object file that lies gets an error that names symbol and place."""
    p = Program()
    type_ = fields.pop("type_", rt.R_ADDR)
    p.reloc(p.f, type_, p.var, **fields)
    assert messages(p) == [f"main.f: {message}"]


def test_a_c_object_in_a_program_that_loads_no_shared_library() -> None:
    """The error names the kind by its psABI's name, and the object."""
    p = Program()
    p.reloc(p.f, rt.R_HOST + 2, p.var)
    with pytest.raises(LinkErrors) as error:
        p.run(host_files={p.f: "main.a(f.syso)"})
    said = "main.f: R_X86_64_PC32 relocation of a C object to main.v, in a program that loads no"
    assert said in error.value.render()
    assert "file: main.a(f.syso)" in error.value.render()
    assert 'import "C" somewhere' in error.value.render()


def test_so_it_is_with_the_flag_d() -> None:
    """To import "C" would change nothing."""
    p = Program(d=True)
    p.reloc(p.f, rt.R_HOST + 2, p.var)
    with pytest.raises(LinkErrors) as error:
        p.run(host_files={p.f: "main.a(f.syso)"})
    assert "drop -d" in error.value.render()
    assert 'import "C"' not in error.value.render()


def test_what_the_c_compilers_library_may_have() -> None:
    """C code alone is told of it."""
    p = Program()
    div = p.symbol("__udivti3", kind=SymKind.SXREF)
    for f in (p.f, p.g):
        p.reloc(f, rt.R_CALL, div)
    lacking = "it may be in the C compiler's library, but cc is not there"
    cgo = CgoFacts((), (), {}, "", dynamic=True, lacking=lacking)
    with pytest.raises(LinkErrors) as error:
        p.run(host_files={p.f: "main.a(f.o)"}, cgo=cgo)
    of_c, of_go = error.value.errors
    assert of_c.headline() == "main.f: relocation target __udivti3 not defined"
    assert lacking in of_c.render()
    assert lacking not in of_go.render()


def test_unreachable_target() -> None:
    """A pass that drops what is still referred to is found out."""
    p = Program()
    gone = p.symbol("main.gone", 1, kind=SymKind.STEXT, reachable=False)
    p.reloc(p.f, rt.R_CALL, gone)
    assert messages(p) == ["main.f: unreachable sym in relocation: main.gone"]


def test_object_for_the_host_linker() -> None:
    """References within a section are resolved; others become ELF relocations, addend included,
    and the place itself is zero."""
    p = Program(EXTERNAL)
    c = p.symbol("puts", kind=SymKind.SUNDEFEXT)
    p.reloc(p.f, rt.R_CALL, p.g)
    p.reloc(p.f, rt.R_CALL, c, offset=4, add=77)
    p.reloc(p.f, rt.R_PCREL, p.var, offset=8, add=3)
    p.reloc(p.f, rt.R_TLS_LE, 0, offset=12)
    p.reloc(p.var, rt.R_ADDR, p.const, size=8, add=5)
    p.reloc(p.const, rt.R_ADDROFF, p.const, add=6)
    link = p.run()
    assert word(link, p.f) == int(link.symbols.value[p.g]) - TEXT - 4
    assert word(link, p.const) == 6
    assert content(link, p.f, 16)[4:] == bytes(12)
    rows = told(link)
    assert [(r["section"], r["offset"]) for r in rows] == [(0, 4), (0, 8), (0, 12), (2, 0)]
    assert [(r["type"], r["symbol"], r["addend"]) for r in rows] == [
        (amd64.R_X86_64_PC32, c, -4),
        (amd64.R_X86_64_PC32, p.var, 3 - 4),
        (amd64.R_X86_64_TPOFF32, p.tlsg, 0),
        (amd64.R_X86_64_64, p.const, 5),
    ]


def test_carried_symbols_are_reached_through_their_carrier() -> None:
    """The host linker does not know a carried symbol: it gets the carrier and an offset."""
    p = Program(EXTERNAL)
    inner = p.symbol("type:int", kind=SymKind.SRODATA)
    p.reloc(p.var, rt.R_ADDR, inner, size=8, add=1)
    p.symbols.set(inner, container=p.const, value=RODATA + 8, section=1)
    row = told(p.run())[0]
    assert (row["symbol"], row["addend"]) == (p.const, 9)


@pytest.mark.parametrize("buildmode", ["plugin", "shared"])
def test_a_module_may_lack_debug_information(buildmode: str) -> None:
    """That of types which only another module has."""
    p = Program(PLUGIN, buildmode=buildmode)
    info = p.symbol("go:info.int", kind=SymKind.Sxxx)
    p.reloc(p.var, rt.R_ADDR, info, size=8, offset=8)
    assert len(told(p.run())) == 0


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([rt.R_ADDR, rt.R_PCREL, rt.R_CALL, rt.R_ADDROFF, rt.R_SIZE]),
            st.sampled_from(["f", "g", "const", "var"]),
            st.integers(-1000, 1000),
        ),
        max_size=8,
    ),
    st.sampled_from([4, 8]),
)
def test_vectorised_is_the_loop(rows: list[tuple[int, str, int]], width: int) -> None:
    """Many kinds mixed in one symbol give what relocation one by one gives."""
    p = Program()
    big = p.symbol("main.big", kind=SymKind.SDATA, content=bytes(64))
    for i, (type_, target, add) in enumerate(rows):
        p.reloc(big, type_, getattr(p, target), offset=8 * i, size=width, add=add)
    at = DATA + 16
    p.section(".text", TEXT, [p.f, p.method, p.g], rwx=5)
    p.section(".rodata", RODATA, [p.const], rwx=4)
    p.section(".data", DATA, [p.var, big], rwx=6)
    link = relocate(p.link())
    symbols = link.symbols
    base = {"f": TEXT, "g": TEXT, "const": RODATA, "var": DATA}
    for i, (type_, name, add) in enumerate(rows):
        sym = getattr(p, name)
        value = int(symbols.value[sym]) + add
        if type_ in (rt.R_PCREL, rt.R_CALL):
            value -= at + 8 * i + width
        elif type_ == rt.R_ADDROFF:
            value -= base[name]
        elif type_ == rt.R_SIZE:
            value = int(symbols.size[sym]) + add
        assert word(link, big, 8 * i, width) == value


@given(st.lists(st.integers(-(2**40), 2**40)), st.sampled_from(list(Range)))
def test_overflow_rule(values: list[int], range_: Range) -> None:
    """The rule of the docstring, value by value."""
    for width in (1, 2, 4, 8):
        bad = []
        for i, v in enumerate(values):
            half = 1 << (8 * width - 1)
            fits = -half <= v < half if range_ is Range.SIGNED else -half <= v < 2 * half
            if range_ is Range.ADDRESS and width == 4:
                fits &= v % (1 << 32) < half
            if not fits and width in (2, 4):
                bad.append(i)
        assert overflows(np.array(values, np.int64), range_, width, 8).tolist() == bad


def test_generated_symbols_are_as_large_as_they_say() -> None:
    """A symbol that is written late is relocated in its whole size."""
    p = Program()
    late = p.symbol("runtime.late", kind=SymKind.SDATA, size=16, flags=Flag.GENERATED)
    p.reloc(late, rt.R_ADDR, p.const, offset=8, size=8)
    p.section(".noptrdata", DATA, [late], rwx=6)
    p.section(".rodata", RODATA, [p.const], rwx=4)
    assert word(relocate(p.link()), late, 8, 8) == RODATA


@pytest.mark.parametrize(
    ("flags", "offset", "said"),
    [
        ({}, 4, "cannot handle R_TLS_IE (sym main.f) when linking internally"),
        ({"buildmode": "pie"}, 4, "expected TLS IE op to be MOVQ, got [0 72 3]"),
        ({"buildmode": "pie"}, 2, "R_TLS_IE relocation is not in an instruction (sym main.f)"),
    ],
)
def test_thread_local_loads_that_cannot_become_constants(
    flags: dict[str, str], offset: int, said: str
) -> None:
    """In a program bound to an address; of an instruction that is no load; where the instruction
    would begin before its function. The oracle ends at the first of them."""
    p = Program(**flags)
    p.symbols.set_content(p.f, bytes((0, 0, 72, 3)) + bytes(12))
    p.reloc(p.f, rt.R_TLS_IE, p.tlsg, offset=offset)
    p.reloc(p.f, rt.R_TLS_IE, p.tlsg, offset=offset + 5)
    with pytest.raises(InputError) as error:
        p.run()
    assert error.value.shown("link").splitlines()[0] == f"link: {said}"
    assert error.value.exit_status == 1


def test_what_the_host_linker_rewrites_may_lie_anywhere() -> None:
    """As far as this linker can tell, in which the oracle does not look at the instruction."""
    p = Program(EXTERNAL)
    p.reloc(p.f, rt.R_TLS_IE, p.tlsg, offset=2)
    assert len(p.run().external_relocs.offset) == 1


def test_an_import_that_nothing_leads_to_is_an_error() -> None:
    """The kind by its name alone: its number is another in each release."""
    p = Program()
    lost = p.symbol("puts", kind=SymKind.SDYNIMPORT)
    p.reloc(p.f, rt.R_PCREL, lost, offset=4)
    with pytest.raises(LinkErrors) as error:
        p.run()
    said = "main.f: unhandled relocation for puts (type SDYNIMPORT rtype 14 (R_PCREL))"
    assert error.value.shown("link").splitlines()[0] == said
