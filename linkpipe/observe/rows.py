"""The rows of a fact in words, for a script or a notebook."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from linkpipe.engine.context import Link
from linkpipe.observe import tables
from linkpipe.observe.words import Names
from linkpipe.tables.listing import Listing, html
from linkpipe.values import record


@record
class Rows:
    """Some rows of a fact: iterate for a dict each; a notebook shows the first ones.

    Attributes:
        fact: the name of the fact.
        items: the rows, with names of symbols, sections and kinds in the place of numbers.
    """

    fact: str
    items: tuple[dict[str, Any], ...]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.items)

    def __repr__(self) -> str:
        return f"<{len(self)} rows of {self.fact}>"

    def _repr_html_(self) -> str:
        return html(self.items, len(self))


def rows(link: Link, fact: str, match: str = "", *, all: bool = False) -> Rows:  # noqa: A002 - as the option of dumps
    """The rows of a fact as ``-dump`` writes them: names instead of numbers, kinds and flags in
    words; of a large table only what is part of the output, unless ``all``. ``match`` is a regular
    expression: only rows in a text of which it is found (large tables: in the name).

    Raises MissingFact when the fact is not established.
    """
    value, pattern = link.fact(fact), re.compile(match)
    if not hasattr(value, "listing"):
        plain = (tables.jsonable(row) for row in tables.rows(value))
        return Rows(fact, tuple(r for r in plain if not match or tables.matches(r, pattern)))
    listed: Listing = value.listing()
    names = Names(link)
    at = np.arange(len(listed))
    if listed.shown is not None and not all:
        at = np.flatnonzero(listed.shown)
    if match:
        told = listed.written("name", at, names)
        at = at[np.array([pattern.search(str(name)) is not None for name in told], np.bool_)]
    return Rows(fact, tuple(listed.rows(at, names)))
