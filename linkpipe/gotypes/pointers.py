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

import attrs
import numpy as np

from linkpipe.arrays.ragged import offsets, owners
from linkpipe.arrays.types import I64
from linkpipe.errors import InputError
from linkpipe.gotypes.data import TypeData, targets_at
from linkpipe.gotypes.imported import ImportedTypes
from linkpipe.gotypes.layout import TFLAG_GC_MASK_ON_DEMAND, TFLAG_UNCOMMON, UNCOMMON_SIZE, Kind
from linkpipe.tables.objects import NOWHERE
from linkpipe.values import Value

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


@attrs.frozen(eq=False, repr=False)
class _Array(Value):
    elem: int
    length: int


@attrs.frozen(eq=False, repr=False)
class _Struct(Value):
    fields: tuple[tuple[int, int], ...]  # (offset in bytes, type)


@attrs.frozen(eq=False, repr=False)
class _Mask(Value):
    words: tuple[int, ...]


class PointerWords:
    """The steps for each of the types ``ids`` (and for those within them); ``imported`` reads those
    of shared libraries."""

    def __init__(
        self, types: TypeData, ids: Iterable[int], imported: ImportedTypes | None = None
    ) -> None:
        self._types, self._imported = types, imported
        self._ptrsize = types.layout.ptrsize
        self._unsigned = np.dtype(f"u{self._ptrsize}").newbyteorder(types.layout.byteorder)
        self._size: dict[int, int] = {}
        self._ptrdata: dict[int, int] = {}
        self._forms: dict[int, _Array | _Struct | _Mask] = {}
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
        if isinstance(form, _Mask):
            return [(word, 0, -1) for word in form.words]
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
        types, layout = self._types, self._types.layout
        types.check(ids)
        relocs = types.relocs(ids)
        kinds, ptrdata = types.kinds(ids), types.ptrdata(ids)
        self._size.update(zip(ids.tolist(), types.sizes(ids).tolist(), strict=True))
        self._ptrdata.update(zip(ids.tolist(), ptrdata.tolist(), strict=True))
        wanted = np.full(len(ids), layout.gcdata)
        wanted[kinds == Kind.ARRAY] = layout.common
        target = targets_at(relocs.counts, relocs.offset, relocs.target, wanted)
        one = kinds != Kind.STRUCT
        types.need(ids[one], target[one])
        found: set[int] = set()
        for row in np.flatnonzero(kinds == Kind.ARRAY).tolist():
            sym, elem = int(ids[row]), int(target[row])
            found.add(self._part(sym, elem))
            length = self._word(sym, layout.common + 2 * layout.ptrsize)
            self._forms[sym] = _Array(elem, length)
        structs = np.flatnonzero(kinds == Kind.STRUCT)
        inside = (kinds == Kind.STRUCT)[owners(relocs.counts)]
        refs: dict[int, dict[int, int]] = {row: {} for row in structs.tolist()}
        rows = zip(
            owners(relocs.counts)[inside][::-1].tolist(),
            relocs.offset[inside][::-1].tolist(),
            relocs.target[inside][::-1].tolist(),
            strict=True,
        )
        for row, offset, to in rows:
            refs[row][offset] = to
        uncommon = (types.tflags(ids) & TFLAG_UNCOMMON) != 0
        for row in structs.tolist():
            form = self._struct(int(ids[row]), refs[row], bool(uncommon[row]))
            self._forms[int(ids[row])] = form
            found.update(field for _, field in form.fields)
        on_demand = (types.tflags(ids) & TFLAG_GC_MASK_ON_DEMAND) != 0
        others = np.flatnonzero((kinds != Kind.ARRAY) & (kinds != Kind.STRUCT))
        for row in others.tolist():
            sym = int(ids[row])
            if on_demand[row]:
                raise self._broken(sym, "GC mask not available")
            self._forms[sym] = self._mask(sym, int(ptrdata[row]), int(target[row]))
        return found | elsewhere

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
        self._forms[sym] = _Mask(tuple(np.flatnonzero(bits).tolist()))
        return set()

    def _struct(self, sym: int, refs: dict[int, int], uncommon: bool) -> _Struct:
        layout = self._types.layout
        word = layout.ptrsize
        at = layout.size_of_kind(Kind.STRUCT) + (UNCOMMON_SIZE if uncommon else 0)
        count = self._word(sym, layout.common + 2 * word)
        data = self._types.symbols.data(sym)
        if count and at + 3 * word * count > len(data):
            raise self._broken(sym, "type data is cut short")
        words = np.frombuffer(data, self._unsigned, 3 * count, at)[2::3].tolist() if count else ()
        places = range(at + word, at + word + 3 * word * count, 3 * word)
        return _Struct(
            tuple(
                (offset, self._part(sym, refs.get(place, 0)))
                for offset, place in zip(words, places, strict=True)
            )
        )

    def _mask(self, sym: int, ptrdata: int, mask: int) -> _Mask:
        count = ptrdata // self._ptrsize
        data = self._types.symbols.data(mask) if mask else b""
        if not 0 <= count <= 8 * len(data):
            raise self._broken(sym, "pointer mask is cut short")
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little", count=count)
        return _Mask(tuple(np.flatnonzero(bits).tolist()))

    def _word(self, sym: int, at: int) -> int:
        data = self._types.symbols.data(sym)
        if at + self._ptrsize > len(data):
            raise self._broken(sym, "type data is cut short")
        return int.from_bytes(data[at : at + self._ptrsize], self._types.layout.byteorder)

    def _part(self, sym: int, part: int) -> int:
        if not part:
            raise self._broken(sym, "type has a part without a type")
        if part == NOWHERE:
            self._types.need(np.array([sym]), np.array([part]))
        return part

    def _broken(self, sym: int, message: str) -> InputError:
        return self._types.wrong(sym, message, status=2)
