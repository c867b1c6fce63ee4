"""What would leave the output if something were not there: by reachability run without it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import combinations

import numpy as np

from linkpipe.arrays.types import I64, Bool
from linkpipe.ask import rerun
from linkpipe.ask.calls import Calls
from linkpipe.ask.modules import Modules
from linkpipe.ask.names import ARROW, SYMBOL, Edge, Subject, find, find_edge
from linkpipe.engine.context import Link
from linkpipe.errors import UserError
from linkpipe.graphs.edges import MARKERS
from linkpipe.reloctype import R_METHODOFF
from linkpipe.tables.symbols import Flag
from linkpipe.values import Value, record

Cut = Subject | Edge


@record
class Leaving(Value):
    """What leaves of one package: ``symbols`` of them, ``size`` bytes; ``whole`` when nothing of
    it is left."""

    package: str
    symbols: int
    size: int
    whole: bool


@record
class WhatIf(Value):
    """What would leave the output without some symbols and packages.

    Attributes:
        cut: what is not there: names as they were found.
        own: bytes of what is cut itself, of which ``symbols`` are in the output now.
        symbols, size: all that leaves, with what is cut: how many symbols, and their bytes. Debug
            information and line tables are not counted.
        packages: the same by package, the largest first.
        names: the symbols that leave, the largest first.
    """

    cut: tuple[str, ...]
    own: int
    symbols: int
    size: int
    packages: tuple[Leaving, ...]
    names: tuple[str, ...]


@record
class Alone(Value):
    """What leaves without one thing: ``symbols`` of them, ``size`` bytes."""

    name: str
    symbols: int
    size: int


@record
class Pair(Value):
    """Two things that matter together: ``size`` bytes, ``symbols`` of them, leave without both
    that stay without either."""

    first: str
    second: str
    symbols: int
    size: int


@record
class Rank(Value):
    """What leaves without each of several things, the largest first, without all of them, and
    without pairs that matter only together."""

    alone: tuple[Alone, ...]
    symbols: int
    size: int
    pairs: tuple[Pair, ...]


MOST = 12
"""Things that are ranked at most: each pair is a run of the analysis."""


def whatif(link: Link, *cut: str) -> WhatIf:
    """What would leave the output of ``link`` if nothing referred to ``cut``: symbols, packages,
    modules, patterns of symbols' names; of an edge "A -> B", if nothing of A referred to B.
    References are taken to be gone; all else is as it is, but what they alone keep leaves with
    them, the pruning of methods among it where they are what switched it off. Without a package the
    initialisers of those that it alone imports go, too.

    ``link`` has run up to the pass that provides ``graph``, or further. Raises UserError when
    nothing has one of these names, or there is no such edge.
    """
    cuts = Cuts(link)
    return cuts.answer([cuts.find(what) for what in cut])


def rank(link: Link, *cut: str, progress: rerun.Progress = rerun.nobody) -> Rank:
    """What would leave without each of these, which are what ``whatif`` takes, without all, and
    without pairs; ``progress`` is told of each run. Raises UserError as that does, and for more
    than MOST."""
    if len(cut) > MOST:
        raise UserError(
            f"{len(cut)} things to rank, {MOST} at most", status=2, remedy="ask for fewer"
        )
    cuts = Cuts(link)
    found = [cuts.find(what) for what in cut]
    sizes = link.graph.symbols.size
    runs = len(found) * (len(found) + 1) // 2
    gone = []
    for number, each in enumerate(found, 1):
        gone.append(cuts.gone([each]))
        progress(number, runs)
    names = [each.name for each in found]
    alone = [
        Alone(name, int(left.sum()), int(sizes[left].sum()))
        for name, left in zip(names, gone, strict=True)
    ]
    pairs = []
    for number, (one, other) in enumerate(combinations(range(len(found)), 2), len(found) + 1):
        both: Bool = cuts.gone([found[one], found[other]]) & ~gone[one] & ~gone[other]
        if both.any():
            pairs.append(Pair(names[one], names[other], int(both.sum()), int(sizes[both].sum())))
        progress(number, runs)
    together = cuts.gone(found)
    return Rank(
        tuple(sorted(alone, key=lambda each: (-each.size, each.name))),
        int(together.sum()),
        int(sizes[together].sum()),
        tuple(sorted(pairs, key=lambda each: (-each.size, each.first, each.second))),
    )


@record
class Cuts:
    """Runs without something, of one link."""

    link: Link

    @cached_property
    def modules(self) -> Modules:
        """Whose code it is."""
        return Modules(self.link)

    @cached_property
    def before(self) -> rerun.Run:
        """What there is."""
        return rerun.run(self.link)

    def find(self, what: str) -> Cut:
        """What is to be cut. Raises UserError when there is nothing of that name."""
        if ARROW in what:
            edge = find_edge(self.modules, what)
            if not self._rows([edge]).any():
                raise UserError(
                    f"nothing of {edge.name.partition(f' {ARROW} ')[0]} refers to "
                    f"{edge.name.partition(f' {ARROW} ')[2]}",
                    status=2,
                    label="linkpipe",
                    remedy="`linkpipe why --all` shows what does",
                )
            return edge
        found = find(self.modules, what)
        if len(found) == 1:
            return found[0]
        symbols = np.concatenate([subject.symbols for subject in found])
        return Subject(SYMBOL, what, symbols)

    def gone(self, cut: Sequence[Cut]) -> Bool:
        """What leaves without these, they themselves among it: bool[n]."""
        return self.before.reached & ~self._after(cut).reached

    def answer(self, cut: Sequence[Cut]) -> WhatIf:
        """What leaves without these, in numbers."""
        own, after = self._without(cut), self._after(cut)
        gone: Bool = self.before.reached & ~after.reached
        symbols = self.link.graph.symbols
        ids: I64 = np.flatnonzero(gone)
        ids = ids[np.lexsort((ids, -symbols.size[ids]))]
        names = symbols.names(ids)
        return WhatIf(
            cut=tuple(each.name for each in cut),
            own=int(symbols.size[gone & own].sum()),
            symbols=len(ids),
            size=int(symbols.size[ids].sum()),
            packages=_packages(self.modules, ids, np.flatnonzero(after.reached)),
            names=tuple(name.decode("utf-8", "surrogateescape") for name in names if name),
        )

    def _without(self, cut: Sequence[Cut]) -> Bool:
        return self._of([each for each in cut if isinstance(each, Subject)])

    def _of(self, subjects: Sequence[Subject]) -> Bool:
        own = np.zeros(len(self.link.graph.symbols), np.bool_)
        for subject in subjects:
            own[subject.symbols] = True
        return own

    def _after(self, cut: Sequence[Cut]) -> rerun.Run:
        inputs, without = self.before.inputs, self._without(cut)
        packages = {name for each in cut if isinstance(each, Subject) for name in each.packages}
        if packages:
            # Nobody initialises what only they import.
            lost = self.modules.lost(packages)
            for task, package in self._initialisers:
                without[task] |= package in lost
        rows = self._rows([each for each in cut if isinstance(each, Edge)])
        gone: Bool = rows | without[inputs.relocs.target]
        # Functions do not look methods up any more when all by which they do it is gone.
        blind = [f for f, by in self._look_ups if not without[f] and by and gone[by].all()]
        # Other modules may be loaded where package plugin is there; a plugin is one itself.
        others = not ("plugin" in packages and self.link.options.buildmode == "exe")
        return rerun.run(
            self.link,
            without=without,
            unmarked=np.array(blind, np.int64),
            modules=others,
            inputs=inputs,
            rows=rows if rows.any() else None,
        )

    def _rows(self, edges: Sequence[Edge]) -> Bool:
        """The relocations by which the one refers to the other, calls through interfaces among
        them: bool[m]. Of a type's method the code alone: the type still says that it has it."""
        inputs = self.before.inputs
        relocs, owner = inputs.relocs, inputs.owner
        found = np.zeros(len(relocs), np.bool_)
        first = np.zeros(len(relocs), np.bool_)
        first[np.flatnonzero((relocs.type == R_METHODOFF) & ~relocs.weak)[::3]] = True
        for edge in edges:
            source, target = self._of(edge.sources), self._of(edge.targets)
            rows = source[owner] & target[relocs.target]
            found |= rows & ~first & ~np.isin(relocs.type, MARKERS)
            calls = self._calls
            code = [relocs.target[calls.methods.row + i] for i in (1, 2)]
            mine = target[code[0]] | target[code[1]]
            groups = np.concatenate([each[mine] for each in calls.method_groups])
            notes, callers, of = calls.calls
            found[notes[source[callers] & np.isin(of, groups)]] = True
        return found

    @cached_property
    def _calls(self) -> Calls:
        return Calls(self.before)

    @cached_property
    def _initialisers(self) -> list[tuple[int, str]]:
        """Those that are run, each with the package that it is of."""
        relocs = self.link.graph.relocs
        tasks = relocs.target[relocs.rows_of(self.link.inittasks[0])]
        owners, labels = self.modules.owners(tasks)
        return [(task, labels[row]) for task, row in zip(tasks.tolist(), owners, strict=True)]

    @cached_property
    def _look_ups(self) -> list[tuple[int, list[int]]]:
        """Functions that look methods up, each with the relocations by which it does so, as far as
        is known."""
        run = self.before
        marked = (run.inputs.symbols.flags & Flag.REFLECT_METHOD) != 0
        found = np.flatnonzero(marked & run.reached).tolist()
        return [(function, self._calls.look_ups(function)) for function in found]


def _packages(modules: Modules, gone: I64, kept: I64) -> tuple[Leaving, ...]:
    owners, labels = modules.owners(gone)
    left, _ = modules.owners(kept)
    sizes = modules.link.graph.symbols.size[gone]
    count = np.bincount(owners, minlength=len(labels))
    total = np.zeros(len(labels), np.int64)
    np.add.at(total, owners, sizes)
    still = np.bincount(left, minlength=len(labels)) > 0
    found = [
        Leaving(labels[row], int(count[row]), int(total[row]), not still[row])
        for row in np.flatnonzero(count).tolist()
    ]
    return tuple(sorted(found, key=lambda each: (-each.size, each.package)))
