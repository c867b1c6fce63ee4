"""arm: constants, relocation types and code against what others say of them."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from elftools.elf import enums
from hypothesis import given
from hypothesis import strategies as st

from linkpipe import reloctype as rt
from linkpipe.arches.arm import (
    ADDMODULEDATA,
    ARCH,
    R_CALLARM,
    RELOCS,
    TRAMPOLINES,
    distance,
    header_flags,
    runtime_variables,
    spelled,
)
from linkpipe.errors import LinkErrors
from linkpipe.passes.relocate import relocate
from linkpipe.relockind import Places
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from tests.arches.gosource import has, said
from tests.tiny import EXTERNAL, INTERNAL, Tiny

BL, B = 0xEBFFFFFE, 0xEAFFFFFE
"""With the distance that stands for the target's own address: two instructions back."""


def goes_to(word: int, place: int) -> int:
    """Where a branch leads, by the architecture's manual (A8.8.18): the program counter is two
    instructions ahead."""
    away = word & 0xFFFFFF
    return place + 8 + (away - (away >> 23 << 24)) * 4


@given(st.integers(0, 2**22), st.integers(0, 2**22), st.integers(-8, 64), st.sampled_from([BL, B]))
def test_a_call_goes_to_its_target(place: int, target: int, more: int, code: int) -> None:
    """The addend is the instruction, with the distance from its target's start in it."""
    addend = code & 0xFF000000 | (more - 2) & 0xFFFFFF
    p, s, a = (np.array([x], np.int64) for x in (4 * place, 4 * target, addend))
    places = Places(np.zeros(0, np.uint8), p, p, s, a, s, s, 4, ARCH.tls_offset, 0)
    kind = RELOCS[R_CALLARM]
    assert kind.value is not None
    word = int(kind.value(places)[0])
    assert goes_to(word, 4 * place) == 4 * target + 4 * more
    assert word >> 24 == code >> 24
    assert int(distance(a)[0]) == 4 * (more - 2)


def test_elf_types_have_their_names() -> None:
    """The numbers are the psABI's, as pyelftools knows them."""
    known = enums.ENUM_RELOC_TYPE_ARM
    expected = {
        rt.R_ADDR: ["R_ARM_ABS32"],
        rt.R_DWARFSECREF: ["R_ARM_ABS32"],
        rt.R_PCREL: ["R_ARM_REL32"],
        rt.R_GOTPCREL: ["R_ARM_GOT_PREL"],
        rt.R_TLS_LE: ["R_ARM_TLS_LE32"],
        rt.R_TLS_IE: ["R_ARM_TLS_IE32"],
        R_CALLARM: ["R_ARM_CALL", "R_ARM_JUMP24"],
    }
    for number, names in expected.items():
        rule = RELOCS[number].elf
        assert rule is not None
        assert rule.stored, "there is no other place for addends"
        assert [part.type for part in rule.types[4]] == [known[name] for name in names]


def test_constants() -> None:
    machine = enums.ENUM_E_MACHINE["EM_ARM"]
    assert (ARCH.elf_class, ARCH.endian, ARCH.elf_machine) == (1, "<", machine)
    assert (ARCH.text_base, ARCH.abi_internal, ARCH.rela) == (0x11000, 0, False)
    assert ARCH.elf_flags >> 24 == 5, "version of the EABI"


