"""Names of symbols: where they lie in the arena, and how they are found again.

A name is never decoded unless somebody asks. To compare names by the hundred
thousand they are hashed to 64 bits, eight bytes at a time, all names at once; the
symbol table keeps the hashes sorted and looks names up by binary search.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from linkpipe.arrays.types import I64, U64, Bool, Ints

_I1, _I2, _I3 = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_K1, _K2, _K3 = np.uint64(_I1), np.uint64(_I2), np.uint64(_I3)
_ALL = 2**64 - 1
_MASKS = np.array([(1 << (8 * n)) - 1 for n in range(9)], np.uint64)
_EACH = np.uint64(0x0101010101010101)
_S1 = np.uint64(29)
_S2 = np.uint64(32)


def _mix(word: U64, position: int) -> U64:
    """A word and its place in the name, scrambled so that a plain sum keeps them apart."""
    x = (word + np.uint64(position * _I1 & _ALL)) * _K2
    x ^= x >> _S1
    x *= _K3
    x ^= x >> _S2
    return x


def _finish(total: U64, length: U64, version: U64) -> U64:
    x = total + length * _K3 + version * _K2
    x ^= x >> _S2
    x *= _K1
    x ^= x >> _S1
    return x


def hash_names(
    words_at: Callable[[I64], U64],
    at: I64,
    length: Ints,
    version: Ints,
) -> U64:
    """64-bit hashes of (name, version) for the names at ``at``: uint64[n].

    Names are read in words of eight little-endian bytes, the last one padded with zeros;
    the hash is the sum of the scrambled words, scrambled again with length and version.
    ``words_at(at)`` gives the words that start at those (unaligned) offsets, ``Arena.u64``.

    ``[hash_name(name(i), version[i]) for i in range(n)]``
    """
    words = (length.astype(np.int32) + 7) >> 3
    order = np.argsort(words)
    # Sorted by number of words, the names that have an i-th word are a slice at the end.
    at, left = at[order], length[order].astype(np.int64)
    starts = np.searchsorted(words[order], np.arange(words.max(initial=0)), side="right")
    total = np.zeros(len(at), np.uint64)
    for i, start in enumerate(starts.tolist()):
        word = words_at(at[start:] + 8 * i)
        word &= _MASKS[np.minimum(left[start:] - 8 * i, 8)]
        total[start:] += _mix(word, i + 1)
    out = np.empty(len(at), np.uint64)
    out[order] = total
    return _finish(out, length.astype(np.uint64), version.astype(np.int64).view(np.uint64))


def hash_name(name: bytes, version: int) -> int:
    """The hash of one name, by the same rule as ``hash_names``; in plain integers, which for one
    name is ten times as fast as arrays."""
    size = len(name)
    total = size * _I3 + version * _I2
    for i in range(0, size, 8):
        word = int.from_bytes(name[i : i + 8], "little")
        x = (word + (i // 8 + 1) * _I1) * _I2 & _ALL
        x = (x ^ x >> 29) * _I3 & _ALL
        total += x ^ x >> 32
    x = total & _ALL
    x = (x ^ x >> 32) * _I1 & _ALL
    return x ^ x >> 29


def hash_bytes(names: Sequence[bytes], versions: Sequence[int]) -> U64:
    """The hashes of names given as bytes: uint64[len(names)]."""
    length = np.array([len(name) for name in names], np.int64)
    text = np.frombuffer(b"".join(names) + bytes(8), np.uint8)
    view = np.ndarray((len(text) - 7,), "<u8", buffer=text.data, strides=(1,))
    at = np.cumsum(length) - length
    return hash_names(view.__getitem__, at, length, np.asarray(versions, np.int64))


def contain_byte(words_at: Callable[[I64], U64], at: I64, length: Ints, byte: int) -> Bool:
    """Whether each name contains a byte (below 128): bool[n].

    ``[bytes([byte]) in name(i) for i in range(n)]``
    """
    found = np.zeros(len(at), np.bool_)
    left = length.astype(np.int64)
    rows = np.flatnonzero(left > 0)
    start = 0
    while len(rows):
        word = words_at(at[rows] + start) ^ _EACH * np.uint64(byte)
        # Bytes past the name's end are made different from what is sought.
        word |= ~_MASKS[np.minimum(left[rows] - start, 8)]
        # A byte of zero borrows from its top bit (Hacker's Delight, 6-1).
        hit = ((word - _EACH) & ~word & (_EACH << np.uint64(7))) != 0
        found[rows] |= hit
        start += 8
        rows = rows[~hit & (left[rows] > start)]
    return found
