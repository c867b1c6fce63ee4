"""Symbols of the runtime's function tables, and the offsets in the records of functions.

Source: cmd/link/internal/ld/pcln.go (addGeneratedSym, writeFuncData); runtime/runtime2.go (_func).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from linkpipe.arrays.align import round_up
from linkpipe.arrays.ragged import expand
from linkpipe.arrays.types import I64, U8
from linkpipe.symkind import SymKind
from linkpipe.tables.pclntab import Functab, FunctionData
from linkpipe.tables.symbols import Flag, SymbolsEdit

if TYPE_CHECKING:
    from linkpipe.arch import Architecture
    from linkpipe.release import Release

RECORD = 11
"""Words of a function's record (runtime._func) before its pcdata and funcdata offsets."""
_NONE = 0xFFFFFFFF


def function_table(
    release: Release,
    arch: Architecture,
    edit: SymbolsEdit,
    carrier: int,
    name: str,
    size: int,
    align: int,
    content: U8 | None = None,
) -> int:
    """Create one of the function tables; its content may come later."""
    sym = edit.own(name)
    if content is not None:
        edit.set_content(sym, content.tobytes())
    stated = align if release.stated_tables else 0
    size = round_up(size, arch.ptrsize)
    edit.set(sym, kind=SymKind.SPCLNTAB, size=size, align=stated, container=carrier)
    edit.set(carrier, align=max(stated, int(edit.align[carrier])))
    late = Flag.GENERATED if content is None else 0
    edit.add_flags(sym, Flag.REACHABLE | Flag.NOT_IN_SYMTAB | late)
    return sym


def with_funcdata(table: Functab, data: FunctionData, offset: I64, endian: str) -> Functab:
    """The table with the places of data entered into the records: ``offset`` int64[symbols], in
    bytes from go:func.*."""
    words = table.words.copy()
    out = words.view(f"{endian}u4")
    at = data.records // 4
    at += RECORD + out[at + 7]
    out[expand(at, data.counts)] = np.where(data.symbols != 0, offset[data.symbols], _NONE)
    return Functab(words, table.records)
