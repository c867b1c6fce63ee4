"""dynreloc: how code and data reach what shared libraries define."""

from __future__ import annotations

import re
from typing import Any

import attrs
import pytest

from linkpipe import reloctype as rt
from linkpipe.arches import arm, arm64, riscv64, s390x, x86
from linkpipe.arches.amd64 import (
    LINKAGE,
    R_X86_64_GLOB_DAT,
    R_X86_64_RELATIVE,
)
from linkpipe.engine.context import Link
from linkpipe.errors import InputError, LinkErrors
from linkpipe.passes.dynreloc import dynreloc
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import SymbolsEdit
from tests.dynlink import Importing

HEAD, ENTRY = len(LINKAGE.first.code), len(LINKAGE.entry(0, 0, 0).code)


def rows(link: Link, sym: int) -> list[tuple[str, int, int]]:
    """Target, addend and type of a symbol's relocations."""
    of, relocs = link.relocs.rows_of(sym), link.relocs
    found = zip(relocs.target[of], relocs.add[of], relocs.type[of], strict=True)
    return [(link.symbols.name(int(target)), int(add), int(kind)) for target, add, kind in found]


def test_calls_go_through_the_procedure_linkage_table() -> None:
    """An entry for each function, however often it is called, in the order of the calls."""
    p = Importing()
    puts, gets = p.imported("puts"), p.imported("gets")
    here = p.symbol("main.here", kind=SymKind.STEXT, content=bytes(4))
    p.text.append(here)
    f = p.function("main.f", {0: gets, 8: puts, 16: here}, rt.R_CALL)
    g = p.function("main.g", {0: gets}, rt.R_CALL)
    link = dynreloc(p.prepared())
    gets_at, puts_at = HEAD, HEAD + ENTRY
    assert rows(link, f) == [
        (".plt", gets_at, rt.R_CALL),
        (".plt", puts_at, rt.R_CALL),
        ("main.here", 0, rt.R_CALL),
    ]
    assert rows(link, g) == [(".plt", gets_at, rt.R_CALL)]
    assert link.dynamic.plt.tolist() == link.dynamic.symbols.tolist() == [gets, puts]
    assert not len(link.dynamic.place)


def test_addresses_in_code_stand_in_the_global_offset_table() -> None:
    p = Importing()
    first, second = p.imported("first"), p.imported("second")
    f = p.function("main.f", {0: first, 8: second, 16: first}, rt.R_ADDR, size=8, add=2)
    link = dynreloc(p.prepared())
    assert [row[:2] for row in rows(link, f)] == [(".got", 2), (".got", 10), (".got", 2)]
    found = link.dynamic
    assert found.got.tolist() == [first, second]
    assert set(found.place.tolist()) == {link.symbols.lookup(".got")}
    assert found.offset.tolist() == [0, 8]
    assert found.type.tolist() == [R_X86_64_GLOB_DAT] * 2
    assert found.symbol.tolist() == [1, 2]


def test_an_import_of_arm_that_is_called_has_a_slot_of_its_own_for_its_address() -> None:
    """The oracle has one number for its slots in .got.plt and in .got, and takes the wrong one:
    docs/oracle-faults.md."""
    p = Importing(arm.ARCH)
    puts, gets = p.imported("puts"), p.imported("gets")
    f = p.function("main.f", {0: gets}, rt.R_GOTPCREL, add=4)
    p.reloc(f, arm.R_CALLARM, puts, offset=4, add=0xEBFFFFFE)
    p.reloc(f, rt.R_GOTPCREL, puts, offset=8, add=4)
    link = dynreloc(p.prepared())
    entry = len(arm.LINKAGE.first.code) // 4 - 2
    assert rows(link, f) == [
        (".got", 4, rt.R_PCREL),
        (".plt", 0xEB000000 + entry, arm.R_CALLARM),
        (".got", 4 + 4, rt.R_PCREL),
    ]
    assert link.dynamic.got.tolist() == [gets, puts]
    assert link.dynamic.plt.tolist() == [puts]


def test_code_of_arm64_may_ask_for_the_address_of_an_import() -> None:
    """As a pair of instructions, which the oracle cannot finish: docs/oracle-faults.md."""
    p = Importing(arm64.ARCH)
    puts = p.imported("puts")
    f = p.function("main.f", {8: puts}, arm64.R_ARM64_GOTPCREL, size=8)
    link = dynreloc(p.prepared())
    assert rows(link, f) == [(".got", 0, arm64.R_ARM64_PCREL_LDST64)]
    assert link.dynamic.got.tolist() == [puts]


