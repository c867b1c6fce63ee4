"""All about one link, for a page: its bytes, why each symbol is there, what switched the pruning of
methods off, the plan and what each pass cost.

There are as many symbols as a large program has, so they are columns, and texts that many have in
common stand in a list. A page follows the columns itself: from each symbol to the one before it in
its chain of reasons, or from each package to the one that it would leave with.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.columns import table
from linkpipe.arrays.types import I64
from linkpipe.ask import rerun
from linkpipe.ask.groups import NO_MODULE, groups
from linkpipe.ask.growth import Growth, growth
from linkpipe.ask.modules import Modules
from linkpipe.ask.names import MODULE, PACKAGE, SYMBOL
from linkpipe.ask.pieces import COLUMN, COLUMNS, KINDS, Linked, Pieces
from linkpipe.ask.reasons import Reasons
from linkpipe.ask.retained import Retained
from linkpipe.ask.size import Row, Size, asked_about, may_leave, of_kind
from linkpipe.ask.why import Makers
from linkpipe.ask.why_no_dce import WhyNoDce, why_no_dce
from linkpipe.engine.context import Link
from linkpipe.engine.plan import Plan, Planned
from linkpipe.engine.runner import Observer
from linkpipe.formats.elfread import read
from linkpipe.graphs.graph import ROOT
from linkpipe.observe.timing import peak_rss
from linkpipe.values import Shown, Value, evolve, record

NONE = -1
"""In columns: no row, or a size that nobody knows."""

_MADE = "made by the linker"


@table
class Parts(Shown):
    """Packages or modules, the largest first, as columns of bytes.

    Attributes:
        name: their names; in brackets what is none of them.
        code: instructions. data: variables, constants, types. pclntab: the runtime's line tables.
        debug: debug information. other: tables of symbols, headers, padding.
        retained: code and data that would leave with it, its own among it, by dominators; -1 where
            nothing can.
        above: the row that every way to it comes by, the nearest such; -1 for none.
        inside: of packages, the row of the module; of modules -1.
    """

    name: tuple[str, ...]
    code: I64
    data: I64
    pclntab: I64
    debug: I64
    other: I64
    retained: I64
    above: I64
    inside: I64


@table
class Listed(Shown):
    """Symbols, the largest first, as columns.

    Attributes:
        name: their names.
        package: the row of the package.
        kind: what its bytes are, a place in ``kinds`` of the report.
        size: its bytes in the file. retained: what would leave with it, by dominators; -1 where
            nothing can.
        before: the row of the symbol that keeps it, in a shortest chain from a root; -1 for a root,
            and for what the linker makes.
        reason: how that keeps it, a place in ``reasons``.
        because: what else it takes, a place in ``texts``.
        file, line: where in the symbol before, a place in ``files`` and a number; 0 where nothing
            is known.
        inlined: the places in what was inlined there, a place in ``texts``.
    """

    name: tuple[str, ...]
    package: I64
    kind: I64
    size: I64
    retained: I64
    before: I64
    reason: I64
    because: I64
    file: I64
    line: I64
    inlined: I64


@record
class Cost(Value):
    """A pass of the plan.

    Attributes:
        name: the pass. why: what for, in a line.
        requires, provides: facts.
        ran: whether it ran; if not, the flags or what was found in the input rule it out.
        seconds: wall time.
        peak: the largest resident size of the process when it ended, bytes.
    """

    name: str
    why: str
    requires: tuple[str, ...]
    provides: tuple[str, ...]
    ran: bool
    seconds: float = 0.0
    peak: int = 0


@record
class Report(Shown):
    """All about one link.

    Attributes:
        name: what the link was called by who asked.
        program: the import path of its main package. main: the module of that.
        go: the release. goarch: the architecture. buildmode: the build mode.
        total: the bytes of the file.
        modules, packages: its parts.
        symbols: its symbols.
        kinds: what bytes are. reasons: kinds of reasons.
        files: source files, the first one "". texts: what symbols refer to, the first one "".
        why_no_dce: what switched the pruning of methods off.
        passes: the plan, in order, and then what the flags ruled out.
    """

    name: str
    program: str
    main: str
    go: str
    goarch: str
    buildmode: str
    total: int
    modules: Parts
    packages: Parts
    symbols: Listed
    kinds: tuple[str, ...]
    reasons: tuple[str, ...]
    files: tuple[str, ...]
    texts: tuple[str, ...]
    why_no_dce: WhyNoDce
    passes: tuple[Cost, ...]


@record
class Changes(Value):
    """What changed from one link to another, by module, by package and by symbol."""

    modules: Growth
    packages: Growth
    symbols: Growth


class Watch(Observer):
    """Notes during a link what each pass costs, and which symbols it makes.

    Attributes:
        costs: the passes so far.
        makers: see Makers.
    """

    def __init__(self) -> None:
        self.costs: list[Cost] = []
        self.makers = Makers()
        self._ruled_out: list[Cost] = []

    def on_start(self, plan: Plan, link: Link) -> None:
        """Note what the flags rule out."""
        self._ruled_out = [Cost(step.name, step.why, (), (), ran=False) for step in plan.skipped]

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        """Note what it cost."""
        self.makers.after_pass(planned, before, after, seconds)
        self.costs.append(_cost(planned, True, round(seconds, 6), peak_rss()))

    def on_skip(self, planned: Planned, link: Link) -> None:
        """Note that it cost nothing."""
        self.costs.append(_cost(planned, False))

    def on_end(self, link: Link) -> None:
        """Put those at the end that had no turn."""
        self.costs += self._ruled_out


def _cost(planned: Planned, ran: bool, seconds: float = 0.0, peak: int = 0) -> Cost:
    run = planned.run
    return Cost(
        planned.name, planned.step.why, tuple(run.requires), tuple(run.provides), ran, seconds, peak
    )


def report(link: Link, watch: Watch | None = None, name: str = "") -> Report:
    """All about ``link``, which ran to its end and whose file is there; ``watch`` took part in it:
    without it nothing is known of passes.

    Raises InputError when the file is damaged.
    """
    watch = watch or Watch()
    file = read(link.output)
    pieces = Linked(link, file).pieces()
    asked = _Asked(link, pieces, asked_about(link, pieces), may_leave(link, pieces))
    modules, in_module = asked.parts(MODULE)
    packages, in_package = asked.parts(PACKAGE)
    inside = np.full(len(packages.name), NONE, np.int64)
    inside[in_package] = in_module
    reasons, files, texts = _List(), _List(""), _List("")
    symbols = asked.listed(in_package[len(pieces.size) :], watch, reasons, files, texts)
    environment, whose = link.options.environment, Modules(link)
    return Report(
        name=name,
        program=whose.program,
        main=whose.module(whose.main_package) or NO_MODULE,
        go=environment.version,
        goarch=environment.goarch,
        buildmode=link.options.buildmode,
        total=len(file.data),
        modules=modules,
        packages=evolve(packages, inside=inside),
        symbols=symbols,
        kinds=KINDS,
        reasons=tuple(reasons),
        files=tuple(files),
        texts=tuple(texts),
        why_no_dce=why_no_dce(link),
        passes=tuple(watch.costs),
    )


def changes(before: Report, after: Report, top: int = 500) -> Changes:
    """What changed from one link to another; of symbols the ``top`` largest changes."""
    found = {by: growth(_size(before, by), _size(after, by)) for by in (MODULE, PACKAGE, SYMBOL)}
    symbols = evolve(found[SYMBOL], changes=found[SYMBOL].changes[:top])
    return Changes(found[MODULE], found[PACKAGE], symbols)


def _size(told: Report, by: str) -> Size:
    if by == SYMBOL:
        symbols = told.symbols
        pairs = zip(symbols.name, symbols.size.tolist(), strict=True)
        return Size(by, told.total, tuple(Row(name, size, 0, 0, 0, 0, 0) for name, size in pairs))
    parts = told.modules if by == MODULE else told.packages
    sums = np.stack([getattr(parts, column) for column in COLUMNS], axis=1).tolist()
    rows = (Row(name, sum(row), *row) for name, row in zip(parts.name, sums, strict=True))
    return Size(by, told.total, tuple(rows))


class _List(dict[str, int]):
    """Texts that many have in common, each once, with its place."""

    def __init__(self, *first: str) -> None:
        super().__init__((text, at) for at, text in enumerate(first))

    def __missing__(self, text: str) -> int:
        self[text] = len(self)
        return self[text]


@record
class _Asked:
    """Attributes:
    link: what it is about.
    pieces: the bytes of its file.
    known: int64[k], the symbols that are listed.
    weight: int64[n], the bytes of each symbol that may leave.
    """

    link: Link
    pieces: Pieces
    known: I64
    weight: I64

    def parts(self, by: str) -> tuple[Parts, I64]:
        """The packages or modules, and the row of each piece and, behind these, of each symbol
        that is known: one of packages that have no bytes in the file has a row, too."""
        found, pieces = groups(self.link, by, self.known), self.pieces
        group = np.where(pieces.symbol > 0, found.of[pieces.symbol], -1 - pieces.kind)
        number, at = np.unique(np.concatenate((group, found.of[self.known])), return_inverse=True)
        sums = np.zeros((len(number), len(COLUMNS)), np.int64)
        np.add.at(sums, (at[: len(group)], np.array(COLUMN)[pieces.kind]), pieces.size)
        order = np.argsort(-sums.sum(axis=1), kind="stable")
        number, sums = number[order], sums[order]
        row = np.empty(len(order), np.int64)
        row[order] = np.arange(len(order))
        asked = Retained(self.link, found, self.weight)
        retained, above = _leaving(asked, number)
        name = tuple(found.name(i) if i >= 0 else of_kind(-1 - i) for i in number.tolist())
        none = np.full(len(number), NONE, np.int64)
        code, data, pclntab, debug, other = sums.T.copy()
        parts = Parts(name, code, data, pclntab, debug, other, retained, above, none)
        return parts, row[at]

    def listed(
        self, package: I64, watch: Watch, reasons: _List, files: _List, texts: _List
    ) -> Listed:
        """The symbols; ``package`` is the row of each that is known."""
        pieces, link, count = self.pieces, self.link, len(self.link.symbols)
        size, kind = np.zeros(count, np.int64), np.zeros(count, np.int64)
        np.add.at(size, pieces.symbol, pieces.size)
        kind[pieces.symbol] = pieces.kind
        order = np.argsort(-size[self.known], kind="stable")
        ids = self.known[order]
        row = np.full(count, NONE, np.int64)
        row[ids] = np.arange(len(ids))
        asked = Retained(link, groups(link, SYMBOL, self.known), self.weight)
        retained, _ = _leaving(asked, ids)
        told = Reasons(link, rerun.run(link))
        parent, distance = told.tree
        kept = ids < len(distance)
        kept[kept] = distance[ids[kept]] > 0
        before = np.where(kept, parent[np.where(kept, ids, ROOT)], ROOT)
        arcs = told.numbers(before[kept], ids[kept])
        columns = np.zeros((len(ids), 5), np.int64)
        columns[kept] = [
            (reasons[how], texts[because], files[file], int(line or 0), texts[inlined])
            for how, because, (file, line, inlined) in zip(
                told.kinds(arcs), told.conditions(arcs), _places(told, arcs), strict=True
            )
        ]
        for at in np.flatnonzero(~kept).tolist():
            maker = watch.makers.of(int(ids[at]))
            columns[at] = (reasons[_MADE], texts[f"pass {maker}" if maker else ""], 0, 0, 0)
        names = (name.decode("utf-8", "surrogateescape") for name in link.symbols.names(ids))
        return Listed(
            tuple(name or f"(nameless {at})" for name, at in zip(names, ids.tolist(), strict=True)),
            package[order],
            kind[ids],
            size[ids],
            retained,
            np.where(before != ROOT, row[before], NONE),
            *columns.T.copy(),
        )


def _leaving(asked: Retained, number: I64) -> tuple[I64, I64]:
    """What leaves with each of these rows, and the place of the one among them that it would leave
    with."""
    own = asked.groups.own
    place = np.full(own + 1, NONE, np.int64)  # the last one is for NONE
    real = (number >= 0) & (number < own)
    place[number[real]] = np.flatnonzero(real)
    real[real] = asked.known[number[real]]
    retained, above = np.full(len(number), NONE, np.int64), np.full(len(number), NONE, np.int64)
    retained[real] = asked.rows[number[real]]
    at = asked.parents[number[real]]
    while ((at >= 0) & (place[at] < 0)).any():  # what is not among them
        at = np.where(place[at] < 0, asked.parents[at], at)
    above[real] = place[at]
    return retained, above


def _places(told: Reasons, arcs: I64) -> list[tuple[str, str, str]]:
    """Where each arc is in the source: file, line, and what was inlined there."""
    offset = told.offsets(arcs)
    places = told.lines(list(zip(told.arcs.source[arcs].tolist(), offset.tolist(), strict=True)))
    found = []
    for where, inlined in places:
        file, _, line = where.rpartition(":")
        found.append((file, line, ", ".join(f"{each.function} {each.line}" for each in inlined)))
    return found
