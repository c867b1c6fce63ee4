"""What changed between two tables of sizes."""

from __future__ import annotations

import pytest

from linkpipe import api
from linkpipe.ask.growth import Change, growth
from linkpipe.ask.size import Row, Size
from linkpipe.errors import UserError


def table(by: str = "package", **sizes: int) -> Size:
    rows = tuple(Row(name, size, size, 0, 0, 0, 0) for name, size in sizes.items())
    return Size(by, sum(sizes.values()), rows)


def test_added_removed_grown_and_shrunk() -> None:
    """The largest change comes first, in either direction; what stayed is not told."""
    found = growth(table(a=100, b=50, c=7, d=43), table(a=90, b=50, c=8, e=60))
    assert found.changes == (
        Change("e", "added", 0, 60, 60),
        Change("d", "removed", 43, 0, -43),
        Change("a", "shrunk", 100, 90, -10),
        Change("c", "grown", 7, 8, 1),
    )
    assert (found.before, found.after, found.difference, found.percent) == (200, 208, 8, 4.0)


def test_no_difference() -> None:
    found = growth(table(a=1), table(a=1))
    assert (found.changes, found.difference, found.percent) == ((), 0, 0.0)


def test_rows_of_one_name_are_taken_together() -> None:
    """A function may have a symbol for each ABI."""
    row = Row("f", 5, 5, 0, 0, 0, 0)
    assert growth(Size("symbol", 10, (row, row)), table("symbol", f=10)).changes == ()


def test_from_nothing() -> None:
    assert growth(table(), table(a=1)).percent == 0.0


def test_tables_of_two_sorts_are_refused() -> None:
    with pytest.raises(UserError, match="one is by kind, the other by package"):
        growth(table("kind"), table())


def test_it_is_promised() -> None:
    assert api.growth is growth
