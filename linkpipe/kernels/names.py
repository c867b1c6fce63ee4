"""Strings that lie in one array of bytes: which are equal, and how one is found again.

A string here is ``size`` bytes from ``at`` on and a number, its *tag* (a name and a version, a name
and a type); equal strings have equal bytes and equal tags. They are found by open addressing: a
string's hash says in which slot to look first, the next slots follow. What hashes alike is
compared in full. The hash is SipHash-1-3 (Aumasson, Bernstein, 2012; what CPython hashes with)
under a key that the caller draws at random: inputs are not trusted, and without the key nobody can
write names that crowd into one slot. No result depends on the key.

Every offset is checked here: a string that does not lie in its bytes raises IndexError. The types
that callers see, numpy's, stand in names.pyi.
"""

from __future__ import annotations

import cython
import numpy as np

# How SipHash starts: "somepseudorandomlygeneratedbytes".
_V0 = cython.declare(cython.ulonglong, 0x736F6D6570736575)
_V1 = cython.declare(cython.ulonglong, 0x646F72616E646F6D)
_V2 = cython.declare(cython.ulonglong, 0x6C7967656E657261)
_V3 = cython.declare(cython.ulonglong, 0x7465646279746573)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _word(data: cython.const[cython.uchar][::1], at: cython.longlong) -> cython.ulonglong:
    """The eight bytes at ``at``, as a little-endian number."""
    if not cython.compiled:
        return int.from_bytes(data[at : at + 8], "little")
    # Behind one address the eight bytes are one load; the last one is named to be checked, in
    # builds that check indexes.
    first: cython.pointer[cython.const[cython.uchar]] = cython.address(data[at])
    cython.address(data[at + 7])
    return (
        cython.cast(cython.ulonglong, first[0])
        | cython.cast(cython.ulonglong, first[1]) << 8
        | cython.cast(cython.ulonglong, first[2]) << 16
        | cython.cast(cython.ulonglong, first[3]) << 24
        | cython.cast(cython.ulonglong, first[4]) << 32
        | cython.cast(cython.ulonglong, first[5]) << 40
        | cython.cast(cython.ulonglong, first[6]) << 48
        | cython.cast(cython.ulonglong, first[7]) << 56
    )


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _wrap(x: cython.ulonglong) -> cython.ulonglong:
    """Sums, shifts and negative numbers wrap in C; in Python they must be cut off."""
    return x if cython.compiled else x & 0xFFFFFFFFFFFFFFFF


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _rotate(x: cython.ulonglong, bits: cython.int) -> cython.ulonglong:
    return _wrap(x << bits | x >> (64 - bits))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _hash(
    data: cython.const[cython.uchar][::1],
    at: cython.longlong,
    size: cython.longlong,
    tag: cython.longlong,
    key0: cython.ulonglong,
    key1: cython.ulonglong,
) -> cython.ulonglong:
    """SipHash-1-3 of the tag, as eight little-endian bytes, and the string."""
    v0: cython.ulonglong = key0 ^ _V0
    v1: cython.ulonglong = key1 ^ _V1
    v2: cython.ulonglong = key0 ^ _V2
    v3: cython.ulonglong = key1 ^ _V3
    m: cython.ulonglong
    i: cython.longlong
    j: cython.longlong
    # The tag, the whole words, the bytes that are left with the length; then three rounds more.
    last: cython.longlong = (size >> 3) + 1
    for i in range(last + 4):
        m = 0
        if i == 0:
            m = _wrap(tag)
        elif i < last:
            m = _word(data, at + 8 * (i - 1))
        elif i == last:
            for j in range(size & 7):
                m |= cython.cast(cython.ulonglong, data[at + 8 * (last - 1) + j]) << (8 * j)
            m |= cython.cast(cython.ulonglong, (size + 8) & 0xFF) << 56
        elif i == last + 1:
            v2 ^= 0xFF
        v3 ^= m
        v0 = _wrap(v0 + v1)
        v1 = _rotate(v1, 13) ^ v0
        v0 = _rotate(v0, 32)
        v2 = _wrap(v2 + v3)
        v3 = _rotate(v3, 16) ^ v2
        v0 = _wrap(v0 + v3)
        v3 = _rotate(v3, 21) ^ v0
        v2 = _wrap(v2 + v1)
        v1 = _rotate(v1, 17) ^ v2
        v2 = _rotate(v2, 32)
        v0 ^= m
    return v0 ^ v1 ^ v2 ^ v3


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _same(
    a: cython.const[cython.uchar][::1],
    at: cython.longlong,
    b: cython.const[cython.uchar][::1],
    bt: cython.longlong,
    size: cython.longlong,
) -> cython.bint:
    """Whether the same bytes stand at both places."""
    i: cython.longlong = 0
    while i + 8 <= size:
        if _word(a, at + i) != _word(b, bt + i):
            return False
        i += 8
    while i < size:
        if a[at + i] != b[bt + i]:
            return False
        i += 1
    return True


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _astray(length: cython.longlong, at: cython.longlong, size: cython.longlong) -> cython.bint:
    """Whether a string does not lie in its bytes. No bytes lie anywhere."""
    return size < 0 or (size > 0 and (at < 0 or at > length - size))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _outside(
    length: cython.longlong,
    at: cython.const[cython.longlong][::1],
    size: cython.const[cython.int][::1],
) -> cython.longlong:
    """The first string that does not lie in its bytes, -1: none."""
    i: cython.longlong
    for i in range(at.shape[0]):
        if _astray(length, at[i], size[i]):
            return i
    return -1


