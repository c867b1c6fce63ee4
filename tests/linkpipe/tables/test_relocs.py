"""Relocations: a table that is extended has what it had, and what was added."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.tables.objects import RelocColumns
from linkpipe.tables.relocs import Relocs, single_relocs

ROW = st.tuples(
    st.integers(0, 999),
    st.integers(0, 8),
    st.integers(1, 300),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.integers(0, 99),
)
LISTS = st.lists(st.lists(ROW, max_size=4), max_size=6)
DTYPES = (np.int32, np.uint8, np.uint16, np.bool_, np.int64, np.int32)


def columns(lists: list[list[Any]]) -> RelocColumns:
    rows = [row for one in lists for row in one]
    made: list[Any]
    made = [np.array([row[i] for row in rows], dtype) for i, dtype in enumerate(DTYPES)]
    return RelocColumns(np.array([len(one) for one in lists], np.int64), *made)


def rows_of(table: Relocs, sym: int) -> list[Any]:
    rows = table.rows_of(sym)
    names = ("offset", "size", "type", "weak", "add", "target")
    return list(zip(*(getattr(table, name)[rows].tolist() for name in names), strict=True))


@given(LISTS, LISTS, st.integers(0, 5))
def test_extended(old: list[list[Any]], new: list[list[Any]], beyond: int) -> None:
    """Symbols that are younger than the table may be among the new ones."""
    n = len(old)
    table = Relocs.gather(n, np.arange(n), columns(old))
    ids = n + beyond + np.arange(len(new))[::-1]
    half = len(new) // 2
    after = table.extended(ids, columns(new[:half]), columns(new[half:]))
    assert not after.check()
    other = table.extended(ids, columns(new[::-1]))
    assert [rows_of(other, sym) for sym in ids.tolist()] == new[::-1], "of the same table"
    assert [rows_of(after, sym) for sym in range(n)] == old
    assert [rows_of(after, sym) for sym in ids.tolist()] == new
    assert [rows_of(table, sym) for sym in range(n)] == old, "the old table is as it was"
    for sym in set(range(n, n + beyond + len(new))) - set(ids.tolist()):
        assert rows_of(after, sym) == []


CHANGE = st.tuples(st.integers(0, 7), st.booleans(), st.lists(ROW, max_size=3))


@given(LISTS, st.lists(st.lists(CHANGE, max_size=3), max_size=5))
def test_edited(start: list[list[Any]], edits: list[list[tuple[int, bool, list[Any]]]]) -> None:
    """What a symbol has is dropped, or kept in front of what it gets; older tables stay."""
    want: list[dict[int, list[Any]]] = [dict(enumerate(start))]
    tables = [Relocs.gather(len(start), np.arange(len(start)), columns(start))]
    for changes in edits:
        edit, now = tables[-1].edit(), dict(want[-1])
        for sym, cleared, rows in changes:
            if cleared:
                edit.clear(sym)
                now[sym] = []
            for offset, size, type_, weak, add, target in rows:
                at = {"offset": offset, "size": size, "add": add}
                edit.add(sym, type=type_, weak=weak, target=target, **at)
            now[sym] = now.get(sym, []) + rows
        tables.append(edit.freeze())
        want.append(now)
    for table, said in zip(tables, want, strict=True):
        assert not table.check()
        assert [rows_of(table, sym) for sym in range(9)] == [said.get(sym, []) for sym in range(9)]


LIKE = (1, 2, 3, True, 4, 5)
TOLD = ("entry", "symbol", "first", "count")


@pytest.mark.parametrize("sym", [50, 100, 102])
def test_what_gets_relocations_shares_the_memory_of_the_table_before(sym: int) -> None:
    """Whether a symbol is new or had none. Where a table is extended twice, the second goes by
    itself, and neither says anything of the other's."""
    table = Relocs.gather(100, np.arange(9), columns([[LIKE]] * 9))
    after, other = (table.extended(np.array([sym]), columns([[LIKE] * n])) for n in (1, 2))
    for name in TOLD:
        assert np.shares_memory(getattr(after, name), getattr(table, name)), name
        assert not np.shares_memory(getattr(other, name), getattr(table, name)), name
    assert [rows_of(one, sym) for one in (table, after, other)] == [[], [LIKE], [LIKE, LIKE]]
    assert [one.having().tolist()[9:] for one in (table, after, other)] == [[], [sym], [sym]]


def test_where_a_symbol_gets_others_the_old_table_says_which_it_had() -> None:
    table = Relocs.gather(100, np.arange(9), columns([[LIKE]] * 9))
    edit = table.edit()
    edit.clear(8)
    edit.add(7, offset=1, size=2, type=3, weak=True, add=4, target=5)
    edited = edit.freeze()
    assert np.shares_memory(edited.entry, table.entry), "which is the large one"
    assert [len(rows_of(table, sym)) for sym in (7, 8)] == [1, 1]
    assert [len(rows_of(edited, sym)) for sym in (7, 8)] == [2, 0]
    assert [one.having().tolist() for one in (table, edited)] == [[*range(9)], [*range(8)]]


def test_a_table_that_says_of_a_symbol_what_is_not_found_is_broken() -> None:
    table = Relocs.gather(100, np.arange(9), columns([[LIKE]] * 9))
    broken = attrs.evolve(table, entry=np.where(table.entry == 3, 0, table.entry))
    assert broken.check() == ["what the table says of symbol 2 is not found by it"]
    with pytest.raises(
        TypeError, match=r"relocs.first: expected read-only int64\[10\], found int64"
    ):
        attrs.evolve(table, first=np.zeros(2, np.int64))


def test_one_for_each() -> None:
    made = single_relocs(np.array([8, 0]), 4, 31, np.array([5, 6]))
    table = Relocs.empty(1).extended(np.array([3, 1]), made)
    assert rows_of(table, 3) == [(8, 4, 31, False, 0, 5)]
    assert rows_of(table, 1) == [(0, 4, 31, False, 0, 6)]
