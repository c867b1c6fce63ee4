"""riscv64: constants, relocation types and code against what others say of them."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from elftools.elf import enums
from hypothesis import given
from hypothesis import strategies as st

from linkpipe import reloctype as rt
from linkpipe.arches import riscv64
from linkpipe.arches.riscv64 import ADDMODULEDATA, ARCH, LINKAGE, RELOCS, TRAMPOLINES
from linkpipe.errors import InputError, LinkErrors
from linkpipe.passes.labels import labels
from linkpipe.passes.relocate import relocate
from linkpipe.relockind import Places
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from tests.arches.gosource import elf_numbers, has, said
from tests.tiny import EXTERNAL, INTERNAL, Tiny

ADDRESS, ADD = st.integers(0, 2**30), st.integers(-4096, 4096)
AUIPC, ADDI, SD, JAL = 0x00000517, 0x00050513, 0x00B53023, 0x000000EF
"""auipc a0; addi a0, a0; sd a1, (a0); jal ra."""


def bits(word: int, low: int, count: int) -> int:
    return word >> low & (1 << count) - 1


def signed(value: int, width: int) -> int:
    return value - (value >> width - 1 << width)


def i_operand(word: int) -> int:
    """The operand of a load or an addition, by the unprivileged manual (2.3)."""
    return signed(bits(word, 20, 12), 12)


def s_operand(word: int) -> int:
    return signed(bits(word, 25, 7) << 5 | bits(word, 7, 5), 12)


def u_operand(word: int) -> int:
    return signed(bits(word, 12, 20), 20) << 12


def j_operand(word: int) -> int:
    low = bits(word, 12, 8) << 12 | bits(word, 20, 1) << 11 | bits(word, 21, 10) << 1
    return signed(bits(word, 31, 1) << 20 | low, 21)


def patched(number: int, code: list[int], place: int, target: int, add: int = 0) -> list[int]:
    """The instructions after a relocation of that kind."""
    image = np.array(code, "<u4").view(np.uint8)
    p, s, a = (np.array([x], np.int64) for x in (place, target, add))
    places = Places(image, np.zeros(1, np.int64), p, s, a, s, s, len(image), ARCH.tls_offset, 0)
    kind = RELOCS[number]
    assert kind.value is not None
    value = int(kind.value(places)[0])
    raw = (value % (1 << 8 * len(image))).to_bytes(len(image), "little")
    words: list[int] = np.frombuffer(raw, "<u4").tolist()
    return words


@pytest.mark.parametrize("number", [riscv64.GO_PCREL_ITYPE, riscv64.GO_CALL])
@pytest.mark.parametrize("before", [0, -1], ids=["empty", "full"])
@given(ADDRESS, ADDRESS, ADD)
def test_a_pair_computes_the_address(
    number: int, before: int, place: int, target: int, add: int
) -> None:
    """auipc and addi, run by hand, give S + A, whatever stood in their operands; opcode and
    registers stay."""
    code = [AUIPC | before & 0xFFFFF000, ADDI | before & 0xFFF00000]
    first, second = patched(number, code, place, target, add)
    assert place + u_operand(first) + i_operand(second) == target + add
    assert (first & 0xFFF, second & 0xFFFFF) == (AUIPC, ADDI)


@given(ADDRESS, ADDRESS, ADD)
def test_a_store_computes_the_address(place: int, target: int, add: int) -> None:
    """Its operand is in two parts."""
    first, second = patched(riscv64.GO_PCREL_STYPE, [AUIPC, SD | 0xFE000F80], place, target, add)
    assert place + u_operand(first) + s_operand(second) == target + add
    assert second & ~0xFE000F80 == SD


@given(ADDRESS, st.integers(-(2**19), 2**19 - 1))
def test_a_jump_goes_to_its_target(place: int, halves: int) -> None:
    """jal counts in units of two bytes, from itself on."""
    (word,) = patched(riscv64.GO_JAL, [JAL | 0xFFFFF000], place, place + 2 * halves)
    assert j_operand(word) == 2 * halves
    assert word & 0xFFF == JAL


@given(st.integers(-(2**31), 2**31 - 4096))
def test_the_thread_pointer_points_to_the_word(add: int) -> None:
    """lui and addiw make the addend, whatever the symbol."""
    lui, addiw = patched(riscv64.GO_TLS_LE, [0x00000FB7, 0x000F8F9B], 0x1000, 0x2000, add)
    assert u_operand(lui) + i_operand(addiw) == add


@given(ADDRESS, ADDRESS)
def test_halves_apart_make_the_address(place: int, target: int) -> None:
    """In the first entry of .plt the lower half, with the way back to auipc as its addend."""
    (high,) = patched(riscv64.GO_PCREL_HI20, [0x00000397], place, target)
    (low,) = patched(riscv64.GO_PCREL_LO12_I, [0x00038293], place + 16, target, 16)
    assert place + u_operand(high) + i_operand(low) == target


@given(ADDRESS, ADDRESS)
def test_halves_of_c_compilers_make_the_address(place: int, target: int) -> None:
    """Of a slot, and where the lower half stores; what stood in the operands is forgotten."""
    (high,) = patched(riscv64.GO_GOT_HI20, [AUIPC | 0xFFFFF000], place, target)
    (low,) = patched(riscv64.GO_PCREL_LO12_S, [SD | 0xFE000F80], place + 16, target, 16)
    assert place + u_operand(high) + s_operand(low) == target
    assert (high & 0xFFF, low & ~0xFE000F80) == (AUIPC, SD)


def b_operand(word: int) -> int:
    low = bits(word, 7, 1) << 11 | bits(word, 25, 6) << 5 | bits(word, 8, 4) << 1
    return signed(bits(word, 31, 1) << 12 | low, 13)


def cb_operand(word: int) -> int:
    """By the unprivileged manual (26.4): offset[8|4:3] and offset[7:6|2:1|5]."""
    low = bits(word, 10, 2) << 3 | bits(word, 5, 2) << 6 | bits(word, 3, 2) << 1
    return signed(bits(word, 12, 1) << 8 | low | bits(word, 2, 1) << 5, 9)


def cj_operand(word: int) -> int:
    """offset[11|4|9:8|10|6|7|3:1|5]."""
    value = 0
    for place, bit in zip((11, 4, 9, 8, 10, 6, 7, 3, 2, 1, 5), range(12, 1, -1), strict=True):
        value |= bits(word, bit, 1) << place
    return signed(value, 12)


@pytest.mark.parametrize(
    ("number", "code", "operand", "read"),
    [
        (riscv64.GO_BRANCH, 0x00B50063, 0xFE000F80, b_operand),  # beq a0, a1
        (riscv64.GO_RVC_BRANCH, 0xC101, 0x1C7C, cb_operand),  # c.beqz a0
        (riscv64.GO_RVC_JUMP, 0xA001, 0x1FFC, cj_operand),  # c.j
    ],
)
@pytest.mark.parametrize("before", [0, -1], ids=["empty", "full"])
@given(ADDRESS, st.data())
def test_branches_of_c_go_to_their_targets(
    number: int,
    code: int,
    operand: int,
    read: Callable[[int], int],
    before: int,
    place: int,
    data: st.DataObject,
) -> None:
    reach = RELOCS[number].reach
    assert reach is not None
    halves = data.draw(st.integers(-reach // 2, reach // 2 - 1))
    width = 4 if code > 0xFFFF else 2
    image = np.frombuffer((code | before & operand).to_bytes(width, "little"), np.uint8).copy()
    p, s, a = (np.array([x], np.int64) for x in (place, place + 2 * halves, 0))
    value = RELOCS[number].value
    assert value is not None
    word = int(value(Places(image, a, p, s, a, a, a, width, ARCH.tls_offset, 0))[0])
    assert read(word) == 2 * halves
    assert word & ~operand == code


@given(
    st.lists(st.tuples(st.integers(0, 2), ADDRESS), max_size=3, unique_by=lambda term: term[0]),
    st.integers(0, 2**32 - 1),
)
def test_differences_of_addresses(terms: list[tuple[int, int]], before: int) -> None:
    """What is added to a field of four bytes, and taken off it; those of one place come one after
    the other, not together."""
    image = np.full(3, before, "<u4")
    expected = image.tolist()
    for number, sign in ((riscv64.GO_ADD32, 1), (riscv64.GO_SUB32, -1)):
        at = np.array([4 * place for place, _ in terms], np.int64)
        s = np.array([address for _, address in terms], np.int64)
        zero, value = np.zeros_like(at), RELOCS[number].value
        assert value is not None
        places = Places(image.view(np.uint8), at, zero, s, zero, zero, zero, 4, 0, 0)
        image[at // 4] = value(places).astype("<u4")
        for place, address in terms:
            expected[place] = (expected[place] + sign * address) % 2**32
        assert image.tolist() == expected


def test_data_with_addresses_is_refused_before_126() -> None:
    """As the oracle does, in C objects; it does not read jumps there."""
    old, new = ARCH.at("1.25").linkage, ARCH.at("1.26").linkage
    assert old is not None
    assert new is not None
    assert {n for n, r in old.host.items() if r.type is None and new.host[n].type is not None} == {
        *(2, 35, 39, 57)
    }
    assert new.host.keys() - old.host.keys() == {17}


def test_the_procedure_linkage_table() -> None:
    """Addends of lower halves lead back to the auipc; an entry is 16 bytes, as its first one
    counts on: it takes off what is before them, 44 bytes, of which 12 are in the entry."""
    first = np.frombuffer(LINKAGE.first.code, "<u4").tolist()
    assert [r.offset - r.add for r in LINKAGE.first.relocs] == [0, 0, 0]
    assert i_operand(first[3]) == -(len(LINKAGE.first.code) + 12)
    assert len(LINKAGE.entry(32, 16, 0).code) == 16
    assert bits(first[5], 20, 6) == 1, "16 bytes of code for a slot of 8"


def test_elf_types_have_their_names() -> None:
    """The numbers are the psABI's, as debug/elf knows them; the second one is 4 bytes on."""
    known = elf_numbers("RISCV")
    high, low = "R_RISCV_PCREL_HI20", "R_RISCV_PCREL_LO12_I"
    expected = {
        (rt.R_ADDR, 4): ["R_RISCV_32"],
        (rt.R_ADDR, 8): ["R_RISCV_64"],
        (riscv64.GO_JAL, 4): ["R_RISCV_JAL"],
        (riscv64.GO_JAL_TRAMP, 4): ["R_RISCV_JAL"],
        (riscv64.GO_CALL, 8): [high, low],
        (riscv64.GO_PCREL_ITYPE, 8): [high, low],
        (riscv64.GO_PCREL_STYPE, 8): [high, "R_RISCV_PCREL_LO12_S"],
        (riscv64.GO_GOT_PCREL_ITYPE, 8): ["R_RISCV_GOT_HI20", low],
        (riscv64.GO_TLS_IE, 8): ["R_RISCV_TLS_GOT_HI20", low],
        (riscv64.GO_TLS_LE, 8): ["R_RISCV_TPREL_HI20", "R_RISCV_TPREL_LO12_I"],
    }
    for (number, width), names in expected.items():
        rule = RELOCS[number].elf
        assert rule is not None
        parts = rule.types[width]
        assert [part.type for part in parts] == [known[name] for name in names]
        assert [part.offset for part in parts] == [0, 4][: len(names)]
        assert [part.label for part in parts] == ["PCREL_LO12" in name for name in names]
        assert rule.stored != rule.untouched


