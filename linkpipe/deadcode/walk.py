"""Dead code elimination one symbol at a time, in the order of the oracle, for those who watch.

The result does not depend on the order, so a link takes the flood, which treats many symbols at
once. But what is printed with -dumpdep is the order: of all that keep a symbol the one is named
that came to it first, and what follows from a cause stands after it. The symbol with the least
id is always the next to be looked into; a type that turns out to be in an interface when it has
had its turn gets another. Methods are decided on when nothing else is left to do. Debug
information takes part: it keeps nothing that is not kept without it, but it comes first to some.

Source: cmd/link/internal/ld/deadcode.go:133-399, 443-483 (flood, mark, deadcode).
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np

from linkpipe.deadcode.inputs import Inputs
from linkpipe.deadcode.methods import MethodReader
from linkpipe.formats import goobj
from linkpipe.gotypes.data import TypeData
from linkpipe.graphs.edges import MARKERS, are, followed
from linkpipe.reloctype import R_METHODOFF, R_USEIFACE, R_USEIFACEMETHOD, R_USENAMEDMETHOD
from linkpipe.tables.symbols import Flag

_AUXS = frozenset(range(256)) - {goobj.AUX_GOTYPE}


class Step(NamedTuple):
    """A symbol that was reached from its keeper, 0 for a root; each with whether it was known by
    then to be a type that can be in an interface."""

    keeper: int
    keeper_used: bool
    symbol: int
    used: bool


class _Method(NamedTuple):
    """A method of a type in an interface, by the first of its three relocations."""

    owner: int
    row: int
    name: bytes
    type: int
    exported: bool


class Walk:
    """The state of the analysis; debug information is among the inputs.

    Attributes:
        steps: what was reached, in order; a symbol comes again when it gets another turn.
    """

    def __init__(self, inputs: Inputs) -> None:
        symbols, objects, table = inputs.symbols, inputs.objects, inputs.relocs
        arch, mode = inputs.arch, inputs.mode
        self.steps: list[Step] = []
        self._flags, self._table, self._dynlink = symbols.flags, table, mode.dynlink
        self._data, self._arena = symbols.data, objects.arena
        # What earlier passes marked stays, and is not looked into.
        self._reached = bytearray(((symbols.flags & Flag.REACHABLE) != 0).tobytes())
        self._used = bytearray(((symbols.flags & Flag.USED_IN_IFACE) != 0).tobytes())
        self._queue: list[int] = []
        self._elsewhere = inputs.elsewhere

        self._types = TypeData(symbols, objects, arch.ptrsize, arch.byteorder)
        self._reader = MethodReader(self._types, table, inputs.owner)
        # Relocations that say something: to follow, to note, the first of each method.
        strong = symbols.has(inputs.owner, Flag.ITAB) if mode.imports else None
        calls = arch.calls
        self._says = followed(table.type, table.weak, calls, mode.can_use_plugins, strong)
        self._says |= are(table.type, MARKERS) & ~table.weak
        self._says[self._reader.row] = True

        ids, auxs = inputs.auxs(_AUXS)
        self._auxs = auxs.target
        self._first_aux, self._aux_count = np.zeros((2, len(symbols)), np.int64)
        self._aux_count[ids] = auxs.counts
        self._first_aux[ids] = np.cumsum(auxs.counts) - auxs.counts

        self._methods: list[_Method] = []
        self._calls: set[tuple[int, int]] = set()
        self._signatures: set[tuple[bytes, int]] = set()
        self._names: set[bytes] = set()
        self._reflection = False

    def run(self, roots: list[int]) -> list[Step]:
        """Walk from the roots, in that order; return the steps."""
        for root in roots:
            self._mark(root, 0)
        self._visit_all()
        self._reflection |= self._dynlink
        while True:
            self._methods = [method for method in self._methods if not self._keep(method)]
            if not self._queue:
                return self.steps
            self._visit_all()

    def _mark(self, symbol: int, keeper: int) -> None:
        if symbol and not self._reached[symbol]:
            self._reached[symbol] = True
            heappush(self._queue, symbol)
            used = self._used
            self.steps.append(Step(keeper, bool(used[keeper]), symbol, bool(used[symbol])))

    def _use(self, symbol: int) -> bool:
        """Note that a type can be in an interface; return whether that is new."""
        if self._used[symbol]:
            return False
        self._used[symbol] = True
        return True

    def _use_again(self, symbol: int, keeper: int) -> None:
        """The same; a type that was reached before gets another turn."""
        if self._use(symbol) and self._reached[symbol]:
            self._reached[symbol] = False
            self._mark(symbol, keeper)

    def _visit_all(self) -> None:
        while self._queue:
            self._visit(heappop(self._queue))

    def _visit(self, symbol: int) -> None:
        table = self._table
        flags = int(self._flags[symbol])
        self._reflection |= bool(flags & Flag.REFLECT_METHOD)
        is_type = bool(flags & Flag.GO_TYPE)
        if is_type and self._dynlink:
            self._used[symbol] = True
        in_interface = is_type and bool(self._used[symbol])
        methods = []
        own = table.rows_of(symbol)
        rows = np.flatnonzero(self._says[own]) + own.start
        kinds, targets = table.type[rows].tolist(), table.target[rows].tolist()
        for row, kind, target in zip(rows.tolist(), kinds, targets, strict=True):
            if kind == R_METHODOFF:
                if in_interface:
                    methods.append(row)
                    self._use_again(target, symbol)
            elif kind in MARKERS:
                self._note(symbol, row, kind, target)
            else:
                if in_interface and self._flags[target] & Flag.GO_TYPE and self._use(target):
                    self._reached[target] = False
                self._mark(target, symbol)
        first = int(self._first_aux[symbol])
        for aux in self._auxs[first : first + int(self._aux_count[symbol])].tolist():
            self._mark(aux, symbol)
        if methods:
            self._collect(symbol, methods)

    def _note(self, symbol: int, row: int, kind: int, target: int) -> None:
        """Carry out one of the compiler's notes to the analysis."""
        one = np.array([target], np.int32)
        if kind == R_USEIFACE:
            if self._flags[target] & Flag.ITAB:
                word = np.array([self._types.layout.itab_type])
                target = int(self._reader.targets(one, word)[0])
            self._use_again(target, symbol)
        elif kind == R_USEIFACEMETHOD and not self._elsewhere[target]:
            called = (target, int(self._table.add[row]) & 0xFFFFFFFF)
            if called not in self._calls:
                self._calls.add(called)
                found = self._reader.interface_methods(one, np.array([called[1]]))
                name = self._text(int(found.at[0]), int(found.size[0]))
                self._signatures.add((name, int(found.tag[0])))
        elif kind == R_USENAMEDMETHOD:
            self._names.add(bytes(self._data(target)))

    def _collect(self, owner: int, rows: list[int]) -> None:
        found = self._reader.read(np.searchsorted(self._reader.row, rows))
        names = zip(found.name_at.tolist(), found.name_size.tolist(), strict=True)
        texts = [self._text(at, size) for at, size in names]
        about = zip(rows, texts, found.type.tolist(), found.exported.tolist(), strict=True)
        self._methods += [_Method(owner, *fields) for fields in about]

    def _text(self, at: int, size: int) -> bytes:
        return self._arena.view(at, size).tobytes()

    def _keep(self, method: _Method) -> bool:
        """Reach what a method consists of, if it can be called; return whether it can."""
        called = (method.name, method.type) in self._signatures or method.name in self._names
        if called or (self._reflection and (method.exported or self._dynlink)):
            for target in self._table.target[method.row : method.row + 3].tolist():
                self._mark(target, method.owner)
            return True
        return False
