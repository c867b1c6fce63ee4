"""What was added, what is gone and what has grown from one file to another."""

from __future__ import annotations

from linkpipe.ask.size import Size
from linkpipe.errors import UserError
from linkpipe.values import Value, record


@record
class Change(Value):
    """A row of a table of sizes that is not what it was.

    Attributes:
        name: the package, module, symbol, section or kind.
        change: "added", "removed", "grown" or "shrunk".
        before, after: its bytes; ``difference`` is what came, negative for what went.
    """

    name: str
    change: str
    before: int
    after: int
    difference: int


@record
class Growth(Value):
    """How the size of a file has changed.

    Attributes:
        by: what is added up by.
        before, after: the sizes of the files; ``difference`` is what came.
        percent: the difference in hundredths of ``before``.
        changes: the rows that changed, by how much, the largest change first.
    """

    by: str
    before: int
    after: int
    difference: int
    percent: float
    changes: tuple[Change, ...]


def growth(before: Size, after: Size) -> Growth:
    """What changed between two tables of all rows, added up by the same; rows of one name, which
    are several symbols, are taken together.

    Raises UserError when they are not added up by the same.
    """
    if before.by != after.by:
        raise UserError(f"one is by {before.by}, the other by {after.by}", status=2)
    old, new = _by_name(before), _by_name(after)
    changes = [
        _change(name, old.get(name, 0), new.get(name, 0))
        for name in {**old, **new}
        if old.get(name, 0) != new.get(name, 0)
    ]
    changes.sort(key=lambda each: (-abs(each.difference), each.name))
    came = after.total - before.total
    percent = round(100 * came / before.total, 3) if before.total else 0.0
    return Growth(before.by, before.total, after.total, came, percent, tuple(changes))


def _by_name(size: Size) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in size.rows:
        found[row.name] = found.get(row.name, 0) + row.size
    return found


def _change(name: str, before: int, after: int) -> Change:
    if before and after:
        change = "grown" if after > before else "shrunk"
    else:
        change = "added" if after else "removed"
    return Change(name, change, before, after, after - before)
