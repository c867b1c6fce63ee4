"""s390x: 64-bit z/Architecture, big-endian.

Instructions are 2, 4 or 6 bytes long and stand at even addresses, so those that address relative
to themselves count in units of two bytes, from their own first byte. The field is the last four
bytes of such an instruction (larl, brasl, jg …), two bytes after its start: ``R_PCRELDBL`` and
``R_CALL`` carry that in their addend (6: the way from the instruction to the field's end), which
becomes 2 in the ELF relocation. References between data are in bytes (``R_PCREL``).

The oracle marks some R_PCREL as "doubles" by a variant of the relocation, which only the linker's
own code has (the initialiser of a plugin, entries of the procedure linkage table); here that is
R_PCRELDBL, which means the same.

psABI: https://github.com/IBM/s390x-abi. Constants: cmd/link/internal/s390x/{l,obj,asm}.go,
cmd/link/internal/ld/data.go (relocsym) and cmd/internal/sys/arch.go.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from linkpipe import reloctype as rt
from linkpipe.arch import Architecture, Stub, StubReloc
from linkpipe.arrays.types import Bool
from linkpipe.linkage import HostReloc, Linkage, Reach
from linkpipe.relockind import ElfRule, ElfType, Places, with_elf
from linkpipe.values import evolve

R_390_32 = 4
R_390_PC32 = 5
R_390_GLOB_DAT = 10
R_390_JMP_SLOT = 11
R_390_RELATIVE = 12
R_390_PC16 = 16
R_390_PC16DBL = 17
R_390_PLT16DBL = 18
R_390_PC32DBL = 19
R_390_PLT32DBL = 20
R_390_64 = 22
R_390_PC64 = 23
R_390_GOTENT = 26
R_390_TLS_IEENT = 49
R_390_TLS_LE32 = 50
R_390_TLS_LE64 = 51

# cmd/internal/objabi/reloctype.go.
R_PCRELDBL = 76

_ADDRESS = {4: (ElfType(R_390_32),), 8: (ElfType(R_390_64),)}
_DOUBLE = "(S + A - (P + w)) / 2"


def _load_constant(p: Places) -> Bool:
    """larl and lg, a load through the global offset table, become lgfi and three instructions that
    do nothing."""
    code, operand = p.image[p.at - 2], p.image[p.at - 1]
    good = (code == 0xC0) & (operand & 0xF == 0)
    at = p.at[good]
    p.image[at - 1] |= 1
    for place in range(4, 10):
        p.image[at + place] = 0x07 * (place % 2 == 0)
    return good


_KINDS = with_elf(
    {
        rt.R_ADDR: ElfRule(_ADDRESS, stored=True),
        rt.R_DWARFSECREF: ElfRule(_ADDRESS, section_relative=True, stored=True),
        rt.R_CALL: ElfRule(
            {
                2: (ElfType(R_390_PC16DBL, imported=R_390_PLT16DBL),),
                4: (ElfType(R_390_PC32DBL, imported=R_390_PLT32DBL),),
            },
            in_section=True,
            pcrel=True,
            stored=True,
        ),
        rt.R_PCREL: ElfRule(
            {2: (ElfType(R_390_PC16),), 4: (ElfType(R_390_PC32),), 8: (ElfType(R_390_PC64),)},
            in_section=True,
            pcrel=True,
            stored=True,
        ),
        rt.R_GOTPCREL: ElfRule({4: (ElfType(R_390_GOTENT),)}, pcrel=True, stored=True),
        rt.R_TLS_LE: ElfRule(
            {4: (ElfType(R_390_TLS_LE32),), 8: (ElfType(R_390_TLS_LE64),)}, stored=True
        ),
        rt.R_TLS_IE: ElfRule({4: (ElfType(R_390_TLS_IEENT),)}, stored=True),
    }
)
RELOCS = MappingProxyType(
    {
        **_KINDS,
        rt.R_TLS_IE: evolve(
            _KINDS[rt.R_TLS_IE],
            value=lambda p: np.full(len(p.at), p.tls_offset),
            prepare=_load_constant,
            around=(2, 6),
            refusal="R_390_TLS_IEENT relocation not preceded by LARL instruction: "
            "{0[0]:02x} {0[1]:02x}",
        ),
        rt.R_CALL: evolve(_KINDS[rt.R_CALL], formula=_DOUBLE, unit=2),
        R_PCRELDBL: evolve(
            _KINDS[rt.R_PCREL],
            name="R_PCRELDBL",
            formula=_DOUBLE,
            unit=2,
            elf=ElfRule(
                {2: (ElfType(R_390_PC16DBL),), 4: (ElfType(R_390_PC32DBL),)},
                in_section=True,
                pcrel=True,
                stored=True,
            ),
        ),
    }
)

ADDMODULEDATA = Stub(
    b"\xc0\x20\0\0\0\0"  # larl %r2, moduledata
    b"\xc0\xf4\0\0\0\0"  # jg runtime.addmoduledata
    b"\0\0\0\0",  # not an instruction: nothing comes back here
    (
        StubReloc(2, 4, R_PCRELDBL, "moduledata", 6),
        StubReloc(8, 4, rt.R_CALL, "addmoduledata", 6),
    ),
)


def _entry(at: int, slot: int, record: int) -> Stub:
    """Jump to what the slot says; that leads behind the jump at first, where the dynamic linker is
    asked for the function by the place of its relocation."""
    code = (
        b"\xc0\x10\0\0\0\0"  # larl %r1, slot
        b"\xe3\x10\x10\x00\x00\x04"  # lg %r1, 0(%r1)
        b"\x07\xf1"  # br %r1
        b"\x0d\x10"  # basr %r1, %r0
        b"\xe3\x10\x10\x0c\x00\x14"  # lgf %r1, 12(%r1)
        + (b"\xc0\xf4" + (-(at + 22) >> 1).to_bytes(4, "big", signed=True))  # jg .plt
        + record.to_bytes(4, "big")
    )
    return Stub(code, (StubReloc(2, 4, R_PCRELDBL, ".got.plt", slot + 6),))


def _unwritten(name: str, width: int) -> HostReloc:
    """What the oracle reads, and refuses where it is needed."""
    return HostReloc(name, width, None, undefined=f"unimplemented S390x relocation: {name}")


_CALL, _SLOT = Reach(".plt"), Reach(".got")
_IN_PCREL = "unknown symbol {} in pcrel"
HOST = {
    1: HostReloc("R_390_8", 1, rt.R_ADDR),
    3: HostReloc("R_390_16", 2, rt.R_ADDR),
    4: HostReloc("R_390_32", 4, rt.R_ADDR),
    5: HostReloc("R_390_PC32", 4, rt.R_PCREL, 4, undefined=_IN_PCREL),
    7: _unwritten("R_390_GOT32", 4),
    8: HostReloc("R_390_PLT32", 4, rt.R_PCREL, 4, _CALL),
    10: _unwritten("R_390_GLOB_DAT", 8),
    12: _unwritten("R_390_RELATIVE", 8),
    13: HostReloc("R_390_GOTOFF", 8, rt.R_GOTOFF),
    14: HostReloc("R_390_GOTPC", 8, rt.R_PCREL, 8, table=True),
    15: _unwritten("R_390_GOT16", 2),
    16: HostReloc("R_390_PC16", 2, rt.R_PCREL, 2, undefined=_IN_PCREL),
    17: HostReloc("R_390_PC16DBL", 2, R_PCRELDBL, 2),
    18: HostReloc("R_390_PLT16DBL", 2, R_PCRELDBL, 2, _CALL),
    19: HostReloc("R_390_PC32DBL", 4, R_PCRELDBL, 4),
    20: HostReloc("R_390_PLT32DBL", 4, R_PCRELDBL, 4, _CALL),
    21: HostReloc("R_390_GOTPCDBL", 4, R_PCRELDBL, 4, table=True),
    22: HostReloc("R_390_64", 8, rt.R_ADDR),
    23: HostReloc("R_390_PC64", 8, rt.R_PCREL, 8, undefined=_IN_PCREL),
    24: _unwritten("R_390_GOT64", 8),
    25: HostReloc("R_390_PLT64", 8, rt.R_PCREL, 8, _CALL),
    26: HostReloc("R_390_GOTENT", 4, R_PCRELDBL, 4, _SLOT, slot=True),
}
LINKAGE = Linkage(
    interpreters=("/lib/ld64.so.1", "/lib/ld-musl-s390x.so.1"),
    jump_slot=R_390_JMP_SLOT,
    glob_dat=R_390_GLOB_DAT,
    relative=R_390_RELATIVE,
    first=Stub(
        b"\xe3\x10\xf0\x38\x00\x24"  # stg %r1, 56(%r15)
        b"\xc0\x10\0\0\0\0"  # larl %r1, .got.plt
        b"\xd2\x07\xf0\x30\x10\x08"  # mvc 48(8, %r15), 8(%r1)
        b"\xe3\x10\x10\x10\x00\x04"  # lg %r1, 16(%r1)
        b"\x07\xf1"  # br %r1
        b"\x07\x00\x07\x00\x07\x00",  # nopr
        (StubReloc(8, 4, R_PCRELDBL, ".got.plt", 6),),
    ),
    reserved=(".dynamic", 0, 0),
    entry=_entry,
    lazy=lambda at: at + 14,
    entsize=32,
    in_text={rt.R_CALL: _CALL, R_PCRELDBL: _CALL, rt.R_ADDR: Reach(".got")},
    in_data={},
    hash_word=8,
    host=HOST,
)

# Before Go 1.27 the oracle leads nothing of Go's to a shared library.
_BEFORE_127 = {
    "linkage": evolve(LINKAGE, slots=".got", in_text={}, relative=None),
    "internal_pie": False,
}

ARCH = Architecture(
    name="s390x",
    goarch="s390x",
    ptrsize=8,
    byteorder="big",
    func_align=16,
    max_align=32,
    min_align=2,
    pc_quantum=2,
    code_pad=b"\0",
    text_base=0x10000 + 4096,
    round=0x10000,
    elf_machine=22,
    elf_flags=1,
    dwarf_sp=15,
    dwarf_lr=14,
    regabi=True,
    has_lr=True,
    relocs=RELOCS,
    calls=frozenset({rt.R_CALL}),
    addmoduledata=ADDMODULEDATA,
    linkage=LINKAGE,
    # The field begins two bytes after the call's start (ld/pcln.go:174).
    deferreturn=-2,
    host_flags=("-m64",),
    at_release={
        "1.24": {
            **_BEFORE_127,
            "regabi": False,
            "off_by_default": frozenset({"spinbitmutex"}),
        },
        "1.25": {**_BEFORE_127, "regabi": False},
        "1.26": _BEFORE_127,
    },
)
