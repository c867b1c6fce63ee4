"""The records of functions as columns."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np
import pytest

from linkpipe.engine.context import Link
from linkpipe.functab.records import read_function_records, with_function_records


def test_records_are_what_the_tables_say(linked: Callable[..., Link]) -> None:
    """Names lead to names; what was read gives the same table, and what was changed another;
    other numbers of tables are refused."""
    link = linked(until="pclntab")
    tables, endian = link.pclntab.functab_data, link.arch.endian
    records = read_function_records(tables, endian)
    assert len(records.name) == link.pclntab.nfunc
    names = bytes(link.symbols.data(link.pclntab.funcnametab))
    for row in (1, 100, -1):
        at = int(records.name[row])
        name = names[at : names.index(b"\0", at)].decode()
        assert name == link.symbols.name(int(link.pclntab.functions[row]))
    again = with_function_records(tables, records, endian)
    assert np.array_equal(again.words, tables.words)
    changed = attrs.evolve(records, pcline=np.zeros_like(records.pcline))
    table = with_function_records(tables, changed, endian)
    found = read_function_records(table, endian)
    assert not found.pcline.any()
    assert np.array_equal(found.pcsp, records.pcsp)
    other = attrs.evolve(records, npcdata=records.npcdata + 1)
    with pytest.raises(ValueError, match="other numbers of tables"):
        with_function_records(tables, other, endian)
