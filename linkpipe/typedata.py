"""Type descriptors: what the compiler wrote for the runtime about each Go type.

A type descriptor is a data symbol ``type:T``: a common head, a tail that depends on the
kind, and, for types with methods, an "uncommon" part and an array of methods. Pointers
to other descriptors and to names are relocations, so a descriptor is read from two
places: its bytes, and the relocation at an offset.

``TypeData`` reads many descriptors at once, column by column (what reachability and the
garbage collector's masks need); ``TypeData.views`` gives one object for each, for those
who walk types one by one (debug information).

Source: internal/abi/type.go, internal/abi/compiletype.go,
cmd/link/internal/ld/decodesym.go. Bytes are in the target's byte order.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Any, Literal, NamedTuple

import attrs
import numpy as np
import numpy.typing as npt

from linkpipe.errors import InputError
from linkpipe.tables.objects import Objects
from linkpipe.tables.ragged import owners
from linkpipe.tables.symbols import Symbols

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
Ids = npt.NDArray[np.integer[Any]]


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
TFLAG_NAMED = 1 << 2
TFLAG_REGULAR_MEMORY = 1 << 3
TFLAG_GC_MASK_ON_DEMAND = 1 << 4
"""The pointer mask is built at run time; the descriptor points to room for a pointer to it."""
TFLAG_DIRECT_IFACE = 1 << 5

UNCOMMON_SIZE = 16
METHOD_SIZE = 16
"""A method: offsets of its name, its type, and its two entry points, 4 bytes each."""
NAME_EMBEDDED = 1 << 3


@attrs.frozen
class TypeLayout:
    """Where the fields of a descriptor are, for one pointer size: offsets and sizes in bytes."""

    ptrsize: int
    byteorder: Literal["little", "big"]

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
        words = {
            Kind.STRUCT: 4,
            Kind.POINTER: 1,
            Kind.FUNC: 1,
            Kind.SLICE: 1,
            Kind.ARRAY: 3,
            Kind.CHAN: 2,
            Kind.MAP: 11,  # the last one holds four bytes of flags
            Kind.INTERFACE: 4,
        }
        sizes = np.full(256, self.common, np.int64)
        for kind, count in words.items():
            sizes[kind] += count * self.ptrsize
        return sizes


class Methods(NamedTuple):
    """The method arrays of some types: ``first`` int64 (offset of the array in the descriptor)
    and ``counts`` int64; types without an uncommon part have none."""

    first: I64
    counts: I64


class Field(NamedTuple):
    """A field of a struct: ``type`` is a symbol, ``offset`` in bytes."""

    name: bytes
    type: int
    offset: int
    embedded: bool


def targets_at(counts: Ids, offsets: Ids, targets: I32, wanted: Ids) -> I32:
    """The target of each symbol's first relocation at the wanted offset, 0: none. int32[n].

    ``counts`` relocations for each of n symbols, one after another.

    ``[next((t for o, t in symbol_relocs if o == w), 0) for symbol_relocs, w in ...]``
    """
    owner = owners(counts)
    hits = np.flatnonzero(offsets == wanted[owner])
    out = np.zeros(len(counts), np.int32)
    out[owner[hits[::-1]]] = targets[hits[::-1]]  # backwards: the first one is written last
    return out


class TypeData:
    """Reads type descriptors of ``symbols``, whose relocations are in ``objects``."""

    def __init__(
        self,
        symbols: Symbols,
        objects: Objects,
        ptrsize: int,
        byteorder: Literal["little", "big"] = "little",
    ) -> None:
        self.symbols = symbols
        self.objects = objects
        self.layout = TypeLayout(ptrsize, byteorder)

    def check(self, ids: Ids, size: int | None = None) -> None:
        """Raise InputError when one of the symbols has no data, or less than a type's head
        (or ``size`` bytes)."""
        need = self.layout.common if size is None else size
        bad = np.flatnonzero((self.symbols.data_size[ids] < need) | (self.symbols.data_at[ids] < 0))
        if len(bad):
            self._short(int(ids[bad[0]]), need)

    def word(self, ids: Ids, offsets: Ids | int, size: int) -> I64:
        """The unsigned integers of ``size`` (1, 2, 4, 8) bytes at these offsets: int64[n].

        ``offsets + size`` must lie in the symbols' data (see ``check``).
        """
        at = self.symbols.data_at[ids] + offsets
        raw = self.objects.arena.u64(at)
        if self.layout.byteorder == "big":
            raw = raw.byteswap() >> np.uint64(64 - 8 * size)
        elif size < 8:
            raw &= np.uint64((1 << (8 * size)) - 1)
        return raw.view(np.int64)

    def sizes(self, ids: Ids) -> I64:
        """The size of a value of each type, bytes: int64[n]."""
        return self.word(ids, 0, self.layout.ptrsize)

    def ptrdata(self, ids: Ids) -> I64:
        """The leading bytes of each type that can hold pointers: int64[n]."""
        return self.word(ids, self.layout.ptrsize, self.layout.ptrsize)

    def tflags(self, ids: Ids) -> I64:
        """The flags (TFLAG_*) of each type: int64[n]."""
        return self.word(ids, self.layout.tflag, 1)

    def kinds(self, ids: Ids) -> I64:
        """The kind of each type: int64[n]."""
        return self.word(ids, self.layout.tflag + 3, 1)

    def targets(self, ids: Ids, offsets: Ids | int) -> I32:
        """The symbol that each type's relocation at that offset refers to, 0: none. int32[n]."""
        relocs = self.objects.relocs(self.symbols.object[ids], self.symbols.local[ids])
        wanted = np.broadcast_to(np.asarray(offsets, np.int64), (len(ids),))
        return targets_at(relocs.counts, relocs.offset, relocs.target, wanted)

    def gcmasks(self, ids: Ids) -> I32:
        """The symbols whose data is each type's pointer mask, 1 bit for each word of ``ptrdata``
        (or, with TFLAG_GC_MASK_ON_DEMAND, room for a pointer): int32[n]."""
        return self.targets(ids, self.layout.gcdata)

    def methods(self, ids: Ids) -> Methods:
        """Where each type's methods are. Raises InputError when they lie outside of its data."""
        self.check(ids)
        size = self.symbols.data_size[ids]
        has = (self.tflags(ids) & TFLAG_UNCOMMON) != 0
        at = self.layout.sizes_by_kind()[self.kinds(ids)]
        over = np.flatnonzero(has & (at + UNCOMMON_SIZE > size))
        if len(over):
            self._short(int(ids[over[0]]), int(at[over[0]]) + UNCOMMON_SIZE)
        at = np.where(has, at, 0)
        count = np.where(has, self.word(ids, at + 4, 2), 0)
        first = np.where(has, at + self.word(ids, at + 8, 4), 0)
        over = np.flatnonzero(first + count * METHOD_SIZE > size)
        if len(over):
            self._short(int(ids[over[0]]), int((first + count * METHOD_SIZE)[over[0]]))
        return Methods(first, count)

    def names(self, ids: Ids) -> tuple[I64, I64]:
        """Where the text of each name symbol lies: arena offsets and sizes, int64 each.

        A name is a byte of flags, its length as a varint, and its bytes.
        """
        self.check(ids, 2)
        whole = self.symbols.data_size[ids]
        length, shift, used = np.zeros(len(ids), np.int64), 0, np.ones(len(ids), np.int64)
        more = np.arange(len(ids))
        while len(more) and shift < 35:
            byte = self.word(ids[more], used[more], 1)
            length[more] |= (byte & 0x7F) << shift
            used[more] += 1
            shift += 7
            more = more[(byte & 0x80) != 0]
            if (used[more] >= whole[more]).any():
                break
        bad = np.flatnonzero(used + length > whole)
        if len(more) or len(bad):
            self._short(int(ids[more[0] if len(more) else bad[0]]), int((used + length).max()))
        return self.symbols.data_at[ids] + used, length

    def views(self, ids: Ids) -> Iterator[TypeView]:
        """One view for each type."""
        self.check(ids)
        relocs = self.objects.relocs(self.symbols.object[ids], self.symbols.local[ids])
        ends = np.cumsum(relocs.counts).tolist()
        offset, target = relocs.offset.tolist(), relocs.target.tolist()
        first = 0
        for sym, end in zip(ids.tolist(), ends, strict=True):
            # Reversed, so that the first of several relocations at an offset counts.
            pairs = zip(offset[first:end][::-1], target[first:end][::-1], strict=True)
            yield TypeView(self, sym, self.symbols.data(sym), dict(pairs))
            first = end

    def view(self, sym: int) -> TypeView:
        """The view of one type."""
        return next(self.views(np.array([sym])))

    def _short(self, sym: int, need: int) -> None:
        raise InputError(
            "type data is cut short",
            symbol=self.symbols.name(sym),
            file=self.objects.names[int(self.symbols.object[sym])],
            expected=f"at least {need} bytes",
            found=f"{int(self.symbols.data_size[sym])} bytes",
            remedy="rebuild the package with the Go version that links it",
        )


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
            self.owner._short(self.symbol, at + size)
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
        if need > len(self.data):
            self.owner._short(self.symbol, need)
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
