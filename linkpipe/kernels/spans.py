"""Bytes moved in bulk: some hundred thousand pieces of a few bytes each, from an input to the
output, and as many addresses in them; and ranges of rows. The types that callers see, numpy's,
stand in spans.pyi."""

from __future__ import annotations

import cython
import numpy as np

_MOST = cython.declare(cython.longlong, 1 << 60)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _sum(a: cython.longlong, b: cython.longlong) -> cython.longlong:
    """Sums wrap, as numpy's do."""
    if cython.compiled:
        return cython.cast(
            cython.longlong,
            cython.cast(cython.ulonglong, a) + cython.cast(cython.ulonglong, b),
        )
    return (a + b + (1 << 63)) % (1 << 64) - (1 << 63)


def copy_spans(
    to: cython.uchar[::1],
    to_at: cython.const[cython.longlong][::1],
    source: cython.const[cython.uchar][::1],
    source_at: cython.const[cython.longlong][::1],
    sizes: cython.const[cython.longlong][::1],
):
    """Copy ``sizes[i]`` bytes from ``source_at[i]`` to ``to_at[i]``, for every i, in that order.
    ``to`` and ``source`` share no memory. Raises IndexError for a piece that does not lie in both;
    those before it are copied.

    ``for a, b, n in zip(to_at, source_at, sizes): to[a : a + n] = source[b : b + n]``
    """
    if to_at.shape[0] != sizes.shape[0] or source_at.shape[0] != sizes.shape[0]:
        raise ValueError("to_at, source_at and sizes differ in length")
    i: cython.longlong
    j: cython.longlong
    a: cython.longlong
    b: cython.longlong
    n: cython.longlong
    bad: cython.longlong = -1
    with cython.nogil:
        for i in range(sizes.shape[0]):
            a = to_at[i]
            b = source_at[i]
            n = sizes[i]
            if n == 0:
                continue
            if n < 0 or not (0 <= a <= to.shape[0] - n and 0 <= b <= source.shape[0] - n):
                bad = i
                break
            if n < 48:
                for j in range(n):
                    to[a + j] = source[b + j]
            else:
                to[a : a + n] = source[b : b + n]
    if bad >= 0:
        raise IndexError(f"piece {bad} lies outside of its bytes")


def expand(starts: cython.const[cython.longlong][::1], counts: cython.const[cython.longlong][::1]):
    """All members of the ranges [start, start+count), end to end: int64[sum(counts)]. Raises
    ValueError for a count below 0, MemoryError for more members than any memory has room for.

    ``[x for s, n in zip(starts, counts) for x in range(s, s + n)]``
    """
    if starts.shape[0] != counts.shape[0]:
        raise ValueError("starts and counts differ in length")
    total: cython.longlong = 0
    i: cython.longlong
    j: cython.longlong
    at: cython.longlong = 0
    start: cython.longlong
    with cython.nogil:
        for i in range(counts.shape[0]):
            if not 0 <= counts[i] < _MOST - total:
                total = -1 if counts[i] < 0 else _MOST
                break
            total += counts[i]
    if total < 0:
        raise ValueError("counts may not be negative")
    if total == _MOST:
        raise MemoryError
    made = np.empty(total, np.int64)
    out: cython.longlong[::1] = made
    with cython.nogil:
        for i in range(counts.shape[0]):
            start = starts[i]
            for j in range(counts[i]):
                out[at + j] = _sum(start, j)
            at += counts[i]
    return made


