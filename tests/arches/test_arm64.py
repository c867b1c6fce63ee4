"""arm64: constants, relocation types and code against what others say of them."""

from __future__ import annotations

import numpy as np
import pytest
from elftools.elf import enums
from hypothesis import given
from hypothesis import strategies as st

from linkpipe import reloctype as rt
from linkpipe.arches import arm64
from linkpipe.arches.arm64 import ADDMODULEDATA, ARCH, RELOCS, TRAMPOLINES, spelled
from linkpipe.errors import LinkErrors
from linkpipe.passes.relocate import relocate
from linkpipe.relockind import Places
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from tests.arches.gosource import has, said
from tests.tiny import EXTERNAL, INTERNAL, Tiny

ADDRESS = st.integers(0, 2**31)
ADRP, ADD, BL = 0x90000000, 0x91000000, 0x94000000
# A load or store of 1, 2, 4 and 8 bytes with an unsigned offset, in units of its size.
LDR = {
    arm64.R_ARM64_PCREL_LDST8: 0x39400000,
    arm64.R_ARM64_PCREL_LDST16: 0x79400000,
    arm64.R_ARM64_PCREL_LDST32: 0xB9400000,
    arm64.R_ARM64_PCREL_LDST64: 0xF9400000,
}


def bits(word: int, low: int, count: int) -> int:
    return word >> low & (1 << count) - 1


def signed(value: int, width: int) -> int:
    return value - (value >> width - 1 << width)


def page(word: int, place: int) -> int:
    """What adrp computes, by the architecture's manual (C6.2.13)."""
    distance = bits(word, 5, 19) << 2 | bits(word, 29, 2)
    return (place & ~0xFFF) + (signed(distance, 21) << 12)


def places(code: list[int], place: int, target: int, add: int) -> Places:
    """One place with instructions around it."""
    image = np.array(code, "<u4").view(np.uint8)
    p, s, a = (np.array([x], np.int64) for x in (place, target, add))
    at = np.zeros(1, np.int64)
    return Places(image, at, p, s, a, s, s, len(image), ARCH.tls_offset, 0)


def patched(number: int, code: list[int], place: int, target: int, add: int) -> list[int]:
    """The instructions after a relocation of that kind."""
    kind = RELOCS[number]
    assert kind.value is not None
    value = int(kind.value(places(code, place, target, add))[0])
    raw = (value % (1 << 32 * len(code))).to_bytes(4 * len(code), "little")
    words: list[int] = np.frombuffer(raw, "<u4").tolist()
    return words


@given(ADDRESS, ADDRESS, st.integers(-4096, 4096))
def test_a_pair_computes_the_address(place: int, target: int, add: int) -> None:
    """adrp and add, run by hand, give S + A; their registers stay."""
    first, second = patched(arm64.R_ADDRARM64, [ADRP | 3, ADD | 3 << 5 | 3], place, target, add)
    assert page(first, place) + bits(second, 10, 12) == target + add
    assert (bits(first, 0, 5), bits(second, 0, 10), bits(second, 22, 10)) == (3, 3 << 5 | 3, 0x244)


@pytest.mark.parametrize("shift", range(4))
@given(ADDRESS, ADDRESS)
def test_a_load_computes_the_address(shift: int, place: int, target: int) -> None:
    """Its offset is in units of what it loads."""
    number = list(LDR)[shift]
    aligned = target >> shift << shift
    first, second = patched(number, [ADRP, LDR[number]], place, aligned, 0)
    assert page(first, place) + (bits(second, 10, 12) << shift) == aligned
    assert second & ~(0xFFF << 10) == LDR[number]


@pytest.mark.parametrize("number", [arm64.R_ARM64_PCREL, arm64.R_ARM64_GOT])
@given(ADDRESS, ADDRESS)
def test_the_halves_of_a_pair_compute_the_address(number: int, place: int, target: int) -> None:
    """C compilers have a relocation for each instruction, which may stand apart."""
    load = number == arm64.R_ARM64_GOT
    target, second = (target & ~7, 0xF9400000) if load else (target, ADD)
    (high,) = patched(number, [ADRP | 3], place, target, 0)
    (low,) = patched(number, [second | 3], place + 40, target, 0)
    assert page(high, place) + (bits(low, 10, 12) << 3 * load) == target
    assert (bits(high, 0, 5), low & ~(0xFFF << 10)) == (3, second | 3)


