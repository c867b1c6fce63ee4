"""The flood over what was loaded: the plain rule is applied to records where they lie.

A relocation is read when a rule asks what it says: the compiler's notes, and those of types that
were reached. Those of symbols that the linker made are known from the start.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from linkpipe.arrays.ragged import distinct
from linkpipe.deadcode.flood import Flood, Notes, joined, notes_among
from linkpipe.deadcode.inputs import Inputs, read_relocs
from linkpipe.formats.goobj import WEAK
from linkpipe.graphs.edges import FOLLOWED_AUXS, MARKERS, are, followed
from linkpipe.kernels import references
from linkpipe.symkind import is_dwarf
from linkpipe.tables.symbols import Flag

# No row of the rules.
_NO_RULE = 255
_ROOM = 1 << 16
"""Relocations that are noted at once."""
_AUXS = np.zeros(256, np.uint8)
_AUXS[list(FOLLOWED_AUXS)] = 1


class FloodOfObjects(Flood):
    """The analysis of what was loaded: the plain rule is applied to records of objects, and the
    relocations of types are read when these are reached."""

    def __init__(self, inputs: Inputs) -> None:
        super().__init__(inputs)
        symbols, objects, mode = inputs.symbols, inputs.objects, inputs.mode
        # What others marked is not looked into.
        self._own = inputs.known[~self.reached[inputs.known]]
        self._known = symbols.object == 0
        self._known[inputs.known] = True
        raw = np.arange(1 << 16, dtype=np.uint16)
        types, weak = objects.format.relocs[raw & (WEAK - 1)], raw >= WEAK
        self._rules = np.zeros((2, len(raw)), np.uint8)
        for row, strong in zip(self._rules, (None, np.ones(len(raw), np.bool_)), strict=True):
            follow = followed(types, weak, inputs.arch.calls, mode.can_use_plugins, strong)
            row[follow] = references.FOLLOW
            row[are(types, MARKERS) & ~weak] = references.NOTE
        self._rule = np.zeros(len(symbols), np.uint8)
        if mode.imports:
            self._rule[symbols.marked(Flag.ITAB)] = 1
        # Debug information keeps nothing; the rest has no records, or none to read.
        unsound = objects.unsound(symbols.object, symbols.local)
        self._rule[self._known | is_dwarf(symbols.kind) | unsound] = _NO_RULE

    def flood(self, wave: npt.NDArray[Any]) -> Notes:
        """See `Flood`."""
        table, notes = self.table, []
        while len(wave):
            notes.append(self._flood(wave))
            hit = self.reached[self._own]
            rows, counts = table.rows_of_many(self._own[hit])
            notes.append(notes_among(table, rows, np.repeat(self._own[hit], counts)))
            self._own = self._own[~hit]
            wave = self._mark(self._follow[rows])
        return joined(notes)

    def _flood(self, wave: npt.NDArray[Any]) -> Notes:
        """What records say. Damaged symbols lead to what can be made out."""
        symbols, objects = self.symbols, self.inputs.objects
        table = objects.references
        waiting = np.empty(len(symbols), np.int32)
        waiting[: len(wave)] = wave
        waits, room = len(wave), _ROOM
        owners, places = [np.zeros(0, np.int32)], [np.zeros(0, np.int64)]
        while waits:
            owner, at = np.empty(room, np.int32), np.empty(room, np.int64)
            waits, noted = references.flood(
                objects.arena.bytes,
                objects.blocks.reshape(-1),
                symbols.object,
                symbols.local,
                table.first,
                table.counts,
                table.start,
                table.ids,
                self._rule,
                self._rules.reshape(-1),
                _AUXS,
                self.reached.view(np.uint8),
                waiting,
                waits,
                owner,
                at,
            )
            owners.append(owner[:noted])
            places.append(at[:noted])
            if not noted:  # one symbol may have more than there was room for
                room *= 2
        owner = np.concatenate(owners)
        found = objects.relocs_at(symbols.object[owner], np.concatenate(places))
        return Notes(owner, found.type, found.add, found.target)

    def know(self, ids: npt.NDArray[Any]) -> None:
        """See `Flood`."""
        new = distinct(ids[~self._known[ids]])
        if not len(new):
            return
        self._known[new] = True
        columns = read_relocs(self.inputs.objects, self.symbols, new)
        owner = np.repeat(new.astype(np.int32), columns.counts)
        self.learn(self.table.extended(new, columns), owner)
