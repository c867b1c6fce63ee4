"""The flood of the reachability analysis: rules over columns, applied until nothing is added.

All rules only add, so their order does not matter. The plain rule (what a reachable symbol
refers to is reachable) does almost all the work, and a kernel does it over the records of the
objects, where they lie; each other rule looks at the few relocations that it is about and that
have not had their turn yet: the compiler's notes, parts of types that can be in an interface,
methods. What the rules say, and why, is told in the pass `reachability`.

Source: cmd/link/internal/ld/deadcode.go:136-326, 441-475.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from linkpipe.arrays.ragged import distinct, expand
from linkpipe.arrays.room import longer
from linkpipe.arrays.types import I32, I64, U16, Bool, Ints
from linkpipe.deadcode.inputs import Inputs
from linkpipe.deadcode.methods import MethodReader, Methods
from linkpipe.errors import InputError
from linkpipe.gotypes.data import TypeData
from linkpipe.graphs.edges import MARKERS, are, followed
from linkpipe.kernels.walk import spread
from linkpipe.reloctype import R_USEIFACE, R_USEIFACEMETHOD, R_USENAMEDMETHOD
from linkpipe.tables.names import Names
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.symbols import Flag


class Notes(NamedTuple):
    """The compiler's notes to the analysis: whose each is, and what it says, as in Relocs."""

    owner: I32
    type: U16
    add: I64
    target: I32


