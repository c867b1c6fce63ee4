"""riscv64: the 64-bit base with the extensions that Linux asks for (RVA20), little-endian.

An address takes two instructions: auipc adds the upper twenty bits of a distance to its own
address, and the next one (addi, a load, a store, jalr) the lower twelve, which are signed, so the
upper part is rounded. One relocation of eight bytes patches the pair (``R_RISCV_PCREL_ITYPE``,
``R_RISCV_PCREL_STYPE`` where the second one stores, ``R_RISCV_CALL``). It becomes two ELF
relocations, and the second one names no target: it names the place of the first, which therefore
needs a symbol in the object (`ElfType.label`).

``jal`` reaches a megabyte, less than most programs are large, so trampolines are laid out always.
A call whose target has no address yet is led to one, and back once it turns out to be near
(`Trampolines.unsure`).

C compilers have a relocation for each of the two instructions, which need not stand side by side;
that of the lower half names the place of the upper one, as in objects. It is made one that knows
the way back to there.

The linker's own instructions with the halves of an address apart are like that from the start.

psABI: https://github.com/riscv-non-isa/riscv-elf-psabi-doc. Constants:
cmd/link/internal/riscv64/{l,obj,asm}.go, cmd/internal/obj/riscv/cpu.go and
cmd/internal/sys/arch.go.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np

from linkpipe import reloctype as rt
from linkpipe.arch import Architecture, Setting, Stub, StubReloc, Trampolines
from linkpipe.arrays.image import get_words
from linkpipe.arrays.types import I64
from linkpipe.linkage import HostReloc, Linkage, Reach
from linkpipe.relockind import ElfRule, ElfType, Kernel, Places, RelocKind, with_elf
from linkpipe.values import evolve

R_RISCV_32 = 1
R_RISCV_64 = 2
R_RISCV_JUMP_SLOT = 5
R_RISCV_JAL = 17
R_RISCV_GOT_HI20 = 20
R_RISCV_TLS_GOT_HI20 = 21
R_RISCV_PCREL_HI20 = 23
R_RISCV_PCREL_LO12_I = 24
R_RISCV_PCREL_LO12_S = 25
R_RISCV_TPREL_HI20 = 29
R_RISCV_TPREL_LO12_I = 30

# cmd/internal/objabi/reloctype.go.
GO_JAL = 59
GO_JAL_TRAMP = 60
GO_CALL = 61
GO_PCREL_ITYPE = 62
GO_PCREL_STYPE = 63
GO_TLS_IE = 64
GO_TLS_LE = 65
GO_GOT_HI20 = 66
GO_GOT_PCREL_ITYPE = 67
GO_PCREL_HI20 = 68
GO_PCREL_LO12_I = 69
GO_PCREL_LO12_S = 70
GO_BRANCH = 71
GO_ADD32 = 72
GO_SUB32 = 73
GO_RVC_BRANCH = 74
GO_RVC_JUMP = 75

_JUMP_REACH, _PAIR_REACH = 1 << 20, 1 << 31
_KEPT_U, _KEPT_I, _KEPT_S = 0xFFF, 0xFFFFF, 0x1FFF07F
"""Bits of an instruction that are not its operand, by its format."""


def _instructions(p: Places, width: int) -> I64:
    """What stands at the places: one instruction, or two with the first one in the lower half."""
    words: I64 = get_words(p.image, p.at, width, "<").astype(np.uint64).view(np.int64)
    return words


def _upper(distance: I64) -> I64:
    """The operand of auipc and lui, in place."""
    return distance + 0x800 & 0xFFFFF000


def _lower_load(distance: I64) -> I64:
    """The lower half in instructions that do not store, in place."""
    return (distance & 0xFFF) << 20


def _lower_store(distance: I64) -> I64:
    """The lower half in stores, in place."""
    return (distance >> 5 & 0x7F) << 25 | (distance & 0x1F) << 7


def _way(p: Places) -> I64:
    return p.S + p.A - p.P


def _half(kept: int, operand: Callable[[I64], I64]) -> Kernel:
    """An instruction with a half of the distance."""
    return lambda p: _instructions(p, 4) & kept | operand(_way(p))


_high, _low = _half(_KEPT_U, _upper), _half(_KEPT_I, _lower_load)
_low_store = _half(_KEPT_S, _lower_store)


def _pair_of(p: Places, number: I64, kept: int, lower: Callable[[I64], I64]) -> I64:
    """Two instructions with the halves of a number."""
    words = _instructions(p, 8)
    return words & _KEPT_U | _upper(number) | (words >> 32 & kept | lower(number)) << 32


def _pair(p: Places) -> I64:
    return _pair_of(p, _way(p), _KEPT_I, _lower_load)


def _store_pair(p: Places) -> I64:
    return _pair_of(p, _way(p), _KEPT_S, _lower_store)


def _thread(p: Places) -> I64:
    """lui, addiw: the runtime's word is where the thread pointer points."""
    return _pair_of(p, p.A, _KEPT_I, _lower_load)


