"""The fact `dynamic`: what the dynamic linker has to do for an executable that is written here."""

from __future__ import annotations

from linkpipe.arrays.columns import table
from linkpipe.arrays.types import I32, I64
from linkpipe.values import Shown


@table
class Dynamic(Shown):
    """Dynamic symbols, entries of tables, and dynamic relocations, each in the order in which the
    file has them.

    Attributes:
        symbols: int32[n], the dynamic symbols; the first one has number 1.
        exported: how many of them, the first ones, are there because the program exports them.
        plt: int32[k], the symbol of each entry of the procedure linkage table; slot: int64[k], the
            offset of its slot in the table that has these (Linkage.slots).
        got: int32[l], the symbol of each slot of the global offset table.
        files: how many libraries must have versions of symbols.
        place: int32[m], the symbol that each dynamic relocation lies in; offset: int64[m], where.
        type: int32[m], its number in the psABI.
        symbol: int32[m], the dynamic symbol that it refers to, 0 for none.
        target: int32[m], the symbol whose address is part of its addend, 0 for none.
        add: int64[m], what else is, bytes.
    """

    symbols: I32
    exported: int
    plt: I32
    slot: I64
    got: I32
    files: int
    place: I32
    offset: I64
    type: I32
    symbol: I32
    target: I32
    add: I64
