"""Where the functions of each unit lie, and that there may be none."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from linkpipe.debuginfo.sections import unit_ranges, with_debug_section
from linkpipe.tables.dwarf import DescribedText


@pytest.mark.parametrize(
    ("units", "ranges"),
    [
        ([], []),
        ([0], [(0, 0, 8)]),
        ([0, 0, 1], [(0, 0, 18), (1, 0, 8)]),
        ([0, 1, 0], [(0, 0, 8), (1, 0, 8), (0, 20, 28)]),
    ],
)
def test_each_stretch_of_functions_of_one_unit(
    units: list[int], ranges: list[tuple[int, int, int]]
) -> None:
    """Unit, start and end, from where the unit's first function starts. Functions of eight bytes
    start every ten."""
    n = len(units)
    ids = np.arange(n, dtype=np.int64)
    none = np.zeros(n, np.int64)
    text = DescribedText(ids, np.array(units, np.int64), none, none)
    symbols: Any = SimpleNamespace(value=100 + 10 * ids, data_size=np.full(n, 8))
    order = np.array(sorted(range(n), key=lambda i: units[i]), np.int64)
    first = np.searchsorted(np.array(sorted(units)), [0, 1])
    dwarf: Any = SimpleNamespace(functions=order, first=first)
    found = unit_ranges(dwarf, text, symbols)
    assert list(zip(*(column.tolist() for column in found), strict=True)) == ranges


def test_only_go_s_own_sections_go_among_its_debug_information() -> None:
    dwarf = cast("Any", SimpleNamespace(section={"abbrev": 1, "line": 2}))
    (section,) = with_debug_section((), dwarf, "line", np.array([7]))
    assert section.symbols.tolist() == [2, 7]
    with pytest.raises(ValueError, match=r"no section \.debug_acme, but abbrev, line: unl"):
        with_debug_section((), dwarf, "acme", np.array([7]))
