"""Names of many symbols at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.goobj_writer import Obj, Sym
from tests.objlink import resolved

NAMES = ("p.a", "p.abc", "type:int", "type:*p.a_rather_long_name", "go:string.x·f", "p.a·f", "")
MADE = ("type:", "type:made_by_the_linker", "x·f", "", "·f")
TEXTS = ("", "t", "type:", "type:*p.a_rather", "·f", "p.a", "p.abcd", "_long_name")


@pytest.mark.parametrize("text", TEXTS)
def test_how_names_begin_and_end(tmp_path: Path, text: str) -> None:
    """As one by one: of what objects define, of what the linker made, and of what has no name."""
    link = resolved(tmp_path, [Obj("p", defs=tuple(Sym(name=name) for name in NAMES))])
    edit = link.symbols.edit()
    for name in MADE:
        edit.create(name)
    edit.create_many(3)
    symbols = edit.freeze()
    ids = np.arange(len(symbols))
    names = [symbols.name_bytes(sym) for sym in ids.tolist()]
    assert {name.encode() for name in (*NAMES, *MADE)} <= set(names)
    sought = text.encode()
    assert symbols.starts_with(ids, sought).tolist() == [n.startswith(sought) for n in names]
    assert symbols.ends_with(ids, sought).tolist() == [n.endswith(sought) for n in names]
    both = (sought, b"pe:*p")
    assert symbols.starts_with(ids, *both).tolist() == [n.startswith(both) for n in names]
    assert symbols.ends_with(ids, *both).tolist() == [n.endswith(both) for n in names]
    assert not symbols.starts_with(ids).any()
    for byte in sought:
        assert symbols.contains(ids, byte).tolist() == [byte in n for n in names]
