"""ELF: constants, and writers from values and columns to bytes. Nothing here knows a link.

Both classes (32 and 64 bit) and both byte orders are written by the same code: the records are
structured dtypes chosen by (class, byte order).

Specification: System V ABI, chapters 4 and 5 (https://gabi.xinuos.com).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum

import numpy as np

from linkpipe.arrays.align import padded
from linkpipe.arrays.types import I64, Ints, Structs
from linkpipe.values import Value, evolve, record

MAGIC = b"\x7fELF"
CLASS32, CLASS64 = 1, 2


class FileType(IntEnum):
    """e_type."""

    REL = 1
    EXEC = 2
    DYN = 3


class SectionType(IntEnum):
    """sh_type."""

    NULL = 0
    PROGBITS = 1
    SYMTAB = 2
    STRTAB = 3
    RELA = 4
    HASH = 5
    DYNAMIC = 6
    NOTE = 7
    NOBITS = 8
    REL = 9
    DYNSYM = 11
    INIT_ARRAY = 14
    GNU_VERDEF = 0x6FFFFFFD
    GNU_VERNEED = 0x6FFFFFFE
    GNU_VERSYM = 0x6FFFFFFF


SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR, SHF_TLS, SHF_COMPRESSED = 0x1, 0x2, 0x4, 0x400, 0x800
COMPRESS_ZLIB = 1


class SegmentType(IntEnum):
    """p_type."""

    LOAD = 1
    DYNAMIC = 2
    INTERP = 3
    NOTE = 4
    PHDR = 6
    TLS = 7
    GNU_STACK = 0x6474E551
    GNU_RELRO = 0x6474E552


PF_X, PF_W, PF_R = 1, 2, 4
SHN_UNDEF, SHN_ABS = 0, 0xFFF1
STB_LOCAL, STB_GLOBAL = 0, 1
STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_SECTION, STT_FILE, STT_TLS = 0, 1, 2, 3, 4, 6
STV_DEFAULT, STV_HIDDEN = 0, 2


def header_size(elf_class: int) -> int:
    """Bytes of the file header."""
    return 64 if elf_class == CLASS64 else 52


def _dtype(fields: str, endian: str) -> np.dtype[np.void]:
    return np.dtype([(f, endian + t) for f, t in (x.split(":") for x in fields.split())])


def segment_dtype(elf_class: int, endian: str) -> np.dtype[np.void]:
    """A program header; ``endian`` is "<" or ">", as for all dtypes here."""
    if elf_class == CLASS64:
        return _dtype(
            "type:u4 flags:u4 offset:u8 vaddr:u8 paddr:u8 filesize:u8 memsize:u8 align:u8", endian
        )
    return _dtype(
        "type:u4 offset:u4 vaddr:u4 paddr:u4 filesize:u4 memsize:u4 flags:u4 align:u4", endian
    )


def section_dtype(elf_class: int, endian: str) -> np.dtype[np.void]:
    """A section header."""
    w = "u8" if elf_class == CLASS64 else "u4"
    return _dtype(
        f"name:u4 type:u4 flags:{w} addr:{w} offset:{w} size:{w} "
        f"link:u4 info:u4 align:{w} entsize:{w}",
        endian,
    )


def symbol_dtype(elf_class: int, endian: str) -> np.dtype[np.void]:
    """A symbol: 24 bytes (class 64) or 16."""
    if elf_class == CLASS64:
        return _dtype("name:u4 info:u1 other:u1 section:u2 value:u8 size:u8", endian)
    return _dtype("name:u4 value:u4 size:u4 info:u1 other:u1 section:u2", endian)


def reloc_dtype(elf_class: int, endian: str, *, rela: bool) -> np.dtype[np.void]:
    """A relocation, with its addend ("RELA") or without ("REL"). ``info`` holds symbol and type,
    see `reloc_info`."""
    w, i = ("u8", "i8") if elf_class == CLASS64 else ("u4", "i4")
    return _dtype(f"offset:{w} info:{w}" + (f" addend:{i}" if rela else ""), endian)


def reloc_info(elf_class: int, symbol: Ints, type_: Ints) -> I64:
    """The ``info`` field of relocations: int64[n]."""
    shift = 32 if elf_class == CLASS64 else 8
    return (symbol.astype(np.int64) << shift) | type_.astype(np.int64)


def file_dtype(elf_class: int, endian: str) -> np.dtype[np.void]:
    """The file header, without the 16 bytes of identification before it."""
    w = "u8" if elf_class == CLASS64 else "u4"
    return _dtype(
        f"type:u2 machine:u2 version:u4 entry:{w} phoff:{w} shoff:{w} flags:u4 "
        "ehsize:u2 phentsize:u2 phnum:u2 shentsize:u2 shnum:u2 shstrndx:u2",
        endian,
    )


@record
class FileHeader(Value):
    """The file header; offsets in bytes from the file's start, 0 for a table that is not there."""

    elf_class: int
    endian: str
    type: FileType
    machine: int
    flags: int
    entry: int
    segments_at: int
    segments: int
    sections_at: int
    sections: int
    names: int

    def to_bytes(self) -> bytes:
        """The header: 64 or 52 bytes."""
        ident = MAGIC + bytes((self.elf_class, 1 if self.endian == "<" else 2, 1, 0, *([0] * 8)))
        phentsize = segment_dtype(self.elf_class, self.endian).itemsize if self.segments_at else 0
        row = (
            int(self.type),
            self.machine,
            1,
            self.entry,
            self.segments_at,
            self.sections_at,
            self.flags,
            header_size(self.elf_class),
            phentsize,
            self.segments,
            section_dtype(self.elf_class, self.endian).itemsize,
            self.sections,
            self.names,
        )
        return ident + np.array(row, file_dtype(self.elf_class, self.endian)).tobytes()


