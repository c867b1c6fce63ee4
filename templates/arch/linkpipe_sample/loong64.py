"""loong64: 64-bit LoongArch, for executables that need no host linker.

An address takes two instructions: pcalau12i adds the distance in pages of 4 KiB to its own page,
and addi.d or a load adds the offset in the page, whose sign it extends; so a page is added where
that offset is 0x800 or more. A call reaches 128 MiB.

psABI: https://github.com/loongson/la-abi-specs. Constants:
cmd/link/internal/loong64/{l,obj,asm}.go and cmd/internal/sys/arch.go.
"""

from __future__ import annotations

from types import MappingProxyType

from linkpipe.api import GENERIC, I64, Architecture, Places, RelocKind, Stub, StubReloc, get_words

# cmd/internal/objabi/reloctype.go.
R_LOONG64_ADDR_HI = 77
R_LOONG64_ADDR_LO = 78
R_LOONG64_TLS_LE_HI = 82
R_LOONG64_TLS_LE_LO = 83
R_CALLLOONG64 = 84


def instruction(p: Places, keep: int) -> I64:
    """The instructions at the places, as they stand, with their operands masked out."""
    words: I64 = get_words(p.image, p.at, 4, "<").astype("i8") & keep
    return words


def high(p: Places) -> I64:
    """pcalau12i: the distance of the pages, bits 5 to 24."""
    pages = ((p.S + p.A + 0x800) >> 12) - (p.P >> 12)
    return instruction(p, 0xFE00001F) | (pages & 0xFFFFF) << 5


def low(p: Places) -> I64:
    """addi.d, ld.d …: the offset in the page, bits 10 to 21."""
    return instruction(p, 0xFFC003FF) | (p.S + p.A & 0xFFF) << 10


def thread_high(p: Places) -> I64:
    """lu12i.w: the upper bits of the distance from the thread pointer."""
    return instruction(p, 0xFE00001F) | (p.S + p.A >> 12 & 0xFFFFF) << 5


def call(p: Places) -> I64:
    """bl: the distance in instructions, its low 16 bits before its high 10."""
    distance = (p.S + p.A - p.P) >> 2
    return instruction(p, 0xFC000000) | (distance & 0xFFFF) << 10 | distance >> 16 & 0x3FF


RELOCS = MappingProxyType(
    {
        **GENERIC,
        R_LOONG64_ADDR_HI: RelocKind("R_LOONG64_ADDR_HI", "page(S + A + 0x800) - page(P)", high),
        R_LOONG64_ADDR_LO: RelocKind("R_LOONG64_ADDR_LO", "S + A & 0xfff", low),
        R_LOONG64_TLS_LE_HI: RelocKind("R_LOONG64_TLS_LE_HI", "(S + A) >> 12", thread_high),
        R_LOONG64_TLS_LE_LO: RelocKind("R_LOONG64_TLS_LE_LO", "S + A & 0xfff", low),
        R_CALLLOONG64: RelocKind("R_CALLLOONG64", "(S + A - P) / 4", call),
    }
)

ADDMODULEDATA = Stub(
    b"\x04\x00\x00\x1a"  # pcalau12i $a0, moduledata
    b"\x84\x00\xc0\x02"  # addi.d $a0, $a0, moduledata
    b"\x00\x00\x00\x50",  # b runtime.addmoduledata
    (
        StubReloc(0, 4, R_LOONG64_ADDR_HI, "moduledata"),
        StubReloc(4, 4, R_LOONG64_ADDR_LO, "moduledata"),
        StubReloc(8, 4, R_CALLLOONG64, "addmoduledata"),
    ),
)

ARCH = Architecture(
    name="loong64",
    goarch="loong64",
    ptrsize=8,
    byteorder="little",
    func_align=16,
    max_align=32,
    min_align=1,
    pc_quantum=4,
    code_pad=b"\x00\x00\x2a\x00",  # break 0
    text_base=0x10000 + 4096,
    round=0x10000,
    elf_machine=258,
    elf_flags=0x43,
    dwarf_sp=3,
    dwarf_lr=1,
    regabi=True,
    has_lr=True,
    relocs=RELOCS,
    calls=frozenset({R_CALLLOONG64}),
    addmoduledata=ADDMODULEDATA,
    # There is no ElfRule for a kind above, so nothing can be left to a host linker yet.
    build_modes=frozenset({"exe"}),
    internal_pie=False,
)
