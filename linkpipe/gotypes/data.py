"""Type descriptors, read by the thousand.

Pointers from a descriptor to other descriptors and to names are relocations, so it is read
from two places: its bytes (in the target's byte order), and the relocation at an offset.
``TypeData`` reads many descriptors at once, column by column: what reachability and the
garbage collector's masks need. See layout.py for what is where.

Source: cmd/link/internal/ld/decodesym.go.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, NoReturn

import numpy as np

from linkpipe.arrays.ragged import owners, slices
from linkpipe.arrays.types import I32, I64, U8, Ints
from linkpipe.errors import InputError
from linkpipe.formats.leb128 import ulebs_at
from linkpipe.gotypes.layout import (
    METHOD_SIZE,
    TFLAG_EXTRA_STAR,
    TFLAG_UNCOMMON,
    UNCOMMON_SIZE,
    TypeLayout,
)
from linkpipe.kernels.spans import copy_spans
from linkpipe.tables.faults import file_with
from linkpipe.tables.objects import NOWHERE, Objects, RelocColumns
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.symbols import Symbols


class Methods(NamedTuple):
    """The method arrays of some types: ``first`` int64 (offset of the array in the descriptor)
    and ``counts`` int64; types without an uncommon part have none."""

    first: I64
    counts: I64


class Texts(NamedTuple):
    """n texts, of which each is the ``size`` bytes from ``at`` on of ``text``: int64[n] both."""

    text: U8
    at: I64
    size: I64

    def list(self) -> list[bytes]:
        """Each by itself."""
        return slices(self.text, self.at, self.size)


def targets_at(counts: Ints, offsets: Ints, targets: I32, wanted: Ints) -> I32:
    """The target of each symbol's first relocation at the wanted offset, 0: none. int32[n].

    ``counts`` relocations for each of n symbols, one after another.

    ``[next((t for o, t in symbol_relocs if o == w), 0) for symbol_relocs, w in ...]``
    """
    owner = owners(counts)
    hits = np.flatnonzero(offsets == wanted[owner])
    out = np.zeros(len(counts), np.int32)
    out[owner[hits[::-1]]] = targets[hits[::-1]]  # backwards: the first one is written last
    return out


class Targets(NamedTuple):
    """Relocations of some types, sorted by type and offset: ``keys`` int64[k], ``target``
    int64[k]."""

    types: TypeData
    ids: I64
    keys: I64
    target: I64

    def find(self, owner: I64, offset: I64) -> I64:
        """The target of each type's first relocation at an offset, 0: none. int64[n]; ``owner``
        int64[n], rows of ``ids``."""
        wanted = (owner << 32) | offset
        place = np.minimum(np.searchsorted(self.keys, wanted), max(len(self.keys) - 1, 0))
        if not len(self.keys):
            return np.zeros(len(wanted), np.int64)
        found = np.where(self.keys[place] == wanted, self.target[place], 0)
        self.types.need(self.ids[owner], found)
        return found


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
        form = objects.format
        self.layout = TypeLayout(ptrsize, byteorder, form.map_words, form.kind_mask)

    def check(self, ids: Ints, size: int | None = None) -> None:
        """Raise InputError when one of the symbols has no data, or less than a type's head
        (or ``size`` bytes)."""
        need = self.layout.common if size is None else size
        bad = np.flatnonzero((self.symbols.data_size[ids] < need) | (self.symbols.data_at[ids] < 0))
        if len(bad):
            self.cut_short(int(ids[bad[0]]), need)

    def word(self, ids: Ints, offsets: Ints | int, size: int) -> I64:
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

    def sizes(self, ids: Ints) -> I64:
        """The size of a value of each type, bytes: int64[n]."""
        return self.word(ids, 0, self.layout.ptrsize)

    def ptrdata(self, ids: Ints) -> I64:
        """The leading bytes of each type that can hold pointers: int64[n]."""
        return self.word(ids, self.layout.ptrsize, self.layout.ptrsize)

    def tflags(self, ids: Ints) -> I64:
        """The flags (TFLAG_*) of each type: int64[n]."""
        return self.word(ids, self.layout.tflag, 1)

    def kinds(self, ids: Ints) -> I64:
        """The kind of each type: int64[n]."""
        return self.word(ids, self.layout.tflag + 3, 1) & self.layout.kind_mask

    def targets(self, ids: Ints, offsets: Ints | int) -> I32:
        """The symbol that each type's relocation at that offset refers to, 0: none. int32[n]."""
        relocs = self.relocs(ids)
        wanted = np.broadcast_to(np.asarray(offsets, np.int64), (len(ids),))
        found = targets_at(relocs.counts, relocs.offset, relocs.target, wanted)
        self.need(ids, found)
        return found

    def relocs(self, ids: Ints) -> RelocColumns:
        """The types' relocations; a target that is used is to be given to `need`."""
        return self.objects.relocs_singly(self.symbols.object[ids], self.symbols.local[ids])

    def sorted_targets(self, ids: I64) -> Targets:
        """The targets of the types' relocations, to be asked for by offset."""
        relocs = self.relocs(ids)
        keys = (owners(relocs.counts) << 32) | relocs.offset
        order = np.argsort(keys, kind="stable")
        return Targets(self, ids, keys[order], relocs.target[order].astype(np.int64))

    def need(self, ids: Ints, targets: Ints) -> None:
        """Raise InputError when one of these targets of relocations, of the types ``ids``, is a
        symbol that there is not."""
        bad = ids[targets == NOWHERE]
        self.objects.refuse(self.symbols.object[bad], self.symbols.local[bad])
        if len(bad):
            raise self.wrong(int(bad[0]), "the type refers to a symbol that there is not")

    def methods(self, ids: Ints) -> Methods:
        """Where each type's methods are. Raises InputError when they lie outside of its data."""
        self.check(ids)
        size = self.symbols.data_size[ids]
        has = (self.tflags(ids) & TFLAG_UNCOMMON) != 0
        at = self.layout.sizes_by_kind()[self.kinds(ids)]
        over = np.flatnonzero(has & (at + UNCOMMON_SIZE > size))
        if len(over):
            self.cut_short(int(ids[over[0]]), int(at[over[0]]) + UNCOMMON_SIZE)
        at = np.where(has, at, 0)
        count = np.where(has, self.word(ids, at + 4, 2), 0)
        first = np.where(has, at + self.word(ids, at + 8, 4), 0)
        over = np.flatnonzero(first + count * METHOD_SIZE > size)
        if len(over):
            self.cut_short(int(ids[over[0]]), int((first + count * METHOD_SIZE)[over[0]]))
        return Methods(first, count)

    def names(self, ids: Ints) -> tuple[I64, I64]:
        """Where the text of each name symbol lies: arena offsets and sizes, int64 each.

        A name is a byte of flags, its length as LEB128, and its bytes (internal/abi/type.go, Name).
        """
        self.check(ids, 2)
        start, size = self.symbols.data_at[ids], self.symbols.data_size[ids]
        length, at = ulebs_at(self.objects.arena.bytes, start + 1, start + size)
        need = at + length - start
        bad = np.flatnonzero(need > size)
        if len(bad):
            self.cut_short(int(ids[bad[0]]), int(need[bad[0]]))
        return at, length

    def texts(self, ids: Ints) -> Texts:
        """The text of each name symbol, whether it lies in an object or was made."""
        inside = self.symbols.data_at[ids] >= 0
        begin, size = np.zeros(len(ids), np.int64), np.zeros(len(ids), np.int64)
        begin[inside], size[inside] = self.names(ids[inside])
        made = {}
        for row in np.flatnonzero(~inside).tolist():
            sym = int(ids[row])
            data = np.frombuffer(self.symbols.contents.get(sym, b""), np.uint8)
            end = np.array([len(data)])
            length, start = ulebs_at(data, np.ones(1, np.int64), end)
            if start[0] + length[0] > end[0]:
                self.cut_short(sym, int(start[0] + length[0]))
            made[row] = data[start[0] : start[0] + length[0]]
        copied = size.copy()
        size[list(made)] = [len(text) for text in made.values()]
        at = np.cumsum(size) - size
        out = np.empty(int(size.sum()), np.uint8)
        copy_spans(out, at, self.objects.arena.bytes, begin, copied)
        for row, text in made.items():
            out[at[row] : at[row] + len(text)] = text
        return Texts(out, at, size)

    def strings(self, ids: Ints, relocs: Relocs) -> Texts:
        """The string form of each type, by what it refers to in ``relocs``. Raises InputError for
        one that has none."""
        self.check(ids)
        rows, counts = relocs.rows_of_many(ids)
        wanted = np.full(len(ids), self.layout.string, np.int64)
        names = targets_at(counts, relocs.offset[rows], relocs.target[rows], wanted)
        for sym in ids[names == 0][:1].tolist():
            raise self.wrong(sym, "type descriptor without a name")
        star = (self.tflags(ids) & TFLAG_EXTRA_STAR) != 0
        text, at, size = self.texts(names)
        star &= size > 0
        return Texts(text, at + star, size - star)

    def cut_short(self, sym: int, need: int) -> NoReturn:
        """Raise the error for a symbol that has less than ``need`` bytes."""
        raise self.wrong(
            sym,
            "type data is cut short",
            expected=f"at least {need} bytes",
            found=f"{int(self.symbols.data_size[sym])} bytes",
        )

    def wrong(
        self,
        sym: int,
        message: str,
        *,
        expected: str = "",
        found: str = "",
        status: int | None = None,
    ) -> InputError:
        """An error about a symbol. One that nobody defines is named with a file that refers to it:
        it may have no name."""
        return InputError(
            message,
            symbol=self.symbols.name(sym),
            file=file_with([sym], self.symbols, self.objects),
            remedy="rebuild the package with the Go version that links it",
            expected=expected,
            found=found,
            status=status,
        )
