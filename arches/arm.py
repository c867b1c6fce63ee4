"""arm: 32-bit ARM, by the EABI.

Relocations have no room for an addend ("REL"): what the host linker shall add stands in the place
itself. For calls (``R_CALLARM``) that place is an instruction, and Go's relocation carries the
whole instruction as its addend: eight bits of condition and opcode, and the distance in
instructions, which counts from two instructions on. A call reaches 32 MiB.

Position-independent code counts from the program counter, which is two instructions ahead.

psABI: https://github.com/ARM-software/abi-aa. Constants: cmd/link/internal/arm/{l,obj,asm}.go and
cmd/internal/sys/arch.go.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TypeVar

from linkpipe import reloctype as rt
from linkpipe.arch import Architecture, Setting, Stub, StubReloc, Trampolines
from linkpipe.arrays.types import I64, Bool
from linkpipe.linkage import HeaderFlags, HostReloc, Linkage, Reach
from linkpipe.relockind import ElfRule, ElfType, Kernel, Places, RelocKind, with_elf
from linkpipe.values import evolve

R_ARM_PC24 = 1
R_ARM_ABS32 = 2
R_ARM_REL32 = 3
R_ARM_GLOB_DAT = 21
R_ARM_JUMP_SLOT = 22
R_ARM_CALL = 28
R_ARM_JUMP24 = 29
R_ARM_GOT_PREL = 96
R_ARM_TLS_IE32 = 107
R_ARM_TLS_LE32 = 108

# cmd/internal/objabi/reloctype.go.
R_CALLARM = 8
R_PLT0 = 18
R_PLT1 = 19
R_PLT2 = 20

N = TypeVar("N", int, I64)

_THREAD_BLOCK = 8
"""Bytes from the thread pointer to thread-local data."""
_CALL_REACH = 1 << 25
_OPCODE, _BRANCH_WITH_LINK = 0xFF000000, 0xEB000000
_DISTANCE = 0x00FFFFFF


def distance(instruction: N) -> N:
    """The bytes that a branch instruction says to go, from two instructions on."""
    return ((instruction & _DISTANCE ^ 0x800000) - 0x800000) * 4


def _branch(instruction: I64, distance_: I64) -> I64:
    """The instruction with another distance, in bytes; a rest is cut off, as Go divides."""
    return instruction & _OPCODE | distance_ + (distance_ < 0) * 3 >> 2 & _DISTANCE


def _calls(instruction: I64) -> Bool:
    called: Bool = (instruction & _OPCODE) == _BRANCH_WITH_LINK
    return called


def _call(p: Places) -> I64:
    return _branch(p.A, p.S + distance(p.A) - p.P)


def _part(opcode: int, mask: int, shift: int, back: int) -> Kernel:
    """A third of the way to a slot, as the operand of an instruction ``back`` bytes behind the
    first one."""

    def value(p: Places) -> I64:
        return opcode + ((p.S - p.P + p.A + back & 0xFFFFFFFF) >> shift & mask)

    return value


def _thread(p: Places) -> I64:
    return p.S + _THREAD_BLOCK


_ADDRESS = {4: (ElfType(R_ARM_ABS32),)}

_KINDS = with_elf(
    {
        rt.R_ADDR: ElfRule(_ADDRESS, stored=True),
        rt.R_DWARFSECREF: ElfRule(_ADDRESS, section_relative=True, stored=True),
        rt.R_PCREL: ElfRule({4: (ElfType(R_ARM_REL32),)}, in_section=True, pcrel=True, stored=True),
        rt.R_GOTPCREL: ElfRule({4: (ElfType(R_ARM_GOT_PREL),)}, pcrel=True, stored=True),
        rt.R_TLS_LE: ElfRule({4: (ElfType(R_ARM_TLS_LE32),)}, stored=True),
        rt.R_TLS_IE: ElfRule({4: (ElfType(R_ARM_TLS_IE32),)}, stored=True),
    }
)
RELOCS = MappingProxyType(
    {
        **_KINDS,
        rt.R_TLS_LE: evolve(_KINDS[rt.R_TLS_LE], formula="S + 8", value=_thread),
        R_CALLARM: RelocKind(
            "R_CALLARM",
            "(S + distance(A) - P) / 4",
            _call,
            elf=ElfRule(
                {
                    4: (
                        ElfType(R_ARM_CALL, only=_calls),
                        ElfType(R_ARM_JUMP24, only=lambda a: ~_calls(a)),
                    )
                },
                stored=True,
                encode=_branch,
            ),
            addend=distance,
            reach=_CALL_REACH,
        ),
        # add ip, pc, #…; add ip, ip, #…; ldr pc, [ip, #…]!: an entry of .plt
        R_PLT0: RelocKind("R_PLT0", "S + A - P", _part(0xE28FC600, 0xFF, 20, 0)),
        R_PLT1: RelocKind("R_PLT1", "S + A - P + 4", _part(0xE28CCA00, 0xFF, 12, 4)),
        R_PLT2: RelocKind("R_PLT2", "S + A - P + 8", _part(0xE5BCF000, 0xFFF, 0, 8)),
    }
)

ADDMODULEDATA = Stub(
    b"\x04\x00\x9f\xe5"  # ldr r0, [pc, #4]
    b"\x00\x00\x8f\xe0"  # add r0, pc, r0
    b"\xfe\xff\xff\xea"  # b runtime.addmoduledata
    b"\0\0\0\0",  # moduledata, from the pc of the addition on
    (
        StubReloc(8, 4, R_CALLARM, "addmoduledata", 0xEAFFFFFE),
        StubReloc(12, 4, rt.R_PCREL, "moduledata", 4),
    ),
)


def _rotated(value: int) -> int:
    """The operand of an instruction that stands for a number: eight bits, rotated by an even number
    of bits; ValueError when there is none."""
    for rotation in range(16):
        if value < 1 << 8:
            return 1 << 25 | rotation << 8 | value
        value = (value << 2 | value >> 30) & 0xFFFFFFFF
    raise ValueError("odd offset in dynlink direct call")


def _trampoline(offset: int, imported: bool, dynlink: bool, pic: bool) -> Stub:
    """Jump to a function, or to what its entry of the global offset table says."""
    if pic and not (dynlink or imported):
        # ldr r12, [pc, #4]; add r12, pc, r12; bx r12; the way from the addition's pc
        words = [0xE59FC004, 0xE08FC00C, 0xE12FFF1C, 0]
        reloc = StubReloc(12, 4, rt.R_PCREL, "", offset + 4)
    elif not (dynlink or imported):
        # ldr r12, [pc]; bx r12; the address
        words = [0xE59FC000, 0xE12FFF1C, 0]
        reloc = StubReloc(8, 4, rt.R_ADDR, "", offset)
    else:
        # ldr r12, [pc, #...]; add r12, pc, r12; ldr r12, [r12]; add r12, r12, #offset; bx r12; the
        # way to the entry from the first addition's pc
        extra = [0xE28CC000 | _rotated(offset & 0xFFFFFFFF)] if offset else []
        words = [0xE59FC008 + 4 * len(extra), 0xE08FC00C, 0xE59CC000, *extra, 0xE12FFF1C, 0]
        last = 4 * (len(words) - 1)
        reloc = StubReloc(last, 4, rt.R_GOTPCREL, "", last - 8)
    return Stub(b"".join(word.to_bytes(4, "little") for word in words), (reloc,))


def _far(away: int, add: int, external: bool) -> bool:
    """Host linkers do not always count the addend when they look whether a call reaches."""
    instructions = (away + (0 if external else distance(add))) // 4
    return instructions > 0x7FFFFF or instructions <= -0x800000


TRAMPOLINES = Trampolines(
    limit=0x1C00000,  # leaves room for the procedure linkage table
    size=20,
    far=_far,
    # The program counter is two instructions ahead.
    near=lambda away: -0x800000 <= (away - 8) // 4 < 0x7FFFFF,
    offset=lambda add: distance(add) + 8,
    label=lambda offset: f"{offset:+d}",
    call=lambda add: add & _OPCODE | 0xFFFFFE,
    write=_trampoline,
    sections=True,
    host=frozenset({R_ARM_PC24, R_ARM_CALL, R_ARM_JUMP24}),
    strangers=False,
)


def _entry(at: int, slot: int, record: int) -> Stub:
    """Jump to what the slot says, the address of which is left in ip."""
    parts = enumerate((R_PLT0, R_PLT1, R_PLT2))
    return Stub(
        bytes(12),
        tuple(StubReloc(4 * i, 4, type_, ".got.plt", slot - 8) for i, type_ in parts),
    )


_CALL = Reach(".plt", lambda given, at: given & _OPCODE | given + at // 4 & _DISTANCE)
HOST = {
    1: HostReloc("R_ARM_PC24", 4, R_CALLARM, 0, _CALL),
    2: HostReloc("R_ARM_ABS32", 4, rt.R_ADDR),
    3: HostReloc("R_ARM_REL32", 4, rt.R_PCREL, 4),
    10: HostReloc("R_ARM_THM_PC22", 4, None, undefined="R_ARM_THM_CALL, are you using -marm?"),
    24: HostReloc("R_ARM_GOTOFF", 4, rt.R_GOTOFF),
    25: HostReloc("R_ARM_GOTPC", 4, rt.R_PCREL, 4, table=True),
    26: HostReloc("R_ARM_GOT32", 4, rt.R_CONST, 0, Reach(".got", type=rt.R_CONST), slot=True),
    27: HostReloc("R_ARM_PLT32", 4, R_CALLARM, 0, _CALL),
    28: HostReloc("R_ARM_CALL", 4, R_CALLARM, 0, _CALL),
    29: HostReloc("R_ARM_JUMP24", 4, R_CALLARM, 0, _CALL),
    40: HostReloc("R_ARM_V4BX", 4, None),
    96: HostReloc("R_ARM_GOT_PREL", 4, rt.R_PCREL, 4, Reach(".got", type=rt.R_PCREL), slot=True),
}

_SOFT, _HARD, _UNSAID = 0x5000202, 0x5000402, 0x5000002
"""Flags of the ELF header: how floating-point numbers are passed to functions, or nothing of it."""
_FILE, _CPU_RAW_NAME, _CPU_NAME, _VFP_ARGS, _COMPATIBLE = 1, 4, 5, 28, 32
_NO_DEFAULTS = 64


class _Attributes:
    """Reads .ARM.attributes; ValueError for what ends too early."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def __bool__(self) -> bool:
        return self.at < len(self.data)

    def take(self, size: int) -> bytes:
        if not 0 <= size <= len(self.data) - self.at:
            raise ValueError(f"a part of {size} bytes where {len(self.data) - self.at} are left")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if shift > 70:
                raise ValueError("a number of more than 64 bits")
            if byte < 0x80:
                return value

    def text(self) -> bytes:
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise ValueError("a name without an end")
        return self.take(end + 1 - self.at)[:-1]

    def part(self, before: int = 0) -> _Attributes:
        """What follows its own size, which counts ``before`` bytes more."""
        return _Attributes(self.take(int.from_bytes(self.take(4), "little") - 4 - before))


