"""Memory of columns, with room behind the rows for those that later tables add.

A table is immutable, and most passes add a few rows to one of half a million. So the table that a
pass makes shares the memory of the one before, as long as it is the first to add rows there; who
comes second, and who changes rows that are there already, gets memory of its own. To copy a column
for a few changes takes longer than they do, so the memory of the table before the last is kept, and
brought up to date when nobody has that table any more.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[Any]

_lock = Lock()
_FEW = 16
"""A change of more rows than one in so many costs as much as a copy of all."""


class Memory(np.ndarray[Any, Any]):
    """A column with room. Its first ``taken`` rows are those of tables, or lent to somebody who
    makes one. Read-only but while rows are written to (`write`) that no table has.

    ``before`` is the memory that it was copied from, of ``common`` rows, as long as it differs in
    few of them, ``changed``, alone.
    """

    taken: int
    before: Memory | None = None
    common: int
    changed: list[Any]

    @classmethod
    def begin(cls, dtype: npt.DTypeLike, rows: int, default: int = 0, known: int = 0) -> Memory:
        """A column of ``rows`` rows, and room for more, for who writes the first ``known`` rows
        before it makes a table of them; there is the ``default`` in all others."""
        memory = cls.unwritten(dtype, rows)
        memory[known:] = default
        return memory

    @classmethod
    def unwritten(cls, dtype: npt.DTypeLike, rows: int) -> Memory:
        """A column of ``rows`` rows, and room for more, for who writes them before it makes a table
        of them, and knows of no default. Memory that nobody writes to takes none."""
        memory = cls(rows + rows // 16 + 64, dtype)
        memory.taken = len(memory)
        return memory

    @classmethod
    def make(cls, dtype: npt.DTypeLike, old: Column, rows: int, default: int = 0) -> Memory:
        """A column that begins with ``old``, with room for ``rows`` rows and more; there is the
        ``default`` in all behind ``old``."""
        memory = cls.begin(dtype, rows, default, len(old))
        memory[: len(old)] = old
        memory.setflags(write=False)
        return memory

    @classmethod
    def copy_of(cls, dtype: npt.DTypeLike, old: Column, rows: int, default: int = 0) -> Memory:
        """The same, for who changes rows of ``old``: memory of a table that nobody has any more,
        where there is some that differs from it in few rows."""
        source, spare, n = cls.of(old), None, len(old)
        if source is not None:
            with _lock:
                spare, source.before = source.before, None
        # Nobody else has it when there is but the variable, and perhaps what the call is given.
        if source is None or spare is None or sys.getrefcount(spare) > 2 or len(spare) < rows:
            spare = cls.make(dtype, old, rows, default)
        else:
            for part in source.changed:
                spare.write(n, part, old[part])
            start = min(source.common, n)
            spare.write(n, slice(start, n), old[start:])
            spare.write(len(spare), slice(n, None), default)
            spare.taken = len(spare)
        spare.before, spare.common, spare.changed = source, n, []
        return spare

    @classmethod
    def of(cls, column: Column) -> Memory | None:
        """Where a column lies, when there may be room behind it."""
        part: Any = column
        while isinstance(part, np.ndarray):
            if isinstance(part, cls):
                return part
            part = part.base
        return None

    def lend(self, rows: int) -> bool:
        """Take all the room behind these rows; False when somebody else has taken of it."""
        with _lock:
            lent = self.taken == rows
            if lent:
                self.taken = len(self)
            return lent

    def table(self, rows: int) -> Column:
        """The first rows, for a table. The room behind them is free again."""
        self.setflags(write=False)
        self.taken = rows
        return self.shown(rows)

    def shown(self, rows: int) -> Column:
        """The first rows. Nobody can write to them there."""
        return self.view(np.ndarray)[:rows]

    def write(self, end: int, rows: Any, values: Any) -> None:
        """Assign to some of the first ``end`` rows, which nobody else has."""
        self.setflags(write=True)
        try:
            self[:end][rows] = values
        finally:
            self.setflags(write=False)
        if self.before is None or not np.size(rows):
            return
        if isinstance(rows, slice) or np.min(rows) < 0:
            self.before = None
        elif np.min(rows) < self.common:
            self.changed.append(np.array(rows))
            if sum(map(np.size, self.changed)) * _FEW > end:
                self.before = None


def longer(column: Column, dtype: npt.DTypeLike, parts: Sequence[Column]) -> Column:
    """``np.concatenate((column, *parts))``, which shares the column's memory where there is room
    behind it."""
    rows = len(column)
    end = rows + sum(map(len, parts))
    memory = Memory.of(column)
    if memory is None or len(memory) < end or not memory.lend(rows):
        memory = Memory.unwritten(dtype, end)
        memory.write(end, slice(0, rows), column)
    for part in parts:
        memory.write(end, slice(rows, rows + len(part)), part)
        rows += len(part)
    return memory.table(end)
