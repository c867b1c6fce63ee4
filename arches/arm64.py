"""arm64 (AArch64).

Every instruction is four bytes, so an address takes two: adrp adds the distance in pages of 4 KiB
to its own page, and an addition or a load adds the offset in the page. One relocation of eight
bytes patches the pair (``R_ADDRARM64``; ``R_ARM64_PCREL_LDST64`` and the like where the second one
loads or stores, with an offset in units of what it moves). It becomes two ELF relocations.

A call reaches 128 MiB. Calls that are farther, or may be because their target has no address yet,
go through a trampoline, which jumps through the register that the psABI keeps free for that.

psABI: https://github.com/ARM-software/abi-aa. Constants: cmd/link/internal/arm64/{l,obj,asm}.go
and cmd/internal/sys/arch.go.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np

from linkpipe import reloctype as rt
from linkpipe.arch import Architecture, Setting, Stub, StubReloc, Trampolines
from linkpipe.arrays.image import get_words
from linkpipe.arrays.types import I64, Bool
from linkpipe.linkage import HostReloc, Linkage, Reach
from linkpipe.relockind import ElfRule, ElfType, Kernel, Places, RelocKind, with_elf
from linkpipe.values import evolve

R_AARCH64_ABS64 = 257
R_AARCH64_ABS32 = 258
R_AARCH64_ADR_PREL_PG_HI21 = 275
R_AARCH64_ADD_ABS_LO12_NC = 277
R_AARCH64_LDST8_ABS_LO12_NC = 278
R_AARCH64_JUMP26 = 282
R_AARCH64_CALL26 = 283
R_AARCH64_LDST16_ABS_LO12_NC = 284
R_AARCH64_LDST32_ABS_LO12_NC = 285
R_AARCH64_LDST64_ABS_LO12_NC = 286
R_AARCH64_ADR_GOT_PAGE = 311
R_AARCH64_LD64_GOT_LO12_NC = 312
R_AARCH64_TLSIE_ADR_GOTTPREL_PAGE21 = 541
R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC = 542
R_AARCH64_TLSLE_MOVW_TPREL_G0 = 547
R_AARCH64_GLOB_DAT = 1025
R_AARCH64_JUMP_SLOT = 1026
R_AARCH64_RELATIVE = 1027

# cmd/internal/objabi/reloctype.go.
R_ADDRARM64 = 3
R_CALLARM64 = 9
R_ARM64_TLS_LE = 32
R_ARM64_TLS_IE = 33
R_ARM64_GOTPCREL = 34
R_ARM64_GOT = 35
R_ARM64_PCREL = 36
R_ARM64_PCREL_LDST8 = 37
R_ARM64_PCREL_LDST16 = 38
R_ARM64_PCREL_LDST32 = 39
R_ARM64_PCREL_LDST64 = 40
R_ARM64_LDST8 = 41
R_ARM64_LDST16 = 42
R_ARM64_LDST32 = 43
R_ARM64_LDST64 = 44
R_ARM64_LDST128 = 45

_THREAD_BLOCK = 16
"""Bytes from the thread pointer to thread-local data: two pointers."""
_CALL_REACH, _PAGE_REACH = 1 << 27, 1 << 32


def _instructions(p: Places, width: int) -> I64:
    """What stands at the places: one instruction, or two with the first one in the lower half."""
    words: I64 = get_words(p.image, p.at, width, "<").astype(np.uint64).view(np.int64)
    return words


def _pair(shift: int) -> Kernel:
    """adrp, and an instruction with the offset in the page in units of ``1 << shift``."""

    def value(p: Places) -> I64:
        t = p.S + p.A - (p.P & ~0xFFF)
        pages = t >> 12
        high = (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5
        low = ((t & 0xFFF) >> shift) << 10
        return _instructions(p, 8) | high | low << 32

    return value


def _offset(shift: int) -> Kernel:
    """The offset in the page, in units of ``1 << shift``."""

    def value(p: Places) -> I64:
        return _instructions(p, 4) | (p.S + p.A & 0xFFF) >> shift << 10

    return value


def _is_page(p: Places) -> Bool:
    """adrp."""
    return _instructions(p, 4) >> 24 & 0x9F == 0x90


def _is_slot(p: Places) -> Bool:
    """adrp, or a load of eight bytes."""
    return _is_page(p) | (_instructions(p, 4) >> 24 == 0xF9)


def _is_half(p: Places) -> Bool:
    """adrp, add, or a load or store."""
    code = _instructions(p, 4) >> 24
    return _is_page(p) | (code & 0x9F == 0x91) | (code & 0x3B == 0x39)


def _scale(p: Places) -> I64:
    """By how many bits an instruction shifts the offset in the page: what a load or store moves."""
    code = _instructions(p, 4)
    size = code >> 30
    size[(size == 0) & (code >> 20 & 0x48 == 0x48)] = 4
    return np.where(code >> 24 & 0x3B == 0x39, size, 0)


def _half(p: Places) -> I64:
    """One instruction of a pair, whichever it is: the distance in pages, or the offset in the page
    in units of what is loaded or stored."""
    code = _instructions(p, 4)
    pages = p.S + p.A - (p.P & ~0xFFF) >> 12
    high = (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5
    low = (p.S + p.A & 0xFFF) >> _scale(p) << 10
    return code | np.where(_is_page(p), high, low)


def _call(p: Places) -> I64:
    """bl, b: the distance in instructions."""
    return _instructions(p, 4) | (p.S + p.A - p.P) >> 2 & 0x3FFFFFF


def _thread(p: Places) -> I64:
    """movz: the distance from the thread pointer."""
    return _instructions(p, 4) | (p.S + _THREAD_BLOCK) << 5


def _distance(p: Places) -> I64:
    """From the thread pointer."""
    return p.S + _THREAD_BLOCK + p.A


def _near(p: Places) -> Bool:
    """Whether the two halves of a distance will be right; the oracle's limit is not 1 << 15."""
    distance = _distance(p)
    return (distance >= 0) & (distance < 32678) & (distance & 3 == 0)


