"""Bytes moved in bulk: some hundred thousand pieces of a few bytes each, between an input and the
output. The types that callers see, numpy's, stand in spans.pyi."""

from __future__ import annotations

import cython


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