def test_what_stands_beside_an_address_in_data_of_arm_is_left_there() -> None:
    """Though the dynamic linker will put the address in its place: docs/oracle-faults.md."""
    p = Importing(arm.ARCH)
    data = p.symbol("main.d", kind=SymKind.SDATA, content=bytes(8))
    p.reloc(data, rt.R_ADDR, p.imported("puts"), size=4, offset=4, add=5)
    link = dynreloc(p.prepared())
    assert rows(link, data) == [("", 5, rt.R_CONST)]
    found = link.dynamic
    assert (found.place.tolist(), found.offset.tolist()) == ([data], [4])
    assert found.type.tolist() == [arm.R_ARM_GLOB_DAT]


def test_exports_are_numbered_first() -> None:
    p = Importing()
    puts = p.imported("puts")
    f = p.function("main.f", {0: puts}, rt.R_CALL)
    p.exports = {f: "main.a"}
    link = dynreloc(p.prepared())
    assert link.dynamic.symbols.tolist() == [f, puts]
    assert link.dynamic.exported == 1


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("main.lost", SymKind.Sxxx, "not defined"),
        (".dynsym", SymKind.Sxxx, "table of the linker's own"),
        ("go:func.*", SymKind.SGOFUNC, "table of the linker's own"),
        ("runtime.findfunctab", SymKind.SRODATA, "table of the linker's own"),
    ],
)
def test_exports_that_cannot_be(name: str, kind: SymKind, said: str) -> None:
    """The error names the file that asks for it."""
    p = Importing()
    lost = p.symbol(name, kind=kind)
    p.exports = {lost: "main.a"}
    with pytest.raises(LinkErrors) as error:
        dynreloc(p.prepared())
    assert said in error.value.render()
    assert "main.a" in error.value.render()


def test_what_is_not_linked_needs_no_entry() -> None:
    p = Importing()
    lost = p.imported("lost")
    p.symbols.clear_flags(lost, 0xFFFFFFFF)
    f = p.function("main.f", {0: lost}, rt.R_CALL, weak=True)
    link = dynreloc(p.prepared())
    assert rows(link, f) == [("its.lost", 0, rt.R_CALL)]
    assert not len(link.dynamic.symbols)


def test_libraries_with_versions_are_counted_once() -> None:
    p = Importing()
    a, b = p.imported("a", "libc", "V1"), p.imported("b", "libc", "V2")
    c, d = p.imported("c", "libm", "V1"), p.imported("d", "libz")
    p.function("main.f", dict(zip((0, 8, 16, 24), (a, b, c, d), strict=True)), rt.R_CALL)
    assert dynreloc(p.prepared()).dynamic.files == 2


def test_data_of_what_may_lie_anywhere_is_put_right_when_loaded() -> None:
    """Each address in data, kind by kind."""
    p = Importing(buildmode="pie")
    b = p.symbol("main.b", kind=SymKind.SDATA, content=bytes(16))
    a = p.symbol("main.a", kind=SymKind.SRODATA, content=bytes(8))
    p.reloc(b, rt.R_ADDR, a, size=8, offset=8, add=3)
    p.reloc(a, rt.R_ADDR, b, size=8)
    found = dynreloc(p.prepared()).dynamic
    assert found.place.tolist() == [a, b]
    assert found.offset.tolist() == [0, 8]
    assert found.type.tolist() == [R_X86_64_RELATIVE] * 2
    assert found.symbol.tolist() == [0, 0]
    assert found.target.tolist() == [b, a]
    assert found.add.tolist() == [0, 3]


def hosted(p: Importing, **facts: Any) -> Link:
    """What dynreloc makes of a link with C objects, with these facts about them."""
    link = p.prepared()
    link = link.evolve(cgo=attrs.evolve(link.cgo, **facts))
    files = dict.fromkeys(p.text, "p.a(x.o)")
    return dynreloc(link.evolve(mode=attrs.evolve(link.mode, host_objects=True), host_files=files))


def c_code(p: Importing, code: bytes, *relocs: tuple[int, int, int, int]) -> int:
    """The code of a C object with relocations: offset, type, target and addend."""
    sym = p.symbol("p(.text)", kind=SymKind.STEXT, content=code)
    assert p.arch.linkage is not None
    host = p.arch.linkage.host
    for offset, type_, target, add in relocs:
        width = host[type_].width if type_ in host else 4
        p.reloc(sym, rt.R_HOST + type_, target, offset=offset, size=width, add=add)
    p.text.append(sym)
    return sym