def _scattered(width: int, *fields: tuple[int, int, int]) -> Kernel:
    """The distance in pieces: ``(low, count, to)`` puts ``count`` of its bits, from bit ``low`` on,
    to bit ``to`` of the instruction."""
    kept = ~sum((1 << count) - 1 << to for _, count, to in fields)

    def value(p: Places) -> I64:
        distance, word = _way(p), _instructions(p, width) & kept
        for low, count, to in fields:
            word |= (distance >> low & (1 << count) - 1) << to
        return word

    return value


# By the unprivileged manual: jal; beq and the like; c.beqz and c.bnez; c.j.
_jump = _scattered(4, (20, 1, 31), (1, 10, 21), (11, 1, 20), (12, 8, 12))
_branch = _scattered(4, (12, 1, 31), (5, 6, 25), (1, 4, 8), (11, 1, 7))
_short_branch = _scattered(2, (8, 1, 12), (3, 2, 10), (6, 2, 5), (1, 2, 3), (5, 1, 2))
_short_jump = _scattered(
    2, (11, 1, 12), (4, 1, 11), (8, 2, 9), (10, 1, 8), (6, 1, 7), (7, 1, 6), (1, 3, 3), (5, 1, 2)
)


def _sum(sign: int) -> Kernel:
    """What stands at the place, and an address or one less."""

    def value(p: Places) -> I64:
        return _instructions(p, 4) + sign * (p.S + p.A) & 0xFFFFFFFF

    return value


def _two(first: int, second: int = R_RISCV_PCREL_LO12_I) -> ElfRule:
    """A pair of instructions; what is in them stays."""
    types = (ElfType(first), ElfType(second, offset=4, label=True))
    return ElfRule({8: types}, untouched=True)


def _pair_kind(name: str, value: Kernel, low: int = R_RISCV_PCREL_LO12_I) -> RelocKind:
    return RelocKind(name, "S + A - P", value, elf=_two(R_RISCV_PCREL_HI20, low), reach=_PAIR_REACH)


def _apart(name: str, value: Kernel, reach: int | None = None, low_bits: int = 0) -> RelocKind:
    """An instruction of its own, none of Go's."""
    return RelocKind(name, "S + A - P", value, reach=reach, low_bits=low_bits, own=True)


_ADDRESS = {4: (ElfType(R_RISCV_32),), 8: (ElfType(R_RISCV_64),)}
_THREAD = (ElfType(R_RISCV_TPREL_HI20), ElfType(R_RISCV_TPREL_LO12_I, offset=4))

_JAL = RelocKind(
    "R_RISCV_JAL",
    "S + A - P",
    _jump,
    elf=ElfRule({4: (ElfType(R_RISCV_JAL),)}, untouched=True),
    reach=_JUMP_REACH,
    low_bits=1,
)

RELOCS = MappingProxyType(
    {
        **with_elf(
            {
                rt.R_ADDR: ElfRule(_ADDRESS, stored=True),
                rt.R_DWARFSECREF: ElfRule(_ADDRESS, section_relative=True, stored=True),
            }
        ),
        GO_JAL: _JAL,
        GO_JAL_TRAMP: evolve(_JAL, name="R_RISCV_JAL_TRAMP", shortcut=True),
        GO_CALL: _pair_kind("R_RISCV_CALL", _pair),
        GO_PCREL_ITYPE: _pair_kind("R_RISCV_PCREL_ITYPE", _pair),
        GO_PCREL_STYPE: _pair_kind("R_RISCV_PCREL_STYPE", _store_pair, R_RISCV_PCREL_LO12_S),
        GO_GOT_PCREL_ITYPE: RelocKind(
            "R_RISCV_GOT_PCREL_ITYPE", "GOT(S) - P", None, elf=_two(R_RISCV_GOT_HI20)
        ),
        GO_TLS_IE: RelocKind(
            "R_RISCV_TLS_IE", "GOT(TLS) - P", None, elf=_two(R_RISCV_TLS_GOT_HI20), hosted=True
        ),
        GO_TLS_LE: RelocKind(
            "R_RISCV_TLS_LE",
            "A",
            _thread,
            elf=ElfRule({8: _THREAD}, untouched=True),
            reach=_PAIR_REACH,
            reaches=lambda p: p.A,
        ),
        # In .plt and in C objects alone: what Go and assembly compile to has pairs.
        GO_PCREL_HI20: _apart("R_RISCV_PCREL_HI20", _high, _PAIR_REACH),
        GO_GOT_HI20: _apart("R_RISCV_GOT_HI20", _high, _PAIR_REACH),
        GO_PCREL_LO12_I: _apart("R_RISCV_PCREL_LO12_I", _low),
        GO_PCREL_LO12_S: _apart("R_RISCV_PCREL_LO12_S", _low_store),
        GO_BRANCH: _apart("R_RISCV_BRANCH", _branch, 1 << 12, 1),
        GO_RVC_BRANCH: _apart("R_RISCV_RVC_BRANCH", _short_branch, 1 << 8, 1),
        GO_RVC_JUMP: _apart("R_RISCV_RVC_JUMP", _short_jump, 1 << 11, 1),
        GO_ADD32: RelocKind("R_RISCV_ADD32", "V + S + A", _sum(1), own=True),
        GO_SUB32: RelocKind("R_RISCV_SUB32", "V - S - A", _sum(-1), own=True),
    }
)