def header_flags(flags: int, content: bytes) -> int:
    """What an object says in .ARM.attributes of the numbers that it passes."""
    flags = _SOFT if flags == _UNSAID else flags
    whole = _Attributes(content)
    if whole.take(1) != b"A":
        raise ValueError("an unexpected format")
    while whole:
        section = whole.part()
        if section.text() != b"aeabi":
            continue
        while section:
            start = section.at
            tag = section.number()
            attributes = section.part(section.at - start)
            while tag == _FILE and attributes:
                kind = attributes.number()
                named = kind in (_CPU_RAW_NAME, _CPU_NAME) or (kind >= _COMPATIBLE and kind & 1)
                counted = not named and kind != _NO_DEFAULTS
                value = attributes.number() if counted else 0
                if named or kind == _COMPATIBLE:
                    attributes.text()
                flags = _HARD if (kind, value) == (_VFP_ARGS, 1) else flags
    return flags


LINKAGE = Linkage(
    interpreters=("/lib/ld-linux.so.3", "/lib/ld-musl-arm.so.1"),
    jump_slot=R_ARM_JUMP_SLOT,
    glob_dat=R_ARM_GLOB_DAT,
    absolute=R_ARM_GLOB_DAT,
    first=Stub(
        b"\x04\xe0\x2d\xe5"  # str lr, [sp, #-4]!
        b"\x04\xe0\x9f\xe5"  # ldr lr, [pc, #4]
        b"\x0e\xe0\x8f\xe0"  # add lr, pc, lr
        b"\x08\xf0\xbe\xe5"  # ldr pc, [lr, #8]!
        b"\0\0\0\0",  # .got.plt, from here
        (StubReloc(16, 4, rt.R_PCREL, ".got.plt", 4),),
    ),
    reserved=(0, 0, 0),
    entry=_entry,
    lazy=lambda at: 0,
    entsize=4,
    in_text={
        R_CALLARM: _CALL,
        rt.R_GOTPCREL: Reach(".got", type=rt.R_PCREL),
    },
    in_data={rt.R_ADDR: Reach("place", type=rt.R_CONST)},
    host=HOST,
    marks=(b"$a", b"$d", b"$x"),
    fills_slots=True,
    header_flags=HeaderFlags(b".ARM.attributes", 0x70000003, header_flags),
    ignores_d=True,
)