def test_relocations_of_c_objects_become_gos() -> None:
    """The psABI counts from the field, Go from its end; imports have entries of tables."""
    p = Importing()
    puts, stdout = p.imported("puts"), p.imported("stdout")
    here = p.symbol("here", kind=SymKind.SNOPTRDATA, content=bytes(8))
    p.symbols.set(here, object=1)
    f = c_code(
        p,
        bytes(64),
        (4, 2, here, -4),
        (8, 4, here, -4),
        (12, 4, puts, -4),
        (20, 9, stdout, -4),
        (24, 24, here, -8),
        (32, 1, here, 3),
        (40, 42, here, -4),
    )
    link = hosted(p)
    assert rows(link, f) == [
        ("here", 0, rt.R_PCREL),
        ("here", 0, rt.R_PCREL),
        (".plt", HEAD, rt.R_PCREL),
        (".got", 0, rt.R_PCREL),
        ("here", 0, rt.R_PCREL),
        ("here", 3, rt.R_ADDR),
        (".got", 8, rt.R_PCREL),
    ]
    assert link.dynamic.symbols.tolist() == [puts, stdout, here]
    assert link.dynamic.got.tolist() == [stdout, here]


def test_a_load_of_an_address_that_is_known_needs_no_slot() -> None:
    """mov slot(%rip), %rax becomes lea target(%rip), %rax; at the very start there is none."""
    p = Importing()
    here = p.symbol("here", kind=SymKind.SNOPTRDATA, content=bytes(8))
    puts = p.imported("puts")
    load = b"\x48\x8b\x05\0\0\0\0"
    f = c_code(p, load + load, (3, 42, here, -4), (10, 42, puts, -4))
    link = hosted(p)
    assert rows(link, f) == [("here", 0, rt.R_PCREL), (".got", 0, rt.R_PCREL)]
    assert bytes(link.symbols.data(f)) == b"\x48\x8d\x05\0\0\0\0" + load
    assert link.dynamic.got.tolist() == [puts]


def test_a_load_of_no_symbol_needs_no_slot_either() -> None:
    p = Importing()
    f = c_code(p, b"\x48\x8b\x05" + bytes(13), (3, 42, 0, -4))
    link = hosted(p)
    assert rows(link, f) == [("", 0, rt.R_PCREL)]
    assert bytes(link.symbols.data(f))[:3] == b"\x48\x8d\x05"


def test_code_of_386_counts_from_the_table_of_addresses() -> None:
    """To which it finds the way itself; a slot is an offset in it, and what is known here needs
    none: mov becomes lea, push pushes the address."""
    p = Importing(x86.ARCH)
    here = p.symbol("here", kind=SymKind.SNOPTRDATA, content=bytes(8))
    puts, magic = p.imported("puts"), p.symbol("magic", kind=SymKind.SXREF)
    load, push = b"\x8b\x83\0\0\0\0", b"\xff\xb3\0\0\0\0"
    f = c_code(
        p,
        load + load + push + bytes(16),
        (2, 43, here, 0),
        (8, 43, puts, 0),
        (14, 3, here, 0),
        (20, 10, magic, 2),
        (24, 9, here, 3),
        (28, 4, puts, -4),
    )
    link = hosted(p)
    entry = len(x86.LINKAGE.first.code)
    assert rows(link, f) == [
        ("here", 0, rt.R_GOTOFF),
        (".got", 0, rt.R_CONST),
        ("here", 0, rt.R_ADDR),
        (".got", 6, rt.R_PCREL),
        ("here", 3, rt.R_GOTOFF),
        (".plt", entry, rt.R_PCREL),
    ]
    code = bytes(link.symbols.data(f))
    assert code[:18] == b"\x8d" + load[1:] + load + b"\x36\x68" + push[2:]
    assert link.dynamic.got.tolist() == [puts]


def test_other_instructions_of_386_that_ask_for_a_slot_are_refused() -> None:
    p = Importing(x86.ARCH)
    here = p.symbol("here", kind=SymKind.SNOPTRDATA, content=bytes(8))
    c_code(p, bytes(16), (4, 3, here, 0))
    with pytest.raises(LinkErrors) as error:
        hosted(p)
    assert "unexpected GOT reloc for non-dynamic symbol here" in error.value.render()


