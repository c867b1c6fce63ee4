"""Compares files whose debug sections are compressed: equal but for how they are compressed.

linkpipe compresses with libdeflate, the oracle with Go's own deflate. So the bytes differ, and
with their length the offsets of what comes after them; nothing else may. The reader is pyelftools,
for linkpipe's own would believe what linkpipe wrote.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any, Literal

import numpy as np
from attrs import frozen
from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

LARGER = 1.02
"""How large a file may be, measured by the oracle's."""

_COMPRESSED = 0x800  # SHF_COMPRESSED
_ZLIB = 1  # ELFCOMPRESS_ZLIB
_DEBUG = ".debug_"
# sh_name is compared through the name; size and offset where they must not change.
_FIELDS = ("sh_type", "sh_flags", "sh_addr", "sh_link", "sh_info", "sh_addralign", "sh_entsize")


class Malformed(Exception):
    """A file that is not what its headers say."""


@frozen(eq=False)
class Read:
    """A file and its headers; section 0 included."""

    data: bytes
    header: dict[str, Any]
    segments: list[dict[str, Any]]
    names: list[str]
    sections: list[dict[str, Any]]

    def content(self, index: int) -> bytes:
        """A section's bytes in the file."""
        section = self.sections[index]
        if section["sh_type"] in ("SHT_NOBITS", "SHT_NULL"):
            return b""
        begin, size = section["sh_offset"], section["sh_size"]
        if begin + size > len(self.data):
            msg = f"{self.names[index]} ends at {begin + size:#x}, the file at {len(self.data):#x}"
            raise Malformed(msg)
        return self.data[begin : begin + size]

    def plain(self, index: int) -> tuple[bytes, int]:
        """A section's bytes as they were before they were compressed, and their alignment."""
        section, content = self.sections[index], self.content(index)
        if not section["sh_flags"] & _COMPRESSED:
            return content, section["sh_addralign"]
        name = self.names[index]
        order: Literal["little", "big"]
        order = "little" if self.header["e_ident"]["EI_DATA"] == "ELFDATA2LSB" else "big"
        # Elf32_Chdr: type, size, align; Elf64_Chdr: type, reserved, size, align.
        if self.header["e_ident"]["EI_CLASS"] == "ELFCLASS64":
            places = ((0, 4), (4, 8), (8, 16), (16, 24))
        else:
            places = ((0, 4), (4, 4), (4, 8), (8, 12))
        head = places[-1][1]
        if len(content) < head:
            raise Malformed(f"{name} has {len(content)} bytes, its compression header {head}")
        kind, reserved, size, align = (
            int.from_bytes(content[begin:end], order) for begin, end in places
        )
        if kind != _ZLIB or reserved:
            raise Malformed(f"{name}: compression {kind}, reserved {reserved}, and not zlib (1, 0)")
        stream = zlib.decompressobj()
        try:
            plain = stream.decompress(content[head:])
        except zlib.error as error:
            raise Malformed(f"{name} cannot be decompressed: {error}") from error
        if not stream.eof or stream.unused_data:
            what = "is cut off" if not stream.eof else f"has {len(stream.unused_data)} bytes more"
            raise Malformed(f"{name}: the compressed stream {what}")
        if len(plain) != size:
            raise Malformed(f"{name} says {size} bytes and decompresses to {len(plain)}")
        if len(content) >= size:
            raise Malformed(f"{name} is compressed from {size} to {len(content)} bytes")
        return plain, align


def read(file: Path) -> Read:
    """Read a file's headers."""
    try:
        with file.open("rb") as stream:
            elf = ELFFile(stream)
            sections = list(elf.iter_sections())
            return Read(
                file.read_bytes(),
                dict(elf.header),
                [dict(segment.header) for segment in elf.iter_segments()],
                [section.name for section in sections],
                [dict(section.header) for section in sections],
            )
    except (ELFError, UnicodeDecodeError) as error:
        raise Malformed(f"not an ELF file that can be read: {error}") from error


def compare_compressed(ours: Path, oracle: Path) -> str | None:
    """The first difference of two files in words, None when they differ in nothing but the way in
    which debug sections are compressed, and ours is not more than LARGER times the size.
    """
    if ours.read_bytes() == oracle.read_bytes():
        return None
    try:
        theirs = read(oracle)
    except Malformed as error:
        return f"the oracle's file: {error}"
    try:
        return _compare(read(ours), theirs)
    except Malformed as error:
        return f"linkpipe's file: {error}"


def _compare(ours: Read, theirs: Read) -> str | None:
    checks = (_headers, _before, _sections, _between, _size)
    return next((told for check in checks if (told := check(ours, theirs))), None)


def _fields(
    what: str, ours: dict[str, Any], theirs: dict[str, Any], fields: tuple[str, ...]
) -> str | None:
    for name in fields:
        if ours[name] != theirs[name]:
            return f"{what}: {name} is {ours[name]}, the oracle's {theirs[name]}"
    return None


def _first(theirs: Read) -> int:
    """The offset in the file of the first debug section: up to there nothing may move."""
    return min(
        section["sh_offset"]
        for name, section in zip(theirs.names, theirs.sections, strict=True)
        if name.startswith(_DEBUG)
    )