def _constant(p: Places) -> I64:
    """movz and movk with the distance, in place of a load from the global offset table."""
    registers = _instructions(p, 8) & 0x1F_0000001F
    distance = _distance(p)
    high = 0xD2A00000 | (distance >> 16 & 0xFFFF) << 5
    low = 0xF2800000 | (distance & 0xFFFF) << 5
    return registers | high | low << 32


def _two(first: int, second: int) -> ElfRule:
    """A pair of instructions, with a relocation for each; what is in them stays."""
    return ElfRule({8: (ElfType(first), ElfType(second, offset=4))}, untouched=True)


def _pages(name: str, second: int, shift: int) -> RelocKind:
    return RelocKind(
        name,
        "page(S + A) - page(P), S + A & 0xfff",
        _pair(shift),
        elf=_two(R_AARCH64_ADR_PREL_PG_HI21, second),
        reach=_PAGE_REACH,
        low_bits=shift,
    )


def _either(name: str, fits: Callable[[Places], Bool]) -> RelocKind:
    """One instruction of a pair."""
    return RelocKind(
        name,
        "page(S + A) - page(P), or S + A & 0xfff",
        _half,
        reach=_PAGE_REACH,
        low_bits=_scale,
        prepare=fits,
        bound=True,
        refusal=f"unsupported instruction for {{1:x}} {name}",
    )


def _moved(name: str, shift: int) -> RelocKind:
    """The second instruction of a pair, a load or store."""
    return RelocKind(name, "S + A & 0xfff", _offset(shift), low_bits=shift)


_ADDRESS = {4: (ElfType(R_AARCH64_ABS32),), 8: (ElfType(R_AARCH64_ABS64),)}

