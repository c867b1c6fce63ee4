"""The reader of ELF files: headers and symbols as columns, sections by name.

The record layouts are those the image is written with (`linkpipe.formats.elf`). The file may be
anything: whatever lies outside of it, or is cut off, is an InputError.
"""

from __future__ import annotations

import mmap
import os
from functools import cached_property

import numpy as np

from linkpipe.arrays.types import I64, U8, Structs
from linkpipe.errors import InputError
from linkpipe.formats import elf
from linkpipe.values import Shown, evolve, record


@record
class Elf(Shown):
    """An ELF file. `header` maps field names to ints; `segments` and `sections` are the header
    tables as structured arrays, `names` the sections' names."""

    path: str
    data: U8
    elf_class: int
    endian: str
    header: dict[str, int]
    segments: Structs
    sections: Structs
    names: tuple[str, ...]

    @property
    def end(self) -> int:
        """Where the last header, segment or section ends: the size that the file says it has.

        Offsets count modulo the size of a word: the segment that has the headers in it starts
        before the file where the text is asked for at an address below their size.
        """
        header, segments, sections = self.header, self.segments, self.sections
        word = 1 << (32 if self.elf_class == elf.CLASS32 else 64)
        kept = sections[~np.isin(sections["type"], (elf.SectionType.NOBITS, elf.SectionType.NULL))]
        ends = [
            16 + elf.file_dtype(self.elf_class, self.endian).itemsize,
            header["phoff"] + segments.nbytes,
            header["shoff"] + sections.nbytes,
            *((segments["offset"].astype(object) + segments["filesize"].astype(object)) % word),
            *(kept["offset"].astype(object) + kept["size"].astype(object)),
        ]
        return max(ends)

    @property
    def relocatable(self) -> bool:
        """Whether symbol values are offsets in their sections (ET_REL)."""
        return self.header["type"] == elf.FileType.REL

    def index(self, name: str) -> int | None:
        """The first section of that name."""
        return self.names.index(name) if name in self.names else None

    def content(self, section: int) -> U8:
        """The section's bytes in the file: uint8[n], none for NOBITS."""
        record = self.sections[section]
        if record["type"] in (elf.SectionType.NOBITS, elf.SectionType.NULL):
            return self.data[:0]
        name = self.names[section] if self.names else f"section {section}"
        return self.part(int(record["offset"]), int(record["size"]), name)

    def part(self, offset: int, size: int, what: str) -> U8:
        """Bytes of the file: uint8[size]. ``what`` names them where the file ends before they
        do."""
        if offset + size > len(self.data):
            end = f"{offset + size:#x}, past the file's end {len(self.data):#x}"
            raise damaged(self.path, f"{what} ends at {end}", offset)
        return self.data[offset : offset + size]

    def table(self, section: int, dtype: np.dtype[np.void]) -> Structs:
        """The section's bytes as records; a rest at the end is left out."""
        raw = self.content(section)
        return raw[: len(raw) // dtype.itemsize * dtype.itemsize].view(dtype)

    @cached_property
    def symbols(self) -> Symbols:
        """The symbol table, .dynsym where there is no .symtab, else an empty one."""
        for wanted in (".symtab", ".dynsym"):
            section = self.index(wanted)
            if section is not None:
                return self.symbol_table(section)
        empty = np.zeros(0, elf.symbol_dtype(self.elf_class, self.endian))
        return Symbols(empty, b"", self.relocatable)

    def symbol_table(self, section: int) -> Symbols:
        """The symbols in a section of symbols."""
        link = int(self.sections[section]["link"])
        strings = self.content(link).tobytes() if link < len(self.sections) else b""
        records = self.table(section, elf.symbol_dtype(self.elf_class, self.endian))
        return Symbols(records, strings, self.relocatable)


@record
class Symbols(Shown):
    """Symbol records with their string table; names are decoded when asked for."""

    records: Structs
    strings: bytes
    relocatable: bool

    def __len__(self) -> int:
        return len(self.records)

    def name(self, symbol: int) -> str:
        """The name of a symbol by its index in the table."""
        return string(self.strings, int(self.records["name"][symbol]))

    @cached_property
    def names(self) -> list[str]:
        """All names, in order."""
        return [string(self.strings, at) for at in self.records["name"].tolist()]

    @cached_property
    def _ordered(self) -> tuple[I64, I64]:
        """(keys, symbols) ascending by section and address; sized symbols last among equals."""
        records = self.records
        kind = records["info"] & 15
        real = (records["section"] != 0) & (records["section"] < 0xFF00) & (kind != elf.STT_SECTION)
        chosen = np.flatnonzero(real)
        order = np.lexsort(
            (records["size"][chosen], records["value"][chosen], records["section"][chosen])
        )
        chosen = chosen[order]
        return self._key(records["section"][chosen], records["value"][chosen]), chosen

    @staticmethod
    def _key(section: object, value: object) -> I64:
        return (np.asarray(section, np.int64) << 48) | (
            np.asarray(value).astype(np.int64) & ((1 << 48) - 1)
        )

    def covering(self, section: int, values: I64) -> I64:
        """For each value (an address, or an offset in an ET_REL file) the symbol of the section
        that covers or precedes it: int64[n], -1 where there is none."""
        keys, symbols = self._ordered
        found = np.searchsorted(keys, self._key(section, values), side="right") - 1
        ok = found >= 0
        result = np.full(len(values), -1, np.int64)
        at = symbols[found[ok]]
        result[ok] = np.where(self.records["section"][at] == section, at, -1)
        return result

    def at(self, section: int, value: int) -> str:
        """`name+0x10` for a place, or an empty string."""
        symbol = int(self.covering(section, np.array([value]))[0])
        if symbol < 0:
            return ""
        start, size = int(self.records["value"][symbol]), int(self.records["size"][symbol])
        past = " (past its end)" if size and value >= start + size else ""
        return f"{self.name(symbol)}+{value - start:#x}{past}"


def string(table: bytes, at: int) -> str:
    """The NUL-ended string at an offset of a string table."""
    if not 0 <= at < len(table):
        return f"<name at {at:#x}, outside the string table>"
    end = table.find(b"\0", at)
    return table[at : end if end >= 0 else len(table)].decode(errors="replace")


def read(path: str | os.PathLike[str]) -> Elf:
    """Read an ELF file, which is mapped; InputError when it is none or its tables lie outside it.

    Raises OSError for a file that cannot be opened.
    """
    path = os.fspath(path)
    # Without waiting for whoever would write into a FIFO, which is no ELF file.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        size = os.fstat(file.fileno()).st_size
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
    return parse(path, np.frombuffer(content, np.uint8))


def parse(path: str, data: U8) -> Elf:
    """An ELF file from its bytes; ``path`` names it in errors. Raises InputError as ``read``."""
    ident = data[:16].tobytes()
    if ident[:4] != elf.MAGIC or len(ident) < 16:
        raise damaged(path, "not an ELF file", 0)
    elf_class, endian = ident[4], "<" if ident[5] == 1 else ">"
    if elf_class not in (elf.CLASS32, elf.CLASS64):
        raise damaged(path, f"ELF class {elf_class}, expected 1 or 2", 4)
    dtype = elf.file_dtype(elf_class, endian)
    if len(data) < 16 + dtype.itemsize:
        raise damaged(path, "the ELF header is cut off", len(data))
    record = data[16 : 16 + dtype.itemsize].view(dtype)[0]
    assert dtype.names is not None
    header = {name: int(record[name]) for name in dtype.names}
    header |= {f"ident[{i}]": ident[i] for i in range(4, 16)}

    none = np.zeros(0, np.void)
    shell = Elf(path, data, elf_class, endian, header, none, none, ())

    def headers(at: str, count: str, kind: np.dtype[np.void]) -> Structs:
        raw = shell.part(header[at], header[count] * kind.itemsize, f"table at e_{at}")
        return raw.copy().view(kind)

    # A relocatable object has none, and linkers do not look.
    segments = np.zeros(0, elf.segment_dtype(elf_class, endian))
    if header["type"] != elf.FileType.REL:
        segments = headers("phoff", "phnum", segments.dtype)
    sections = headers("shoff", "shnum", elf.section_dtype(elf_class, endian))
    found = evolve(shell, segments=segments, sections=sections)
    names: tuple[str, ...] = ("",) * len(sections)
    if header["shstrndx"] < len(sections):
        strings = found.content(header["shstrndx"]).tobytes()
        names = tuple(string(strings, int(at)) for at in sections["name"])
    return evolve(found, names=names)


def damaged(path: str, message: str, offset: int) -> InputError:
    """The error for an ELF file that is none, or has something wrong at an offset."""
    return InputError(f"{path}: {message}" if path else message, file=path, offset=offset)
