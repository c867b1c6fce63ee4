"""pc-value tables: what holds (a line number, a stack depth, …) for which range of addresses.

A table is a series of pairs: how much the value changes (zigzag LEB128), and for how many units
of ``quantum`` bytes the new value holds (LEB128). It starts from value -1 at offset 0 and ends
with a change of zero, which is only allowed to mean "no change" in the first pair, or with its
last byte. Source: cmd/internal/obj/pcln.go (PCIter), runtime/symtab.go (step).
"""

from __future__ import annotations

from typing import NamedTuple

from linkpipe.arrays.types import I32, I64, U8
from linkpipe.errors import BadRow
from linkpipe.kernels.functions import pcvalues

_BAD = "corrupt object file: bad pc-value table:"


class PcValues(NamedTuple):
    """Decoded tables, row by row: all ranges of the first table, then the second's …

    ``counts`` int64[n], ranges of each table; then for each range ``start`` and ``end`` int64,
    bytes from the function's entry, and ``value`` int32.
    """

    counts: I64
    start: I64
    end: I64
    value: I32


def decode(data: U8, at: I64, size: I64, quantum: int) -> PcValues:
    """Decode the tables data[at[i] : at[i] + size[i]].

    ``quantum`` is the architecture's ``pc_quantum``. An empty table has no ranges.
    Raises BadRow for a table that ends inside of a pair, or has numbers that are too large.
    """
    bad, wrong, counts, start, end, value = pcvalues(data, at, size, quantum)
    if bad >= 0:
        inside = {1: "it ends inside of a number", 2: "it ends inside of a pair"}
        raise BadRow(bad, f"{_BAD} {inside.get(wrong, f'it has a number of {wrong} bytes')}")
    return PcValues(counts, start, end, value)
