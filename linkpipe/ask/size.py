"""What the bytes of a linked file are, added up to the last one, and what would leave with each."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
import numpy as np

from linkpipe.arrays.types import I64, Bool
from linkpipe.ask.binary import Binary
from linkpipe.ask.groups import groups
from linkpipe.ask.pieces import COLUMN, COLUMNS, KINDS, Linked, Pieces
from linkpipe.ask.rerun import Progress, nobody
from linkpipe.ask.retained import Retained
from linkpipe.engine.context import Link
from linkpipe.errors import UserError
from linkpipe.formats.elfread import Elf, read
from linkpipe.values import Value, evolve, record

OF_SYMBOLS = ("package", "module", "symbol")
BY = (*OF_SYMBOLS, "section", "kind")
"""What bytes can be added up by; symbols are what may leave."""

EXACT = 25
"""For so many rows at most, what leaves with each is found exactly where nobody says otherwise."""

_INSIDE = frozenset(("code", "data"))
"""The columns that have symbols' own bytes."""


@record
class Row(Value):
    """Bytes of one thing: ``size`` is the sum of the others.

    Attributes:
        name: a package, a module, a symbol, a section, a kind; in brackets what is none of them.
        size: all of its bytes in the file.
        code: instructions. data: variables, constants, types. pclntab: the runtime's line tables.
        debug: debug information. other: tables of symbols, headers, padding.
        retained: code and data that would leave with it, its own among it; None where nothing can
            (sections, kinds, what is in brackets) or nobody knows (a binary alone).
        exact: whether that was found by running reachability without it; by dominators, which are
            never above that, if not.
        parent: in a tree, the row shown that every way to it comes by, "" for none.
        depth: in a tree, how many rows are above it.
    """

    name: str
    size: int
    code: int
    data: int
    pclntab: int
    debug: int
    other: int
    retained: int | None = None
    exact: bool = False
    parent: str = ""
    depth: int = 0


@record
class Size(Value):
    """The bytes of a file: ``total`` is its size, and that of all ``rows``, the largest first; in a
    tree, each behind the one that it depends on, those that retain most first."""

    by: str
    total: int
    rows: tuple[Row, ...]


def size(
    link: Link,
    by: str = "package",
    top: int = 0,
    *,
    tree: bool = False,
    exact: bool | None = None,
    progress: Progress = nobody,
) -> Size:
    """What the bytes of the file are that ``link``, which ran to its end, has written: ``by``
    package, module, symbol, section or kind. With ``top`` that many rows, and one for all others;
    of a ``tree``, which symbols, packages and modules make, those that retain most.

    What is retained is found exactly for all rows when ``exact``, for none when it is False, and
    for up to EXACT rows when it is None; ``progress`` is told of each of them.

    Raises UserError for a way to add up that there is not, InputError when the file is damaged.
    """
    _check(by, tree)
    file = read(Path(link.output))
    pieces = Linked(link, file).pieces()
    if by not in OF_SYMBOLS:
        return _added_up(file, pieces, by, top)
    found = groups(link, by, asked_about(link, pieces))
    group = np.where(pieces.symbol > 0, found.of[pieces.symbol], -1 - pieces.kind)
    sums = _sums(group, pieces, lambda row: found.name(row) if row >= 0 else of_kind(-1 - row))
    asked = Retained(link, found, may_leave(link, pieces))
    return _with_retained(sums, asked, top, tree, exact, progress)


def asked_about(link: Link, pieces: Pieces) -> I64:
    """The symbols that are in the file or were needed, ascending."""
    known = np.unique(np.concatenate((pieces.symbol, link.graph.symbols.reachable())))
    return known[known > 0]


def may_leave(link: Link, pieces: Pieces) -> I64:
    """The bytes of each symbol that would leave with it, code and data: int64[n]."""
    weight = np.zeros(len(link.symbols), np.int64)
    inside = np.array([COLUMNS[column] in _INSIDE for column in COLUMN])[pieces.kind]
    np.add.at(weight, pieces.symbol[inside], pieces.size[inside])
    weight[0] = 0
    return weight


def size_of_file(path: str | os.PathLike[str], by: str = "package", top: int = 0) -> Size:
    """What the bytes of a binary are, by what its symbols' names say, or, where it has none, those
    of functions in the runtime's line tables. Nobody knows what would leave with what.

    Raises UserError for a way to add up that there is not, InputError when the file is damaged, and
    OSError when it cannot be read.
    """
    _check(by, False)
    file = read(path)
    binary = Binary(file)
    pieces = binary.pieces()
    if by not in OF_SYMBOLS:
        return _added_up(file, pieces, by, top)
    told = {"package": binary.packages, "module": binary.modules, "symbol": binary.names}[by]
    names = list(dict.fromkeys(told))
    row = {name: at for at, name in enumerate(names)}
    of = np.array([row[name] for name in told], np.int64)
    group = np.where(pieces.symbol > 0, of[pieces.symbol], -1 - pieces.kind)
    sums = _sums(group, pieces, lambda at: names[at] if at >= 0 else of_kind(-1 - at))
    return cut_off(sums, by, top)


