"""Names of symbols: where they lie in the arena, and how they are found again.

A name is never decoded unless somebody asks. To compare names by the hundred
thousand they are hashed to 64 bits, eight bytes at a time, all names at once; the
symbol table keeps the hashes sorted and looks names up by binary search.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from linkpipe.formats.arena import Arena

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]

_K1 = np.uint64(0x9E3779B97F4A7C15)
_K2 = np.uint64(0xC2B2AE3D27D4EB4F)
_K3 = np.uint64(0x165667B19E3779F9)
_S1 = np.uint64(29)
_S2 = np.uint64(32)


def _mix(word: U64, position: U64) -> U64:
    """A word and its place in the name, scrambled so that a plain sum keeps them apart."""
    x = (word + position * _K1) * _K2
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
    arena: Arena, at: I64, length: npt.NDArray[np.integer], version: npt.NDArray[np.integer]
) -> U64:
    """64-bit hashes of (name, version) for the names at ``at``: uint64[n].

    Names are read in words of eight little-endian bytes, the last one padded with zeros;
    the hash is the sum of the scrambled words, scrambled again with length and version.
    """
    length = length.astype(np.int64)
    words = (length + 7) // 8
    total = np.zeros(len(at), np.uint64)
    order = np.argsort(words, kind="stable")
    sorted_words = words[order]
    deepest = int(sorted_words[-1]) if len(order) else 0
    masks = np.array([(1 << (8 * n)) - 1 for n in range(9)], np.uint64)
    for i in range(deepest):
        # Names that have an i-th word are the tail of the order.
        rows = order[np.searchsorted(sorted_words, i, side="right") :]
        word = arena.u64(at[rows] + 8 * i)
        left = np.minimum(length[rows] - 8 * i, 8)
        word &= masks[left]
        total[rows] += _mix(word, np.uint64(i + 1))
    return _finish(total, length.astype(np.uint64), version.astype(np.int64).view(np.uint64))


def hash_name(name: bytes, version: int) -> int:
    """The hash of one name, by the same rule as ``hash_names``."""
    n = len(name)
    words = np.frombuffer(name + b"\0" * (-n % 8), "<u8").astype(np.uint64)
    total = _mix(words, np.arange(1, len(words) + 1, dtype=np.uint64)).sum(dtype=np.uint64)
    one = _finish(
        np.array([total], np.uint64),
        np.array([n], np.uint64),
        np.array([version], np.int64).view(np.uint64),
    )
    return int(one[0])