@cython.cfunc
def _check(
    data: cython.const[cython.uchar][::1],
    at: cython.const[cython.longlong][::1],
    size: cython.const[cython.int][::1],
    tag: cython.const[cython.int][::1],
):
    if size.shape[0] != at.shape[0] or tag.shape[0] != at.shape[0]:
        raise ValueError("at, size and tag differ in length")
    bad: cython.longlong = _outside(data.shape[0], at, size)
    if bad >= 0:
        raise IndexError(f"string {bad} lies outside of its {data.shape[0]} bytes")


@cython.cfunc
def _check_rows(
    data: cython.const[cython.uchar][::1],
    at: cython.const[cython.longlong][::1],
    size: cython.const[cython.int][::1],
    tag: cython.const[cython.int][::1],
    rows: cython.const[cython.int][::1],
    hashed: cython.longlong,
):
    """Raise IndexError for a row that no string has, and for strings of these rows that do not lie
    in their bytes."""
    n: cython.longlong = at.shape[0]
    if size.shape[0] != n or tag.shape[0] != n:
        raise ValueError("at, size and tag differ in length")
    if hashed != rows.shape[0]:
        raise ValueError("strings and their hashes differ in length")
    length: cython.longlong = data.shape[0]
    i: cython.longlong
    row: cython.longlong = 0
    bad: cython.bint = False
    with cython.nogil:
        for i in range(rows.shape[0]):
            row = rows[i]
            bad = row < 0 or row >= n or _astray(length, at[row], size[row])
            if bad:
                break
    if bad:
        raise IndexError(f"string {row} lies outside of its {length} bytes")


def hashes(
    data: cython.const[cython.uchar][::1],
    at: cython.const[cython.longlong][::1],
    size: cython.const[cython.int][::1],
    tag: cython.const[cython.int][::1],
    rows: cython.const[cython.int][::1],
    key0: cython.ulonglong,
    key1: cython.ulonglong,
    found: cython.ulonglong[::1],
):
    """Hash the strings with the numbers ``rows`` into ``found``. Of one string the hash is the
    same, whatever stands beside it: threads may take a part of the rows each.

    ``found[:] = [siphash13(t.to_bytes(8, "little", signed=True) + s) for s, t in strings[rows]]``
    """
    _check_rows(data, at, size, tag, rows, found.shape[0])
    # Takes what fetching adds up to, lest a compiler leaves it out. (A plain view has Python's
    # integers where this is not compiled; numpy's would not mix with them.)
    fetched: cython.ulonglong[::1] = memoryview(np.zeros(1, np.uint64))
    n: cython.longlong = rows.shape[0]
    i: cython.longlong
    row: cython.longlong
    start: cython.longlong = 0
    end: cython.longlong
    with cython.nogil:
        while start < n:
            end = min(start + 32, n)
            # Strings lie anywhere in memory. Read for many at once they come side by side.
            for i in range(start, end):
                row = rows[i]
                if size[row] > 0:
                    fetched[0] = fetched[0] ^ data[at[row]] ^ data[at[row] + size[row] - 1]
            for i in range(start, end):
                row = rows[i]
                found[i] = _hash(data, at[row], size[row], tag[row], key0, key1)
            start = end


