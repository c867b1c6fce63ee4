"""Relocatable ELF objects of C compilers: sections, symbols and relocations in columns.

What a reader of them may rely on is checked here: whatever lies outside of the file, of a table or
of its section is an InputError, in the oracle's words where it refuses the same.

Specification: System V ABI, chapter 4 (https://gabi.xinuos.com). Source of the rules and words:
cmd/link/internal/loadelf/ldelf.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from linkpipe.arrays.types import I64, U8, Structs
from linkpipe.errors import COMMAND, InputError
from linkpipe.formats import elf, elfread
from linkpipe.formats.elf import SectionType
from linkpipe.kernels import gosort
from linkpipe.values import Shown, Value, evolve, record

STB_WEAK, STT_COMMON = 2, 5
SHN_COMMON = 0xFFF2
_OVERLAPS, _ROOM = 8, 1 << 24
"""Bytes of names for each byte of their table, and in any case."""
_REMEDY = "rebuild the package; the file is damaged, or of another compiler than the go command's"


@record
class Target(Value):
    """What objects must be of: ``name`` as in messages, class (elf.CLASS32 or CLASS64), byte order
    ("<" or ">") and machine."""

    name: str
    elf_class: int
    endian: str
    machine: int


@record
class HostSymbols(Shown):
    """The symbol table; row 0 is the null symbol.

    Attributes:
        name: bytes, n of them.
        binding, type: uint8[n] (elf.STB_…, STT_…). visibility: uint8[n], all of st_other: the
            oracle takes a symbol for hidden where that is elf.STV_HIDDEN and nothing besides.
        section: int64[n], the section's number, or one that is reserved (elf.SHN_…).
        value, size: int64[n]; below zero, more than 63 bits.
    """

    name: tuple[bytes, ...]
    binding: U8
    type: U8
    visibility: U8
    section: I64
    value: I64
    size: I64


@record
class HostRelocs(Shown):
    """The relocations of one section by offset, as the oracle sorts them (kernels/gosort.py).

    Attributes:
        row: int64[n], the place in its table, of those that are not "none".
        offset: int64[n], inside of the section or not. type: int64[n]. symbol: int64[n], 0 for
            none.
        addend: int64[n], from the record, or from the section's bytes where records have none.
    """

    row: I64
    offset: I64
    type: I64
    symbol: I64
    addend: I64


@record
class Relocatable(Shown):
    """A relocatable object. ``file`` names it in messages, ``names`` are its sections'."""

    file: str
    elf: elfread.Elf
    names: tuple[bytes, ...]

    def wrong(self, what: str, **fields: Any) -> InputError:
        """The error for an object that cannot be linked."""
        return _wrong(self.file, what, **fields)

    @property
    def sections(self) -> Structs:
        """The section headers (elf.section_dtype)."""
        return self.elf.sections

    def content(self, section: int) -> U8:
        """The bytes of a section, which has some, whatever its type says of that."""
        record = self.sections[section]
        at, size = int(record["offset"]), int(record["size"])
        if at + size > len(self.elf.data):
            raise self.wrong(
                "malformed elf file: elf section past end of file",
                offset=at,
                expected=f"an end within {len(self.elf.data)} bytes",
                found=f"{at + size}, of {self.section_name(section)}",
            )
        return self.elf.data[at : at + size]

    def section_name(self, section: int) -> str:
        """A section's name, for messages."""
        return self.names[section].decode("utf-8", "surrogateescape")

    @cached_property
    def symbols(self) -> HostSymbols | None:
        """The symbol table; None for an object without one, which nothing can refer to."""
        if b".symtab" not in self.names:
            return None
        table = self.names.index(b".symtab")
        link = int(self.sections["link"][table])
        if not 0 < link < len(self.sections):
            raise self.wrong(
                "elf object has symbol table with invalid string table link",
                expected=f"a section below {len(self.sections)}",
                found=str(link),
            )
        dtype = elf.symbol_dtype(self.elf.elf_class, self.elf.endian)
        raw = self.content(table)
        records = raw[: len(raw) // dtype.itemsize * dtype.itemsize].view(dtype)
        strings = self.content(link).tobytes()
        names = records["name"].tolist()
        bad = next((i for i, at in enumerate(names) if i and at > len(strings)), None)
        if bad is not None:
            raise self.wrong(
                f"malformed elf file: the name of symbol #{bad} lies outside of its table",
                offset=int(self.sections["offset"][table]) + bad * dtype.itemsize,
                expected=f"an offset of at most {len(strings)}",
                found=str(names[bad]),
            )
        info = records["info"]
        return HostSymbols(
            name=_names(self.file, strings, names),
            binding=(info >> 4).astype(np.uint8),
            type=(info & 15).astype(np.uint8),
            visibility=records["other"].copy(),
            section=records["section"].astype(np.int64),
            value=records["value"].astype(np.int64),
            size=records["size"].astype(np.int64),
        )

    @cached_property
    def _tables(self) -> Mapping[int, list[int]]:
        """The tables of relocations of each section that has some."""
        kinds = (SectionType.REL, SectionType.RELA)
        found: dict[int, list[int]] = {}
        for table in np.flatnonzero(np.isin(self.sections["type"], kinds)).tolist():
            found.setdefault(int(self.sections["info"][table]), []).append(table)
        return found

    def relocs(self, section: int, widths: Mapping[int, int]) -> HostRelocs | None:
        """The relocations of a section that has bytes, None for none; ``widths`` are the bytes
        that each type patches. Raises InputError for other types."""
        columns: Sequence[I64] = []
        for table in self._tables.get(section, ()):
            new = self._relocs(table, section, widths)
            if columns:
                new = [np.concatenate(column) for column in zip(columns, new, strict=True)]
            # What is at one place stays in its order if all are in order, as compilers write them.
            order = gosort.order(new[1])
            columns = [column[order] for column in new]
        return HostRelocs(*columns) if columns else None

    def _relocs(self, table: int, section: int, widths: Mapping[int, int]) -> Sequence[I64]:
        cls, endian = self.elf.elf_class, self.elf.endian
        rela = bool(self.sections["type"][table] == SectionType.RELA)
        dtype = elf.reloc_dtype(cls, endian, rela=rela)
        raw = self.content(table)
        records = raw[: len(raw) // dtype.itemsize * dtype.itemsize].view(dtype)
        shift, mask = (32, 0xFFFFFFFF) if cls == elf.CLASS64 else (8, 0xFF)
        whole = (records["info"] & mask).astype(np.int64)
        records, whole = records[whole != 0], whole[whole != 0]
        # The oracle reads the lower half of a type of 32 bits.
        type_ = whole & 0xFFFF
        for number in np.unique(type_).tolist():
            if number not in widths:
                shown = int(whole[type_ == number][0])
                raise InputError(
                    f"{self.file}: unknown relocation type {shown}; compiled without -fpic?",
                    file=self.file,
                    label=COMMAND,
                    found=f"a relocation of {self.section_name(section)}",
                    remedy="link with -ldflags=-linkmode=external",
                )
        size = int(self.sections["size"][section])
        width = np.array([widths[t] for t in type_.tolist()], np.int64)
        # The oracle reads the lower half of an offset of 64 bits.
        offset = records["offset"].astype(np.uint32).astype(np.int32).astype(np.int64)
        outside = np.flatnonzero((offset < 0) | (offset > size - width))
        # Otherwise what nobody needs may be anything, as for the oracle; the rest is checked later.
        if len(outside) and not rela:
            row = int(outside[0])
            raise self.wrong(
                f"malformed elf file: invalid relocation #{row}: "
                f"{int(offset[row])}+{int(width[row])} not in [0,{size})",
                offset=int(self.sections["offset"][table]),
                found=f"a relocation of {self.section_name(section)}",
            )
        symbol = (records["info"] >> shift).astype(np.int64)
        count = 0 if self.symbols is None else len(self.symbols.name)
        beyond = np.flatnonzero(symbol >= count)
        if len(beyond):
            raise self.wrong(
                "malformed elf file: invalid elf symbol index",
                expected=f"an index below {count}",
                found=f"{int(symbol[beyond[0]])} in relocation #{int(beyond[0])} of "
                f"{self.section_name(section)}",
            )
        addend = (
            records["addend"].astype(np.int64) if rela else self._stored(section, offset, width)
        )
        # What fits a field of four bytes or two is read as such.
        for bytes_, kind in ((4, np.int32), (2, np.int16)):
            some = width == bytes_
            addend[some] = addend[some].astype(kind)
        return np.arange(len(offset)), offset, type_, symbol, addend

    def _stored(self, section: int, at: I64, width: I64) -> I64:
        """Addends that stand in the places themselves."""
        content = self.content(section)
        out = np.zeros(len(at), np.int64)
        for bytes_ in (4, 8):
            some = np.flatnonzero(width == bytes_)
            words = np.stack([content[at[some] + i] for i in range(bytes_)], axis=-1)
            words = np.ascontiguousarray(words).view(f"{self.elf.endian}u{bytes_}")
            out[some] = words.reshape(-1).astype(np.int64)
        odd = np.flatnonzero((width != 4) & (width != 8))
        if len(odd):
            raise self.wrong(
                f"invalid rela size {int(width[odd[0]])}",
                found=f"a relocation of {self.section_name(section)}",
            )
        return out


def read(data: U8, file: str, target: Target) -> Relocatable:
    """Read the object ``data``, which ``file`` names in messages. Raises InputError."""
    try:
        found = elfread.parse("", data)
    except InputError as e:
        raise _wrong(file, f"malformed elf file: {e.message}", offset=e.offset) from e
    header = found.header
    if header["ident[5]"] not in (1, 2):
        raise _wrong(file, "malformed elf file, unknown header", offset=5)
    if header["ident[6]"] != header["version"]:
        raise _wrong(
            file, f"malformed elf version: got {header['ident[6]']}, want {header['version']}"
        )
    if header["type"] != elf.FileType.REL:
        raise _wrong(file, "elf but not elf relocatable object")
    is_ = (found.elf_class, found.endian, header["machine"])
    if is_ != (target.elf_class, target.endian, target.machine):
        raise _wrong(
            file,
            f"elf object but not {target.name}",
            expected=f"class {target.elf_class}, machine {target.machine}",
            found=f"class {is_[0]}, machine {is_[2]}",
        )
    sections, names = found.sections, header["shstrndx"]
    if names >= len(sections):
        raise _wrong(file, f"malformed elf file: shstrndx out of range {names} >= {len(sections)}")
    size = elf.section_dtype(found.elf_class, found.endian).itemsize
    if header["shentsize"] != size:
        raise _wrong(
            file,
            "malformed elf file: section headers of another size",
            expected=f"{size} bytes",
            found=f"{header['shentsize']} bytes",
        )
    shell = Relocatable(file, found, (b"",) * len(sections))
    strings = shell.content(names).tobytes()
    starts = sections["name"].tolist()
    bad = next((i for i, at in enumerate(starts) if at and at > len(strings)), None)
    if bad is not None:
        raise _wrong(
            file, f"malformed elf file: the name of section {bad} lies outside of its table"
        )
    return evolve(shell, names=_names(file, strings, starts))


def _names(file: str, strings: bytes, starts: Sequence[int]) -> tuple[bytes, ...]:
    """The NUL-ended strings at these offsets of a table; the last may lack its end. Each is there
    once, and those that lie in one another are no more than fit into memory: compilers let a
    string be the end of another one, but not of a thousand long ones."""
    found: dict[int, bytes] = {}
    room = _OVERLAPS * len(strings) + _ROOM
    for at in dict.fromkeys(starts):
        end = strings.find(b"\0", at)
        found[at] = name = strings[at : end if end >= 0 else len(strings)]
        room -= len(name)
        if room < 0:
            raise _wrong(
                file,
                "malformed elf file: names lie in one another",
                expected=f"at most {_OVERLAPS * len(strings) + _ROOM} bytes of names in a table of "
                f"{len(strings)}",
            )
    return tuple(found[at] for at in starts)


def _wrong(file: str, what: str, **fields: Any) -> InputError:
    return InputError(
        f"loadelf: {file}: {what}", file=file, label=COMMAND, remedy=_REMEDY, **fields
    )
