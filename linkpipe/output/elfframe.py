"""The frame of an ELF file: what executables and objects write alike.

The first page holds the headers; behind the segments stand symbols, strings, section names and
relocations (cmd/link/internal/ld/elf.go, asmbElf, elfshbits, elfWriteShstrtab).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager

import numpy as np

from linkpipe.arch import Architecture
from linkpipe.arrays.align import round_up
from linkpipe.arrays.types import U8
from linkpipe.errors import InputError, UserError
from linkpipe.formats import elf
from linkpipe.formats.elf import ProgramHeader, SectionHeader, SectionType
from linkpipe.tables.elfsymtab import ABSOLUTE, UNDEFINED, ElfSymtab
from linkpipe.tables.sections import Section, Sections, Segment
from linkpipe.values import evolve

Piece = tuple[int, bytes]
"""An offset in the file, and the bytes there."""
Room = Callable[[int], AbstractContextManager[U8]]
"""Room for a file of so many bytes, in which the segments stand already (`Link.longer`)."""


class ElfFrame:
    """Writes one ELF file around the segments of a link."""

    type = elf.FileType.REL

    def __init__(
        self,
        arch: Architecture,
        sections: Sections,
        symtab: ElfSymtab,
        room: Room,
        overlays: Sequence[Piece],
    ) -> None:
        self.arch, self.sections, self.symtab = arch, sections, symtab
        self.room, self.overlays = room, overlays
        self.cls, self.endian = arch.elf_class, arch.endian
        self.rel = ".rela" if arch.rela else ".rel"

    def in_file_order(self) -> list[tuple[int, Section, Segment]]:
        """All sections in file order, with their rows and segments."""
        return [
            (row, self.sections[row], segment)
            for segment in self.sections.segments
            for row in segment.sections
        ]

    def header_of(self, section: Section, segment: Segment) -> SectionHeader:
        """The section header for one section of a segment."""
        in_file = section.vaddr < segment.vaddr + segment.filesize
        type_ = SectionType.PROGBITS if in_file else SectionType.NOBITS
        if section.name == ".init_array" and in_file:
            type_ = SectionType.INIT_ARRAY
        elif section.name.startswith(".note."):
            type_ = SectionType.NOTE
        flags = elf.SHF_ALLOC
        flags |= elf.SHF_EXECINSTR if section.rwx & 1 else 0
        flags |= elf.SHF_WRITE if section.rwx & 2 else 0
        offset = segment.fileoff + section.vaddr - segment.vaddr
        addr = 0 if self.type == elf.FileType.REL else section.vaddr
        if section.name == ".tbss":
            type_, flags, offset = SectionType.NOBITS, flags | elf.SHF_TLS, 0
        if segment.name == "dwarf":
            flags, addr = elf.SHF_COMPRESSED if section.compressed else 0, 0
        return SectionHeader(
            section.name, type_, flags, addr, offset, section.size, align=section.align
        )

    def write(
        self,
        headers: list[SectionHeader],
        number: Mapping[int, int],
        *,
        segments: Iterable[ProgramHeader] = (),
        entry: int = 0,
        notes: Iterable[Piece] = (),
        relocs: Mapping[int, bytes] | None = None,
        listed: Sequence[str] = (),
    ) -> U8:
        """The whole file: uint8[n], read-only.

        ``headers`` are all section headers in order; those of tables that stand behind the segments
        need only their names, the rest is filled in here. ``number`` maps rows of Sections to
        section numbers, ``relocs`` those of relocation sections to their records. Names of sections
        stand in the order in which they are ``listed``, if they are.
        """
        at = max(s.fileoff + s.filesize for s in self.sections.segments)
        at = round_up(at, self.arch.ptrsize)
        place = {header.name: i for i, header in enumerate(headers)}
        for i, header in enumerate(headers):
            # Code may be parted in sections of one name.
            if place[header.name] != i and header.name.removeprefix(self.rel) != ".text":
                raise InputError(
                    f"there are two sections of the name {header.name}",
                    symbol=header.name,
                    remedy="a pass brings one that the link has anyhow: give it another name",
                )
        wanted = [header.name for header in headers]
        names, name_at = (
            elf.listed_table(listed, wanted)
            if listed
            else elf.shared_suffix_table(wanted, self.rel)
        )
        headers, pieces = list(headers), [*self.overlays, *notes]
        tables = [
            (place[header.name], header, content) for header, content in self._tables(place, number)
        ]
        shstrtab = SectionHeader(".shstrtab", SectionType.STRTAB, align=1)
        tables.append((place[".shstrtab"], shstrtab, names))
        tables += [(i, headers[i], content) for i, content in (relocs or {}).items()]
        for i, header, content in tables:
            if header.type in (SectionType.RELA, SectionType.REL):
                at = round_up(at, 8)
            headers[i] = evolve(header, offset=at, size=len(content))
            pieces.append((at, content))
            at += len(content)
        pieces += self._headers(headers, name_at, place[".shstrtab"], list(segments), entry)
        self._check_room(pieces)
        with self.room(at) as image:
            view = memoryview(image)
            for start, content in pieces:
                view[start : start + len(content)] = content
        return image

    def _tables(
        self, place: Mapping[str, int], number: Mapping[int, int]
    ) -> list[tuple[SectionHeader, bytes]]:
        """The symbol table and its strings, unless the link leaves them out."""
        table = self.symtab
        if not len(table):
            return []
        dtype = elf.symbol_dtype(self.cls, self.endian)
        numbers = np.zeros(len(self.sections) + 2, np.int64)
        numbers[list(number)] = list(number.values())
        # The two kinds of "no section" are negative rows, which index from the end.
        numbers[UNDEFINED], numbers[ABSOLUTE] = elf.SHN_UNDEF, elf.SHN_ABS
        out = np.zeros(len(table), dtype)
        for name in ("name", "info", "other", "value", "size"):
            out[name] = getattr(table, name)
        out["section"] = numbers[table.section]
        symtab = SectionHeader(
            ".symtab",
            SectionType.SYMTAB,
            link=place[".strtab"],
            info=table.first_global,
            align=self.arch.ptrsize,
            entsize=dtype.itemsize,
        )
        strtab = SectionHeader(".strtab", SectionType.STRTAB, align=1)
        return [(symtab, out.tobytes()), (strtab, table.strings)]

    def _headers(
        self,
        headers: list[SectionHeader],
        names: list[int],
        shstrndx: int,
        segments: list[ProgramHeader],
        entry: int,
    ) -> list[Piece]:
        size = elf.header_size(self.cls)
        program = elf.program_headers(segments, self.cls, self.endian)
        section = elf.section_headers(headers, names, self.cls, self.endian)
        file = elf.FileHeader(
            self.cls,
            self.endian,
            self.type,
            self.arch.elf_machine,
            self.arch.elf_flags,
            entry,
            size if segments else 0,
            len(segments),
            size + len(program),
            len(headers),
            shstrndx,
        )
        return [
            (0, file.to_bytes()),
            (size, program),
            (size + len(program), section),
        ]

    def _check_room(self, pieces: list[Piece]) -> None:
        """Headers and notes share the first page."""
        room = self.arch.header_room
        used = sum(len(content) for start, content in pieces if start < room)
        if used > room:
            texts = sum(section.name == ".text" for section in self.sections.items)
            # The oracle counts on more room for the headers of many.
            name = "ELFRESERVE" if texts <= 4 else "HEADR"
            raise UserError(
                f"{name} too small: {used} > {room} with {texts} text sections",
                status=2,
                label="",
                remedy="make what -buildid, -B and -I put there shorter, or -debugtextsize larger; "
                "the rest are headers of sections",
            )
