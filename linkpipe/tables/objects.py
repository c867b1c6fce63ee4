"""Objects: the Go object files of a link, and the kernels that read records from them.

An object refers to symbols by (package index, symbol index); ``resolve`` turns such
references into symbol ids, for any number of references at once. Relocations and
auxiliary symbols are read for just the symbols asked for: work is done for what is
reachable, not for what is present.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import NamedTuple

import attrs
import numpy as np

from linkpipe.arrays.columns import columns
from linkpipe.arrays.ragged import expand, owners
from linkpipe.arrays.types import I32, I64, U8, U16, U32, Bool, Ints
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.formats.arena import Arena


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


def joined(*tables: RelocColumns) -> RelocColumns:
    """The relocations of several lists of symbols, one list after the other."""
    return RelocColumns(*(np.concatenate(columns) for columns in zip(*tables, strict=True)))


class AuxColumns(NamedTuple):
    """Auxiliary symbols of some symbols: ``counts`` int64[len(ids)], then per row ``type`` uint8
    (goobj.AUX_*) and ``target`` int32."""

    counts: I64
    type: U8
    target: I32


@attrs.frozen(eq=False, field_transformer=columns)
class _References:
    """Where references lead, by object and package index.

    Row first[o] + i is the i-th special package index of object o (PKG_SELF and the four above
    it), row first[o] + 5 + i its i-th ordinary one; counts[o] rows in all, uint32 each. ``start``
    uint32: where the symbols of that row are in ``ids`` int32; ``limit`` uint32: how many.
    """

    first: U32
    counts: U32
    start: U32
    limit: U32
    ids: I32


_SPECIAL = goobj.PKG_NONE - goobj.PKG_SELF + 1


@attrs.frozen(eq=False, repr=False, field_transformer=columns)
class Objects:
    """Go objects in load order; row 0 is "none" (symbols that the linker made).

    Attributes:
        arena: where their bytes lie.
        names: "archive(member)" for messages.
        base: int64[n], offset of each object in the arena.
        blocks: int64[n, NBLOCKS], arena offsets of the blocks (goobj.SYMDEF …).
        flags: uint32[n], goobj.FLAG_*.
        package: int32[n], row in Packages.
        version: int32[n], version of symbols static to the object.
        ndef, nhashed64, nhashed, nnonpkg, nref: int64[n], symbols by class.
        local_base: int64[n+1], where each object's symbols start in ``local_to_id``.
        local_to_id: int32[sum], symbol id for each object's local index (definitions of the
            four classes, then references); empty before `resolve` (the pass) has run.
        package_base: int64[n+1], package_object: int32[sum]: for each object and each package
            index in it, the row of that package's object.
        builtins: int32[k], the id of each builtin symbol, 0 when it is not defined.
    """

    arena: Arena
    names: tuple[str, ...]
    base: I64
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

    def __len__(self) -> int:
        return len(self.base)

    @property
    def defined(self) -> I64:
        """Defined symbols of each object: int64[n]."""
        return self.ndef + self.nhashed64 + self.nhashed + self.nnonpkg

    def resolve(self, objects: I64, pkg: U32, sym: U32) -> I32:
        """Symbol ids for the references (pkg[i], sym[i]) found in object objects[i]: int32[k].

        A reference of {0, 0} is "no symbol". Raises InputError for a reference outside of the
        object's tables.
        """
        table = self._references
        special = pkg >= np.uint32(goobj.PKG_SELF)
        place = np.where(special, pkg - np.uint32(goobj.PKG_SELF), pkg + np.uint32(_SPECIAL))
        bad = np.flatnonzero((place >= table.counts[objects]) | (pkg > np.uint32(goobj.PKG_NONE)))
        if len(bad):
            self._bad_reference(objects, bad, pkg, sym)
        place += table.first[objects]
        bad = np.flatnonzero(sym >= table.limit[place])
        if len(bad):
            self._bad_reference(objects, bad, pkg, sym)
        found = table.ids[table.start[place] + sym]
        builtin = np.flatnonzero(pkg == np.uint32(goobj.PKG_BUILTIN))
        missing = builtin[found[builtin] == 0]
        if len(missing):
            self._missing_builtin(int(objects[missing[0]]), int(sym[missing[0]]))
        return found

    @cached_property
    def _references(self) -> _References:
        known = np.diff(self.package_base)
        count = known + _SPECIAL
        first = np.cumsum(count) - count
        start, limit = np.zeros(int(count.sum()), np.int64), np.zeros(int(count.sum()), np.int64)
        end = len(self.local_to_id)
        base = self.local_base[:-1]
        hashed64 = base + self.ndef
        hashed = hashed64 + self.nhashed64
        nonpkg = hashed + self.nhashed
        # In the order of the special package indexes: self, builtin, hashed, hashed64, none.
        for i, (begin, size) in enumerate(
            (
                (base, self.ndef),
                (np.full(len(base), end), np.full(len(base), len(self.builtins))),
                (hashed, self.nhashed),
                (hashed64, self.nhashed64),
                (nonpkg, self.nnonpkg + self.nref),
            )
        ):
            start[first + i], limit[first + i] = begin, size
        normal = expand(first + _SPECIAL, known)
        start[normal], limit[normal] = base[self.package_object], self.ndef[self.package_object]
        # Package index 0: the reference {0, 0}.
        none = (first + _SPECIAL)[known > 0]
        start[none], limit[none] = end + len(self.builtins), 1
        return _References(
            first.astype(np.uint32),
            count.astype(np.uint32),
            start.astype(np.uint32),
            limit.astype(np.uint32),
            np.concatenate((self.local_to_id, self.builtins, np.zeros(1, np.int32))),
        )

    def relocs(self, objects: Ints, locals_: Ints) -> RelocColumns:
        """Read the relocations of the definitions (objects[i], locals_[i]).

        Object 0 (the linker's own symbols) has none here.
        """
        at, counts, owner = self._rows(
            objects, locals_, goobj.RELOCIDX, goobj.RELOC, goobj.RELOC_RECORD.itemsize
        )
        records = self.arena.records(at, goobj.RELOC_RECORD)
        kind = records["type"]
        return RelocColumns(
            counts,
            records["offset"].astype(np.int32),
            records["size"].astype(np.uint8),
            kind & np.uint16(goobj.WEAK - 1),
            (kind & np.uint16(goobj.WEAK)) != 0,
            records["add"].astype(np.int64),
            self.resolve(owner, records["pkg"], records["sym"]),
        )

    def auxs(
        self,
        objects: Ints,
        locals_: Ints,
        types: Collection[int] | None = None,
    ) -> AuxColumns:
        """Read the auxiliary symbols of the definitions (objects[i], locals_[i]), of all types
        or of just those (goobj.AUX_*) in ``types``."""
        at, counts, owner = self._rows(
            objects, locals_, goobj.AUXIDX, goobj.AUX, goobj.AUX_RECORD.itemsize
        )
        if types is not None:
            wanted = np.zeros(256, np.bool_)
            wanted[list(types)] = True
            keep = wanted[self.arena.bytes[at]]
            counts = np.bincount(owners(counts)[keep], minlength=len(counts))
            at, owner = at[keep], owner[keep]
        records = self.arena.records(at, goobj.AUX_RECORD)
        return AuxColumns(
            counts, records["type"].copy(), self.resolve(owner, records["pkg"], records["sym"])
        )

    def data(self, objects: Ints, locals_: Ints) -> tuple[I64, I64]:
        """Where the contents of the definitions lie: arena offsets and sizes, int64 each."""
        first, count = self._index(objects, locals_, goobj.DATAIDX)
        at = self.blocks[objects, goobj.DATA] + first
        over = np.flatnonzero(at + count > self.blocks[objects, goobj.REFNAME])
        if len(over):
            self._bad_index(int(objects[over[0]]), int(locals_[over[0]]), goobj.DATAIDX)
        return at, count

    def _index(self, objects: Ints, locals_: Ints, block: int) -> tuple[I64, I64]:
        at = self.blocks[objects, block] + 4 * locals_.astype(np.int64)
        first = self.arena.u32(at).astype(np.int64)
        count = self.arena.u32(at + 4).astype(np.int64) - first
        wrong = np.flatnonzero(count < 0)
        if len(wrong):
            self._bad_index(int(objects[wrong[0]]), int(locals_[wrong[0]]), block)
        return first, count

    def _rows(
        self,
        objects: Ints,
        locals_: Ints,
        index: int,
        block: int,
        size: int,
    ) -> tuple[I64, I64, I64]:
        real = objects != 0
        if not real.all():
            counts = np.zeros(len(objects), np.int64)
            at, counts[real], owner = self._rows(objects[real], locals_[real], index, block, size)
            return at, counts, owner
        first, counts = self._index(objects, locals_, index)
        start = self.blocks[objects, block] + first * size
        over = np.flatnonzero(start + counts * size > self.blocks[objects, block + 1])
        if len(over):
            self._bad_index(int(objects[over[0]]), int(locals_[over[0]]), index)
        owner = np.repeat(objects.astype(np.int64), counts)
        # Offsets of records: a range with a stride, so expand in units of records.
        rows = expand(np.zeros(len(counts), np.int64), counts)
        return np.repeat(start, counts) + rows * size, counts, owner

    def _bad_index(self, obj: int, local: int, block: int) -> None:
        raise InputError(
            f"corrupt object file: {goobj.BLOCK_NAMES[block]} entry of symbol {local} "
            "points outside of its block",
            file=self.names[obj],
            offset=int(self.blocks[obj, block] - self.base[obj]) + 4 * local,
            remedy="rebuild the package; the file is damaged",
        )

    def _bad_reference(
        self,
        objects: I64,
        rows: I64,
        pkg: U32,
        sym: U32,
    ) -> None:
        row = int(rows[0])
        raise InputError(
            f"corrupt object file: reference to symbol {int(sym[row])} of package index "
            f"{int(pkg[row])}, which does not exist",
            file=self.names[int(objects[row])],
            remedy="rebuild the package and what it imports with one Go version",
        )

    def _missing_builtin(self, obj: int, builtin: int) -> None:
        raise InputError(
            f"reference to undefined builtin number {builtin}",
            file=self.names[obj],
            remedy="rebuild the package and the runtime with the same flags (-race and the like)",
        )
