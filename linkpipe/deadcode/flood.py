"""The flood of the reachability analysis: rules over columns, applied until nothing is added.

All rules only add, so their order does not matter. The plain rule (what a reachable symbol
refers to is reachable) does almost all the work, and a kernel does it over the relocations of
everything that could take part; each other rule looks at the few rows that it is about and
have not had their turn yet: the compiler's notes, parts of types that can be in an interface,
methods, auxiliary symbols. What the rules say, and why, is told in the pass `reachability`.

Source: cmd/link/internal/ld/deadcode.go:136-326, 441-475.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from linkpipe.arrays.ragged import distinct, expand
from linkpipe.arrays.types import I32, I64, Bool
from linkpipe.deadcode.inputs import Inputs
from linkpipe.deadcode.methods import MethodReader, Methods
from linkpipe.errors import InputError
from linkpipe.gotypes.data import TypeData
from linkpipe.graphs.edges import FOLLOWED_AUXS, MARKERS, are, followed
from linkpipe.kernels.flood import flood, spread
from linkpipe.reloctype import R_USEIFACE, R_USEIFACEMETHOD, R_USENAMEDMETHOD
from linkpipe.tables.names import Names
from linkpipe.tables.symbols import Flag


class Flood:
    """The state of the analysis.

    Attributes:
        reached: bool[n], what is needed so far (entry 0 is set: "no symbol" is never new).
        used: bool[n], types that can be in an interface.
    """

    def __init__(self, inputs: Inputs) -> None:
        symbols, arch, mode = inputs.symbols, inputs.arch, inputs.mode
        table, owner = inputs.relocs, inputs.owner
        self.symbols, self.table = symbols, table
        self._dynlink = mode.dynlink
        self.reached = symbols.marked(Flag.REACHABLE)
        self.reached[0] = True
        self.used = symbols.marked(Flag.USED_IN_IFACE)
        self.gotype = symbols.marked(Flag.GO_TYPE)
        self._kept: list[I64] = []
        self._slot = np.zeros(len(symbols), np.int32)
        strong = symbols.has(owner, Flag.ITAB) if mode.imports else None
        follow = followed(table.type, table.weak, arch.calls, mode.can_use_plugins, strong)
        self._elsewhere = inputs.elsewhere
        self._follow = np.where(follow, table.target, 0)

        types = TypeData(symbols, inputs.objects, arch.ptrsize, arch.byteorder)
        self._reader = MethodReader(types, table, owner)
        self._types = types
        self._new_methods = np.arange(len(self._reader.row))
        self._methods: Methods | None = None
        self._signatures = Names.of([], [])
        self._names: set[bytes] = set()
        self._reflecting = np.flatnonzero(symbols.marked(Flag.REFLECT_METHOD))
        self._reflection = mode.dynlink

        notes = np.flatnonzero(are(table.type, MARKERS) & ~table.weak)
        self._notes, self._note_owner = notes, owner[notes]
        self._some_types = np.flatnonzero(self.gotype)
        # Types whose parts are known to be used like themselves.
        self._done = np.zeros(len(symbols), np.bool_)
        ids, auxs = inputs.auxs(FOLLOWED_AUXS)
        some = np.flatnonzero(auxs.target)
        self._aux_of = np.repeat(ids.astype(np.int32), auxs.counts)[some]
        self._aux = auxs.target[some]

    def run(self, roots: I64) -> None:
        """Apply all rules until nothing is added."""
        wave = self._mark(roots)
        while len(wave):
            self._flood(wave)
            self._read_notes()
            self._spread_used()
            self._collect_methods()
            wave = self._mark(np.concatenate((self._reached_auxs(), self._called_methods())))
        self._reader.check(self.reached)

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

    def _flood(self, wave: npt.NDArray[Any]) -> None:
        """The plain rule: what a reachable symbol refers to is reachable."""
        ids, reached = wave.astype(np.int32, copy=False), self.reached.view(np.uint8)
        table = self.table
        flood(table.entry, table.first, table.count, self._follow, ids, reached)

    def _read_notes(self) -> None:
        """Carry out the compiler's notes to the analysis in what was reached."""
        hit = self.reached[self._note_owner]
        rows, owners_ = self._notes[hit], self._note_owner[hit]
        self._notes, self._note_owner = self._notes[~hit], self._note_owner[~hit]
        kind, target = self.table.type[rows], self.table.target[rows]
        symbols = self.symbols

        put = target[kind == R_USEIFACE]
        itab = symbols.has(put, Flag.ITAB)
        word = np.full(int(itab.sum()), self._types.layout.itab_type, np.int64)
        put[itab] = self._reader.targets(put[itab], word)
        wrong = np.flatnonzero(~(self.gotype | self._elsewhere)[put])
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
        add = self.table.add[rows[calls]] & 0xFFFFFFFF
        pairs = distinct((target[calls].astype(np.int64) << 32) | add)
        iface, offset = (pairs >> 32).astype(np.int32), pairs & 0xFFFFFFFF
        called = self._reader.interface_methods(iface, offset)
        self._signatures = called.joined(self._signatures)

        named = distinct(target[kind == R_USENAMEDMETHOD]).tolist()
        self._names.update(bytes(symbols.data(sym)) for sym in named)

    def _spread_used(self) -> None:
        """Parts of a reachable type that can be in an interface can be too."""
        if self._dynlink:
            self.used |= self.gotype & self.reached
        # A method's type is a part of its receiver's, though the plain rule does not keep it.
        spread(
            self.table.entry,
            self.table.first,
            self.table.count,
            self._follow,
            self.table.target,
            self._reader.every.view(np.uint8),
            self._some_types,
            self.gotype.view(np.uint8),
            self.reached.view(np.uint8),
            self.used.view(np.uint8),
            self._done.view(np.uint8),
        )

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

    def kept_rows(self) -> I64:
        """The first of the three relocations of each method that is kept."""
        return np.concatenate(self._kept) if self._kept else np.zeros(0, np.int64)

    def _reached_auxs(self) -> I32:
        hit = self.reached[self._aux_of]
        found = self._aux[hit]
        self._aux_of, self._aux = self._aux_of[~hit], self._aux[~hit]
        return found
