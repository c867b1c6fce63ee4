"""What an ELF file offers to, and wants of, those that are loaded beside it.

Source: the System V ABI, chapter 5 (dynamic section, shared object dependencies); ld.so(8) for
where libraries are looked for; the Linux Standard Base, chapter 10.7, for versions of symbols.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from struct import calcsize, unpack_from

import attrs
import numpy as np

from linkpipe.errors import InputError
from linkpipe.formats.elf import SectionType
from linkpipe.formats.elfread import Elf, Symbols, damaged, read, string
from linkpipe.values import Shown, record

_NEEDED, _RPATH, _RUNPATH = 1, 15, 29
_LOCAL, _WEAK, _OBJECT = 0, 2, 1
_BASE, _OPTIONAL = 1, 2
"""Flags of versions: the library's own name; one that may be missing."""


@attrs.frozen
class Version:
    """A version of a library's symbols that a file wants.

    Attributes:
        library: the library, as the file names it.
        name: the version, "GLIBC_2.38".
        symbols: those that are wanted in that version.
    """

    library: str
    name: str
    symbols: tuple[str, ...]


@record
class Dynamic(Shown):
    """The dynamic section and symbols of a file."""

    file: Elf

    @cached_property
    def _entries(self) -> list[tuple[int, str]]:
        """Tag and text of each entry that is read here."""
        file, found = self.file, list[tuple[int, str]]()
        word = f"{file.endian}u{4 * file.elf_class}"
        dtype = np.dtype([("tag", word), ("value", word)])
        for section in np.flatnonzero(file.sections["type"] == SectionType.DYNAMIC).tolist():
            link = int(file.sections["link"][section])
            strings = file.content(link).tobytes() if link < len(file.sections) else b""
            for tag, value in file.table(section, dtype).tolist():
                if tag in (_NEEDED, _RPATH, _RUNPATH):
                    found.append((tag, string(strings, value)))
        return found

    @property
    def is_dynamic(self) -> bool:
        """Whether there is a dynamic section: others can be loaded beside it."""
        return bool((self.file.sections["type"] == SectionType.DYNAMIC).any())

    @property
    def needed(self) -> tuple[str, ...]:
        """The libraries that it wants, by the names it has for them."""
        return tuple(text for tag, text in self._entries if tag == _NEEDED)

    @property
    def folders(self) -> tuple[str, ...]:
        """Where it says that they are."""
        origin = os.path.dirname(os.path.realpath(self.file.path))
        texts = (text for tag, text in self._entries if tag in (_RPATH, _RUNPATH))
        parts = (part for text in texts for part in text.split(":") if part)
        return tuple(part.replace("$ORIGIN", origin).replace("${ORIGIN}", origin) for part in parts)

    @cached_property
    def symbols(self) -> Symbols:
        """Its dynamic symbols."""
        section = self.file.index(".dynsym")
        if section is None:
            return Symbols(self.file.symbols.records[:0], b"", False)
        return self.file.symbol_table(section)

    @cached_property
    def defined(self) -> dict[str, int]:
        """The symbols that others see: name -> place in ``symbols``."""
        records = self.symbols.records
        seen = (records["section"] != 0) & (records["info"] >> 4 != _LOCAL)
        return {self.symbols.name(i): i for i in np.flatnonzero(seen).tolist()}

    @cached_property
    def types(self) -> dict[str, int]:
        """The type descriptors among them: name -> address."""
        rows = self.symbols.records
        return {
            name: int(rows["value"][i])
            for name, i in self.defined.items()
            if name.startswith("type:") and rows["info"][i] & 15 == _OBJECT
        }

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """The symbols that somebody else has to have."""
        records = self.symbols.records
        bind = records["info"] >> 4
        open_ = (records["section"] == 0) & (bind != _LOCAL) & (bind != _WEAK)
        names = (self.symbols.name(i) for i in np.flatnonzero(open_).tolist())
        return tuple(name for name in names if name)

    @cached_property
    def versions(self) -> frozenset[str]:
        """The versions of symbols that it defines, none where it has no versions."""
        found = set[str]()
        for section, data, strings in self._tables(SectionType.GNU_VERDEF):
            records = self._chain("HHHHIII", section, data, set())
            for at, (_, flags, _, count, _, first, _) in records:
                if count and not flags & _BASE:
                    name, _ = self._record("II", section, data, at + first)
                    found.add(string(strings, name))
        return frozenset(found)

    @cached_property
    def wanted_versions(self) -> tuple[Version, ...]:
        """The versions of symbols that libraries have to have."""
        found = list[Version]()
        for section, data, strings in self._tables(SectionType.GNU_VERNEED):
            seen = set[int]()
            for at, (_, count, file, first, _) in self._chain("HHIII", section, data, seen):
                library = string(strings, file)
                for _, each in self._chain("IHHII", section, data, seen, at + first, count):
                    _, flags, number, name, _ = each
                    if not flags & _OPTIONAL:
                        symbols = self._in_version.get(number & 0x7FFF, ())
                        found.append(Version(library, string(strings, name), tuple(symbols)))
        return tuple(found)

    @cached_property
    def _in_version(self) -> dict[int, list[str]]:
        """The symbols that are wanted, by the number of their version."""
        found: dict[int, list[str]] = {}
        numbers = [
            self.file.table(section, np.dtype(f"{self.file.endian}u2"))
            for section in np.flatnonzero(
                self.file.sections["type"] == SectionType.GNU_VERSYM
            ).tolist()
        ]
        records = self.symbols.records
        for number in numbers[:1]:
            open_ = np.flatnonzero(records["section"][: len(number)] == 0).tolist()
            for symbol in open_:
                found.setdefault(int(number[symbol]) & 0x7FFF, []).append(self.symbols.name(symbol))
        return found

    def _tables(self, kind: SectionType) -> Iterator[tuple[int, bytes, bytes]]:
        """The sections of a kind, their bytes, and those of their strings."""
        file = self.file
        for section in np.flatnonzero(file.sections["type"] == kind).tolist():
            link = int(file.sections["link"][section])
            strings = file.content(link).tobytes() if link < len(file.sections) else b""
            yield section, file.content(section).tobytes(), strings

    def _record(self, fields: str, section: int, data: bytes, at: int) -> tuple[int, ...]:
        """What stands at an offset of a section."""
        layout = self.file.endian + fields
        if at + calcsize(layout) > len(data):
            raise self._damaged(section, "ends too early", at)
        return unpack_from(layout, data, at)

    def _chain(
        self,
        fields: str,
        section: int,
        data: bytes,
        seen: set[int],
        at: int = 0,
        count: int = -1,
    ) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Records and their offsets, ``count`` at most if it is not negative: the last field of
        each says how far the next one is, 0 where there is none. None may be ``seen`` twice."""
        while count and data:
            record = self._record(fields, section, data, at)
            if at in seen:
                raise self._damaged(section, "has a record in two lists", at)
            seen.add(at)
            yield at, record
            if not record[-1]:
                return
            at, count = at + record[-1], count - 1

    def _damaged(self, section: int, what: str, at: int) -> InputError:
        place = int(self.file.sections["offset"][section]) + at
        return damaged(self.file.path, f"{self.file.names[section]} {what}", place)


@record
class Libraries(Shown):
    """The libraries that some files want, as far as this machine has them.

    Attributes:
        found: by name, those of other libraries among them.
        missing: names of those that are not here, each with who wants it.
    """

    found: dict[str, Dynamic]
    missing: dict[str, str]


def libraries(files: Sequence[Dynamic]) -> Libraries:
    """Look for the libraries of some files, where the dynamic linker does."""
    found, missing = dict[str, Dynamic](), dict[str, str]()
    waiting = [(file, name) for file in files for name in file.needed]
    while waiting:
        by, name = waiting.pop(0)
        if name in found or name in missing:
            continue
        library = _find(name, by, files[0])
        if library is None:
            missing[name] = by.file.path
            continue
        found[name] = library
        waiting += [(library, each) for each in library.needed]
    return Libraries(found, missing)


def _find(name: str, by: Dynamic, program: Dynamic) -> Dynamic | None:
    """The library of that name that is for the program's kind of machine."""
    like = program.file
    folders = () if "/" in name else (*by.folders, *program.folders, *_folders())
    places = [os.path.join(folder, name) for folder in folders] or [name]
    for place in places:
        try:
            file = read(place)
        except (OSError, InputError):
            continue
        if (file.header["machine"], file.elf_class, file.endian) == (
            like.header["machine"], like.elf_class, like.endian,
        ):  # fmt: skip
            return Dynamic(file)
    return None


def _folders() -> Iterator[str]:
    yield from filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(":"))
    yield from _configured("/etc/ld.so.conf", 0)
    yield from ("/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib")


def _configured(path: str, depth: int) -> Iterator[str]:
    """The folders that a configuration of the dynamic linker names, ld.so.conf(5)."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return
    for line in lines:
        words = line.partition("#")[0].split()
        if words[:1] == ["include"] and depth < 4:
            for pattern in words[1:]:
                for each in sorted(glob.glob(os.path.join(os.path.dirname(path), pattern))):
                    yield from _configured(each, depth + 1)
        elif words[:1] != ["include"]:
            yield from words


def content(file: Elf, symbol: int, symbols: Symbols) -> bytes:
    """The bytes of a symbol that is defined in a file; none where they are not in it."""
    record = symbols.records[symbol]
    section = int(record["section"])
    if section >= len(file.sections):
        raise damaged(file.path, f"{symbols.name(symbol)} is in section {section}", 0)
    data = file.content(section)
    start = int(record["value"]) - int(file.sections["addr"][section])
    return data[start : start + int(record["size"])].tobytes() if start >= 0 else b""