def test_addmoduledata_stub_is_well_formed() -> None:
    """The word is counted from the pc of the addition, two instructions on."""
    words = np.frombuffer(ADDMODULEDATA.code, "<u4").tolist()
    assert words == [0xE59F0004, 0xE08F0000, B, 0]
    call, word = ADDMODULEDATA.relocs
    assert (call.add, words[call.offset // 4]) == (B, B)
    # The load is of pc + 4, from instruction 0; the pc of the addition is its own place and 8.
    assert word.offset == 0 + 8 + 4
    assert word.add - 4 == word.offset - (4 + 8)


@pytest.mark.parametrize("dynlink", [False, True])
@pytest.mark.parametrize("offset", [0, 8, 0x3FC])
def test_trampolines(dynlink: bool, offset: int) -> None:
    """What they load lies right behind them, and the offset is added where it is not in that."""
    stub = TRAMPOLINES.write(offset, False, dynlink, dynlink)
    words = np.frombuffer(stub.code, "<u4").tolist()
    (reloc,) = stub.relocs
    assert reloc.offset == len(stub.code) - 4
    assert words[-2] == 0xE12FFF1C  # bx r12
    # ldr r12, [pc, #n]
    assert words[0] & ~0xFFF == 0xE59FC000
    assert 8 + (words[0] & 0xFFF) == reloc.offset
    if dynlink:
        # What is loaded is the distance from the pc of the addition, at 4 + 8, on.
        assert (reloc.type, reloc.add - 4) == (rt.R_GOTPCREL, reloc.offset - 12)
        added = [word for word in words if word >> 12 == 0xE28CC]
        operand = (added or [0])[0] & 0xFFF
        turn = 2 * (operand >> 8)
        value = operand & 0xFF
        assert (value >> turn | value << 32 - turn) & 0xFFFFFFFF == offset
    else:
        assert (reloc.type, reloc.add) == (rt.R_ADDR, offset)


@pytest.mark.parametrize("offset", [0, 8, 0x10001])
def test_trampolines_that_may_lie_anywhere(offset: int) -> None:
    """They jump by a distance; where another module may define the target, its entry in the global
    offset table says where."""
    stub = TRAMPOLINES.write(offset, False, False, True)
    # ldr r12, [pc, #4]; add r12, pc, r12; bx r12
    assert np.frombuffer(stub.code, "<u4").tolist() == [0xE59FC004, 0xE08FC00C, 0xE12FFF1C, 0]
    (reloc,) = stub.relocs
    # The load is of the word at 0 + 8 + 4; the pc of the addition is 4 + 8, and R_PCREL counts from
    # the end of the word, 16.
    assert (reloc.type, reloc.offset) == (rt.R_PCREL, 12)
    assert reloc.add - 16 == offset - (4 + 8)
    imported = TRAMPOLINES.write(0, True, False, True)
    assert imported.relocs[0].type == rt.R_GOTPCREL


def test_an_offset_that_no_instruction_can_add() -> None:
    with pytest.raises(ValueError, match="odd offset"):
        TRAMPOLINES.write(0x10001, False, True, True)
    assert TRAMPOLINES.write(0x10001, False, False, False).relocs[0].add == 0x10001


def test_calls_of_trampolines() -> None:
    """They lead to its start, whatever they led to before."""
    assert TRAMPOLINES.call(0xEB000005) == BL
    assert TRAMPOLINES.offset(0xEB000005) == 28
    assert TRAMPOLINES.label(TRAMPOLINES.offset(BL)) == "+0"


def test_the_reach_of_calls() -> None:
    """24 bits of instructions; host linkers do not count the addend."""
    edge = 1 << 25
    assert [TRAMPOLINES.far(d, BL, True) for d in (edge - 4, edge, 4 - edge, -edge)] == [
        False,
        True,
        False,
        True,
    ]
    assert not TRAMPOLINES.far(edge, BL, False)
    assert TRAMPOLINES.far(edge + 8, BL, False)
    assert [TRAMPOLINES.near(d) for d in (edge, edge + 8, 8 - edge)] == [True, False, True]


@pytest.mark.parametrize(
    ("given_", "told"),
    [("5", "5,softfloat"), ("6", "6,hardfloat"), ("7", "7,hardfloat"), ("5,hardfloat",) * 2],
)
def test_versions(given_: str, told: str) -> None:
    assert spelled(given_) == told


@pytest.mark.parametrize("text", ["", "8", "7,", "7,neon", "7,softfloat,hardfloat"])
def test_no_versions(text: str) -> None:
    with pytest.raises(ValueError, match="invalid GOARM"):
        spelled(text)


def test_what_the_runtime_is_told() -> None:
    assert runtime_variables("6,softfloat") == {
        "runtime.goarm": b"\6",
        "runtime.goarmsoftfp": b"\1",
    }


def program(mode: Mode) -> Tiny:
    """A function that calls and jumps to another."""
    p = Tiny(mode, ARCH)
    f = p.symbol("main.f", kind=SymKind.STEXT, content=bytes(16))
    g = p.symbol("main.g", kind=SymKind.STEXT, content=bytes(16))
    p.section(".text", 0x1000, [f, g], rwx=5)
    p.reloc(f, R_CALLARM, g, offset=4, add=BL)
    p.reloc(f, R_CALLARM, g, offset=8, add=B + 1 & 0xFFFFFFFF)
    return p


def test_objects_say_whether_it_is_a_call_or_a_jump() -> None:
    """By the instruction, which keeps the distance that the host linker adds."""
    link = relocate(program(EXTERNAL).link())
    out = link.external_relocs
    assert (out.type.tolist(), out.offset.tolist()) == ([28, 29], [4, 8])
    assert link.image[4100:4108].view("<u4").tolist() == [BL, B + 1]


def test_a_call_that_is_too_far_is_refused() -> None:
    p = program(INTERNAL)
    far = p.symbol("main.far", kind=SymKind.STEXT, content=bytes(4))
    p.section(".text", 0x1000 + (1 << 25) + 0x1000, [far], rwx=5)
    p.reloc(p.text[0], R_CALLARM, far, offset=12, add=BL)
    with pytest.raises(LinkErrors) as raised:
        relocate(p.link())
    assert "program too large, call relocation distance" in raised.value.errors[0].headline()


def test_numbers_are_those_of_the_toolchains_source() -> None:
    assert has(ARCH) == said("arm", "arm")


def attributes(*pairs: int, name: bytes = b"aeabi\0") -> bytes:
    """A section .ARM.attributes with tags and values of the file."""
    body = bytes(pairs)
    body = b"\x01" + (5 + len(body)).to_bytes(4, "little") + body
    return b"A" + (4 + len(name) + len(body)).to_bytes(4, "little") + name + body


@pytest.mark.parametrize(
    ("contents", "flags"),
    [
        ([attributes(28, 1)], 0x5000402),
        ([attributes(6, 10, 28, 0)], 0x5000202),
        ([b"A"], 0x5000202),
        ([attributes(6, 10), attributes(5, 55, 0, 32, 1, 65, 0, 28, 1), attributes()], 0x5000402),
        ([attributes(28, 1, name=b"gnu\0")], 0x5000202),
    ],
)
def test_objects_of_arm_say_how_numbers_are_passed(contents: list[bytes], flags: int) -> None:
    """In registers, if one does; else not, if one says anything."""
    found = 0x5000002
    for content in contents:
        found = header_flags(found, content)
    assert found == flags


@given(st.integers(0, 24), st.integers(0, 255))
def test_what_objects_of_arm_say_may_be_damaged(at: int, value: int) -> None:
    data = bytearray(attributes(5, 55, 0, 67, 1, 0, 28, 1))
    data[at % len(data)] = value
    for content in (bytes(data), bytes(data[:at])):
        with suppress(ValueError):
            header_flags(0x5000002, content)
