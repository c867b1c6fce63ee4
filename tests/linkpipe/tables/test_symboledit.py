"""A symbol table being changed: many contents at once, and room that is not seen."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.symkind import SymKind
from tests.tiny import no_symbols


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
    for name in ("size", "data_at", "data_size"):
        assert getattr(found, name).tolist() == getattr(want, name).tolist()


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