ADDMODULEDATA = Stub(
    b"\x17\x05\0\0"  # auipc a0, moduledata
    b"\x13\x05\x05\0"  # addi a0, a0, moduledata
    b"\x6f\0\0\0",  # j runtime.addmoduledata
    (
        StubReloc(0, 8, GO_PCREL_ITYPE, "moduledata"),
        StubReloc(8, 4, GO_JAL, "addmoduledata"),
    ),
)


def _trampoline(offset: int, imported: bool, dynlink: bool, pic: bool) -> Stub:
    """Jump by way of the register t6, the same wherever the target is."""
    # auipc t6; jr t6
    return Stub(b"\x97\x0f\0\0\x67\x80\x0f\0", (StubReloc(0, 8, GO_CALL, "", offset),))


TRAMPOLINES = Trampolines(
    limit=1,
    size=8,
    far=lambda distance, add, external: not -_JUMP_REACH <= distance + add < _JUMP_REACH,
    near=lambda distance: -_JUMP_REACH <= distance < _JUMP_REACH,
    offset=lambda add: add,
    label=lambda offset: f"{offset:+x}" if offset else "",
    call=lambda add: 0,
    write=_trampoline,
    calls=frozenset({GO_JAL}),
    unsure=GO_JAL_TRAMP,
)


def _entry(at: int, slot: int, record: int) -> Stub:
    """Jump to what the slot says, the address of which is left in t3, that behind it in t1."""
    return Stub(
        b"\x17\x0e\0\0"  # auipc t3, slot
        b"\x03\x3e\x0e\0"  # ld t3, slot(t3)
        b"\x67\x03\x0e\0"  # jalr t1, t3
        b"\x01\0\0\0",  # nop, and two bytes that the oracle has, too
        (StubReloc(0, 8, GO_PCREL_ITYPE, ".got.plt", slot),),
    )


