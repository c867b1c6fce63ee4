"""The symbol table: one row for each symbol, one array for each column.

A symbol is a dense integer id; id 0 is "no symbol". Ids are given in the order
in which the oracle creates symbols, because that order shows in the output: equal-size
data and the ELF symbol table are sorted by it. No pass ever renumbers.

A table is immutable. A pass that creates or changes symbols opens an edit, which copies
only the columns it touches, and freezes it into the next table:

    edit = link.symbols.edit()
    tlsg = edit.lookup_or_create("runtime.tlsg", 0)
    edit.set(tlsg, kind=SymKind.STLSBSS, size=8)
    edit.add_flags(tlsg, Flag.REACHABLE)
    return link.evolve(symbols=edit.freeze())
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import IntFlag
from types import MappingProxyType
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from linkpipe.formats.arena import Arena
from linkpipe.tables.names import (
    I32,
    I64,
    contain_byte,
    hash_bytes,
    hash_name,
    hash_names,
)

ABI0, ABI_INTERNAL = 0, 1
STATIC = 10
"""Versions from here on are static: private to one object file (or, below zero, nameless)."""


class Flag(IntFlag):
    """Bits of the ``flags`` column. The low sixteen are the object file's own
    (cmd/internal/goobj/objfile.go, Sym.Flag and Sym.Flag2); the others are the linker's."""

    DUPOK = 1 << 0
    LOCAL = 1 << 1
    TYPELINK = 1 << 2
    LEAF = 1 << 3
    NOSPLIT = 1 << 4
    REFLECT_METHOD = 1 << 5
    GO_TYPE = 1 << 6
    USED_IN_IFACE = 1 << 8
    ITAB = 1 << 9
    DICT = 1 << 10
    PKG_INIT = 1 << 11
    LINKNAME = 1 << 12
    LINKNAME_STD = 1 << 13
    ABI_WRAPPER = 1 << 14
    WASM_EXPORT = 1 << 15
    REACHABLE = 1 << 16
    NOT_IN_SYMTAB = 1 << 17
    SPECIAL = 1 << 18
    """Not laid out by its own kind: its bytes are placed by whoever made it."""
    HIDDEN = 1 << 19
    """ELF visibility hidden."""
    CONTENT_HASHED = 1 << 20
    """Deduplicated by content, not by name (names of such symbols may repeat)."""
    SHARED = 1 << 21
    """Compiled with -shared (or -dynlink)."""
    FROM_ASSEMBLY = 1 << 22
    CGO_EXPORT_DYNAMIC = 1 << 23
    CGO_EXPORT_STATIC = 1 << 24
    GENERATED = 1 << 25
    """Its bytes are written late, when addresses are known."""
    REPLACED = 1 << 26
    """A function of an object that the linker changed; it is laid out after its package's own."""


COLUMNS: Mapping[str, type[np.generic]] = MappingProxyType(
    {
        "object": np.int32,  # row in Objects of the definition that won; 0: made by the linker
        "local": np.int32,  # index of the definition in its object
        "version": np.int32,  # 0 ABI0 and data, 1 ABIInternal, >= STATIC or < 0 private
        "kind": np.uint8,  # SymKind
        "size": np.int64,  # bytes in the output
        "align": np.int32,  # bytes, 0: not stated
        "flags": np.uint32,  # Flag
        "name_at": np.int64,  # offset in the arena; -1-i: i-th name made by the linker
        "name_size": np.int32,  # bytes
        "data_at": np.int64,  # offset in the arena; -1: none there (zeros, or see `contents`)
        "data_size": np.int64,  # bytes; the rest up to `size` is zero
        "value": np.int64,  # offset in its section, after address assignment its address
        "container": np.int32,  # the carrier symbol that it is laid out in, 0: none
        "section": np.int16,  # row in Sections, -1: none yet
    }
)
_DEFAULTS = {"name_at": -1, "data_at": -1, "section": -1}