class Flood(ABC):
    """The state of the analysis; how the plain rule is applied, and where relocations come from,
    say those who derive from it.

    Attributes:
        reached: bool[n], what is needed so far (entry 0 is set: "no symbol" is never new).
        used: bool[n], types that can be in an interface.
        table: relocations of some symbols: those that were known from the start, and those of
            types.
    """

    def __init__(self, inputs: Inputs) -> None:
        symbols, arch, mode = inputs.symbols, inputs.arch, inputs.mode
        self.symbols, self.inputs, self.table = symbols, inputs, inputs.relocs
        self.reached = symbols.marked(Flag.REACHABLE)
        self.reached[0] = True
        self.used = symbols.marked(Flag.USED_IN_IFACE)
        self.gotype = symbols.marked(Flag.GO_TYPE)
        self._dynlink = mode.dynlink
        self._elsewhere = inputs.elsewhere
        self._kept: list[I64] = []
        self._slot = np.zeros(len(symbols), np.int32)
        self._follow = self._followed(inputs.owner)

        types = TypeData(symbols, inputs.objects, arch.ptrsize, arch.byteorder)
        self._reader = MethodReader(types, self.table, inputs.owner)
        self._types = types
        self._new_methods = np.arange(len(self._reader.row))
        self._methods: Methods | None = None
        self._signatures = Names.of([], [])
        self._names: set[bytes] = set()
        self._reflecting = np.flatnonzero(symbols.marked(Flag.REFLECT_METHOD))
        self._reflection = mode.dynlink

        # Types that have not been reached; those that have, and cannot be in an interface; and
        # whether the parts of each are known to be used like itself.
        self._other_types = np.flatnonzero(self.gotype)
        self._unused_types = np.zeros(0, np.int64)
        self._done = np.zeros(len(symbols), np.bool_)

    @abstractmethod
    def flood(self, wave: npt.NDArray[Any]) -> Notes:
        """The plain rule: what a reachable symbol refers to is reachable. ``wave`` was reached
        since last time. Returns the notes in what is reached now and was not then."""

    @abstractmethod
    def know(self, ids: npt.NDArray[Any]) -> None:
        """See to it that the relocations of these types are in ``table``."""

    def run(self, roots: I64) -> None:
        """Apply all rules until nothing is added."""
        wave = self._mark(roots)
        while len(wave):
            notes = self.flood(wave)
            hit = self.reached[self._other_types]
            types, self._other_types = self._other_types[hit], self._other_types[~hit]
            self.know(np.concatenate((types, self._asked(notes))))
            self._read_notes(notes)
            self._spread_used(types)
            self._collect_methods()
            wave = self._mark(self._called_methods())
        self._reader.check(self.reached)

    def learn(self, table: Relocs, owner: I32) -> None:
        """The table has more rows now, which belong to ``owner``."""
        known = len(self._reader.row)
        self.table = table
        self._follow = longer(self._follow, np.int32, [self._followed(owner)])
        self._reader.extend(table, owner)
        more = np.arange(known, len(self._reader.row))
        self._new_methods = np.concatenate((self._new_methods, more))

    def _followed(self, owner: I32) -> I32:
        """The target of each of the table's last rows that keeps it, 0 of others: int32[m].
        ``owner``: whose they are."""
        mode, table = self.inputs.mode, self.table
        first = len(table) - len(owner)
        strong = self.symbols.has(owner, Flag.ITAB) if mode.imports else None
        types, weak, calls = table.type[first:], table.weak[first:], self.inputs.arch.calls
        follow = followed(types, weak, calls, mode.can_use_plugins, strong)
        return np.where(follow, table.target[first:], 0)

    def _mark(self, ids: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Mark symbols; return those that were not marked, each once.

        ``sorted(set(ids) - reached)``, in some order
        """
        ids = ids[~self.reached[ids]]
        self.reached[ids] = True
        # Of several equal ids the last one's place stays in the slot.
        places = np.arange(len(ids), dtype=np.int32)
        self._slot[ids] = places
        last: Bool = self._slot[ids] == places
        return ids[last]

    def _asked(self, notes: Notes) -> I32:
        """The types and tables of methods that these notes are about, of which it is asked what
        they consist of."""
        itab = (notes.type == R_USEIFACE) & self.symbols.has(notes.target, Flag.ITAB)
        return notes.target[itab | (notes.type == R_USEIFACEMETHOD)]

    def _read_notes(self, notes: Notes) -> None:
        """Carry out the compiler's notes to the analysis in what was reached."""
        owners_, kind, adds, target = notes
        symbols = self.symbols

        put = target[kind == R_USEIFACE]
        itab = symbols.has(put, Flag.ITAB)
        word = np.full(int(itab.sum()), self._types.layout.itab_type, np.int64)
        put[itab] = self._reader.targets(put[itab], word)
        wrong = np.flatnonzero(~(self.gotype[put] | self._elsewhere[put]))
        if len(wrong):
            owner = int(owners_[kind == R_USEIFACE][wrong[0]])
            raise InputError(
                f"R_USEIFACE in {symbols.name(owner)} references "
                f"{symbols.name(int(put[wrong[0]]))} which is not a type or itab",
                file=self._types.objects.names[int(symbols.object[owner])],
                remedy="rebuild the package with the Go version that links it",
            )
        self.used[put] = True

        # All exported methods stay anyhow, so one of a type that is not here is no matter.
        calls = (kind == R_USEIFACEMETHOD) & ~self._elsewhere[target]
        # Interface type and offset in it, as one number, since the same ones are called often.
        add = adds[calls] & 0xFFFFFFFF
        pairs = distinct((target[calls].astype(np.int64) << 32) | add)
        iface, offset = (pairs >> 32).astype(np.int32), pairs & 0xFFFFFFFF
        called = self._reader.interface_methods(iface, offset)
        self._signatures = called.joined(self._signatures)

        named = distinct(target[kind == R_USENAMEDMETHOD]).tolist()
        self._names.update(bytes(symbols.data(sym)) for sym in named)

    def _spread_used(self, types: I64) -> None:
        """Parts of a reachable type that can be in an interface can be too; ``types`` were reached
        since last time."""
        if self._dynlink:
            self.used[types] = True
        among = np.concatenate((self._unused_types, types))
        # A method's type is a part of its receiver's, though the plain rule does not keep it.
        spread(
            self.table.entry,
            self.table.first,
            self.table.count,
            self._follow,
            self.table.target,
            self._reader.every.view(np.uint8),
            among,
            self.gotype.view(np.uint8),
            self.reached.view(np.uint8),
            self.used.view(np.uint8),
            self._done.view(np.uint8),
        )
        self._unused_types = among[~self._done[among]]

    def _collect_methods(self) -> None:
        """Add the methods of types that can be in an interface since last time."""
        owner = self._reader.owner[self._new_methods]
        hit = self.reached[owner] & self.used[owner]
        chosen, self._new_methods = self._new_methods[hit], self._new_methods[~hit]
        found = self._reader.read(chosen)
        if self._methods is None:
            self._methods = found
        elif len(chosen):
            self._methods = self._methods.joined(found)

    def _called_methods(self) -> I32:
        """Methods that can be called: what their relocations refer to."""
        methods = self._methods
        if methods is None:
            return np.zeros(0, np.int32)
        if not self._reflection:
            self._reflection = bool(self.reached[self._reflecting].any())
        names = Names.of(sorted(self._names), [0] * len(self._names))
        called = self._reader.signatures(methods).among(self._signatures)
        called |= self._reader.names(methods).among(names)
        if self._reflection:
            called |= methods.exported | self._dynlink
        rows = methods.row[called]
        self._methods = methods.take(~called)
        self._kept.append(rows)
        return self.table.target[expand(rows, np.full(len(rows), 3))]

    def kept(self) -> tuple[I64, I64]:
        """The types of the methods that are kept, and which of its type's relocations is the first
        of the three of each."""
        rows = self.kept_rows()
        owner = self._reader.owner[np.searchsorted(self._reader.row, rows)].astype(np.int64)
        return owner, rows - self.table.spans_of(owner)[0]

    def kept_rows(self) -> I64:
        """The first of the three relocations of each method that is kept, a row of ``table``."""
        return np.concatenate(self._kept) if self._kept else np.zeros(0, np.int64)


def notes_among(table: Relocs, rows: I64, owner: Ints) -> Notes:
    """The notes among these rows, which belong to ``owner``."""
    noted = are(table.type[rows], MARKERS) & ~table.weak[rows]
    rows, owner = rows[noted], owner[noted]
    return Notes(owner.astype(np.int32), table.type[rows], table.add[rows], table.target[rows])


def joined(notes: list[Notes]) -> Notes:
    """All of them, one after another."""
    return Notes(*(np.concatenate(columns) for columns in zip(*notes, strict=True)))
