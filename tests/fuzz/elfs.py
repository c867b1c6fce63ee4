"""Edits of ELF files: C objects in archives, and shared libraries.

The places are named by what a linker reads there: fields of the header, of section headers, of
symbols and relocations, the content of sections, names. An edit of one has a kind that begins with
"elf"; ``symbol`` names the section that it is about (``nth`` of those with that name), "" for the
header and the tables of headers, whose row is in ``row``. A symbol may be named in ``text``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from random import Random

import attrs
import numpy as np

from linkpipe.arrays.types import Structs
from linkpipe.formats import elf
from linkpipe.formats.archive import AR_MAGIC
from linkpipe.formats.elf import SectionType
from tests.fuzz.record import Edit, number

_AR_HEADER = 60
_SYMBOLS = (SectionType.SYMTAB, SectionType.DYNSYM)
_RELOCS = (SectionType.REL, SectionType.RELA)
KINDS: Mapping[str, int] = {
    "elf header": 6,
    "elf sections": 28,
    "elf symbols": 24,
    "elf relocs": 22,
    "elf content": 8,
    "elf names": 6,
    "elf bits": 6,
}
"""What of an ELF file can be changed, and how often of a hundred; segments where there are some."""
ARCHIVE_KINDS = ("armap", "archive of C objects")


@attrs.define(eq=False, slots=False)
class ElfFile:
    """An ELF file: ``size`` bytes of ``data`` from ``at`` on. ``data`` may be written to."""

    data: bytearray
    at: int
    size: int

    @property
    def kind(self) -> tuple[int, str]:
        """Class and byte order."""
        return self.data[self.at + 4], "<" if self.data[self.at + 5] == 1 else ">"

    @property
    def header(self) -> Structs:
        """The header without its first 16 bytes, one row."""
        return np.frombuffer(self.data, elf.file_dtype(*self.kind), 1, self.at + 16)

    @property
    def sections(self) -> Structs:
        header = self.header[0]
        at, count = self.at + int(header["shoff"]), int(header["shnum"])
        return np.frombuffer(self.data, elf.section_dtype(*self.kind), count, at)

    @property
    def segments(self) -> Structs:
        header = self.header[0]
        at, count = self.at + int(header["phoff"]), int(header["phnum"])
        return np.frombuffer(self.data, elf.segment_dtype(*self.kind), count, at)

    def bounds(self, section: int) -> tuple[int, int]:
        """Where a section's content lies in ``data``."""
        record = self.sections[section]
        begin = self.at + int(record["offset"])
        size = 0 if record["type"] == SectionType.NOBITS else int(record["size"])
        return begin, begin + size

    @cached_property
    def names(self) -> list[str]:
        """The sections' names."""
        begin, end = self.bounds(int(self.header[0]["shstrndx"]))
        table = bytes(self.data[begin:end])
        starts = self.sections["name"].tolist()
        return [table[at:].partition(b"\0")[0].decode("latin-1") for at in starts]

    def section(self, name: str, nth: int) -> int:
        """The number of a section."""
        return [row for row, found in enumerate(self.names) if found == name][nth]

    def table(self, kind: str, section: int = 0) -> Structs:
        """The records that edits of a kind are of, to be written to."""
        if kind == "elf header":
            return self.header
        if kind == "elf sections":
            return self.sections
        if kind == "elf segments":
            return self.segments
        rela = bool(self.sections["type"][section] == SectionType.RELA)
        relocs = kind == "elf relocs"
        dtype = elf.reloc_dtype(*self.kind, rela=rela) if relocs else elf.symbol_dtype(*self.kind)
        begin, end = self.bounds(section)
        return np.frombuffer(self.data, dtype, (end - begin) // dtype.itemsize, begin)

    def symbol(self, section: int, name: bytes) -> int:
        """The first symbol of that name in a table."""
        begin, end = self.bounds(int(self.sections["link"][section]))
        at = self.data.index(b"\0%s\0" % name, begin, end) + 1 - begin
        return self.table("elf symbols", section)["name"].tolist().index(at)

    def append(self, section: int, content: bytes) -> None:
        """Put a section's content, and more, at the end of the file, whose place in its archive
        grows; what an archive says of where its members are is kept right."""
        begin, end = self.bounds(section)
        record = self.sections[section]
        moved = bytes(self.data[begin:end]) + content
        room = -self.size % 8
        record["offset"], record["size"] = self.size + room, len(moved)
        stop = self.at + self.size
        new = b"\0" * room + moved
        in_archive = self.data[: len(AR_MAGIC)] == AR_MAGIC
        old, self.size = self.size & 1 if in_archive else 0, self.size + len(new)
        rest = bytes(self.data[stop + old :])
        if in_archive:
            self.data[self.at - 12 : self.at - 2] = b"%-10d" % self.size
            new += b"\n" * (self.size & 1)
            _shift(self.data, stop, len(new) - old)
        self.data = self.data[:stop] + new + rest


def _shift(data: bytearray, beyond: int, by: int) -> None:
    """Change what the map of an archive says of members beyond a place."""
    begin = len(AR_MAGIC) + _AR_HEADER
    if data[len(AR_MAGIC) : begin].startswith(b"/ "):
        words = np.frombuffer(
            data, ">u4", 1 + int.from_bytes(data[begin : begin + 4], "big"), begin
        )
        words[1:][words[1:] >= beyond] += np.uint32(by)


def members(data: bytes) -> list[tuple[int, int]]:
    """Where the content of an archive's members lies, and their sizes; of another file, itself."""
    if data[: len(AR_MAGIC)] != AR_MAGIC:
        return [(0, len(data))]
    found, at = [], len(AR_MAGIC)
    while at + _AR_HEADER <= len(data):
        size = int(data[at + 48 : at + 58])
        found.append((at + _AR_HEADER, size))
        at += _AR_HEADER + size + (size & 1)
    return found


def elf_files(data: bytearray) -> list[ElfFile]:
    """The ELF files in an archive, or the one that this is."""
    whole = bytes(data)
    return [
        ElfFile(data, at, size) for at, size in members(whole) if whole[at : at + 4] == elf.MAGIC
    ]


def change(data: bytearray, edit: Edit) -> bytearray:
    """The data with an edit made."""
    found = elf_files(data)
    if edit.object >= len(found):  # another edit's bit made it something else
        return data
    target = found[edit.object]
    if edit.kind == "elf bits":
        target.data[target.at + edit.row] ^= 1 << edit.value
        return target.data
    section = target.section(edit.symbol, edit.nth) if edit.symbol else 0
    if edit.kind == "elf content":
        begin, end = target.bounds(section)
        new = edit.text.encode("latin-1")[: max(end - begin - edit.other, 0)]
        target.data[begin + edit.other : begin + edit.other + len(new)] = new
        return target.data
    if edit.kind == "elf names":
        return _name(target, section, edit)
    if edit.kind == "elf symbols" and edit.text:
        edit = attrs.evolve(edit, row=target.symbol(section, edit.text.encode()))
    if edit.how == "append":
        table = target.table(edit.kind, section)
        rows = table[edit.row : edit.row + 1].tobytes() * edit.value
        target.append(section, rows)
        return target.data
    table = target.table(edit.kind, section)
    if edit.how == "set":
        size = table.dtype[edit.field].itemsize
        kept = (edit.value & ((1 << 8 * size) - 1)).to_bytes(size, "little")
        little = table.dtype[edit.field].newbyteorder("<")
        table[edit.field][edit.row : edit.row + 1] = np.frombuffer(kept, little)
        return target.data
    first, second = table[edit.row].copy(), table[edit.other].copy()
    table[edit.row] = second
    if edit.how == "swap":
        table[edit.other] = first
    return target.data


def _name(target: ElfFile, section: int, edit: Edit) -> bytearray:
    """Give a section (no ``symbol``) or a symbol of a table another name."""
    kind = "elf symbols" if edit.symbol else "elf sections"
    table = target.table(kind, section)
    if edit.symbol:
        strings = int(target.sections["link"][section])
    else:
        strings = int(target.header[0]["shstrndx"])
    begin, end = target.bounds(strings)
    table["name"][edit.row] = end - begin
    target.append(strings, edit.text.encode("latin-1") + b"\0")
    return target.data


@attrs.frozen(eq=False, slots=False)
class ElfTarget:
    """An ELF file that edits are drawn for: the ``number``th in ``file``."""

    file: str
    number: int
    elf: ElfFile

    @cached_property
    def named(self) -> list[tuple[str, int]]:
        """For each section its name, and which of that name it is."""
        names = self.elf.names
        return [(name, names[:row].count(name)) for row, name in enumerate(names)]

    def of_type(self, *types: int) -> list[int]:
        """The sections of some types that are not empty and have a name."""
        found = np.flatnonzero(np.isin(self.elf.sections["type"], types)).tolist()
        return [row for row in found if self.named[row][0] and self.elf.sections["size"][row]]

    @cached_property
    def relocs(self) -> list[int]:
        """Tables of relocations, those of what is in memory doubly."""
        sections = self.elf.sections
        found = self.of_type(*_RELOCS)
        alloc = [
            row
            for row in found
            if sections["flags"][int(sections["info"][row])] & np.uint64(elf.SHF_ALLOC)
            and not self.named[row][0].endswith("eh_frame")
        ]
        return found + 4 * alloc

    @cached_property
    def symbols(self) -> list[int]:
        """The tables of symbols that a linker reads: the dynamic ones where there are some."""
        return self.of_type(SectionType.DYNSYM) or self.of_type(SectionType.SYMTAB)

    @cached_property
    def kept(self) -> list[int]:
        """The sections that are in memory, notes, and what tables are of, doubly."""
        flags = self.elf.sections["flags"]
        every = list(range(len(flags)))
        alloc = [row for row in every if flags[row] & np.uint64(elf.SHF_ALLOC)]
        tables = self.of_type(*_SYMBOLS, *_RELOCS, SectionType.STRTAB, SectionType.NOTE)
        return every + 3 * alloc + tables


NAMES = (
    "main.main runtime.text runtime.etext runtime.rodata type:* go:string.* .got .plt .toc "
    "_GLOBAL_OFFSET_TABLE_ c_total c_back puts environ helper_divide __stack_chk_fail_local .L0 "
    ".LASF1 .Ldebug_x .Lline_table_start0 $d $x .text .data .bss .rodata .init_array .ctors "
    ".note.GNU-stack .eh_frame .tdata .symtab .strtab .debug_info _end runtime.tlsg go:buildid"
).split()
_ODD: Mapping[str, Sequence[int]] = {
    "flags": (*range(8), 0x10, 0x30, 0x400, 0x403, 0x800, 0x200, 0x80000000),
    "type": (*range(20), 0x6FFFFFF6, 0x70000001, 0x6FFFFFFF),
    "info": (*(bind << 4 | kind for bind in (0, 1, 2, 3, 10) for kind in range(11)), 0xFF),
    "section": (0, 1, 2, 3, 0xFEFF, 0xFF00, 0xFFF1, 0xFFF2, 0xFFFF),
    "other": (0, 1, 2, 3, 4, 0x60, 0x80, 0xFF),
    "align": (0, 1, 2, 3, 4, 8, 16, 32, 4096, 65536, 1 << 20, 1 << 30, 1 << 31, 1 << 32),
    "machine": (0, 3, 8, 22, 40, 62, 183, 243),
}


def draw_elf(chance: Random, target: ElfTarget, kind: str = "") -> Edit:
    """An edit of an ELF file."""
    if not kind:
        kinds = {**KINDS, **({"elf segments": 3} if len(target.elf.segments) else {})}
        kind = chance.choices(list(kinds), list(kinds.values()))[0]
    found = target.elf
    make = Edit(target.file, kind, "set", object=target.number)
    if kind == "elf bits":
        row, bit = chance.randrange(found.size), chance.randrange(8)
        return attrs.evolve(make, how="flip", row=row, value=bit)
    if kind == "elf content":
        section = chance.choice([row for row in target.kept if target.named[row][0]])
        begin, end = found.bounds(section)
        width = chance.choice([1, 2, 4, 8])
        at = chance.randrange(max(end - begin - width + 1, 1))
        old = int.from_bytes(found.data[begin + at : begin + at + width], "little")
        value = number(chance, old, width, [0]) & ((1 << 8 * width) - 1)
        text = value.to_bytes(width, "little").decode("latin-1")
        return attrs.evolve(_of(make, target, section), how="bytes", other=at, text=text)
    section = 0
    if kind == "elf names":
        if chance.random() < 0.7:
            section = chance.choice(target.symbols)
        rows = len(found.table("elf symbols", section)) if section else len(found.sections)
        text = chance.choice([*NAMES, chance.choice(found.names), ""])
        text = chance.choice([text, text, text, text + "x", text + "\xff"])
        row = chance.randrange(rows)
        return attrs.evolve(_of(make, target, section), how="name", row=row, text=text)
    if kind == "elf relocs" and target.relocs:
        section = chance.choice(target.relocs)
    elif kind in ("elf symbols", "elf relocs"):
        make = attrs.evolve(make, kind="elf symbols")
        section = chance.choice(target.symbols)
    return _draw_record(chance, target, _of(make, target, section), section)


def _of(make: Edit, target: ElfTarget, section: int) -> Edit:
    """The edit, of a section."""
    name, nth = target.named[section]
    return attrs.evolve(make, symbol=name, nth=nth)


def _draw_record(chance: Random, target: ElfTarget, make: Edit, section: int) -> Edit:
    """An edit of a record in a table."""
    table = target.elf.table(make.kind, section)
    row = chance.randrange(len(table))
    if make.kind == "elf sections":
        row = chance.choice(target.kept)
    dice, other = chance.random(), chance.randrange(len(table))
    if make.kind in ("elf symbols", "elf relocs") and dice < 0.06:
        return attrs.evolve(make, how="append", row=row, value=chance.choice([1, 2, 100]))
    if make.kind != "elf header" and dice < 0.16:
        return attrs.evolve(make, how=chance.choice(["swap", "copy"]), row=row, other=other)
    name = chance.choice(table.dtype.names or ())
    size, others = table.dtype[name].itemsize, table[name].tolist()
    old = others[row]
    value = number(chance, old, size, others)
    odd = _ODD.get(name) if make.kind != "elf relocs" else None
    if make.kind == "elf relocs" and name == "info" and chance.random() < 0.8:
        value = _info(chance, target, section, old)
    elif odd and chance.random() < 0.5:
        value = chance.choice(odd)
    return attrs.evolve(make, row=row, field=name, value=value)


def _info(chance: Random, target: ElfTarget, section: int, old: int) -> int:
    """Another type, or another symbol, for a relocation."""
    shift = 32 if target.elf.kind[0] == elf.CLASS64 else 8
    type_, symbol = old & ((1 << shift) - 1), old >> shift
    if chance.random() < 0.5:
        link = int(target.elf.sections["link"][section])
        count = len(target.elf.table("elf symbols", link))
        return chance.randrange(count + 2) << shift | type_
    most = chance.choice([12, 45, 45, 256, 600])
    return symbol << shift | chance.randrange(most)


def draw_around(chance: Random, file: str, data: bytes) -> Edit:
    """An edit of what stands around C objects in an archive: headers of members, the map."""
    starts = [at for at, _ in members(data)]
    if data[len(AR_MAGIC) :].startswith(b"/ ") and chance.random() < 0.5:
        begin, size = members(data)[0]
        count = int.from_bytes(data[begin : begin + 4], "big")
        at = begin + 4 * chance.randrange(count + 1)
        if chance.random() < 0.2:
            at = begin + chance.randrange(size - 3)
        old = int.from_bytes(data[at : at + 4], "big")
        others = [start - _AR_HEADER for start in starts]
        value = number(chance, old, 4, others) & 0xFFFFFFFF
        text = value.to_bytes(4, "big").decode("latin-1")
        return Edit(file, "armap", "splice", row=at, other=4, text=text)
    start = chance.choice(starts)
    at = chance.choice([start - chance.randrange(1, 61), start - 12 + chance.randrange(12)])
    new = chance.choice([data[at] ^ (1 << chance.randrange(8)), 0, 10, 32, 47, 48, 57, 0xFF])
    text = chance.choice([chr(new), chr(new), chr(new), "", chr(data[at]) * 2])
    cut = 1 if chance.random() < 0.9 else len(data) - at
    return Edit(file, "archive of C objects", "splice", row=at, other=cut, text=text)