Ids = npt.NDArray[np.integer[Any]] | Sequence[int] | int


@attrs.frozen(eq=False, repr=False)
class Symbols:
    """Columns of equal length n (row 0 is "no symbol"); dtypes and meanings in COLUMNS.

    Attributes:
        arena: where names and contents of symbols from object files lie.
        made: the number of symbols that object files define (ids below it); from there on
            the linker made them ("extStart" in the oracle).
        contents: bytes of symbols whose content the linker made or replaced.
        extnames: names in the output that differ from the symbol's own.
        packages: import path for symbols placed with another package than their object's.
        hashes, hashed_ids: sorted hashes of (name, version) and the symbol for each.
        created: (name, version) -> id of named symbols that the linker made.
        created_names: the names that negative ``name_at`` refer to.
    """

    arena: Arena
    made: int
    object: npt.NDArray[np.int32]
    local: npt.NDArray[np.int32]
    version: npt.NDArray[np.int32]
    kind: npt.NDArray[np.uint8]
    size: npt.NDArray[np.int64]
    align: npt.NDArray[np.int32]
    flags: npt.NDArray[np.uint32]
    name_at: npt.NDArray[np.int64]
    name_size: npt.NDArray[np.int32]
    data_at: npt.NDArray[np.int64]
    data_size: npt.NDArray[np.int64]
    value: npt.NDArray[np.int64]
    container: npt.NDArray[np.int32]
    section: npt.NDArray[np.int16]
    contents: Mapping[int, bytes]
    extnames: Mapping[int, bytes]
    packages: Mapping[int, str]
    hashes: npt.NDArray[np.uint64]
    hashed_ids: npt.NDArray[np.int32]
    created: Mapping[tuple[bytes, int], int]
    created_names: tuple[bytes, ...]

    def __attrs_post_init__(self) -> None:
        n = len(self.kind)
        for name, dtype in COLUMNS.items():
            column = getattr(self, name)
            if column.dtype != dtype or column.shape != (n,) or column.flags.writeable:
                raise TypeError(
                    f"symbols.{name}: expected read-only {np.dtype(dtype)}[{n}], "
                    f"found {column.dtype}{list(column.shape)}"
                )

    def __len__(self) -> int:
        """Number of rows, the "no symbol" row 0 included."""
        return len(self.kind)

    def lookup(self, name: str | bytes, version: int = 0) -> int:
        """The id of the symbol of that name and version, 0 when there is none."""
        key = name.encode() if isinstance(name, str) else name
        made = self.created.get((key, version))
        if made is not None:
            return made
        h = np.uint64(hash_name(key, version))
        at = int(np.searchsorted(self.hashes, h))
        if at < len(self.hashes) and self.hashes[at] == h:
            return int(self.hashed_ids[at])
        return 0

    def lookup_many(self, names: Sequence[bytes], versions: Sequence[int]) -> I32:
        """``[self.lookup(n, v) for n, v in zip(names, versions)]``: int32[len(names)]."""
        found = np.zeros(len(names), np.int32)
        if len(self.hashes):
            h = hash_bytes(names, versions)
            place = np.minimum(np.searchsorted(self.hashes, h), len(self.hashes) - 1)
            hit = self.hashes[place] == h
            found[hit] = self.hashed_ids[place[hit]]
        for row, key in enumerate(zip(names, versions, strict=True)):
            if key in self.created:
                found[row] = self.created[key]
        return found

    def lookup_others(self, ids: npt.NDArray[np.integer[Any]], version: int) -> I32:
        """The symbols of the same names under another version, 0 where there is none: int32[n].

        ``[self.lookup(self.extname(i), version) for i in ids]``
        """
        found = np.zeros(len(ids), np.int32)
        if len(self.hashes):
            at, size = self.name_at[ids], self.name_size[ids]
            rows = np.flatnonzero(at >= 0)
            wanted = np.full(len(rows), version, np.int64)
            h = hash_names(self.arena.u64, at[rows], size[rows], wanted)
            place = np.minimum(np.searchsorted(self.hashes, h), len(self.hashes) - 1)
            hit = self.hashes[place] == h
            found[rows[hit]] = self.hashed_ids[place[hit]]
        made = {name for name, v in self.created if v == version}
        for row, sym in enumerate(ids.tolist()):
            if sym in self.extnames or self.name_at[sym] < 0 or made:
                name = self.extname(sym)
                if sym in self.extnames or self.name_at[sym] < 0 or name in made:
                    found[row] = self.lookup(name, version)
        return found

    def name_bytes(self, sym: int) -> bytes:
        """The symbol's own name, as the object file spells it."""
        at = int(self.name_at[sym])
        if at < 0:
            return self.created_names[-1 - at]
        return self.arena.view(at, int(self.name_size[sym])).tobytes()

    def name(self, sym: int) -> str:
        """The symbol's own name; bytes that are not UTF-8 are kept as surrogates."""
        return self.name_bytes(sym).decode("utf-8", "surrogateescape")

    def names(self, ids: Ids) -> list[bytes]:
        """The names of many symbols."""
        at, size = self.name_at[ids], self.name_size[ids]
        whole, made = memoryview(self.arena.bytes), self.created_names
        return [
            whole[a : a + n].tobytes() if a >= 0 else made[-1 - a]
            for a, n in zip(at.tolist(), size.tolist(), strict=True)
        ]

    def extname(self, sym: int) -> bytes:
        """The name that the output's symbol table uses."""
        found = self.extnames.get(sym)
        return self.name_bytes(sym) if found is None else found

    def starts_with(
        self, ids: npt.NDArray[np.integer[Any]], prefix: bytes
    ) -> npt.NDArray[np.bool_]:
        """Whether each symbol's name starts with ``prefix``: bool[len(ids)].

        ``[name(i).startswith(prefix) for i in ids]``
        """
        return self._contains(ids, prefix, self.name_at[ids], bytes.startswith)

    def ends_with(self, ids: npt.NDArray[np.integer[Any]], suffix: bytes) -> npt.NDArray[np.bool_]:
        """Whether each symbol's name ends with ``suffix``: bool[len(ids)].

        ``[name(i).endswith(suffix) for i in ids]``
        """
        start = self.name_at[ids] + self.name_size[ids] - len(suffix)
        return self._contains(ids, suffix, start, bytes.endswith)

    def _contains(
        self,
        ids: npt.NDArray[np.integer[Any]],
        text: bytes,
        at: npt.NDArray[np.int64],
        rule: Callable[[bytes, bytes], bool],
    ) -> npt.NDArray[np.bool_]:
        """Whether ``text`` stands at arena offset ``at``; names made by the linker by ``rule``."""
        made = self.name_at[ids] < 0
        hit = (self.name_size[ids] >= len(text)) & ~made
        for start in range(0, len(text), 8):
            part = text[start : start + 8]
            rows = np.flatnonzero(hit)
            word = self.arena.u64(at[rows] + start)
            word &= np.uint64((1 << (8 * len(part))) - 1)
            hit[rows] = word == np.uint64(int.from_bytes(part, "little"))
        for row in np.flatnonzero(made).tolist():
            hit[row] = rule(self.name_bytes(int(ids[row])), text)
        return hit

    def contains(self, ids: npt.NDArray[np.integer[Any]], byte: int) -> npt.NDArray[np.bool_]:
        """Whether each symbol's name contains a byte (below 128): bool[len(ids)].

        ``[byte in name(i) for i in ids]``
        """
        at = self.name_at[ids]
        size = np.where(at < 0, 0, self.name_size[ids])
        found = contain_byte(self.arena.u64, at, size, byte)
        for row in np.flatnonzero(at < 0).tolist():
            found[row] = byte in self.name_bytes(int(ids[row]))
        return found

    def data(self, sym: int) -> bytes | memoryview:
        """The symbol's content; may be shorter than ``size`` (the rest is zero)."""
        made = self.contents.get(sym)
        if made is not None:
            return made
        size = int(self.data_size[sym])
        return self.arena.view(int(self.data_at[sym]), size) if size else b""

    def has(self, ids: Ids, flag: Flag) -> npt.NDArray[np.bool_]:
        """Whether all bits of ``flag`` are set: bool[len(ids)] (0-d for one id)."""
        return (self.flags[ids] & flag) == flag

    def reachable(self) -> npt.NDArray[np.int64]:
        """Ids of all reachable symbols, ascending: int64[k]."""
        return np.flatnonzero(self.flags & Flag.REACHABLE)

    def of_kind(self, *kinds: int) -> npt.NDArray[np.int64]:
        """Ids of all reachable symbols of one of ``kinds``, ascending: int64[k]."""
        wanted = np.zeros(256, bool)
        wanted[list(kinds)] = True
        return np.flatnonzero(wanted[self.kind] & ((self.flags & Flag.REACHABLE) != 0))

    def edit(self) -> SymbolsEdit:
        """A writable successor; this table stays as it is."""
        return SymbolsEdit(self)

    def rows(self) -> Iterator[dict[str, Any]]:
        """One dict for each symbol, in id order, for dumps."""
        columns = [(name, getattr(self, name).tolist()) for name in COLUMNS]
        for sym in range(1, len(self)):
            row: dict[str, Any] = {"id": sym, "name": self.name(sym)}
            row.update((name, values[sym]) for name, values in columns)
            yield row

    def verify(self) -> list[str]:
        """Broken invariants, in words; an empty list when all hold."""
        wrong = []
        if len(self) and (self.flags[0] or self.kind[0]):
            wrong.append('row 0 ("no symbol") has flags or a kind')
        if (self.size < 0).any():
            wrong.append(f"symbol {int(np.argmax(self.size < 0))} has a negative size")
        bad = (self.container < 0) | (self.container >= len(self))
        if bad.any():
            wrong.append(f"symbol {int(np.argmax(bad))} lies in a container that does not exist")
        return wrong