def test_slots_of_arm_for_what_is_defined_here_hold_its_address() -> None:
    """The dynamic linker is not asked, and the symbol is none of its own."""
    p = Importing(arm.ARCH)
    here = p.symbol("here", kind=SymKind.SNOPTRDATA, content=bytes(8))
    puts = p.imported("puts")
    f = c_code(
        p,
        bytes(16),
        (0, 28, puts, -0x14000002),
        (4, 96, puts, 8),
        (8, 96, here, 8),
        (12, 26, here, 1),
    )
    link = hosted(p)
    entry = len(arm.LINKAGE.first.code) // 4
    assert rows(link, f) == [
        (".plt", 0xEB000000 + entry - 2, arm.R_CALLARM),
        (".got", 12, rt.R_PCREL),
        (".got", 16, rt.R_PCREL),
        (".got", 5, rt.R_CONST),
    ]
    assert link.dynamic.got.tolist() == [puts, here]
    assert link.dynamic.symbols.tolist() == [puts]
    assert link.dynamic.offset.tolist() == [0]
    assert rows(link, link.symbols.lookup(".got")) == [("here", 0, rt.R_ADDR)]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (".plt", SymKind.SXREF),
        ("go:buildinfo", SymKind.SBUILDINFO),
        ("go:func.*", SymKind.SGOFUNC),
        ("runtime.firstmoduledata", SymKind.SMODULEDATA),
    ],
)
def test_a_slot_for_what_the_linker_fills_is_refused(name: str, kind: SymKind) -> None:
    """Its dynamic symbol would say how large it is, which is not known yet; .got is."""

    def asked(name: str, kind: SymKind, size: int) -> Link:
        p = Importing(s390x.ARCH)
        of_go = p.symbol("p.x", kind=SymKind.SDATA, content=bytes(8))
        p.symbols.set(of_go, object=1)
        target = p.symbol(name, kind=kind, content=bytes(size))
        c_code(p, bytes(16), (2, 26, target, 2), (8, 26, of_go, 2))
        return hosted(p)

    assert len(asked(".got", SymKind.SXREF, 0).dynamic.symbols) == 2
    with pytest.raises(InputError, match=f"{re.escape(name)} is a table of the linker's") as error:
        asked(name, kind, 8 if kind == SymKind.SBUILDINFO else 0)
    assert (error.value.file, error.value.offset) == ("p.a(x.o)", 2)


def test_code_of_s390x_counts_in_units_of_two_bytes() -> None:
    """Or in bytes, by the relocation's type, from the field's end; the loads of slots are not made
    others where the address is known."""
    p = Importing(s390x.ARCH)
    here = p.symbol("here", kind=SymKind.SNOPTRDATA, content=bytes(8))
    p.symbols.set(here, object=1)
    puts, magic = p.imported("puts"), p.symbol("magic", kind=SymKind.SXREF)
    f = c_code(
        p,
        bytes(64),
        (2, 20, puts, 2),
        (8, 20, here, 2),
        (14, 19, here, 2),
        (20, 26, here, 2),
        (26, 26, puts, 2),
        (32, 21, magic, 2),
        (36, 5, here, 0),
        (40, 25, puts, 0),
        (48, 22, here, 3),
        (56, 13, here, 0),
    )
    link = hosted(p)
    entry = len(s390x.LINKAGE.first.code)
    assert rows(link, f) == [
        (".plt", 6 + entry, s390x.R_PCRELDBL),
        ("here", 6, s390x.R_PCRELDBL),
        ("here", 6, s390x.R_PCRELDBL),
        (".got", 6, s390x.R_PCRELDBL),
        (".got", 14, s390x.R_PCRELDBL),
        (".got", 6, s390x.R_PCRELDBL),
        ("here", 4, rt.R_PCREL),
        (".plt", 8 + entry, rt.R_PCREL),
        ("here", 3, rt.R_ADDR),
        ("here", 0, rt.R_GOTOFF),
    ]
    assert link.dynamic.symbols.tolist() == [puts, here]
    assert link.dynamic.got.tolist() == [here, puts]


def riscv_code(*relocs: tuple[int, int, str, int]) -> tuple[Importing, int]:
    """Code of a C object of riscv64 with labels at 0, 8 and 16, and the symbols here and puts."""
    p = Importing(riscv64.ARCH)
    known = {"here": p.symbol("here", kind=SymKind.SNOPTRDATA, content=bytes(8))}
    known["puts"] = p.imported("puts")
    for at in (0, 8, 16):
        known[str(at)] = p.symbol(f".L{at} ", kind=SymKind.STEXT)
    known[""] = 0
    f = c_code(p, bytes(64), *((at, type_, known[name], add) for at, type_, name, add in relocs))
    for at in (0, 8, 16):
        p.symbols.set(known[str(at)], container=f, value=0x1000 + at)
    p.symbols.set(f, value=0x1000)
    return p, f


