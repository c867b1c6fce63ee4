"""The tables of dynamically linked executables: numbers, names and code, for each architecture."""

from __future__ import annotations

import re

import attrs
import numpy as np
import pytest
from elftools.elf import enums

from linkpipe import reloctype as rt
from linkpipe.arch import Architecture
from linkpipe.arches import amd64, arm, arm64, riscv64, s390x, x86
from linkpipe.linkage import Linkage, Reach
from linkpipe.relockind import Places
from tests.arches.gosource import elf_numbers, widths
from tests.conformance.toolchain import goroot

ARCHES = [amd64.ARCH, x86.ARCH, arm.ARCH, arm64.ARCH, riscv64.ARCH, s390x.ARCH]
NUMBERS = {
    "amd64": ("X86_64", enums.ENUM_RELOC_TYPE_x64, "JUMP_SLOT"),
    "386": ("386", enums.ENUM_RELOC_TYPE_i386, "JUMP_SLOT"),
    "arm": ("ARM", enums.ENUM_RELOC_TYPE_ARM, "JUMP_SLOT"),
    "arm64": ("AARCH64", enums.ENUM_RELOC_TYPE_AARCH64, "JUMP_SLOT"),
    "riscv64": ("RISCV", elf_numbers("RISCV"), "JUMP_SLOT"),
    "s390x": ("390", enums.ENUM_RELOC_TYPE_S390X, "JMP_SLOT"),
}
FOLDERS = {"386": "x86"}


def linkage(arch: Architecture) -> Linkage:
    assert arch.linkage is not None
    return arch.linkage


@pytest.mark.parametrize("arch", ARCHES, ids=lambda arch: arch.name)
def test_numbers_of_dynamic_relocations(arch: Architecture) -> None:
    """As others know them."""
    name, known, slot = NUMBERS[arch.name]
    found = linkage(arch)
    assert found.jump_slot == known[f"R_{name}_{slot}"]
    # On riscv64 the one for addresses serves for slots, too.
    assert found.glob_dat == known.get(f"R_{name}_GLOB_DAT", known.get(f"R_{name}_64"))
    assert (found.relative is None) == (not arch.internal_pie)
    if found.relative is not None:
        assert found.relative == known[f"R_{name}_RELATIVE"]


@pytest.mark.parametrize("arch", ARCHES, ids=lambda arch: arch.name)
def test_names_of_dynamic_linkers(arch: Architecture) -> None:
    """As the oracle has them: that of GNU's C library, and musl's."""
    folder = goroot() / "src" / "cmd" / "link" / "internal" / FOLDERS.get(arch.name, arch.name)
    found = re.findall(r'Linuxdynld(Musl)?: +"(.*)"', (folder / "obj.go").read_text())
    usual, musl = linkage(arch).interpreters
    assert dict(found) == {"": usual, "Musl": musl}


