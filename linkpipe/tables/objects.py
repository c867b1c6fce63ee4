"""Objects: the Go object files of a link, and what is read from them, many records at once.

An object refers to symbols by (package index, symbol index); ``resolve`` turns such
references into symbol ids, for any number of references at once. Relocations and
auxiliary symbols are read for just the symbols asked for: work is done for what is
reachable, not for what is present.

What records say of themselves was checked when they were loaded (linkpipe.packages.checking).
A symbol that is damaged is an error when it is needed, not before: the oracle looks at no other
one. Until it is known what is needed, a damaged symbol has no auxiliary symbols, and if its content
is what is damaged, it has no content and no relocations. Types are read before that is known, and
without it: of their relocations the oracle looks up those that it wants to know of, so a reference
to nothing is an error when it is wanted (NOWHERE).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from linkpipe.arrays.columns import table
from linkpipe.arrays.ragged import expand, offsets
from linkpipe.arrays.room import Memory, longer
from linkpipe.arrays.threads import each, pieces
from linkpipe.arrays.types import I32, I64, U8, U16, U32, Bool, Ints
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.formats.arena import Arena
from linkpipe.kernels import records, references
from linkpipe.release import ObjectFormat
from linkpipe.values import Shown, evolve


class RelocColumns(NamedTuple):
    """Relocations of some symbols, row by row: all of the first one's, then the second's …

    ``counts`` int64[len(ids)]; the others have sum(counts) rows: ``offset`` int32 (bytes from
    the symbol's start), ``size`` uint8, ``type`` uint16 (without the weak bit), ``weak`` bool,
    ``add`` int64, ``target`` int32 (symbol id, 0: none).
    """

    counts: I64
    offset: I32
    size: U8
    type: U16
    weak: Bool
    add: I64
    target: I32


RELOC_DTYPES = {
    "offset": np.int32,
    "size": np.uint8,
    "type": np.uint16,
    "weak": np.bool_,
    "add": np.int64,
    "target": np.int32,
}
"""The elements of these columns but ``counts``."""


class AuxColumns(NamedTuple):
    """Auxiliary symbols of some symbols: ``counts`` int64[len(ids)], then per row ``type`` uint8
    (goobj.AUX_*) and ``target`` int32."""

    counts: I64
    type: U8
    target: I32


@table
class References(Shown):
    """Where references lead, by object and package index.

    Row first[o] + i is the i-th special package index of object o (PKG_SELF and the four above
    it), row first[o] + 5 + i its i-th ordinary one; counts[o] rows in all, uint32 each. ``start``
    uint32: where the symbols of that row are in ``ids`` int32; ``limit`` uint32: how many. As in
    the oracle, all that an object has from a row's first symbol on can be referred to by it.
    """

    first: U32
    counts: U32
    start: U32
    limit: U32
    ids: I32

    def has(self, objects: I64, pkg: U32, sym: U32) -> Bool:
        """Whether there is a symbol that the reference (pkg[i], sym[i]) in object objects[i] is
        to: bool[k]."""
        place = _places(pkg)
        known = (place < self.counts[objects]) & (pkg <= np.uint32(goobj.PKG_NONE))
        place[~known] = 0
        found: Bool = known & (sym < self.limit[place + self.first[objects]])
        return found


class UndefinedBuiltins(Exception):
    """Symbols (objects[i], locals[i]) refer to symbols of the runtime's that nobody defines, or to
    debug information in a link that reads none."""

    def __init__(self, objects: Ints, locals_: Ints) -> None:
        super().__init__(f"{len(objects)} symbols")
        self.objects, self.locals = objects, locals_


_SPECIAL = goobj.PKG_NONE - goobj.PKG_SELF + 1

NOWHERE = -1
"""The target of a relocation that refers to a symbol that there is not."""

_OF_AUXS = (records.AUXS, records.AUX, records.TABLE, records.SIZE)
"""What is found wrong with a symbol when its content and its relocations are sound."""


@table
class Objects:
    """Go objects in load order; row 0 is "none" (symbols that the linker made).

    Attributes:
        arena: where their bytes lie.
        names: "archive(member)" for messages.
        start: int64[n], where in the arena each member begins. base: int64[n], where its binary
            part does. end: int64[n], where both end.
        blocks: int64[n, NBLOCKS], arena offsets of the blocks (goobj.SYMDEF …).
        flags: uint32[n], goobj.FLAG_*.
        package: int32[n], row in Packages.
        version: int32[n], version of symbols static to the object.
        ndef, nhashed64, nhashed, nnonpkg, nref: int64[n], symbols by class.
        local_base: int64[n+1], where each object's symbols start in ``local_to_id``.
        local_to_id: int32[sum], symbol id for each object's local index (definitions of the
            four classes, then references); empty before `resolve` (the pass) has run.
        package_base: int64[n+1], where each object's packages start in ``package_object``.
        package_object: int32[sum], for each object and each package index in it, the row of that
            package's object.
        builtins: int32[k], the id of each builtin symbol, 0 when it is not defined.
        faulty: int64[k], damaged symbols by their place in ``local_to_id``, ascending; fault:
            uint8[k], what is wrong with each (linkpipe.kernels.records).
        format: how they are read.
    """

    arena: Arena
    names: tuple[str, ...]
    start: I64
    base: I64
    end: I64
    blocks: I64
    flags: U32
    package: I32
    version: I32
    ndef: I64
    nhashed64: I64
    nhashed: I64
    nnonpkg: I64
    nref: I64
    local_base: I64
    local_to_id: I32
    package_base: I64
    package_object: I32
    builtins: I32
    faulty: I64
    fault: U8
    format: ObjectFormat

    def __len__(self) -> int:
        return len(self.base)

    @property
    def classes(self) -> I64:
        """Symbols of each object by class: int64[n, 5]."""
        return np.stack((self.ndef, self.nhashed64, self.nhashed, self.nnonpkg, self.nref), axis=1)

    @property
    def defined(self) -> I64:
        """Defined symbols of each object: int64[n]."""
        return self.ndef + self.nhashed64 + self.nhashed + self.nnonpkg

    def located(self, places: Ints) -> tuple[I64, I64]:
        """The object of each symbol, by its place in ``local_to_id``, and its number there."""
        owner = np.searchsorted(self.local_base, places, "right") - 1
        return owner, places - self.local_base[owner]

    def resolve(self, objects: I64, pkg: U32, sym: U32) -> I32:
        """Symbol ids for the references (pkg[i], sym[i]) found in object objects[i]: int32[k].

        A reference of {0, 0} is "no symbol". Raises InputError for a reference outside of the
        object's tables.
        """
        bad = np.flatnonzero(~self.references.has(objects, pkg, sym))
        if len(bad):
            row = int(bad[0])
            raise InputError(
                f"corrupt object file: reference to symbol {int(sym[row])} of package index "
                f"{int(pkg[row])}, which does not exist",
                file=self.names[int(objects[row])],
                remedy="rebuild the package and what it imports with one Go version",
            )
        found = self._resolved(objects, pkg, sym)
        missing = _undefined(pkg, found)
        if len(missing):
            from linkpipe.tables.faults import undefined_builtin

            raise undefined_builtin(self, int(objects[missing[0]]), int(sym[missing[0]]))
        return found

    def _resolved(self, objects: I64, pkg: U32, sym: U32) -> I32:
        """The same for references that are known to be inside of the tables."""
        table = self.references
        place = _places(pkg)
        place += table.first[objects]
        found: I32 = table.ids[table.start[place] + sym]
        return found

    @cached_property
    def references(self) -> References:
        """Where references lead. Of no symbol the id is known before `resolve` (the pass)."""
        known = np.diff(self.package_base)
        count = known + _SPECIAL
        first = np.cumsum(count) - count
        start, limit = np.zeros(int(count.sum()), np.int64), np.zeros(int(count.sum()), np.int64)
        end = int(self.local_base[-1])
        base, beyond = self.local_base[:-1], self.local_base[1:]
        hashed64 = base + self.ndef
        hashed = hashed64 + self.nhashed64
        nonpkg = hashed + self.nhashed
        # In the order of the special package indexes: self, builtin, hashed, hashed64, none.
        for i, (begin, until) in enumerate(
            (
                (base, beyond),
                (np.full(len(base), end), np.full(len(base), end + len(self.builtins))),
                (hashed, beyond),
                (hashed64, beyond),
                (nonpkg, beyond),
            )
        ):
            start[first + i], limit[first + i] = begin, until - begin
        normal = expand(first + _SPECIAL, known)
        start[normal] = base[self.package_object]
        limit[normal] = (beyond - base)[self.package_object]
        # Package index 0: the reference {0, 0}.
        none = (first + _SPECIAL)[known > 0]
        start[none], limit[none] = end + len(self.builtins), 1
        return References(
            first.astype(np.uint32),
            count.astype(np.uint32),
            start.astype(np.uint32),
            limit.astype(np.uint32),
            longer(self.local_to_id, np.int32, (self.builtins, np.zeros(1, np.int32))),
        )

    def relocs(
        self, objects: Ints, locals_: Ints, *more: RelocColumns, needed: bool = True
    ) -> RelocColumns:
        """Read the relocations of the definitions (objects[i], locals_[i]); ``more`` follow.

        Object 0 (the linker's own symbols) has none here. Raises InputError for a damaged symbol
        that is ``needed``; one that need not be has none. Raises UndefinedBuiltins for symbols that
        need not be there and refer to what nobody defines. Damaged auxiliary symbols are no matter.
        """
        parts, given = pieces(len(objects)), self._given(objects, locals_, needed, _OF_AUXS)
        owned = each(lambda part: references.owned(*given(part)[:-1], auxs=False), parts)
        counts = [number for _, number in owned] + [table.counts for table in more]
        starts = offsets(np.array([int(number.sum()) for number in counts]))
        # To read into lists of their own, and to join these, would touch as much memory again.
        rows = int(starts[-1])
        columns = _unwritten(rows)

        def read(i: int) -> I64:
            own: list[Any] = [column[starts[i] : starts[i + 1]] for column in columns]
            return parts[i].start + self._read(objects[parts[i]], *owned[i], own)

        undefined = np.concatenate(each(read, range(len(parts))))
        if len(undefined):
            found = UndefinedBuiltins(objects[undefined], locals_[undefined])
            if needed:
                self.with_undefined(found).refuse(objects, locals_)
            raise found
        for at, theirs in zip(starts[len(parts) :].tolist(), more, strict=False):
            values: list[Any] = list(theirs[1:])
            for column, new in zip(columns, values, strict=True):
                column[at : at + len(new)] = new
        return RelocColumns(np.concatenate(counts), *(column.table(rows) for column in columns))

    def _read(self, objects: Ints, begin: I64, number: I64, columns: list[Any]) -> I64:
        """Read number[i] relocations of object objects[i] from begin[i] on into ``columns``, those
        of RelocColumns without ``counts``; see kernels/references.py."""
        table = self.references
        own = [*columns[:3], columns[3].view(np.uint8), *columns[4:]]
        return references.relocations(
            self.arena.bytes,
            np.ascontiguousarray(objects, np.int32),
            begin,
            number,
            table.first,
            table.counts,
            table.start,
            table.ids,
            self.format.relocs,
            *own,
        )

    def relocs_singly(
        self, objects: Ints, locals_: Ints, *more: RelocColumns, needed: bool = True
    ) -> RelocColumns:
        """Read the relocations like `relocs`, for those who look at some of each symbol's: one that
        refers to a symbol that there is not has the target NOWHERE. Whoever looks at that one calls
        `refuse`."""
        try:
            found = self.relocs(objects, locals_, *more, needed=False)
        except UndefinedBuiltins as undefined:
            if needed:
                return self.with_undefined(undefined).relocs_singly(objects, locals_, *more)
            raise
        broken = self.has_fault(records.RELOC, objects, locals_)
        broken |= self.has_fault(records.BUILTIN, objects, locals_)
        if needed:
            self.refuse(objects[~broken], locals_[~broken], _OF_AUXS)
        rows = np.flatnonzero(broken)
        if not len(rows):
            return found
        from linkpipe.tables.faults import reloc_records

        pairs = zip(objects[rows].tolist(), locals_[rows].tolist(), strict=True)
        read = [reloc_records(self, obj, local) for obj, local in pairs]
        counts = found.counts.copy()
        counts[rows] = [len(one) for one in read]
        at = np.repeat(np.cumsum(found.counts)[rows], counts[rows])
        every, obj = np.concatenate(read), np.repeat(objects[rows], counts[rows]).astype(np.int64)
        known = self.references.has(obj, every["pkg"], every["sym"])
        target = np.full(len(every), NOWHERE, np.int32)
        target[known] = self._resolved(obj[known], every["pkg"][known], every["sym"][known])
        target[(target == 0) & ((every["pkg"] != 0) | (every["sym"] != 0))] = NOWHERE
        weak = every["type"] >= goobj.WEAK
        kind = self.format.relocs[every["type"] & (goobj.WEAK - 1)]
        before: tuple[Any, ...] = found[1:]
        columns = every["offset"], every["size"], kind, weak, every["add"], target
        return RelocColumns(
            counts, *(np.insert(a, at, b) for a, b in zip(before, columns, strict=True))
        )

    def with_undefined(self, found: UndefinedBuiltins) -> Objects:
        """The same, with these symbols noted as damaged."""
        places = self.local_base[found.objects] + found.locals
        codes = np.full(len(places), records.BUILTIN, np.uint8)
        places, codes = np.append(self.faulty, places), np.append(self.fault, codes)
        order = np.argsort(places, kind="stable")
        return evolve(self, faulty=places[order], fault=codes[order])

    def auxs(
        self,
        objects: Ints,
        locals_: Ints,
        types: Collection[int] | None = None,
        *,
        needed: bool = True,
    ) -> AuxColumns:
        """Read the auxiliary symbols of the definitions (objects[i], locals_[i]), of all types
        or of just those (goobj.AUX_*) in ``types``. Damaged symbols as in `relocs`."""
        wanted = np.ones(256, np.uint8)
        if types is not None:
            wanted[:] = 0
            wanted[list(types)] = 1
        given = self._given(objects, locals_, needed)
        found = each(
            lambda part: references.auxiliaries(*given(part), wanted), pieces(len(objects))
        )
        return AuxColumns(*(np.concatenate(columns) for columns in zip(*found, strict=True)))

    def relocs_at(self, objects: Ints, at: I64) -> RelocColumns:
        """The relocations of these objects whose records lie at ``at``, arena offsets: one each."""
        columns, ones = _unwritten(len(at)), np.ones(len(at), np.int64)
        self._read(objects, at, ones, [column[: len(at)] for column in columns])
        return RelocColumns(ones, *(column.table(len(at)) for column in columns))

    def unsound(self, objects: Ints, locals_: Ints) -> Bool:
        """Whether nobody can tell where the relocations of each of these definitions are."""
        return self.damaged(objects, locals_, (*_OF_AUXS, records.RELOC, records.BUILTIN))

    def data(self, objects: Ints, locals_: Ints) -> tuple[I64, I64]:
        """Where the contents of the definitions lie: arena offsets and sizes, int64 each. Damaged
        ones are empty."""
        at = self.blocks[objects, goobj.DATAIDX] + 4 * locals_.astype(np.int64)
        first = self.arena.u32(at).astype(np.int64)
        count = self.arena.u32(at + 4).astype(np.int64) - first
        if len(self.faulty):
            count[self.has_fault(records.DATA, objects, locals_)] = 0
        return self.blocks[objects, goobj.DATA] + first, count

    def refuse(self, objects: Ints, locals_: Ints, but: Collection[int] = ()) -> None:
        """Raise InputError when one of these symbols, which are needed, is `damaged`."""
        if not len(self.faulty):
            return
        bad = np.flatnonzero(self.damaged(objects, locals_, but))
        if len(bad):
            from linkpipe.tables.faults import fault

            obj, local = int(objects[bad[0]]), int(locals_[bad[0]])
            place = int(np.searchsorted(self.faulty, self.local_base[obj] + local))
            raise fault(self, obj, local, int(self.fault[place]))

    def damaged(self, objects: Ints, locals_: Ints, but: Collection[int] = ()) -> Bool:
        """Whether something is wrong with each of the definitions (objects[i], locals_[i]), ``but``
        not one of these faults (linkpipe.kernels.records)."""
        if not len(self.faulty):
            return np.zeros(len(objects), np.bool_)
        return self._any_of(self.faulty[~np.isin(self.fault, list(but))], objects, locals_)

    def has_fault(self, code: int, objects: Ints, locals_: Ints) -> Bool:
        """Whether this is what is wrong with each of the definitions (objects[i], locals_[i])."""
        return self._any_of(self.faulty[self.fault == code], objects, locals_)

    def _any_of(self, faulty: I64, objects: Ints, locals_: Ints) -> Bool:
        if not len(faulty):
            return np.zeros(len(objects), np.bool_)
        return np.isin(self.local_base[objects] + locals_, faulty) & (objects != 0)

    def _given(
        self, objects: Ints, locals_: Ints, needed: bool, but: Collection[int] = ()
    ) -> Callable[[slice], _Records]:
        """What the kernels that read records are given of some of these definitions."""
        if needed:
            self.refuse(objects, locals_, but)
        skipped = np.zeros(0, np.bool_)
        if len(self.faulty):
            skipped = self.damaged(objects, locals_, but)
        table = self.references

        def given(part: slice) -> _Records:
            return (
                self.arena.bytes,
                self.blocks.reshape(-1),
                np.ascontiguousarray(objects[part], np.int32),
                np.ascontiguousarray(locals_[part], np.int32),
                skipped[part].view(np.uint8),
                table.first,
                table.counts,
                table.start,
                table.ids,
            )

        return given


def _unwritten(rows: int) -> list[Memory]:
    """The columns of RelocColumns but ``counts``, with room behind for those of other symbols."""
    return [Memory.unwritten(dtype, rows) for dtype in RELOC_DTYPES.values()]


_Records = tuple[U8, I64, I32, I32, U8, U32, U32, U32, I32]


def _places(pkg: U32) -> U32:
    """The place of each package index among an object's: special ones first."""
    special = pkg >= np.uint32(goobj.PKG_SELF)
    place: U32 = np.where(special, pkg - np.uint32(goobj.PKG_SELF), pkg + np.uint32(_SPECIAL))
    return place


def _undefined(pkg: U32, ids: I32) -> I64:
    """Which references are to symbols of the runtime's that nobody defines."""
    builtin = np.flatnonzero(pkg == np.uint32(goobj.PKG_BUILTIN))
    return builtin[ids[builtin] == 0]