def test_constants() -> None:
    machine = enums.ENUM_E_MACHINE["EM_RISCV"]
    assert (ARCH.elf_class, ARCH.endian, ARCH.elf_machine) == (2, "<", machine)
    assert (ARCH.text_base, ARCH.abi_internal, ARCH.rela) == (0x11000, 1, True)


def test_addmoduledata_stub_is_well_formed() -> None:
    """auipc a0; addi a0, a0; j, each with an empty operand."""
    words = np.frombuffer(ADDMODULEDATA.code, "<u4").tolist()
    assert words == [AUIPC, ADDI, 0x6F]
    assert [(r.offset, r.size) for r in ADDMODULEDATA.relocs] == [(0, 8), (8, 4)]
    assert ARCH.at("1.24").addmoduledata is None
    assert ARCH.at("1.25").addmoduledata is ADDMODULEDATA


def test_trampolines_jump_through_t6() -> None:
    """The register that is no call's: auipc x31; jalr x0, (x31)."""
    stub = TRAMPOLINES.write(8, True, False, False)
    assert np.frombuffer(stub.code, "<u4").tolist() == [0xF97, 0xF8067]
    assert [(r.offset, r.size, r.add) for r in stub.relocs] == [(0, 8, 8)]
    assert [TRAMPOLINES.label(add) for add in (0, 16, -16)] == ["", "+10", "-10"]


