"""The sort of Go's standard library, for orders in which some things are equal.

``sort.Slice`` is not stable, but it is deterministic: where elements compare equal, their order
in the output is what this very algorithm (a pattern-defeating quicksort) leaves behind. The
oracle sorts type descriptors by their string with it, and strings repeat
(``*template.Template``), so the same bytes take the same algorithm.

No index comes from input: all lie between the ends of the range that is sorted. The types that
callers see, numpy's, stand in gosort.pyi. Source: sort/zsortfunc.go, sort/sort.go (xorshift,
nextPowerOfTwo), Go 1.19 and later.
"""

from __future__ import annotations

import cython
import numpy as np

_MAX_INSERTION = cython.declare(cython.longlong, 12)
_SHORTEST_NINTHER = cython.declare(cython.longlong, 50)
_SHORTEST_SHIFTING = cython.declare(cython.longlong, 50)
_MAX_STEPS = cython.declare(cython.int, 5)
_MAX_SWAPS = cython.declare(cython.int, 12)
_MASK = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _less(
    keys: cython.const[cython.longlong][::1],
    data: cython.longlong[::1],
    i: cython.longlong,
    j: cython.longlong,
) -> cython.bint:
    return keys[data[i]] < keys[data[j]]


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _swap(data: cython.longlong[::1], i: cython.longlong, j: cython.longlong) -> cython.void:
    kept: cython.longlong = data[i]
    data[i] = data[j]
    data[j] = kept


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _insertion_sort(
    keys: cython.const[cython.longlong][::1],
    data: cython.longlong[::1],
    a: cython.longlong,
    b: cython.longlong,
) -> cython.void:
    i: cython.longlong
    j: cython.longlong
    for i in range(a + 1, b):
        j = i
        while j > a and _less(keys, data, j, j - 1):
            _swap(data, j, j - 1)
            j -= 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _sift_down(
    keys: cython.const[cython.longlong][::1],
    data: cython.longlong[::1],
    first: cython.longlong,
    root: cython.longlong,
    end: cython.longlong,
) -> cython.void:
    child: cython.longlong = 2 * root + 1
    while child < end:
        if child + 1 < end and _less(keys, data, first + child, first + child + 1):
            child += 1
        if not _less(keys, data, first + root, first + child):
            return
        _swap(data, first + root, first + child)
        root = child
        child = 2 * root + 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _heap_sort(
    keys: cython.const[cython.longlong][::1],
    data: cython.longlong[::1],
    a: cython.longlong,
    b: cython.longlong,
) -> cython.void:
    size: cython.longlong = b - a
    i: cython.longlong
    for i in range((size - 1) // 2, -1, -1):
        _sift_down(keys, data, a, i, size)
    for i in range(size - 1, -1, -1):
        _swap(data, a, a + i)
        _sift_down(keys, data, a, 0, i)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _partition(
    keys: cython.const[cython.longlong][::1],
    data: cython.longlong[::1],
    a: cython.longlong,
    b: cython.longlong,
    pivot: cython.longlong,
) -> cython.longlong:
    """Smaller keys to the left of the pivot, the others to its right; where the pivot is now, as
    ``-1 - place`` if it was so before."""
    _swap(data, a, pivot)
    key: cython.longlong = keys[data[a]]
    i: cython.longlong = a + 1
    j: cython.longlong = b - 1
    swapped: cython.bint = False
    while True:
        while i <= j and keys[data[i]] < key:
            i += 1
        while i <= j and keys[data[j]] >= key:
            j -= 1
        if i > j:
            break
        _swap(data, i, j)
        i += 1
        j -= 1
        swapped = True
    _swap(data, j, a)
    return j if swapped else -1 - j


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _partition_equal(
    keys: cython.const[cython.longlong][::1],
    data: cython.longlong[::1],
    a: cython.longlong,
    b: cython.longlong,
    pivot: cython.longlong,
) -> cython.longlong:
    """Keys equal to the pivot's to the left, greater ones to the right; where those begin."""
    _swap(data, a, pivot)
    key: cython.longlong = keys[data[a]]
    i: cython.longlong = a + 1
    j: cython.longlong = b - 1
    while True:
        while i <= j and keys[data[i]] <= key:
            i += 1
        while i <= j and keys[data[j]] > key:
            j -= 1
        if i > j:
            return i
        _swap(data, i, j)
        i += 1
        j -= 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _insert_few(
    keys: cython.const[cython.longlong][::1],
    data: cython.longlong[::1],
    a: cython.longlong,
    b: cython.longlong,
) -> cython.bint:
    """Move a few elements that are out of order; whether all are in order then."""
    i: cython.longlong = a + 1
    j: cython.longlong
    for _ in range(_MAX_STEPS):
        while i < b and not _less(keys, data, i, i - 1):
            i += 1
        if i == b:
            return True
        if b - a < _SHORTEST_SHIFTING:
            return False
        _swap(data, i, i - 1)
        if i - a >= 2:
            # Go looks down to the start of all, not of the range.
            j = i - 1
            while j >= 1 and _less(keys, data, j, j - 1):
                _swap(data, j, j - 1)
                j -= 1
        if b - i >= 2:
            j = i + 1
            while j < b and _less(keys, data, j, j - 1):
                _swap(data, j, j - 1)
                j += 1
    return False


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _break_patterns(
    data: cython.longlong[::1], a: cython.longlong, b: cython.longlong
) -> cython.void:
    length: cython.longlong = b - a
    random: cython.ulonglong = cython.cast(cython.ulonglong, length)
    power: cython.ulonglong = 1
    while power <= cython.cast(cython.ulonglong, length):
        power = power << 1
    at: cython.longlong = a + length // 4 * 2 - 1
    other: cython.longlong
    step: cython.int
    for step in range(3):
        random ^= (random << 13) & _MASK
        random ^= random >> 7
        random ^= (random << 17) & _MASK
        other = cython.cast(cython.longlong, random & (power - 1))
        if other >= length:
            other -= length
        _swap(data, at + step, a + other)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _median(
    keys: cython.const[cython.longlong][::1],
    data: cython.longlong[::1],
    place: cython.longlong[::1],
    row: cython.int,
) -> cython.int:
    """Sort three places by what is there, place[row] and the next two, so that the median's comes
    second; how many were exchanged."""
    swaps: cython.int = 0
    if _less(keys, data, place[row + 1], place[row]):
        _swap(place, row, row + 1)
        swaps += 1
    if _less(keys, data, place[row + 2], place[row + 1]):
        _swap(place, row + 1, row + 2)
        swaps += 1
    if _less(keys, data, place[row + 1], place[row]):
        _swap(place, row, row + 1)
        swaps += 1
    return swaps


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _choose_pivot(
    keys: cython.const[cython.longlong][::1],
    data: cython.longlong[::1],
    a: cython.longlong,
    b: cython.longlong,
    place: cython.longlong[::1],
) -> cython.int:
    """Leave a pivot in place[1]; how many pairs were out of order on the way to it."""
    quarter: cython.longlong = (b - a) // 4
    swaps: cython.int = 0
    third: cython.int
    for third in range(3):
        place[third] = a + quarter * (third + 1)
    if b - a >= _SHORTEST_NINTHER:
        for third in range(3):
            place[3] = place[third] - 1
            place[4] = place[third]
            place[5] = place[third] + 1
            swaps += _median(keys, data, place, 3)
            place[third] = place[4]
    return swaps + _median(keys, data, place, 0)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _sort(
    keys: cython.const[cython.longlong][::1],
    data: cython.longlong[::1],
    a: cython.longlong,
    b: cython.longlong,
    limit: cython.int,
    place: cython.longlong[::1],
) -> cython.void:
    """Sort from ``a`` to ``b``; ``limit``: bad pivots that are put up with; ``place``: room for
    six."""
    balanced: cython.bint = True
    partitioned: cython.bint = True
    increasing: cython.bint
    length: cython.longlong
    pivot: cython.longlong
    i: cython.longlong
    swaps: cython.int
    while True:
        length = b - a
        if length <= _MAX_INSERTION:
            _insertion_sort(keys, data, a, b)
            return
        if limit == 0:
            _heap_sort(keys, data, a, b)
            return
        if not balanced:
            _break_patterns(data, a, b)
            limit -= 1
        swaps = _choose_pivot(keys, data, a, b, place)
        pivot = place[1]
        increasing = swaps == 0
        if swaps == _MAX_SWAPS:
            for i in range(length // 2):
                _swap(data, a + i, b - 1 - i)
            pivot = (b - 1) - (pivot - a)
            increasing = True
        if balanced and partitioned and increasing and _insert_few(keys, data, a, b):
            return
        if a > 0 and not _less(keys, data, a - 1, pivot):
            a = _partition_equal(keys, data, a, b, pivot)
            continue
        pivot = _partition(keys, data, a, b, pivot)
        partitioned = pivot < 0
        if partitioned:
            pivot = -1 - pivot
        balanced = min(pivot - a, b - pivot) >= length // 8
        if pivot - a < b - pivot:
            _sort(keys, data, a, pivot, limit, place)
            a = pivot + 1
        else:
            _sort(keys, data, pivot + 1, b, limit, place)
            b = pivot


def order(keys: cython.const[cython.longlong][::1], limit: cython.int = -1):
    """The indices of ``keys`` in the order into which ``sort.Slice`` brings them: int64[n].

    ``limit``: how many bad pivots are put up with before it turns to a heap sort; as many as Go
    does unless told otherwise.

    ``sorted(range(len(keys)), key=keys.__getitem__)``, but for the order of equal keys.
    """
    n: cython.longlong = keys.shape[0]
    out = np.arange(n)
    room = np.zeros(6, np.int64)
    data: cython.longlong[::1] = out
    place: cython.longlong[::1] = room
    pivots: cython.int = limit
    if pivots < 0:
        pivots = 0
        while n >> pivots:
            pivots += 1
    with cython.nogil:
        _sort(keys, data, 0, n, pivots, place)
    return out


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _compared(
    text: cython.const[cython.uchar][::1],
    a: cython.longlong,
    n: cython.longlong,
    b: cython.longlong,
    m: cython.longlong,
) -> cython.longlong:
    """Below 0, 0 or above: how the n bytes from a on compare with the m bytes from b on."""
    i: cython.longlong
    for i in range(min(n, m)):
        if text[a + i] != text[b + i]:
            return cython.cast(cython.longlong, text[a + i]) - text[b + i]
    return n - m


def ranks(
    text: cython.const[cython.uchar][::1],
    at: cython.const[cython.longlong][::1],
    size: cython.const[cython.longlong][::1],
):
    """The place of each text among all different ones, in the order of their bytes: int64[n]. Text
    i is the ``size[i]`` bytes from ``at[i]`` on. Raises IndexError for one that does not lie in
    ``text``.

    ``rank = {t: i for i, t in enumerate(sorted(set(texts)))}; [rank[t] for t in texts]``
    """
    n: cython.longlong = at.shape[0]
    if size.shape[0] != n:
        raise ValueError("at and size differ in length")
    i: cython.longlong
    j: cython.longlong
    k: cython.longlong
    a: cython.longlong
    b: cython.longlong
    middle: cython.longlong
    end: cython.longlong
    for i in range(n):
        if size[i] < 0 or not 0 <= at[i] <= text.shape[0] - size[i]:
            raise IndexError(f"text {i} does not lie in its bytes")
    # Runs that are sorted are merged, from one array into the other and back.
    sorted_ = np.arange(n)
    merged = np.empty(n, np.int64)
    ranked = np.empty(n, np.int64)
    this: cython.longlong[::1] = memoryview(sorted_)
    that: cython.longlong[::1] = memoryview(merged)
    rank: cython.longlong[::1] = memoryview(ranked)
    run: cython.longlong = 1
    with cython.nogil:
        while run < n:
            i = 0
            while i < n:
                middle = min(i + run, n)
                end = min(i + 2 * run, n)
                j = i
                k = middle
                while i < end:
                    a = this[j] if j < middle else 0
                    b = this[k] if k < end else 0
                    if k >= end or (
                        j < middle and _compared(text, at[a], size[a], at[b], size[b]) <= 0
                    ):
                        that[i] = a
                        j += 1
                    else:
                        that[i] = b
                        k += 1
                    i += 1
            this, that = that, this
            run *= 2
        k = -1
        for i in range(n):
            a = this[i]
            b = this[i - 1] if i else 0
            if i == 0 or _compared(text, at[a], size[a], at[b], size[b]) != 0:
                k += 1
            rank[a] = k
    return ranked
