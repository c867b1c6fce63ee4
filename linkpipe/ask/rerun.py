"""Reachability run again over what a link kept, under another assumption.

Leaving something out never adds anything, so what the link kept is all that a run without it can
keep: its relocations are there (``link.graph``), and a run takes a fraction of a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from linkpipe.arrays.columns import frozen
from linkpipe.arrays.ragged import distinct
from linkpipe.arrays.types import I32, I64, Bool
from linkpipe.deadcode.flood import Flood, Notes, joined, notes_among
from linkpipe.deadcode.inputs import Inputs
from linkpipe.engine.context import Link
from linkpipe.graphs.edges import FOLLOWED_AUXS, MARKERS
from linkpipe.tables.symbols import Flag
from linkpipe.values import Shown, evolve, record

Progress = Callable[[int, int], None]
"""Told how many runs are done, and of how many."""


def nobody(done: int, total: int) -> None:
    """Where nobody wants to know."""


@record
class Run(Shown):
    """What a run reached.

    Attributes:
        inputs: what it read.
        reached: bool[n], what is needed.
        turn: int32[n], when each symbol was reached, 0 for what was there before and for what was
            not reached. What a symbol is kept by was reached in an earlier turn.
        methods: int64[k], the first of the three relocations of each method of a type that is kept,
            rows of ``inputs.relocs``.
    """

    inputs: Inputs
    reached: Bool
    turn: I32
    methods: I64


def read(link: Link) -> Inputs:
    """What a run over what ``link`` kept reads."""
    graph = link.graph
    relocs, kept = graph.relocs, graph.symbols.reachable()
    # The compiler's notes name types that need not be in the output.
    named = distinct(relocs.target[np.isin(relocs.type, MARKERS)])
    named = named[~graph.symbols.has(named, Flag.REACHABLE) & (graph.symbols.object[named] != 0)]
    found = graph.objects.relocs(graph.symbols.object[named], graph.symbols.local[named])
    # What replaces the initialisers of dropped maps is kept by weak calls.
    weak = frozen(relocs.weak & ~graph.special)
    table = evolve(relocs, weak=weak).extended(named, found)
    known = np.concatenate((kept, named.astype(np.int64)))
    return Inputs(graph.given, graph.objects, link.arch, link.mode, table, known)


def run(
    link: Link,
    *,
    without: Bool | None = None,
    unmarked: I64 | None = None,
    modules: bool = True,
    inputs: Inputs | None = None,
    rows: Bool | None = None,
) -> Run:
    """Reach what the roots of ``link`` need: ``without`` some symbols, bool[n]; with functions
    ``unmarked`` that do look methods up by reflection; and, without ``modules``, as if no other
    module could be loaded beside this one. ``inputs`` are those of another run of ``link``, of
    which the relocations ``rows``, bool[m], are taken to be gone."""
    inputs = inputs or read(link)
    if rows is not None:
        table = inputs.relocs
        weak, target = frozen(table.weak | (rows & np.isin(table.type, MARKERS))), table.target
        target = frozen(np.where(rows & ~np.isin(table.type, MARKERS), 0, target))
        relocs = evolve(table, weak=weak, target=target.astype(np.int32))
        inputs = evolve(inputs, relocs=relocs)
    if unmarked is not None:
        flags = inputs.symbols.flags.copy()
        flags[unmarked] &= ~np.uint32(Flag.REFLECT_METHOD)
        symbols = evolve(inputs.symbols, flags=frozen(flags))
        inputs = evolve(inputs, symbols=symbols)
    if not modules:
        mode = evolve(inputs.mode, dynlink=False, can_use_plugins=False)
        inputs = evolve(inputs, mode=mode)
    flood = _Flood(inputs, without)
    flood.run(np.array([sym for sym, _ in link.graph.roots], np.int64))
    flood.reached[0] = False
    return Run(inputs, frozen(flood.reached), frozen(flood.turn), frozen(flood.kept_rows()))


class _Flood(Flood):
    """The analysis, which here notes when it comes to a symbol and passes some by."""

    def __init__(self, inputs: Inputs, without: Bool | None) -> None:
        super().__init__(inputs)
        ids, auxs = inputs.auxs(FOLLOWED_AUXS)
        some = np.flatnonzero(auxs.target)
        self._aux_of = np.repeat(ids.astype(np.int32), auxs.counts)[some]
        self._aux = auxs.target[some]
        self._without, self._turns = without, 0
        self.turn = np.zeros(len(inputs.symbols), np.int32)
        if without is not None:
            self.reached &= ~without

    def know(self, ids: npt.NDArray[Any]) -> None:
        """Those of all that was kept, and of what notes name, are there."""

    def flood(self, wave: npt.NDArray[Any]) -> Notes:
        """The plain rule wave by wave, by `_mark`: what keeps a symbol is of an earlier turn."""
        notes = []
        while len(wave):
            rows, counts = self.table.rows_of_many(wave)
            notes.append(notes_among(self.table, rows, np.repeat(wave, counts)))
            hit = self.reached[self._aux_of]
            wave = self._mark(np.concatenate((self._follow[rows], self._aux[hit])))
            self._aux_of, self._aux = self._aux_of[~hit], self._aux[~hit]
        return joined(notes)

    def _mark(self, ids: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if self._without is not None:
            ids = ids[~self._without[ids]]
        new = super()._mark(ids)
        self._turns += 1
        self.turn[new] = self._turns
        return new