RELOCS = MappingProxyType(
    {
        **with_elf(
            {
                rt.R_ADDR: ElfRule(_ADDRESS, stored=True),
                rt.R_DWARFSECREF: ElfRule(_ADDRESS, section_relative=True, stored=True),
            }
        ),
        R_ADDRARM64: _pages("R_ADDRARM64", R_AARCH64_ADD_ABS_LO12_NC, 0),
        R_ARM64_PCREL_LDST8: _pages("R_ARM64_PCREL_LDST8", R_AARCH64_LDST8_ABS_LO12_NC, 0),
        R_ARM64_PCREL_LDST16: _pages("R_ARM64_PCREL_LDST16", R_AARCH64_LDST16_ABS_LO12_NC, 1),
        R_ARM64_PCREL_LDST32: _pages("R_ARM64_PCREL_LDST32", R_AARCH64_LDST32_ABS_LO12_NC, 2),
        R_ARM64_PCREL_LDST64: _pages("R_ARM64_PCREL_LDST64", R_AARCH64_LDST64_ABS_LO12_NC, 3),
        R_CALLARM64: RelocKind(
            "R_CALLARM64",
            "(S + A - P) / 4",
            _call,
            elf=ElfRule({4: (ElfType(R_AARCH64_CALL26),)}, untouched=True),
            reach=_CALL_REACH,
        ),
        # In entries of .plt and in C objects alone: what Go and assembly compile to has pairs.
        R_ARM64_PCREL: _either("R_ARM64_PCREL", _is_half),
        R_ARM64_GOT: _either("R_ARM64_GOT", _is_slot),
        R_ARM64_LDST8: _moved("R_ARM64_LDST8", 0),
        R_ARM64_LDST16: _moved("R_ARM64_LDST16", 1),
        R_ARM64_LDST32: _moved("R_ARM64_LDST32", 2),
        R_ARM64_LDST64: _moved("R_ARM64_LDST64", 3),
        R_ARM64_LDST128: _moved("R_ARM64_LDST128", 4),
        R_ARM64_GOTPCREL: RelocKind(
            "R_ARM64_GOTPCREL",
            "page(GOT(S)) - page(P), GOT(S) & 0xfff",
            None,
            elf=_two(R_AARCH64_ADR_GOT_PAGE, R_AARCH64_LD64_GOT_LO12_NC),
        ),
        R_ARM64_TLS_LE: RelocKind(
            "R_ARM64_TLS_LE",
            "S + 16",
            _thread,
            elf=ElfRule({4: (ElfType(R_AARCH64_TLSLE_MOVW_TPREL_G0),)}, untouched=True),
        ),
        R_ARM64_TLS_IE: RelocKind(
            "R_ARM64_TLS_IE",
            "page(GOT(TLS)) - page(P), GOT(TLS) & 0xfff",
            _constant,
            prepare=_near,
            refusal="TLS offset out of range",
            elf=_two(R_AARCH64_TLSIE_ADR_GOTTPREL_PAGE21, R_AARCH64_TLSIE_LD64_GOTTPREL_LO12_NC),
        ),
    }
)

ADDMODULEDATA = Stub(
    b"\0\0\0\x90"  # adrp x0, moduledata
    b"\0\0\0\x91"  # add x0, x0, moduledata
    b"\0\0\0\x14",  # b runtime.addmoduledata
    (
        StubReloc(0, 8, R_ADDRARM64, "moduledata"),
        StubReloc(8, 4, R_CALLARM64, "addmoduledata"),
    ),
)


def _trampoline(offset: int, imported: bool, dynlink: bool, pic: bool) -> Stub:
    """Jump to a function, or to what its entry of the global offset table says."""
    if imported and offset:
        raise ValueError("nonzero addend for DYNIMPORT call")
    if imported:
        second, reloc = b"\x10\x02\x40\xf9", StubReloc(0, 8, R_ARM64_GOTPCREL, "")
    else:
        second, reloc = b"\x10\x02\x00\x91", StubReloc(0, 8, R_ADDRARM64, "", offset)
    # adrp x16; ldr or add x16, x16; br x16
    return Stub(b"\x10\x00\x00\x90" + second + b"\x00\x02\x1f\xd6", (reloc,))


TRAMPOLINES = Trampolines(
    limit=0x7C00000,  # leaves room for the procedure linkage table
    size=12,
    far=lambda distance, add, external: not -_CALL_REACH <= distance + add < _CALL_REACH,
    near=lambda distance: -_CALL_REACH <= distance < _CALL_REACH,
    offset=lambda add: add,
    label=lambda offset: f"{offset:+x}",
    call=lambda add: 0,
    write=_trampoline,
    host=frozenset({R_AARCH64_JUMP26, R_AARCH64_CALL26}),
)


def _entry(at: int, slot: int, record: int) -> Stub:
    """Jump to what the slot says, the address of which is left in x16."""
    return Stub(
        b"\x10\0\0\x90"  # adrp x16, slot
        b"\x11\x02\x40\xf9"  # ldr x17, [x16, slot]
        b"\x10\x02\0\x91"  # add x16, x16, slot
        b"\x20\x02\x1f\xd6",  # br x17
        (
            StubReloc(0, 8, R_ARM64_PCREL_LDST64, ".got.plt", slot),
            StubReloc(8, 4, R_ARM64_PCREL, ".got.plt", slot),
        ),
    )


_JUMP = _entry(0, 16, 0)
_UNKNOWN = "unknown symbol {}"
_IN_CALL, _IN_PCREL = f"{_UNKNOWN} in callarm64", f"{_UNKNOWN} in pcrel"