def test_code_of_riscv64_has_its_addresses_in_halves() -> None:
    """The lower one names the place of the upper one, wherever that stands, and has from then on
    its symbol, and the way back to it. What asks for shorter code is left out."""
    p, f = riscv_code(
        (0, 23, "here", 5),
        (0, 51, "", 0),
        (4, 24, "8", 0),
        (8, 20, "puts", 0),
        (12, 25, "0", 0),
        (16, 19, "puts", 0),
        (24, 24, "0", 0),
        (28, 45, "16", 0),
        (32, 35, "here", 1),
        (32, 39, "16", 0),
        (36, 57, "here", 2),
    )
    link = hosted(p)
    assert rows(link, f) == [
        ("here", 5, riscv64.GO_PCREL_HI20),
        ("", 0, rt.R_HOST),
        (".got", 0 + 4 - 8, riscv64.GO_PCREL_LO12_I),
        (".got", 0, riscv64.GO_GOT_HI20),
        ("here", 5 + 12, riscv64.GO_PCREL_LO12_S),
        (".plt", len(riscv64.LINKAGE.first.code), riscv64.GO_CALL),
        ("here", 5 + 24, riscv64.GO_PCREL_LO12_I),
        (".L16 ", 0, riscv64.GO_RVC_JUMP),
        ("here", 1, riscv64.GO_ADD32),
        (".L16 ", 0, riscv64.GO_SUB32),
        ("here", 2, rt.R_PCREL),  # four bytes short: docs/oracle-faults.md
    ]
    assert link.relocs.size[link.relocs.rows_of(f)].tolist() == [4, 0, 4, 4, 4, 8, 4, 2, 4, 4, 4]


@pytest.mark.parametrize("offset", [-1, 61, 4095])
def test_what_changes_nothing_has_a_place_all_the_same(offset: int) -> None:
    p, _ = riscv_code((60, 51, "", 0), (offset, 51, "", 0))
    with pytest.raises(LinkErrors) as error:
        hosted(p)
    assert f"p(.text): invalid relocation : {offset}+4 not in [0,64)" in error.value.render()
    assert "p.a(x.o)" in error.value.render()


@pytest.mark.parametrize(
    ("low", "said"),
    [
        ((4, 24, "16", 0), "missing HI20 relocation for LO12 relocation with .L16 "),
        ((4, 24, "8", 0), "missing HI20 relocation for LO12 relocation with .L8 "),
        ((4, 25, "here", 0), "missing HI20 relocation for LO12 relocation with here"),
        ((4, 25, "0", 4), "lower half of an address with non-zero addend, at .L0 "),
    ],
)
def test_halves_of_riscv64_without_another(low: tuple[int, int, str, int], said: str) -> None:
    p, _ = riscv_code((0, 23, "here", 0), low, (8, 19, "puts", 0))
    with pytest.raises(LinkErrors) as error:
        hosted(p)
    assert said in error.value.render()
    assert "p.a(x.o)" in error.value.render()


@pytest.mark.parametrize(("type_", "name"), [(7, "GOT32"), (24, "GOT64"), (12, "RELATIVE")])
def test_what_the_oracle_has_not_written_for_s390x(type_: int, name: str) -> None:
    p = Importing(s390x.ARCH)
    c_code(p, bytes(16), (0, type_, p.imported("puts"), 0))
    with pytest.raises(LinkErrors) as error:
        hosted(p)
    assert f"unimplemented S390x relocation: R_390_{name}" in error.value.render()


@pytest.mark.parametrize(
    ("type_", "said"),
    [(10, "R_ARM_THM_CALL, are you using -marm?"), (40, "unexpected relocation type 296")],
)
def test_what_is_read_of_c_objects_of_arm_and_refused_where_it_is_needed(
    type_: int, said: str
) -> None:
    p = Importing(arm.ARCH)
    c_code(p, bytes(16), (0, type_, p.imported("puts"), 0))
    with pytest.raises(LinkErrors) as error:
        hosted(p)
    assert said in error.value.render()


