"""pc-value tables: what holds (a line number, a stack depth, …) for which range of addresses.

A table is a series of pairs: how much the value changes (zigzag LEB128), and for how many units
of ``quantum`` bytes the new value holds (LEB128). It starts from value -1 at offset 0 and ends
with a change of zero, which is only allowed to mean "no change" in the first pair, or with its
last byte. Source: cmd/internal/obj/pcln.go (PCIter), runtime/symtab.go (step).

All tables are decoded at once: numbers end where a byte has its high bit clear, so finding them
is a comparison, and the running sums are two cumulative sums.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from linkpipe.arrays.ragged import expand, owners
from linkpipe.arrays.types import I32, I64, U8
from linkpipe.errors import BadRow
from linkpipe.formats.leb128 import ulebs, zigzag

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
    table_end = np.cumsum(size)
    text = data[expand(at, size)]
    some = np.flatnonzero(size > 0)
    open_ = some[text[table_end[some] - 1] >= 0x80]
    if len(open_):
        raise BadRow(int(open_[0]), f"{_BAD} it ends inside of a number")
    try:
        numbers, ends = ulebs(text)
    except BadRow as e:
        raise BadRow(int(np.searchsorted(table_end, e.row, side="right")), f"{_BAD} it {e}") from e
    per_table = np.diff(np.searchsorted(ends, table_end, side="right"), prepend=0)
    table = owners(per_table)
    first = np.cumsum(per_table) - per_table
    place = np.arange(len(numbers)) - first[table]
    is_change = place % 2 == 0
    # Where the terminator stands; tables may lack it.
    length = per_table.copy()
    stops = np.flatnonzero(is_change & (place > 0) & (numbers == 0))[::-1]
    length[table[stops]] = place[stops]
    odd = np.flatnonzero(length % 2)
    if len(odd):
        raise BadRow(int(odd[0]), f"{_BAD} it ends inside of a pair")
    counts = length // 2
    rows = expand(first, length)
    values, units = zigzag(numbers[rows[0::2]]), numbers[rows[1::2]].astype(np.int64)
    ends_at = _running(units * quantum, counts)
    value = _running(values, counts) - 1
    return PcValues(counts, ends_at - units * quantum, ends_at, value.astype(np.int32))


def _running(steps: I64, counts: I64) -> I64:
    """Running sums that start again in each row."""
    total = np.cumsum(steps)
    first = np.cumsum(counts) - counts
    before = np.concatenate(([0], total))[first]
    return total - np.repeat(before, counts)