def group(
    data: cython.const[cython.uchar][::1],
    at: cython.const[cython.longlong][::1],
    size: cython.const[cython.int][::1],
    tag: cython.const[cython.int][::1],
    rows: cython.const[cython.int][::1],
    hashed: cython.const[cython.ulonglong][::1],
    own: cython.longlong,
    first: cython.int[::1],
):
    """Tell the strings with the numbers ``rows``, but the first ``own`` of them, which is the first
    of all these rows that is equal to each: ``first``, one for each string. Returns the slots in
    which `find` looks: int32[2**k], the place among ``rows`` of a first string or -1. ``hashed`` is
    what `hashes` says of the rows.

    ``strings = [(data[a : a + s], t) for a, s, t in zip(at, size, tag)]``, then
    ``for r in rows[own:]: first[r] = next(q for q in rows if strings[q] == strings[r])``
    """
    _check_rows(data, at, size, tag, rows, hashed.shape[0])
    n: cython.longlong = rows.shape[0]
    if n > 0x3FFFFFFF:
        raise ValueError(f"{n} strings are too many")
    if first.shape[0] != at.shape[0]:
        raise ValueError("at and first differ in length")
    room: cython.longlong = 2
    while room < 2 * n:
        room *= 2
    table = np.full(room, -1, np.int32)
    slots: cython.int[::1] = table
    # Takes what fetching adds up to.
    fetched: cython.ulonglong[::1] = memoryview(np.zeros(1, np.uint64))
    mask: cython.ulonglong = room - 1
    i: cython.longlong
    j: cython.longlong
    row: cython.longlong
    other: cython.longlong
    start: cython.longlong = 0
    end: cython.longlong
    slot: cython.ulonglong
    with cython.nogil:
        while start < n:
            end = min(start + 32, n)
            # Slots and strings lie anywhere in memory, too: side by side is three times as fast as
            # one after another.
            for i in range(start, end):
                j = slots[hashed[i] & mask]
                if j >= 0:
                    row = rows[j]
                    if size[row] > 0:
                        fetched[0] = fetched[0] ^ hashed[j] ^ _wrap(tag[row]) ^ data[at[row]]
            for i in range(start, end):
                row = rows[i]
                slot = hashed[i] & mask
                while True:
                    j = slots[slot]
                    if j < 0:
                        slots[slot] = cython.cast(cython.int, i)
                        other = row
                        break
                    other = rows[j]
                    if (
                        hashed[j] == hashed[i]
                        and size[other] == size[row]
                        and tag[other] == tag[row]
                        and _same(data, at[other], data, at[row], size[row])
                    ):
                        break
                    slot = (slot + 1) & mask
                if i >= own:
                    first[row] = cython.cast(cython.int, other)
            start = end
    return table


