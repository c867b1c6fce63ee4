"""kernels/names.py, compiled and not, beside the slow, obvious version."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels import forms, uncompiled

Strings = list[tuple[bytes, int]]
KEY = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
keys = st.integers(0, 2**64 - 1)
# Few letters and sizes around a word's eight bytes: many are equal, or nearly so.
strings = st.lists(
    st.tuples(
        st.one_of(
            st.text("ab", max_size=3).map(str.encode),
            st.integers(0, 2**16 - 1).map(lambda bits: f"{bits:016b}ab"[bits % 5 :].encode()),
            st.binary(max_size=20),
        ),
        st.sampled_from([0, 0, 1, -1, 2**31 - 1, -(2**31)]),
    ),
    max_size=30,
)
slowly = settings(max_examples=60)


def columns(given: Strings, before: bytes = b"x") -> tuple[Any, Any, Any, Any]:
    """The strings as a kernel takes them, read-only as columns are."""
    data = np.frombuffer(before + b"".join(text for text, _ in given), np.uint8)
    size = np.array([len(text) for text, _ in given], np.int32)
    at = len(before) + np.cumsum(size, dtype=np.int64) - size
    tag = np.array([tag for _, tag in given], np.int32)
    for array in (data, at, size, tag):
        array.setflags(write=False)
    return data, at, size, tag


def grouped(names: Any, table: Any, *key: int, rows: Any = None, own: int = 0) -> Any:
    """For each string the first of these rows that is equal to it, -1 where none is said; and the
    slots."""
    rows = np.arange(len(table[1]), dtype=np.int32) if rows is None else rows
    hashed, first = np.empty(len(rows), np.uint64), np.full(len(table[1]), -1, np.int32)
    names.hashes(*table, rows, *key, hashed)
    return first, names.group(*table, rows, hashed, own, first)


@forms("names")
@slowly
@given(strings, keys, keys)
def test_equal_strings_have_one_first(names: Any, many: Strings, key0: int, key1: int) -> None:
    """Over several of the blocks in which they are read, too."""
    many = many * 3
    first, slots = grouped(names, columns(many), key0, key1)
    assert first.tolist() == [many.index(string) for string in many]
    assert sorted(set(slots.tolist()) - {-1}) == sorted(set(first.tolist()))


@forms("names")
@slowly
@given(strings, st.randoms(), st.integers(0, 9))
def test_rows_are_taken_in_their_order(names: Any, many: Strings, random: Any, own: int) -> None:
    """Those that are not among them, and the first ones, are told nothing."""
    rows = random.sample(range(len(many)), random.randint(0, len(many)))
    first, slots = grouped(
        names, columns(many), *KEY, rows=np.array(rows, np.int32), own=min(own, len(rows))
    )
    told = {row: next(r for r in rows if many[r] == many[row]) for row in rows}
    assert first.tolist() == [told[i] if i in rows[own:] else -1 for i in range(len(many))]
    assert sorted(rows[slot] for slot in slots if slot >= 0) == sorted(set(told.values()))


@forms("names")
@slowly
@given(
    strings, st.lists(st.text("ab", max_size=9).map(str.encode) | st.binary(max_size=3), max_size=3)
)
def test_how_strings_begin_and_end_and_what_they_contain(
    names: Any, many: Strings, texts: list[bytes]
) -> None:
    """The bytes before and behind a string are those of others, and must not count."""
    whole = b"".join(texts)
    data, at, size, _ = columns(many, before=whole)
    sought = np.frombuffer(whole, np.uint8), np.array([len(text) for text in texts], np.int64)
    starts, ends = (names.matching(data, at, size, *sought, end).tolist() for end in (False, True))
    numbered = list(enumerate(texts, 1))
    assert starts == [next((k for k, t in numbered if s.startswith(t)), 0) for s, _ in many]
    assert ends == [next((k for k, t in numbered if s.endswith(t)), 0) for s, _ in many]
    for byte in {*whole, 255}:
        found = names.containing(data, at, size, byte).tolist()
        assert found == [byte in string for string, _ in many]


@forms("names")
@slowly
@given(strings, strings, keys)
def test_what_is_known_is_found(names: Any, known: Strings, asked: Strings, key: int) -> None:
    table = columns(known)
    _, slots = grouped(names, table, key, 1)
    wanted = asked + known[::2]
    found = names.find(*columns(wanted, b"other"), *table, slots, key, 1).tolist()
    assert found == [known.index(string) if string in known else -1 for string in wanted]


@slowly
@given(strings, keys, keys)
def test_both_forms_make_the_same_table(many: Strings, key0: int, key1: int) -> None:
    """Hash and probing are the same to the last bit: Python's integers do not wrap, C's do."""
    many = many * 3
    results = [grouped(names, columns(many), key0, key1) for names in forms("names").args[1]]
    assert results[0][1].tolist() == results[1][1].tolist()


def test_the_hash_is_siphash() -> None:
    """It is CPython's own hash of bytes, whose key is zero when hashes are not randomised."""
    texts = [bytes(range(n)) for n in range(40)] + [b"\xff" * 300]
    script = "import sys, json; print(json.dumps([hash(bytes(b)) for b in json.load(sys.stdin)]))"
    tagged = [list(tag.to_bytes(8, "little", signed=True) + t) for t in texts for tag in (0, -2)]
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(tagged),
        env={"PYTHONHASHSEED": "0"},
        text=True,
        capture_output=True,
        check=True,
    )
    assert sys.hash_info.algorithm == "siphash13"
    hashes = [
        uncompiled("names")._hash(memoryview(text), 0, len(text), tag, 0, 0)
        for text in texts
        for tag in (0, -2)
    ]
    assert [h - 2**64 if h >= 2**63 else h for h in hashes] == json.loads(done.stdout)


