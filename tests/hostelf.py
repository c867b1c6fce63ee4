"""Objects of a C compiler, made by hand: sections, symbols and relocations become the bytes of a
relocatable ELF file."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from linkpipe.formats import elf
from linkpipe.formats.elf import SectionType
from linkpipe.formats.hostobject import Target

AMD64 = Target("amd64", elf.CLASS64, "<", 62)
CODE = elf.SHF_ALLOC | elf.SHF_EXECINSTR
DATA = elf.SHF_ALLOC | elf.SHF_WRITE
READ_ONLY = elf.SHF_ALLOC


class _Section(NamedTuple):
    name: str
    type: int
    flags: int
    content: bytes
    size: int
    align: int
    link: int
    info: int


class HostElf:
    """An object while it is made. Sections and symbols are known by the numbers that are
    returned; those of relocations, names and symbols come last."""

    def __init__(self, target: Target = AMD64, *, rela: bool = True) -> None:
        self.target, self.rela = target, rela
        self.sections = [_Section("", 0, 0, b"", 0, 0, 0, 0)]
        self.symbols: list[tuple[str, int, int, int, int, int]] = [("", 0, 0, 0, 0, 0)]
        self.relocs: dict[int, list[tuple[int, int, int, int]]] = {}
        self.type, self.names_at = 1, -1

    def section(
        self,
        name: str,
        flags: int,
        content: bytes = b"",
        *,
        type: int = SectionType.PROGBITS,  # noqa: A002 - the field's name
        size: int | None = None,
        align: int = 1,
    ) -> int:
        size = len(content) if size is None else size
        self.sections.append(_Section(name, type, flags, content, size, align, 0, 0))
        return len(self.sections) - 1

    def symbol(
        self,
        name: str,
        section: int = 0,
        value: int = 0,
        size: int = 0,
        *,
        bind: int = elf.STB_GLOBAL,
        type: int = elf.STT_FUNC,  # noqa: A002 - the field's name
        other: int = 0,
    ) -> int:
        self.symbols.append((name, bind << 4 | type, other, section, value, size))
        return len(self.symbols) - 1

    def reloc(self, section: int, offset: int, type_: int, symbol: int, addend: int = 0) -> None:
        self.relocs.setdefault(section, []).append((offset, type_, symbol, addend))

    def to_bytes(self) -> bytes:
        cls, endian = self.target.elf_class, self.target.endian
        strings, symbols = bytearray(b"\0"), []
        for name, info, other, section, value, size in self.symbols:
            at = len(strings) if name else 0
            strings += name.encode() + b"\0" if name else b""
            record = np.zeros(1, elf.symbol_dtype(cls, endian))
            record["name"], record["info"], record["other"] = at, info, other
            record["section"], record["value"], record["size"] = section, value, size
            symbols.append(record.tobytes())
        sections, count = [*self.sections], len(self.sections)
        for section, rows in self.relocs.items():
            records = np.zeros(len(rows), elf.reloc_dtype(cls, endian, rela=self.rela))
            records["offset"] = [row[0] for row in rows]
            kinds, syms = (np.array([row[at] for row in rows]) for at in (1, 2))
            records["info"] = elf.reloc_info(cls, syms, kinds)
            if self.rela:
                records["addend"] = [row[3] for row in rows]
            kind = SectionType.RELA if self.rela else SectionType.REL
            content, link = records.tobytes(), count + len(self.relocs)
            sections.append(_Section(".rela", kind, 0, content, len(content), 8, link, section))
        table = b"".join(symbols)
        link = len(sections) + 1
        sections.append(_Section(".symtab", SectionType.SYMTAB, 0, table, len(table), 8, link, 1))
        kept = bytes(strings)
        sections.append(_Section(".strtab", SectionType.STRTAB, 0, kept, len(kept), 1, 0, 0))
        names, starts = bytearray(b"\0"), []
        for section_ in [*sections, _Section(".shstrtab", 0, 0, b"", 0, 0, 0, 0)]:
            starts.append(len(names) if section_.name else 0)
            names += section_.name.encode() + b"\0" if section_.name else b""
        kept = bytes(names)
        sections.append(_Section(".shstrtab", SectionType.STRTAB, 0, kept, len(kept), 1, 0, 0))
        out = bytearray(elf.header_size(cls))
        headers = np.zeros(len(sections), elf.section_dtype(cls, endian))
        for row, section_ in enumerate(sections):
            headers[row]["name"], headers[row]["type"] = starts[row], section_.type
            headers[row]["flags"], headers[row]["offset"] = section_.flags, len(out)
            headers[row]["size"], headers[row]["align"] = section_.size, section_.align
            headers[row]["link"], headers[row]["info"] = section_.link, section_.info
            out += section_.content
        header = elf.FileHeader(
            elf_class=cls,
            endian=endian,
            type=elf.FileType(self.type),
            machine=self.target.machine,
            flags=0,
            entry=0,
            segments_at=0,
            segments=0,
            sections_at=len(out),
            sections=len(sections),
            names=len(sections) - 1 if self.names_at < 0 else self.names_at,
        )
        out[: elf.header_size(cls)] = header.to_bytes()
        return bytes(out) + headers.tobytes()
