"""Relocations that the host linker will apply: what an object file's .rela sections hold."""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.columns import table
from linkpipe.arrays.types import I16, I32, I64
from linkpipe.tables.listing import InNotebook, Listing


@table
class ExternalRelocs(InNotebook):
    """Columns of equal length, grouped by section in file order, by place within a section.

    Attributes:
        section: int16[m], row in Sections of the place.
        offset: int64[m], bytes from the start of that section.
        type: int32[m], the ELF relocation type.
        symbol: int32[m], the symbol that it refers to.
        addend: int64[m].
    """

    section: I16
    offset: I64
    type: I32
    symbol: I32
    addend: I64

    def __attrs_post_init__(self) -> None:
        for name in ("section", "offset", "type", "symbol", "addend"):
            column = getattr(self, name)
            if column.shape != self.offset.shape or column.flags.writeable:
                raise TypeError(f"external relocations: {name} is writable or of another length")

    def __len__(self) -> int:
        return len(self.offset)

    def listing(self) -> Listing:
        """A row for each relocation, in file order, for dumps."""
        names = ("section", "offset", "type", "symbol", "addend")
        columns = {"row": np.arange(len(self)), **{name: getattr(self, name) for name in names}}
        return Listing(
            key="row",
            columns=columns,
            refers={"section": "sections", "symbol": "symbols"},
            names=("section", "offset"),
            numbers=("row",),
        )
