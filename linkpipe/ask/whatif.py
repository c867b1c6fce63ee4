"""What would leave the output if something were not there: by reachability run without it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import attrs
import numpy as np

from linkpipe.arrays.types import I32, I64, Bool
from linkpipe.ask import rerun
from linkpipe.ask.calls import Calls
from linkpipe.ask.modules import Modules
from linkpipe.ask.names import Subject, find
from linkpipe.engine.context import Link
from linkpipe.tables.symbols import Flag
from linkpipe.values import Value


@attrs.frozen(eq=False, repr=False)
class Leaving(Value):
    """What leaves of one package: ``symbols`` of them, ``size`` bytes; ``whole`` when nothing of
    it is left."""

    package: str
    symbols: int
    size: int
    whole: bool


@attrs.frozen(eq=False, repr=False)
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


def whatif(link: Link, *cut: str) -> WhatIf:
    """What would leave the output of ``link`` if nothing referred to ``cut``: symbols, packages,
    modules or patterns of symbols' names. References to them are taken to be gone; all else is as
    it is, but what they alone keep leaves with them, the pruning of methods among it where they are
    what switched it off. Without a package the initialisers of those that it alone imports go, too.

    ``link`` has run up to the pass that provides ``graph``, or further. Raises UserError when
    nothing has one of these names.
    """
    cuts = Cuts(link)
    found = [subject for what in cut for subject in find(cuts.modules, what)]
    return cuts.answer(found)


@attrs.frozen(eq=False, repr=False, slots=False)
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

    def gone(self, subjects: Sequence[Subject]) -> Bool:
        """What leaves without these, they themselves among it: bool[n]."""
        return self.before.reached & ~self._after(self._without(subjects), subjects).reached

    def answer(self, subjects: Sequence[Subject]) -> WhatIf:
        """What leaves without these, in numbers."""
        own = self._of(subjects)
        after = self._after(self._without(subjects), subjects)
        gone: Bool = self.before.reached & ~after.reached
        symbols = self.link.graph.symbols
        ids: I64 = np.flatnonzero(gone)
        ids = ids[np.lexsort((ids, -symbols.size[ids]))]
        names = symbols.names(ids)
        return WhatIf(
            cut=tuple(subject.name for subject in subjects),
            own=int(symbols.size[gone & own].sum()),
            symbols=len(ids),
            size=int(symbols.size[ids].sum()),
            packages=_packages(self.modules, ids, np.flatnonzero(after.reached)),
            names=tuple(name.decode("utf-8", "surrogateescape") for name in names if name),
        )

    def _of(self, subjects: Sequence[Subject]) -> Bool:
        own = np.zeros(len(self.link.graph.symbols), np.bool_)
        for subject in subjects:
            own[subject.symbols] = True
        return own

    def _without(self, subjects: Sequence[Subject]) -> Bool:
        """What is not there: these, and the initialisers of what only they import."""
        without = self._of(subjects)
        packages = {name for subject in subjects for name in subject.packages}
        if packages:
            lost = self.modules.lost(packages)
            for task, package in self._initialisers:
                without[task] |= package in lost
        return without

    @cached_property
    def _initialisers(self) -> list[tuple[int, str]]:
        """Those that are run, each with the package that it is of."""
        relocs = self.link.graph.relocs
        tasks = relocs.target[relocs.rows_of(self.link.inittasks[0])]
        owners, labels = self.modules.owners(tasks)
        return [(task, labels[row]) for task, row in zip(tasks.tolist(), owners, strict=True)]

    @cached_property
    def _look_ups(self) -> list[tuple[int, I32]]:
        """Functions that look methods up, each with what it calls to do so, as far as is known."""
        run = self.before
        marked = (run.inputs.symbols.flags & Flag.REFLECT_METHOD) != 0
        found = np.flatnonzero(marked & run.reached).tolist()
        calls, targets = Calls(run), run.inputs.relocs.target
        return [(function, targets[calls.look_ups(function)]) for function in found]

    def _after(self, without: Bool, subjects: Sequence[Subject]) -> rerun.Run:
        # Other modules may be loaded where package plugin is there; a plugin is one itself.
        plugin = any("plugin" in subject.packages for subject in subjects)
        others = not (plugin and self.link.options.buildmode == "exe")
        # Functions do not look methods up any more when all by which they do it is cut.
        blind = [f for f, by in self._look_ups if not without[f] and len(by) and without[by].all()]
        return rerun.run(
            self.link,
            without=without,
            unmarked=np.array(blind, np.int64),
            modules=others,
            inputs=self.before.inputs,
        )


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
