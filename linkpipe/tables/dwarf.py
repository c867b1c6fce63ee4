"""Debug information: which units there are, and which symbols of objects belong to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from linkpipe.arrays.columns import table
from linkpipe.arrays.ragged import owners
from linkpipe.arrays.types import I32, I64
from linkpipe.errors import PassError
from linkpipe.values import Shown

if TYPE_CHECKING:
    from linkpipe.formats.dwarf import DwarfForm


@table
class DebugSection(Shown):
    """A debug section.

    Attributes:
        name: as in the output, ".debug_line".
        symbols: int64[n], ids of what is laid out in it without gaps; the first one stands for the
            section itself.
    """

    name: str
    symbols: I64


@table
class DescribedText(Shown):
    """m functions by address, those that an object says more of than their code: among them may be
    some that the linker has added since units were gathered.

    Attributes:
        functions: int64[m], symbols.
        units: int64[m], the unit of each.
        funcinfo: int64[m], symbols with the record of each, 0: none.
        pcsp: int64[m], symbols with the depths of its stack, 0: none.
    """

    functions: I64
    units: I64
    funcinfo: I64
    pcsp: I64


@table
class Dwarf:
    """k compilation units, one for each object, and the n functions of their text.

    Attributes:
        objects: int64[k], rows in Objects, 0: not a Go object.
        packages: int64[k], rows in Packages.
        first: int64[k + 1], where each unit's functions start.
        functions: int64[n], symbols, unit by unit, in the order of the text.
        info, locs, ranges, lines: int32[n], symbols with what their objects say of them, 0:
            nothing.
        entries_first: int64[k + 1], where each unit's entries start.
        entries: int64[…], the symbols of each unit's part of .debug_info; none for units of which
            there is nothing to say.
        line_table, range_list, addresses: int64[k], symbols of what the linker writes for each
            unit, 0 for units without functions; addresses are 0 for all where functions have no
            index.
        section: the symbols of debug sections, by name.
        order: int64[k], the units in the order of the output (set by dwarfunits).
        text: the functions at their final places (set by dwarfunits).
        index: int32[number of symbols], the index of each function in its unit's table of
            addresses, -1: none (set by debugaddr).
        form: the version of DWARF, and what depends on it.
    """

    objects: I64
    packages: I64
    first: I64
    functions: I64
    info: I32
    locs: I32
    ranges: I32
    lines: I32
    entries_first: I64
    entries: I64
    line_table: I64
    range_list: I64
    addresses: I64
    section: Mapping[str, int]
    order: I64
    text: DescribedText | None
    index: I32
    form: DwarfForm

    @property
    def owner(self) -> I64:
        """The unit of each function: int64[n]."""
        return owners(np.diff(self.first))

    @property
    def final_text(self) -> DescribedText:
        """The functions at their final places; raises PassError before units are sorted."""
        if self.text is None:
            raise PassError(
                "asks for functions at their final places before units are sorted",
                remedy="it belongs behind the pass that sorts them",
            )
        return self.text

    def __len__(self) -> int:
        """The number of units."""
        return len(self.objects)

    def rows(self) -> Iterator[dict[str, Any]]:
        """One dict for each unit, for dumps."""
        for unit in range(len(self)):
            yield {
                "row": unit,
                "object": int(self.objects[unit]),
                "package": int(self.packages[unit]),
                "functions": int(self.first[unit + 1] - self.first[unit]),
                "entries": int(self.entries_first[unit + 1] - self.entries_first[unit]),
            }
