"""Relocations of the symbols that take part in the link.

Columns over all relocations, and the range of each symbol's own. Reachability reads them
for what it reaches, a tenth of all symbols; passes add those of symbols that the linker makes.
Relocation types are the Go object file's (cmd/internal/objabi/reloctype.go); the generic
ones have names in ``linkpipe.reloctype``, an architecture's own live with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from linkpipe.arrays.columns import check_columns, table
from linkpipe.arrays.index import entries, none_of, with_entries
from linkpipe.arrays.ragged import expand
from linkpipe.arrays.room import Column, Memory, longer
from linkpipe.arrays.types import I32, I64, U8, U16, Bool, Ints
from linkpipe.tables.edit import Edit
from linkpipe.tables.listing import InNotebook, Listing
from linkpipe.tables.objects import RELOC_DTYPES, RelocColumns

_ENTRIES = {"symbol": np.int32, "first": np.int64, "count": np.int32}


@table
class Relocs(InNotebook):
    """Relocations as columns, and an entry for each symbol that has any: which ones.

    Attributes:
        entry: int32[nsyms], the entry of each symbol (linkpipe.arrays.index; other tables' are in
            it, too: ask `spans_of`). Symbols made later than the table have none.
        symbol: int32[k], whose each entry is; entry 0 is nobody's.
        first: int64[k], its first row. count: int32[k], how many it has.
        offset: int32[m], bytes from the symbol's start.
        size: uint8[m], bytes patched; 0 marks a relocation that only reachability uses.
        type: uint16[m], the Go object file's number without the weak bit (``reloctype``; numbers of
            one architecture alone are named in its ``relocs``).
        weak: bool[m], whether it does not keep its target, which may be dropped.
        add: int64[m], the addend, bytes.
        target: int32[m], the id of the symbol that it refers to, 0: none.
    """

    entry: I32
    symbol: I32
    first: I64
    count: I32
    offset: I32
    size: U8
    type: U16
    weak: Bool
    add: I64
    target: I32

    def __attrs_post_init__(self) -> None:
        check_columns(self, "relocs", RELOC_DTYPES, len(self.offset))
        check_columns(self, "relocs", _ENTRIES, len(self.symbol))

    @classmethod
    def gather(cls, nsyms: int, ids: Ints, columns: RelocColumns) -> Relocs:
        """A table of the relocations ``columns`` of the symbols ``ids`` (row i: ids[i])."""
        entry = with_entries(none_of(nsyms), 1, ids)
        counts = np.asarray(columns.counts)
        spans = (ids, np.cumsum(counts) - counts, counts)
        told = {
            name: longer(np.zeros(1, dtype), dtype, [values])
            for (name, dtype), values in zip(_ENTRIES.items(), spans, strict=True)
        }
        arrays: dict[str, npt.NDArray[Any]] = {
            name: np.ascontiguousarray(getattr(columns, name)) for name in RELOC_DTYPES
        }
        return cls(entry=entry, **told, **arrays)

    @classmethod
    def empty(cls, nsyms: int) -> Relocs:
        """A table of no relocations."""
        none: dict[str, Any] = {name: np.zeros(0, dtype) for name, dtype in RELOC_DTYPES.items()}
        ids = np.zeros(0, np.int64)
        return cls.gather(nsyms, ids, RelocColumns(counts=ids, **none))

    def __len__(self) -> int:
        return len(self.offset)

    def rows_of(self, sym: int) -> slice:
        """The rows of one symbol."""
        (at,), (count,) = self.spans_of(np.array([sym]))
        return slice(int(at), int(at + count))

    def rows_of_many(self, ids: Ints) -> tuple[I64, I64]:
        """All rows of many symbols, symbol by symbol, and how many each has: int64 both."""
        first, counts = self.spans_of(ids)
        return expand(first, counts), counts

    def spans_of(self, ids: Ints) -> tuple[I64, I64]:
        """The first row of each of many symbols, and how many each has: int64 both."""
        found = entries(self.entry, len(self.symbol), ids)
        return self.first[found], self.count[found].astype(np.int64)

    def columns_of(self, ids: Ints) -> RelocColumns:
        """The relocations of many symbols, symbol by symbol, as a list to extend a table by."""
        rows, counts = self.rows_of_many(ids)
        return RelocColumns(counts, *(getattr(self, name)[rows] for name in RELOC_DTYPES))

    def having(self) -> I64:
        """The symbols that have any, ascending: int64[k]."""
        return np.sort(self.symbol[self.count > 0]).astype(np.int64)

    def owner(self) -> I32:
        """The symbol that each row belongs to: int32[m] (0 for rows that nobody owns any more)."""
        out = np.zeros(len(self), np.int32)
        out[expand(self.first, self.count)] = np.repeat(self.symbol, self.count)
        return out

    def extended(self, ids: Ints, *lists: RelocColumns) -> Relocs:
        """A table that also has the relocations ``lists``, one list after the other, of the symbols
        ``ids`` (row i: ids[i]), which had none."""
        counts = np.concatenate([columns.counts for columns in lists])
        starts = len(self) + np.cumsum(counts) - counts
        arrays = {
            name: longer(getattr(self, name), dtype, [getattr(columns, name) for columns in lists])
            for name, dtype in RELOC_DTYPES.items()
        }
        return Relocs(**self._spans_with(ids, starts, counts), **arrays)

    def _spans_with(self, ids: Ints, first: Ints, count: Ints) -> dict[str, Any]:
        """What tells of entries, where the symbols ``ids`` have these rows and no others."""
        known = len(self.symbol)
        found = entries(self.entry, known, ids)
        new, old = np.flatnonzero(found == 0), np.flatnonzero(found)
        told: dict[str, Column] = {name: getattr(self, name) for name in _ENTRIES}
        for name, values in (("first", first), ("count", count)) if len(old) else ():
            memory = Memory.make(_ENTRIES[name], told[name], known + len(new))
            memory.write(known, found[old], values[old])
            told[name] = memory.table(known)
        for (name, dtype), values in zip(_ENTRIES.items(), (ids, first, count), strict=True):
            told[name] = longer(told[name], dtype, [values[new]])
        return {"entry": with_entries(self.entry, known, ids[new]), **told}

    def edit(self) -> RelocsEdit:
        """A writable successor; this table stays as it is."""
        return RelocsEdit(self)

    def listing(self) -> Listing:
        """A row for each relocation, ordered by symbol, for dumps."""
        ids = self.having()
        order, counts = self.rows_of_many(ids)
        owner = np.repeat(ids, counts)
        return Listing(
            key="symbol",
            columns={
                "symbol": owner,
                "name": owner,
                **{name: getattr(self, name)[order] for name in RELOC_DTYPES},
            },
            refers={"name": "symbols", "target": "symbols", "type": "relocation types"},
            names=("name", "offset"),
            numbers=("symbol",),
        )

    def check(self) -> list[str]:
        """Broken invariants, in words."""
        ends = self.first + self.count
        if ends.max(initial=0) > len(self):
            symbol = int(self.symbol[np.argmax(ends)])
            return [f"symbol {symbol} has relocations past the end of the table"]
        known = len(self.symbol)
        wrong = np.flatnonzero(entries(self.entry, known, self.symbol[1:]) != np.arange(1, known))
        if len(wrong) or self.count[:1].any():
            symbol = int(self.symbol[1:][wrong[0]]) if len(wrong) else 0
            return [f"what the table says of symbol {symbol} is not found by it"]
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
        self._columns: dict[str, Memory] = {}
        self._added: dict[int, list[tuple[int, int, int, bool, int, int]]] = {}
        self._cleared: set[int] = set()

    def set(self, rows: Ints | int, **values: Any) -> None:
        """Rewrite columns of existing rows: ``edit.set(rows, type=..., target=...)``."""
        end = len(self._base)
        for name, value in values.items():
            column = self._columns.get(name)
            if column is None:
                old = getattr(self._base, name)
                column = self._columns[name] = Memory.make(RELOC_DTYPES[name], old, end)
            column.write(end, rows, value)

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
        changed = {name: getattr(base, name) for name in RELOC_DTYPES}
        changed |= {name: column.table(len(base)) for name, column in self._columns.items()}
        spans: dict[str, Any] = {name: getattr(base, name) for name in ("entry", *_ENTRIES)}
        if self._added or self._cleared:
            # A symbol's rows are contiguous, so what it keeps moves to the end with what it gets.
            tails: dict[str, list[Column]] = {name: [] for name in RELOC_DTYPES}
            at = len(base)
            ids = [*(self._cleared - self._added.keys()), *self._added]
            starts, counts = [], []
            for sym in ids:
                kept, rows = base.rows_of(sym), self._added.get(sym, [])
                if sym in self._cleared:
                    kept = slice(0, 0)
                for i, name in enumerate(RELOC_DTYPES if rows else ()):
                    new: npt.NDArray[Any] = np.array([row[i] for row in rows], RELOC_DTYPES[name])
                    tails[name] += [changed[name][kept], new]
                starts.append(at)
                counts.append(kept.stop - kept.start + len(rows))
                at += counts[-1]
            changed = {
                name: longer(column, RELOC_DTYPES[name], tails[name])
                for name, column in changed.items()
            }
            spans = base._spans_with(np.array(ids), np.array(starts), np.array(counts))
        self._close()
        return Relocs(**spans, **changed)
