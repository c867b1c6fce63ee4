"""The reader of shared libraries of Go: what they define, and which types lie in them where.

A library that -buildmode=shared has made is an ELF file whose dynamic symbols are Go's, with notes
about it: a hash over its packages, their names, the libraries that it needs. Types in it are read
by those who link against it; what they point to is said by the library's dynamic relocations.

The file may be anything: what is wrong with it is an InputError that names it.
Source: cmd/link/internal/ld/lib.go:2645-2918 (readnote, ldshlibsyms), decodesym.go:219-300.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from linkpipe.arrays.columns import frozen, table
from linkpipe.arrays.types import I64, U8, Ints, Structs
from linkpipe.errors import InputError, os_error
from linkpipe.formats import elf
from linkpipe.formats.elf import SectionType
from linkpipe.formats.elfread import Elf, read
from linkpipe.values import Shown

OWNER = b"Go\0\0"
PACKAGES, ABI_HASH, DEPENDENCIES = 1, 2, 3
"""Kinds of a note of Go's (cmd/link/internal/ld/elf.go)."""

FUNCTION, NO_SYMBOLS = elf.STT_FUNC, (elf.STT_NOTYPE, elf.STT_SECTION)
"""ELF types of dynamic symbols: of functions, and of what is no more than a name."""

NOT_LOADED = (".note.go.pkg-list", ".note.go.deps")
"""Sections of a library that linkers read; programs do not."""

_REMEDY = "build the library again, with `go install -buildmode=shared`"


class DynamicSymbols(NamedTuple):
    """The dynamic symbols but the first, which is none, in file order: names, and columns int64[n]
    of their ELF types, sizes, addresses and sections (0: defined elsewhere)."""

    names: tuple[bytes, ...]
    type: I64
    size: I64
    value: I64
    section: I64


class Sections(NamedTuple):
    """The sections of a file: names, and columns int64[n] of their ELF types, addresses, places in
    the file and sizes."""

    names: tuple[str, ...]
    type: I64
    addr: I64
    offset: I64
    size: I64


