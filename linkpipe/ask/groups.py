"""What bytes are added up by: each symbol a row of its package, its module or its own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from linkpipe.arrays.columns import table
from linkpipe.arrays.types import I64
from linkpipe.ask.modules import Modules
from linkpipe.ask.names import MODULE, PACKAGE, SYMBOL, Subject
from linkpipe.engine.context import Link
from linkpipe.values import Shown

NO_MODULE = "(no module)"
"""Whose packages are that no module is known for."""


@table
class Groups(Shown):
    """The rows that symbols are added up in.

    Attributes:
        by: PACKAGE, MODULE or SYMBOL.
        of: int64[n], the row of each symbol; -1 for those that are not asked about.
        own: rows below this are packages or modules; others hold what belongs to none.
        name: the name of a row.
        packages: of packages and modules, the import paths of each row.
    """

    by: str
    of: I64
    own: int
    name: Callable[[int], str]
    packages: tuple[frozenset[str], ...] = ()

    def subject(self, row: int) -> Subject:
        """A row as what a question is about."""
        packages = self.packages[row] if self.packages else frozenset[str]()
        return Subject(self.by, self.name(row), np.flatnonzero(self.of == row), packages)


def groups(link: Link, by: str, symbols: I64) -> Groups:
    """The rows of ``symbols``."""
    table = link.symbols
    of = np.full(len(table), -1, np.int64)
    if by == SYMBOL:
        of[symbols] = symbols
        return Groups(by, of, len(table), lambda row: table.name(row) or "(nameless)")
    modules = Modules(link)
    found, labels = modules.owners(symbols)
    paths = modules.packages
    if by == PACKAGE:
        of[symbols] = found
        return Groups(by, of, len(paths), labels.__getitem__, tuple(map(_one, paths)))
    told = [modules.module(path) or NO_MODULE for path in paths]
    names = tuple(dict.fromkeys(told))
    place = {name: row for row, name in enumerate(names)}
    row = [place[name] for name in told] + [len(names), len(names) + 1]
    of[symbols] = np.array(row, np.int64)[found]
    members = tuple(
        frozenset(path for path, name in zip(paths, told, strict=True) if name == module)
        for module in names
    )
    return Groups(MODULE, of, len(names), (*names, *labels[len(paths) :]).__getitem__, members)


def _one(path: str) -> frozenset[str]:
    return frozenset((path,))
