"""Moving bytes in bulk: many pieces at once between an input and the output image.

An output is tens of megabytes in some hundred thousand pieces of a few bytes each, and as many
words are patched into it. One Python statement a piece is too slow; these kernels take all of
them at once. They are held to the loops in their docstrings by property tests.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from linkpipe.arrays.types import I64, U8, Structs

_FEW = 12
"""Pieces of one size below which a loop is faster than a gather (measured: a gather costs some
4 us, a slice copied by a loop 0.3 us)."""


def _pieces(buffer: U8, size: int) -> Structs:
    """A view of all pieces of ``size`` bytes, overlapping: element i starts at byte i."""
    count = max(len(buffer) - size + 1, 0)
    return np.ndarray((count,), f"V{size}", buffer=buffer.data, strides=(1,))


def copy_spans(to: U8, to_at: I64, source: U8, source_at: I64, sizes: I64) -> None:
    """Copy ``sizes[i]`` bytes from ``source_at[i]`` to ``to_at[i]``, for every i.

    ``for a, b, n in zip(to_at, source_at, sizes): to[a : a + n] = source[b : b + n]``

    Pieces must not overlap in ``to``. Those of equal size are moved together.
    """
    order = np.argsort(sizes, kind="stable")
    sizes, to_at, source_at = sizes[order], to_at[order], source_at[order]
    first = np.flatnonzero(np.diff(sizes, prepend=-1))
    last = np.append(first, len(sizes))[1:]
    out, inp = memoryview(to), memoryview(source)
    for start, end, n in zip(first.tolist(), last.tolist(), sizes[first].tolist(), strict=True):
        if n == 0:
            continue
        if end - start >= _FEW:
            _pieces(to, n)[to_at[start:end]] = _pieces(source, n)[source_at[start:end]]
        else:
            rows = zip(to_at[start:end].tolist(), source_at[start:end].tolist(), strict=True)
            for a, b in rows:
                out[a : a + n] = inp[b : b + n]


def put_words(image: U8, at: I64, values: I64, width: int, endian: str) -> None:
    """Store the low ``width`` bytes (1, 2, 4, 8) of each value at its place.

    ``for p, v in zip(at, values): image[p : p + width] = (v % 2 ** (8 * width)).to_bytes(...)``
    """
    words = np.ascontiguousarray(values.astype(f"{endian}i{width}"))
    _pieces(image, width)[at] = words.view(f"V{width}")


def get_words(image: U8, at: I64, width: int, endian: str) -> npt.NDArray[Any]:
    """The unsigned words of ``width`` bytes at the places ``at``."""
    return _pieces(image, width)[at].view(f"{endian}u{width}")
