"""pc-value tables: the vectorised decoder equals the obvious one, and refuses damage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.errors import BadRow
from linkpipe.formats.leb128 import uleb
from linkpipe.formats.pcvalue import PcValues, decode
from tests.linkpipe.formats.test_leb128 import read_uleb


def encode(ranges: list[tuple[int, int]], *, terminated: bool) -> bytes:
    """A table of (value, units) ranges."""
    out, last = b"", -1
    for value, units in ranges:
        delta = value - last
        out += uleb(delta << 1 if delta >= 0 else (-delta << 1) - 1) + uleb(units)
        last = value
    return out + b"\0" if terminated else out


def decode_slowly(table: bytes, quantum: int) -> list[tuple[int, int, int]]:
    """PCIter of cmd/internal/obj/pcln.go: (start, end, value) of each range."""
    out: list[tuple[int, int, int]] = []
    at, pc, value = 0, 0, -1
    while at < len(table):
        delta, at = read_uleb(table, at)
        if delta == 0 and out:
            break
        value += (delta >> 1) ^ -(delta & 1)
        units, at = read_uleb(table, at)
        out.append((pc, pc + units * quantum, value))
        pc += units * quantum
    return out


def decode_all(tables: list[bytes], quantum: int = 1) -> PcValues:
    """Decode tables that lie with gaps between them."""
    size = np.array([len(t) for t in tables], np.int64)
    at = 3 + np.cumsum(size + 3) - size - 3
    data = np.frombuffer(b"\xff\xff\xff" + b"\xff\xff\xff".join((*tables, b"")), np.uint8)
    return decode(data, at, size, quantum)


def by_table(values: PcValues) -> list[list[tuple[int, int, int]]]:
    rows = list(zip(values.start.tolist(), values.end.tolist(), values.value.tolist(), strict=True))
    ends = np.cumsum(values.counts).tolist()
    return [rows[e - n : e] for e, n in zip(ends, values.counts.tolist(), strict=True)]


ranges = st.lists(
    st.tuples(st.integers(-(2**31), 2**31 - 1) | st.integers(-3, 300), st.integers(0, 2**20)),
    max_size=8,
)
tables = st.builds(lambda r, t: encode(r, terminated=t and bool(r)), ranges, st.booleans())


@given(st.lists(tables, max_size=6), st.sampled_from([1, 2, 4]))
def test_decode_equals_the_slow_iterator(some: list[bytes], quantum: int) -> None:
    assert by_table(decode_all(some, quantum)) == [decode_slowly(t, quantum) for t in some]


def test_a_change_of_zero_ends_the_table_except_in_the_first_pair() -> None:
    """The first pair may say that the value -1 holds; what follows an end is not read."""
    table = uleb(0) + uleb(5) + uleb(0) + b"\x07\x07\x07"
    assert by_table(decode_all([table, b""])) == [[(0, 5, -1)], []]


@pytest.mark.parametrize("table", [b"\x02", b"\x02\x01\x04", b"\x80", b"\x02\x85"])
def test_a_table_cut_short_is_refused(table: bytes) -> None:
    with pytest.raises(BadRow, match="bad pc-value table") as caught:
        decode_all([b"\x02\x01\0", b"", table, b"\x02\x01\0"])
    assert caught.value.row == 2


def test_an_endless_number_is_refused() -> None:
    with pytest.raises(BadRow, match="number of 12 bytes") as caught:
        decode_all([b"\x02\x01", b"", b"\x80" * 11 + b"\x01\x01", b"\x02\x01"])
    assert caught.value.row == 2
