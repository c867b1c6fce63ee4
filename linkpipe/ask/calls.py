"""Methods that are kept, and what calls them: interface calls, reflection by name, or by any name.

A method is kept when its type can be in an interface and somebody may call it under its signature,
name and type; the compiler notes such calls (see linkpipe.deadcode.methods). Here the two sides are
brought together, each signature a group, for those who ask which call it was.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property

import numpy as np

from linkpipe.arrays.types import I32, I64
from linkpipe.ask.rerun import Run
from linkpipe.deadcode.methods import MethodReader, Methods
from linkpipe.gotypes.data import TypeData
from linkpipe.reloctype import R_USEIFACEMETHOD, R_USENAMEDMETHOD
from linkpipe.tables.names import Names
from linkpipe.tables.symbols import Flag
from linkpipe.values import record

_LOOK_UP = (".Method", ".MethodByName")


@record
class Calls:
    """The methods that a run kept, and the calls in what it reached."""

    run: Run

    @cached_property
    def _reader(self) -> MethodReader:
        inputs = self.run.inputs
        arch = inputs.arch
        types = TypeData(inputs.symbols, inputs.objects, arch.ptrsize, arch.byteorder)
        return MethodReader(types, inputs.relocs, inputs.owner)

    @cached_property
    def methods(self) -> Methods:
        """The methods that were kept, by row of their first relocation, ascending."""
        reader, kept = self._reader, np.sort(self.run.methods)
        with_kept = np.zeros(len(self.run.reached), np.bool_)
        with_kept[reader.owner[np.searchsorted(reader.row, kept)]] = True
        found = reader.read(np.flatnonzero(with_kept[reader.owner]))
        return found.take(np.searchsorted(found.row, kept))

    def _notes(self, kind: int) -> tuple[I64, I32]:
        """The rows of notes of a kind in what was reached, and whose they are."""
        relocs, owner = self.run.inputs.relocs, self.run.inputs.owner
        rows = np.flatnonzero((relocs.type == kind) & ~relocs.weak & self.run.reached[owner])
        return rows, owner[rows]

    @cached_property
    def calls(self) -> tuple[I64, I32, I32]:
        """Interface calls: row of the note, caller, group. Then those of constant names."""
        rows, owners = self._notes(R_USEIFACEMETHOD)
        named, namers = self._notes(R_USENAMEDMETHOD)
        by_signature, by_name = self._groups
        count = len(self.methods.row)
        group = np.concatenate((by_signature[count:], by_name[count:]))
        return np.concatenate((rows, named)), np.concatenate((owners, namers)), group

    @cached_property
    def method_groups(self) -> tuple[I32, I32]:
        """The group of each method's signature, and that of its name."""
        by_signature, by_name = self._groups
        count = len(self.methods.row)
        return by_signature[:count], by_name[:count]

    @cached_property
    def count(self) -> int:
        """Groups have numbers below this."""
        return sum(len(each) for each in self._groups)

    @cached_property
    def _groups(self) -> tuple[I32, I32]:
        """By signature and by name: a group for each method, then for each call."""
        relocs, symbols = self.run.inputs.relocs, self.run.inputs.symbols
        rows, _ = self._notes(R_USEIFACEMETHOD)
        offsets = relocs.add[rows] & 0xFFFFFFFF
        called = self._reader.interface_methods(relocs.target[rows], offsets)
        signatures = _end_to_end(self._reader.signatures(self.methods), called).group()[0]
        named = relocs.target[self._notes(R_USENAMEDMETHOD)[0]]
        size = symbols.data_size[named].astype(np.int32)
        text = Names(called.text, symbols.data_at[named], size, np.zeros(len(named), np.int32))
        names = _end_to_end(self._reader.names(self.methods), text).group()[0]
        return signatures, names + len(signatures)

    def of_method(self, row: int) -> int:
        """The number of the method that a relocation belongs to."""
        return int(np.searchsorted(self.methods.row, row, side="right")) - 1

    @cached_property
    def _first(self) -> I64:
        """The call of each group that was reached first, -1 for none."""
        _, owners, group = self.calls
        found = np.full(self.count, -1, np.int64)
        late_first = np.argsort(self.run.turn[owners], kind="stable")[::-1]
        found[group[late_first]] = late_first
        return found

    def first_call(self, method: int, before: int) -> tuple[int, int] | None:
        """The call, reached in an earlier turn than ``before``, that comes first of those that keep
        a method: row of the note, caller. None where it is kept for another reason: it may be
        called by any name, or from other modules."""
        rows, owners, _ = self.calls
        firsts = (int(self._first[group[method]]) for group in self.method_groups)
        hits = [(int(self.run.turn[owners[call]]), call) for call in firsts if call >= 0]
        turn, best = min(hits, default=(before, -1))
        return (int(rows[best]), int(owners[best])) if turn < before else None

    @cached_property
    def _reflecting(self) -> int:
        """The function that came first of those that look methods up by a name which is not known
        when linking; 0: none."""
        run = self.run
        marked = (run.inputs.symbols.flags & Flag.REFLECT_METHOD) != 0
        found = np.flatnonzero(marked & run.reached)
        return int(found[np.argmin(run.turn[found])]) if len(found) else 0

    def first_reflecting(self, before: int) -> int:
        """That function, if it was reached in an earlier turn; 0: none was."""
        function = self._reflecting
        return function if self.run.turn[function] < before else 0

    def look_ups(self, function: int) -> list[int]:
        """The relocations by which a function looks methods up, as far as they can be told: to
        reflect's own functions; where there are none, notes of calls through an interface."""
        inputs = self.run.inputs
        relocs, own = inputs.relocs, inputs.relocs.rows_of(function)
        direct, noted = [], []
        for row in range(own.start, own.stop):
            if relocs.type[row] == R_USEIFACEMETHOD:
                if self.name(row).endswith(_LOOK_UP):
                    noted.append(row)
            else:
                name = inputs.symbols.name(int(relocs.target[row]))
                if name.startswith("reflect.") and name.endswith(_LOOK_UP):
                    direct.append(row)
        return direct or noted

    @cached_property
    def name(self) -> Callable[[int], str]:
        """The method that a note is about, by its row, in words."""
        return cache(self._name)

    def _name(self, row: int) -> str:
        inputs = self.run.inputs
        relocs, symbols = inputs.relocs, inputs.symbols
        target = int(relocs.target[row])
        if relocs.type[row] == R_USENAMEDMETHOD:
            return bytes(symbols.data(target)).decode("utf-8", "replace")
        offset = np.array([relocs.add[row] & 0xFFFFFFFF])
        found = self._reader.interface_methods(np.array([target], np.int32), offset)
        method = inputs.objects.arena.view(int(found.at[0]), int(found.size[0])).tobytes()
        interface = symbols.name(target).removeprefix("type:")
        return f"{interface}.{method.decode('utf-8', 'replace')}"


def _end_to_end(one: Names, other: Names) -> Names:
    """Names of two lists, which lie in the same text."""
    at = np.concatenate((one.at, other.at))
    size, tag = np.concatenate((one.size, other.size)), np.concatenate((one.tag, other.tag))
    return Names(one.text, at, size, tag)
