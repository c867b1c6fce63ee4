"""elfimage: headers, notes, symbol table and relocation sections around the segments.

The file opens with one page for the ELF header, program headers, section headers and notes
(the notes are carved from the end of that page backwards); the segments follow, as `relocate`
left them; behind them stand the symbol table, its strings, the section names, and, in an object
for the host linker, the relocations.

An executable's section headers are sorted: what is loaded first, by address. An object's stay
in order of creation, which shows in the section numbers of its symbols.

Reads `image`, `sections`, `elf`, `elf_symtab`, `external_relocs`, `symbols`, `mode`; provides
`image`, now the whole file. Source: cmd/link/internal/ld/elf.go (asmbElf and what it calls).
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np
import numpy.typing as npt

from linkpipe.errors import InputError, PassError
from linkpipe.formats import elf
from linkpipe.formats.elf import ProgramHeader, SectionHeader, SectionType, SegmentType
from linkpipe.pass_api import Link, linkpass
from linkpipe.symkind import is_text
from linkpipe.tables.elfsymtab import ABSOLUTE, UNDEFINED
from linkpipe.tables.sections import Section, Segment

GNU_NOTE, GNU_BUILD_ID = b"GNU\0", 3
GO_NOTE, GO_BUILD_ID = b"Go\0\0", 4

_NEVER_RELOCATED = (".shstrtab", ".tbss", ".gopclntab")

Bytes = npt.NDArray[np.uint8]


@linkpass(
    requires=(
        "image",
        "sections",
        "elf",
        "elf_symtab",
        "external_relocs",
        "symbols",
        "mode",
    ),
    provides=("image",),
)
def elfimage(link: Link) -> Link:
    """Make the image a whole ELF file."""
    writer = _Object(link) if link.mode.external else _Executable(link)
    image = writer.write()
    image.setflags(write=False)
    return link.evolve(image=image)


@attrs.frozen
class _Note:
    """A note among the headers: its section, and its bytes."""

    header: SectionHeader
    content: bytes


class _File:
    """What executables and objects have in common."""

    type = elf.FileType.REL

    def __init__(self, link: Link) -> None:
        self.link, self.arch = link, link.arch
        self.cls, self.endian = link.arch.elf_class, link.arch.endian
        self.round = link.options.R if link.options.R != -1 else link.arch.round
        self.parts: list[tuple[int, bytes]] = []
        self.rel = ".rela" if link.arch.rela else ".rel"

    def segment_sections(self) -> list[tuple[int, Section, Segment]]:
        """All sections in file order, with their rows and segments."""
        sections = self.link.sections
        return [
            (row, sections[row], segment)
            for segment in sections.segments
            for row in segment.sections
        ]

    def header_of(self, section: Section, segment: Segment) -> SectionHeader:
        """The section header for one section of a segment."""
        in_file = section.vaddr < segment.vaddr + segment.filesize
        type_ = SectionType.PROGBITS if in_file else SectionType.NOBITS
        if section.name == ".init_array" and in_file:
            type_ = SectionType.INIT_ARRAY
        flags = elf.SHF_ALLOC
        flags |= elf.SHF_EXECINSTR if section.rwx & 1 else 0
        flags |= elf.SHF_WRITE if section.rwx & 2 else 0
        offset = segment.fileoff + section.vaddr - segment.vaddr
        addr = 0 if self.link.mode.external else section.vaddr
        if section.name == ".tbss":
            type_, flags, offset = SectionType.NOBITS, flags | elf.SHF_TLS, 0
        if section.name.startswith((".debug", ".zdebug")):
            flags, addr = elf.SHF_COMPRESSED if section.compressed else 0, 0
        return SectionHeader(
            section.name, type_, flags, addr, offset, section.size, align=section.align
        )

    def symtab_bytes(self, number: Mapping[int, int]) -> bytes:
        """The symbol table; ``number`` maps rows of Sections to section numbers."""
        table = self.link.elf_symtab
        numbers = np.zeros(len(self.link.sections) + 2, np.int64)
        for row, n in number.items():
            numbers[row] = n
        numbers[UNDEFINED], numbers[ABSOLUTE] = elf.SHN_UNDEF, elf.SHN_ABS
        out = np.zeros(len(table), elf.symbol_dtype(self.cls, self.endian))
        for name in ("name", "info", "other", "value", "size"):
            out[name] = getattr(table, name)
        out["section"] = numbers[table.section]
        return out.tobytes()

    def finish(
        self,
        headers: list[SectionHeader],
        number: Mapping[int, int],
        segments: list[ProgramHeader],
        entry: int,
        relocs: Mapping[str, bytes],
    ) -> Bytes:
        """Lay out what follows the segments, then write everything."""
        link, table = self.link, self.link.elf_symtab
        at = max(s.fileoff + s.filesize for s in link.sections.segments)
        at += -at % self.arch.ptrsize
        by_name = {h.name: i for i, h in enumerate(headers)}
        tail: list[tuple[int, bytes]] = []

        def put(name: str, content: bytes, **fields: int) -> None:
            nonlocal at
            i = by_name[name]
            headers[i] = attrs.evolve(headers[i], offset=at, size=len(content), **fields)
            tail.append((at, content))
            at += len(content)

        if len(table):
            put(
                ".symtab",
                self.symtab_bytes(number),
                type=SectionType.SYMTAB,
                link=by_name[".strtab"],
                info=table.first_global,
                align=self.arch.ptrsize,
                entsize=elf.symbol_dtype(self.cls, self.endian).itemsize,
            )
            put(".strtab", table.strings, type=SectionType.STRTAB, align=1)
        blob, names = elf.shared_suffix_table([h.name for h in headers], self.rel)
        put(".shstrtab", blob, type=SectionType.STRTAB, align=1)
        if relocs:
            at += -at % 8
        for name, content in relocs.items():
            put(name, content)
        self.parts += self._headers(headers, names, by_name[".shstrtab"], segments, entry)
        image = np.zeros(at, np.uint8)
        image[: len(link.image)] = link.image
        view = memoryview(image)
        for where, content in self.parts + tail:
            view[where : where + len(content)] = content
        return image

    def _headers(
        self,
        headers: list[SectionHeader],
        names: list[int],
        shstrndx: int,
        segments: list[ProgramHeader],
        entry: int,
    ) -> list[tuple[int, bytes]]:
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
        used = size + len(program) + len(section) + sum(len(c) for _, c in self.parts)
        if used > self.arch.header_room:
            raise PassError(
                f"ELFRESERVE too small: {used} > {self.arch.header_room}",
                name="elfimage",
                remedy="the file has more sections than the header page has room for",
            )
        return [(0, file.to_bytes()), (size, program), (size + len(program), section)]


class _Executable(_File):
    """A static executable."""

    type = elf.FileType.EXEC

    def write(self) -> Bytes:
        """The whole file."""
        link = self.link
        text = link.options.T if link.options.T != -1 else self.arch.text_base
        base = text - self.arch.header_room
        notes = self._notes(base)
        rows = [(row, self.header_of(s, seg)) for row, s, seg in self.segment_sections()]
        extra = [note.header for note in notes]
        if len(link.elf_symtab):
            extra += [SectionHeader(".symtab"), SectionHeader(".strtab")]
        extra.append(SectionHeader(".shstrtab"))
        every = [*rows, *((-1, header) for header in extra)]
        every.sort(key=_by_address)
        headers = [SectionHeader(""), *(header for _, header in every)]
        number = {row: i + 1 for i, (row, _) in enumerate(every) if row >= 0}
        for note in notes:
            self.parts.append((note.header.offset, note.content))
        return self.finish(headers, number, self._segments(base, notes), self._entry(text), {})

    def _notes(self, base: int) -> list[_Note]:
        """The notes, carved from the end of the header page backwards."""
        notes, end = [], self.arch.header_room
        prep = self.link.elf
        for name, owner, tag, text in (
            (".note.gnu.build-id", GNU_NOTE, GNU_BUILD_ID, prep.build_note),
            (".note.go.buildid", GO_NOTE, GO_BUILD_ID, prep.go_note),
        ):
            if text:
                content = elf.note(owner, tag, text, self.endian)
                at = end - len(content) - end % 4
                header = SectionHeader(
                    name, SectionType.NOTE, elf.SHF_ALLOC, base + at, at, len(content), align=4
                )
                notes.append(_Note(header, content))
                end = at
        return notes

    def _segments(self, base: int, notes: list[_Note]) -> list[ProgramHeader]:
        """The program headers."""
        after = elf.header_size(self.cls)
        item = elf.segment_dtype(self.cls, self.endian).itemsize
        out = [ProgramHeader(SegmentType.PHDR, elf.PF_R, after, base + after, align=self.round)]
        if notes:
            # One header for all notes; as the oracle's, it is the last note's.
            h = notes[-1].header
            out.append(
                ProgramHeader(SegmentType.NOTE, elf.PF_R, h.offset, h.addr, h.size, h.size, h.align)
            )
        for segment in self.link.sections.segments:
            if segment.name == "dwarf" or not (segment.sections or segment.name == "data"):
                continue
            load = self._load(segment)
            if segment.name == "text":
                # The program headers must be loaded too: the segment starts with them.
                grown = load.offset - after
                load = attrs.evolve(
                    load,
                    offset=after,
                    vaddr=base + after,
                    filesize=load.filesize + grown,
                    memsize=load.memsize + load.vaddr - base - after,
                )
            out.append(load.from_page_start())
            if segment.name == "relro":
                out.append(attrs.evolve(load, type=SegmentType.GNU_RELRO, flags=elf.PF_R))
        stack = ProgramHeader(SegmentType.GNU_STACK, elf.PF_R | elf.PF_W, align=self.arch.ptrsize)
        out.append(stack)
        size = len(out) * item
        out[0] = attrs.evolve(out[0], filesize=size, memsize=size)
        return out

    def _load(self, segment: Segment) -> ProgramHeader:
        flags = elf.PF_R if segment.rwx & 4 else 0
        flags |= elf.PF_W if segment.rwx & 2 else 0
        flags |= elf.PF_X if segment.rwx & 1 else 0
        return ProgramHeader(
            SegmentType.LOAD,
            flags,
            segment.fileoff,
            segment.vaddr,
            segment.filesize,
            segment.size,
            self.round,
        )

    def _entry(self, text: int) -> int:
        """The address that execution starts at (flag -E)."""
        name, symbols = self.link.options.E, self.link.symbols
        if name[:1].isdigit():
            try:
                return int(name, 0)
            except ValueError:
                return 0
        sym = symbols.lookup(name.encode("utf-8", "surrogateescape"))
        if not sym:
            raise InputError(
                f'missing entry symbol "{name}"',
                remedy="pass the name of a function of the program to -E",
                status=2,
            )
        if not symbols.kind[sym]:
            return text
        if not is_text(symbols.kind[[sym]])[0]:
            raise InputError(
                "entry not text", symbol=name, remedy="pass the name of a function to -E", status=2
            )
        return int(symbols.value[sym])


def _by_address(row: tuple[int, SectionHeader]) -> tuple[int, int, int]:
    """Loaded sections by address and size, then the others as they came."""
    header = row[1]
    if header.flags & elf.SHF_ALLOC:
        return 0, header.addr, header.size
    return 1, 0, 0


class _Object(_File):
    """A relocatable object for the host linker."""

    def write(self) -> Bytes:
        """The whole file."""
        headers, number = [SectionHeader("")], {}
        placed = self.segment_sections()
        for row, section, segment in placed:
            header = self.header_of(section, segment)
            if section.name.startswith(".note."):
                header = attrs.evolve(header, type=SectionType.NOTE, flags=elf.SHF_ALLOC)
            number[row] = len(headers)
            headers.append(header)
        symtab = len(headers)
        headers += [SectionHeader(name) for name in (".symtab", ".strtab", ".shstrtab")]
        dtype = elf.reloc_dtype(self.cls, self.endian, rela=self.arch.rela)
        relocs = self._relocs(dtype)
        kept = {}
        for row, section, _ in placed:
            header = headers[number[row]]
            if (
                header.type in (SectionType.NOBITS, SectionType.NOTE)
                or section.name in _NEVER_RELOCATED
            ):
                continue
            name = self.rel + section.name
            kept[name] = relocs[row]
            headers.append(
                SectionHeader(
                    name,
                    SectionType.RELA if self.arch.rela else SectionType.REL,
                    link=symtab,
                    info=number[row],
                    align=self.arch.ptrsize,
                    entsize=dtype.itemsize,
                )
            )
        headers.append(SectionHeader(".note.GNU-stack", SectionType.PROGBITS, align=1))
        return self.finish(headers, number, [], 0, kept)

    def _relocs(self, dtype: np.dtype[np.void]) -> list[bytes]:
        """The relocation records of each section, by row of Sections."""
        relocs, index = self.link.external_relocs, self.link.elf_symtab.index
        out = np.zeros(len(relocs), dtype)
        symbol = index[relocs.symbol]
        lost = np.flatnonzero(symbol == 0)
        if len(lost):
            row = int(lost[0])
            name = self.link.symbols.name(int(relocs.symbol[row]))
            raise InputError(
                f"reloc {int(relocs.type[row])} to non-elf symbol {name}",
                expected="a symbol that is in the ELF symbol table",
                remedy="a pass has left this symbol out of the symbol table",
                status=2,
            )
        out["offset"] = relocs.offset
        out["info"] = elf.reloc_info(self.cls, symbol, relocs.type)
        if self.arch.rela:
            out["addend"] = relocs.addend
        sections = len(self.link.sections)
        order = np.argsort(relocs.section, kind="stable")
        out = out[order]
        edges = np.searchsorted(relocs.section[order], np.arange(sections + 1))
        return [out[edges[i] : edges[i + 1]].tobytes() for i in range(sections)]