@record
class ProgramHeader(Value):
    """One program header; the physical address is the virtual one."""

    type: SegmentType
    flags: int
    offset: int = 0
    vaddr: int = 0
    filesize: int = 0
    memsize: int = 0
    align: int = 0

    def from_page_start(self) -> ProgramHeader:
        """The same, begun at a multiple of its alignment: loaders map whole pages."""
        frag = self.vaddr & (self.align - 1)
        return evolve(
            self,
            offset=self.offset - frag,
            vaddr=self.vaddr - frag,
            filesize=self.filesize + frag,
            memsize=self.memsize + frag,
        )


def program_headers(headers: Sequence[ProgramHeader], elf_class: int, endian: str) -> bytes:
    """The program header table."""
    out = np.zeros(len(headers), segment_dtype(elf_class, endian))
    _fill(out, headers, "type", "flags", "offset", "vaddr", "filesize", "memsize", "align")
    out["paddr"] = out["vaddr"]
    return out.tobytes()


def _fill(out: Structs, headers: Sequence[object], *names: str) -> None:
    """Fields are unsigned and wrap around, as the oracle's do: what lies before a text at a low
    address (flag -T), or is rounded down to a large page, may have an address or an offset below
    zero."""
    for name in names:
        most = (1 << 8 * out.dtype[name].itemsize) - 1
        out[name] = [getattr(header, name) & most for header in headers]


@record
class SectionHeader(Value):
    """One section header, with the name as text and ``link`` and ``info`` as numbers."""

    name: str
    type: int = SectionType.NULL
    flags: int = 0
    addr: int = 0
    offset: int = 0
    size: int = 0
    link: int = 0
    info: int = 0
    align: int = 0
    entsize: int = 0


def section_headers(
    headers: Sequence[SectionHeader], names: Sequence[int], elf_class: int, endian: str
) -> bytes:
    """The section header table; ``names`` are offsets in the section name table."""
    out = np.zeros(len(headers), section_dtype(elf_class, endian))
    out["name"] = names
    _fill(
        out, headers, "type", "flags", "addr", "offset", "size", "link", "info", "align", "entsize"
    )
    return out.tobytes()


def string_table(names: Sequence[bytes], *, start: int = 1) -> tuple[bytes, I64]:
    """Names end to end, each closed by a zero byte, and where each starts.

    ``start`` counts the bytes that stand before the first one (a string table opens with the empty
    name); they are not part of the result.
    """
    lengths = np.fromiter(map(len, names), np.int64, len(names)) + 1
    ends = np.cumsum(lengths)
    blob = b"\0".join(names) + b"\0" if len(names) else b""
    return blob, ends - lengths + start


def shared_suffix_table(names: Sequence[str], prefix: str) -> tuple[bytes, list[int]]:
    """The section name table: names with ``prefix`` (".rela") first, and other names inside of
    those where they are their tails (".text" in ".rela.text"). Returns the bytes and the offset of
    each name. The rule is the oracle's (ld/elf.go, elfWriteShstrtab)."""
    blob = bytearray(b"\0")
    at = {"": 0}
    for name in names:
        if name.startswith(prefix):
            at.setdefault(name[len(prefix) :], len(blob) + len(prefix))
            at[name] = len(blob)
            blob += name.encode() + b"\0"
    for name in names:
        if name not in at:
            at[name] = len(blob)
            blob += name.encode() + b"\0"
    return bytes(blob), [at[name] for name in names]


def listed_table(listed: Sequence[str], names: Sequence[str]) -> tuple[bytes, list[int]]:
    """A table of all names that are ``listed``, in that order and as often as they are, and of what
    ``names`` has beside them. Returns the bytes and the offset of each of ``names``."""
    blob, at = bytearray(), dict[str, int]()
    for name in (*listed, *sorted(set(names) - set(listed))):
        at.setdefault(name, len(blob))
        blob += name.encode() + b"\0"
    return bytes(blob), [at[name] for name in names]


def compression_dtype(elf_class: int, endian: str) -> np.dtype[np.void]:
    """What stands before the bytes of a compressed section: Elf32_Chdr or Elf64_Chdr."""
    if elf_class == CLASS64:
        return _dtype("type:u4 reserved:u4 size:u8 align:u8", endian)
    return _dtype("type:u4 size:u4 align:u4", endian)


def compression_header(size: int, align: int, elf_class: int, endian: str) -> bytes:
    """The header of a section compressed with zlib. ``size`` and ``align`` are those of the section
    as it was."""
    out = np.zeros(1, compression_dtype(elf_class, endian))
    out["type"], out["size"], out["align"] = COMPRESS_ZLIB, size, align
    return out.tobytes()


def note_record(name: bytes, tag: int, description: bytes, endian: str) -> bytes:
    """A note record; ``name`` comes with its closing zero bytes, the description is padded to 4."""
    head = np.array([len(name), len(description), tag], f"{endian}u4").tobytes()
    return head + padded(name, 4) + padded(description, 4)


def join(parts: Iterable[tuple[int, bytes]], size: int) -> bytes:
    """A block of ``size`` bytes with each part at its offset, zeros between."""
    out = bytearray(size)
    for at, part in parts:
        out[at : at + len(part)] = part
    return bytes(out)
