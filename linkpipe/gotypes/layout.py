"""Where the fields of a type descriptor are.

A type descriptor is a data symbol ``type:T``, which the compiler writes for the runtime: a
common head, a tail that depends on the kind, and, for types with methods, an "uncommon" part
and an array of methods. Source: internal/abi/type.go, internal/abi/compiletype.go.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import Literal

import numpy as np

from linkpipe.arrays.columns import frozen
from linkpipe.arrays.types import I64
from linkpipe.values import Value, record


class Kind(IntEnum):
    """The kind of a type (internal/abi/type.go, Kind)."""

    INVALID = 0
    BOOL = 1
    INT = 2
    INT8 = 3
    INT16 = 4
    INT32 = 5
    INT64 = 6
    UINT = 7
    UINT8 = 8
    UINT16 = 9
    UINT32 = 10
    UINT64 = 11
    UINTPTR = 12
    FLOAT32 = 13
    FLOAT64 = 14
    COMPLEX64 = 15
    COMPLEX128 = 16
    ARRAY = 17
    CHAN = 18
    FUNC = 19
    INTERFACE = 20
    MAP = 21
    POINTER = 22
    SLICE = 23
    STRING = 24
    STRUCT = 25
    UNSAFE_POINTER = 26


TFLAG_UNCOMMON = 1 << 0
TFLAG_EXTRA_STAR = 1 << 1
"""The name in the descriptor starts with a ``*`` that does not belong to it."""
TFLAG_GC_MASK_ON_DEMAND = 1 << 4
"""The pointer mask is built at run time; the descriptor points to room for a pointer to it."""

UNCOMMON_SIZE = 16
METHOD_SIZE = 16
"""A method: offsets of its name, its type, and its two entry points, 4 bytes each."""
NAME_EMBEDDED = 1 << 3


@record
class TypeLayout(Value):
    """Where the fields of a descriptor are, for one pointer size: offsets and sizes in bytes.
    ``map_words`` and ``kind_mask`` are the release's (linkpipe.release, ObjectFormat)."""

    ptrsize: int
    byteorder: Literal["little", "big"]
    map_words: int
    kind_mask: int

    @property
    def common(self) -> int:
        """Size of the common head."""
        return 4 * self.ptrsize + 16

    @property
    def tflag(self) -> int:
        """Offset of the flags; alignment and the kind (at +3) follow."""
        return 2 * self.ptrsize + 4

    @property
    def gcdata(self) -> int:
        """Offset of the pointer to the pointer mask."""
        return 3 * self.ptrsize + 8

    @property
    def string(self) -> int:
        """Offset of the reference to the type's string form."""
        return 4 * self.ptrsize + 8

    @property
    def itab_type(self) -> int:
        """Offset of the concrete type in an interface table."""
        return self.ptrsize

    def size_of_kind(self, kind: int) -> int:
        """Size of the head and the kind's own tail; what is uncommon comes after it."""
        return int(self.sizes_by_kind()[kind])

    def sizes_by_kind(self) -> I64:
        """``size_of_kind`` for every byte value: int64[256]."""
        return _sizes(self.common, self.ptrsize, self.map_words)


@cache
def _sizes(common: int, ptrsize: int, map_words: int) -> I64:
    words = {
        Kind.STRUCT: 4,
        Kind.POINTER: 1,
        Kind.FUNC: 1,
        Kind.SLICE: 1,
        Kind.ARRAY: 3,
        Kind.CHAN: 2,
        Kind.MAP: map_words,  # the last one holds four bytes of flags
        Kind.INTERFACE: 4,
    }
    sizes = np.full(256, common, np.int64)
    for kind, count in words.items():
        sizes[kind] += count * ptrsize
    return frozen(sizes)
