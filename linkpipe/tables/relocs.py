"""Relocations of the symbols that take part in the link.

Columns over all relocations, and for each symbol the range of its own. Reachability
reads them for what it reaches; passes add those of symbols that the linker makes.
Relocation types are the Go object file's (cmd/internal/objabi/reloctype.go); the generic
ones have names in ``linkpipe.reloctype``, an architecture's own live with it.
"""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from linkpipe.arrays.columns import columns
from linkpipe.arrays.ragged import expand
from linkpipe.arrays.room import Column, Memory, longer
from linkpipe.arrays.types import I32, I64, U8, U16, Bool, Ints
from linkpipe.tables.edit import Edit
from linkpipe.tables.listing import InNotebook, Listing
from linkpipe.tables.objects import RelocColumns

_COLUMNS = ("offset", "size", "type", "weak", "add", "target")
_DTYPES = {
    "offset": np.int32,
    "size": np.uint8,
    "type": np.uint16,
    "weak": np.bool_,
    "add": np.int64,
    "target": np.int32,
}


@attrs.frozen(eq=False, repr=False, field_transformer=columns)
class Relocs(InNotebook):
    """Relocations as columns; rows of symbol s are [first[s], first[s] + count[s]).

    Attributes:
        first: int64[nsyms], the first row of each symbol. Symbols made later than the table have no
            rows; use ``rows_of``.
        count: int32[nsyms], how many rows it has, 0 for symbols that were not read.
        offset: int32[m], bytes from the symbol's start.
        size: uint8[m], bytes patched; 0 marks a relocation that only reachability uses.
        type: uint16[m], the Go object file's number without the weak bit (``reloctype``; numbers of
            one architecture alone are named in its ``relocs``).
        weak: bool[m], whether it does not keep its target, which may be dropped.
        add: int64[m], the addend, bytes.
        target: int32[m], the id of the symbol that it refers to, 0: none.
    """

    first: I64
    count: I32
    offset: I32
    size: U8
    type: U16
    weak: Bool
    add: I64
    target: I32

    def __attrs_post_init__(self) -> None:
        m = len(self.offset)
        for name, dtype in _DTYPES.items():
            column = getattr(self, name)
            if column.dtype != dtype or column.shape != (m,) or column.flags.writeable:
                raise TypeError(
                    f"relocs.{name}: expected read-only {np.dtype(dtype)}[{m}], "
                    f"found {column.dtype}{list(column.shape)}"
                )

    @classmethod
    def gather(cls, nsyms: int, ids: Ints, columns: RelocColumns) -> Relocs:
        """A table of the relocations ``columns`` of the symbols ``ids`` (row i: ids[i])."""
        first, count = Memory.begin(np.int64, nsyms), Memory.begin(np.int32, nsyms)
        count[ids] = columns.counts
        first[ids] = np.cumsum(columns.counts) - columns.counts
        arrays: dict[str, npt.NDArray[Any]] = {
            name: np.ascontiguousarray(getattr(columns, name)) for name in _COLUMNS
        }
        return cls(first=first.table(nsyms), count=count.table(nsyms), **arrays)

    @classmethod
    def empty(cls, nsyms: int) -> Relocs:
        """A table of no relocations."""
        none: dict[str, Any] = {name: np.zeros(0, dtype) for name, dtype in _DTYPES.items()}
        ids = np.zeros(0, np.int64)
        return cls.gather(nsyms, ids, RelocColumns(counts=ids, **none))

    def __len__(self) -> int:
        return len(self.offset)

    def rows_of(self, sym: int) -> slice:
        """The rows of one symbol."""
        if sym >= len(self.first):
            return slice(0, 0)
        at = int(self.first[sym])
        return slice(at, at + int(self.count[sym]))

    def rows_of_many(self, ids: Ints) -> tuple[I64, I64]:
        """All rows of many symbols, symbol by symbol, and how many each has: int64 both."""
        first, counts = self.spans_of(ids)
        return expand(first, counts), counts

    def spans_of(self, ids: Ints) -> tuple[I64, I64]:
        """The first row of each of many symbols, and how many each has: int64 both."""
        inside = ids < len(self.first)
        known = np.where(inside, ids, 0)
        return self.first[known], np.where(inside, self.count[known], 0).astype(np.int64)

    def owner(self) -> I32:
        """The symbol that each row belongs to: int32[m] (0 for rows that nobody owns any more)."""
        out = np.zeros(len(self), np.int32)
        ids = np.flatnonzero(self.count)
        rows, counts = self.rows_of_many(ids)
        out[rows] = np.repeat(ids, counts)
        return out

    def extended(self, ids: Ints, *lists: RelocColumns) -> Relocs:
        """A table that also has the relocations ``lists``, one list after the other, of the symbols
        ``ids`` (row i: ids[i]), which had none."""
        counts = np.concatenate([columns.counts for columns in lists])
        starts = len(self) + np.cumsum(counts) - counts
        arrays = {
            name: longer(getattr(self, name), dtype, [getattr(columns, name) for columns in lists])
            for name, dtype in _DTYPES.items()
        }
        return Relocs(**self._spans_with(ids, starts, counts), **arrays)

    def _spans_with(self, ids: Ints, first: Ints, count: Ints) -> dict[str, Any]:
        """The columns of symbols, with the rows that the symbols ``ids`` have now."""
        before = len(self.first)
        n = max(before, int(ids.max(initial=-1)) + 1)
        columns = {}
        for name, old, new in (("first", self.first, first), ("count", self.count, count)):
            if ids.min(initial=before) >= before:
                added = np.zeros(n - before, old.dtype)
                added[ids - before] = new
                columns[name] = longer(old, old.dtype, [added])
                continue
            memory = Memory.copy_of(old.dtype, old, n)
            memory.write(n, ids, new)
            columns[name] = memory.table(n)
        return columns

    def edit(self) -> RelocsEdit:
        """A writable successor; this table stays as it is."""
        return RelocsEdit(self)

    def listing(self) -> Listing:
        """A row for each relocation, ordered by symbol, for dumps."""
        ids = np.flatnonzero(self.count)
        order, counts = self.rows_of_many(ids)
        owner = np.repeat(ids, counts)
        return Listing(
            key="symbol",
            columns={
                "symbol": owner,
                "name": owner,
                **{name: getattr(self, name)[order] for name in _COLUMNS},
            },
            refers={"name": "symbols", "target": "symbols", "type": "relocation types"},
            names=("name", "offset"),
            numbers=("symbol",),
        )

    def check(self) -> list[str]:
        """Broken invariants, in words."""
        ends = self.first + self.count
        if len(ends) and ends.max(initial=0) > len(self):
            return [f"symbol {int(np.argmax(ends))} has relocations past the end of the table"]
        return []