@pytest.mark.parametrize(("type_", "name"), [(2, ""), (2, "lost"), (24, "lost"), (9, ""), (42, "")])
def test_what_nobody_defines(type_: int, name: str) -> None:
    """Or has no name at all: a call of a number, as assembly may write it."""
    p = Importing()
    target = p.symbol(name, kind=SymKind.SXREF) if name else 0
    c_code(p, bytes(16), (4, type_, target, -4))
    with pytest.raises(LinkErrors) as error:
        hosted(p, lacking="no library was looked into")
    assert "no library was looked into" in error.value.render()
    assert f"p(.text): unknown symbol {name or '?'} in pcrel" in error.value.render()


def test_a_section_with_many_loads_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes long is to copy it."""
    p = Importing()
    here = p.symbol("here", kind=SymKind.SNOPTRDATA, content=bytes(8))
    f = c_code(p, b"\x48\x8b\x05\0\0\0\0" * 50, *((3 + 7 * i, 42, here, -4) for i in range(50)))
    written: list[int] = []
    set_content = SymbolsEdit.set_content

    def noted(edit: SymbolsEdit, sym: int, content: bytes, **how: Any) -> None:
        written.append(sym)
        set_content(edit, sym, content, **how)

    monkeypatch.setattr(SymbolsEdit, "set_content", noted)
    link = hosted(p)
    assert bytes(link.symbols.data(f)) == b"\x48\x8d\x05\0\0\0\0" * 50
    assert written.count(f) == 1


def test_entries_of_tables_come_in_the_order_of_the_text() -> None:
    """Whether C or Go asks for them."""
    p = Importing()
    first, second = p.imported("first"), p.imported("second")
    p.function("main.f", {0: second}, rt.R_CALL)
    c_code(p, bytes(16), (0, 4, first, -4), (8, 4, second, -4))
    assert hosted(p).dynamic.plt.tolist() == [second, first]


def test_data_of_c_objects_holds_addresses() -> None:
    """Which the dynamic linker puts right where the executable may lie anywhere."""
    p = Importing(buildmode="pie")
    here = p.symbol("here", kind=SymKind.SNOPTRDATA, content=bytes(8))
    table = p.symbol("p(.data)", kind=SymKind.SNOPTRDATA, content=bytes(8))
    p.reloc(table, rt.R_HOST + 1, here, size=8, add=2)
    link = hosted(p)
    assert rows(link, table) == [("here", 2, rt.R_ADDR)]
    found = link.dynamic
    assert (found.place.tolist(), found.target.tolist()) == ([table], [here])
    assert (found.type.tolist(), found.add.tolist()) == ([R_X86_64_RELATIVE], [2])


def test_slots_that_data_asks_for_come_between_addresses() -> None:
    """Where the executable may lie anywhere: in the order of the relocations, behind those of
    functions, though data may be numbered before."""
    p = Importing(buildmode="pie")
    first, second, third = (p.imported(name) for name in ("first", "second", "third"))
    table = p.symbol("p(.data)", kind=SymKind.SNOPTRDATA, content=bytes(32))
    p.reloc(table, rt.R_HOST + 1, table, size=8)
    p.reloc(table, rt.R_HOST + 9, second, size=4, offset=8)
    p.reloc(table, rt.R_HOST + 1, table, size=8, offset=16)
    p.reloc(table, rt.R_HOST + 9, third, size=4, offset=24)
    c_code(p, bytes(16), (4, 9, first, -4))
    found = hosted(p).dynamic
    assert found.got.tolist() == [first, second, third]
    slot, address = R_X86_64_GLOB_DAT, R_X86_64_RELATIVE
    assert found.type.tolist() == [slot, address, slot, address, slot]
    assert found.offset.tolist() == [0, 0, 8, 16, 16]


@pytest.mark.parametrize(("type_", "name"), [(1, "R_X86_64_64"), (2, "R_X86_64_PC32")])
def test_c_objects_that_were_not_compiled_for_shared_libraries(type_: int, name: str) -> None:
    p = Importing()
    c_code(p, bytes(16), (4, type_, p.imported("stdout"), 0))
    with pytest.raises(LinkErrors) as error:
        hosted(p)
    assert f"p(.text): unexpected {name} relocation for dynamic symbol" in error.value.render()
    assert "file: p.a(x.o)" in error.value.render()


def test_damaged_relocations_of_go_are_not_taken_for_those_of_c() -> None:
    p = Importing()
    f = p.function("main.f", {0: p.imported("puts")}, rt.R_HOST + 2)
    p.symbols.set(f, object=1)
    assert rows(hosted(p), f) == [("its.puts", 0, rt.R_HOST + 2)]
