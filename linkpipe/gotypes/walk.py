"""What is in a program of Go's own sorts of data: types with their methods, interface tables,
strings; and other names for types.

A type's string, "*main.T", is a symbol that the descriptor refers to; so a type gets another one by
a symbol and a changed relocation. Layout: internal/abi/type.go, internal/abi/iface.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from linkpipe.arrays.columns import table
from linkpipe.arrays.ragged import expand, owners
from linkpipe.arrays.types import I64, U8, Ints
from linkpipe.formats.leb128 import uleb
from linkpipe.gotypes.data import TypeData
from linkpipe.gotypes.layout import METHOD_SIZE, TFLAG_EXTRA_STAR
from linkpipe.reloctype import R_METHODOFF
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.symbols import Flag, Symbols
from linkpipe.values import Shown

if TYPE_CHECKING:
    from linkpipe.arch import Architecture
    from linkpipe.tables.objects import Objects

_EXPORTED = 1
"""internal/abi/type.go, Name: the bit of its flags that says so."""


@table
class GoTypes(Shown):
    """The n type descriptors in a program, by id, and their m methods, type by type.

    Attributes:
        symbols: int64[n], the descriptors.
        strings: what reflection calls them, "main.T", "map[string]int".
        kinds: uint8[n], as reflect.Kind counts; sizes: int64[n], bytes of a value.
        nmethods: int64[n], how many methods each has.
        methods: their names, as the descriptors list them.
        method_types: int64[m], descriptors of their types, 0: left out, nothing asks for it.
        functions: int64[m], what a call by an interface runs; direct: int64[m], what a direct call
            does; 0: the method was left out.
    """

    symbols: I64
    strings: tuple[bytes, ...]
    kinds: U8
    sizes: I64
    nmethods: I64
    methods: tuple[bytes, ...]
    method_types: I64
    functions: I64
    direct: I64


@table
class GoItabs(Shown):
    """The n interface tables in a program, by id.

    Attributes:
        symbols: int64[n]; interfaces, types: int64[n], descriptors of the interface and of the type
            that is in it.
        nmethods: int64[n], methods of the interface.
        functions: int64[sum(nmethods)], the method that each slot leads to, 0: left out.
    """

    symbols: I64
    interfaces: I64
    types: I64
    nmethods: I64
    functions: I64


@table
class GoStrings(Shown):
    """Constant strings that code refers to, by id: ``symbols`` int64[n], and their ``texts``.
    Elsewhere in the program there may be more: what -X sets, files that are embedded."""

    symbols: I64
    texts: tuple[bytes, ...]


def read_types(symbols: Symbols, relocs: Relocs, objects: Objects, arch: Architecture) -> GoTypes:
    """The types in the program; of a link that has run up to ``reachability``, or further. Raises
    InputError for a descriptor that is damaged, or that a pass has given other bytes."""
    ids = _defined(symbols, Flag.GO_TYPE)
    types = TypeData(symbols, objects, arch.ptrsize, arch.byteorder)
    # Of a type without methods the end of the descriptor need not be there.
    rows, nrelocs = relocs.rows_of_many(ids)
    having = np.unique(owners(nrelocs)[relocs.type[rows] == R_METHODOFF])
    found = types.methods(ids[having])
    row = np.repeat(having, found.counts)
    start = np.repeat(found.first, found.counts)
    at = start + METHOD_SIZE * expand(np.zeros_like(found.counts), found.counts)
    table = _Rows(relocs, ids)
    reachable = (symbols.flags & Flag.REACHABLE) != 0

    def part(offset: int) -> I64:
        targets = table.targets(row, at + offset)
        return np.where(reachable[targets], targets, 0)

    names = table.targets(row, at)
    for owner in row[names == 0][:1].tolist():
        raise types.wrong(int(ids[owner]), "a method has no name")
    return GoTypes(
        symbols=ids,
        strings=tuple(types.strings(ids, relocs).list()),
        kinds=types.kinds(ids).astype(np.uint8),
        sizes=types.sizes(ids),
        nmethods=np.bincount(row, minlength=len(ids)),
        methods=tuple(types.texts(names).list()),
        method_types=part(4),
        functions=part(8),
        direct=part(12),
    )


def read_itabs(symbols: Symbols, relocs: Relocs, arch: Architecture) -> GoItabs:
    """The interface tables in the program; of a link that has run up to ``reachability``, or
    further."""
    ids = _defined(symbols, Flag.ITAB)
    word, head = arch.ptrsize, 2 * arch.ptrsize + 8
    table = _Rows(relocs, ids)
    rows = np.arange(len(ids))
    counts = np.maximum(symbols.size[ids] - head, 0) // word
    slots = head + word * expand(np.zeros_like(counts), counts)
    functions = table.targets(owners(counts), slots)
    reachable = (symbols.flags[functions] & Flag.REACHABLE) != 0
    return GoItabs(
        symbols=ids,
        interfaces=table.targets(rows, np.zeros_like(ids)),
        types=table.targets(rows, np.full_like(ids, word)),
        nmethods=counts,
        functions=np.where(reachable, functions, 0),
    )


def read_strings(symbols: Symbols) -> GoStrings:
    """The constant strings in the program; of a link that has run up to ``reachability``, or
    further."""
    ids = symbols.reachable()
    ids = ids[symbols.starts_with(ids, b"go:string.") & (symbols.data_size[ids] != 0)]
    return GoStrings(ids, tuple(bytes(symbols.data(sym)) for sym in ids.tolist()))


def with_type_strings(
    symbols: Symbols,
    relocs: Relocs,
    objects: Objects,
    arch: Architecture,
    types: GoTypes,
    strings: Sequence[bytes],
) -> tuple[Symbols, Relocs]:
    """The tables in which each of ``types`` has that string, of any length; a string that nothing
    refers to any more is left out of the program. For a pass between
    ``reachability`` and what sorts types by their strings (``typelinks``, ``typeorder``).

    Reflection puts the strings of composed types together from those of their parts, and looks them
    up: rename "[]main.T", "*main.T" and "func(main.T)" with "main.T". Modules that exchange
    values need the same strings. What the debugger calls a type stays.

    Raises ValueError for another number of strings than types, InputError for damaged descriptors.
    """
    if len(strings) != len(types.strings):
        raise ValueError(f"there are {len(types.strings)} types, not {len(strings)}")
    changed = [i for i, text in enumerate(strings) if text != types.strings[i]]
    ids = types.symbols[changed]
    table = TypeData(symbols, objects, arch.ptrsize, arch.byteorder)
    table.check(ids)
    star = (table.tflags(ids) & TFLAG_EXTRA_STAR) != 0
    rows = _Rows(relocs, ids).at(np.arange(len(ids)), np.full_like(ids, table.layout.string))
    edit, made, targets = symbols.edit(), dict[bytes, int](), []
    for i, starred, row in zip(changed, star.tolist(), rows.tolist(), strict=True):
        old = int(relocs.target[row]) if row >= 0 else 0
        if not old:
            raise table.wrong(int(types.symbols[i]), "type descriptor without a name")
        text = b"*" * starred + strings[i]
        content = bytes([symbols.data(old)[0] & _EXPORTED]) + uleb(len(text)) + text
        if content not in made:
            sym = made[content] = edit.create_static(b"type:.namedata." + text)
            edit.set_content(sym, content)
            edit.set(sym, kind=int(symbols.kind[old]), align=int(symbols.align[old]))
            edit.add_flags(sym, Flag.REACHABLE | Flag.LOCAL)
        targets.append(made[content])
    other = relocs.edit()
    other.set(rows, target=np.array(targets, np.int32))
    # What only these types were called goes: texts are shared with fields and methods.
    before, after = np.unique(relocs.target[rows]), other.freeze()
    edit.clear_flags(before[~np.isin(before, after.target)], Flag.REACHABLE)
    return edit.freeze(), after


def _defined(symbols: Symbols, flag: Flag) -> I64:
    """The symbols in the program that are so flagged and have content, ascending: int64[n]."""
    wanted = Flag.REACHABLE | flag
    return np.flatnonzero(((symbols.flags & wanted) == wanted) & (symbols.data_size != 0))


class _Rows:
    """Finds the relocation at an offset of one of some symbols."""

    def __init__(self, relocs: Relocs, ids: I64) -> None:
        rows, counts = relocs.rows_of_many(ids)
        key = (owners(counts) << 32) | relocs.offset[rows].astype(np.int64)
        # Of several at one offset the first counts.
        self._key, first = np.unique(key, return_index=True)
        self._row, self._relocs = rows[first], relocs

    def at(self, which: Ints, offsets: Ints) -> I64:
        """The row of the relocation at each offset of the symbol ``ids[which]``, -1: none."""
        key = (which.astype(np.int64) << 32) | offsets
        place = np.searchsorted(self._key, key)
        found = np.flatnonzero(np.append(self._key, -1)[place] == key)
        out = np.full(len(key), -1, np.int64)
        out[found] = self._row[place[found]]
        return out

    def targets(self, which: Ints, offsets: Ints) -> I64:
        """The symbols that these refer to, 0: none."""
        return np.append(self._relocs.target, np.int32(0))[self.at(which, offsets)].astype(np.int64)
