"""Functions in another order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.layout.textorder import functions_first
from linkpipe.symkind import SymKind
from linkpipe.testing import Tiny

KINDS = (SymKind.STEXT, SymKind.STEXTFIPS)
TINY = Tiny()
FUNCTIONS = [TINY.symbol(f"f{n}", kind=KINDS[n % 3 == 0]) for n in range(9)]
SYMBOLS = TINY.symbols.freeze()


@given(st.permutations(FUNCTIONS), st.lists(st.integers(-3, len(SYMBOLS) + 2)))
def test_it_is_what_a_loop_does(order: list[int], wanted: list[int]) -> None:
    """What is first when sorted by kind stays so; then what is wanted, once each, then the others
    as they were."""
    first = min(order, key=lambda f: int(SYMBOLS.kind[f]))
    chosen = [f for f in dict.fromkeys(wanted) if f in order and f != first]
    expected = [first, *chosen, *(f for f in order if f not in chosen and f != first)]
    found = functions_first(SYMBOLS, np.array(order, np.int32), np.array(wanted, np.int64))
    assert found.tolist() == expected
    assert found.dtype == np.int32
    assert not found.flags.writeable


def test_no_functions() -> None:
    none = np.zeros(0, np.int32)
    assert functions_first(SYMBOLS, none, np.array([1])).tolist() == []
