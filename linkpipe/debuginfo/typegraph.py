"""Types that debug information mentions, read from their run-time descriptors.

From some types the graph reaches all that they are made of: elements, fields, parameters. They
are read wave by wave, a whole wave at a time; what the order of entries depends on, a walk in
preorder, then only touches integers.

See linkpipe.gotypes.layout for what is where in a descriptor. Source:
cmd/link/internal/ld/dwarf.go (newtype), decodesym.go.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from linkpipe.arrays.ragged import distinct, expand, owners
from linkpipe.arrays.types import I64, Ints
from linkpipe.formats.dwarf import Code
from linkpipe.gotypes.data import TypeData
from linkpipe.gotypes.layout import NAME_EMBEDDED, TFLAG_UNCOMMON, UNCOMMON_SIZE, Kind

_ONE_PART = (Kind.ARRAY, Kind.CHAN, Kind.POINTER, Kind.SLICE)


class Parts(NamedTuple):
    """What types are made of, in the order of their declaration, type by type; equal lengths.

    ``code`` is the abbreviation of the child entry that describes the part, 0 where there is
    none; ``symbol`` its type, 0: none (the ``...`` of a signature); ``name_at`` and ``name_size``
    the arena's text with a field's name; ``value`` its offset in bytes, ``embedded`` whether it
    has no name of its own.
    """

    code: I64
    symbol: I64
    name_at: I64
    name_size: I64
    value: I64
    embedded: I64


class TypeGraph(NamedTuple):
    """n types and what they are made of.

    Attributes:
        symbols: int64[n], ascending within a wave, each once.
        kinds, sizes: int64[n]. lengths: int64[n], of arrays.
        groups: int64[n], of maps the symbol of the type of a group of slots, else 0.
        first, counts: int64[n], the rows of ``parts``.
        row: int64[number of symbols], the row of each symbol, -1: not in the graph.
    """

    symbols: I64
    kinds: I64
    sizes: I64
    lengths: I64
    groups: I64
    first: I64
    counts: I64
    parts: Parts
    row: I64


def read_types(types: TypeData, roots: Ints, empty_interface: int, interface: int) -> TypeGraph:
    """The types that can be reached from ``roots``.

    ``empty_interface`` and ``interface`` are the types of which interfaces without and with
    methods are made. Raises InputError for a symbol that is no type.
    """
    row = np.full(len(types.symbols), -1, np.int64)
    row[0] = 0  # "no type" is never new
    waves: list[tuple[Any, ...]] = []
    found: I64 = np.append(roots, (empty_interface, interface)).astype(np.int64)
    n = 0
    while True:
        wave = distinct(found[row[found] < 0])
        if not len(wave):
            break
        row[wave] = np.arange(n, n + len(wave))
        n += len(wave)
        columns, parts = _read_wave(types, wave, empty_interface, interface)
        waves.append((wave, *columns, *parts))
        found = np.concatenate((parts.symbol, columns[3]))
    row[0] = -1
    whole = [np.concatenate(column) for column in zip(*waves, strict=True)]
    symbols, kinds, sizes, lengths, groups, counts, *parts_ = whole
    first = np.cumsum(counts) - counts
    return TypeGraph(symbols, kinds, sizes, lengths, groups, first, counts, Parts(*parts_), row)


def _read_wave(
    types: TypeData, ids: I64, empty_interface: int, interface: int
) -> tuple[tuple[I64, I64, I64, I64, I64], Parts]:
    """Kinds, sizes, lengths, groups and counts of parts; and the parts."""
    types.check(ids)
    layout, word = types.layout, types.layout.ptrsize
    kinds, sizes, common = types.kinds(ids), types.sizes(ids), layout.common
    function, struct = kinds == Kind.FUNC, kinds == Kind.STRUCT
    face, mapping = kinds == Kind.INTERFACE, kinds == Kind.MAP
    has_length = struct | face | (kinds == Kind.ARRAY)
    _check_room(types, ids, common + np.where(has_length, 3 * word, np.where(function, 4, 0)))

    at = np.where(has_length, common + 2 * word, 0)
    length = np.where(has_length, types.word(ids, at, word), 0)
    signature = np.where(function, types.word(ids, np.where(function, common, 0), 4), 0)
    if layout.byteorder == "big":
        signature = (signature >> 16) | ((signature & 0xFFFF) << 16)
    inputs, outputs = signature & 0xFFFF, (signature >> 16) & 0x7FFF
    variadic = signature >> 31
    tail = layout.sizes_by_kind()[kinds] + np.where(
        types.tflags(ids) & TFLAG_UNCOMMON, UNCOMMON_SIZE, 0
    )

    counts = np.zeros(len(ids), np.int64)
    counts[np.isin(kinds, _ONE_PART) | face] = 1
    counts[mapping] = 2
    counts = np.where(struct, length, np.where(function, inputs + variadic + outputs, counts))
    fields_of = np.minimum(np.where(struct, length, 0), types.symbols.data_size[ids])
    inside = fields_of * 3 * word + function * (inputs + outputs) * word
    _check_room(types, ids, np.where(inside > 0, tail + inside, 0))
    owner = owners(counts)
    index = expand(np.zeros(len(ids), np.int64), counts)
    is_field, is_result = struct[owner], function[owner]
    after = index - inputs[owner]
    is_dots = is_result & (after == 0) & (variadic[owner] == 1)
    is_result &= after >= 0
    index -= (is_result & ~is_dots) * variadic[owner]

    place = common + index * word
    place = np.where(function[owner], tail[owner] + index * word, place)
    place = np.where(is_field, tail[owner] + (3 * index + 1) * word, place)
    targets = types.sorted_targets(ids)
    symbol = targets.find(owner, place)
    symbol[is_dots] = 0
    faces = face[owner]
    symbol[faces] = np.where(length[owner[faces]] == 0, empty_interface, interface)

    code = np.zeros(len(owner), np.int64)
    code[function[owner]] = Code.FUNCTYPEPARAM
    code[is_result] = Code.FUNCTYPEOUTPARAM
    code[is_dots] = Code.DOTDOTDOT
    code[is_field] = Code.STRUCTFIELD
    fields = np.flatnonzero(is_field)
    name = targets.find(owner[fields], place[fields] - word)
    nameless = np.flatnonzero(name == 0)
    if len(nameless):
        raise types.wrong(int(ids[owner[fields[nameless[0]]]]), "a field of the type has no name")
    name_at, name_size = np.zeros(len(owner), np.int64), np.zeros(len(owner), np.int64)
    value, embedded = name_at.copy(), name_at.copy()
    name_at[fields], name_size[fields] = types.names(name)
    value[fields] = types.word(ids[owner[fields]], place[fields] + word, word)
    embedded[fields] = (types.word(name, 0, 1) & NAME_EMBEDDED) != 0
    # A field without a name goes by that of its type.
    plain = fields[(name_size[fields] == 0) & (symbol[fields] != 0)]
    prefix = len(b"type:")
    name_at[plain] = types.symbols.name_at[symbol[plain]] + prefix
    name_size[plain] = types.symbols.name_size[symbol[plain]] - prefix

    maps = np.flatnonzero(mapping)
    groups = np.zeros(len(ids), np.int64)
    groups[maps] = targets.find(maps, np.full(len(maps), common + 2 * word))
    columns = kinds, sizes, length, groups, counts
    return columns, Parts(code, symbol, name_at, name_size, value, embedded)


def _check_room(types: TypeData, ids: I64, need: I64) -> None:
    bad = np.flatnonzero(need > types.symbols.data_size[ids])
    if len(bad):
        types.cut_short(int(ids[bad[0]]), int(need[bad[0]]))