_CALL, _SLOT = Reach(".plt"), Reach(".got")
HOST = {
    257: HostReloc("R_AARCH64_ABS64", 8, rt.R_ADDR),
    260: HostReloc("R_AARCH64_PREL64", 8, rt.R_PCREL, 8, undefined=_IN_PCREL),
    261: HostReloc("R_AARCH64_PREL32", 4, rt.R_PCREL, 4, undefined=_IN_PCREL),
    275: HostReloc("R_AARCH64_ADR_PREL_PG_HI21", 4, R_ARM64_PCREL, undefined=_UNKNOWN),
    277: HostReloc("R_AARCH64_ADD_ABS_LO12_NC", 4, R_ARM64_PCREL, undefined=_UNKNOWN),
    278: HostReloc("R_AARCH64_LDST8_ABS_LO12_NC", 4, R_ARM64_LDST8),
    282: HostReloc("R_AARCH64_JUMP26", 4, R_CALLARM64, 0, _CALL, undefined=_IN_CALL),
    283: HostReloc("R_AARCH64_CALL26", 4, R_CALLARM64, 0, _CALL, undefined=_IN_CALL),
    284: HostReloc("R_AARCH64_LDST16_ABS_LO12_NC", 4, R_ARM64_LDST16),
    285: HostReloc("R_AARCH64_LDST32_ABS_LO12_NC", 4, R_ARM64_LDST32),
    286: HostReloc("R_AARCH64_LDST64_ABS_LO12_NC", 4, R_ARM64_LDST64),
    299: HostReloc("R_AARCH64_LDST128_ABS_LO12_NC", 4, R_ARM64_LDST128),
    311: HostReloc("R_AARCH64_ADR_GOT_PAGE", 4, R_ARM64_GOT, 0, _SLOT, slot=True),
    312: HostReloc("R_AARCH64_LD64_GOT_LO12_NC", 4, R_ARM64_GOT, 0, _SLOT, slot=True),
}
LINKAGE = Linkage(
    interpreters=("/lib/ld-linux-aarch64.so.1", "/lib/ld-musl-aarch64.so.1"),
    jump_slot=R_AARCH64_JUMP_SLOT,
    glob_dat=R_AARCH64_GLOB_DAT,
    relative=R_AARCH64_RELATIVE,
    first=Stub(
        b"\xf0\x7b\xbf\xa9"  # stp x16, x30, [sp, #-16]!
        + _JUMP.code
        + 3 * b"\x1f\x20\x03\xd5",  # nop
        tuple(evolve(reloc, offset=reloc.offset + 4) for reloc in _JUMP.relocs),
    ),
    reserved=(".dynamic", 0, 0),
    entry=_entry,
    lazy=lambda at: 0,
    entsize=4,
    in_text={
        R_CALLARM64: Reach(".plt", whole=True),
        R_ARM64_GOTPCREL: Reach(".got", type=R_ARM64_PCREL_LDST64, whole=True),
        rt.R_ADDR: Reach(".got"),
    },
    in_data={},
    host=HOST,
    marks=(b"$a", b"$d", b"$x"),
)

_BEFORE_LSE = "v8.0"
_LEVELS = (_BEFORE_LSE, *(f"v8.{n}" for n in range(1, 10)), *(f"v9.{n}" for n in range(6)))


def spelled(text: str) -> str:
    """A level of the architecture and two extensions, in any order; the first of them is a part of
    every level but the lowest."""
    level, lse, crypto = text, False, False
    while level.endswith((",lse", ",crypto")):
        level, _, extension = level.rpartition(",")
        lse, crypto = lse or extension == "lse", crypto or extension == "crypto"
    if level not in _LEVELS:
        raise ValueError(
            "invalid GOARM64: must start with v8.{0-9} or v9.{0-5} and may optionally end in "
            '",lse" and/or ",crypto"'
        )
    lse = lse or level != _BEFORE_LSE
    return level + ",lse" * lse + ",crypto" * crypto


ARCH = Architecture(
    name="arm64",
    goarch="arm64",
    ptrsize=8,
    byteorder="little",
    func_align=16,
    max_align=32,
    min_align=1,
    pc_quantum=4,
    code_pad=b"\0",
    text_base=0x10000 + 4096,
    round=0x10000,
    elf_machine=183,
    elf_flags=0,
    dwarf_sp=31,
    dwarf_lr=30,
    regabi=True,
    has_lr=True,
    relocs=RELOCS,
    calls=frozenset({R_CALLARM64}),
    addmoduledata=ADDMODULEDATA,
    linkage=LINKAGE,
    trampolines=TRAMPOLINES,
    stack_reserved=8,
    oldest_ld=(2, 36),
    setting=Setting("GOARM64", "v8.0", spelled),
    at_release={name: {"needs_gold": True} for name in ("1.24", "1.25", "1.26.2")},
)
