"""A symbol table being changed: many contents at once, and room that is not seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.arrays.columns import read_only
from linkpipe.arrays.room import Memory
from linkpipe.errors import InputError
from linkpipe.formats.arena import Arena
from linkpipe.symkind import SymKind
from linkpipe.tables.symbolcolumns import COLUMNS, Flag
from tests.tiny import no_relocs, no_symbols


@given(st.lists(st.binary(max_size=5), max_size=8))
def test_many_contents(pieces: list[bytes]) -> None:
    """As one by one; sizes follow."""
    edit, slow = no_symbols().edit(), no_symbols().edit()
    ids, one_by_one = edit.create_many(len(pieces)), slow.create_many(len(pieces))
    starts = np.append(0, np.cumsum([len(piece) for piece in pieces])).astype(np.int64)
    edit.set_contents(ids, b"".join(pieces), starts)
    for sym, piece in zip(one_by_one.tolist(), pieces, strict=True):
        slow.set_content(sym, piece)
    found, want = edit.freeze(), slow.freeze()
    assert [bytes(found.data(sym)) for sym in ids.tolist()] == pieces
    for name in ("size", "data_size"):
        assert getattr(found, name).tolist() == getattr(want, name).tolist()


@pytest.mark.parametrize("room", [True, False])
def test_contents_take_the_place_of_others(room: bool) -> None:
    """What was given last counts, be it one by one or many at once, in the arena or not."""
    table = no_symbols()
    if not room:
        table = attrs.evolve(table, arena=Arena(table.arena.bytes))
    edit = table.edit()
    ids = edit.create_many(4)
    for sym in ids[:3].tolist():
        edit.set_content(sym, b"one by one")
    before = edit.freeze()
    edit = before.edit()
    edit.set_contents(ids[1:3], b"manyat", np.array([0, 4, 6]))
    edit.set_content(int(ids[2]), b"again")
    shown = [bytes(edit.data(sym)) for sym in ids.tolist()]
    after = edit.freeze()
    assert [bytes(after.data(sym)) for sym in ids.tolist()] == shown
    assert shown == [b"one by one", b"many", b"again", b""]
    assert [bytes(before.data(sym)) for sym in ids.tolist()] == [b"one by one"] * 3 + [b""]
    assert after.made_contents()[ids].tolist() == [True, True, True, False]
    assert after.data_size[ids].tolist() == after.size[ids].tolist() == [10, 4, 5, 0]
    assert (int(ids[1]) in after.contents) != room


KEYS = st.lists(st.tuples(st.sampled_from((b"a", b"b", b"c")), st.integers(0, 1)), max_size=8)


@given(KEYS, KEYS, KEYS)
def test_many_names(
    before: list[tuple[bytes, int]],
    while_edited: list[tuple[bytes, int]],
    keys: list[tuple[bytes, int]],
) -> None:
    """As one by one: symbols that are there, those that this edit made, and new ones."""
    base = no_symbols().edit()
    for key in before:
        base.lookup_or_create(*key)
    table = base.freeze()
    edit, slow = table.edit(), table.edit()
    for key in while_edited:
        assert edit.lookup_or_create(*key) == slow.lookup_or_create(*key)
    ids = edit.lookup_or_create_many(keys)
    assert ids.tolist() == [slow.lookup_or_create(*key) for key in keys]
    assert edit.lookup_or_create(b"d") == slow.lookup_or_create(b"d")
    found, want = edit.freeze(), slow.freeze()
    assert [found.name_bytes(sym) for sym in ids.tolist()] == [name for name, _ in keys]
    for name in COLUMNS:
        assert getattr(found, name).tolist() == getattr(want, name).tolist(), name
    assert (found.created, found.created_names) == (want.created, want.created_names)


def test_many_of_one_name() -> None:
    """They have it, and nobody finds them by it."""
    edit = no_symbols().edit()
    edit.create("a")
    ids = edit.create_many(3, "b", kind=SymKind.STEXT)
    found = edit.freeze()
    assert [found.name(sym) for sym in ids.tolist()] == ["b"] * 3
    assert found.names(ids) == [b"b"] * 3
    assert found.lookup("b") == 0
    assert found.kind[ids].tolist() == [SymKind.STEXT] * 3


def test_names_without_their_beginning() -> None:
    """Of symbols that the linker made, too; one that is shorter has none left."""
    edit = no_symbols().edit()
    ids = [edit.create(name) for name in ("type:a", "type:", "ty")]
    assert edit.freeze().names(np.array(ids), 5) == [b"a", b"", b""]


def test_a_table_is_as_long_as_it_says() -> None:
    """Whatever room an edit made; and what comes later does not change it."""
    edit = no_symbols().edit()
    first = edit.lookup_or_create("a")
    edit.set(first, kind=SymKind.SDATA)
    before = edit.freeze()
    later = before.edit()
    later.create_many(1000)
    later.set(first, kind=SymKind.STEXT)
    after = later.freeze()
    assert (len(before), len(after)) == (2, 1002)
    assert before.kind.tolist() == [0, SymKind.SDATA]
    assert after.kind[first] == SymKind.STEXT
    assert not before.kind.flags.writeable


@pytest.mark.parametrize("looked_at", [False, True])
def test_columns_of_a_table_are_its_own(looked_at: bool) -> None:
    """Whether or not somebody still looks at the edit's column: no room behind it that can be
    written to, no view that can."""
    edit = no_symbols().edit()
    sym = edit.create("a")
    seen = edit.value if looked_at else None
    table = edit.freeze()
    for name in COLUMNS:
        column = getattr(table, name)
        assert read_only(column), name
        with pytest.raises(ValueError, match="WRITEABLE"):
            column.setflags(write=True)
    if seen is not None:
        with pytest.raises(ValueError, match="read-only"):
            seen[sym] = 1
        with pytest.raises(ValueError, match="WRITEABLE"):
            seen.setflags(write=True)


def test_a_column_that_is_changed_and_grows_is_copied_once(monkeypatch: pytest.MonkeyPatch) -> None:
    copied = []
    make = Memory.make

    def noting(dtype: Any, old: Any, rows: int, default: int = 0) -> Memory:
        copied.append(np.dtype(dtype))
        return make(dtype, old, rows, default)

    edit = no_symbols().edit()
    edit.create_many(2000)
    base = edit.freeze()
    monkeypatch.setattr(Memory, "make", noting)
    edit = base.edit()
    edit.set(1, align=8)
    edit.set(edit.create_many(3), align=4)
    edit.create_many(30, align=2)
    table = edit.freeze()
    assert copied == [np.int32]
    assert table.align[[1, 2000, 2001, 2003, 2033]].tolist() == [8, 0, 4, 4, 2]
    assert not base.align.any()


def test_a_table_that_only_grew_shares_memory() -> None:
    """Of the first that adds rows; another that does, and a row that is changed, have their own."""
    edit = no_symbols().edit()
    edit.create_many(2000)
    base = edit.freeze()
    tables = []
    for _ in range(2):
        edit = base.edit()
        edit.set(edit.create_many(3), size=7)
        tables.append(edit.freeze())
    first, second = tables
    assert np.shares_memory(first.size, base.size)
    assert not np.shares_memory(second.size, base.size)
    edit = first.edit()
    edit.set(1, size=5)
    changed = edit.freeze()
    assert not np.shares_memory(changed.size, base.size)
    assert np.shares_memory(changed.kind, base.kind)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),  # of the tables so far, which one is changed
            st.lists(
                st.tuples(st.integers(0, 40), st.integers(0, 9), st.integers(0, 99)), max_size=3
            ),
        ),
        max_size=12,
    )
)
def test_tables_of_one_line_do_not_see_each_other(
    steps: list[tuple[int, list[tuple[int, int, int]]]],
) -> None:
    """Whoever is changed, in whatever order: each table says what one alone would say."""
    tables, want = [no_symbols()], [[0]]
    for which, changes in steps:
        row = which % len(tables)
        edit, sizes = tables[row].edit(), list(want[row])
        for grow, at, size in changes:
            edit.create_many(grow)
            sizes += [0] * grow
            sym = len(sizes) - 1 - at % len(sizes)
            edit.set(sym, size=size)
            sizes[sym] = size
            if len(sizes) > 2 and size % 4 == 0:
                edit.set(np.array([-1, 1]), size=size)
                sizes[-1] = sizes[1] = size
        tables.append(edit.freeze())
        want.append(sizes)
    for table, sizes in zip(tables, want, strict=True):
        assert table.size.tolist() == sizes
        assert table.name_at.tolist() == [-1] * len(sizes)


ROWS = 300


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),  # of the tables that somebody has, which one is changed
            st.integers(0, 3),  # and which is forgotten then, if there is one
            st.integers(0, 40),  # symbols that are added
            st.lists(st.tuples(st.integers(-3, ROWS), st.integers(0, 3)), max_size=3),
            st.booleans(),  # whether all rows of a column are written to, too
        ),
        max_size=12,
    )
)
def test_memory_of_a_table_that_is_forgotten_is_used_again(
    steps: list[tuple[int, int, int, list[tuple[int, int]], bool]],
) -> None:
    """What comes of it is the same, and those that are left say what they said."""
    edit = no_symbols().edit()
    edit.create_many(ROWS)
    kept, want = [edit.freeze()], [[0] * (ROWS + 1)]
    for which, forgotten, grow, changes, every in steps:
        row = which % len(kept)
        edit, sizes = kept[row].edit(), list(want[row])
        for sym, size in changes:
            edit.set(np.array([sym]), size=size)
            sizes[sym] = size
        added = edit.create_many(grow)
        if grow % 2:
            edit.set(added, size=5)
        sizes += [5 * (grow % 2)] * grow
        if every:
            edit.set(np.ones(len(edit), np.bool_), size=7)
            sizes = [7] * len(sizes)
        kept.append(edit.freeze())
        want.append(sizes)
        if forgotten < len(kept) - 1:
            del kept[forgotten], want[forgotten]
        for table, said in zip(kept, want, strict=True):
            assert table.size.tolist() == said
            assert read_only(table.size)


def test_a_column_is_not_copied_again_for_each_change(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two memories take turns, as long as nobody has the table before the last."""
    edit = no_symbols().edit()
    edit.create_many(ROWS)
    table = edit.freeze()
    copied, make = [], Memory.make

    def noting(dtype: Any, old: Any, rows: int, default: int = 0) -> Memory:
        copied.append(rows)
        return make(dtype, old, rows, default)

    monkeypatch.setattr(Memory, "make", noting)
    for turn in range(1, 9):
        edit = table.edit()
        edit.set(turn, size=turn)
        table = edit.freeze()
    assert len(copied) == 1
    held = table
    for turn in range(9, 17):
        edit = table.edit()
        edit.set(turn, size=turn)
        table = edit.freeze()
    assert len(copied) == 2
    assert (held.size[8], held.size[9], table.size[1:17].tolist()) == (8, 0, [*range(1, 17)])


