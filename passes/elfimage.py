"""elfimage: headers, notes, symbol table and relocation sections around the segments.

The file opens with one page for the ELF header, program headers, section headers and notes
(the notes are carved from the end of that page backwards); the segments follow, as `relocate`
left them; behind them stand the symbol table, its strings, the section names, and, in an object
for the host linker, the relocations.

An executable's section headers are sorted, what is loaded first, by address, where the release
sorts them. An object's stay in order of creation, which shows in the section numbers of its
symbols.

A dynamically linked executable names its dynamic linker, right below the text and above the notes,
and says where .dynamic is; the headers of its tables say what they are.

The image is the whole file now, with the `overlays` in it.
Source: cmd/link/internal/ld/elf.go (asmbElf and what it calls).
Reads `image`, `sections`, `elf`, `elf_symtab`, `external_relocs`, `symbols`, `mode`, `overlays` if
it is there, `cgo` if it is there, `dynamic` if it is there; provides `image`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from linkpipe.arrays.types import U8
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError
from linkpipe.flags.goflag import quote
from linkpipe.formats import elf
from linkpipe.formats.elf import ProgramHeader, SectionHeader, SectionType, SegmentType
from linkpipe.formats.goint import number
from linkpipe.formats.sharedlib import NOT_LOADED
from linkpipe.layout.assign import segment_quantum, text_base
from linkpipe.output.checkimage import check_segments
from linkpipe.output.dynamicheaders import dynamic_headers, with_references
from linkpipe.output.elfframe import ElfFrame, Piece
from linkpipe.output.elfnames import every_name
from linkpipe.symkind import is_text
from linkpipe.tables.sections import Segment
from linkpipe.values import evolve

GNU_NOTE, GNU_BUILD_ID = b"GNU\0", 3
GO_NOTE, GO_BUILD_ID = b"Go\0\0", 4


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
    optional=("overlays", "cgo", "dynamic"),
    provides=("image",),
)
def elfimage(link: Link) -> Link:
    """Make the image a whole ELF file."""
    overlays = check_segments(link)
    image = (_Object if link.mode.external else _Executable)(link, overlays).make()
    return link.evolve(image=image)


def _tables(link: Link, names: list[str]) -> list[str]:
    """The names of the tables behind the segments, and .shstrtab in its place among them."""
    return [*names, ".shstrtab"] if link.release.sorted_headers else [".shstrtab", *names]


def _listed(link: Link, rel: str) -> list[str]:
    """Names of sections in the order of releases that list them all."""
    if link.release.sorted_headers:
        return []
    debug = link.release.debug_names[link.mode.dwarf5]
    return every_name(link.options, link.mode, link.elf, rel, debug)


class _Executable(ElfFrame):
    """An executable."""

    type = elf.FileType.EXEC

    def __init__(self, link: Link, overlays: Sequence[Piece]) -> None:
        arch = link.arch
        if link.mode.host_objects and link.cgo.elf_flags is not None:
            arch = evolve(arch, elf_flags=link.cgo.elf_flags)
        super().__init__(
            arch, link.sections, link.elf_symtab, partial(link.longer, "image"), overlays
        )
        self.link, self.round = link, segment_quantum(link.options, link.arch)
        self.linkage = link.arch.linkage if link.mode.dynamic else None
        if link.options.relocatable:
            self.type = elf.FileType.DYN

    def make(self) -> U8:
        """The whole file."""
        link = self.link
        text = text_base(link.options, link.arch, link.mode)
        base = text - self.arch.header_room
        notes = self._notes(base)
        rows = [(row, self.header_of(s, seg)) for row, s, seg in self.in_file_order()]
        if self.linkage:
            files = link.dynamic.files
            rows = dynamic_headers(rows, self.arch, self.linkage, files)
        extra = [header for header, _ in notes]
        tables = [".symtab", ".strtab"] if len(self.symtab) else []
        extra += [SectionHeader(name) for name in _tables(link, tables)]
        every = [*rows, *((-1, header) for header in extra)]
        if link.release.sorted_headers:
            every.sort(key=_by_address)
        headers = [SectionHeader(""), *(header for _, header in every)]
        numbers = {row: i + 1 for i, (row, _) in enumerate(every) if row >= 0}
        if self.linkage:
            headers = with_references(headers, self.arch, self.linkage, link.dynamic.files)
        return self.write(
            headers,
            numbers,
            segments=self._segments(base, extra[: len(notes)], headers),
            entry=self._entry(text),
            notes=[(header.offset, content) for header, content in notes],
            listed=_listed(link, self.rel),
        )

    def _notes(self, base: int) -> list[tuple[SectionHeader, bytes]]:
        """The name of the dynamic linker and the notes, carved from the end of the header page
        backwards."""
        notes, end = [], self.arch.header_room
        prep = self.link.elf
        if self.linkage:
            wanted = self.link.options.I or self.link.cgo.interpreter
            wanted = wanted or self.linkage.interpreter()
            path = wanted.encode("utf-8", "surrogateescape") + b"\0"
            end -= len(path)
            kind, addr = SectionType.PROGBITS, base + end
            header = SectionHeader(".interp", kind, elf.SHF_ALLOC, addr, end, len(path), align=1)
            notes.append((header, path))
        for name, owner, tag, text in (
            (".note.gnu.build-id", GNU_NOTE, GNU_BUILD_ID, prep.build_note),
            (".note.go.buildid", GO_NOTE, GO_BUILD_ID, prep.go_note),
        ):
            if text:
                content = elf.note_record(owner, tag, text, self.endian)
                at = end - len(content) - end % 4
                header = SectionHeader(
                    name, SectionType.NOTE, elf.SHF_ALLOC, base + at, at, len(content), align=4
                )
                notes.append((header, content))
                end = at
        return notes

    def _segments(
        self, base: int, notes: list[SectionHeader], headers: list[SectionHeader]
    ) -> list[ProgramHeader]:
        """The program headers."""
        named = {header.name: header for header in headers}
        after = elf.header_size(self.cls)
        item = elf.segment_dtype(self.cls, self.endian).itemsize
        out = [ProgramHeader(SegmentType.PHDR, elf.PF_R, after, base + after, align=self.round)]
        if self.linkage:
            out.append(_of(SegmentType.INTERP, elf.PF_R, named[".interp"]))
        notes = [header for header in notes if header.type == SectionType.NOTE]
        if notes:
            # One header for all notes; as the oracle's, it is the last note's.
            out.append(_of(SegmentType.NOTE, elf.PF_R, notes[-1]))
        for segment in self.sections.segments:
            if segment.name == "dwarf" or not (segment.sections or segment.name == "data"):
                continue
            load = self._load(segment)
            if segment.name == "text":
                # The program headers must be loaded too: the segment starts with them.
                grown = load.offset - after
                load = evolve(
                    load,
                    offset=after,
                    vaddr=base + after,
                    filesize=load.filesize + grown,
                    memsize=load.memsize + load.vaddr - base - after,
                )
            out.append(load.from_page_start())
            if segment.name == "relro":
                out.append(evolve(load, type=SegmentType.GNU_RELRO, flags=elf.PF_R))
        if self.linkage:
            dynamic = _of(SegmentType.DYNAMIC, elf.PF_R | elf.PF_W, named[".dynamic"])
            out.append(dynamic)
            word = self.arch.ptrsize
            if ".tbss" in named and (size := named[".tbss"].size):
                out.append(ProgramHeader(SegmentType.TLS, elf.PF_R, memsize=size, align=word))
        stack = ProgramHeader(SegmentType.GNU_STACK, elf.PF_R | elf.PF_W, align=self.arch.ptrsize)
        out.append(stack)
        size = len(out) * item
        out[0] = evolve(out[0], filesize=size, memsize=size)
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
        if "0" <= name[:1] <= "9":
            return number(name) % (1 << 8 * self.arch.ptrsize)
        sym = symbols.lookup(name)
        if not sym:
            raise InputError(
                f"missing entry symbol {quote(name)}",
                label="",
                remedy="pass the name of a function of the program to -E",
            )
        if not symbols.kind[sym]:
            return text
        if not is_text(symbols.kind[[sym]])[0]:
            raise InputError(
                "entry not text", symbol=name, remedy="pass the name of a function to -E", status=2
            )
        return int(symbols.value[sym])


def _of(kind: SegmentType, flags: int, h: SectionHeader) -> ProgramHeader:
    """The program header for one section."""
    return ProgramHeader(kind, flags, h.offset, h.addr, h.size, h.size, h.align)


def _by_address(row: tuple[int, SectionHeader]) -> tuple[int, int, int]:
    """Loaded sections by address and size, then the others as they came."""
    header = row[1]
    if header.flags & elf.SHF_ALLOC:
        return 0, header.addr % (1 << 64), header.size
    return 1, 0, 0


class _Object(ElfFrame):
    """A relocatable object for the host linker."""

    def __init__(self, link: Link, overlays: Sequence[Piece]) -> None:
        super().__init__(
            link.arch, link.sections, link.elf_symtab, partial(link.longer, "image"), overlays
        )
        self.link, self.symbols, self.relocs = link, link.symbols, link.external_relocs

    def make(self) -> U8:
        """The whole file."""
        headers: list[SectionHeader]
        number: dict[int, int]
        headers, number = [SectionHeader("")], {}
        placed = self.in_file_order()
        for row, section, segment in placed:
            header = self.header_of(section, segment)
            if section.name.startswith(".note."):
                loaded = section.name not in NOT_LOADED
                header = evolve(header, flags=elf.SHF_ALLOC if loaded else 0)
            number[row] = len(headers)
            headers.append(header)
        tables = _tables(self.link, [".symtab", ".strtab"])
        symtab = len(headers) + tables.index(".symtab")
        headers += [SectionHeader(name) for name in tables]
        dtype = elf.reloc_dtype(self.cls, self.endian, rela=self.arch.rela)
        records = self._relocs(dtype)
        kept = {}
        for row, section, _ in placed:
            header = headers[number[row]]
            if (
                header.type in (SectionType.NOBITS, SectionType.NOTE)
                or section.name in self.link.release.unrelocated
            ):
                continue
            kept[len(headers)] = records[row]
            headers.append(
                SectionHeader(
                    self.rel + section.name,
                    SectionType.RELA if self.arch.rela else SectionType.REL,
                    link=symtab,
                    info=number[row],
                    align=self.arch.ptrsize,
                    entsize=dtype.itemsize,
                )
            )
        headers.append(SectionHeader(".note.GNU-stack", SectionType.PROGBITS, align=1))
        return self.write(headers, number, relocs=kept, listed=_listed(self.link, self.rel))

    def _relocs(self, dtype: np.dtype[np.void]) -> list[bytes]:
        """The relocation records of each section, by row of Sections."""
        relocs, index = self.relocs, self.symtab.index
        out = np.zeros(len(relocs), dtype)
        symbol = index[relocs.symbol]
        lost = np.flatnonzero((symbol == 0) & (relocs.symbol != 0))
        if len(lost):
            row = int(lost[0])
            name = self.symbols.name(int(relocs.symbol[row]))
            raise InputError(
                f"reloc {int(relocs.type[row])} to non-elf symbol {name}",
                symbol=name,
                expected="a symbol that is in the ELF symbol table",
                remedy="a pass has left this symbol out of the symbol table",
                status=2,
            )
        out["offset"] = relocs.offset
        out["info"] = elf.reloc_info(self.cls, symbol, relocs.type)
        if self.arch.rela:
            out["addend"] = relocs.addend
        sections = len(self.sections)
        order = np.argsort(relocs.section, kind="stable")
        out = out[order]
        edges = np.searchsorted(relocs.section[order], np.arange(sections + 1))
        return [out[edges[i] : edges[i + 1]].tobytes() for i in range(sections)]
