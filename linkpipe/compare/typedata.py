"""Type descriptors as they lie in a linked file: their names, and which methods were kept.

Source: internal/abi/type.go; the linker writes -1 for a method that it has dropped
(cmd/link/internal/ld/data.go, R_METHODOFF).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from linkpipe.compare.golang import release_of_file
from linkpipe.compare.moduledata import ModuleData
from linkpipe.gotypes.layout import (
    METHOD_SIZE,
    TFLAG_EXTRA_STAR,
    TFLAG_UNCOMMON,
    TypeLayout,
)
from linkpipe.values import Shown, record

_DROPPED = -1
_LONGEST = 1024
"""Bytes of a name that are read."""


@record
class TypeReader(Shown):
    """Reads the descriptors of a file, by address."""

    data: ModuleData
    layout: TypeLayout
    types: int
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, data: ModuleData) -> TypeReader:
        """The reader of the file that this module data is of."""
        memory = data.memory
        release = release_of_file(memory.file)
        layout = TypeLayout(memory.word_size, memory.order, release.map_words, release.kind_mask)
        sizes = tuple(layout.sizes_by_kind().tolist())
        return cls(data, layout, data.word("types"), sizes)

    def _words(self, fields: str, address: int) -> tuple[int, ...]:
        """Fields of these types (see struct) at an address; 0 for those that are not there."""
        form = f"{self.data.memory.file.endian}{fields}"
        size = struct.calcsize(form)
        return struct.unpack(form, self.data.memory.bytes(address, size).ljust(size, b"\0"))

    def method_table(self, address: int) -> tuple[int, int]:
        """Where the methods of the type at an address are, and how many."""
        flags, _, _, kind = self._words("BBBB", address + self.layout.tflag)
        if not flags & TFLAG_UNCOMMON:
            return 0, 0
        uncommon = address + self.sizes[kind & self.layout.kind_mask]
        _, count, _, first = self._words("iHHI", uncommon)
        return uncommon + first, count

    def methods(self, address: int) -> Iterator[tuple[int, bool]]:
        """For each method of the type at an address: the offset of its name, and whether it was
        dropped."""
        start, count = self.method_table(address)
        table = self.data.memory.bytes(start, METHOD_SIZE * count) if count else b""
        form = f"{self.data.memory.file.endian}4i"
        whole = len(table) // METHOD_SIZE * METHOD_SIZE
        for name, _, by_interface, _ in struct.iter_unpack(form, table[:whole]):
            yield name, by_interface == _DROPPED

    def name(self, offset: int) -> str:
        """The name at an offset: a byte of flags, its length as a varint, and its bytes."""
        text = self.data.memory.bytes(self.types + offset, _LONGEST)
        size = at = 0
        for at, byte in enumerate(text[1:3], 1):
            size |= (byte & 0x7F) << 7 * (at - 1)
            if byte < 0x80:
                break
        return text[at + 1 : at + 1 + size].decode(errors="replace")

    def type_name(self, address: int) -> str:
        """The type at an address, as Go prints it."""
        (flags,) = self._words("B", address + self.layout.tflag)
        (offset,) = self._words("i", address + self.layout.string)
        name = self.name(offset)
        return name.removeprefix("*") if flags & TFLAG_EXTRA_STAR else name
