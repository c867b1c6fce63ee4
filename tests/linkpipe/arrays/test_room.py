"""Columns that later tables add rows to share memory, and nobody sees another's rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.arrays.room import Memory, longer

rows = st.lists(st.integers(-9, 9), max_size=90)


@given(rows, st.lists(st.tuples(st.integers(0, 9), st.lists(rows, max_size=3)), max_size=6))
def test_each_column_is_what_it_was_made_of(
    start: list[int], made: list[tuple[int, list[list[int]]]]
) -> None:
    """Whichever of those there are is made longer, once or twice."""
    columns = [np.array(start, np.int16)]
    slow = [start]
    for which, parts in made:
        at = which % len(columns)
        columns.append(longer(columns[at], np.int16, [np.array(part, "i8") for part in parts]))
        slow.append([*slow[at], *(row for part in parts for row in part)])
        assert columns[-1].dtype == np.int16
        with pytest.raises(ValueError, match="read-only"):
            columns[-1][:] = 0
    assert [column.tolist() for column in columns] == slow


def test_the_first_to_make_a_column_longer_shares_its_memory() -> None:
    one = longer(np.zeros(5, np.int32), np.int32, [np.ones(1, np.int32)])
    two, other = (longer(one, np.int32, [np.full(1, value)]) for value in (7, 8))
    assert Memory.of(one) is Memory.of(two) is not Memory.of(other)
    assert (two[-1], other[-1]) == (7, 8)
