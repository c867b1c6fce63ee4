"""An index that tables share says to each of them what it was told, and nothing of the others'."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.arrays.index import entries, none_of, with_entries
from linkpipe.arrays.room import Memory


@given(
    st.integers(0, 5),
    st.lists(st.tuples(st.integers(0, 9), st.lists(st.integers(0, 9), unique=True)), max_size=8),
)
def test_each_says_what_it_was_told(ids: int, changes: list[tuple[int, list[int]]]) -> None:
    """Whichever of those there are gets more entries, once or twice."""
    indexes, slow = [none_of(ids)], [dict[int, int]()]
    for which, new in changes:
        at = which % len(indexes)
        some = [sym for sym in new if sym not in slow[at]]
        known = len(slow[at]) + 1
        indexes.append(with_entries(indexes[at], known, np.array(some, np.int64)))
        slow.append(slow[at] | {sym: known + i for i, sym in enumerate(some)})
    asked = np.arange(12)
    for index, said in zip(indexes, slow, strict=True):
        found = entries(index, len(said) + 1, asked)
        assert found.tolist() == [said.get(sym, 0) for sym in asked.tolist()]
        assert not index.flags.writeable


def test_the_first_to_be_told_more_shares_its_memory() -> None:
    one = none_of(50)
    two = with_entries(one, 1, np.array([7, 51]))
    assert (len(one), len(two)) == (50, 52)
    other = with_entries(one, 1, np.array([8]))
    assert Memory.of(one) is Memory.of(two) is not Memory.of(other)
    assert np.shares_memory(with_entries(two, 3, np.array([9])), two)