@pytest.mark.parametrize("shift", range(5))
@given(ADDRESS)
def test_loads_and_stores_of_c(shift: int, target: int) -> None:
    """With a relocation of its own for each size, and one for whatever the instruction moves."""
    own = arm64.R_ARM64_LDST8 + shift
    code = 0x3DC00000 if shift == 4 else 0x39400000 | shift << 30
    for number in (own, arm64.R_ARM64_PCREL):
        (word,) = patched(number, [code], 0, target >> shift << shift, 0)
        assert bits(word, 10, 12) << shift == target >> shift << shift & 0xFFF
        assert word & ~(0xFFF << 10) == code
    assert RELOCS[own].low_bits == shift


@pytest.mark.parametrize(
    ("code", "bits"), [(0x39400000, 0), (0xF9400000, 3), (0x3DC00000, 4), (ADRP, 0), (ADD, 0)]
)
def test_one_of_a_pair_says_what_its_target_is_aligned_to(code: int, bits: int) -> None:
    """A load or store that moves more than a byte leaves bits out; nothing else does."""
    low_bits = RELOCS[arm64.R_ARM64_GOT].low_bits
    assert callable(low_bits)
    assert low_bits(places([code], 0, 0, 0)).tolist() == [bits]


@given(st.integers(0, 2**25), st.integers(0, 2**25))
def test_a_call_goes_to_its_target(place: int, target: int) -> None:
    """bl counts in instructions from itself on."""
    (word,) = patched(arm64.R_CALLARM64, [BL], 4 * place, 4 * target, 0)
    assert bits(word, 26, 6) == BL >> 26
    assert 4 * place + signed(bits(word, 0, 26), 26) * 4 == 4 * target


def test_the_thread_pointer_is_two_words_before_the_data() -> None:
    (word,) = patched(arm64.R_ARM64_TLS_LE, [0xD2800000], 0, 8, 0)
    assert bits(word, 5, 16) == 8 + 16


def test_elf_types_have_their_names() -> None:
    """The numbers are the psABI's, as pyelftools knows them; the second one is 4 bytes on."""
    known = enums.ENUM_RELOC_TYPE_AARCH64
    page21 = "R_AARCH64_ADR_PREL_PG_HI21"
    expected = {
        (rt.R_ADDR, 4): ["R_AARCH64_ABS32"],
        (rt.R_ADDR, 8): ["R_AARCH64_ABS64"],
        (arm64.R_CALLARM64, 4): ["R_AARCH64_CALL26"],
        (arm64.R_ADDRARM64, 8): [page21, "R_AARCH64_ADD_ABS_LO12_NC"],
        (arm64.R_ARM64_PCREL_LDST8, 8): [page21, "R_AARCH64_LDST8_ABS_LO12_NC"],
        (arm64.R_ARM64_PCREL_LDST16, 8): [page21, "R_AARCH64_LDST16_ABS_LO12_NC"],
        (arm64.R_ARM64_PCREL_LDST32, 8): [page21, "R_AARCH64_LDST32_ABS_LO12_NC"],
        (arm64.R_ARM64_PCREL_LDST64, 8): [page21, "R_AARCH64_LDST64_ABS_LO12_NC"],
        (arm64.R_ARM64_GOTPCREL, 8): ["R_AARCH64_ADR_GOT_PAGE", "R_AARCH64_LD64_GOT_LO12_NC"],
        (arm64.R_ARM64_TLS_LE, 4): ["R_AARCH64_TLSLE_MOVW_TPREL_G0"],
        (arm64.R_ARM64_TLS_IE, 8): [
            "R_AARCH64_TLSIE_ADR_GOTTPREL_PAGE21",
            "R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC",
        ],
    }
    for (number, width), names in expected.items():
        rule = RELOCS[number].elf
        assert rule is not None
        parts = rule.types[width]
        assert [part.type for part in parts] == [known[name] for name in names]
        assert [part.offset for part in parts] == [0, 4][: len(names)]
        assert rule.stored != rule.untouched


def test_constants() -> None:
    machine = enums.ENUM_E_MACHINE["EM_AARCH64"]
    assert (ARCH.elf_class, ARCH.endian, ARCH.elf_machine) == (2, "<", machine)
    assert (ARCH.text_base, ARCH.abi_internal, ARCH.rela) == (0x11000, 1, True)


def test_addmoduledata_stub_is_well_formed() -> None:
    """adrp x0; add x0, x0; b, each with an empty operand."""
    words = np.frombuffer(ADDMODULEDATA.code, "<u4").tolist()
    assert words == [ADRP, ADD, 0x14000000]
    assert [(r.offset, r.size) for r in ADDMODULEDATA.relocs] == [(0, 8), (8, 4)]


