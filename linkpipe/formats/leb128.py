"""LEB128: whole numbers, seven bits a byte, least significant first; a byte's high bit says that
another one follows. What Go calls a varint is the unsigned form.

Specification: the DWARF 5 standard, section 7.6.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.types import I64, U8, U64, Ints
from linkpipe.kernels import spans

_SHORT = tuple(bytes((value,)) for value in range(0x80))


def uleb(value: int) -> bytes:
    """One number as unsigned LEB128."""
    if 0 <= value <= 0x7F:
        return _SHORT[value]
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def sleb(value: int) -> bytes:
    """One number as signed LEB128."""
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


def uleb_sizes(values: Ints) -> I64:
    """How many bytes each number takes as unsigned LEB128: int64[n]; negative ones count as
    unsigned 64-bit numbers.

    ``[len(uleb(v % 2**64)) for v in values]``
    """
    return spans.uleb_sizes(_unsigned(values))


def put_leb(out: U8, at: Ints, values: Ints, sizes: Ints) -> None:
    """Write unsigned LEB128 numbers, each filled up to ``sizes[i]`` bytes, at ``at[i]``.

    ``for a, v, n in zip(at, values, sizes): out[a : a + n] = uleb(v % 2**64)``
    """
    places = np.ascontiguousarray(at, np.int64)
    spans.put_ulebs(out, places, _unsigned(values), np.ascontiguousarray(sizes, np.int64))


def _unsigned(values: Ints) -> U64:
    return np.ascontiguousarray(values.astype(np.int64, copy=False).view(np.uint64))


def ulebs_at(data: U8, at: I64, limit: I64) -> tuple[I64, I64]:
    """The unsigned number that stands at each place, and where it ends (exclusive): int64[n] each.

    ``[read_uleb(data[a:b]) for a, b in zip(at, limit)]``

    A number that is not whole before its limit, or has more than the five bytes of 32 bits, ends
    at ``limit + 1``.
    """
    values, ends = np.zeros(len(at), np.int64), limit + 1
    more = np.arange(len(at))
    for i in range(5):
        more = more[at[more] + i < limit[more]]
        byte = data[at[more] + i].astype(np.int64)
        values[more] |= (byte & 0x7F) << 7 * i
        whole = byte < 0x80
        ends[more[whole]] = at[more[whole]] + i + 1
        more = more[~whole]
    return values, ends


def zigzag(values: U64) -> I64:
    """Signed numbers from their zigzag form (0, -1, 1, -2 … as 0, 1, 2, 3 …): int64[n].

    ``[(v >> 1) ^ -(v & 1) for v in values]``
    """
    half = (values >> np.uint64(1)).astype(np.int64)
    return half ^ -(values & np.uint64(1)).astype(np.int64)
