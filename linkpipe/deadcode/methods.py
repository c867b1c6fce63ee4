"""Methods of types, as the reachability analysis sees them.

A type descriptor refers to each of its methods by three relocations R_METHODOFF (the
method's type, its entry for interface calls, its entry for direct calls), beside the one
to its name. A method can be called through an interface, or found by reflection, under
its *signature*: name and type.
Source: cmd/link/internal/ld/deadcode.go:376-407, 520-590.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from linkpipe.arrays.ragged import distinct, expand
from linkpipe.arrays.room import longer
from linkpipe.arrays.types import I32, I64, Bool, Ints
from linkpipe.errors import InputError
from linkpipe.gotypes.data import TypeData, targets_at
from linkpipe.gotypes.layout import METHOD_SIZE, Kind
from linkpipe.reloctype import R_METHODOFF
from linkpipe.tables.names import Names
from linkpipe.tables.relocs import Relocs


class Methods(NamedTuple):
    """Methods, one row each: ``row`` int64 (of the first of its three relocations), ``owner``
    int32 (the type), ``name_at`` int64 and ``name_size`` int32 (its name, in the arena), ``type``
    int32 (its own type), ``exported`` bool."""

    row: I64
    owner: I32
    name_at: I64
    name_size: I32
    type: I32
    exported: Bool

    def take(self, rows: npt.NDArray[Any]) -> Methods:
        """Some of the methods, by mask or index."""
        return Methods(*(column[rows] for column in self))

    def joined(self, others: Methods) -> Methods:
        """These methods, then the others."""
        pairs: Any = zip(self, others, strict=True)
        return Methods(*(np.concatenate(pair) for pair in pairs))


class MethodReader:
    """Reads methods of the types whose relocations are in ``table``, which may come to have more.

    Attributes:
        every: bool[m], which relocations are of methods.
        row: int64[k], the first relocation of each method of any type in the table, ascending.
        owner: int32[k], the type it belongs to.
    """

    def __init__(self, types: TypeData, table: Relocs, owner: I32) -> None:
        self.types = types
        self.every = np.zeros(0, np.bool_)
        self.row, self._uneven = np.zeros((2, 0), np.int64)
        self.owner = np.zeros(0, np.int32)
        self.extend(table, owner)

    def extend(self, table: Relocs, owner: I32) -> None:
        """``table`` has more rows now; ``owner``: whose these are."""
        self.table, known = table, len(self.every)
        every = (table.type[known:] == R_METHODOFF) & ~table.weak[known:]
        rows = np.flatnonzero(every)
        first = rows[: len(rows) // 3 * 3 : 3]
        whole = (rows[2::3] == first + 2) & (owner[rows[2::3]] == owner[first])
        if len(rows) % 3 or not whole.all():
            uneven = _uneven(rows, owner[rows])
            self._uneven = np.concatenate((self._uneven, uneven))
            first = rows[~np.isin(owner[rows], uneven)][::3]
        self.every = longer(self.every, np.bool_, [every])
        self.row = np.concatenate((self.row, known + first))
        self.owner = np.concatenate((self.owner, owner[first]))

    def check(self, reached: Bool) -> None:
        """Raise InputError when a type was reached whose methods do not have three relocations
        each, side by side. Methods of such types are not among ``row``."""
        bad = self._uneven[reached[self._uneven]]
        if len(bad):
            raise _damaged(self.types, int(bad[0]), "expect three consecutive R_METHODOFF relocs")

    def targets(self, ids: npt.NDArray[Any], offsets: npt.NDArray[Any]) -> I32:
        """The target of each symbol's relocation at that offset, 0: none. int32[len(ids)]."""
        rows, counts = self.table.rows_of_many(ids)
        return targets_at(counts, self.table.offset[rows], self.table.target[rows], offsets)

    def read(self, chosen: Ints) -> Methods:
        """The methods ``row[chosen]``, which are all those of their types.

        Raises InputError when the relocations do not fit the type's array of methods.
        """
        row, owner = self.row[chosen], self.owner[chosen]
        starts = np.flatnonzero(np.concatenate(([True], owner[1:] != owner[:-1])))[: len(row)]
        counts = np.diff(np.append(starts, len(row)))
        arrays = self.types.methods(owner[starts])
        index = np.arange(len(row)) - np.repeat(starts, counts)
        at = np.repeat(arrays.first, counts) + METHOD_SIZE * index
        fits = np.repeat(arrays.counts == counts, counts) & (self.table.offset[row] == at + 4)
        if not fits.all():
            bad = int(np.argmin(fits))
            group = int(np.searchsorted(starts, bad, side="right")) - 1
            raise _damaged(
                self.types,
                int(owner[bad]),
                f"has {int(counts[group])} method relocations for "
                f"{int(arrays.counts[group])} methods",
            )
        # Relocations come in order of offset, so a method's name is the one before.
        name = np.where(self.table.offset[row - 1] == at, self.table.target[row - 1], 0)
        odd = np.flatnonzero(name == 0)
        name[odd] = self.targets(owner[odd], at[odd])
        return self._methods(row, owner, name, self.table.target[row])

    def _methods(self, row: I64, owner: I32, name: I32, mtyp: I32) -> Methods:
        missing = np.flatnonzero(name == 0)
        if len(missing):
            raise _damaged(self.types, int(owner[missing[0]]), "a method has no name")
        arena = self.types.objects.arena
        at, size = self.types.names(name)
        first = arena.bytes[at]
        exported = (first >= ord("A")) & (first <= ord("Z")) & (size > 0)
        for i in np.flatnonzero((first >= 0x80) & (size > 0)).tolist():
            exported[i] = _is_upper(arena.view(int(at[i]), int(size[i])).tobytes())
        return Methods(row, owner, at, size.astype(np.int32), mtyp, exported)

    def names(self, methods: Methods) -> Names:
        """The names of methods."""
        text, no_type = self.types.objects.arena.bytes, np.zeros_like(methods.type)
        return Names(text, methods.name_at, methods.name_size, no_type)

    def signatures(self, methods: Methods) -> Names:
        """The names of methods, each with its type."""
        return self.names(methods)._replace(tag=methods.type)

    def interface_methods(self, ids: I32, offsets: I64) -> Names:
        """Signatures of the methods that start at these offsets of interface types.

        Raises InputError when a symbol is not an interface or has no method there.
        """
        self.types.check(ids)
        bad = np.flatnonzero(self.types.kinds(ids) != Kind.INTERFACE)
        if len(bad):
            raise _damaged(self.types, int(ids[bad[0]]), "is not an interface")
        name, mtyp = self.targets(ids, offsets), self.targets(ids, offsets + 4)
        missing = np.flatnonzero(name == 0)
        if len(missing):
            raise _damaged(
                self.types,
                int(ids[missing[0]]),
                f"has no method at offset {int(offsets[missing[0]])}",
            )
        at, size = self.types.names(name)
        return Names(self.types.objects.arena.bytes, at, size.astype(np.int32), mtyp)


def _uneven(rows: I64, owner: I32) -> I64:
    """The owners of relocations that are not in threes, side by side: int64[k]."""
    starts = np.flatnonzero(np.concatenate(([True], owner[1:] != owner[:-1])))
    counts = np.diff(np.append(starts, len(rows)))
    place = expand(np.zeros(len(counts), np.int64), counts) % 3
    apart = rows != rows[np.arange(len(rows)) - place] + place
    return distinct(np.concatenate((owner[apart], owner[starts[counts % 3 != 0]])))


def _is_upper(name: bytes) -> bool:
    """Whether a name's first letter is upper case (Unicode class Lu)."""
    from unicodedata import category

    return category(name.decode("utf-8", "replace")[:1]) == "Lu"


def _damaged(types: TypeData, sym: int, message: str) -> InputError:
    return InputError(
        message,
        symbol=types.symbols.name(sym),
        file=types.objects.names[int(types.symbols.object[sym])],
        remedy="rebuild the package with the Go version that links it",
    )
