"""Symbols that are found by their content: which have one hash, and what of them can be left out.

Objects and their blocks are as in records.py. A hash is the content itself (8 bytes), or 16 bytes
of a checksum of it. Inputs are not trusted: where a hash is looked for is chosen by sums of
products with factors that the caller draws at random, of which the upper bits count (Dietzfelbinger
et al., 1997), so that nobody can write hashes that crowd. No result depends on the factors. The
types that callers see, numpy's, stand in contents.pyi.
"""

from __future__ import annotations

import cython
import numpy as np

LEFT_OUT, WITH_RELOCS = 1, 2
"""What is noted of a symbol: it brings nothing that the first with its hash has not; it has as many
relocations as that one, which somebody has still to compare."""

_LEFT_OUT = cython.declare(cython.uchar, LEFT_OUT)
_WITH_RELOCS = cython.declare(cython.uchar, WITH_RELOCS)
_BLOCKS = cython.declare(cython.longlong, 19)
_SYMDEF = cython.declare(cython.longlong, 3)
_HASH64 = cython.declare(cython.longlong, 9)
_HASH = cython.declare(cython.longlong, 10)
_RELOCIDX = cython.declare(cython.longlong, 11)
_DATAIDX = cython.declare(cython.longlong, 13)
_CONTENTS = cython.declare(cython.longlong, 16)
_SYM_SIZE = cython.declare(cython.longlong, 21)
_SIGN = cython.declare(cython.longlong, 0x80000000)
_LOW = cython.declare(cython.ulonglong, 0xFFFFFFFF)
_ALL = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
_BATCH = cython.declare(cython.longlong, 32)
# A row of what is known of the first symbol with a hash, eight words, a line of a processor's
# cache: the hash's two; place, whether damaged, whether a long hash; size and alignment; flags and
# number of relocations; where its content lies, and its length.
_ROW = cython.declare(cython.longlong, 8)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _u32(data: cython.const[cython.uchar][::1], at: cython.longlong) -> cython.ulonglong:
    """The little-endian number of four bytes at ``at``."""
    if not cython.compiled:
        return int.from_bytes(data[at : at + 4], "little")
    # Behind one address the four bytes are one load; the last one is named to be checked, in builds
    # that check indexes.
    first: cython.pointer[cython.const[cython.uchar]] = cython.address(data[at])
    cython.address(data[at + 3])
    return (
        cython.cast(cython.ulonglong, first[0])
        | cython.cast(cython.ulonglong, first[1]) << 8
        | cython.cast(cython.ulonglong, first[2]) << 16
        | cython.cast(cython.ulonglong, first[3]) << 24
    )


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _u64(data: cython.const[cython.uchar][::1], at: cython.longlong) -> cython.ulonglong:
    return _u32(data, at) | _u32(data, at + 4) << 32


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _wrap(x: cython.ulonglong) -> cython.ulonglong:
    """Products wrap in C; in Python they must be cut off."""
    return x if cython.compiled else x & _ALL


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _inside(at: cython.longlong, size: cython.longlong, length: cython.longlong) -> cython.bint:
    """Whether a block is there; where it is empty nobody cares where it would be."""
    return size == 0 or 0 <= at <= length - size


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _zeros(
    data: cython.const[cython.uchar][::1], at: cython.longlong, end: cython.longlong
) -> cython.bint:
    """Whether there is nothing but zeros from one place to the other."""
    i: cython.longlong = at
    while i < end and data[i] == 0:
        i += 1
    return i >= end


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _alike(
    data: cython.const[cython.uchar][::1],
    at: cython.longlong,
    size: cython.longlong,
    bt: cython.longlong,
    other: cython.longlong,
) -> cython.bint:
    """Whether two contents differ in zeros at the end alone."""
    both: cython.longlong = min(size, other)
    i: cython.longlong = 0
    while i + 8 <= both:
        if _u64(data, at + i) != _u64(data, bt + i):
            return False
        i += 8
    while i < both:
        if data[at + i] != data[bt + i]:
            return False
        i += 1
    return _zeros(data, at + both, at + size) and _zeros(data, bt + both, bt + other)


