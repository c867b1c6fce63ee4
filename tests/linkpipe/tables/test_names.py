"""Names: the operations on them equal those on lists of bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.arrays.threads import VARIABLE
from linkpipe.tables.names import Names

some = st.lists(st.tuples(st.binary(max_size=2), st.integers(-1, 1)), max_size=12)
names = st.lists(st.binary(max_size=40), min_size=1, max_size=20)


def table(pairs: list[tuple[bytes, int]]) -> Names:
    return Names.of([name for name, _ in pairs], [tag for _, tag in pairs])


def pairs(names: Names) -> list[tuple[bytes, int]]:
    rows = zip(names.at.tolist(), names.size.tolist(), names.tag.tolist(), strict=True)
    return [(names.text[at : at + size].tobytes(), tag) for at, size, tag in rows]


@given(some, some)
def test_names_are_found_by_name_and_tag(known: list[tuple[bytes, int]], asked: Any) -> None:
    assert pairs(table(known)) == known
    assert table(asked).among(table(known)).tolist() == [pair in known for pair in asked]


@given(some, st.integers(0, 12))
def test_joined_names_come_once(many: list[tuple[bytes, int]], at: int) -> None:
    whole = table(many)
    parts = [
        Names(whole.text, whole.at[part], whole.size[part], whole.tag[part])
        for part in (slice(at), slice(at, None))
    ]
    assert sorted(pairs(parts[0].joined(parts[1]))) == sorted(set(many))
    assert sorted(pairs(whole.joined(Names.of([], [])))) == sorted(set(many))


@given(some, st.lists(st.integers(0, 99), min_size=12, max_size=12))
def test_renumbered_names_are_found_under_their_new_numbers(
    many: list[tuple[bytes, int]], numbers: list[int]
) -> None:
    """Also when there are none. Numbers are rows of the table that is asked then."""
    whole = table(many)
    every = np.arange(len(many), dtype=np.int32)
    slots = whole.lead(every, 0, every.copy())
    order = np.argsort(numbers[: len(many)], kind="stable")
    place = np.empty(len(many), np.int32)
    place[order] = np.arange(len(many))
    moved = Names(whole.text, whole.at[order], whole.size[order], whole.tag[order])
    renumbered = slots.renumbered(every, place)
    found = whole.find(moved, renumbered).tolist()
    assert found == [place[many.index(pair)] for pair in many]
    assert not renumbered.rows.flags.writeable


@pytest.mark.parametrize("threads", ["1", "2", "3", "8"])
def test_threads_find_the_same(threads: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many names are hashed by parts; some of them may be of no names, or of empty ones."""
    monkeypatch.setattr("linkpipe.arrays.threads._MANY", 2)
    monkeypatch.setenv(VARIABLE, threads)
    for many in ([b"a", b"bb" * 90, b"a", b"c", b"bb" * 90], [b"", b"a", b""], [b""] * 9):
        first, slots = Names.of(many, [0] * len(many)).group()
        assert first.tolist() == [many.index(name) for name in many]
        assert set(slots.rows.tolist()) - {-1} == set(first.tolist())
