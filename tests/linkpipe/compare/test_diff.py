from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.compare.diff import Change, compare, diff
from linkpipe.compare.dumps import Table
from linkpipe.errors import InputError

ROWS = st.lists(
    st.fixed_dictionaries({"id": st.integers(0, 6), "v": st.integers(0, 2)}),
    unique_by=lambda row: row["id"],
)


def test_changes() -> None:
    before = [{"id": 1, "v": "a"}, {"id": 2, "v": "b"}, {"id": 3, "v": "c"}]
    after = [{"id": 1, "v": "a"}, {"id": 4, "v": "d"}, {"id": 2, "v": "x"}]
    changes = list(diff(before, after))
    assert [change.line() for change in changes] == [
        '+ 4 {"id": 4, "v": "d"}',
        "~ 2 v: 'b' -> 'x'",
        '- 3 {"id": 3, "v": "c"}',
    ]


def test_rows_without_a_key_are_compared_by_place() -> None:
    assert list(diff([{"v": 1}, {"v": 1}], [{"v": 1}, {"v": 2}])) == [
        Change("changed", 1, {"v": 2}, {"v": (1, 2)})
    ]


@given(ROWS, ROWS)
def test_applying_a_difference_gives_what_is_after(
    before: list[dict[str, int]], after: list[dict[str, int]]
) -> None:
    rows = {row["id"]: row for row in before}
    for change in diff(before, after):
        if change.kind == "removed":
            del rows[change.key]
        else:
            rows[change.key] = dict(change.row)
    assert rows == {row["id"]: row for row in after}


def table(folder: str, fact: str, *rows: dict[str, Any], **header: Any) -> Table:
    return Table(f"{folder}/1.jsonl", {"fact": fact, "after": "p", **header}, list(rows))


def test_rows_of_two_links_are_paired_by_name() -> None:
    """The number of a symbol in another link is another symbol's."""
    header = {"key": "id", "names": ["name", "version"], "numbers": ["id", "object"]}
    rows = [{"id": n, "name": name, "version": 0, "object": n} for n, name in enumerate("abb")]
    other = [
        {"id": 7 + n, "name": name, "version": 0, "object": 7} for n, name in enumerate("bcab")
    ]
    one, two = table("/x", "t", *rows, **header), table("/y", "t", *other, **header)
    assert [change.line() for change in compare(one, two)] == [
        '+ c 0 {"name": "c", "version": 0}',
    ]
    same = table("/x", "t", *rows[1:], **header)
    assert [(c.kind, c.key) for c in compare(one, same)] == [("removed", 0)]


def test_small_tables_of_two_links_are_paired_by_name_too() -> None:
    one = table("/x", "t", {"row": 0, "path": "fmt"}, {"row": 1, "path": "os"})
    two = table("/y", "t", {"row": 0, "path": "os"}, {"row": 1, "path": "fmt"})
    assert list(compare(one, two)) == []


def test_tables_of_two_facts_are_not_compared() -> None:
    with pytest.raises(InputError, match="a table of `a`, /y/1.jsonl one of `b`"):
        list(compare(table("/x", "a"), table("/y", "b")))
