"""386: constants, relocation types and code against what others say of them."""

from __future__ import annotations

import numpy as np
from elftools.elf import enums
from hypothesis import given
from hypothesis import strategies as st

from linkpipe import reloctype as rt
from linkpipe.arches.x86 import ADDMODULEDATA, ARCH, RELOCS, THUNKS
from linkpipe.passes.addmoduledata import addmoduledata
from linkpipe.passes.picthunks import picthunks
from linkpipe.passes.relocate import relocate
from linkpipe.relockind import Places
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from linkpipe.tables.symbols import Flag
from tests.arches.gosource import has, said
from tests.tiny import Tiny

EXTERNAL = Mode(external=True, iscgo=True, can_use_plugins=False, dynlink=False)
PLUGIN = Mode(external=True, iscgo=True, can_use_plugins=False, dynlink=True)
WORD = st.integers(0, 2**32 - 1)


@given(st.lists(st.tuples(WORD, WORD, st.integers(-(2**31), 2**31 - 1)), min_size=1))
def test_kernels_are_their_formulas(rows: list[tuple[int, int, int]]) -> None:
    """Each kernel gives what the formula that stands beside it gives, place by place."""
    p, s, a = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    offset = ARCH.tls_offset
    assert offset == -4
    places = Places(np.zeros(0, np.uint8), p, p, s, a, s, s, 4, offset, 0)
    for number in (rt.R_ADDR, rt.R_PCREL, rt.R_CALL, rt.R_GOTPCREL, rt.R_CONST, rt.R_TLS_LE):
        kind = RELOCS[number]
        assert kind.value is not None
        want = [
            eval(kind.formula, {"w": 4, "TLS": offset, "P": P, "S": S, "A": A}) for P, S, A in rows
        ]
        assert kind.value(places).tolist() == want


def test_elf_types_have_their_names() -> None:
    """The numbers are the psABI's, as pyelftools knows them; loads from the table take two."""
    known = enums.ENUM_RELOC_TYPE_i386
    expected = {
        rt.R_ADDR: ["R_386_32"],
        rt.R_CALL: ["R_386_PC32"],
        rt.R_PCREL: ["R_386_PC32"],
        rt.R_GOTPCREL: ["R_386_GOTPC", "R_386_GOT32"],
        rt.R_TLS_LE: ["R_386_TLS_LE"],
        rt.R_TLS_IE: ["R_386_GOTPC", "R_386_TLS_GOTIE"],
    }
    for number, names in expected.items():
        rule = RELOCS[number].elf
        assert rule is not None
        assert rule.stored, "there is no other room for the addend"
        assert [part.type for part in rule.types[4]] == [known[name] for name in names]
        assert [part.bare for part in rule.types[4]] == [name == "R_386_GOTPC" for name in names]
    call = RELOCS[rt.R_CALL].elf
    assert call is not None
    assert call.types[4][0].imported == known["R_386_PLT32"]


def test_constants() -> None:
    """Class, byte order and machine as ELF numbers them; no ABI but ABI0."""
    machine = enums.ENUM_E_MACHINE["EM_386"]
    assert (ARCH.elf_class, ARCH.endian, ARCH.elf_machine) == (1, "<", machine)
    assert (ARCH.text_base, ARCH.abi_internal, ARCH.rela) == (0x8049000, 0, False)
    assert (ARCH.name, ARCH.goarch, ARCH.elf_flags, ARCH.host_flags) == ("386", "386", 0, ("-m32",))
    assert ARCH.setting is not None
    assert (ARCH.setting.variable, ARCH.setting.default) == ("GO386", "sse2")
    assert (ARCH.regabi, ARCH.internal_pie, ARCH.sums) == (False, False, True)
    assert ARCH.calls == {rt.R_CALL}
    assert (ARCH.thunks, ARCH.addmoduledata) == (THUNKS, ADDMODULEDATA)
    assert ARCH.table_import == "_GLOBAL_OFFSET_TABLE_"


def test_the_return_address_of_deferreturn() -> None:
    """Its call is e8 and four bytes, which the relocation is of; in a plugin a call of the thunk,
    five bytes, and a lea, six, come before it."""
    assert (ARCH.deferreturn, ARCH.deferreturn_dynamic) == (-1, -1 - 5 - 6)


def test_what_relocations_count_from() -> None:
    """Which count from the place, which may go to a section's symbol, which are offsets in one;
    no other form than of four bytes."""
    rules = {number: kind.elf for number, kind in RELOCS.items() if kind.elf}

    def those(field: str) -> set[int]:
        return {number for number, rule in rules.items() if getattr(rule, field)}

    assert those("in_section") == {rt.R_CALL, rt.R_PCREL}
    assert those("section_relative") == {rt.R_DWARFSECREF}
    assert those("stored") == set(rules)
    assert those("pcrel") == {rt.R_CALL, rt.R_PCREL, rt.R_GOTPCREL}
    assert {size for rule in rules.values() for size in rule.types} == {4}


