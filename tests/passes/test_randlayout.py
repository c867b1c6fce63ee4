"""randlayout: which functions are shuffled."""

from __future__ import annotations

import numpy as np
import pytest

from linkpipe.arrays.columns import frozen
from linkpipe.errors import InputError
from linkpipe.layout.gorand import shuffled
from linkpipe.passes.randlayout import randlayout
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag
from tests.tiny import Tiny


def test_functions_of_c_objects_stay_in_front() -> None:
    """Up to the first section that has no parts, which is taken for a function."""
    p = Tiny(randlayout=7)
    names = ("p(.text)", "f", "q(.text)", "main.a", "main.b", "main.c")
    order = [p.symbol(name, kind=SymKind.STEXT) for name in names]
    p.symbols.set(order[1], container=order[0])
    p.symbols.add_flags(order[1], Flag.INTERIOR)
    link = randlayout(p.link().evolve(text_order=frozen(np.array(order, np.int32))))
    rest = np.array(order[2:])[shuffled(4, 7)]
    assert link.text_order.tolist() == [*order[:2], *rest.tolist()]


@pytest.mark.parametrize(
    ("first", "said"),
    [
        ("p(.mytext)", "found: p(.mytext) before it, a section without symbols"),
        ("main.hot", "found: main.hot before it"),
    ],
)
def test_sections_are_not_torn_apart(first: str, said: str) -> None:
    """Behind one without a symbol the oracle shuffles functions of C, too; a pass may have put one
    of Go's before them."""
    p = Tiny(randlayout=7)
    order = [p.symbol(name, kind=SymKind.STEXT) for name in (first, "q(.text)", "f")]
    p.symbols.set(order[2], container=order[1])
    p.symbols.add_flags(order[2], Flag.INTERIOR)
    p.symbols.add_flags(order if "(" in first else order[1:], Flag.OF_C)
    with pytest.raises(InputError) as error:
        randlayout(p.link().evolve(text_order=frozen(np.array(order, np.int32))))
    rendered = error.value.render()
    assert "q(.text): -randlayout would tear this section of a C object apart" in rendered
    assert said in rendered
    assert rendered.count("without symbols") == ("(" in first)
