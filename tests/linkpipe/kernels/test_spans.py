"""kernels/spans.py, compiled and not, beside the loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.formats.leb128 import uleb
from tests.kernels import forms

SOURCE = np.arange(256, dtype=np.uint8)


@forms("spans")
@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 120)), max_size=20),
    st.randoms(use_true_random=False),
)
def test_copy_spans_is_the_loop(spans: Any, pieces: list[tuple[int, int]], random: Any) -> None:
    """Pieces of a few bytes and of many, in any order; what is between them stays as it was."""
    sizes = np.array([n for n, _ in pieces], np.int64)
    source_at = np.array([a for _, a in pieces], np.int64)
    to_at = np.cumsum(sizes + 1) - sizes
    order = list(range(len(pieces)))
    random.shuffle(order)
    want, got = np.full((2, 3000), 7, np.uint8)
    for a, b, n in zip(to_at, source_at, sizes, strict=True):
        want[a : a + n] = SOURCE[b : b + n]
    spans.copy_spans(got, to_at[order], SOURCE, source_at[order], sizes[order])
    assert (got == want).all()


@forms("spans")
@pytest.mark.parametrize(
    ("to_at", "source_at", "size"),
    [(-1, 0, 2), (7, 0, 2), (0, -1, 2), (0, 255, 2), (0, 0, -1), (0, 0, 9), (2**62, 0, 2**62)],
)
def test_a_piece_outside_of_its_bytes_is_an_error(
    spans: Any, to_at: int, source_at: int, size: int
) -> None:
    """A lying table cannot make it read or write anywhere else; an empty piece lies anywhere."""
    image, one = np.zeros(8, np.uint8), np.array([4], np.int64)
    to, source = np.array([1, to_at]), np.array([1, source_at])
    with pytest.raises(IndexError, match="piece 1 "):
        spans.copy_spans(image, to, SOURCE, source, np.array([1, size]))
    spans.copy_spans(image, to, SOURCE, source, np.array([1, 0]))
    assert image.tolist() == [0, 1, 0, 0, 0, 0, 0, 0]
    with pytest.raises(ValueError, match="differ in length"):
        spans.copy_spans(image, one, SOURCE, one, np.zeros(2, np.int64))


rows = st.lists(st.tuples(st.integers(-(2**63), 2**63 - 9), st.integers(0, 8)), max_size=30)


@forms("spans")
@given(rows)
def test_expand_lists_the_members_of_ranges(spans: Any, rows: list[tuple[int, int]]) -> None:
    starts, counts = (np.array([row[i] for row in rows], np.int64) for i in (0, 1))
    slow = [x for s, n in rows for x in range(s, s + n)]
    assert spans.expand(starts, counts).tolist() == slow


@forms("spans")
def test_ranges_that_there_cannot_be(spans: Any) -> None:
    one, two = np.zeros(1, np.int64), np.zeros(2, np.int64)
    with pytest.raises(ValueError, match="differ in length"):
        spans.expand(one, two)
    with pytest.raises(ValueError, match="negative"):
        spans.expand(two, np.array([1, -1]))
    for counts in ([2**60, 0], [2**59, 2**59], [1, 2**63 - 1]):
        with pytest.raises(MemoryError):
            spans.expand(two, np.array(counts))


@forms("spans")
@given(st.lists(st.integers(0, 20), max_size=40))
def test_first_seen_marks_keys_that_were_not_there_before(spans: Any, keys: list[int]) -> None:
    new = spans.first_seen(np.array(keys, np.int64), 21)
    assert new.tolist() == [key not in keys[:i] for i, key in enumerate(keys)]


@forms("spans")
@pytest.mark.parametrize("key", [-1, 21, 2**63 - 1])
def test_a_key_that_is_no_number_below_the_limit_is_an_error(spans: Any, key: int) -> None:
    with pytest.raises(IndexError, match="key 1 is not below 21"):
        spans.first_seen(np.array([3, key]), 21)


@forms("spans")
@given(st.lists(st.integers(0, 4), max_size=40), st.lists(st.booleans(), min_size=5, max_size=5))
def test_rows_of_wanted_keys_are_found(spans: Any, keys: list[int], wanted: list[bool]) -> None:
    found = spans.where(np.array(keys, np.int32), np.array(wanted, np.uint8))
    assert found.tolist() == [i for i, key in enumerate(keys) if wanted[key]]


@forms("spans")
@pytest.mark.parametrize("key", [-1, 3, 2**31 - 1])
def test_a_wanted_key_is_one_that_there_is(spans: Any, key: int) -> None:
    with pytest.raises(IndexError, match="key 1 is not below 3"):
        spans.where(np.array([0, key, 1], np.int32), np.ones(3, np.uint8))


things = st.tuples(st.integers(0, 40) | st.just(2**31), st.sampled_from([1, 2, 3, 8, 2**26]))


@forms("spans")
@given(st.integers(0, 99) | st.just(2**33), st.lists(things, max_size=20))
def test_things_are_laid_out_one_by_one(
    spans: Any, start: int, things: list[tuple[int, int]]
) -> None:
    at, slow = start, []
    for size, align in things:
        at += -at % align
        slow.append(at)
        at += size
    sizes = np.array([size for size, _ in things], np.int64)
    places, end = spans.place(start, sizes, np.array([align for _, align in things], np.int32))
    assert (places.tolist(), end) == (slow, at)


@forms("spans")
def test_what_cannot_be_laid_out_is_an_error(spans: Any) -> None:
    for start, size, align in ((0, -1, 1), (0, 1, 0), (0, 1, -8), (-1, 1, 1), (0, 2**63 - 1, 1)):
        with pytest.raises(ValueError, match="thing 0 cannot"):
            spans.place(start, np.array([size]), np.array([align], np.int32))
    with pytest.raises(ValueError, match="thing 1 cannot"):
        spans.place(2**60, np.array([2**60, 1]), np.array([1, 1], np.int32))
    with pytest.raises(ValueError, match="differ in length"):
        spans.place(0, np.array([1]), np.array([1, 1], np.int32))


ranges = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 4)), max_size=9)


@forms("spans")
@given(ranges, st.lists(st.integers(0, 3) | st.just(65535), min_size=10, max_size=10))
def test_rows_of_some_kinds_are_chosen(
    spans: Any, ranges: list[tuple[int, int]], kinds: list[int]
) -> None:
    first, count = (np.array([row[i] for row in ranges], np.int64) for i in (0, 1))
    wanted = np.zeros(65536, np.uint8)
    wanted[[0, 2, 65535]] = 1
    rows, owners = spans.chosen(first, count, np.array(kinds, np.uint16), wanted)
    assert list(zip(rows.tolist(), owners.tolist(), strict=True)) == [
        (r, i)
        for i, (start, n) in enumerate(ranges)
        for r in range(start, start + n)
        if kinds[r] in (0, 2, 65535)
    ]


@forms("spans")
def test_rows_that_there_are_not(spans: Any) -> None:
    kinds, wanted = np.zeros(3, np.uint16), np.ones(65536, np.uint8)
    for first, count in ((-1, 1), (3, 1), (0, 4), (0, -1), (2**62, 2**62), (0, -(2**63))):
        with pytest.raises(IndexError, match="range 1 has rows"):
            spans.chosen(np.array([9, first]), np.array([0, count]), kinds, wanted)
    one = np.zeros(1, np.int64)
    for given_ in ((one, one, kinds, wanted[1:]), (one, one[1:], kinds, wanted)):
        with pytest.raises(ValueError, match="differ in length"):
            spans.chosen(*given_)


@forms("spans")
@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 300), max_size=20))
def test_unsigned_numbers_are_written(spans: Any, numbers: list[int]) -> None:
    values = np.array(numbers, np.uint64)
    sizes = spans.uleb_sizes(values)
    assert sizes.tolist() == [len(uleb(number)) for number in numbers]
    ends = np.cumsum(sizes)
    out = np.zeros(int(sizes.sum()), np.uint8)
    spans.put_ulebs(out, ends - sizes, values, sizes)
    assert out.tobytes() == b"".join(map(uleb, numbers))


@forms("spans")
@pytest.mark.parametrize(("at", "size"), [(-1, 1), (3, 1), (0, 4), (0, -1), (2**62, 2**62)])
def test_a_number_outside_of_its_bytes_is_an_error(spans: Any, at: int, size: int) -> None:
    out, two = np.zeros(3, np.uint8), np.zeros(2, np.uint64)
    with pytest.raises(IndexError, match="number 1 lies outside"):
        spans.put_ulebs(out, np.array([0, at]), two, np.array([2, size]))
    assert out.tolist() == [0x80, 0, 0]
    with pytest.raises(ValueError, match="differ in length"):
        spans.put_ulebs(out, np.array([0]), two, np.array([2, size]))


LINKED, FORMS, BASES = 0x40, [1, 3, 5, 9, 11, 17, 25, 0, 16, 33, 33], [0x1000, 0x7000]
INDEX = [-1, 0, 127, 128, 2**28 - 1]
VALUES = [0, 1, 0x1FFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**32, -1, -(2**31), 2**63 - 1]

targets = st.lists(
    st.tuples(
        st.sampled_from(VALUES),
        st.sampled_from([LINKED, LINKED | 1, 1]),
        st.sampled_from([-1, 0, 1, 2]),
        st.sampled_from([0, 0, 0, 9]),
    ),
    min_size=1,
    max_size=6,
)
relocations = st.tuples(
    st.sampled_from([-1, 0, 3, 8, 12, 2**31 - 1]),
    st.sampled_from([0, 1, 2, 3, 4, 4, 8, 8]),
    st.integers(0, len(FORMS)),
    st.sampled_from(VALUES),
    st.integers(-1, 6),
)
owners = st.lists(st.tuples(st.integers(0, 3), st.sampled_from([-1, 16, 10])), max_size=4)


def signed(x: int, bits: int = 64) -> int:
    return (x + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)


def patched(
    image: bytearray, big: bool, many: list[Any], symbols: list[Any], rows: list[Any]
) -> list[tuple[int, int]]:
    """Apply the plain ones of the relocations; the others, with their symbols."""
    left = []
    for i, (first, count, at, address, room) in enumerate(many):
        for j in range(first, first + count):
            offset, width, type_, add, t = rows[j]
            form = [*FORMS, 0][type_]
            if not width:
                continue
            widths = (1, 2, 3, 4) if form & 32 else (4, 8)
            fits = form & 1 and width in widths and 0 <= offset <= room - width
            if not fits or not 0 < t < len(symbols):
                left.append((j, i))
                continue
            value, flags, section, kind = symbols[t]
            if form & 32:
                number = INDEX[t] if t < len(INDEX) else -1
                fits &= 0 <= number < 2 ** (7 * width)
                if fits and flags & LINKED and kind != 9:
                    for k in range(width):
                        more = 0x80 * (k + 1 < width)
                        image[at + offset + k] = (number >> 7 * k) & 0x7F | more
                    continue
                fits = False
            value += add - (address + offset + width if form & 2 else 0)
            if form & 4:
                value -= BASES[section] if 0 <= section < len(BASES) else 0
                fits = 0 <= section < len(BASES)
            value = signed(value)
            if width == 4:
                fits &= -(2**31) <= value < 2 ** (31 if form & 8 else 32)
                fits &= not (form & 16 and value & 2**31)
            if fits and flags & LINKED and kind != 9:
                word = (value % 2 ** (8 * width)).to_bytes(width, "big" if big else "little")
                image[at + offset : at + offset + width] = word
            else:
                left.append((j, i))
    return left


def given_to_patch(
    image: npt.NDArray[np.uint8], big: bool, many: list[Any], symbols: list[Any], rows: list[Any]
) -> tuple[Any, ...]:
    """What the kernel is given."""
    of = np.array(many, np.int64).reshape(-1, 5).T
    reloc = [
        np.array([row[i] for row in rows], dtype)
        for i, dtype in enumerate((np.int32, np.uint8, np.uint16, np.int64, np.int32))
    ]
    symbol = [
        np.array([row[i] for row in symbols], dtype)
        for i, dtype in enumerate((np.int64, np.uint32, np.int16, np.uint8))
    ]
    odd, table = np.zeros(256, np.uint8), np.zeros(1 << 16, np.uint8)
    odd[9], table[: len(FORMS)] = 1, FORMS
    left = np.zeros((2, len(rows)), np.int64)
    columns = [np.ascontiguousarray(column) for column in of]
    index = np.array(INDEX, np.int32)
    return image, big, *columns, *reloc, *symbol, index, LINKED, odd, table, np.array(BASES), *left


@forms("spans")
@given(owners, targets, st.data(), st.booleans())
def test_plain_relocations_are_applied(
    spans: Any, owned: list[tuple[int, int]], symbols: list[Any], data: st.DataObject, big: bool
) -> None:
    """As one by one, whatever they say: in each width, each form, and at the limits of each."""
    many, first = [], 0
    for number, (count, room) in enumerate(owned):
        many.append((first, count, 20 * number, 0x1000 + 20 * number, room))
        first += count
    rows = data.draw(st.lists(relocations, min_size=first, max_size=first))
    want, got = bytearray(b"\7" * 100), np.full(100, 7, np.uint8)
    given = given_to_patch(got, big, many, symbols, rows)
    left = patched(want, big, many, symbols, rows)
    assert spans.patch(*given) == len(left)
    found = [column.tolist()[: len(left)] for column in given[-2:]]
    assert list(zip(*found, strict=True)) == left
    assert got.tobytes() == want


@forms("spans")
def test_what_cannot_be_patched_is_left_or_an_error(spans: Any) -> None:
    """Whoever calls it: nothing is written that is not there."""
    symbols, rows = [(0, 0, 0, 0), (5, LINKED, 0, 0)], [(0, 4, 0, 0, 1)]
    image = np.zeros(20, np.uint8)
    for at in (-1, 5, 2**62):
        given = given_to_patch(image, False, [(0, 1, at, 0, 16)], symbols, rows)
        assert spans.patch(*given) == 1
        assert not image.any()
    for first, count in ((-1, 1), (1, 1), (0, 2), (0, -1), (2**62, 2**62)):
        given = given_to_patch(image, False, [(first, count, 0, 0, 16)], symbols, rows)
        with pytest.raises(IndexError, match="symbol 0"):
            spans.patch(*given)
    given = given_to_patch(image, False, [(0, 1, 0, 0, 16)], symbols, rows)
    for short in (*range(2, 16), 18, 19):
        wrong = [arg[:-1] if i == short else arg for i, arg in enumerate(given)]
        with pytest.raises(ValueError, match="differ in length"):
            spans.patch(*wrong)
    assert spans.patch(*given) == 0
    assert image[:4].tolist() == [5, 0, 0, 0]