@pytest.mark.parametrize(
    ("imported", "words"),
    [(False, [0x90000010, 0x91000210, 0xD61F0200]), (True, [0x90000010, 0xF9400210, 0xD61F0200])],
)
def test_trampolines_jump_through_x16(imported: bool, words: list[int]) -> None:
    stub = TRAMPOLINES.write(0, imported, False, False)
    assert np.frombuffer(stub.code, "<u4").tolist() == words
    assert len(stub.code) <= TRAMPOLINES.size
    with pytest.raises(ValueError, match="nonzero addend"):
        TRAMPOLINES.write(8, True, False, False)
    assert TRAMPOLINES.write(8, False, False, False).relocs[0].add == 8


def test_the_reach_of_calls() -> None:
    """26 bits of instructions, either way."""
    edge = 1 << 27
    assert [TRAMPOLINES.far(d, 0, False) for d in (edge - 4, edge, -edge, -edge - 4)] == [
        False,
        True,
        False,
        True,
    ]
    assert TRAMPOLINES.far(edge - 4, 4, True)
    assert [TRAMPOLINES.near(d) for d in (edge - 4, edge)] == [True, False]


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        ("v8.0", "v8.0"),
        ("v8.0,crypto,lse", "v8.0,lse,crypto"),
        ("v8.1", "v8.1,lse"),
        ("v9.5,crypto", "v9.5,lse,crypto"),
    ],
)
def test_levels(given_: str, told: str) -> None:
    """As internal/buildcfg spells them: the extension is a part of all levels but the first."""
    assert spelled(given_) == told


@pytest.mark.parametrize("text", ["", "v8", "v8.10", "v9.6", "v8.0,sve", ",lse"])
def test_no_levels(text: str) -> None:
    with pytest.raises(ValueError, match="invalid GOARM64"):
        spelled(text)


def program(mode: Mode, distance: int = 0x1000) -> Tiny:
    """A function that reads a variable and calls another function."""
    p = Tiny(mode, ARCH)
    code = np.array([ADRP, ADD, BL, 0], "<u4").tobytes()
    f = p.symbol("main.f", kind=SymKind.STEXT, content=code)
    g = p.symbol("main.g", kind=SymKind.STEXT, content=bytes(16))
    v = p.symbol("main.v", kind=SymKind.SDATA, content=bytes(16))
    p.section(".text", 0x1000, [f, g], rwx=5)
    p.section(".data", 0x1000 + distance, [v], rwx=6)
    p.reloc(f, arm64.R_ADDRARM64, v, size=8, add=8)
    p.reloc(f, arm64.R_CALLARM64, g, offset=8)
    return p


def test_objects_keep_the_instructions() -> None:
    """The host linker fills in the operands; both relocations of a pair have the addend."""
    link = relocate(program(EXTERNAL).link())
    out = link.external_relocs
    assert out.type.tolist() == [275, 277, 283]
    assert out.offset.tolist() == [0, 4, 8]
    assert out.addend.tolist() == [8, 8, 0]
    assert link.image[4096:4108].view("<u4").tolist() == [ADRP, ADD, BL]


def test_what_cannot_be_reached_is_refused() -> None:
    """A pair reaches 4 GiB, in the oracle's words."""
    relocate(program(INTERNAL).link())
    with pytest.raises(LinkErrors) as raised:
        relocate(program(INTERNAL, 1 << 33).link())
    assert "address relocation distance = 8589934600" in raised.value.errors[0].headline()


def test_a_load_of_an_odd_address_is_refused() -> None:
    p = program(INTERNAL)
    p.reloc(
        p.text[0], arm64.R_ARM64_PCREL_LDST64, p.symbols.lookup_or_create("main.v"), size=8, add=3
    )
    with pytest.raises(LinkErrors) as raised:
        relocate(p.link())
    assert "is not 8-byte aligned" in raised.value.errors[0].headline()


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (arm64.R_ARM64_PCREL, BL, "unsupported instruction for 94000000 R_ARM64_PCREL"),
        (arm64.R_ARM64_GOT, ADD, "unsupported instruction for 91000000 R_ARM64_GOT"),
    ],
)
def test_other_instructions_of_c_are_refused(number: int, code: int, said: str) -> None:
    p = program(INTERNAL)
    c = p.symbol("p(.text)", kind=SymKind.STEXT, content=code.to_bytes(4, "little"))
    p.section(".text2", 0x5000, [c], rwx=5)
    p.reloc(c, number, p.symbols.lookup_or_create("main.v"), size=4)
    with pytest.raises(LinkErrors) as raised:
        relocate(p.link())
    assert said in raised.value.errors[0].headline()


def test_numbers_are_those_of_the_toolchains_source() -> None:
    assert has(ARCH) == said("arm64", "arm64")
