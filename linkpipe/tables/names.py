"""Names by the hundred thousand: where they lie in memory, which are equal, how one is found.

A name is never decoded unless somebody asks. Kernels compare names where they lie.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from linkpipe.arrays.threads import each, pieces
from linkpipe.arrays.types import I32, I64, U8, Bool
from linkpipe.kernels.names import find, group, hashes, renumber

# What names are hashed with in this process. Nobody can know it who writes an input.
_KEY = (int.from_bytes(os.urandom(8)), int.from_bytes(os.urandom(8)))


class Slots(NamedTuple):
    """A hash table of names: ``rows`` int32[2**k], a name's number or -1 for an empty slot; ``key``
    is what their hashes depend on."""

    rows: I32
    key: tuple[int, int]

    def renumbered(self, rows: I32, numbers: I32) -> Slots:
        """The same names under other numbers, ``numbers[rows[i]]`` for i, in the same memory: for
        who has them from `Names.lead`."""
        renumber(self.rows, rows, numbers)
        return self.frozen()

    def frozen(self) -> Slots:
        """The same; nobody can change them any more."""
        self.rows.setflags(write=False)
        return self


class Names(NamedTuple):
    """Names in one array of bytes, each with a number that tells names apart as well (a symbol's
    version): name i is ``text[at[i] : at[i] + size[i]]`` with ``tag[i]``.

    ``text`` uint8, ``at`` int64[n], ``size`` and ``tag`` int32[n].
    """

    text: U8
    at: I64
    size: I32
    tag: I32

    @classmethod
    def of(cls, names: Sequence[bytes], tags: Sequence[int]) -> Names:
        """Names given as bytes."""
        size = np.array([len(name) for name in names], np.int32)
        text = np.frombuffer(b"".join(names), np.uint8)
        at = np.cumsum(size, dtype=np.int64) - size
        return cls(text, at, size, np.asarray(tags, np.int32))

    def joined(self, others: Names) -> Names:
        """These names and the others, each once. Both lie in the same text, or there are none."""
        at = np.concatenate((self.at, others.at))
        size = np.concatenate((self.size, others.size))
        tag = np.concatenate((self.tag, others.tag))
        first, _ = Names(self.text, at, size, tag).group()
        new = np.flatnonzero(first == np.arange(len(first)))
        return Names(self.text, at[new], size[new], tag[new])

    def among(self, known: Names) -> Bool:
        """Whether each of these names is one of the known: bool[n]."""
        return self.find(known, known.group()[1]) >= 0

    def group(self) -> tuple[I32, Slots]:
        """For each name the number of the first that is equal to it, int32[n], and the hash table
        of these first ones. Raises IndexError for a name outside of the text."""
        first = np.empty(len(self.at), np.int32)
        return first, self.lead(np.arange(len(first), dtype=np.int32), 0, first).frozen()

    def lead(self, rows: I32, own: int, first: I32) -> Slots:
        """The same for the names ``rows`` alone, in their order: ``first`` int32[n] is changed for
        all of them but the first ``own``. In the hash table, which is not frozen yet, are places
        among ``rows``."""
        hashed = np.empty(len(rows), np.uint64)

        def hash_part(part: slice) -> None:
            hashes(*self, rows[part], *_KEY, hashed[part])

        each(hash_part, pieces(len(rows)))
        return Slots(group(*self, rows, hashed, own, first), _KEY)

    def find(self, known: Names, slots: Slots) -> I32:
        """The number of the known name that is equal to each, -1 where there is none: int32[n].
        ``slots`` is the hash table of the known names."""
        return find(*self, *known, slots.rows, *slots.key)


def as_bytes(name: str | bytes) -> bytes:
    """A name as objects spell it; surrogates stand for bytes that are not UTF-8."""
    return name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name