def test_the_reach_of_calls() -> None:
    """A megabyte, either way."""
    edge = 1 << 20
    far = [TRAMPOLINES.far(d, 0, False) for d in (edge - 2, edge, -edge, -edge - 2)]
    assert far == [False, True, False, True]
    assert TRAMPOLINES.far(edge - 2, 2, True)
    assert [TRAMPOLINES.near(d) for d in (edge - 2, edge)] == [True, False]


def test_profiles() -> None:
    """As internal/buildcfg spells them, and no others; Go 1.24 has two, and objects say which one
    from Go 1.26 on."""
    new, old = ARCH.setting, ARCH.at("1.24").setting
    assert new is not None
    assert old is not None
    assert new.levels == ("rva20u64", "rva22u64", "rva23u64")
    assert [new.value({"GORISCV64": level}) for level in new.levels] == list(new.levels)
    assert (new.value({}), old.value({})) == ("rva20u64", "")
    with pytest.raises(ValueError, match="must be rva20u64, rva22u64, rva23u64$"):
        new.value({"GORISCV64": "rva21u64"})
    with pytest.raises(ValueError, match="must be rva20u64, rva22u64$"):
        old.value({"GORISCV64": "rva23u64"})


def program(mode: Mode, distance: int = 0x1000) -> Tiny:
    """Functions that read and write a variable and call one another."""
    p = Tiny(mode, ARCH)
    code = np.array([AUIPC, ADDI, AUIPC, SD, JAL, 0], "<u4").tobytes()
    f = p.symbol("main.f", kind=SymKind.STEXT, content=code)
    g = p.symbol("main.g", kind=SymKind.STEXT, content=code)
    v = p.symbol("main.v", kind=SymKind.SDATA, content=bytes(16))
    p.section(".text", 0x1000, [f, g], rwx=5)
    p.section(".data", 0x1000 + distance, [v], rwx=6)
    for function in (f, g):
        p.reloc(function, riscv64.GO_PCREL_ITYPE, v, size=8, add=8)
        p.reloc(function, riscv64.GO_PCREL_STYPE, v, offset=8, size=8)
        p.reloc(function, riscv64.GO_JAL, g, offset=16)
    return p


