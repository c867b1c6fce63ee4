"""The sort of Go's standard library, for orders in which some things are equal.

``sort.Slice`` is not stable, but it is deterministic: where elements compare equal, their order
in the output is what this very algorithm (a pattern-defeating quicksort) leaves behind. The
oracle sorts type descriptors by their string with it, and strings repeat
(``*template.Template``), so the same bytes take the same algorithm.

Source: sort/zsortfunc.go, sort/sort.go (xorshift, nextPowerOfTwo), Go 1.19 and later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

_MAX_INSERTION = 12
_SHORTEST_NINTHER = 50
_SHORTEST_SHIFTING = 50
_MAX_STEPS = 5
_MAX_SWAPS = 12
_U64 = (1 << 64) - 1


def go_sort_slice(keys: Sequence[int]) -> list[int]:
    """The indices of ``keys`` in the order into which ``sort.Slice`` brings them.

    It is ``sorted(range(len(keys)), key=keys.__getitem__)`` but for the order of equal keys.
    """
    order = sorted(range(len(keys)), key=keys.__getitem__)
    if all(keys[a] != keys[b] for a, b in pairwise(order)):
        return order
    sorter = _Sorter(keys)
    sorter.sort(0, len(keys), len(keys).bit_length())
    return sorter.data


class _Sorter:
    """Indices being sorted by their keys; ranges are half open."""

    def __init__(self, keys: Sequence[int]) -> None:
        self.keys = keys
        self.key: Callable[[int], int] = keys.__getitem__
        self.data = list(range(len(keys)))

    def less(self, i: int, j: int) -> bool:
        return self.keys[self.data[i]] < self.keys[self.data[j]]

    def swap(self, i: int, j: int) -> None:
        data = self.data
        data[i], data[j] = data[j], data[i]

    def sort(self, a: int, b: int, limit: int) -> None:
        """``limit``: bad pivots that are put up with."""
        balanced = partitioned = True
        while True:
            length = b - a
            if length <= _MAX_INSERTION:
                # Insertion sort, which is stable as the built-in is.
                self.data[a:b] = sorted(self.data[a:b], key=self.key)
                return
            if limit == 0:
                self._heap_sort(a, b)
                return
            if not balanced:
                self._break_patterns(a, b)
                limit -= 1
            pivot, swaps = self._choose_pivot(a, b)
            increasing = swaps == 0
            if swaps == _MAX_SWAPS:
                self.data[a:b] = self.data[a:b][::-1]
                pivot = (b - 1) - (pivot - a)
                increasing = True
            if balanced and partitioned and increasing and self._insert_few(a, b):
                return
            if a > 0 and not self.less(a - 1, pivot):
                a = self._partition_equal(a, b, pivot)
                continue
            middle, partitioned = self._partition(a, b, pivot)
            left, right = middle - a, b - middle
            balanced = min(left, right) >= length // 8
            if left < right:
                self.sort(a, middle, limit)
                a = middle + 1
            else:
                self.sort(middle + 1, b, limit)
                b = middle

    def _partition(self, a: int, b: int, pivot: int) -> tuple[int, bool]:
        """Smaller keys to the left of the pivot, the others to its right; where the pivot is now,
        and whether it was so before."""
        self.swap(a, pivot)
        keys, data = self.keys, self.data
        key = keys[data[a]]
        i, j, swapped = a + 1, b - 1, False
        while True:
            while i <= j and keys[data[i]] < key:
                i += 1
            while i <= j and keys[data[j]] >= key:
                j -= 1
            if i > j:
                break
            data[i], data[j] = data[j], data[i]
            i, j, swapped = i + 1, j - 1, True
        self.swap(j, a)
        return j, not swapped

    def _partition_equal(self, a: int, b: int, pivot: int) -> int:
        """Keys equal to the pivot's to the left, greater ones to the right; where those begin."""
        self.swap(a, pivot)
        keys, data = self.keys, self.data
        key = keys[data[a]]
        i, j = a + 1, b - 1
        while True:
            while i <= j and keys[data[i]] <= key:
                i += 1
            while i <= j and keys[data[j]] > key:
                j -= 1
            if i > j:
                return i
            data[i], data[j] = data[j], data[i]
            i, j = i + 1, j - 1

    def _insert_few(self, a: int, b: int) -> bool:
        """Move a few elements that are out of order; whether all are in order then."""
        i = a + 1
        for _ in range(_MAX_STEPS):
            while i < b and not self.less(i, i - 1):
                i += 1
            if i == b:
                return True
            if b - a < _SHORTEST_SHIFTING:
                return False
            self.swap(i, i - 1)
            if i - a >= 2:
                for j in range(i - 1, 0, -1):
                    if not self.less(j, j - 1):
                        break
                    self.swap(j, j - 1)
            if b - i >= 2:
                for j in range(i + 1, b):
                    if not self.less(j, j - 1):
                        break
                    self.swap(j, j - 1)
        return False

    def _break_patterns(self, a: int, b: int) -> None:
        length = b - a
        random, mask = length, (1 << length.bit_length()) - 1
        middle = a + length // 4 * 2
        for at in range(middle - 1, middle + 2):
            random ^= random << 13 & _U64
            random ^= random >> 7
            random ^= random << 17 & _U64
            other = random & mask
            if other >= length:
                other -= length
            self.swap(at, a + other)

    def _choose_pivot(self, a: int, b: int) -> tuple[int, int]:
        """A pivot, and how many pairs were out of order on the way to it."""
        quarter = (b - a) // 4
        i, j, k = a + quarter, a + quarter * 2, a + quarter * 3
        swaps = 0
        if b - a >= _SHORTEST_NINTHER:
            i, swaps = self._median(i - 1, i, i + 1, swaps)
            j, swaps = self._median(j - 1, j, j + 1, swaps)
            k, swaps = self._median(k - 1, k, k + 1, swaps)
        return self._median(i, j, k, swaps)

    def _median(self, a: int, b: int, c: int, swaps: int) -> tuple[int, int]:
        if self.less(b, a):
            a, b, swaps = b, a, swaps + 1
        if self.less(c, b):
            b, c, swaps = c, b, swaps + 1
        if self.less(b, a):
            a, b, swaps = b, a, swaps + 1
        return b, swaps

    def _heap_sort(self, a: int, b: int) -> None:
        size = b - a
        for i in range((size - 1) // 2, -1, -1):
            self._sift_down(a, i, size)
        for i in range(size - 1, -1, -1):
            self.swap(a, a + i)
            self._sift_down(a, 0, i)

    def _sift_down(self, first: int, root: int, end: int) -> None:
        while (child := 2 * root + 1) < end:
            if child + 1 < end and self.less(first + child, first + child + 1):
                child += 1
            if not self.less(first + root, first + child):
                return
            self.swap(first + root, first + child)
            root = child
