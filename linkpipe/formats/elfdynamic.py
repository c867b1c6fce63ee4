"""ELF's tables for the dynamic linker: from names and numbers to bytes.

Specification: System V ABI, chapter 5 (https://gabi.xinuos.com); symbol versions: LSB, "Symbol
Versioning". Where these leave a choice (number of buckets, order of entries) it is the oracle's:
cmd/link/internal/ld/elf.go, elfdynhash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum

import numpy as np


class Tag(IntEnum):
    """d_tag: what an entry of .dynamic says."""

    NULL = 0
    NEEDED = 1
    PLTRELSZ = 2
    PLTGOT = 3
    HASH = 4
    STRTAB = 5
    SYMTAB = 6
    RELA = 7
    RELASZ = 8
    RELAENT = 9
    STRSZ = 10
    SYMENT = 11
    REL = 17
    RELSZ = 18
    RELENT = 19
    PLTREL = 20
    DEBUG = 21
    JMPREL = 23
    RUNPATH = 29
    FLAGS = 30
    VERSYM = 0x6FFFFFF0
    FLAGS_1 = 0x6FFFFFFB
    VERNEED = 0x6FFFFFFE
    VERNEEDNUM = 0x6FFFFFFF


DF_BIND_NOW = 8
DF_1_NOW, DF_1_PIE = 1, 0x08000000


class Strings:
    """A string table that grows; strings are not shared."""

    def __init__(self) -> None:
        self._bytes = bytearray(b"\0")

    def add(self, text: bytes) -> int:
        """Append a string; its offset."""
        at = len(self._bytes)
        self._bytes += text + b"\0"
        return at

    def to_bytes(self) -> bytes:
        """The table."""
        return bytes(self._bytes)


def hash_of(name: bytes) -> int:
    """The hash of a symbol's name."""
    value = 0
    for byte in name:
        value = ((value << 4) + byte) & 0xFFFFFFFF
        high = value & 0xF0000000
        value = (value ^ high >> 24) & 0x0FFFFFFF
    return value


def hash_table(names: Iterable[tuple[int, bytes]], count: int, word: int, endian: str) -> bytes:
    """.hash: numbers of symbols and their names, in the order in which they are put in front of
    their chains; ``count`` symbols in all, number 0 included; ``word`` bytes each number."""
    buckets, chains = [0] * (1 + count.bit_length()), [0] * count
    for number, name in names:
        bucket = hash_of(name) % len(buckets)
        chains[number] = buckets[bucket]
        buckets[bucket] = number
    return np.array([len(buckets), count, *buckets, *chains], f"{endian}u{word}").tobytes()


class Versions:
    """The versions that symbols of libraries must have: files, and versions of each, the last one
    that was asked for first; numbered from 2 on in that order."""

    def __init__(self, wanted: Iterable[tuple[bytes, bytes]]) -> None:
        files: dict[bytes, dict[bytes, None]] = {}
        for file, version in wanted:
            files.setdefault(file, {})[version] = None
        self.files = [(file, list(reversed(files[file]))) for file in reversed(files)]
        numbered = [(file, version) for file, versions in self.files for version in versions]
        self.number: Mapping[tuple[bytes, bytes], int] = {
            pair: number for number, pair in enumerate(numbered, 2)
        }

    def needs(self, strings: Strings, endian: str) -> bytes:
        """.gnu.version_r; its strings are appended to ``strings``."""
        out = bytearray()
        for row, (file, versions) in enumerate(self.files):
            size = 16 * (1 + len(versions))
            to_next = size if row + 1 < len(self.files) else 0
            out += _record(endian, 1, len(versions), strings.add(file), 16, to_next)
            for place, version in enumerate(versions, 1):
                head = np.array([hash_of(version)], f"{endian}u4").tobytes()
                halves = np.array([0, self.number[file, version]], f"{endian}u2").tobytes()
                words = [strings.add(version), 16 if place < len(versions) else 0]
                out += head + halves + np.array(words, f"{endian}u4").tobytes()
        return bytes(out)

    def of_symbols(self, pairs: Sequence[tuple[bytes, bytes] | None], endian: str) -> bytes:
        """.gnu.version: the number for each symbol from number 1 on; None: any version."""
        numbers = [0, *(1 if pair is None else self.number[pair] for pair in pairs)]
        return np.array(numbers, f"{endian}u2").tobytes()


def _record(endian: str, version: int, count: int, file: int, first: int, to_next: int) -> bytes:
    halves = np.array([version, count], f"{endian}u2").tobytes()
    return halves + np.array([file, first, to_next], f"{endian}u4").tobytes()