def _check(by: str, tree: bool) -> None:
    ways = OF_SYMBOLS if tree else BY
    if by not in ways:
        what = "there is no tree of" if tree and by in BY else "cannot add up by"
        raise UserError(f"{what} {by!r}", status=2, remedy=f"ways are: {', '.join(ways)}")


@attrs.frozen(eq=False)
class Sums:
    """Rows, the largest first: numbers int64[k], sums int64[k, 5] by column, names by number."""

    number: I64
    sums: I64
    name: Callable[[int], str]

    def row(self, at: int) -> Row:
        """One as a value."""
        return _row(self.name(int(self.number[at])), self.sums[at])

    def others(self, rows: Sequence[int] | I64) -> list[Row]:
        """One row for several: none for none."""
        if not len(rows):
            return []
        return [_row(f"({len(rows)} others)", self.sums[rows].sum(axis=0))]


def _row(name: str, sums: I64) -> Row:
    return Row(name, int(sums.sum()), *sums.tolist())


def _sums(group: I64, pieces: Pieces, name: Callable[[int], str]) -> Sums:
    found, place = np.unique(group, return_inverse=True)
    sums = np.zeros((len(found), len(COLUMNS)), np.int64)
    np.add.at(sums, (place, np.array(COLUMN)[pieces.kind]), pieces.size)
    order = np.argsort(-sums.sum(axis=1), kind="stable")
    return Sums(found[order], sums[order], name)


def _added_up(file: Elf, pieces: Pieces, by: str, top: int) -> Size:
    """The bytes by section or kind."""
    kinds = -1 - pieces.kind
    if by == "kind":
        sums = _sums(pieces.kind, pieces, KINDS.__getitem__)
    else:
        group, names = np.where(pieces.section > 0, pieces.section, kinds), file.names
        sums = _sums(group, pieces, lambda i: names[i] if i > 0 else of_kind(-1 - i))
    return cut_off(sums, by, top)


def of_kind(kind: int) -> str:
    """What is no symbol, or no section, is called by its kind."""
    return f"({KINDS[kind]})"


def cut_off(sums: Sums, by: str, top: int) -> Size:
    """All rows, or the first ones and one for the rest."""
    count = min(top or len(sums.number), len(sums.number))
    rows = [sums.row(at) for at in range(count)]
    rows += sums.others(range(count, len(sums.number)))
    return Size(by, int(sums.sums.sum()), tuple(rows))


def _with_retained(
    sums: Sums, asked: Retained, top: int, tree: bool, exact: bool | None, progress: Progress
) -> Size:
    own = asked.groups.own
    retained, number = asked.rows, sums.number
    real = (number >= 0) & (number < own)
    real[real] = asked.known[number[real]]
    places: I64 = np.arange(len(number))[: top or None]
    depth, parent = dict[int, int](), dict[int, str]()
    if tree:
        places, depth, parent = _in_a_tree(sums, asked, real, top)
    known = np.flatnonzero(real[places])
    wanted = exact if exact is not None else len(known) <= EXACT
    rows, done = [], 0
    for at in places.tolist():
        row = sums.row(at)
        if real[at]:
            which = int(number[at])
            found = asked.exactly(which) if wanted else int(retained[which])
            if wanted:
                done += 1
                progress(done, len(known))
            row = evolve(row, retained=found, exact=wanted)
        rows.append(evolve(row, parent=parent.get(at, ""), depth=depth.get(at, 0)))
    rest = np.setdiff1d(np.arange(len(number)), places)
    rows += sums.others(rest)
    return Size(asked.groups.by, int(sums.sums.sum()), tuple(rows))


def _in_a_tree(
    sums: Sums, asked: Retained, real: Bool, top: int
) -> tuple[I64, dict[int, int], dict[int, str]]:
    """The places of the rows that are shown, depth first, how deep each is, and which is above it.
    A row retains no more than the one above it, so that is shown, too."""
    number = sums.number
    place = {int(number[at]): at for at in np.flatnonzero(real).tolist()}
    parents, retained = asked.parents.tolist(), asked.rows.tolist()
    above: dict[int, int] = {}
    for row in place:
        at = parents[row]
        while at >= 0 and at not in place:  # what has no bytes in the file has no row
            at = parents[at]
        above[row] = at
    below: dict[int, list[int]] = {}
    for row in sorted(place, key=lambda row: (-retained[row], place[row])):
        below.setdefault(above[row], []).append(row)
    found, depth = [], {-1: -1}
    stack = below.get(-1, [])[::-1]
    while stack:
        row = stack.pop()
        found.append(row)
        depth[row] = depth[above[row]] + 1
        stack += below.get(row, [])[::-1]
    first = sorted(found, key=lambda row: (-retained[row], depth[row], place[row]))[: top or None]
    shown = set(first)
    places = [place[row] for row in found if row in shown]
    if not top:
        places += np.flatnonzero(~real).tolist()
    parent = {place[row]: sums.name(above[row]) for row in first if above[row] >= 0}
    return np.array(places, np.int64), {place[row]: depth[row] for row in first}, parent