def test_a_column_is_not_copied_for_what_it_says() -> None:
    edit = no_symbols().edit()
    edit.create_many(3, size=4)
    base = edit.freeze()
    edit = base.edit()
    edit.set(1, size=4)
    edit.set(np.array([1, 2]), size=np.array([4, 4]))
    edit.set(np.zeros(0, np.int64), size=9)
    assert np.shares_memory(edit.freeze().size, base.size)
    edit = base.edit()
    edit.set(np.array([1, 2]), size=np.array([4, 3]))
    assert edit.freeze().size.tolist() == [0, 4, 3, 4]


@pytest.mark.parametrize(
    "use",
    [
        lambda edit: edit.set(1, size=1),
        lambda edit: edit.add_flags(1, 1),
        lambda edit: edit.set_content(1, b"x"),
        lambda edit: edit.set_extname(1, b"x"),
        lambda edit: edit.set_package(1, "p"),
        lambda edit: edit.create("b"),
        lambda edit: edit.create_many(2),
        lambda edit: edit.lookup_or_create("b"),
        lambda edit: edit.lookup("a"),
        lambda edit: edit.size,
        lambda edit: edit.freeze(),
        len,
    ],
)
def test_a_frozen_edit_is_closed(use: Callable[[Any], Any]) -> None:
    """What it held belongs to the table now."""
    edit = no_symbols().edit()
    edit.set_content(edit.create("a"), b"content")
    table = edit.freeze()
    with pytest.raises(RuntimeError, match="SymbolsEdit: this edit is closed.*table.edit()"):
        use(edit)
    assert (len(table), bytes(table.data(1))) == (2, b"content")


