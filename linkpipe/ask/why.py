"""Why something is in the output: a shortest chain of reasons, or every immediate one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import attrs
import numpy as np

from linkpipe.arrays.types import I64, Bool
from linkpipe.ask import rerun
from linkpipe.ask.names import PACKAGE, SYMBOL, Subject, find, graph_of
from linkpipe.ask.reasons import Reason, Reasons
from linkpipe.engine.context import Link
from linkpipe.engine.plan import Planned
from linkpipe.engine.runner import Observer
from linkpipe.graphs.graph import Graph
from linkpipe.values import Value, record


@record
class Why(Value):
    """Why one thing is in the output, or that it is not.

    Attributes:
        kind: "symbol", "package" or "module".
        name: its name.
        reachable: whether it is in the output: of a package or a module, anything of it.
        symbols: how many of its symbols are, and ``size`` their bytes.
        imports: of a package, a shortest chain of imports from the main package to it.
        chain: a shortest chain of reasons, from a root to it. Of a package or a module, to a symbol
            of it that other code refers to; to its initialiser, which every import keeps, where
            there is no other.
        reasons: every immediate reason, where all were asked for.
        made_by: the pass that made it, of a symbol that the linker makes after reachability.
    """

    kind: str
    name: str
    reachable: bool
    symbols: int
    size: int
    imports: tuple[str, ...] = ()
    chain: tuple[Reason, ...] = ()
    reasons: tuple[Reason, ...] = ()
    made_by: str = ""


class Makers(Observer):
    """Notes during a link which pass makes which symbols.

    Attributes:
        passes: (symbols that there are, pass): after each pass that made some.
    """

    def __init__(self) -> None:
        self.passes: list[tuple[int, str]] = []

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        """Note how many there are."""
        count = len(after.symbols) if after.has("symbols") else 0
        if count and (not self.passes or self.passes[-1][0] < count):
            self.passes.append((count, planned.name))

    def of(self, symbol: int) -> str:
        """The pass that made a symbol, "" where that is not known."""
        return next((name for count, name in self.passes if symbol < count), "")


def why(
    link: Link,
    what: str | Sequence[str],
    *,
    every: bool = False,
    limit: int = 0,
    makers: Sequence[tuple[int, str]] = (),
) -> tuple[Why, ...]:
    """Why ``what``, a symbol, a package, a module or a pattern of symbols' names, is in the output;
    of several at once each in turn; with ``every`` immediate reason too. ``limit``: answers for at
    most so many of the symbols that match a pattern, those in the output first; 0: all.

    ``link`` has run up to the pass that provides ``graph``, or further. Of symbols that were made
    later the answer is the pass that made them, as ``makers`` knows (see Makers).

    Raises UserError when nothing has that name, or the link has not come that far.
    """
    graph, asked = graph_of(link), _Asked(link)
    answers: list[Why] = []
    for one in (what,) if isinstance(what, str) else what:
        made = _made(graph, link, one, makers)
        if made:
            answers += made
            continue
        found = find(asked.reasons.modules, one)
        found.sort(key=lambda each: not len(asked.kept(each.symbols)))
        answers += (asked.answer(each, every) for each in found[: limit or None])
    return tuple(answers)


def _made(
    graph: Graph, link: Link, what: str, makers: Sequence[tuple[int, str]]
) -> tuple[Why, ...]:
    """The symbol of that name, if the linker has made it after reachability."""
    symbols, wanted = link.symbols, what.encode("utf-8", "surrogateescape")
    later = np.arange(len(graph.symbols), len(symbols))
    for sym, name in zip(later.tolist(), symbols.names(later), strict=True):
        if name == wanted:
            by = next((name for count, name in makers if sym < count), "")
            return (Why(SYMBOL, what, True, 1, int(symbols.size[sym]), made_by=by),)
    return ()


@attrs.frozen(eq=False, slots=False)
class _Asked:
    link: Link

    @cached_property
    def reasons(self) -> Reasons:
        return Reasons(self.link, rerun.run(self.link))

    def kept(self, symbols: I64) -> I64:
        return symbols[self.reasons.run.reached[symbols]]

    def answer(self, subject: Subject, every: bool) -> Why:
        kept = self.kept(subject.symbols)
        size = int(self.link.graph.symbols.size[kept].sum())
        package = subject.kind == PACKAGE
        imports = self.reasons.modules.imports(subject.name) if package else ()
        if not len(kept):
            return Why(subject.kind, subject.name, False, 0, 0, imports)
        return Why(
            kind=subject.kind,
            name=subject.name,
            reachable=True,
            symbols=len(kept),
            size=size,
            imports=imports,
            chain=self.reasons.chain(self._nearest(kept, subject.kind != SYMBOL)),
            reasons=self.reasons.immediate(kept) if every else (),
        )

    def _nearest(self, symbols: I64, many: bool) -> int:
        """Of these symbols the one with the shortest chain. Of ``many``, one whose chain does not
        begin with an initialiser among them: that is there for whatever is imported."""
        _, distance = self.reasons.tree
        chosen = symbols
        if many:
            chosen = symbols[~self._by_initialiser(symbols)]
            if not len(chosen):
                names = self.link.graph.symbols.ends_with(symbols, b"..inittask")
                chosen = symbols[names] if names.any() else symbols
        order = np.lexsort((chosen, distance[chosen]))
        return int(chosen[order[0]])

    def _by_initialiser(self, symbols: I64) -> Bool:
        """Whether the chain to each symbol comes through an initialiser that is one of them."""
        parent, _ = self.reasons.tree
        graph = self.link.graph
        among = np.zeros(len(parent), np.bool_)
        starts = symbols[graph.symbols.ends_with(symbols, b"..inittask")]
        among[starts] = True
        through = np.zeros(len(symbols), np.bool_)
        at = symbols.copy()
        while (at != 0).any():
            through |= among[at]
            at = parent[at].astype(np.int64)
        return through
