"""The relocations of a link that are not plain, as columns: which can be applied, in what order.

What is wrong with one is collected (linkpipe/output/relocerrors.py), and the row left out.
Source: cmd/link/internal/ld/data.go:178-290 (relocsym).
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TYPE_CHECKING

import numpy as np

from linkpipe.arrays.image import put_words
from linkpipe.arrays.ragged import distinct, turns
from linkpipe.arrays.types import I64, U8, Bool
from linkpipe.output.contents import Laid
from linkpipe.output.relocerrors import RelocErrors, Where
from linkpipe.relockind import RelocKind, Unreachable
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag

if TYPE_CHECKING:
    from linkpipe.engine.context import Link

WIDTHS = (1, 2, 4, 8)
"""Of fields that hold words, in bytes."""


class RelocRows:
    """The relocations of one link that are not plain, row i for the i-th in file order: the rows
    ``rows`` of the fact `relocs`.

    Attributes:
        owner: int64[n], of whom each is, a row of ``laid``.
        type, width, target, weak, offset, add: columns of `relocs`, one entry for each row, which
            are changed where a relocation becomes another.
        room: int64[n], the bytes of the symbol that each row is in.
        linked: bool[n], whether the target is part of the program.
        link, symbols, laid: what they are rows of. image: the file, uint8, writable.
        errors: what was found to be wrong.
    """

    def __init__(self, link: Link, laid: Laid, image: U8, rows: I64, owner: I64) -> None:
        self.link, self.image, self.laid = link, image, laid
        self.symbols, relocs = link.symbols, link.relocs
        self.owner = owner
        self.type = relocs.type[rows]
        self.width = relocs.size[rows]
        self.target = relocs.target[rows].astype(np.int64)
        self.weak = relocs.weak[rows]
        self.offset = relocs.offset[rows].astype(np.int64)
        self.add = relocs.add[rows]
        ids = laid.ids[owner]
        generated = self.symbols.has(ids, Flag.GENERATED)
        self.room = np.where(generated, self.symbols.size[ids], self.symbols.data_size[ids])
        self._skip = np.zeros(len(rows), np.bool_)
        self.linked = self.symbols.has(self.target, Flag.REACHABLE)
        hosts = link.host_files if link.has("host_files") else {}
        self._of_c = bool(hosts)
        self.errors = RelocErrors(
            self.symbols,
            link.objects.names,
            link.arch,
            hosts,
            static=link.options.d,
            lacking=link.cgo.lacking if link.has("cgo") else "",
        )

    def check(self) -> None:
        """Refuse rows that cannot be applied, whatever their kind."""
        symbols, room = self.symbols, self.room
        for i in self._refuse((self.offset < 0) | (self.offset + self.width > room)):
            self.errors.outside(self.where(i), int(self.width[i]), int(room[i]))
        kind, there = symbols.kind[self.target], self.target != 0
        undefined = there & ((kind == SymKind.Sxxx) | (kind == SymKind.SXREF))
        if undefined.any():
            self._undefined(undefined)
        if not self.link.mode.dynlink:
            imported = there & (kind == SymKind.SDYNIMPORT)
            for i in self._refuse(imported & (symbols.container[self.target] == 0)):
                self.errors.unhandled(self.where(i), int(self.type[i]))
        lost = there & ~self.linked & ~self.weak & (kind != SymKind.STLSBSS)
        for number, reloc in self.link.arch.relocs.items():
            if reloc.unreachable is Unreachable.MINUS_ONE:
                lost &= self.type != number
        for i in self._refuse(lost):
            self.errors.unreachable(self.where(i))

    def _undefined(self, undefined: Bool) -> None:
        """Targets that nobody defines: an error, but for what modules need not have."""
        module = self.link.options.buildmode in ("plugin", "shared")
        for target in distinct(self.target[undefined]).tolist():
            name = self.symbols.name_bytes(target)
            rows = undefined & (self.target == target)
            if module and name.startswith(b"go:info."):
                self._skip |= rows
            else:
                for i in self._refuse(rows):
                    self.errors.undefined(self.where(i))

    def _refuse(self, bad: Bool) -> list[int]:
        """Leave these rows out; those that were still in."""
        rows: list[int] = np.flatnonzero(bad & ~self._skip).tolist()
        self._skip[rows] = True
        return rows

    def where(self, i: int) -> Where:
        """Where row ``i`` is, for an error."""
        symbol = int(self.laid.ids[self.owner[i]])
        return Where(i, symbol, int(self.target[i]), int(self.offset[i]))

    def groups(self) -> Iterator[tuple[RelocKind, I64]]:
        """The rows of each kind; then those that patch what another one has patched, in order."""
        live = ~self._skip
        late = self._later(live)
        for rows in late:
            live[rows] = False
        for number in np.flatnonzero(np.bincount(self.type)).tolist():
            yield from self._group(number, np.flatnonzero((self.type == number) & live))
        for rows in late:
            for number in distinct(self.type[rows]).tolist():
                yield from self._group(number, rows[self.type[rows] == number])

    def _later(self, live: Bool) -> list[I64]:
        """Rows of C objects, which may have several at one place, by turns: the first of each place
        are in none. No two of a turn patch the same byte."""
        if not self._of_c:
            return []
        rows = np.flatnonzero(live & self.symbols.has(self.laid.ids, Flag.OF_C)[self.owner])
        begins = self.laid.at[self.owner[rows]] + self.offset[rows]
        turn = turns(begins, begins + self.width[rows])
        late = np.flatnonzero(turn)
        rows, counts = rows[late[np.argsort(turn[late], kind="stable")]], np.bincount(turn[late])
        return np.split(rows, np.cumsum(counts)[1:-1]) if len(rows) else []

    def _group(self, number: int, rows: I64) -> Iterator[tuple[RelocKind, I64]]:
        """The rows of a kind, if it is one."""
        kind = self.link.arch.relocs.get(number)
        known = np.full(len(rows), kind is not None)
        if kind is not None and kind.own:
            known = self.symbols.object[self.laid.ids[self.owner[rows]]] == 0
        for i in rows[~known].tolist():
            self.errors.unknown(self.where(i), number)
        if kind is not None:
            yield kind, rows[known]

    def by_width(self, rows: I64) -> Iterator[tuple[int, Bool]]:
        """Each width that some rows have, in bytes, and which of them have it: bool[k]."""
        widths = self.width[rows]
        for width in np.flatnonzero(np.bincount(widths)).tolist():
            yield width, widths == width

    def in_units(self, kind: RelocKind, rows: I64, values: I64) -> I64:
        """Values in the units of their fields; those that are no whole number of them are wrong."""
        if kind.unit == 1:
            return values
        for j in np.flatnonzero(values % kind.unit).tolist():
            where = self.where(int(rows[j]))
            address = int(self.symbols.value[where.target])
            self.errors.unaligned(where, kind.unit, address)
        return values // kind.unit

    def fields(self, rows: I64, width: int, widths: Container[int]) -> bool:
        """Whether there are fields of that width; if not, all rows are wrong."""
        if width in widths:
            return True
        for i in rows.tolist():
            self.errors.bad_size(self.where(i), width)
        return False

    def put(self, rows: I64, values: I64, width: int) -> None:
        """Store words of ``width`` bytes at the places of rows."""
        if not self.fields(rows, width, WIDTHS):
            return
        at = self.laid.at[self.owner[rows]] + self.offset[rows]
        put_words(self.image, at, values, width, self.link.arch.endian)
