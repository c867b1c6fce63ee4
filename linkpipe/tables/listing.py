"""How a large table is listed: columns of which rows are made only when they are written.

A table of a link has a hundred thousand rows and changes in a few of them from pass to pass. Its
`Listing` says what is needed to find those few without making a row of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from linkpipe.arrays.types import I64, Bool
from linkpipe.values import Shown, record

Namer = Callable[[str, list[int]], list[Any]]
"""Gives the names of what so many numbers refer to: see `Listing.refers`."""

_NONE: Mapping[str, Any] = MappingProxyType({})


@record
class Listing(Shown):
    """Columns of n rows each.

    Attributes:
        key: the column whose value says which rows belong together; its values ascend. What is
            told of a change is always all rows of one key.
        columns: what rows are compared by, name -> array[n].
        words: what is written in a column instead of its numbers, or beside them under a name of
            its own: name -> function of row numbers (int64[k]) that gives k values.
        refers: columns that are numbers of something that stands in another table, and are
            written by its name: column -> "symbols", "sections" or "relocation types".
        shown: which rows are part of the output: bool[n]; None for all.
        names: columns that tell a row from others in any link, as `key` does in one.
        numbers: columns that mean something in this link alone.
        hidden: columns that are compared and not written.
    """

    key: str
    columns: Mapping[str, npt.NDArray[Any]]
    words: Mapping[str, Callable[[I64], list[Any]]] = _NONE
    refers: Mapping[str, str] = _NONE
    shown: Bool | None = None
    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.columns[self.key])

    def written(self, column: str, at: I64, names: Namer) -> list[Any]:
        """What is written in a column of the rows ``at``."""
        if column in self.words:
            return self.words[column](at)
        values: list[Any] = self.columns[column][at].tolist()
        return names(self.refers[column], values) if column in self.refers else values

    def rows(self, at: I64, names: Namer) -> Iterator[dict[str, Any]]:
        """One dict for each of the rows ``at``; ``names`` gives the names of what `refers`."""
        shown = [c for c in dict.fromkeys((self.key, *self.words, *self.columns))
                 if c not in self.hidden]  # fmt: skip
        told = {column: self.written(column, at, names) for column in shown}
        for values in zip(*told.values(), strict=True):
            yield dict(zip(told, values, strict=True))


def changed(old: Listing, old_rows: I64, new: Listing, new_rows: I64) -> tuple[I64, list[int]]:
    """Of two listings of one table, each cut down to some rows (ascending): which of the new rows
    belong to a key whose rows are not what they were, and which keys have no row any more.
    """
    old_keys, new_keys = old.columns[old.key][old_rows], new.columns[new.key][new_rows]
    top = 1 + max(int(old_keys.max(initial=-1)), int(new_keys.max(initial=-1)))
    before, after = np.bincount(old_keys, minlength=top), np.bincount(new_keys, minlength=top)
    differs = before != after
    # Where a key has as many rows as before, they stand in the same order on both sides.
    was, now = old_rows[~differs[old_keys]], new_rows[~differs[new_keys]]
    unequal = np.zeros(len(now), np.bool_)
    for name, column in new.columns.items():
        unequal |= old.columns[name][was] != column[now]
    differs[new.columns[new.key][now[unequal]]] = True
    gone = np.flatnonzero((before > 0) & (after == 0)).tolist()
    return new_rows[differs[new_keys]], gone


SHOWN_ROWS = 20
"""Rows that a notebook shows of a table."""


def html(rows: Iterable[Mapping[str, Any]], total: int) -> str:
    """The first rows as an HTML table, with a line that says how many there are."""
    from html import escape

    some = list(islice(rows, SHOWN_ROWS))
    heads = "".join(f"<th>{escape(str(name))}</th>" for name in (some[0] if some else ()))
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(_short(value))}</td>' for value in row.values())}</tr>"
        for row in some
    )
    more = f"{len(some)} of {total} rows"
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table><p>{more}</p>"


def _short(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


class InNotebook:
    """A table that a notebook shows: one with ``listing()``, or with ``rows()`` and a length.

    What stands in other tables is shown by its number; ``linkpipe.api.rows`` knows the names.
    """

    __slots__ = ()

    def _repr_html_(self) -> str:
        table: Any = self
        if not hasattr(table, "listing"):
            return html(table.rows(), len(table))
        listed: Listing = table.listing()
        some = np.arange(min(len(listed), SHOWN_ROWS))
        return html(listed.rows(some, lambda _, numbers: numbers), len(listed))
