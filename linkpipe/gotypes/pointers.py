"""Where pointers lie in values of a Go type: what GC programs are made of.

The compiler gives most types a bit mask, one bit for each word. Structs and arrays are taken
apart into their members instead, so that an array costs one element and a repetition.

Types are read level by level, all of a level at once; what a type comes to is a short list that
is made once and used for each variable of the type. Source: cmd/link/internal/ld/data.go:1387
(GCProg.AddType), decodesym.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from linkpipe.arrays.ragged import expand, offsets, owners
from linkpipe.arrays.types import I64
from linkpipe.errors import InputError
from linkpipe.gotypes.data import Targets, TypeData
from linkpipe.gotypes.imported import ImportedTypes
from linkpipe.gotypes.layout import TFLAG_GC_MASK_ON_DEMAND, TFLAG_UNCOMMON, UNCOMMON_SIZE, Kind
from linkpipe.kernels.spans import copy_spans
from linkpipe.values import Value, record

Step = tuple[int, int, int]
"""A word that is a pointer, ``(word, 0, -1)``, or a repetition, ``(end, words, times)``: what ends
at word ``end`` is ``words`` long and comes ``times`` times more. Words count from the start of
the value."""


class Steps(NamedTuple):
    """The steps of types, in columns: those of type i are ``first[i]:first[i + 1]``. int64 all."""

    first: I64
    at: I64
    words: I64
    times: I64


_FAR = 1 << 61
"""No word lies as far as that; int64 has room for sums of such numbers."""


@record
class _Array(Value):
    elem: int
    length: int


@record
class _Struct(Value):
    fields: tuple[tuple[int, int], ...]  # (offset in bytes, type)


class PointerWords:
    """The steps for each of the types ``ids`` (and for those within them); ``imported`` reads those
    of shared libraries."""

    def __init__(
        self, types: TypeData, ids: Iterable[int], imported: ImportedTypes | None = None
    ) -> None:
        self._types, self._imported = types, imported
        self._ptrsize = types.layout.ptrsize
        self._size: dict[int, int] = {}
        self._ptrdata: dict[int, int] = {}
        self._forms: dict[int, _Array | _Struct] = {}
        self._steps: dict[int, list[Step]] = {}
        self._lacking: set[int] = set()
        level = sorted(set(ids))
        while level:
            found = self._read(np.array(level, np.int64))
            level = sorted(found - self._forms.keys())

    def steps(self, type_: int) -> list[Step]:
        """The steps for one value of the type."""
        # Types are as deep as somebody nests them: what is being expanded stands in a list.
        path = [(type_, self._inner(type_))] if type_ not in self._steps else []
        open_ = {type_}
        while path:
            outer, inner = path[-1]
            part = next((part for part in inner if part not in self._steps), None)
            if part is None:
                path.pop()
                open_.discard(outer)
                self._steps[outer] = self._expand(outer)
                if not self._ptrdata[outer] or not self._lacking.isdisjoint(self._inner(outer)):
                    self._lacking.add(outer)
            elif part in open_:
                raise self._broken(part, "type contains itself")
            else:
                path.append((part, self._inner(part)))
                open_.add(part)
        return self._steps[type_]

    def lacks_pointers(self, type_: int) -> bool:
        """Whether the type says that it has no pointers, or an element does in which they are."""
        self.steps(type_)
        return type_ in self._lacking

    def _inner(self, type_: int) -> Iterator[int]:
        """The types that the steps of this one are made of."""
        form = self._forms[type_]
        if isinstance(form, _Array):
            yield form.elem
        elif isinstance(form, _Struct):
            yield from (field for _, field in form.fields if self._ptrdata[field])

    def table(self, ids: Iterable[int]) -> Steps:
        """The steps of these types, in columns."""
        each = [self.steps(type_) for type_ in ids]
        first = offsets(np.array([len(steps) for steps in each], np.int64))
        rows = np.array([step for steps in each for step in steps], np.int64).reshape(-1, 3)
        return Steps(first, *np.ascontiguousarray(rows.T))

    def _expand(self, type_: int) -> list[Step]:
        form = self._forms[type_]
        made: list[Step] = []
        if isinstance(form, _Struct):
            for offset, field in form.fields:
                if self._ptrdata[field]:
                    skip = offset // self._ptrsize
                    made += [(at + skip, words, times) for at, words, times in self._steps[field]]
        else:
            made += self._steps[form.elem]
            if form.length > 1:
                words = self._size[form.elem] // self._ptrsize
                made.append((words, words, form.length - 1))
        # Each pointer has a word of its own; whatever lies about that could grow without end.
        if len(made) > 2 * (self._ptrdata[type_] // self._ptrsize):
            raise self._broken(type_, "type has more pointers than it has room for")
        if any(step[0] > _FAR or step[2] > _FAR for step in made):
            raise self._broken(type_, "type is larger than any memory")
        return made

    def _read(self, ids: I64) -> set[int]:
        """Read descriptors; the types that they contain."""
        elsewhere: set[int] = set()
        if self._imported:
            away = [sym for sym in ids.tolist() if self._imported.has(sym)]
            elsewhere.update(*(self._import(self._imported, sym) for sym in away))
            ids = np.setdiff1d(ids, away)
        types = self._types
        types.check(ids)
        kinds = types.kinds(ids)
        self._size.update(zip(ids.tolist(), types.sizes(ids).tolist(), strict=True))
        self._ptrdata.update(zip(ids.tolist(), types.ptrdata(ids).tolist(), strict=True))
        targets = types.sorted_targets(ids)
        is_array, is_struct = kinds == Kind.ARRAY, kinds == Kind.STRUCT
        found = self._read_arrays(targets, np.flatnonzero(is_array))
        found |= self._read_structs(targets, np.flatnonzero(is_struct))
        self._read_masks(targets, np.flatnonzero(~(is_array | is_struct)))
        return found | elsewhere

    def _read_arrays(self, targets: Targets, rows: I64) -> set[int]:
        types, ids = self._types, targets.ids[rows]
        common, word = types.layout.common, types.layout.ptrsize
        elems = targets.find(rows, np.full(len(rows), common))
        self._need_parts(ids, elems)
        self._need_room(ids, np.full(len(ids), common + 3 * word))
        lengths = types.word(ids, common + 2 * word, word).view(np.uint64)
        for sym, elem, length in zip(ids.tolist(), elems.tolist(), lengths.tolist(), strict=True):
            self._forms[sym] = _Array(elem, length)
        return set(elems.tolist())

    def _read_structs(self, targets: Targets, rows: I64) -> set[int]:
        types, ids = self._types, targets.ids[rows]
        layout, word = types.layout, types.layout.ptrsize
        self._need_room(ids, np.full(len(ids), layout.common + 3 * word))
        number = types.word(ids, layout.common + 2 * word, word).view(np.uint64)
        uncommon = (types.tflags(ids) & TFLAG_UNCOMMON) != 0
        at = layout.size_of_kind(Kind.STRUCT) + UNCOMMON_SIZE * uncommon
        # A field takes three words: its name, its type and its offset.
        counts = np.minimum(number, np.uint64(_FAR >> 8)).astype(np.int64)
        self._need_room(ids, np.where(counts > 0, at + 3 * word * counts, 0))
        owner = owners(counts)
        place = at[owner] + 3 * word * expand(np.zeros(len(ids), np.int64), counts)
        fields = targets.find(rows[owner], place + word)
        self._need_parts(ids[owner], fields)
        offset = types.word(ids[owner], place + 2 * word, word).view(np.uint64)
        pairs = list(zip(offset.tolist(), fields.tolist(), strict=True))
        ends = np.cumsum(counts).tolist()
        for sym, begin, end in zip(ids.tolist(), [0, *ends], ends, strict=False):
            self._forms[sym] = _Struct(tuple(pairs[begin:end]))
        return set(fields.tolist())

    def _read_masks(self, targets: Targets, rows: I64) -> None:
        """The masks of other types: a bit for each word."""
        types, ids = self._types, targets.ids[rows]
        symbols, layout = types.symbols, types.layout
        mask = targets.find(rows, np.full(len(rows), layout.gcdata))
        for sym in ids[(types.tflags(ids) & TFLAG_GC_MASK_ON_DEMAND) != 0][:1].tolist():
            raise self._broken(sym, "GC mask not available")
        count = types.ptrdata(ids) // self._ptrsize
        stored = np.where(mask != 0, symbols.data_size[mask], 0)
        for sym in ids[(count < 0) | (count > 8 * stored)][:1].tolist():
            raise self._broken(sym, "pointer mask is cut short")
        size = (count + 7) // 8
        start = np.cumsum(size) - size
        content = np.zeros(int(size.sum()), np.uint8)
        inside = symbols.data_at[mask] >= 0
        begin = np.where(inside, symbols.data_at[mask], 0)
        copy_spans(content, start, symbols.arena.bytes, begin, np.where(inside, size, 0))
        for row in np.flatnonzero(~inside & (size > 0)).tolist():
            made = np.frombuffer(symbols.data(int(mask[row])), np.uint8)
            content[start[row] : start[row] + size[row]] = made[: size[row]]
        bits = np.flatnonzero(np.unpackbits(content, bitorder="little"))
        owner = np.searchsorted(8 * (start + size), bits, side="right")
        word = bits - 8 * start[owner]
        kept = word < count[owner]
        words = word[kept].tolist()
        ends = np.cumsum(np.bincount(owner[kept], minlength=len(ids))).tolist()
        for sym, first, end in zip(ids.tolist(), [0, *ends], ends, strict=False):
            self._set_words(sym, words[first:end])

    def _set_words(self, sym: int, words: list[int]) -> None:
        """These are the words with pointers of a type that is not made of others."""
        self._forms[sym] = _Struct(())
        self._steps[sym] = [(word, 0, -1) for word in words]
        if not self._ptrdata[sym]:
            self._lacking.add(sym)

    def _import(self, imported: ImportedTypes, sym: int) -> set[int]:
        """Read one descriptor of a shared library; the types that it contains."""
        layout = self._types.layout
        word = layout.ptrsize
        self._size[sym] = imported.word(sym, 0, word)
        ptrdata = self._ptrdata[sym] = imported.word(sym, word, word)
        flags = imported.word(sym, layout.tflag, 1)
        kind = imported.word(sym, layout.tflag + 3, 1) & layout.kind_mask
        if kind == Kind.ARRAY and ptrdata:
            array = _Array(
                imported.part(sym, layout.common),
                imported.word(sym, layout.common + 2 * word, word),
            )
            self._forms[sym] = array
            return {array.elem}
        if kind == Kind.STRUCT and ptrdata:
            at = layout.size_of_kind(Kind.STRUCT) + (UNCOMMON_SIZE if flags & TFLAG_UNCOMMON else 0)
            count = imported.word(sym, layout.common + 2 * word, word)
            if count:
                imported.word(sym, at + 3 * word * (count - 1) + 2 * word, word)
            fields = tuple(
                (imported.word(sym, start + 2 * word, word), imported.part(sym, start + word))
                for start in range(at, at + 3 * word * count, 3 * word)
            )
            self._forms[sym] = _Struct(fields)
            return {field for _, field in fields}
        if flags & TFLAG_GC_MASK_ON_DEMAND:
            raise self._broken(sym, "GC mask not available")
        count = ptrdata // word
        data = imported.mask(sym, count) if count else b""
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little", count=count)
        self._set_words(sym, np.flatnonzero(bits).tolist())
        return set()

    def _need_room(self, ids: I64, need: I64) -> None:
        """Refuse a descriptor that is shorter than that."""
        for sym in ids[need > self._types.symbols.data_size[ids]][:1].tolist():
            raise self._broken(sym, "type data is cut short")

    def _need_parts(self, ids: I64, parts: I64) -> None:
        """Refuse a type of which a part is of none."""
        for sym in ids[parts == 0][:1].tolist():
            raise self._broken(sym, "type has a part without a type")

    def _broken(self, sym: int, message: str) -> InputError:
        return self._types.wrong(sym, message, status=2)