def test_thunks() -> None:
    """mov (%esp), %reg; ret: for every register but the stack pointer, in the order of numbers
    but for %bx, as cmd/link has them."""
    assert {name.rpartition(".")[2]: code.hex(" ") for name, code in THUNKS} == {
        "ax": "8b 04 24 c3",
        "cx": "8b 0c 24 c3",
        "dx": "8b 14 24 c3",
        "bx": "8b 1c 24 c3",
        "bp": "8b 2c 24 c3",
        "si": "8b 34 24 c3",
        "di": "8b 3c 24 c3",
    }


def test_addmoduledata_stub_is_well_formed() -> None:
    """push, call, lea, lea, call, pop, ret; both leas come out as distances from the thunk's
    return address, which is byte 6."""
    code = "53 e8 00 00 00 00 8d 81 00 00 00 00 8d 99 00 00 00 00 e8 00 00 00 00 5b c3"
    assert ADDMODULEDATA.code.hex(" ") == code
    assert all(
        ADDMODULEDATA.code[r.offset : r.offset + r.size] == bytes(4) for r in ADDMODULEDATA.relocs
    )
    assert [(r.offset, r.size, r.type, r.target) for r in ADDMODULEDATA.relocs] == [
        (2, 4, rt.R_CALL, "__x86.get_pc_thunk.cx"),
        (8, 4, rt.R_PCREL, "moduledata"),
        (14, 4, rt.R_PCREL, "_GLOBAL_OFFSET_TABLE_"),
        (19, 4, rt.R_CALL, "addmoduledata"),
    ]
    for r in ADDMODULEDATA.relocs:
        if r.type == rt.R_PCREL:
            assert r.add - (r.offset + r.size) == -6


def plugin(*, thunk: SymKind = SymKind.SXREF) -> Tiny:
    """A plugin whose code refers to one of the thunks."""
    p = Tiny(PLUGIN, ARCH, buildmode="plugin")
    f = p.symbol("main.f", kind=SymKind.STEXT, content=bytes(16))
    p.symbol("__x86.get_pc_thunk.cx", kind=thunk, content=b"")
    p.symbol("runtime.addmoduledata", kind=SymKind.STEXT, content=bytes(8), reachable=False)
    p.section(".text", 0x1000, [f], rwx=5)
    return p


def test_thunks_come_before_all_functions() -> None:
    """In their order, reachable and local; the stub's relocations name one of them."""
    link = addmoduledata(picthunks(plugin().link()).evolve(moduledata=1, objects=None))
    symbols = link.symbols
    order = [symbols.name(i) for i in link.text_order.tolist()]
    assert order[:7] == [name for name, _ in THUNKS]
    assert order[7:] == ["main.f", "runtime.addmoduledata", "go:link.addmoduledata"]
    for sym, (_, code) in zip(link.text_order.tolist()[:7], THUNKS, strict=True):
        assert symbols.has(sym, Flag.REACHABLE | Flag.LOCAL)
        assert bytes(symbols.data(sym)) == code
    rows = link.relocs.rows_of(symbols.lookup("go:link.addmoduledata"))
    assert [symbols.name(i) for i in link.relocs.target[rows].tolist()] == [
        "__x86.get_pc_thunk.cx",
        symbols.name(1),
        "_GLOBAL_OFFSET_TABLE_",
        "runtime.addmoduledata",
    ]


def test_a_thunk_that_is_there_is_kept() -> None:
    """A C object may have brought it."""
    link = picthunks(plugin(thunk=SymKind.STEXT).link())
    order = [link.symbols.name(i) for i in link.text_order.tolist()]
    assert "__x86.get_pc_thunk.cx" not in order
    assert order[5] == "__x86.get_pc_thunk.di"


def test_addends_stand_in_the_place() -> None:
    """A REL object: what the host linker adds is in the section's bytes; a load from the global
    offset table is two relocations of one place, the first without a symbol."""
    p = Tiny(EXTERNAL, ARCH)
    f = p.symbol("main.f", kind=SymKind.STEXT, content=bytes(16))
    v = p.symbol("main.v", kind=SymKind.SDATA, content=bytes(8))
    p.section(".text", 0x1000, [f], rwx=5)
    p.section(".data", 0x2000, [v], rwx=6)
    p.reloc(f, rt.R_ADDR, v, add=3)
    p.reloc(f, rt.R_GOTPCREL, v, offset=4)
    p.reloc(f, rt.R_PCREL, v, offset=8, add=9)
    link = relocate(p.link())
    out = link.external_relocs
    assert link.image[ARCH.header_room :][:12].view("<i4").tolist() == [3, -4, 5]
    assert out.offset.tolist() == [0, 4, 4, 8]
    assert out.type.tolist() == [1, 10, 3, 2]
    assert out.symbol.tolist() == [v, 0, v, v]


def test_numbers_are_those_of_the_toolchains_source() -> None:
    assert has(ARCH) == said("x86", "386")