@pytest.mark.parametrize(
    "use",
    [
        lambda edit: edit.set(0, type=1),
        lambda edit: edit.add(0, offset=0, size=1, type=1, target=1),
        lambda edit: edit.clear(0),
        lambda edit: edit.freeze(),
    ],
)
def test_so_is_one_of_relocations(use: Callable[[Any], Any]) -> None:
    edit = no_relocs().edit()
    edit.add(0, offset=0, size=4, type=1, target=1)
    edit.freeze()
    with pytest.raises(RuntimeError, match="RelocsEdit: this edit is closed"):
        use(edit)


def test_an_edit_has_no_attributes_that_it_has_not() -> None:
    with pytest.raises(AttributeError, match="'SymbolsEdit' object has no attribute 'colour'"):
        no_symbols().edit().colour  # noqa: B018 - the access is what is tested


def test_the_linkers_own_symbols_are_not_those_of_c_objects() -> None:
    """Made where there is none; Go may declare it; a part of a section of C's is refused."""
    edit = no_symbols().edit()
    made, section = edit.own("runtime.text"), edit.create("p(.text)")
    assert edit.own("runtime.text") == edit.lookup("runtime.text") == made
    edit.add_flags(made, Flag.OF_C)
    edit.set(made, container=section)
    with pytest.raises(InputError) as error:
        edit.own("runtime.text")
    said = error.value.render()
    assert "runtime.text: a C object defines it, and the linker makes it itself" in said
    assert "a part of p(.text)" in said
    edit.set(made, container=0)
    with pytest.raises(InputError, match="the linker makes it itself") as error:
        edit.own("runtime.text")
    assert "a common symbol" in error.value.render()
