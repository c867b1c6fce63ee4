"""386: 32-bit x86.

Relocations have no room for an addend ("REL"): what the host linker shall add stands in the place
itself. There is no register ABI; the thread-local word is below the segment base of %gs.

The instructions cannot address relative to themselves. Position-independent code calls a thunk,
``__x86.get_pc_thunk.ax`` and the like, that copies its return address into a register, and counts
from there; the linker writes the thunks. To call through the procedure linkage table %ebx must
hold the address of the global offset table, for which ELF objects have the magic name
``_GLOBAL_OFFSET_TABLE_``. A load from that table takes two relocations of one place: GOTPC, the
way to the table, which needs no symbol, and the symbol's offset in it. GNU's linkers add them up;
LLD and mold keep the second, and what they link crashes at its first such load.

psABI: https://gitlab.com/x86-psABIs/i386-ABI. Constants: cmd/link/internal/x86/{l,obj,asm}.go and
cmd/internal/sys/arch.go.
"""

from __future__ import annotations

from linkpipe import reloctype as rt
from linkpipe.arch import Architecture, Setting, Stub, StubReloc
from linkpipe.linkage import HostReloc, Linkage, Reach, Rewrite
from linkpipe.relockind import ElfRule, ElfType, with_elf
from linkpipe.values import evolve

R_386_32 = 1
R_386_PC32 = 2
R_386_GOT32 = 3
R_386_PLT32 = 4
R_386_GLOB_DAT = 6
R_386_JMP_SLOT = 7
R_386_GOTPC = 10
R_386_TLS_GOTIE = 16
R_386_TLS_LE = 17

_ADDRESS = {4: (ElfType(R_386_32),)}
_GOT = ElfType(R_386_GOTPC, bare=True)

RELOCS = with_elf(
    {
        rt.R_ADDR: ElfRule(_ADDRESS, stored=True),
        rt.R_DWARFSECREF: ElfRule(_ADDRESS, section_relative=True, stored=True),
        rt.R_CALL: ElfRule(
            {4: (ElfType(R_386_PC32, imported=R_386_PLT32),)},
            in_section=True,
            pcrel=True,
            stored=True,
        ),
        rt.R_PCREL: ElfRule({4: (ElfType(R_386_PC32),)}, in_section=True, pcrel=True, stored=True),
        rt.R_GOTPCREL: ElfRule({4: (_GOT, ElfType(R_386_GOT32))}, pcrel=True, stored=True),
        rt.R_TLS_LE: ElfRule({4: (ElfType(R_386_TLS_LE),)}, stored=True),
        rt.R_TLS_IE: ElfRule({4: (_GOT, ElfType(R_386_TLS_GOTIE))}, stored=True),
    }
)

_REGISTERS = {"ax": 0, "cx": 1, "dx": 2, "bx": 3, "bp": 5, "si": 6, "di": 7}
THUNKS = tuple(
    # mov (%esp), %reg: the register's number is in bits 3 to 5 of the second byte; ret
    (f"__x86.get_pc_thunk.{register}", bytes((0x8B, 0x04 | number << 3, 0x24, 0xC3)))
    for register, number in _REGISTERS.items()
)

GLOBAL_OFFSET_TABLE = "_GLOBAL_OFFSET_TABLE_"

# Both leas count from the thunk's return address, byte 6; their fields end 6 and 12 bytes later.
ADDMODULEDATA = Stub(
    b"\x53"  # push %ebx
    b"\xe8\0\0\0\0"  # call __x86.get_pc_thunk.cx
    b"\x8d\x81\0\0\0\0"  # lea moduledata(%ecx), %eax
    b"\x8d\x99\0\0\0\0"  # lea _GLOBAL_OFFSET_TABLE_(%ecx), %ebx
    b"\xe8\0\0\0\0"  # call runtime.addmoduledata
    b"\x5b"  # pop %ebx
    b"\xc3",  # ret
    (
        StubReloc(2, 4, rt.R_CALL, "__x86.get_pc_thunk.cx"),
        StubReloc(8, 4, rt.R_PCREL, "moduledata", 6),
        StubReloc(14, 4, rt.R_PCREL, GLOBAL_OFFSET_TABLE, 12),
        StubReloc(19, 4, rt.R_CALL, "addmoduledata"),
    ),
)