@slowly
@given(strings, strings)
def test_equal_hashes_do_not_make_equal_strings(known: Strings, asked: Strings) -> None:
    """The case that nobody can bring about from outside: all hashes are the same."""
    names: Any = uncompiled("names")
    names._hash = lambda *_: 2**64 - 1
    table = columns(known)
    first, slots = grouped(names, table, *KEY)
    assert first.tolist() == [known.index(string) for string in known]
    found = names.find(*columns(asked), *table, slots, *KEY).tolist()
    assert found == [known.index(string) if string in known else -1 for string in asked]


@forms("names")
@pytest.mark.parametrize(
    ("at", "size"),
    [(-1, 1), (0, 5), (4, 1), (2, 3), (0, -1), (2**63 - 1, 1), (-(2**63), 9)],
)
def test_a_string_outside_of_its_bytes_is_an_error(names: Any, at: int, size: int) -> None:
    data = np.zeros(4, np.uint8)
    table = columns([(b"a", 0)])
    _, slots = grouped(names, table, *KEY)
    wrong = (data, np.array([0, at]), np.array([4, size], "i4"), np.zeros(2, "i4"))
    with pytest.raises(IndexError, match="string 1 lies outside of its 4 bytes"):
        grouped(names, wrong, *KEY)
    rows, first = np.arange(2, dtype=np.int32), np.zeros(2, np.int32)
    with pytest.raises(IndexError, match="string 1 lies outside of its 4 bytes"):
        names.group(*wrong, rows, np.zeros(2, np.uint64), 0, first)
    assert grouped(names, wrong, *KEY, rows=rows[:1])[0].tolist() == [0, -1]
    with pytest.raises(IndexError, match="string 1 lies outside of its 4 bytes"):
        names.find(*wrong, *table, slots, *KEY)
    with pytest.raises(IndexError, match="string 1 lies outside of its 4 bytes"):
        names.matching(*wrong[:3], data, np.array([1]), False)
    with pytest.raises(IndexError, match="string 1 lies outside of its 4 bytes"):
        names.containing(*wrong[:3], 7)


@forms("names")
@pytest.mark.parametrize("row", [-1, 2, 2**31 - 1, -(2**31)])
def test_a_row_without_a_string_is_an_error(names: Any, row: int) -> None:
    table, rows = columns([(b"a", 0), (b"b", 0)]), np.array([1, row], np.int32)
    with pytest.raises(IndexError, match=f"string {row} lies outside of its 3 bytes"):
        names.hashes(*table, rows, *KEY, np.zeros(2, np.uint64))
    with pytest.raises(IndexError, match=f"string {row} lies outside of its 3 bytes"):
        names.group(*table, rows, np.zeros(2, np.uint64), 0, np.zeros(2, np.int32))


