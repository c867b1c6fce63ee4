"""kernels/functions.py, compiled and not, beside the slow, obvious version."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.formats import goobj
from tests.kernels import forms
from tests.linkpipe.formats.test_pcvalue import decode_slowly, encode

ONES = (
    goobj.AUX_FUNCINFO,
    goobj.AUX_PCSP,
    goobj.AUX_PCFILE,
    goobj.AUX_PCLINE,
    goobj.AUX_PCINLINE,
)
auxiliary = st.tuples(st.integers(0, 14) | st.sampled_from(ONES), st.integers(0, 3))


@forms("functions")
@given(st.lists(st.lists(auxiliary, max_size=8), max_size=6))
def test_tables_are_sorted_out(functions: Any, many: list[list[tuple[int, int]]]) -> None:
    """Of records the first counts, of tables the last; without a record nothing is listed."""
    kinds = np.array([kind for one in many for kind, _ in one], np.uint8)
    targets = np.array([target for one in many for _, target in one], np.int32)
    counts = np.array([len(one) for one in many], np.int64)
    ones, npcdata, nfuncdata, pcdata, funcdata = functions.tables(counts, kinds, targets)
    slow: list[list[int]] = [[] for _ in ONES]
    lists: dict[int, list[list[int]]] = {goobj.AUX_PCDATA: [], goobj.AUX_FUNCDATA: []}
    for one in many:
        found = dict(one)
        records = [target for kind, target in one if kind == goobj.AUX_FUNCINFO]
        found |= {goobj.AUX_FUNCINFO: records[0]} if records else {}
        for row, kind in zip(slow, ONES, strict=True):
            row.append(found.get(kind, 0))
        for kind, rows in lists.items():
            listed = [target for k, target in one if k == kind]
            rows.append(listed if found.get(goobj.AUX_FUNCINFO) else [])
    assert ones.tolist() == list(chain(*slow))
    for kind, number, content in (
        (goobj.AUX_PCDATA, npcdata, pcdata),
        (goobj.AUX_FUNCDATA, nfuncdata, funcdata),
    ):
        assert number.tolist() == [len(row) for row in lists[kind]]
        assert content.tolist() == list(chain(*lists[kind]))


@forms("functions")
@pytest.mark.parametrize("counts", [[3], [1, 2], [-1], [2**62], [-(2**63)]])
def test_auxiliary_symbols_that_there_are_not(functions: Any, counts: list[int]) -> None:
    two = np.zeros(2, np.uint8)
    with pytest.raises(IndexError, match="there are not"):
        functions.tables(np.array(counts, np.int64), two, two.astype(np.int32))
    with pytest.raises(ValueError, match="differ in length"):
        functions.tables(np.array([1], np.int64), two, np.zeros(1, np.int32))


SOME = 0x80000001


def given_to_burdened(ids: list[int], **changes: list[int]) -> tuple[Any, ...]:
    """Four symbols, of which the first is no object's and the third has a relocation; but for the
    ``changes``."""
    columns: dict[str, Any] = {
        "relocidx": np.array([0, 8], np.int64),
        "objects": np.array([0, 1, 1, 1], np.int32),
        "locals_": np.array([0, 0, 1, 2], np.int32),
        "flags": np.array([SOME, 2, 2, 2], np.uint32),
        "name_size": np.array([7, 0, 0, 0], np.int32),
    }
    for name, values in changes.items():
        columns[name] = np.array(values, columns[name].dtype)
    data = np.array([9, 9, 5, 5, 6, 6], "<u4").view(np.uint8)
    return data, *columns.values(), np.array(ids, np.int32), SOME


@forms("functions")
def test_burdened_symbols_are_found(functions: Any) -> None:
    assert functions.burdened(*given_to_burdened([])) == -1
    assert functions.burdened(*given_to_burdened([0, 1, 0, 3])) == -1
    assert functions.burdened(*given_to_burdened([1, 0, 2, 2])) == 2
    assert functions.burdened(*given_to_burdened([1, 3], flags=[0, 0, 0, 2**31])) == 1
    assert functions.burdened(*given_to_burdened([3, 1], name_size=[0, 0, 0, 1])) == 0


@forms("functions")
@pytest.mark.parametrize(
    ("ids", "changes"),
    [
        ([4], {}),
        ([-1], {}),
        ([1], {"objects": [0, 2, 1, 1]}),
        ([1], {"objects": [0, -1, 1, 1]}),
        ([1], {"locals_": [0, -1, 1, 2]}),
        ([1], {"locals_": [0, 3, 1, 2]}),
        ([1], {"locals_": [0, 2**31 - 1, 1, 2]}),
        ([1], {"relocidx": [0, -1]}),
        ([1], {"relocidx": [0, 2**63 - 1]}),
        ([1], {"relocidx": [0, 17]}),
    ],
)
def test_symbols_that_there_are_not(
    functions: Any, ids: list[int], changes: dict[str, list[int]]
) -> None:
    with pytest.raises(IndexError, match="symbol 0, or its object"):
        functions.burdened(*given_to_burdened(ids, **changes))


@forms("functions")
def test_columns_of_other_lengths_are_errors(functions: Any) -> None:
    for name in ("locals_", "flags", "name_size"):
        with pytest.raises(ValueError, match="differ in length"):
            functions.burdened(*given_to_burdened([1], **{name: [0]}))


changes = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([2**31, -(2**31) - 1, 2**32])
ranges = st.lists(st.tuples(changes, st.integers(0, 2**64 - 1) | st.integers(0, 300)), max_size=6)


def signed(number: int, bits: int) -> int:
    return (number + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


@forms("functions")
@given(st.lists(ranges, max_size=4), st.sampled_from([1, 2, 4]))
def test_pc_value_tables_are_decoded(
    functions: Any, many: list[list[tuple[int, int]]], quantum: int
) -> None:
    """Sums wrap where they are too large, as they did where they are written."""
    tables = [b""]
    for one in many:
        value, pairs = -1, []
        for change, units in one:
            value += change
            pairs.append((value, units))
        tables.append(encode(pairs, terminated=True) + b"\xff" if pairs else b"")
    size = np.array([len(table) for table in tables], np.int64)
    data = np.frombuffer(b"".join(tables), np.uint8)
    bad, _, counts, *columns = functions.pcvalues(data, np.cumsum(size) - size, size, quantum)
    assert bad == -1
    slow = [decode_slowly(table, quantum) for table in tables]
    assert counts.tolist() == [len(rows) for rows in slow]
    for column, place, bits in zip(columns, range(3), (64, 64, 32), strict=True):
        assert column.tolist() == [signed(row[place], bits) for rows in slow for row in rows]


@forms("functions")
@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        (b"\2", 2),
        (b"\2\1\4", 2),
        (b"\x80", 1),
        (b"\2\x80", 1),
        (b"\2\1\x80", 1),
        (b"\x80" * 10 + b"\1\1", 11),
        (b"\2" + b"\x80" * 10 + b"\1", 11),
        (b"\x80" * 20, 1),
    ],
)
def test_what_is_wrong_with_a_table(functions: Any, table: bytes, wrong: int) -> None:
    data = np.frombuffer(b"\2\1" + table + b"\1", np.uint8)
    at, size = np.array([0, 2, 0]), np.array([2, len(table), 2])
    assert functions.pcvalues(data, at, size, 1)[:2] == (1, wrong)


@forms("functions")
@pytest.mark.parametrize(("at", "size"), [(-1, 1), (2, 2), (0, -1), (3, 1), (2**62, 2**62)])
def test_a_table_outside_of_its_bytes_is_an_error(functions: Any, at: int, size: int) -> None:
    three = np.zeros(3, np.uint8)
    with pytest.raises(IndexError, match="table 1 lies outside"):
        functions.pcvalues(three, np.array([0, at]), np.array([3, size]), 1)
    for sizes, quantum in ((np.array([1]), 1), (np.array([1, 1]), 0)):
        with pytest.raises(ValueError, match="no quantum"):
            functions.pcvalues(three, np.zeros(2, np.int64), sizes, quantum)