@table
class SharedLibrary(Shown):
    """One shared library.

    Attributes:
        path: where it is.
        data: its bytes.
        elf_class, endian: of its tables.
        sections: its sections.
        hash: over its packages; empty when it does not say.
        needs: paths of the libraries that it needs; just names where they are not beside it.
        symbols: its dynamic symbols.
        absolute: kinds of relocations that are the address of a symbol, without more.
    """

    path: str
    data: U8
    elf_class: int
    endian: str
    sections: Sections
    hash: bytes
    needs: tuple[str, ...]
    symbols: DynamicSymbols
    absolute: tuple[int, ...]

    @cached_property
    def by_name(self) -> dict[bytes, int]:
        """The row of each symbol that is more than a name; the last of a name."""
        return {
            name: row
            for row, (name, kind) in enumerate(
                zip(self.symbols.names, self.symbols.type.tolist(), strict=True)
            )
            if kind not in NO_SYMBOLS
        }

    def content(self, row: int) -> bytes:
        """The bytes of a symbol that is defined here. Raises InputError where there are none."""
        symbols = self.symbols
        section, size = int(symbols.section[row]), int(symbols.size[row])
        what = symbols.names[row].decode("utf-8", "replace")
        kinds, types = (SectionType.PROGBITS, SectionType.NOTE), self.sections.type
        if section >= len(types) or types[section] not in kinds:
            raise self._wrong(f"reading {what} from non-data section")
        return self._bytes(section, int(symbols.value[row]), size, what)

    def contents(self, rows: Ints) -> list[bytes]:
        """``[self.content(row) for row in rows]``"""
        symbols, sections = self.symbols, self.sections
        number, value, size = symbols.section[rows], symbols.value[rows], symbols.size[rows]
        known = number < len(sections.type)
        number = np.where(known, number, 0)
        there = np.array([len(self._content(row)) for row in range(len(sections.type))])[number]
        addr = sections.addr[number]
        start = value - addr
        known &= np.isin(sections.type[number], (SectionType.PROGBITS, SectionType.NOTE))
        # Numbers of 64 bits: the sum of two may be too large.
        known &= (value >= 0) & (addr >= 0) & (start >= 0) & (size >= 0) & (size <= there - start)
        at = sections.offset[number] + start
        whole = memoryview(self.data)
        told = zip(rows.tolist(), known.tolist(), at.tolist(), size.tolist(), strict=True)
        return [whole[a : a + n].tobytes() if ok else self.content(row) for row, ok, a, n in told]

    def at(self, address: int, size: int, what: str) -> bytes:
        """Bytes by their address. Raises InputError for an address that is in no section."""
        bounds = zip(self.sections.addr.tolist(), self.sections.size.tolist(), strict=True)
        for section, (start, length) in enumerate(bounds):
            if section and start <= address < start + length:
                return self._bytes(section, address, size, what)
        raise self._wrong(f"{what} lies at {address:#x}, in no section")

    def _bytes(self, section: int, address: int, size: int, what: str) -> bytes:
        data = self._content(section)
        start = address - int(self.sections.addr[section])
        if start < 0 or size < 0 or start + size > len(data):
            name = self.sections.names[section]
            raise self._wrong(f"{what} ({size} bytes at {address:#x}) does not lie in {name}")
        return data[start : start + size].tobytes()

    def _content(self, section: int) -> U8:
        """The bytes of a section in the file; of one without any, and one that ends behind the
        file, fewer than it says."""
        at, size = int(self.sections.offset[section]), int(self.sections.size[section])
        if at < 0 or size < 0 or self.sections.type[section] == SectionType.NOBITS:
            return self.data[:0]
        return self.data[at : at + size]

    def target(self, address: int) -> bytes | None:
        """The symbol whose address stands at an address, None where none does."""
        places, symbols = self._targets
        row = int(np.searchsorted(places, address, side="right")) - 1
        if row < 0 or places[row] != address:
            return None
        symbol = int(symbols[row]) - 1
        if not 0 <= symbol < len(self.symbols.names):
            raise self._wrong(f"the relocation at {address:#x} refers to no symbol")
        return self.symbols.names[symbol]

    @cached_property
    def _targets(self) -> tuple[I64, I64]:
        """Where addresses of symbols stand, ascending, and the number of each symbol."""
        for kind in (SectionType.REL, SectionType.RELA):
            found = np.flatnonzero(self.sections.type == kind)
            if len(found):
                break
        else:
            raise InputError(
                f"can't find SHT_REL or SHT_RELA section of {os.path.basename(self.path)}",
                file=self.path,
                remedy=_REMEDY,
            )
        wide, with_addend = self.elf_class == elf.CLASS64, kind == SectionType.RELA
        word = f"{self.endian}u{8 if wide else 4}"
        fields = [("offset", word), ("info", word), *([("addend", word)] if with_addend else [])]
        raw, dtype = self._content(int(found[0])), np.dtype(fields)
        records = raw[: len(raw) // dtype.itemsize * dtype.itemsize].view(dtype)
        info = records["info"].astype(np.uint64)
        kinds = info & np.uint64(0xFFFF if wide else 0xFF)
        keep = np.isin(kinds, np.array(self.absolute, np.uint64))
        if with_addend:
            keep &= records["addend"] == 0
        offset = records["offset"][keep].astype(np.int64)
        symbol = (info[keep] >> np.uint64(32 if wide else 8)).astype(np.int64)
        order = np.argsort(offset, kind="stable")
        return offset[order], symbol[order]

    def _wrong(self, message: str) -> InputError:
        return InputError(message, file=self.path, remedy=_REMEDY)


def read_library(
    path: str, absolute: tuple[int, ...], elf_class: int, machine: int
) -> SharedLibrary:
    """Read a shared library for an architecture. Raises InputError for what is none."""
    try:
        file = read(path)
    except OSError as e:
        raise InputError(
            f"cannot open shared library: {path}: {os_error(e)}", file=path, remedy=_REMEDY
        ) from e
    if file.elf_class != elf_class or file.header["machine"] != machine:
        raise InputError(
            f"{path} is not a shared library for this architecture",
            file=path,
            expected=f"ELF class {elf_class}, machine {machine}",
            found=f"ELF class {file.elf_class}, machine {file.header['machine']}",
            remedy=_REMEDY,
        )
    texts = {tag: text for owner, tag, text in reversed([*_notes(file)]) if owner == OWNER}
    folder = os.path.dirname(path)
    needs = []
    for name in texts.get(DEPENDENCIES, b"").split(b"\n"):
        if name:
            beside = os.path.join(folder, os.fsdecode(name))
            needs.append(beside if _exists(beside) else os.fsdecode(name))
    return SharedLibrary(
        path=path,
        data=frozen(file.data[:]),
        elf_class=elf_class,
        endian=file.endian,
        sections=Sections(
            file.names,
            *(_column(file.sections, name) for name in ("type", "addr", "offset", "size")),
        ),
        hash=texts.get(ABI_HASH, b""),
        needs=tuple(needs),
        symbols=_symbols(file),
        absolute=absolute,
    )


def _column(records: Structs, name: str) -> I64:
    return frozen(records[name].astype(np.int64))


def find_library(name: str, folders: Sequence[str]) -> str:
    """The path of a library that is named without one, in the folders of -L (findshlib). Raises
    InputError."""
    if os.path.isabs(name):
        return name
    for folder in folders:
        path = os.path.join(folder, name)
        if _exists(path):
            return path
    raise InputError(
        f"cannot find shared library: {name}",
        remedy="name it by its whole path, or its folder with -L",
    )


def _exists(path: str) -> bool:
    try:
        return os.path.exists(path)
    except ValueError:  # a zero byte
        return False


def _notes(file: Elf) -> Iterator[tuple[bytes, int, bytes]]:
    """Owner, kind and text of every note."""
    word = np.dtype(f"{file.endian}u4")
    for section in np.flatnonzero(file.sections["type"] == SectionType.NOTE).tolist():
        data, at = file.content(section), 0
        while at < len(data):
            head = data[at : at + 12].tobytes()
            if len(head) < 12:
                raise _bad_note(file, section, at)
            owner, text, tag = np.frombuffer(head, word).tolist()
            start = at + 12 + (owner + 3 & ~3)
            end = start + (text + 3 & ~3)
            if end > len(data):
                raise _bad_note(file, section, at)
            yield (
                data[at + 12 : at + 12 + owner].tobytes(),
                tag,
                data[start : start + text].tobytes(),
            )
            at = end


def _bad_note(file: Elf, section: int, at: int) -> InputError:
    return InputError(
        f"cannot read ABI hash from shared library {file.path}: a note in {file.names[section]} "
        "is cut short",
        file=file.path,
        offset=int(file.sections["offset"][section]) + at,
        remedy=_REMEDY,
    )


def _symbols(file: Elf) -> DynamicSymbols:
    found = np.flatnonzero(file.sections["type"] == SectionType.DYNSYM)
    if not len(found):
        raise InputError(
            f"cannot read symbols from shared library: {file.path}", file=file.path, remedy=_REMEDY
        )
    table = file.symbol_table(int(found[0]))
    records, strings = table.records[1:], table.strings
    names = []
    for at in records["name"].tolist():
        if at >= len(strings):
            raise InputError(
                f"cannot read symbols from shared library: {file.path}: a name lies outside of "
                "the string table",
                file=file.path,
                found=f"{at:#x}",
                expected=f"less than {len(strings):#x}",
                remedy=_REMEDY,
            )
        end = strings.find(b"\0", at)
        names.append(strings[at : end if end >= 0 else len(strings)])
    kind = frozen(records["info"].astype(np.int64) & 15)
    rest = (_column(records, name) for name in ("size", "value", "section"))
    return DynamicSymbols(tuple(names), kind, *rest)
