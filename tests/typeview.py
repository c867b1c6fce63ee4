"""Type descriptors read one at a time: the obvious reader, to hold the columns of many against.

See linkpipe/gotypes/layout.py for what is where, and data.py for reading many at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import attrs
import numpy as np

from linkpipe.arrays.types import Ints
from linkpipe.gotypes.data import TypeData
from linkpipe.gotypes.layout import NAME_EMBEDDED, TFLAG_EXTRA_STAR, TFLAG_UNCOMMON, UNCOMMON_SIZE


class Field(NamedTuple):
    """A field of a struct: ``type`` is a symbol, ``offset`` in bytes."""

    name: bytes
    type: int
    offset: int
    embedded: bool


@attrs.define(eq=False)
class TypeView:
    """One type descriptor.

    Attributes:
        symbol: its id.
        data: its bytes.
        refs: offset -> target of the relocation there.
    """

    owner: TypeData
    symbol: int
    data: bytes | memoryview
    refs: dict[int, int]

    def _int(self, at: int, size: int) -> int:
        if at + size > len(self.data):
            self.owner.cut_short(self.symbol, at + size)
        return int.from_bytes(self.data[at : at + size], self.owner.layout.byteorder)

    @property
    def kind(self) -> int:
        """See Kind."""
        return self._int(self.owner.layout.tflag + 3, 1)

    @property
    def tflag(self) -> int:
        """TFLAG_* bits."""
        return self._int(self.owner.layout.tflag, 1)

    @property
    def size(self) -> int:
        """Bytes of a value."""
        return self._int(0, self.owner.layout.ptrsize)

    @property
    def ptrdata(self) -> int:
        """Leading bytes of a value that can hold pointers."""
        return self._int(self.owner.layout.ptrsize, self.owner.layout.ptrsize)

    @property
    def string(self) -> bytes:
        """The type's string form."""
        text = self._name(self.owner.layout.string)
        return text[1:] if self.tflag & TFLAG_EXTRA_STAR else text

    @property
    def elem(self) -> int:
        """Element type of an array, channel, pointer, slice; key type of a map."""
        return self.refs.get(self.owner.layout.common, 0)

    @property
    def map_elem(self) -> int:
        """Element type of a map."""
        return self.refs.get(self.owner.layout.common + self.owner.layout.ptrsize, 0)

    @property
    def map_group(self) -> int:
        """Type of a map's slot group."""
        return self.refs.get(self.owner.layout.common + 2 * self.owner.layout.ptrsize, 0)

    @property
    def length(self) -> int:
        """Length of an array; number of fields of a struct, of methods of an interface."""
        return self._int(
            self.owner.layout.common + 2 * self.owner.layout.ptrsize, self.owner.layout.ptrsize
        )

    @property
    def variadic(self) -> bool:
        """Whether a function's last parameter is ``...``."""
        return bool(self._int(self.owner.layout.common + 2, 2) & 0x8000)

    @property
    def params(self) -> list[int]:
        """Types of a function's parameters."""
        return self._signature(0, self._int(self.owner.layout.common, 2))

    @property
    def results(self) -> list[int]:
        """Types of a function's results."""
        count = self._int(self.owner.layout.common + 2, 2) & 0x7FFF
        return self._signature(self._int(self.owner.layout.common, 2), count)

    @property
    def fields(self) -> list[Field]:
        """Fields of a struct, in order."""
        word = self.owner.layout.ptrsize
        need = self._tail + 3 * word * self.length
        # Without fields the last bytes may be missing: an unused word that nobody writes.
        if self.length and need > len(self.data):
            self.owner.cut_short(self.symbol, need)
        out = []
        for at in range(self._tail, self._tail + 3 * word * self.length, 3 * word):
            name = self.refs.get(at, 0)
            flags = self.owner.symbols.data(name) if name else b""
            embedded = bool(flags) and bool(flags[0] & NAME_EMBEDDED)
            out.append(
                Field(
                    self._name(at),
                    self.refs.get(at + word, 0),
                    self._int(at + 2 * word, word),
                    embedded,
                )
            )
        return out

    @property
    def _tail(self) -> int:
        """Where what follows the fixed parts starts."""
        extra = UNCOMMON_SIZE if self.tflag & TFLAG_UNCOMMON else 0
        return self.owner.layout.size_of_kind(self.kind) + extra

    def _signature(self, first: int, count: int) -> list[int]:
        word = self.owner.layout.ptrsize
        return [self.refs.get(self._tail + (first + i) * word, 0) for i in range(count)]

    def _name(self, at: int) -> bytes:
        name = self.refs.get(at, 0)
        if not name:
            return b""
        start, size = self.owner.names(np.array([name]))
        return self.owner.objects.arena.view(int(start[0]), int(size[0])).tobytes()


def views(types: TypeData, ids: Ints) -> Iterator[TypeView]:
    """One view for each type. Raises InputError for a symbol that is not a type."""
    types.check(ids)
    symbols = types.symbols
    relocs = types.objects.relocs(symbols.object[ids], symbols.local[ids])
    ends = np.cumsum(relocs.counts).tolist()
    offset, target = relocs.offset.tolist(), relocs.target.tolist()
    first = 0
    for sym, end in zip(ids.tolist(), ends, strict=True):
        # Reversed, so that the first of several relocations at an offset counts.
        pairs = zip(offset[first:end][::-1], target[first:end][::-1], strict=True)
        yield TypeView(types, sym, symbols.data(sym), dict(pairs))
        first = end
