"""LEB128: as the standard writes it, and by the array as one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.formats.leb128 import (
    put_leb,
    sleb,
    uleb,
    uleb_sizes,
    ulebs_at,
    zigzag,
)

UNSIGNED = st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 300), max_size=30)


@pytest.mark.parametrize(
    ("value", "text"),
    [(2, "02"), (127, "7f"), (128, "80 01"), (129, "81 01"), (12857, "b9 64")],
)
def test_unsigned_numbers_of_the_standard(value: int, text: str) -> None:
    """Figure C.1 of DWARF 5."""
    assert uleb(value).hex(" ") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2, "02"),
        (-2, "7e"),
        (127, "ff 00"),
        (-127, "81 7f"),
        (128, "80 01"),
        (-128, "80 7f"),
        (129, "81 01"),
        (-129, "ff 7e"),
    ],
)
def test_signed_numbers_of_the_standard(value: int, text: str) -> None:
    """Figure C.2 of DWARF 5."""
    assert sleb(value).hex(" ") == text


@given(UNSIGNED)
def test_unsigned_numbers_by_the_array(values: list[int]) -> None:
    """All at once as one by one, above 2**63 too."""
    array = np.array(values, np.uint64)
    sizes = uleb_sizes(array)
    assert sizes.tolist() == [len(uleb(value)) for value in values]
    assert written(array, sizes) == b"".join(map(uleb, values))


@given(st.lists(st.tuples(st.integers(0, 2**21 - 1), st.integers(3, 6)), max_size=20))
def test_numbers_filled_up(rows: list[tuple[int, int]]) -> None:
    """A number may take more bytes than it needs, and means the same."""
    values, sizes = (
        (np.array(column, np.int64) for column in zip(*rows, strict=True))
        if rows
        else (
            np.zeros(0, np.int64),
            np.zeros(0, np.int64),
        )
    )
    out, at = written(values, sizes), 0
    for value, size in rows:
        piece = out[at : at + size]
        assert all(byte & 0x80 for byte in piece[:-1])
        assert not piece[-1] & 0x80
        assert sum((byte & 0x7F) << 7 * i for i, byte in enumerate(piece)) == value
        at += size


def written(values: np.ndarray, sizes: np.ndarray) -> bytes:
    ends = np.cumsum(sizes)
    out = np.full(int(ends[-1]) if len(ends) else 0, 0xEE, np.uint8)
    put_leb(out, ends - sizes, values, sizes)
    return out.tobytes()


def read_uleb(data: bytes, at: int = 0) -> tuple[int, int]:
    """The unsigned number at a place, and where it ends; IndexError for one that is cut off."""
    value = shift = 0
    while data[at] >= 0x80:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
    return value | data[at] << shift, at + 1


@given(UNSIGNED)
def test_zigzag(values: list[int]) -> None:
    found = zigzag(np.array(values, np.uint64))
    assert found.tolist() == [(v >> 1) ^ -(v & 1) for v in values]


@given(
    st.lists(
        st.binary(max_size=4) | st.integers(0, 2**36).map(uleb),
        max_size=20,
    ),
    st.data(),
)
def test_numbers_are_read_where_they_stand(pieces: list[bytes], draw: st.DataObject) -> None:
    """Each within its limit, whatever stands behind that."""
    size = np.array([len(piece) for piece in pieces], np.int64)
    at = np.cumsum(size) - size
    limit = at + size
    cut = draw.draw(st.none() | st.sampled_from(range(len(pieces)))) if pieces else None
    if cut is not None:
        limit[cut] = 0
    data = b"".join(pieces)
    values, ends = ulebs_at(np.frombuffer(data, np.uint8), at, limit)
    for i, (a, b) in enumerate(zip(at.tolist(), limit.tolist(), strict=True)):
        value = 0
        try:
            value, end = read_uleb(data[:b], a)
        except IndexError:
            end = b + 1
        if end - a > 5:
            end = b + 1
        assert ends[i] == end
        assert end == b + 1 or values[i] == value