def refused(p: Tiny, objects: Any = None) -> list[str]:
    """What is said of a link that is refused, with these objects."""
    link = p.link()
    with pytest.raises(LinkErrors) as raised:
        relocate(labels(link.evolve(objects=objects or link.objects)))
    return [error.headline() for error in raised.value.errors]


def test_objects_keep_the_instructions() -> None:
    """The host linker fills in the operands. Where a pair does not begin a function, a label is at
    its place; the lower halves name that, or the function, and have no addend."""
    link = relocate(labels(program(EXTERNAL).link()))
    out, symbols = link.external_relocs, link.symbols
    assert out.type.tolist() == [23, 24, 23, 25, 17] * 2
    assert out.offset.tolist() == [0, 4, 8, 12, 16, 24, 28, 32, 36, 40]
    assert out.addend.tolist() == [8, 0, 0, 0, 0] * 2
    first, second = link.labels.tolist()
    f, g, v = (symbols.lookup(f"main.{name}") for name in "fgv")
    assert out.symbol.tolist() == [v, f, v, first, g, v, g, v, second, g]
    assert [symbols.name(sym) for sym in (first, second)] == [".L0 ", ".L0 "]
    assert symbols.value[[first, second]].tolist() == [0x1008, 0x1020]
    assert link.image[4096:4108].view("<u4").tolist() == [AUIPC, ADDI, AUIPC]


def test_a_pair_outside_of_code_has_no_label() -> None:
    """Nothing names its place, so it is refused, in the oracle's words."""
    p = program(EXTERNAL)
    v = p.symbols.lookup_or_create("main.v")
    p.reloc(v, riscv64.GO_PCREL_ITYPE, v, size=8)
    p.reloc(v, riscv64.GO_PCREL_ITYPE, v, offset=8, size=8)
    told = refused(p)
    assert len(told) == 2
    assert all("failed to find text symbol for HI20 relocation" in line for line in told)


def test_what_cannot_be_reached_is_refused() -> None:
    """A pair reaches 2 GiB, a jump goes to even addresses."""
    relocate(program(INTERNAL).link())
    assert "address relocation distance = 4294967" in refused(program(INTERNAL, 1 << 32))[0]
    p = program(INTERNAL)
    p.reloc(p.text[0], riscv64.GO_JAL, p.text[1], offset=16, add=1)
    assert "is not 2-byte aligned" in refused(p)[0]