class SymbolsEdit:
    """A symbol table being changed. Columns are copied when first written to.

    Reading methods of Symbols work here too (``lookup``, ``name``, ``data``, columns as
    attributes: full-length arrays, not to be written to directly).
    """

    def __init__(self, base: Symbols) -> None:
        self._base = base
        self._n = len(base)
        self._columns: dict[str, npt.NDArray[Any]] = {}
        self._contents: dict[int, bytes] | None = None
        self._extnames: dict[int, bytes] | None = None
        self._packages: dict[int, str] | None = None
        self._created: dict[tuple[bytes, int], int] | None = None
        self._names: list[bytes] | None = None
        self._anonymous = min(int(base.version.min()), 0)

    def __getattr__(self, name: str) -> Any:
        if name in COLUMNS:
            column = self._columns.get(name)
            return getattr(self._base, name) if column is None else column[: self._n]
        raise AttributeError(name)

    def __len__(self) -> int:
        return self._n

    def lookup(self, name: str | bytes, version: int = 0) -> int:
        """The id of the symbol of that name and version, 0 when there is none."""
        key = name.encode() if isinstance(name, str) else name
        if self._created is not None:
            made = self._created.get((key, version))
            if made is not None:
                return made
        return self._base.lookup(key, version)

    def lookup_or_create(self, name: str | bytes, version: int = 0) -> int:
        """The id of that symbol, made now (with the next id) when there is none."""
        found = self.lookup(name, version)
        if found:
            return found
        key = name.encode() if isinstance(name, str) else name
        sym = self.create(key, version)
        if self._created is None:
            self._created = dict(self._base.created)
        self._created[(key, version)] = sym
        return sym

    def create(self, name: str | bytes, version: int = 0) -> int:
        """A new symbol that cannot be looked up by name."""
        key = name.encode() if isinstance(name, str) else name
        if self._names is None:
            self._names = list(self._base.created_names)
        self._names.append(key)
        sym = self._n
        self._grow(sym + 1)
        self._columns["version"][sym] = version
        self._columns["name_at"][sym] = -len(self._names)
        self._columns["name_size"][sym] = len(key)
        return sym

    def create_many(self, count: int, **values: Any) -> I64:
        """New symbols without a name, with consecutive ids: int64[count]. ``values`` are columns,
        as for ``set``."""
        ids = np.arange(self._n, self._n + count)
        self._grow(self._n + count)
        self.set(ids, **values)
        return ids

    def create_static(self, name: str | bytes) -> int:
        """A new symbol private to this link, under a version of its own."""
        self._anonymous -= 1
        return self.create(name, self._anonymous)

    def _grow(self, n: int) -> None:
        for name, dtype in COLUMNS.items():
            column = self._columns.get(name)
            if column is None or len(column) < n:
                old = getattr(self, name)
                grown = np.full(max(n + 64, n + n // 16), _DEFAULTS.get(name, 0), dtype)
                grown[: self._n] = old
                self._columns[name] = grown
        self._n = n

    def _writable(self, name: str) -> npt.NDArray[Any]:
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = getattr(self._base, name).copy()
        return column

    def set(self, ids: Ids, **values: Any) -> None:
        """Assign columns of one symbol or of many: ``edit.set(ids, kind=..., size=sizes)``."""
        for name, value in values.items():
            self._writable(name)[ids] = value

    def add_flags(self, ids: Ids, flag: int) -> None:
        """Set the bits of ``flag``."""
        self._writable("flags")[ids] |= np.uint32(flag)

    def clear_flags(self, ids: Ids, flag: int) -> None:
        """Clear the bits of ``flag``."""
        self._writable("flags")[ids] &= np.uint32(~flag & 0xFFFFFFFF)

    def set_content(self, sym: int, content: bytes, *, grow: bool = True) -> None:
        """Give the symbol these bytes; ``size`` becomes their length unless ``grow`` is false."""
        if self._contents is None:
            self._contents = dict(self._base.contents)
        self._contents[sym] = content
        self.set(sym, data_at=-1, data_size=len(content))
        if grow:
            self.set(sym, size=len(content))

    def set_extname(self, sym: int, name: bytes) -> None:
        """Name the symbol so in the output's symbol table."""
        if self._extnames is None:
            self._extnames = dict(self._base.extnames)
        self._extnames[sym] = name

    def set_package(self, sym: int, path: str) -> None:
        """Count the symbol to that package."""
        if self._packages is None:
            self._packages = dict(self._base.packages)
        self._packages[sym] = path

    def data(self, sym: int) -> bytes | memoryview:
        """The symbol's content as it is now."""
        if self._contents is not None and sym in self._contents:
            return self._contents[sym]
        return self._base.data(sym) if sym < len(self._base) else b""

    def name_bytes(self, sym: int) -> bytes:
        """The symbol's own name."""
        at = int(self.name_at[sym])
        if at < 0 and self._names is not None:
            return self._names[-1 - at]
        return self._base.name_bytes(sym)

    def freeze(self) -> Symbols:
        """The changed table; the edit must not be used any more."""
        changes: dict[str, Any] = {}
        for name, column in self._columns.items():
            whole = column if len(column) == self._n else column[: self._n].copy()
            whole.setflags(write=False)
            changes[name] = whole
        for name, made in (
            ("contents", self._contents),
            ("extnames", self._extnames),
            ("packages", self._packages),
            ("created", self._created),
        ):
            if made is not None:
                changes[name] = MappingProxyType(made)
        if self._names is not None:
            changes["created_names"] = tuple(self._names)
        self._columns = {}
        return attrs.evolve(self._base, **changes) if changes else self._base
