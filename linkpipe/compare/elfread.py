"""A small reader of ELF files, as columns: what a comparison needs and no more.

The record layouts are those the image is written with (`linkpipe.formats.elf`); everything that is
read is checked against the file's size, for the file may be anything.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import attrs
import numpy as np

from linkpipe.arrays.align import round_up
from linkpipe.arrays.types import I64, U8, Structs
from linkpipe.errors import InputError
from linkpipe.formats import elf

# e_ident is followed by these fields; "w" is the class's word.
_HEADER = (
    "type:u2 machine:u2 version:u4 entry:w phoff:w shoff:w flags:u4 ehsize:u2 phentsize:u2 "
    "phnum:u2 shentsize:u2 shnum:u2 shstrndx:u2"
)


@attrs.frozen(eq=False)
class Elf:
    """An ELF file. `header` maps field names to ints; `segments` and `sections` are the header
    tables as structured arrays, `names` the sections' names."""

    path: Path
    data: U8
    elf_class: int
    endian: str
    header: dict[str, int]
    segments: Structs
    sections: Structs
    names: tuple[str, ...]

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
        return _slice(self, int(record["offset"]), int(record["size"]), name)

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


@attrs.frozen(eq=False, slots=False)
class Symbols:
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


def expanded(file: Elf) -> Elf:
    """The file with its compressed sections expanded, and what comes behind them moved.

    The file itself when it has none, or when something that is loaded lies behind one. Raises
    InputError for a section that cannot be expanded.
    """
    records = file.sections
    compressed = (records["flags"] & elf.SHF_COMPRESSED) != 0
    if not compressed.any():
        return file
    start = int(records["offset"][compressed].min())
    behind = records["offset"] >= start
    stored = (records["type"] != elf.SectionType.NOBITS) & (records["type"] != 0)
    loaded = behind & stored & ((records["flags"] & elf.SHF_ALLOC) != 0)
    if loaded.any() or (file.segments["offset"] + file.segments["filesize"] > start).any():
        return file
    sections, header = records.copy(), dict(file.header)
    pieces, at = [file.data[:start]], start
    moved = np.flatnonzero(behind & stored)
    for section in moved[np.argsort(records["offset"][moved], kind="stable")].tolist():
        content = file.content(section)
        if compressed[section]:
            content = _expand(file, section, content)
            sections[section]["flags"] &= ~np.uint32(elf.SHF_COMPRESSED)
            # What is not loaded needs no alignment; compressed, it says what the machine asks for.
            sections[section]["align"] = 1
        start = round_up(at, max(int(sections[section]["align"]), 1))
        sections[section]["offset"], sections[section]["size"] = start, len(content)
        pieces += [np.zeros(start - at, np.uint8), content]
        at = start + len(content)
    if header["shoff"] >= start:
        header["shoff"] = round_up(at, 8)
    return attrs.evolve(file, data=np.concatenate(pieces), sections=sections, header=header)


def same(a: Elf, b: Elf) -> bool:
    """Whether two files, perhaps expanded, are the same but for their paths."""
    head = slice(a.header["shoff"], a.header["shoff"] + a.sections.nbytes)
    return (
        (a.elf_class, a.endian, a.header, a.names) == (b.elf_class, b.endian, b.header, b.names)
        and a.sections.tobytes() == b.sections.tobytes()
        and len(a.data) == len(b.data)
        # The section headers are in the file as they were before it was expanded.
        and np.array_equal(np.delete(a.data, head), np.delete(b.data, head))
    )


def _expand(file: Elf, section: int, content: U8) -> U8:
    """The content of a compressed section as it was."""
    import zlib

    kinds = ("u4", "u8", "u8") if file.elf_class == elf.CLASS64 else ("u4",) * 3
    fields = zip(("type", "size", "align"), kinds, strict=True)
    head = np.dtype([(field, file.endian + kind) for field, kind in fields], align=True)
    name = file.names[section]
    if len(content) < head.itemsize:
        raise _wrong(file.path, f"{name} is too short for a compressed section", 0)
    told = content[: head.itemsize].view(head)[0]
    size = int(told["size"])
    if told["type"] != elf.COMPRESS_ZLIB:
        raise _wrong(file.path, f"{name} is compressed in a way that is not known here", 0)
    try:
        # One byte more than the header says is enough to see that there is more.
        whole = zlib.decompressobj().decompress(content[head.itemsize :].tobytes(), size + 1)
    except zlib.error as e:
        raise _wrong(file.path, f"{name} cannot be expanded: {e}", 0) from e
    if len(whole) != size:
        raise _wrong(file.path, f"{name} does not expand to the {size} bytes it says", 0)
    return np.frombuffer(whole, np.uint8)


def string(table: bytes, at: int) -> str:
    """The NUL-ended string at an offset of a string table."""
    if not 0 <= at < len(table):
        return f"<name at {at:#x}, outside the string table>"
    end = table.find(b"\0", at)
    return table[at : end if end >= 0 else len(table)].decode(errors="replace")


def read(path: Path) -> Elf:
    """Read an ELF file; InputError when it is none or its tables lie outside it."""
    data = np.fromfile(path, np.uint8)
    ident = data[:16].tobytes()
    if ident[:4] != b"\x7fELF" or len(ident) < 16:
        raise _wrong(path, "not an ELF file", 0)
    elf_class, endian = ident[4], "<" if ident[5] == 1 else ">"
    if elf_class not in (elf.CLASS32, elf.CLASS64):
        raise _wrong(path, f"ELF class {elf_class}, expected 1 or 2", 4)
    word = "u8" if elf_class == elf.CLASS64 else "u4"
    dtype = np.dtype(
        [
            (name, endian + kind.replace("w", word))
            for name, kind in (pair.split(":") for pair in _HEADER.split())
        ]
    )
    if len(data) < 16 + dtype.itemsize:
        raise _wrong(path, "the ELF header is cut off", len(data))
    record = data[16 : 16 + dtype.itemsize].view(dtype)[0]
    assert dtype.names is not None
    header = {name: int(record[name]) for name in dtype.names}
    header |= {f"ident[{i}]": ident[i] for i in range(4, 16)}

    none = np.zeros(0, np.void)
    shell = Elf(path, data, elf_class, endian, header, none, none, ())

    def headers(at: str, count: str, kind: np.dtype[np.void]) -> Structs:
        raw = _slice(shell, header[at], header[count] * kind.itemsize, f"table at e_{at}")
        return raw.copy().view(kind)

    segments = headers("phoff", "phnum", elf.segment_dtype(elf_class, endian))
    sections = headers("shoff", "shnum", elf.section_dtype(elf_class, endian))
    found = attrs.evolve(shell, segments=segments, sections=sections)
    names: tuple[str, ...] = ("",) * len(sections)
    if header["shstrndx"] < len(sections):
        strings = found.content(header["shstrndx"]).tobytes()
        names = tuple(string(strings, int(at)) for at in sections["name"])
    return attrs.evolve(found, names=names)


def _slice(file: Elf, offset: int, size: int, what: str) -> U8:
    if offset + size > len(file.data):
        message = f"{what} ends at {offset + size:#x}, past the file's end {len(file.data):#x}"
        raise _wrong(file.path, message, offset)
    return file.data[offset : offset + size]


def _wrong(path: Path, message: str, offset: int) -> InputError:
    return InputError(f"{path}: {message}", file=str(path), offset=offset, label="linkpipe compare")