_CALL, _SLOT = Reach(".plt"), Reach(".got")
_IN_CALL = "unknown symbol {} in RISCV call"
# Read, and refused where they are needed: number, name and width.
_REFUSED = (
    *((1, "32", 4), (26, "HI20", 4), (27, "LO12_I", 4), (28, "LO12_S", 4), (37, "SUB8", 1)),
    *((38, "SUB16", 2), (52, "SUB6", 1), (53, "SET6", 1), (54, "SET8", 1), (55, "SET16", 2)),
    (56, "SET32", 4),
)
HOST = {
    **{n: HostReloc(f"R_RISCV_{name}", width, None) for n, name, width in _REFUSED},
    2: HostReloc("R_RISCV_64", 8, rt.R_ADDR),
    16: HostReloc("R_RISCV_BRANCH", 4, GO_BRANCH),
    17: HostReloc("R_RISCV_JAL", 4, GO_JAL),
    18: HostReloc("R_RISCV_CALL", 8, GO_CALL, 0, _CALL, undefined=_IN_CALL),
    19: HostReloc("R_RISCV_CALL_PLT", 8, GO_CALL, 0, _CALL, undefined=_IN_CALL),
    20: HostReloc("R_RISCV_GOT_HI20", 4, GO_GOT_HI20, 0, _SLOT, slot=True, half="high"),
    23: HostReloc("R_RISCV_PCREL_HI20", 4, GO_PCREL_HI20, half="high"),
    24: HostReloc("R_RISCV_PCREL_LO12_I", 4, GO_PCREL_LO12_I, half="low"),
    25: HostReloc("R_RISCV_PCREL_LO12_S", 4, GO_PCREL_LO12_S, half="low"),
    35: HostReloc("R_RISCV_ADD32", 4, GO_ADD32),
    39: HostReloc("R_RISCV_SUB32", 4, GO_SUB32),
    44: HostReloc("R_RISCV_RVC_BRANCH", 2, GO_RVC_BRANCH),
    45: HostReloc("R_RISCV_RVC_JUMP", 2, GO_RVC_JUMP),
    51: HostReloc("R_RISCV_RELAX", 4, rt.R_HOST),
    # Four bytes short, as the oracle has it.
    57: HostReloc("R_RISCV_32_PCREL", 4, rt.R_PCREL),
}
_MUSL = "/lib/ld-musl-riscv64.so.1"
LINKAGE = Linkage(
    interpreters=("/lib/ld-linux-riscv64-lp64d.so.1", _MUSL),
    jump_slot=R_RISCV_JUMP_SLOT,
    glob_dat=R_RISCV_64,
    first=Stub(
        b"\x97\x03\0\0"  # auipc t2, .got.plt
        b"\x33\x03\xc3\x41"  # sub t1, t1, t3
        b"\x03\xbe\x03\0"  # ld t3, .got.plt(t2)
        b"\x13\x03\x43\xfd"  # addi t1, t1, -44
        b"\x93\x82\x03\0"  # addi t0, t2, .got.plt
        b"\x13\x53\x13\0"  # srli t1, t1, 1
        b"\x83\xb2\x82\0"  # ld t0, 8(t0)
        b"\x02\x8e\0\0",  # jr t3, as the oracle has it
        (
            StubReloc(0, 4, GO_PCREL_HI20, ".got.plt"),
            StubReloc(8, 4, GO_PCREL_LO12_I, ".got.plt", 8),
            StubReloc(16, 4, GO_PCREL_LO12_I, ".got.plt", 16),
        ),
    ),
    reserved=(".dynamic", 0),
    entry=_entry,
    lazy=lambda at: 0,
    entsize=4,
    in_text={GO_CALL: Reach(".plt", whole=True)},
    in_data={},
    host=HOST,
    labels=(b".L",),
)

_LEVELS = ("rva20u64", "rva22u64", "rva23u64")


def _profiles(*known: str, noted: bool = True) -> Setting:
    """The setting, for a release that knows these profiles; whether objects note which one."""

    def spelled(text: str) -> str:
        if text not in known:
            raise ValueError(f"invalid GORISCV64: must be {', '.join(known)}")
        return text if noted else ""

    return Setting("GORISCV64", known[0], spelled, known)


_BUILD_MODES = frozenset({"exe", "pie", "c-archive", "c-shared", "plugin"})
_LD_SO = ("/lib/ld.so.1", _MUSL)
# What the oracle does not carry out yet: data with addresses, tables of jumps.
_UNWRITTEN = ("R_RISCV_64", "R_RISCV_ADD32", "R_RISCV_SUB32", "R_RISCV_32_PCREL")
_OLD_HOST = {
    number: evolve(reloc, type=None) if reloc.name in _UNWRITTEN else reloc
    for number, reloc in HOST.items()
    if reloc.name != "R_RISCV_JAL"
}
_BEFORE_127 = {"linkage": evolve(LINKAGE, interpreters=_LD_SO)}
_BEFORE_126 = {
    "linkage": evolve(LINKAGE, interpreters=_LD_SO, host=_OLD_HOST),
    "pc_quantum": 4,
    "setting": _profiles(*_LEVELS, noted=False),
}

ARCH = Architecture(
    name="riscv64",
    goarch="riscv64",
    ptrsize=8,
    byteorder="little",
    func_align=8,
    max_align=32,
    min_align=1,
    pc_quantum=2,
    code_pad=b"\0",
    text_base=0x10000 + 4096,
    round=0x10000,
    elf_machine=243,
    elf_flags=4,  # floating-point numbers are passed in registers of double precision
    dwarf_sp=2,
    dwarf_lr=1,
    regabi=True,
    has_lr=True,
    relocs=RELOCS,
    calls=frozenset({GO_JAL, GO_JAL_TRAMP, GO_CALL}),
    addmoduledata=ADDMODULEDATA,
    linkage=LINKAGE,
    trampolines=TRAMPOLINES,
    load_align=8,
    build_modes=_BUILD_MODES,
    internal_pie=False,
    setting=_profiles(*_LEVELS),
    at_release={
        "1.24": {
            **_BEFORE_126,
            "build_modes": _BUILD_MODES - {"plugin"},
            "addmoduledata": None,
            "setting": _profiles(*_LEVELS[:2], noted=False),
            "off_by_default": frozenset({"spinbitmutex"}),
        },
        "1.25": _BEFORE_126,
        "1.26": _BEFORE_127,
    },
)
