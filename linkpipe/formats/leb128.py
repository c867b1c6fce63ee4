"""LEB128: whole numbers, seven bits a byte, least significant first; a byte's high bit says that
another one follows. What Go calls a varint is the unsigned form.

Specification: the DWARF 5 standard, section 7.6.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.types import I64, U8, U64, Ints

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
    out = np.ones(len(values), np.int64)
    rest = values.astype(np.int64).view(np.uint64) >> np.uint64(7)
    while rest.any():
        out += rest != 0
        rest >>= np.uint64(7)
    return out


def put_leb(out: U8, at: Ints, values: Ints, sizes: Ints) -> None:
    """Write LEB128 numbers of ``sizes[i]`` bytes at ``at[i]``: signed ones as int64, unsigned
    ones as uint64 (below 2**63 the two are the same).

    ``for a, v, n in zip(at, values, sizes): out[a : a + n] = uleb(v)`` (or sleb; padded to n)
    """
    rest = values if values.dtype == np.uint64 else values.astype(np.int64)
    at = np.asarray(at, np.int64)
    for i in range(int(sizes.max(initial=0))):
        more = sizes > i
        if not more.all():
            rest, at, sizes = rest[more], at[more], sizes[more]
        seven = rest & rest.dtype.type(0x7F)
        out[at + i] = seven.astype(np.uint8) | np.where(sizes > i + 1, 0x80, 0).astype(np.uint8)
        rest = rest >> rest.dtype.type(7)


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