def single_relocs(
    offset: Ints,
    size: int,
    type: int,  # noqa: A002 - the column's name
    target: Ints,
) -> RelocColumns:
    """One strong relocation for each of n symbols, of one size and type, with addend 0."""
    n = len(offset)
    zeros = np.zeros(n, np.int64)
    return RelocColumns(
        np.ones(n, np.int64),
        offset.astype(np.int32),
        np.full(n, size, np.uint8),
        np.full(n, type, np.uint16),
        zeros.astype(np.bool_),
        zeros,
        target.astype(np.int32),
    )


class RelocsEdit(Edit):
    """Relocations being changed: rows can be rewritten, symbols can get new ones."""

    def __init__(self, base: Relocs) -> None:
        self._base = base
        self._columns: dict[str, npt.NDArray[Any]] = {}
        self._added: dict[int, list[tuple[int, int, int, bool, int, int]]] = {}
        self._cleared: set[int] = set()

    def set(self, rows: Ints | int, **values: Any) -> None:
        """Rewrite columns of existing rows: ``edit.set(rows, type=..., target=...)``."""
        for name, value in values.items():
            column = self._columns.get(name)
            if column is None:
                column = self._columns[name] = getattr(self._base, name).copy()
            column[rows] = value

    def add(
        self,
        sym: int,
        *,
        offset: int,
        size: int,
        type: int,  # noqa: A002 - the column's name
        target: int,
        add: int = 0,
        weak: bool = False,
    ) -> None:
        """Append one relocation to a symbol."""
        self._added.setdefault(sym, []).append((offset, size, type, weak, add, target))

    def clear(self, sym: int) -> None:
        """Drop the relocations that the symbol has so far."""
        self._cleared.add(sym)
        self._added.pop(sym, None)

    def freeze(self) -> Relocs:
        """The changed table; the edit is closed."""
        base = self._base
        changed = {name: self._columns.get(name, getattr(base, name)) for name in _COLUMNS}
        spans: dict[str, Any] = {"first": base.first, "count": base.count}
        if self._added or self._cleared:
            # A symbol's rows are contiguous, so what it keeps moves to the end with what it gets.
            tails: dict[str, list[Column]] = {name: [] for name in _COLUMNS}
            at = len(base)
            ids = [*(self._cleared - self._added.keys()), *self._added]
            starts, counts = [], []
            for sym in ids:
                kept, rows = base.rows_of(sym), self._added.get(sym, [])
                if sym in self._cleared:
                    kept = slice(0, 0)
                for i, name in enumerate(_COLUMNS if rows else ()):
                    new: npt.NDArray[Any] = np.array([row[i] for row in rows], _DTYPES[name])
                    tails[name] += [changed[name][kept], new]
                starts.append(at)
                counts.append(kept.stop - kept.start + len(rows))
                at += counts[-1]
            changed = {
                name: longer(column, _DTYPES[name], tails[name]) for name, column in changed.items()
            }
            spans = base._spans_with(np.array(ids), np.array(starts), np.array(counts))
        self._close()
        return Relocs(**spans, **changed)
