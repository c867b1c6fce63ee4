"""A symbol table while a pass changes it."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from linkpipe.arrays.room import Memory
from linkpipe.arrays.types import I64, U8
from linkpipe.errors import InputError
from linkpipe.tables.edit import Edit
from linkpipe.tables.names import as_bytes
from linkpipe.tables.symbolcolumns import COLUMNS, DEFAULTS, Flag, Ids
from linkpipe.values import evolve

if TYPE_CHECKING:
    from linkpipe.tables.symbols import Symbols


class SymbolsEdit(Edit):
    """A symbol table being changed. Columns are copied when rows of the base are written to; what
    is added shares the base's memory, where there is room.

    Reading methods of Symbols work here too (``lookup``, ``name``, ``data``, columns as
    attributes: read-only arrays of full length, which later changes may show in).
    """

    def __init__(self, base: Symbols) -> None:
        self._base = base
        self._n = len(base)
        self._room = 0  # rows of all columns, when there are more than of the base
        self._columns: dict[str, Memory] = {}
        self._own: set[str] = set()  # columns that have memory of this edit's alone
        self._contents: dict[int, bytes] | None = None
        self._extnames: dict[int, bytes] | None = None
        self._packages: dict[int, str] | None = None
        self._created: dict[tuple[bytes, int], int] | None = None
        self._names: list[bytes] | None = None
        self._anonymous: int | None = None

    def __getattr__(self, name: str) -> Any:
        if name in COLUMNS:
            column = self._columns.get(name)
            return getattr(self._base, name) if column is None else column.shown(self._n)
        return super().__getattr__(name)

    def __len__(self) -> int:
        return self._n

    def lookup(self, name: str | bytes, version: int = 0) -> int:
        """The id of the symbol of that name and version, 0 when there is none."""
        key = as_bytes(name)
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
        key = as_bytes(name)
        sym = self.create(key, version)
        if self._created is None:
            self._created = dict(self._base.created)
        self._created[(key, version)] = sym
        return sym

    def lookup_or_create_many(self, keys: Sequence[tuple[bytes, int]]) -> I64:
        """``[self.lookup_or_create(*key) for key in keys]``: int64[len(keys)]."""
        found = self._base.lookup_many([name for name, _ in keys], [v for _, v in keys])
        if self._created is None:
            self._created = dict(self._base.created)
        new: dict[tuple[bytes, int], int] = {}
        for row in np.flatnonzero(found == 0).tolist():
            made = self._created.get(keys[row])
            found[row] = made or new.setdefault(keys[row], self._n + len(new))
        if new:
            self._created |= new
            self._create_named(*zip(*new, strict=True))
        return found.astype(np.int64)

    def _create_named(self, names: Sequence[bytes], versions: Sequence[int]) -> None:
        """New symbols of these names and versions, with consecutive ids."""
        if self._names is None:
            self._names = list(self._base.created_names)
        self._names += names
        at = -1 - np.arange(len(self._names) - len(names), len(self._names))
        size = [len(name) for name in names]
        self.create_many(len(names), version=versions, name_at=at, name_size=size)

    def own(self, name: str | bytes) -> int:
        """The id of that symbol, which this linker makes. Raises InputError where a C object has
        it."""
        sym = self.lookup_or_create(name)
        if int(self.flags[sym]) & Flag.OF_C:
            shown, where = (
                self.name_bytes(part).decode("utf-8", "surrogateescape")
                for part in (sym, int(self.container[sym]))
            )
            raise InputError(
                "a C object defines it, and the linker makes it itself",
                symbol=shown,
                found=f"a part of {where}" if where else "a common symbol",
                remedy="give the symbol another name, or link with -ldflags=-linkmode=external",
            )
        return sym

    def own_many(self, names: Sequence[str]) -> I64:
        """``[self.own(name) for name in names]``: int64[len(names)]."""
        ids = self.lookup_or_create_many([(as_bytes(name), 0) for name in names])
        for row in np.flatnonzero(self.flags[ids] & np.uint32(Flag.OF_C))[:1].tolist():
            self.own(names[row])  # says so
        return ids

    def create(self, name: str | bytes, version: int = 0) -> int:
        """A new symbol that cannot be looked up by name."""
        key = as_bytes(name)
        if self._names is None:
            self._names = list(self._base.created_names)
        self._names.append(key)
        sym = self._n
        self._grow(sym + 1)
        self.set(sym, version=version, name_at=-len(self._names), name_size=len(key))
        return sym

    def create_many(self, count: int, name: str | bytes = b"", **values: Any) -> I64:
        """New symbols of one name, or of none, that cannot be looked up by it, with consecutive
        ids: int64[count]. ``values`` are columns, as for ``set``."""
        ids = np.arange(self._n, self._n + count)
        self._grow(self._n + count)
        if key := as_bytes(name):
            if self._names is None:
                self._names = list(self._base.created_names)
            self._names.append(key)
            self.set(ids, name_at=-len(self._names), name_size=len(key))
        self.set(ids, **values)
        return ids

    def create_static(self, name: str | bytes) -> int:
        """A new symbol private to this link, under a version of its own."""
        if self._anonymous is None:
            self._anonymous = min(int(self._base.version.min()), 0)
        self._anonymous -= 1
        return self.create(name, self._anonymous)

    def _grow(self, n: int) -> None:
        if n > self._room:
            for name in COLUMNS:
                memory = self._columns.get(name)
                own = memory is not None and name in self._own
                if not own:
                    memory = None if memory is not None else Memory.of(getattr(self._base, name))
                if memory is not None and len(memory) >= n and (own or memory.lend(self._n)):
                    self._columns[name] = memory
                else:
                    self._renew(name, n)
            self._room = min(map(len, self._columns.values()))
        self._n = n

    def _renew(self, name: str, rows: int) -> None:
        """Give the column memory of its own, for so many rows and more."""
        old = getattr(self, name)[: self._n]
        self._columns[name] = Memory.copy_of(COLUMNS[name], old, rows, DEFAULTS.get(name, 0))
        self._own.add(name)

    def _says(self, name: str, ids: Ids, value: Any) -> bool:
        """Whether the column says that already of these symbols, as far as it is quickly known."""
        few = np.size(ids) < 1000 and np.asarray(ids).dtype != np.bool_
        return few and bool(np.all(getattr(self, name)[ids] == value))

    def _are_new(self, ids: Ids) -> bool:
        """Whether none of these symbols is of the base."""
        first = len(self._base)
        if self._n == first:
            return False
        if isinstance(ids, (int, np.integer)):
            return bool(ids >= first)
        found = np.asarray(ids)
        return bool(found.dtype != np.bool_ and (found >= first).all())

    def set(self, ids: Ids, **values: Any) -> None:
        """Assign columns of one symbol or of many: ``edit.set(ids, kind=..., size=sizes)``."""
        for name, value in values.items():
            if name not in self._own and not self._are_new(ids):
                if self._says(name, ids, value):
                    continue
                self._renew(name, max(self._n, self._room))
            self._columns[name].write(self._n, ids, value)

    def add_flags(self, ids: Ids, flag: int) -> None:
        """Set the bits of ``flag``."""
        self.set(ids, flags=self.flags[ids] | np.uint32(flag))

    def clear_flags(self, ids: Ids, flag: int) -> None:
        """Clear the bits of ``flag``."""
        self.set(ids, flags=self.flags[ids] & np.uint32(~flag & 0xFFFFFFFF))

    def set_content(self, sym: int, content: bytes, *, grow: bool = True) -> None:
        """Give the symbol these bytes; ``size`` becomes their length unless ``grow`` is false."""
        if self._contents is None:
            self._contents = dict(self._base.contents)
        self._contents[sym] = content
        self.set(sym, data_at=-1, data_size=len(content))
        if grow:
            self.set(sym, size=len(content))

    def set_contents(self, ids: I64, content: bytes | U8, starts: I64) -> None:
        """Give symbol ``ids[i]`` the bytes from ``starts[i]`` up to ``starts[i + 1]``; ``size``
        becomes their number. They lie in the arena then, as those of objects do, or in ``contents``
        where there is no room."""
        sizes, at = np.diff(starts), self._base.arena.put(memoryview(content))
        if at < 0:
            for sym, first, size in zip(*(x.tolist() for x in (ids, starts, sizes)), strict=False):
                self.set_content(sym, bytes(content[first : first + size]))
            return
        self.set(ids, data_at=at + starts[:-1], data_size=sizes, size=sizes)
        made = self._base.contents if self._contents is None else self._contents
        places = self.data_at[np.fromiter(made, np.int64, len(made))].tolist()
        if max(places, default=-1) >= 0:
            pairs = zip(made.items(), places, strict=True)
            self._contents = dict(item for item, place in pairs if place < 0)

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
        made = self._base.contents if self._contents is None else self._contents
        if sym in made:
            return made[sym]
        size = int(self.data_size[sym])
        return self._base.arena.view(int(self.data_at[sym]), size) if size else b""

    def name_bytes(self, sym: int) -> bytes:
        """The symbol's own name."""
        at = int(self.name_at[sym])
        if at < 0 and self._names is not None:
            return self._names[-1 - at]
        return self._base.name_bytes(sym)

    def freeze(self) -> Symbols:
        """The changed table; the edit is closed."""
        base = self._base
        changes: dict[str, Any] = {
            name: column.table(self._n) for name, column in self._columns.items()
        }
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
        self._close()
        return evolve(base, **changes) if changes else base
