"""What a linked Go file says in its module data, found without a symbol table.

The module data begins with the address of the function tables, which begin with a number of their
own and lie in a section .gopclntab, or with other data. In a file that is
loaded anywhere, addresses are relocations: those that only add the load address say in their
addend, or in the place itself, what stands there.

Source: runtime/symtab.go, moduledata; the psABIs, R_*_RELATIVE.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Literal

import numpy as np

from linkpipe.arrays.types import I64, U8
from linkpipe.compare.golang import Pclntab, moduledata_offsets, release_of_file
from linkpipe.formats import elf
from linkpipe.formats.elfread import Elf
from linkpipe.values import Shown, record

_LONGEST = 4096
"""Bytes of a string that are read."""
_HIGHEST = 1 << 62
_MAGIC = 0xFFFFFFF1
"""What the function tables begin with (internal/abi/symtab.go), and two bytes of 0."""


@record
class ModuleData(Shown):
    """The module data of a file, at an address; ``offsets`` are those of its fields, ``tables``
    the function tables."""

    memory: Memory
    tables: Pclntab
    address: int
    offsets: dict[str, int]

    def word(self, field: str) -> int:
        """A field: a number, or an address."""
        return self.memory.word(self.address + self.offsets[field])

    def text(self, field: str) -> str:
        """A field that is a string."""
        size = min(self.word(f"{field} (length)"), _LONGEST)
        return self.memory.bytes(self.word(f"{field} (pointer)"), size).decode(errors="replace")

    def function_at(self, address: int) -> str:
        """The function that an address lies in, "" for none."""
        pc, table = address - self.word("text"), self.tables.functab
        if not 0 <= pc < self.word("etext") - self.word("text"):
            return ""
        row = int(np.searchsorted(table[:, 0], pc, side="right")) - 1
        return self.tables.function(row) if row >= 0 else ""


def find(file: Elf) -> ModuleData | None:
    """The module data of a file; None where there is none."""
    memory = Memory(file)
    offsets = moduledata_offsets(release_of_file(file), memory.word_size)
    for start, tables in memory.tables():
        for place in memory.places(start):
            found = ModuleData(memory, tables, place, offsets)
            # Its first word is the address of the tables; others may be, too.
            if found.word("pclntable (length)") == found.word("pclntable (capacity)") > 0:
                return found
    return None


@record
class Memory(Shown):
    """A file by the addresses that it is loaded at, relative to where it begins."""

    file: Elf

    @property
    def word_size(self) -> int:
        """Bytes of a word."""
        return 4 * self.file.elf_class

    @property
    def order(self) -> Literal["little", "big"]:
        """The order of bytes in a word."""
        return "little" if self.file.endian == "<" else "big"

    @cached_property
    def _loaded(self) -> list[tuple[int, U8, bool]]:
        """Address and content of each section that has any in the file, at addresses that a
        program can have, and whether it can be written to."""
        rows = self.file.sections
        kept = (rows["flags"] & elf.SHF_ALLOC != 0) & (rows["type"] != elf.SectionType.NOBITS)
        kept &= rows["addr"] < _HIGHEST
        found = np.flatnonzero(kept).tolist()
        writable = (rows["flags"] & elf.SHF_WRITE != 0).tolist()
        return [(int(rows["addr"][i]), self.file.content(i), writable[i]) for i in found]

    @cached_property
    def _relocs(self) -> tuple[I64, I64]:
        """Where relocations with an addend are, ascending, and the addends."""
        file, found = self.file, []
        dtype = elf.reloc_dtype(file.elf_class, file.endian, rela=True)
        for section in np.flatnonzero(file.sections["type"] == elf.SectionType.RELA).tolist():
            if int(file.sections["flags"][section]) & elf.SHF_ALLOC:
                rows = file.table(section, dtype)
                found.append((rows["offset"].astype(np.int64), rows["addend"].astype(np.int64)))
        if not found:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        places, addends = (np.concatenate(column) for column in zip(*found, strict=True))
        order = np.argsort(places, kind="stable")
        return places[order], addends[order]

    def tables(self) -> Iterator[tuple[int, Pclntab]]:
        """Where function tables may be: addresses, and what they are then."""
        head = _MAGIC.to_bytes(4, self.order) + bytes(2)
        for start, content, _ in self._loaded:
            data, at = content.tobytes(), -1
            while (at := data.find(head, at + 1)) >= 0:
                table = Pclntab.parse(content[at:], self.file.endian)
                if table and table.word == self.word_size:
                    yield start + at, table

    def bytes(self, address: int, size: int) -> bytes:
        """What is at an address; fewer bytes where there are not as many."""
        for start, data, _ in self._loaded:
            if start <= address < start + len(data):
                return data[address - start : address - start + size].tobytes()
        return b""

    def word(self, address: int) -> int:
        """The word at an address: the addend of its relocation, if it has one."""
        places, addends = self._relocs
        at = int(np.searchsorted(places, address))
        if at < len(places) and places[at] == address and addends[at]:
            return int(addends[at])
        return int.from_bytes(self.bytes(address, self.word_size), self.order)

    def places(self, value: int) -> list[int]:
        """Where a word has this value, aligned ones in sections that can be written to."""
        places, addends = self._relocs
        found = places[addends == value].tolist()
        dtype = f"{self.file.endian}u{self.word_size}"
        for start, data, writable in self._loaded:
            if writable:
                words = data[: len(data) // self.word_size * self.word_size].view(dtype)
                found += (np.flatnonzero(words == value) * self.word_size + start).tolist()
        return sorted(set(found))