def _headers(ours: Read, theirs: Read) -> str | None:
    """The ELF header, the program headers and the section headers, but for what may move."""
    if not any(section["sh_flags"] & _COMPRESSED for section in theirs.sections):
        return "the oracle's file has no compressed sections, and the files differ"
    movable = {"e_shoff"} if theirs.header["e_shoff"] >= _first(theirs) else set()
    fixed = tuple(name for name in theirs.header if name not in movable)
    told = _fields("ELF header", ours.header, theirs.header, fixed)
    if told:
        return told
    for index, (left, right) in enumerate(zip(ours.segments, theirs.segments, strict=True)):
        told = _fields(f"program header {index}", left, right, tuple(right))
        if told:
            return told
    if ours.names != theirs.names:
        return f"sections: {' '.join(ours.names)}, the oracle's {' '.join(theirs.names)}"
    for index, name in enumerate(theirs.names):
        left, right = dict(ours.sections[index]), dict(theirs.sections[index])
        fields: tuple[str, ...] = _FIELDS
        if not name.startswith(_DEBUG):
            fields += ("sh_size",)
        elif (left["sh_flags"] ^ right["sh_flags"]) == _COMPRESSED:
            # On the border: one deflate makes it smaller, the other does not. The alignment is
            # that of the content or the compressed bytes'.
            fields = tuple(f for f in fields if f not in ("sh_flags", "sh_addralign"))
        if right["sh_offset"] <= _first(theirs):
            fields += ("sh_offset",)
        told = _fields(f"section header of {name or index}", left, right, fields)
        if told:
            return told
    return None


def _before(ours: Read, theirs: Read) -> str | None:
    """All bytes before the debug sections, headers' tables aside, which were compared."""
    end = _first(theirs)
    pair = [np.frombuffer(one.data[:end], np.uint8).copy() for one in (ours, theirs)]
    if len(pair[0]) < len(pair[1]):
        return f"{len(ours.data)} bytes, and the debug sections should start at {end:#x}"
    begin = theirs.header["e_shoff"]
    table = theirs.header["e_shnum"] * theirs.header["e_shentsize"]
    for one in pair:
        one[begin : begin + table] = 0
        if begin >= end:  # e_shoff itself
            wide = theirs.header["e_ident"]["EI_CLASS"] == "ELFCLASS64"
            one[slice(40, 48) if wide else slice(32, 36)] = 0
    differ = np.flatnonzero(pair[0] != pair[1])
    if not len(differ):
        return None
    at = int(differ[0])
    for name, section in zip(theirs.names, theirs.sections, strict=True):
        inside = at - section["sh_offset"]
        if section["sh_type"] != "SHT_NOBITS" and 0 <= inside < section["sh_size"]:
            return (
                f"{name}: {len(differ)} bytes up to the debug sections differ, first +{inside:#x}"
            )
    return f"{len(differ)} bytes up to the debug sections differ, first at {at:#x} of the file"


def _sections(ours: Read, theirs: Read) -> str | None:
    """The content of each section, decompressed."""
    for index, name in enumerate(theirs.names):
        (left, left_align), (right, right_align) = ours.plain(index), theirs.plain(index)
        if len(left) != len(right):
            return f"{name}: {len(left)} bytes decompressed, the oracle's {len(right)}"
        if left != right:
            differ = np.flatnonzero(np.frombuffer(left, "u1") != np.frombuffer(right, "u1"))
            return f"{name}: {len(differ)} bytes differ decompressed, first +{differ[0]:#x}"
        # On the border one of the two is not compressed, and says the alignment that it has.
        flags = ours.sections[index]["sh_flags"] ^ theirs.sections[index]["sh_flags"]
        if left_align != right_align and not flags & _COMPRESSED:
            return f"{name}: alignment {left_align} decompressed, the oracle's {right_align}"
    return None


def _between(ours: Read, theirs: Read) -> str | None:
    """Sections from the first debug section on: in the oracle's order, without overlap, zeros for
    alignment between them and nothing behind the last, but where the oracle has something there."""
    end = _first(theirs)
    rests = []
    for one in (ours, theirs):
        at, rest = end, b""
        spans = [
            (section["sh_offset"], section["sh_size"], name, max(section["sh_addralign"], 1))
            for name, section in zip(one.names, one.sections, strict=True)
            if section["sh_offset"] >= end and section["sh_type"] != "SHT_NOBITS"
        ]
        if one.header["e_shoff"] >= end:
            size = one.header["e_shnum"] * one.header["e_shentsize"]
            spans.append((one.header["e_shoff"], size, "section headers", 8))
        order = []
        for begin, size, name, align in sorted(spans):
            gap = one.data[at:begin]
            if begin < at:
                return f"{name} starts at {begin:#x}, within what comes before it"
            if one is ours and (len(gap) >= align or any(gap)):
                return f"{len(gap)} bytes before {name} belong to no section"
            at = begin + size
            order.append(name)
        rest = one.data[at:]
        rests.append((order, rest))
    if rests[0][0] != rests[1][0]:
        return f"order in the file: {' '.join(rests[0][0])}, the oracle's {' '.join(rests[1][0])}"
    if rests[0][1] != rests[1][1]:
        return f"{len(rests[0][1])} bytes behind the last section, the oracle's {len(rests[1][1])}"
    return None


def _size(ours: Read, theirs: Read) -> str | None:
    """Compressed well enough."""
    ratio = len(ours.data) / len(theirs.data)
    if ratio > LARGER:
        return f"{len(ours.data)} bytes, {ratio:.3f} times the oracle's {len(theirs.data)}"
    return None