def test_the_thread_pointers_offset_has_32_bits() -> None:
    most = (1 << 31) - 1
    for add in (most, most + 1):
        p = program(INTERNAL)
        p.reloc(p.text[0], riscv64.GO_TLS_LE, p.tlsg, offset=8, size=8, add=add)
        if add == most:
            relocate(p.link())
        else:
            assert f"relocation does not fit in 32-bits: {add}" in refused(p)[0]


@pytest.mark.parametrize("number", [riscv64.GO_PCREL_HI20, riscv64.GO_PCREL_LO12_I])
@pytest.mark.parametrize("mode", [INTERNAL, EXTERNAL])
def test_halves_apart_are_the_linkers_own(
    mode: Mode, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object that has them is damaged: the lower half would not know its auipc."""
    monkeypatch.setattr("linkpipe.passes.relocate.source_lines", lambda *_: [""])
    for from_object in (0, 1):
        p = program(mode)
        v = p.symbols.lookup_or_create("main.v")
        p.reloc(v, number, p.text[1])
        p.symbols.set(v, object=from_object)
        if from_object:
            said = f"main.v: unknown reloc to main.g: {number} (R_RISCV_PCREL_"
            arena = SimpleNamespace(let_go=bool)
            objects = SimpleNamespace(names=("", "main.a"), arena=arena)
            assert said in refused(p, objects)[0]
        else:
            relocate(labels(p.link()))


def test_code_for_shared_objects_is_refused_where_there_is_no_host_linker() -> None:
    p = program(INTERNAL)
    p.reloc(p.text[0], riscv64.GO_TLS_IE, p.tlsg, offset=8, size=8)
    with pytest.raises(InputError, match="cannot handle R_RISCV_TLS_IE"):
        relocate(p.link())


def jump(mode: Mode, gap: int) -> tuple[Tiny, int, int]:
    """A function that calls another one, so far away, by way of a trampoline."""
    p = Tiny(mode, ARCH)
    f = p.symbol("main.f", kind=SymKind.STEXT, content=np.array([JAL], "<u4").tobytes())
    tramp = p.symbol("main.g-tramp0", kind=SymKind.STEXT, content=bytes(8))
    hole = p.symbol("main.hole", kind=SymKind.STEXT, size=gap - 12)
    g = p.symbol("main.g", kind=SymKind.STEXT, content=bytes(8))
    p.section(".text", 0x1000, [f, tramp, hole, g], rwx=5)
    p.reloc(f, riscv64.GO_JAL_TRAMP, tramp)
    p.reloc(tramp, riscv64.GO_CALL, g, size=8, add=2)
    return p, tramp, g


@pytest.mark.parametrize(("gap", "leads"), [(0x1000, 0x1002), (1 << 20, 4)])
def test_trampolines_are_left_out_where_the_target_is_near(gap: int, leads: int) -> None:
    """With the addend, which is the trampoline's."""
    image = relocate(jump(INTERNAL, gap)[0].link()).image
    assert j_operand(int(image[4096:4100].view("<u4")[0])) == leads


@pytest.mark.parametrize("gap", [0x1000, 1 << 20])
def test_trampolines_are_left_out_of_objects(gap: int) -> None:
    """There, too, for the host linker is told of the target."""
    p, tramp, g = jump(EXTERNAL, gap)
    out = relocate(labels(p.link())).external_relocs
    near = gap == 0x1000
    assert (int(out.symbol[0]), int(out.addend[0])) == ((g, 2) if near else (tramp, 0))


def test_only_trampolines_are_left_out() -> None:
    """What such a relocation refers to has one relocation, else it is no trampoline."""
    p, tramp, g = jump(INTERNAL, 0x1000)
    p.reloc(tramp, riscv64.GO_CALL, g, size=8)
    assert "trampoline main.g-tramp0 has 2 relocations" in refused(p)[0]


def test_what_does_not_jump_is_no_trampoline() -> None:
    """Data, for one, to which a damaged object refers so."""
    p, _, g = jump(INTERNAL, 0x1000)
    other = p.symbol("main.h", kind=SymKind.STEXT, content=np.array([JAL], "<u4").tobytes())
    p.section(".text.other", 0x9000, [other], rwx=5)
    p.reloc(g, riscv64.GO_PCREL_ITYPE, other, size=8)
    p.reloc(other, riscv64.GO_JAL_TRAMP, g)
    assert "trampoline main.g called with non-jump relocation" in refused(p)[0]


def test_numbers_are_those_of_the_toolchains_source() -> None:
    assert has(ARCH) == said("riscv64", "riscv64")