def first_seen(keys: cython.const[cython.longlong][::1], limit: cython.longlong):
    """Which of ``keys``, numbers below ``limit``, appear for the first time: uint8[len(keys)].
    Raises IndexError for a key that is no such number.

    ``[key not in keys[:i] for i, key in enumerate(keys)]``
    """
    new = np.zeros(keys.shape[0], np.uint8)
    # A bit for each number: most of them are no key, and an array of places would be touched whole.
    marks = np.zeros((limit >> 3) + 1, np.uint8)
    first: cython.uchar[::1] = new
    seen: cython.uchar[::1] = marks
    i: cython.longlong
    bit: cython.uchar
    bad: cython.longlong = -1
    with cython.nogil:
        for i in range(keys.shape[0]):
            if not 0 <= keys[i] < limit:
                bad = i
                break
            bit = cython.cast(cython.uchar, 1 << (keys[i] & 7))
            if not seen[keys[i] >> 3] & bit:
                seen[keys[i] >> 3] |= bit
                first[i] = 1
    if bad >= 0:
        raise IndexError(f"key {bad} is not below {limit}")
    return new


def where(keys: cython.const[cython.int][::1], wanted: cython.const[cython.uchar][::1]):
    """The rows whose keys are ``wanted`` (0 or 1 for each number), ascending: int64[k]. Raises
    IndexError for a key that is no such number.

    ``[i for i, key in enumerate(keys) if wanted[key]]``
    """
    rows = np.empty(keys.shape[0], np.int64)
    row: cython.longlong[::1] = rows
    i: cython.longlong
    count: cython.longlong = 0
    bad: cython.longlong = -1
    with cython.nogil:
        for i in range(keys.shape[0]):
            if not 0 <= keys[i] < wanted.shape[0]:
                bad = i
                break
            row[count] = i
            count += wanted[keys[i]] != 0
    if bad >= 0:
        raise IndexError(f"key {bad} is not below {wanted.shape[0]}")
    return rows[:count]


def place(
    start: cython.longlong,
    sizes: cython.const[cython.longlong][::1],
    aligns: cython.const[cython.int][::1],
):
    """Where things come to lie that are laid out one after the other from ``start`` on, each at a
    multiple of its alignment: int64[n], and the end of the last one. Raises ValueError for a size
    below 0 or an alignment below 1, and for an end that is farther than any memory.

    ``for size, align in zip(sizes, aligns): at += -at % align; out.append(at); at += size``
    """
    if sizes.shape[0] != aligns.shape[0]:
        raise ValueError("sizes and aligns differ in length")
    places = np.empty(sizes.shape[0], np.int64)
    out: cython.longlong[::1] = memoryview(places)
    i: cython.longlong
    at: cython.longlong = start
    bad: cython.longlong = -1
    with cython.nogil:
        for i in range(sizes.shape[0]):
            if not 0 <= at <= _MOST or not 0 <= sizes[i] <= _MOST or aligns[i] < 1:
                bad = i
                break
            if at % aligns[i]:
                at += aligns[i] - at % aligns[i]
            out[i] = at
            at += sizes[i]
    if bad >= 0:
        raise ValueError(f"thing {bad} cannot be laid out")
    return places, at


def chosen(
    first: cython.const[cython.longlong][::1],
    count: cython.const[cython.longlong][::1],
    kinds: cython.const[cython.ushort][::1],
    wanted: cython.const[cython.uchar][::1],
):
    """Of the rows in ranges, ``count[i]`` from ``first[i]`` on, those whose kind is ``wanted``
    (uint8[65536]); and the range of each: int64[k] both, in order. Raises IndexError for a range of
    rows that there are not.

    ``[(r, i) for i in ranges for r in range(first[i], first[i] + count[i]) if wanted[kinds[r]]]``
    """
    if first.shape[0] != count.shape[0] or wanted.shape[0] != 65536:
        raise ValueError("first and count, or wanted, differ in length")
    i: cython.longlong
    j: cython.longlong
    n: cython.longlong = 0
    for i in range(first.shape[0]):
        if count[i] and not (count[i] > 0 and 0 <= first[i] <= kinds.shape[0] - count[i]):
            raise IndexError(f"range {i} has rows that there are not")
    with cython.nogil:
        for i in range(first.shape[0]):
            for j in range(first[i], first[i] + count[i]):
                n += wanted[kinds[j]] != 0
    rows, owners = np.empty(n, np.int64), np.empty(n, np.int64)
    row: cython.longlong[::1] = memoryview(rows)
    owner: cython.longlong[::1] = memoryview(owners)
    n = 0
    with cython.nogil:
        for i in range(first.shape[0]):
            for j in range(first[i], first[i] + count[i]):
                if wanted[kinds[j]] != 0:
                    row[n] = j
                    owner[n] = i
                    n += 1
    return rows, owners


