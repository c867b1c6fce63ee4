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

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from linkpipe.arrays.columns import check_columns, frozen, table
from linkpipe.arrays.ragged import slices
from linkpipe.arrays.types import I16, I32, I64, U8, U32, Bool, Ints
from linkpipe.formats.arena import Arena
from linkpipe.kernels.names import containing, matching
from linkpipe.symkind import SymKind
from linkpipe.tables.listing import InNotebook, Listing
from linkpipe.tables.names import Names, Slots, as_bytes
from linkpipe.tables.symbolcolumns import ABI0, ABI_INTERNAL, COLUMNS, STATIC, Flag, Ids
from linkpipe.tables.symboledit import SymbolsEdit

S = TypeVar("S", bound=np.generic)

__all__ = ["ABI0", "ABI_INTERNAL", "COLUMNS", "STATIC", "Flag", "Symbols", "SymbolsEdit"]


@table
class Symbols(InNotebook):
    """Columns of equal length n (row 0 is "no symbol"); dtypes and meanings in COLUMNS.

    Attributes:
        arena: where names and contents of symbols from object files lie.
        made: the number of symbols that object files define (ids below it); from there on
            the linker made them ("extStart" in the oracle).
        contents: bytes of symbols whose content the linker made or replaced, but for what it made
            many at once, which lies in the arena (`made_contents` knows both).
        extnames: names in the output that differ from the symbol's own.
        packages: import path for symbols placed with another package than their object's.
        by_name: the symbols from object files that can be found by name and version.
        created: (name, version) -> id of named symbols that the linker made.
        created_names: the names that negative ``name_at`` refer to.
    """

    arena: Arena
    made: int
    object: I32
    local: I32
    version: I32
    kind: U8
    size: I64
    align: I32
    flags: U32
    name_at: I64
    name_size: I32
    data_at: I64
    data_size: I64
    value: I64
    container: I32
    section: I16
    contents: Mapping[int, bytes]
    extnames: Mapping[int, bytes]
    packages: Mapping[int, str]
    by_name: Slots
    created: Mapping[tuple[bytes, int], int]
    created_names: tuple[bytes, ...]

    def __attrs_post_init__(self) -> None:
        check_columns(self, "symbols", COLUMNS, len(self.kind))

    def __len__(self) -> int:
        """Number of rows, the "no symbol" row 0 included."""
        return len(self.kind)

    def lookup(self, name: str | bytes, version: int = 0) -> int:
        """The id of the symbol of that name and version, 0 when there is none."""
        key = as_bytes(name)
        made = self.created.get((key, version))
        if made is not None:
            return made
        return max(0, int(Names.of([key], [version]).find(self._named, self.by_name)[0]))

    @property
    def _named(self) -> Names:
        return Names(self.arena.bytes, self.name_at, self.name_size, self.version)

    def lookup_many(self, names: Sequence[bytes], versions: Sequence[int]) -> I32:
        """``[self.lookup(n, v) for n, v in zip(names, versions)]``: int32[len(names)]."""
        return self.find(Names.of(names, versions))

    def find(self, names: Names) -> I32:
        """The symbols of these names, of which the numbers are versions, 0 where there is none:
        int32[n]."""
        found = np.maximum(names.find(self._named, self.by_name), 0)
        made, slots, ids = self._made
        rows = names.find(made, slots)
        found[rows >= 0] = ids[rows[rows >= 0]]
        return found

    @cached_property
    def _made(self) -> tuple[Names, Slots, I32]:
        """What `created` says."""
        keys = list(self.created)
        names = Names.of([name for name, _ in keys], [version for _, version in keys])
        names = Names(names.text, frozen(names.at), frozen(names.size), frozen(names.tag))
        return names, names.group()[1], frozen(np.array(list(self.created.values()), np.int32))

    def lookup_others(self, ids: Ints, version: int) -> I32:
        """The symbols of the same names under another version, 0 where there is none: int32[n].

        ``[self.lookup(self.extname(i), version) for i in ids]``
        """
        found = np.zeros(len(ids), np.int32)
        at, size = self.name_at[ids], self.name_size[ids]
        rows = np.flatnonzero(at >= 0)
        wanted = Names(self.arena.bytes, at[rows], size[rows], np.full(len(rows), version, "i4"))
        found[rows] = np.maximum(wanted.find(self._named, self.by_name), 0)
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

    def names(self, ids: Ids, cut: int = 0) -> list[bytes]:
        """The names of many symbols, each without its first ``cut`` bytes."""
        at, size = self.name_at[ids], np.maximum(self.name_size[ids] - cut, 0)
        rows = np.flatnonzero(at < 0)
        size[rows] = 0
        found = slices(self.arena.bytes, at + cut, size)
        for row, made in zip(rows.tolist(), (-1 - at[rows]).tolist(), strict=True):
            found[row] = self.created_names[made][cut:]
        return found

    def extname(self, sym: int) -> bytes:
        """The name that the output's symbol table uses."""
        found = self.extnames.get(sym)
        return self.name_bytes(sym) if found is None else found

    def starts_with(self, ids: Ints, *prefixes: bytes) -> Bool:
        """Whether each symbol's name starts with any of ``prefixes``: bool[len(ids)].

        ``[name(i).startswith(prefixes) for i in ids]``
        """
        return self.which_start(ids, *prefixes) != 0

    def ends_with(self, ids: Ints, *suffixes: bytes) -> Bool:
        """Whether each symbol's name ends with any of ``suffixes``: bool[len(ids)].

        ``[name(i).endswith(suffixes) for i in ids]``
        """
        return self.which_end(ids, *suffixes) != 0

    def which_start(self, ids: Ints, *prefixes: bytes) -> I32:
        """With which of ``prefixes``, counted from 1, each symbol's name starts; the first, 0:
        none. int32[len(ids)].
        """
        return self._match(ids, prefixes, end=False)

    def which_end(self, ids: Ints, *suffixes: bytes) -> I32:
        """With which of ``suffixes`` each symbol's name ends, as ``which_start``."""
        return self._match(ids, suffixes, end=True)

    def _match(self, ids: Ints, texts: tuple[bytes, ...], *, end: bool) -> I32:
        if not texts:
            return np.zeros(len(ids), np.int32)
        sought = np.frombuffer(b"".join(texts), np.uint8)
        lengths = np.array([len(text) for text in texts], np.int64)
        return self._ask_names(
            ids, lambda text, at, size: matching(text, at, size, sought, lengths, end)
        )

    def contains(self, ids: Ints, byte: int) -> Bool:
        """Whether each symbol's name contains a byte: bool[len(ids)].

        ``[byte in name(i) for i in ids]``
        """
        return self._ask_names(ids, lambda text, at, size: containing(text, at, size, byte))

    def _ask_names(
        self, ids: Ints, ask: Callable[[U8, I64, I32], npt.NDArray[S]]
    ) -> npt.NDArray[S]:
        """What a kernel says of each symbol's name, whether it lies in an object or was made."""
        at = self.name_at[ids]
        size = np.where(at < 0, 0, self.name_size[ids]).astype(np.int32, copy=False)
        found = ask(self.arena.bytes, at, size)
        rows = np.flatnonzero(at < 0)
        if len(rows):
            text, at, size = self._made_names
            which = -1 - self.name_at[ids[rows]]
            found[rows] = ask(text, at[which], size[which])
        return found

    @cached_property
    def _made_names(self) -> tuple[U8, I64, I32]:
        """`created_names` as bytes, and where each lies in them."""
        size = np.fromiter(map(len, self.created_names), np.int32)
        text = np.frombuffer(b"".join(self.created_names), np.uint8)
        return text, frozen(np.cumsum(size) - size), frozen(size)

    def data(self, sym: int) -> bytes | memoryview:
        """The symbol's content; may be shorter than ``size`` (the rest is zero)."""
        made = self.contents.get(sym)
        if made is not None:
            return made
        size = int(self.data_size[sym])
        return self.arena.view(int(self.data_at[sym]), size) if size else b""

    def made_contents(self) -> Bool:
        """Which symbols have a content that the linker made or replaced: bool[n]."""
        made = self.data_at >= self.arena.made
        made[list(self.contents)] = True
        return made

    def has(self, ids: Ids, flag: Flag) -> Bool:
        """Whether all bits of ``flag`` are set: bool[len(ids)] (0-d for one id)."""
        bits = np.uint32(flag)  # with an enumeration's member numpy would go on in 64 bits
        return (self.flags[ids] & bits) == bits

    def marked(self, flags: int) -> Bool:
        """Which symbols have one of these bits: bool[n]."""
        return (self.flags & np.uint32(flags)) != 0

    def reachable(self) -> I64:
        """Ids of all reachable symbols, ascending: int64[k]."""
        return np.flatnonzero(self.marked(Flag.REACHABLE))

    def of_kind(self, *kinds: int) -> I64:
        """Ids of all reachable symbols of one of ``kinds``, ascending: int64[k]."""
        wanted = np.zeros(256, bool)
        wanted[list(kinds)] = True
        ids = self.reachable()
        return ids[wanted[self.kind[ids]]]

    def edit(self) -> SymbolsEdit:
        """A writable successor; this table stays as it is."""
        return SymbolsEdit(self)

    def listing(self) -> Listing:
        """A row for each symbol, in id order, for dumps."""
        columns = ("version", "kind", "flags", "size", "align", "value", "section", "container")
        own = (*columns, "object", "local", "data_size")
        return Listing(
            key="id",
            columns={
                "id": np.arange(len(self)),
                **{name: getattr(self, name) for name in own},
                "name_at": self.name_at,
            },
            words={
                "name": lambda at: [n.decode("utf-8", "surrogateescape") for n in self.names(at)],
                "kind": lambda at: [_KINDS[kind] for kind in self.kind[at].tolist()],
                "flags": lambda at: _flag_words(self.flags[at]),
            },
            refers={"container": "symbols", "section": "sections"},
            shown=(self.flags & Flag.REACHABLE) != 0,
            names=("name", "version"),
            numbers=("id", "object", "local"),
            hidden=("name_at",),
        )

    def check(self) -> list[str]:
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


_KINDS = {kind.value: kind.name for kind in SymKind}


def _flag_words(flags: U32) -> list[list[str]]:
    """The names of the bits that are set, for each value."""
    distinct, at = np.unique(flags, return_inverse=True)
    words = [[flag.name or "" for flag in Flag if value & flag] for value in distinct.tolist()]
    return [words[i] for i in at.tolist()]
