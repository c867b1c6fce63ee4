"""What the passes that make debug sections have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from linkpipe.arrays.types import I64, Ints
from linkpipe.formats.dwarf import DWARF5
from linkpipe.tables.dwarf import DebugSection, DescribedText, Dwarf
from linkpipe.tables.symbols import Flag

if TYPE_CHECKING:
    from linkpipe.arch import Architecture
    from linkpipe.symkind import SymKind
    from linkpipe.tables.symbols import Symbols, SymbolsEdit


def with_debug_section(
    sections: tuple[DebugSection, ...], dwarf: Dwarf, name: str, symbols: Ints
) -> tuple[DebugSection, ...]:
    """The debug sections so far and one more, ``.debug_NAME``, which holds ``symbols``. It is one
    of those that the debug information of Go has (``dwarf.section`` lists them); for others there
    is ``unloaded_section``. Raises ValueError."""
    if name not in dwarf.section:
        raise ValueError(
            f"Go's debug information has no section .debug_{name}, but {', '.join(dwarf.section)}: "
            "unloaded_section makes others"
        )
    own = dwarf.section[name]
    section = DebugSection(f".debug_{name}", np.append(own, symbols).astype(np.int64))
    return (*sections, section)


def by_unit(dwarf: Dwarf, heads: I64, members: Ints) -> I64:
    """For each unit in order its head, if it has one (not 0), then the ``members`` of its
    functions (int[n], one for each function, 0: none)."""
    owner = dwarf.owner
    place = np.empty(len(dwarf), np.int64)
    place[dwarf.order] = np.arange(len(dwarf))
    having, some = np.flatnonzero(heads), np.flatnonzero(members)
    rank = np.concatenate((2 * place[having], 2 * place[owner[some]] + 1))
    every: I64 = np.concatenate((heads[having], members[some])).astype(np.int64)
    return every[np.argsort(rank, kind="stable")]


def list_header(
    edit: SymbolsEdit, kind: SymKind, arch: Architecture, symbols: Ints, *, offsets: bool
) -> int:
    """A symbol with the header of .debug_addr, .debug_rnglists or .debug_loclists, which hold
    ``symbols``; the latter two have room for a table of offsets, which Go does not use (the DWARF 5
    standard, sections 7.27 to 7.29)."""
    tail = DWARF5.version.to_bytes(2, arch.byteorder) + bytes((arch.ptrsize, 0))
    tail += bytes(4) if offsets else b""
    total = len(tail) + int(edit.size[symbols].sum())
    sym = int(edit.create_many(1, kind=kind, flags=Flag.REACHABLE | Flag.NOT_IN_SYMTAB)[0])
    edit.set_content(sym, total.to_bytes(4, arch.byteorder) + tail)
    return sym


class UnitRanges(NamedTuple):
    """Stretches of text that belong to one unit, by address: ``unit``, ``start`` and ``end``
    int64[r], bytes from the unit's first function."""

    unit: I64
    start: I64
    end: I64


def unit_ranges(dwarf: Dwarf, text: DescribedText, symbols: Symbols) -> UnitRanges:
    """Where the functions of each unit lie. Small gaps between functions do not part stretches;
    functions of other units do (dwarf.go, calcCompUnitRanges)."""
    first = np.flatnonzero(np.diff(text.units, prepend=-1))
    last = np.append(first, len(text.units))[1:] - 1
    units, low, high = text.units[first], text.functions[first], text.functions[last]
    base = symbols.value[dwarf.functions[dwarf.first[units]]]
    start = symbols.value[low] - base
    return UnitRanges(units, start, symbols.value[high] + symbols.data_size[high] - base)