def uleb_sizes(values: cython.const[cython.ulonglong][::1]):
    """How many bytes each number takes as unsigned LEB128: int64[n]. ``[len(uleb(v)) …]``"""
    sizes = np.empty(values.shape[0], np.int64)
    size: cython.longlong[::1] = memoryview(sizes)
    i: cython.longlong
    v: cython.ulonglong
    n: cython.longlong
    with cython.nogil:
        for i in range(values.shape[0]):
            v = values[i] >> 7
            n = 1
            while v:
                n += 1
                v >>= 7
            size[i] = n
    return sizes


def put_ulebs(
    out: cython.uchar[::1],
    at: cython.const[cython.longlong][::1],
    values: cython.const[cython.ulonglong][::1],
    sizes: cython.const[cython.longlong][::1],
):
    """Write unsigned LEB128 numbers of ``sizes[i]`` bytes at ``at[i]``. Raises IndexError for one
    that does not lie in ``out``; those before it are written.

    ``for a, v, n in zip(at, values, sizes): out[a : a + n] = uleb(v)``, filled up to n bytes
    """
    if at.shape[0] != sizes.shape[0] or values.shape[0] != sizes.shape[0]:
        raise ValueError("at, values and sizes differ in length")
    i: cython.longlong
    j: cython.longlong
    v: cython.ulonglong
    bad: cython.longlong = -1
    with cython.nogil:
        for i in range(at.shape[0]):
            if sizes[i] < 0 or not 0 <= at[i] <= out.shape[0] - sizes[i]:
                bad = i
                break
            v = values[i]
            for j in range(at[i], at[i] + sizes[i]):
                out[j] = cython.cast(
                    cython.uchar, (v & 0x7F) | (0x80 if j + 1 < at[i] + sizes[i] else 0)
                )
                v >>= 7
    if bad >= 0:
        raise IndexError(f"number {bad} lies outside of its bytes")


PLAIN, LESS_PLACE, LESS_BASE, SIGNED, BELOW_2_GIB, INDEX = 1, 2, 4, 8, 16, 32
"""What a relocation's type may say: `patch` knows it; the value counts from the end of the field,
or from the base of the target's section; it has to be in the range of numbers with a sign; it has
to be an address that is right also where the hardware extends its sign, in a field of four
bytes; it is the target's index, as an unsigned LEB128 number that fills the field."""

_PLAIN = cython.declare(cython.uchar, PLAIN)
_LESS_PLACE = cython.declare(cython.uchar, LESS_PLACE)
_LESS_BASE = cython.declare(cython.uchar, LESS_BASE)
_SIGNED = cython.declare(cython.uchar, SIGNED)
_BELOW = cython.declare(cython.uchar, BELOW_2_GIB)
_INDEX = cython.declare(cython.uchar, INDEX)
_2_GIB = cython.declare(cython.longlong, 0x80000000)
_4_GIB = cython.declare(cython.longlong, 0x100000000)


