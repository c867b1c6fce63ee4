"""An index that tables share: which entry of a list each id has.

A list of entries only grows, and each table knows how many of them are its own. What the index says
beyond that was said for a later table, and means the same as 0, which is none. So who adds entries
for ids that have none writes into the memory that all those tables share, as long as it is the
first to do so; who comes second gets memory of its own.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.room import Memory
from linkpipe.arrays.types import I32, Ints


def none_of(ids: int) -> I32:
    """An index in which none of so many ids has an entry."""
    return _with(Memory.begin(np.int32, ids), ids, 1)


def entries(index: I32, known: int, ids: Ints) -> I32:
    """Which entry each of ``ids`` has, for a table of ``known`` entries; 0 for one without, and for
    one that is beyond the index: int32[len(ids)]."""
    if not len(index):
        return np.zeros(len(ids), np.int32)
    found: I32 = index.take(ids, mode="clip")
    found[(found >= known) | (ids >= len(index))] = 0
    return found


def with_entries(index: I32, known: int, ids: Ints) -> I32:
    """An index in which ``ids``, which have no entry among the first ``known``, have those from
    ``known`` on, in their order."""
    n = max(len(index), int(ids.max(initial=-1)) + 1)
    memory = Memory.of(index)
    if memory is None or len(memory) < n or not memory.lend(known):
        memory = Memory.make(np.int32, np.where(index < known, index, 0), n)
    end = known + len(ids)
    memory.write(n, ids, np.arange(known, end, dtype=np.int32))
    return _with(memory, n, end)


def _with(memory: Memory, ids: int, known: int) -> I32:
    """The index of so many ids, which lets the next entry be given."""
    index = memory.table(ids)
    memory.taken = known
    return index