def find(
    data: cython.const[cython.uchar][::1],
    at: cython.const[cython.longlong][::1],
    size: cython.const[cython.int][::1],
    tag: cython.const[cython.int][::1],
    known_data: cython.const[cython.uchar][::1],
    known_at: cython.const[cython.longlong][::1],
    known_size: cython.const[cython.int][::1],
    known_tag: cython.const[cython.int][::1],
    slots: cython.const[cython.int][::1],
    key0: cython.ulonglong,
    key1: cython.ulonglong,
):
    """The known string equal to each, -1 where there is none: int32[n]. ``slots`` are those of
    `group`, under the same key; they may name the strings by other numbers, and leave some out.

    ``[known.index(s) if s in known else -1 for s in strings]``
    """
    _check(data, at, size, tag)
    if known_size.shape[0] != known_at.shape[0] or known_tag.shape[0] != known_at.shape[0]:
        raise ValueError("known_at, known_size and known_tag differ in length")
    n: cython.longlong = at.shape[0]
    room: cython.longlong = slots.shape[0]
    if room < 1 or room & (room - 1):
        raise ValueError(f"{room} slots are not a power of two")
    places = np.full(n, -1, np.int32)
    place: cython.int[::1] = places
    mask: cython.ulonglong = room - 1
    i: cython.longlong
    j: cython.longlong
    _tries: cython.longlong
    slot: cython.ulonglong
    with cython.nogil:
        for i in range(n):
            slot = _hash(data, at[i], size[i], tag[i], key0, key1) & mask
            for _tries in range(room):
                j = slots[slot]
                if j < 0 or j >= known_at.shape[0]:
                    break
                if (
                    known_size[j] == size[i]
                    and known_tag[j] == tag[i]
                    and (size[i] == 0 or 0 <= known_at[j] <= known_data.shape[0] - size[i])
                    and _same(known_data, known_at[j], data, at[i], size[i])
                ):
                    place[i] = cython.cast(cython.int, j)
                    break
                slot = (slot + 1) & mask
    return places


def renumber(
    slots: cython.int[::1],
    rows: cython.const[cython.int][::1],
    numbers: cython.const[cython.int][::1],
):
    """Give the rows in the slots of `group` other numbers; -1, where there is none, stays. Raises
    IndexError for a slot without a row, and a row without a number.

    ``slots[:] = [numbers[rows[i]] if i >= 0 else -1 for i in slots]``
    """
    i: cython.longlong
    row: cython.longlong
    bad: cython.longlong = -1
    with cython.nogil:
        for i in range(slots.shape[0]):
            if slots[i] >= 0:
                row = rows[slots[i]] if slots[i] < rows.shape[0] else -1
                if row < 0 or row >= numbers.shape[0]:
                    bad = i
                    break
                slots[i] = numbers[row]
    if bad >= 0:
        raise IndexError(f"string {slots[bad]} is not among the {numbers.shape[0]}")


def matching(
    data: cython.const[cython.uchar][::1],
    at: cython.const[cython.longlong][::1],
    size: cython.const[cython.int][::1],
    texts: cython.const[cython.uchar][::1],
    lengths: cython.const[cython.longlong][::1],
    end: cython.bint,
):
    """The number of the first text, from 1 on, with which each string starts, or ends, 0: none;
    int32[n]. The texts lie one behind the other, with their lengths; all of them are asked while a
    string is at hand, for what takes time is to reach it.

    ``[next((k for k, t in enumerate(texts, 1) if s.startswith(t)), 0) for s in strings]``
    """
    _check(data, at, size, size)
    found = np.zeros(at.shape[0], np.int32)
    number: cython.int[::1] = found
    i: cython.longlong
    j: cython.longlong
    first: cython.longlong = 0
    for j in range(lengths.shape[0]):
        if lengths[j] < 0 or lengths[j] > texts.shape[0] - first:
            raise IndexError(f"text {j} lies outside of its {texts.shape[0]} bytes")
        first += lengths[j]
    with cython.nogil:
        for i in range(at.shape[0]):
            first = 0
            for j in range(lengths.shape[0]):
                if size[i] >= lengths[j] and _same(
                    data, at[i] + (size[i] - lengths[j] if end else 0), texts, first, lengths[j]
                ):
                    number[i] = cython.cast(cython.int, j + 1)
                    break
                first += lengths[j]
    return found


def containing(
    data: cython.const[cython.uchar][::1],
    at: cython.const[cython.longlong][::1],
    size: cython.const[cython.int][::1],
    byte: cython.int,
):
    """Whether a byte stands in each string: bool[n]. ``[byte in s for s in strings]``"""
    _check(data, at, size, size)
    found = np.zeros(at.shape[0], np.bool_)
    hit: cython.uchar[::1] = found.view(np.uint8)
    i: cython.longlong
    j: cython.longlong
    with cython.nogil:
        for i in range(at.shape[0]):
            for j in range(at[i], at[i] + size[i]):
                if data[j] == byte:
                    hit[i] = 1
                    break
    return found
