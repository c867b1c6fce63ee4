"""Memory of a table's columns, with room behind the rows for those that later tables add.

A table is immutable, and most passes add a few rows to one of half a million. So the table that a
pass makes shares the memory of the one before, as long as it is the first to add rows there; who
comes second, and who changes rows that are there already, gets memory of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[Any]


class Room:
    """Columns of ``size`` rows each, of which the tables of one line have taken the first ones.

    ``rows`` are taken from the beginning. ``columns`` is for whoever adds the rows that it has
    taken; what is ``shown`` of a column cannot be written to.
    """

    def __init__(self, rows: int, size: int, columns: Mapping[str, Column] | None = None) -> None:
        self.size = size
        self.columns: dict[str, Column] = dict(columns or {})
        self._taken = [rows]
        self._lock = Lock()

    @classmethod
    def for_rows(cls, rows: int) -> Room:
        """One without columns yet, and with room for more rows than these."""
        return cls(rows, max(rows + 64, rows + rows // 16))

    def successor(self) -> Room:
        """The same memory, in which columns can be replaced; rows are taken from both."""
        later = Room(0, self.size, self.columns)
        later._taken, later._lock = self._taken, self._lock
        return later

    def take(self, have: int, want: int) -> bool:
        """Take the rows from ``have`` up to ``want``; False when there is no room for them, or
        another table has taken them."""
        with self._lock:
            if self._taken[0] != have or want > self.size:
                return False
            self._taken[0] = want
            return True

    def make(self, name: str, dtype: npt.DTypeLike, rows: int, default: int = 0) -> Column:
        """New memory for a column; all behind the first ``rows`` has the ``default``."""
        column = self.columns[name] = np.empty(self.size, dtype)
        column[rows:] = default
        return column

    def shown(self, name: str, rows: int) -> Column:
        """The first rows of a column. Nobody can make them writable: they are a view of memory that
        is lent read-only."""
        column: Column = np.asarray(memoryview(self.columns[name]).toreadonly())
        return column[:rows]