def group(
    data: cython.const[cython.uchar][::1],
    blocks: cython.const[cython.longlong][::1],
    local: cython.const[cython.longlong][::1],
    classes: cython.const[cython.longlong][::1],
    flag2: cython.const[cython.uchar][::1],
    debug: cython.const[cython.uchar][::1],
    damaged: cython.const[cython.longlong][::1],
    with_debug: cython.bint,
    sticky: cython.uint,
    factor0: cython.ulonglong,
    factor1: cython.ulonglong,
    factor2: cython.ulonglong,
    part: cython.longlong,
    parts: cython.longlong,
    first: cython.int[::1],
    noted: cython.uchar[::1],
):
    """Find the first symbol with the hash of each, and note what is left out.

    Objects, ``local``, ``classes``, ``flag2``, ``debug`` and ``with_debug`` as in records.symbols,
    all objects; a symbol's place is its row among all records. Symbols at the places ``damaged``,
    ascending, are like all others. The hashes fall into ``parts`` (a power of two) of which this is
    ``part``; threads may work at one part each.

    ``first[place]`` becomes the place of the first with the same hash. ``noted[place]`` gets
    LEFT_OUT where that one is another, as large and as aligned at least, and has the ``sticky``
    flags; and WITH_RELOCS, where neither is damaged. Returns the first place whose content
    differs from its first one's in more than zeros at the end, and the first that has another
    number of relocations: -1 where there is none. Raises IndexError for what lies outside of
    ``data``.

    ``{hash: place for hash, place in reversed(hashes)}[hash] for hash, place in hashes``
    """
    n: cython.longlong = local.shape[0] - 1
    if (
        n < 0
        or blocks.shape[0] != _BLOCKS * n
        or classes.shape[0] != 5 * n
        or min(flag2.shape[0], debug.shape[0]) < 256
        or first.shape[0] != local[n]
        or noted.shape[0] != local[n]
    ):
        raise ValueError("columns of objects differ in length")
    if not 0 <= part < parts or parts & (parts - 1) or not (factor0 & factor1 & factor2 & 1):
        raise ValueError("no such part, or an even factor")
    o: cython.longlong
    i: cython.longlong
    j: cython.longlong
    k: cython.longlong
    count: cython.longlong
    total: cython.longlong = 0
    within: cython.longlong = 0
    for o in range(n):
        within = classes[5 * o + 1] + classes[5 * o + 2]
        count = classes[5 * o] + within
        k = _BLOCKS * o
        if min(classes[5 * o], classes[5 * o + 1], classes[5 * o + 2]) < 0 or (
            within
            and not (
                0 <= local[o] <= local[n] - count
                and 0 <= blocks[k + _SYMDEF] <= data.shape[0] - _SYM_SIZE * count
                and 0 <= blocks[k + _RELOCIDX] <= data.shape[0] - 4 * (count + 1)
                and 0 <= blocks[k + _DATAIDX] <= data.shape[0] - 4 * (count + 1)
                and _inside(blocks[k + _HASH64], 8 * classes[5 * o + 1], data.shape[0])
                and _inside(blocks[k + _HASH], 16 * classes[5 * o + 2], data.shape[0])
            )
        ):
            raise IndexError(f"symbols of object {o} lie outside of {data.shape[0]} bytes")
        total += within
    # Slots: twice as many as there may be hashes, in as many ranges as there are parts. All of them
    # may fall into one.
    bits: cython.longlong = 1
    while (1 << bits) * parts < 2 * total or (1 << bits) <= total:
        bits += 1
    mask: cython.longlong = (1 << bits) - 1
    spread: cython.longlong = bits
    while (1 << spread) < (1 << bits) * parts:
        spread += 1
    spread = 64 - spread
    # (Plain views have Python's integers where this is not compiled.)
    slots: cython.int[::1] = memoryview(np.zeros(mask + 1, np.int32))
    known: cython.ulonglong[::1] = memoryview(np.empty(_ROW * (total + 1), np.uint64))
    rows: cython.longlong = 0
    low: cython.ulonglong[::1] = memoryview(np.zeros(_BATCH, np.uint64))
    high: cython.ulonglong[::1] = memoryview(np.zeros(_BATCH, np.uint64))
    slot: cython.longlong[::1] = memoryview(np.zeros(_BATCH, np.int64))
    index: cython.longlong[::1] = memoryview(np.zeros(_BATCH, np.int64))
    # Takes what fetching adds up to, lest a compiler leaves it out.
    fetched: cython.ulonglong = 0
    place: cython.longlong
    at: cython.longlong
    start: cython.longlong
    length: cython.longlong
    until: cython.longlong
    beyond: cython.bint = False
    differs: cython.longlong = -1
    miscounts: cython.longlong = -1
    skip: cython.longlong = 0
    form: cython.ulonglong
    where: cython.ulonglong
    size: cython.ulonglong
    align: cython.ulonglong
    flags: cython.ulonglong
    relocs: cython.ulonglong
    bad: cython.ulonglong
    with cython.nogil:
        for o in range(n):
            i = classes[5 * o]
            within = i + classes[5 * o + 1]
            until = within + classes[5 * o + 2]
            while i < until and not beyond:
                # Slots, rows and contents lie anywhere in memory: those of many hashes are fetched
                # side by side (see `group` in names.py).
                count = 0
                while i < until and count < _BATCH:
                    form = 1 if i >= within else 0
                    if form:
                        at = blocks[_BLOCKS * o + _HASH] + 16 * (i - within)
                        high[count] = _u64(data, at + 8)
                    else:
                        at = blocks[_BLOCKS * o + _HASH64] + 8 * (i - classes[5 * o])
                        high[count] = 0
                    low[count] = _u64(data, at)
                    where = _wrap(
                        low[count] * factor0 + high[count] * factor1 + form * factor2
                    ) >> cython.cast(cython.ulonglong, spread)
                    j = cython.cast(cython.longlong, where)
                    if j >> bits == part:
                        slot[count] = j & mask
                        index[count] = i
                        fetched ^= slots[slot[count]]
                        count += 1
                    i += 1
                for k in range(count):
                    j = slots[slot[k]]
                    if j > 0:
                        fetched ^= known[_ROW * (j - 1)]
                for k in range(count):
                    j = _ROW * (slots[slot[k]] - 1)
                    if j >= 0 and known[j + 6]:
                        fetched ^= data[cython.cast(cython.longlong, known[j + 5])]
                for k in range(count):
                    at = blocks[_BLOCKS * o + _SYMDEF] + _SYM_SIZE * index[k]
                    if debug[data[at + 10]] and not with_debug:
                        continue
                    place = local[o] + index[k]
                    form = 1 if index[k] >= within else 0
                    while skip < damaged.shape[0] and damaged[skip] < place:
                        skip += 1
                    bad = 1 if skip < damaged.shape[0] and damaged[skip] == place else 0
                    size = _u32(data, at + 13)
                    align = _u32(data, at + 17)
                    if align >= cython.cast(cython.ulonglong, _SIGN):
                        align = 0
                    flags = (
                        data[at + 11] | cython.cast(cython.ulonglong, flag2[data[at + 12]]) << 8
                    ) & sticky
                    at = blocks[_BLOCKS * o + _RELOCIDX] + 4 * index[k]
                    relocs = _wrap(_u32(data, at + 4) - _u32(data, at)) & _LOW
                    at = blocks[_BLOCKS * o + _DATAIDX] + 4 * index[k]
                    start = blocks[_BLOCKS * o + _CONTENTS] + cython.cast(
                        cython.longlong, _u32(data, at)
                    )
                    length = cython.cast(cython.longlong, _u32(data, at + 4)) - cython.cast(
                        cython.longlong, _u32(data, at)
                    )
                    if bad:
                        length = 0
                    elif length < 0 or (length and not 0 <= start <= data.shape[0] - length):
                        beyond = True
                        break
                    at = slot[k]
                    while True:
                        j = _ROW * (slots[at] - 1)
                        if j < 0:
                            j = _ROW * rows
                            rows += 1
                            slots[at] = cython.cast(cython.int, rows)
                            known[j] = low[k]
                            known[j + 1] = high[k]
                            known[j + 2] = (
                                cython.cast(cython.ulonglong, place) << 2 | bad << 1 | form
                            )
                            known[j + 3] = size << 32 | align
                            known[j + 4] = flags << 32 | relocs
                            known[j + 5] = cython.cast(cython.ulonglong, start)
                            known[j + 6] = cython.cast(cython.ulonglong, length)
                            break
                        if (
                            known[j] == low[k]
                            and known[j + 1] == high[k]
                            and known[j + 2] & 1 == form
                        ):
                            break
                        at = (at + 1) & mask
                    where = known[j + 2] >> 2
                    first[place] = cython.cast(cython.int, where)
                    if where == cython.cast(cython.ulonglong, place):
                        continue
                    if (
                        size <= known[j + 3] >> 32
                        and align <= known[j + 3] & _LOW
                        and (known[j + 4] >> 32) | flags == known[j + 4] >> 32
                    ):
                        noted[place] |= _LEFT_OUT
                    if bad or known[j + 2] & 2:
                        continue
                    if relocs != known[j + 4] & _LOW:
                        if miscounts < 0:
                            miscounts = place
                    elif relocs:
                        noted[place] |= _WITH_RELOCS
                    if differs < 0 and not _alike(
                        data,
                        start,
                        length,
                        cython.cast(cython.longlong, known[j + 5]),
                        cython.cast(cython.longlong, known[j + 6]),
                    ):
                        differs = place
        known[_ROW * total] = fetched
    if beyond:
        raise IndexError(f"the content of symbol {place} lies outside of {data.shape[0]} bytes")
    return differs, miscounts


def share(
    first: cython.const[cython.int][::1],
    ids: cython.int[::1],
    begin: cython.longlong,
    end: cython.longlong,
):
    """Give each symbol the id of the first with its hash: ``ids[place]`` for some places, in order.
    ``first`` as `group` leaves it, of others their own place. Raises IndexError for one behind.
    Threads may do some places each, where the first with a hash is its own first.

    ``for place in range(begin, end): ids[place] = ids[first[place]]``
    """
    if first.shape[0] != ids.shape[0]:
        raise ValueError("columns of symbols differ in length")
    if not 0 <= begin <= end <= first.shape[0]:
        raise ValueError(f"there are no such places among {first.shape[0]}")
    i: cython.longlong
    bad: cython.longlong = -1
    with cython.nogil:
        for i in range(begin, end):
            if not 0 <= first[i] <= i:
                bad = i
                break
            if first[i] != i:
                ids[i] = ids[first[i]]
    if bad >= 0:
        raise IndexError(f"the first symbol with the hash of {bad} is not before it")