def spelled(text: str) -> str:
    """The version of the architecture, and whether it has a floating-point unit: version 5 by
    itself has none."""
    version, comma, unit = text.partition(",")
    if version not in ("5", "6", "7") or (comma and unit not in ("softfloat", "hardfloat")):
        raise ValueError(
            "invalid GOARM: must start with 5, 6, or 7, and may optionally end in either "
            '",hardfloat" or ",softfloat"'
        )
    return f"{version},{unit or ('softfloat' if version == '5' else 'hardfloat')}"


def runtime_variables(setting: str) -> dict[str, bytes]:
    """What the runtime wants to know of the variant: version, and whether there is no unit."""
    version, _, unit = setting.partition(",")
    return {
        "runtime.goarm": bytes((int(version),)),
        "runtime.goarmsoftfp": bytes((unit == "softfloat",)),
    }


ARCH = Architecture(
    name="arm",
    goarch="arm",
    ptrsize=4,
    byteorder="little",
    func_align=4,
    max_align=8,
    min_align=1,
    pc_quantum=4,
    code_pad=b"\0",
    text_base=0x10000 + 4096,
    round=0x10000,
    elf_machine=40,
    elf_flags=0x5000002,  # EABI version 5, has an entry point
    dwarf_sp=13,
    dwarf_lr=14,
    regabi=False,
    has_lr=True,
    relocs=RELOCS,
    calls=frozenset({R_CALLARM}),
    addmoduledata=ADDMODULEDATA,
    linkage=LINKAGE,
    rela=False,
    trampolines=TRAMPOLINES,
    load_align=4,
    internal_pie=False,
    host_flags=("-marm",),
    setting=Setting("GOARM", "7", spelled, ("5", "6", "7")),
    runtime_variables=runtime_variables,
)