def _entry(at: int, slot: int, record: int) -> Stub:
    """Jump to what the slot says; that leads to the next instruction at first, which asks the
    dynamic linker for the function by the place of its relocation."""
    code = (
        b"\xff\x25\0\0\0\0"  # jmp *slot
        + (b"\x68" + record.to_bytes(4, "little"))  # push record
        + (b"\xe9" + (-(at + 16)).to_bytes(4, "little", signed=True))  # jmp .plt
    )
    return Stub(code, (StubReloc(2, 4, rt.R_ADDR, ".got.plt", slot),))


_FUNCTION = Reach(".plt", type=rt.R_PCREL)
_GOT32 = HostReloc(
    "R_386_GOT32",
    4,
    rt.R_CONST,
    imported=Reach(".got", type=rt.R_CONST),
    rewrites=(
        # mov slot(%ebx), %reg becomes lea target(%ebx), %reg.
        Rewrite(2, b"\x8b", b"\x8d", rt.R_GOTOFF),
        # push slot(%ebx) becomes push target, with a prefix that fills the space.
        Rewrite(2, b"\xff\xb3", b"\x36\x68", rt.R_ADDR),
    ),
)
HOST = {
    1: HostReloc("R_386_32", 4, rt.R_ADDR),
    2: HostReloc("R_386_PC32", 4, rt.R_PCREL, 4, undefined="unknown symbol {} in pcrel"),
    3: _GOT32,
    4: HostReloc("R_386_PLT32", 4, rt.R_PCREL, 4, _FUNCTION),
    9: HostReloc("R_386_GOTOFF", 4, rt.R_GOTOFF),
    10: HostReloc("R_386_GOTPC", 4, rt.R_PCREL, 4, table=True),
    43: evolve(_GOT32, name="R_386_GOT32X"),
}

_CALL = Reach(".plt", lambda given, at: at)
LINKAGE = Linkage(
    interpreters=("/lib/ld-linux.so.2", "/lib/ld-musl-i386.so.1"),
    jump_slot=R_386_JMP_SLOT,
    glob_dat=R_386_GLOB_DAT,
    absolute=R_386_32,
    first=Stub(
        b"\xff\x35\0\0\0\0"  # push .got.plt+4
        b"\xff\x25\0\0\0\0"  # jmp *.got.plt+8
        b"\0\0\0\0",
        (
            StubReloc(2, 4, rt.R_ADDR, ".got.plt", 4),
            StubReloc(8, 4, rt.R_ADDR, ".got.plt", 8),
        ),
    ),
    reserved=(".dynamic", 0, 0),
    entry=_entry,
    lazy=lambda at: at + 6,
    entsize=4,
    in_text={rt.R_CALL: _CALL, rt.R_PCREL: _CALL},
    in_data={rt.R_ADDR: Reach("place", type=rt.R_CONST)},
    host=HOST,
)

ARCH = Architecture(
    name="386",
    goarch="386",
    ptrsize=4,
    byteorder="little",
    func_align=16,
    max_align=32,
    min_align=1,
    pc_quantum=1,
    code_pad=b"\xcc",  # int3: running into a gap traps
    text_base=0x08048000 + 4096,
    round=4096,
    elf_machine=3,
    elf_flags=0,
    dwarf_sp=4,
    dwarf_lr=8,
    regabi=False,
    has_lr=False,
    relocs=RELOCS,
    calls=frozenset({rt.R_CALL}),
    addmoduledata=ADDMODULEDATA,
    linkage=LINKAGE,
    rela=False,
    sums=True,
    deferreturn=-1,
    # In a plugin the thunk is called first, and a lea follows it: 11 bytes more (ld/pcln.go:156).
    deferreturn_dynamic=-12,
    thunks=THUNKS,
    table_import=GLOBAL_OFFSET_TABLE,
    internal_pie=False,
    host_flags=("-m32",),
    setting=Setting("GO386", "sse2"),
    at_release={"1.24": {"deferreturn_dynamic": -1}},
)
