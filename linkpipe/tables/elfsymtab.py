"""The symbol table of an ELF file, as columns."""

from __future__ import annotations

from linkpipe.arrays.columns import table
from linkpipe.arrays.types import I32, I64, U8, U32

UNDEFINED, ABSOLUTE = -1, -2
"""Sections of symbols that have none: defined by another module, or plain numbers."""


@table
class ElfSymtab:
    """Columns of equal length, in file order, locals first; no rows: the file has no table.

    Row 0 is the one that ELF wants first in every table, for who refers to no symbol: without a
    name, UNDEFINED, all else zero. It, the debug sections and "go.go", the source file of all, are
    locals that stand before the linker's symbols.

    Attributes:
        name: uint32[n], offset in ``strings``.
        info: uint8[n], binding and type. other: uint8[n], visibility.
        section: int32[n], row in Sections, or UNDEFINED, ABSOLUTE.
        value, size: int64[n].
        strings: the string table.
        first_global: the number of local symbols.
        index: int32[number of linker symbols], the row that a relocation to the symbol uses, 0
            when it has none.
    """

    name: U32
    info: U8
    other: U8
    section: I32
    value: I64
    size: I64
    strings: bytes
    first_global: int
    index: I32

    def __attrs_post_init__(self) -> None:
        for name in ("name", "info", "other", "section", "value", "size"):
            column = getattr(self, name)
            if column.shape != self.name.shape or column.flags.writeable:
                raise TypeError(f"ELF symbol table: {name} is writable or of another length")

    def __len__(self) -> int:
        return len(self.name)