@pytest.mark.parametrize(
    ("there", "named"), [("", 0), ("usual", 0), ("musl", 1), ("usual musl", 0)]
)
def test_musl_is_named_where_there_is_no_other(
    there: str, named: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = attrs.evolve(linkage(amd64.ARCH), interpreters=("usual", "musl"))
    monkeypatch.setattr("os.path.exists", lambda path: path in there.split())
    assert found.interpreter() == found.interpreters[named]


def test_what_is_left_to_the_dynamic_linker_has_a_relocation() -> None:
    with pytest.raises(ValueError, match="takes `absolute`"):
        attrs.evolve(linkage(x86.ARCH), absolute=None)
    with pytest.raises(ValueError, match=f"type {rt.R_ADDR} "):
        attrs.evolve(linkage(x86.ARCH), in_data={rt.R_ADDR: Reach("place")})


@pytest.mark.parametrize("arch", ARCHES, ids=lambda arch: arch.name)
def test_relocations_of_entries_can_be_applied(arch: Architecture) -> None:
    """Every one lies in the code and is of a kind that the architecture has."""
    found = linkage(arch)
    for stub in (found.first, found.entry(32, 24, 0)):
        assert stub.relocs
        for reloc in stub.relocs:
            assert reloc.offset + reloc.size <= len(stub.code)
            assert arch.relocs[reloc.type].value is not None
            assert reloc.target == ".got.plt"


LINK_C = [arch for arch in ARCHES if linkage(arch).host]


@pytest.mark.parametrize("arch", LINK_C, ids=lambda arch: arch.name)
def test_relocations_of_c_objects(arch: Architecture) -> None:
    """All that the oracle reads, each with its number in the psABI and the bytes that it patches;
    what it becomes is of a kind that the architecture can apply."""
    name = NUMBERS[arch.name][0]
    numbers = elf_numbers(name)
    host = linkage(arch).host
    assert {reloc.name: reloc.width for reloc in host.values()} == widths(name)
    for number, reloc in host.items():
        assert numbers[reloc.name] == number
        for type_ in (reloc.type, *(rule.type for rule in reloc.rewrites)):
            assert type_ in (None, rt.R_HOST) or arch.relocs[type_].value is not None
    led = arch.trampolines.host if arch.trampolines else frozenset()
    assert all(host[number].call for number in led)


@pytest.mark.parametrize("arch", [amd64.ARCH, x86.ARCH], ids=lambda arch: arch.name)
def test_an_entry_asks_the_dynamic_linker(arch: Architecture) -> None:
    """It pushes the number of its relocation (386: its place) and jumps to the start of .plt; that
    is where its slot leads at first."""
    found = linkage(arch)
    size = 24 if arch.rela else 8
    at, code = 48, found.entry(48, 40, 2 * size).code
    assert found.lazy(at) == at + 6
    assert code[6:7] == b"\x68"
    assert int.from_bytes(code[7:11], "little") == (2 if arch.rela else 2 * size)
    assert code[11:12] == b"\xe9"
    assert at + 16 + int.from_bytes(code[12:16], "little", signed=True) == 0


def test_an_entry_asks_the_dynamic_linker_on_s390x() -> None:
    at, code = 64, linkage(s390x.ARCH).entry(64, 32, 48).code
    assert code[22:24] == b"\xc0\xf4"
    assert at + 22 + 2 * int.from_bytes(code[24:28], "big", signed=True) == 0
    assert int.from_bytes(code[28:32], "big") == 48
    assert linkage(s390x.ARCH).lazy(at) == at + 14


@pytest.mark.parametrize(("place", "slot"), [(0x10000, 0x20ABC), (0x12344, 0xABCDEF0)])
def test_an_entry_of_arm_adds_the_way_in_three_parts(place: int, slot: int) -> None:
    """Two additions and a load from the program counter, two instructions ahead, on."""
    stub = linkage(arm.ARCH).entry(0, 0, 0)
    ip = place + 8
    for number, (reloc, opcode, shift) in enumerate(
        zip(stub.relocs, (0xE28FC600, 0xE28CCA00, 0xE5BCF000), (20, 12, 0), strict=True)
    ):
        at = np.zeros(1, np.int64)
        p, s, a = (np.array([x], np.int64) for x in (place + 4 * number, slot, reloc.add))
        value = arm.RELOCS[reloc.type].value
        assert value is not None
        word = int(value(Places(np.zeros(4, np.uint8), at, p, s, a, at, at, 4, 0, 0))[0])
        assert word & ~0xFFF == opcode & ~0xFFF
        ip += (word & (0xFF if shift else 0xFFF)) << shift
    assert ip == slot


def test_calls_of_arm_keep_their_condition() -> None:
    """The distance to an entry is added in instructions; the opcode stays."""
    reach = linkage(arm.ARCH).in_text[arm.R_CALLARM]
    assert reach.addend(0xEBFFFFFE, 20 + 12) == 0xEB000006


def test_words_of_arm_data_hold_the_address() -> None:
    for arch in (arm.ARCH, x86.ARCH):
        reach = linkage(arch).in_data[rt.R_ADDR]
        assert (reach.by, reach.type) == ("place", rt.R_CONST)


def test_an_entry_of_arm64_reads_the_slot() -> None:
    """adrp and ldr as one pair, and the offset in the page once more."""
    stub = linkage(arm64.ARCH).entry(0, 24, 0)
    image = np.frombuffer(stub.code, np.uint8).copy()
    place, table = 0x401000, 0x512F08
    for reloc in stub.relocs:
        p, s, a = (np.array([x], np.int64) for x in (place + reloc.offset, table, reloc.add))
        at = np.array([reloc.offset])
        kind = arm64.RELOCS[reloc.type].value
        assert kind is not None
        value = int(kind(Places(image, at, p, s, a, s, s, reloc.size, 0, 0))[0])
        raw = (value % (1 << 8 * reloc.size)).to_bytes(reloc.size, "little")
        image[reloc.offset : reloc.offset + reloc.size] = np.frombuffer(raw, np.uint8)
    adrp, ldr, add, _ = np.frombuffer(image.tobytes(), "<u4").tolist()
    slot = table + 24
    pages = (adrp >> 5 & 0x7FFFF) << 2 | adrp >> 29 & 3
    assert (place & ~0xFFF) + (pages << 12) == slot & ~0xFFF
    assert (ldr >> 10 & 0xFFF) * 8 == slot & 0xFFF
    assert add >> 10 & 0xFFF == slot & 0xFFF


def thread_local(arch: Architecture, number: int, code: bytes, at: int) -> tuple[bytes, bool]:
    """Code whose thread-local load, with its field at an offset, was made another instruction."""
    kind = arch.relocs[number]
    image = np.frombuffer(code, np.uint8).copy()
    zero, place = np.zeros(1, np.int64), np.array([at])
    width = 8 if number == arm64.R_ARM64_TLS_IE else 4
    places = Places(image, place, zero, zero, zero, zero, zero, width, arch.tls_offset, 0)
    assert kind.prepare is not None
    assert kind.value is not None
    good = bool(kind.prepare(places)[0])
    value = int(kind.value(places)[0]) % (1 << 8 * width)
    image[at : at + width] = np.frombuffer(value.to_bytes(width, arch.byteorder), np.uint8)
    return image.tobytes(), good


@pytest.mark.parametrize(
    ("load", "constant"),
    [
        ("488b0d", "48c7c1"),  # mov slot(%rip), %rcx
        ("4c8b05", "49c7c0"),  # mov slot(%rip), %r8
        ("448b05", "41c7c0"),  # mov slot(%rip), %r8d
    ],
)
def test_a_thread_local_load_of_amd64_becomes_a_constant(load: str, constant: str) -> None:
    code, good = thread_local(amd64.ARCH, rt.R_TLS_IE, bytes.fromhex(load) + bytes(4), 3)
    assert good
    assert code == bytes.fromhex(constant + "f8ffffff")


def test_a_thread_local_load_of_s390x_becomes_a_constant() -> None:
    """larl %r11; lg %r11, 0(%r11) becomes lgfi %r11 and nops."""
    load = bytes.fromhex("c0b0 00000000 e3b0b0000004")
    code, good = thread_local(s390x.ARCH, rt.R_TLS_IE, load, 2)
    assert good
    assert code == bytes.fromhex("c0b1 fffffff8 070007000700")


def test_a_thread_local_load_of_arm64_becomes_a_constant() -> None:
    """adrp x27; ldr x27 becomes movz and movk with the distance, 16."""
    load = bytes.fromhex("1b000090 7b0340f9")
    code, good = thread_local(arm64.ARCH, arm64.R_ARM64_TLS_IE, load, 0)
    assert good
    assert code == bytes.fromhex("1b00a0d2 1b0280f2")


@pytest.mark.parametrize(
    ("arch", "number", "code", "at", "said"),
    [
        (amd64.ARCH, rt.R_TLS_IE, "48030d00000000", 3, "MOVQ, got [72 3 13]"),  # add
        (s390x.ARCH, rt.R_TLS_IE, "c0b500000000e3b0b0000004", 2, "LARL instruction: c0 b5"),
    ],
)
def test_other_instructions_are_left_and_refused(
    arch: Architecture, number: int, code: str, at: int, said: str
) -> None:
    kind = arch.relocs[number]
    image = np.frombuffer(bytes.fromhex(code), np.uint8).copy()
    zero = np.zeros(1, np.int64)
    places = Places(image, np.array([at]), zero, zero, zero, zero, zero, 4, -8, 0)
    assert kind.prepare is not None
    assert not kind.prepare(places)[0]
    assert image.tobytes() == bytes.fromhex(code)
    assert kind.refusal.format(image[:at].tobytes()).endswith(said)


def test_a_thread_local_distance_of_arm64_is_limited() -> None:
    """It is a value that is wrong, not an instruction."""
    kind = arm64.RELOCS[arm64.R_ARM64_TLS_IE]
    at, distance = np.zeros(3, np.int64), np.array([0, 32678, 2])
    places = Places(np.zeros(8, np.uint8), at, at, distance - 16, at, at, at, 8, -8, 0)
    assert kind.prepare is not None
    assert kind.prepare(places).tolist() == [True, False, False]
    assert (kind.around, kind.refusal) == ((0, 0), "TLS offset out of range")
