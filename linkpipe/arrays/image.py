"""Words in the output image: many at once, at unaligned places, in either byte order.

Some hundred thousand are patched into an output. They are held to the loops in their docstrings by
property tests.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from linkpipe.arrays.types import I64, U8, Structs


def _pieces(buffer: U8, size: int) -> Structs:
    """A view of all pieces of ``size`` bytes, overlapping: element i starts at byte i."""
    count = max(len(buffer) - size + 1, 0)
    return np.ndarray((count,), f"V{size}", buffer=buffer.data, strides=(1,))


def put_words(image: U8, at: I64, values: I64, width: int, endian: str) -> None:
    """Store the low ``width`` bytes (1, 2, 4, 8) of each value at its place.

    ``for p, v in zip(at, values): image[p : p + width] = (v % 2 ** (8 * width)).to_bytes(...)``
    """
    words = np.ascontiguousarray(values.astype(f"{endian}i{width}"))
    _pieces(image, width)[at] = words.view(f"V{width}")


def get_words(image: U8, at: I64, width: int, endian: str) -> npt.NDArray[Any]:
    """The unsigned words of ``width`` bytes at the places ``at``."""
    return _pieces(image, width)[at].view(f"{endian}u{width}")