def patch(
    image: cython.uchar[::1],
    big: cython.bint,
    first: cython.const[cython.longlong][::1],
    count: cython.const[cython.longlong][::1],
    at: cython.const[cython.longlong][::1],
    address: cython.const[cython.longlong][::1],
    room: cython.const[cython.longlong][::1],
    offset: cython.const[cython.int][::1],
    width: cython.const[cython.uchar][::1],
    type_: cython.const[cython.ushort][::1],
    add: cython.const[cython.longlong][::1],
    target: cython.const[cython.int][::1],
    value: cython.const[cython.longlong][::1],
    flags: cython.const[cython.uint][::1],
    section: cython.const[cython.short][::1],
    kind: cython.const[cython.uchar][::1],
    index: cython.const[cython.int][::1],
    linked: cython.uint,
    odd: cython.const[cython.uchar][::1],
    forms: cython.const[cython.uchar][::1],
    bases: cython.const[cython.longlong][::1],
    rows: cython.longlong[::1],
    owner: cython.longlong[::1],
):
    """Apply the plain ones of some symbols' relocations; the others, in ``rows`` and ``owner``.

    Symbol i has ``count[i]`` of them from ``first[i]`` on, lies at ``at[i]`` in the image and has
    ``room[i]`` bytes there, and its address is ``address[i]``. Relocations are rows of ``offset``
    to ``target``, symbols of ``value`` to ``kind``, the first of them of ``index``, too.
    One is plain when ``forms`` says so of its type, its field has four or eight bytes (of one for
    an index up to four), within the symbol; its target is one that the
    flag ``linked`` says is in the link, is of no ``odd`` kind, and in a section (of ``bases``)
    where its base is asked for; and the value fits. Those without a width are passed over.
    Returns how many others there are. Raises IndexError for what lies outside of its columns.

    ``image[p : p + w] = (value[t] + add - (address + w if … else bases[section[t]] if … else 0))``
    """
    if not (
        first.shape[0] == count.shape[0] == at.shape[0] == address.shape[0] == room.shape[0]
        and offset.shape[0] == width.shape[0] == type_.shape[0] == add.shape[0] == target.shape[0]
        and value.shape[0] == flags.shape[0] == section.shape[0] == kind.shape[0]
        and min(odd.shape[0], forms.shape[0] >> 8) >= 256
    ):
        raise ValueError("columns differ in length")
    i: cython.longlong
    j: cython.longlong
    k: cython.longlong
    n: cython.longlong = 0
    t: cython.longlong
    w: cython.longlong
    place: cython.longlong
    v: cython.longlong
    form: cython.uchar
    bad: cython.bint = False
    with cython.nogil:
        for i in range(first.shape[0]):
            if count[i] == 0:
                continue
            if (
                not 0 <= count[i] <= offset.shape[0]
                or not 0 <= first[i] <= offset.shape[0] - count[i]
            ):
                bad = True
                break
            for j in range(first[i], first[i] + count[i]):
                w = width[j]
                if w == 0:
                    continue
                form = forms[type_[j]]
                t = target[j]
                if (
                    form & _PLAIN
                    and (w <= 4 and t < index.shape[0] if form & _INDEX else w == 4 or w == 8)
                    and 0 <= offset[j] <= room[i] - w
                    and 0 <= at[i] <= image.shape[0] - room[i]
                    and 0 < t < value.shape[0]
                    and flags[t] & linked
                    and not odd[kind[t]]
                    and (not form & _LESS_BASE or 0 <= section[t] < bases.shape[0])
                ):
                    place = at[i] + offset[j]
                    if form & _INDEX:
                        v = index[t]
                        if v >> (7 * w) == 0:
                            for k in range(w):
                                image[place + k] = cython.cast(
                                    cython.uchar,
                                    ((v >> (7 * k)) & 0x7F) | (0x80 if k + 1 < w else 0),
                                )
                            continue
                    else:
                        v = _sum(value[t], add[j])
                        if form & _LESS_PLACE:
                            v = _sum(v, -(address[i] + offset[j] + w))
                        if form & _LESS_BASE:
                            v = _sum(v, -bases[section[t]])
                        if w == 8 or (
                            -_2_GIB <= v < (_2_GIB if form & _SIGNED else _4_GIB)
                            and not (form & _BELOW and v & _2_GIB)
                        ):
                            for k in range(w):
                                image[place + (w - 1 - k if big else k)] = cython.cast(
                                    cython.uchar, (v >> (8 * k)) & 0xFF
                                )
                            continue
                if n < rows.shape[0] and n < owner.shape[0]:
                    rows[n] = j
                    owner[n] = i
                n += 1
    if bad:
        raise IndexError(f"relocations of symbol {i} lie outside of their table")
    return n
