from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.observe.diff import Change, diff, read

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
        Change("~", 1, {"v": 2}, {"v": (1, 2)})
    ]


@given(ROWS, ROWS)
def test_applying_a_difference_gives_what_is_after(
    before: list[dict[str, int]], after: list[dict[str, int]]
) -> None:
    rows = {row["id"]: row for row in before}
    for change in diff(before, after):
        if change.kind == "-":
            del rows[change.key]
        else:
            rows[change.key] = dict(change.row)
    assert rows == {row["id"]: row for row in after}


def test_a_file_that_is_no_dump(tmp_path: Path) -> None:
    (tmp_path / "x").write_text('{"a": 1}\n')
    with pytest.raises(ValueError, match="is not a table that linkpipe dumped"):
        read(str(tmp_path / "x"))
