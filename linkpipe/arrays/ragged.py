"""Kernels over ragged rows: many ranges of different lengths, handled as one array.

Each function's docstring holds the slow, obvious version of what it computes; property
tests hold the two together.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from linkpipe.arrays.types import I64, U8, Bool, Ints
from linkpipe.kernels import spans

G = TypeVar("G", bound=np.generic)


def expand(starts: Ints, counts: Ints) -> I64:
    """All members of the ranges [start, start+count), concatenated: int64[sum(counts)].

    ``[x for s, n in zip(starts, counts) for x in range(s, s + n)]``
    """
    return spans.expand(
        np.ascontiguousarray(starts, np.int64), np.ascontiguousarray(counts, np.int64)
    )


def owners(counts: Ints) -> I64:
    """The row each member of ``expand`` belongs to: int64[sum(counts)].

    ``[i for i, n in enumerate(counts) for _ in range(n)]``
    """
    return np.repeat(np.arange(len(counts), dtype=np.int64), counts)


def offsets(counts: Ints) -> I64:
    """Where each row starts when rows are laid end to end, and the end: int64[n+1].

    ``[sum(counts[:i]) for i in range(n + 1)]``
    """
    out = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=out[1:])
    return out


def turns(begins: Ints, ends: Ints) -> I64:
    """Of ranges [begin, end), by their begins, the place of each among those that overlap with one
    another, directly or by way of others: int64[n], 0 for one that is the first, or alone.

    No two of one turn overlap.
    """
    here = np.arange(len(begins), dtype=np.int64)
    before = np.maximum.accumulate(ends)
    alone = np.ones(len(begins), np.bool_)
    alone[1:] = begins[1:] >= before[:-1]
    return here - np.maximum.accumulate(np.where(alone, here, 0))


def first_seen(keys: Ints, limit: int) -> Bool:
    """Which members of ``keys`` (all in [0, limit)) appear for the first time: bool[len(keys)].

    ``[key not in keys[:i] for i, key in enumerate(keys)]``
    """
    return spans.first_seen(np.ascontiguousarray(keys, np.int64), limit).view(np.bool_)


def seen_places(keys: Ints, limit: int) -> tuple[Bool, I64]:
    """The same, and for each number below ``limit`` its place among those that appear, in their
    order, int64[limit] (-1: never): for a limit that is not much larger than there are keys.

    ``order = list(dict.fromkeys(keys))``, then
    ``[order.index(k) if k in order else -1 for k in range(limit)]``
    """
    new = first_seen(keys, limit)
    place = np.full(limit, -1, np.int64)
    place[keys[new]] = np.arange(np.count_nonzero(new))
    return new, place


def sorting(keys: Ints) -> I64:
    """The places of ``keys`` by size, those of equal ones in their order: int64[n]. It is what
    np.argsort does with kind="stable", in a fifth of the time where the keys leave room for their
    places: the two are then sorted as one number.

    ``sorted(range(len(keys)), key=keys.__getitem__)``
    """
    bits = len(keys).bit_length()
    if not len(keys) or keys.min() < 0 or int(keys.max()) >> (63 - bits):
        return np.argsort(keys, kind="stable")
    both = np.left_shift(keys, bits, dtype=np.int64) | np.arange(len(keys))
    both.sort()
    return both & ((1 << bits) - 1)


def distinct(values: npt.NDArray[G]) -> npt.NDArray[G]:
    """The different values, ascending: ``sorted(set(values))``.

    What np.unique does, which imports a module for masked arrays and takes six milliseconds
    of every link to do so.
    """
    ordered = np.sort(values)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]


def slices(text: U8, at: Ints, size: Ints) -> list[bytes]:
    """``[text[a : a + n].tobytes() for a, n in zip(at, size)]``"""
    sizes = np.ascontiguousarray(size, np.int64)
    ends = np.cumsum(sizes + 1)
    whole = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    starts = ends - sizes - 1
    spans.copy_spans(whole, starts, text, np.ascontiguousarray(at, np.int64), sizes)
    joined = whole.tobytes()
    found = joined.split(b"\0")[:-1]
    if len(found) == len(sizes):
        return found
    # There are zeros in them.
    return [joined[a : a + n] for a, n in zip(starts.tolist(), sizes.tolist(), strict=True)]