@forms("names")
@pytest.mark.parametrize("length", [-1, 2, 2**63 - 1, -(2**63)])
def test_a_text_outside_of_its_bytes_is_an_error(names: Any, length: int) -> None:
    data, at, size, _ = columns([(b"abc", 0)])
    with pytest.raises(IndexError, match="text 1 lies outside of its 3 bytes"):
        names.matching(data, at, size, np.zeros(3, np.uint8), np.array([2, length]), False)


@forms("names")
@pytest.mark.parametrize("at", [-1, 5, 2**40])
def test_no_bytes_lie_anywhere(names: Any, at: int) -> None:
    """Symbols without a name or without content have no place."""
    empty = (np.zeros(4, np.uint8), np.array([at]), np.zeros(1, "i4"), np.zeros(1, "i4"))
    first, slots = grouped(names, empty, *KEY)
    assert first.tolist() == [0]
    assert names.find(*columns([(b"", 0)]), *empty, slots, *KEY).tolist() == [0]


@forms("names")
@pytest.mark.parametrize("slots", [[0, 1], [7, 7], [0, 7], [1, 1], [-9, 0]])
def test_slots_that_do_not_fit_the_names_are_harmless(names: Any, slots: list[int]) -> None:
    """Neither full ones (there is no end to find) nor numbers of no name, and known names may
    have lost their bytes meanwhile."""
    data, at, size, tag = columns([(b"a", 0), (b"b", 0)])
    gone = np.array([at[0], -1])
    asked = columns([(b"b", 0), (b"c", 0)])
    found = names.find(*asked, data, gone, size, tag, np.array(slots, "i4"), *KEY)
    assert found.tolist() == [-1, -1]


@forms("names")
def test_arguments_that_do_not_fit_each_other_are_errors(names: Any) -> None:
    data, at, size, tag = columns([(b"a", 0), (b"b", 0)])
    _, slots = grouped(names, (data, at, size, tag), *KEY)
    rows = np.arange(2, dtype=np.int32)
    with pytest.raises(ValueError, match="differ in length"):
        names.hashes(data, at, size[:1], tag, rows, *KEY, np.zeros(2, "u8"))
    with pytest.raises(ValueError, match="differ in length"):
        names.hashes(data, at, size, tag, rows, *KEY, np.zeros(1, "u8"))
    for sizes, hashed, first in ((1, 2, 2), (2, 1, 2), (2, 2, 1)):
        told = np.zeros(hashed, "u8"), 0, np.zeros(first, "i4")
        with pytest.raises(ValueError, match="differ in length"):
            names.group(data, at, size[:sizes], tag, rows, *told)
    with pytest.raises(ValueError, match="differ in length"):
        names.find(data, at, size, tag, data, at, size, tag[:1], slots, *KEY)
    with pytest.raises(ValueError, match="not a power of two"):
        names.find(data, at, size, tag, data, at, size, tag, slots[:3], *KEY)


@forms("names")
@given(st.lists(st.integers(-1, 4)), st.lists(st.integers(0, 9), min_size=5, max_size=5))
def test_slots_are_renumbered(names: Any, slots: list[int], rows: list[int]) -> None:
    numbers = [7 * i for i in range(10)]
    found, *others = (np.array(column, np.int32) for column in (slots, rows, numbers))
    names.renumber(found, *others)
    assert found.tolist() == [numbers[rows[i]] if i >= 0 else -1 for i in slots]


@forms("names")
@pytest.mark.parametrize("rows", [[0, 1], [0, 1, 2], [0, 1, -1]])
def test_a_slot_of_a_string_without_a_number_is_an_error(names: Any, rows: list[int]) -> None:
    """Either there is no such row, or it has none."""
    with pytest.raises(IndexError, match="string 2 is not among the 2"):
        names.renumber(
            np.array([-1, 0, 2, 1], np.int32), np.array(rows, np.int32), np.zeros(2, np.int32)
        )
