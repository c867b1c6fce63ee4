"""amd64 (x86-64).

Addresses in code are relative to the next instruction (``R_PCREL``, ``R_CALL``: S + A - (P + 4)),
so most of the text is resolved by one kernel. There are no trampolines: a call reaches 2 GiB.
Internally linked position-independent code reads the thread-local word through a GOT entry
(``R_TLS_IE``); when the final addresses are known the load becomes a constant.

psABI: https://gitlab.com/x86-psABIs/x86-64-ABI. Constants: cmd/link/internal/amd64/{l,obj,asm}.go
and cmd/internal/sys/arch.go.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from linkpipe import reloctype as rt
from linkpipe.arch import Architecture, Setting, Stub, StubReloc
from linkpipe.arrays.types import Bool
from linkpipe.linkage import HostReloc, Linkage, Reach, Rewrite
from linkpipe.relockind import ElfRule, ElfType, Places, with_elf
from linkpipe.values import evolve

R_X86_64_64 = 1
R_X86_64_PC32 = 2
R_X86_64_PLT32 = 4
R_X86_64_GLOB_DAT = 6
R_X86_64_JUMP_SLOT = 7
R_X86_64_RELATIVE = 8
R_X86_64_GOTPCREL = 9
R_X86_64_32 = 10
R_X86_64_GOTTPOFF = 22
R_X86_64_TPOFF32 = 23
R_X86_64_PC64 = 24
R_X86_64_GOTPCRELX = 41
R_X86_64_REX_GOTPCRELX = 42

_ADDRESS = {4: (ElfType(R_X86_64_32),), 8: (ElfType(R_X86_64_64),)}


def _load_constant(p: Places) -> Bool:
    """A load through the global offset table, mov slot(%rip), %reg, becomes mov $offset, %reg."""
    prefix, code, operand = (p.image[p.at - back] for back in (3, 2, 1))
    register, load = operand >> 3, code == 0x8B
    good = load | (register == 4)
    extended = np.where(prefix == 0x4C, 0x49, prefix)
    extended[(prefix == 0x44) & (p.width == 4)] = 0x41
    for back, value in ((3, extended), (2, np.where(load, 0xC7, 0x81)), (1, 0xC0 | register)):
        p.image[(p.at - back)[good]] = value[good]
    return good


_KINDS = with_elf(
    {
        rt.R_ADDR: ElfRule(_ADDRESS),
        rt.R_DWARFSECREF: ElfRule(_ADDRESS, section_relative=True),
        rt.R_CALL: ElfRule(
            {4: (ElfType(R_X86_64_PC32, imported=R_X86_64_PLT32),)}, in_section=True, pcrel=True
        ),
        rt.R_PCREL: ElfRule({4: (ElfType(R_X86_64_PC32),)}, in_section=True, pcrel=True),
        rt.R_GOTPCREL: ElfRule({4: (ElfType(R_X86_64_GOTPCREL),)}, pcrel=True),
        rt.R_TLS_LE: ElfRule({4: (ElfType(R_X86_64_TPOFF32),)}),
        rt.R_TLS_IE: ElfRule({4: (ElfType(R_X86_64_GOTTPOFF),)}),
    }
)
RELOCS = MappingProxyType(
    {
        **_KINDS,
        rt.R_TLS_IE: evolve(
            _KINDS[rt.R_TLS_IE],
            value=lambda p: np.full(len(p.at), p.tls_offset),
            prepare=_load_constant,
            around=(3, 0),
            refusal="expected TLS IE op to be MOVQ, got [{0[0]} {0[1]} {0[2]}]",
        ),
    }
)

ADDMODULEDATA = Stub(
    b"\x48\x8d\x3d\0\0\0\0"  # lea moduledata(%rip), %rdi
    b"\xe8\0\0\0\0"  # call runtime.addmoduledata
    b"\xc3",  # ret
    (
        StubReloc(3, 4, rt.R_PCREL, "moduledata"),
        StubReloc(8, 4, rt.R_CALL, "addmoduledata"),
    ),
)


def _entry(at: int, slot: int, record: int) -> Stub:
    """Jump to what the slot says; that leads to the next instruction at first, which asks the
    dynamic linker for the function by the number of its relocation."""
    code = (
        b"\xff\x25\0\0\0\0"  # jmp *slot(%rip)
        b"\x68"
        + (record // 24).to_bytes(4, "little")  # push number
        + b"\xe9"
        + (-(at + 16)).to_bytes(4, "little", signed=True)  # jmp .plt
    )
    return Stub(code, (StubReloc(2, 4, rt.R_PCREL, ".got.plt", slot),))


# The psABI counts from the field, Go from the instruction's end.
_FUNCTION = Reach(".plt", type=rt.R_PCREL)
_UNKNOWN = "unknown symbol {} in pcrel"
_SLOT = HostReloc(
    "R_X86_64_GOTPCREL",
    4,
    rt.R_PCREL,
    4,
    imported=Reach(".got", type=rt.R_PCREL),
    slot=True,
    # mov slot(%rip), %reg becomes lea target(%rip), %reg.
    rewrites=(Rewrite(2, b"\x8b", b"\x8d", rt.R_PCREL, 4),),
)
HOST = {
    R_X86_64_64: HostReloc("R_X86_64_64", 8, rt.R_ADDR),
    R_X86_64_PC32: HostReloc("R_X86_64_PC32", 4, rt.R_PCREL, 4, undefined=_UNKNOWN),
    R_X86_64_PLT32: HostReloc("R_X86_64_PLT32", 4, rt.R_PCREL, 4, _FUNCTION),
    R_X86_64_GOTPCREL: _SLOT,
    R_X86_64_PC64: HostReloc("R_X86_64_PC64", 8, rt.R_PCREL, 8, undefined=_UNKNOWN),
    R_X86_64_GOTPCRELX: evolve(_SLOT, name="R_X86_64_GOTPCRELX"),
    R_X86_64_REX_GOTPCRELX: evolve(_SLOT, name="R_X86_64_REX_GOTPCRELX"),
}

LINKAGE = Linkage(
    interpreters=("/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"),
    jump_slot=R_X86_64_JUMP_SLOT,
    glob_dat=R_X86_64_GLOB_DAT,
    relative=R_X86_64_RELATIVE,
    first=Stub(
        b"\xff\x35\0\0\0\0"  # push .got.plt+8(%rip)
        b"\xff\x25\0\0\0\0"  # jmp *.got.plt+16(%rip)
        b"\x0f\x1f\x40\0",  # nopl 0(%rax)
        (
            StubReloc(2, 4, rt.R_PCREL, ".got.plt", 8),
            StubReloc(8, 4, rt.R_PCREL, ".got.plt", 16),
        ),
    ),
    reserved=(".dynamic", 0, 0),
    entry=_entry,
    lazy=lambda at: at + 6,
    entsize=16,
    in_text={
        rt.R_CALL: Reach(".plt", lambda given, at: at),
        rt.R_ADDR: Reach(".got"),
    },
    in_data={},
    host=HOST,
)


def spelled(level: str) -> str:
    """The level, "v1" to "v4". The oracle means to refuse others, but forgets that before it looks
    (internal/buildcfg/cfg.go: goarm64 sets Error anew), and takes the default."""
    return level if level in ("v1", "v2", "v3", "v4") else "v1"


ARCH = Architecture(
    name="amd64",
    goarch="amd64",
    ptrsize=8,
    byteorder="little",
    func_align=32,
    max_align=32,
    min_align=1,
    pc_quantum=1,
    code_pad=b"\xcc",  # int3: running into a gap traps
    text_base=0x400000 + 4096,
    round=4096,
    elf_machine=62,
    elf_flags=0,
    dwarf_sp=7,
    dwarf_lr=16,
    regabi=True,
    has_lr=False,
    relocs=RELOCS,
    calls=frozenset({rt.R_CALL}),
    addmoduledata=ADDMODULEDATA,
    linkage=LINKAGE,
    deferreturn=-1,
    host_flags=("-m64",),
    setting=Setting("GOAMD64", "v1", spelled, ("v1", "v2", "v3", "v4")),
)
