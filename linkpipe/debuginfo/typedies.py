"""Debugging information entries of types, ready to be encoded.

A type with a name of its own gets two entries: its definition and, right behind, a typedef by
which everything refers to it. Structs have their fields as children, functions their parameters
and results, arrays their range; strings, slices and what is made for maps and channels have the
fields of the run-time structures that they are like.

Source: cmd/link/internal/ld/dwarf.go (newtype, dotypedef).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from linkpipe.arrays.ragged import expand
from linkpipe.arrays.types import I64, U8, Bool, Ints
from linkpipe.debuginfo.entries import Text
from linkpipe.debuginfo.mentions import INFO_PREFIX, TYPE_PREFIX, renamed
from linkpipe.debuginfo.typewalk import TypeWalk
from linkpipe.errors import InputError
from linkpipe.formats.dwarf import At, Code, Encoding
from linkpipe.gotypes.layout import Kind
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag, SymbolsEdit

_CODES = {
    Kind.ARRAY: Code.ARRAYTYPE,
    Kind.CHAN: Code.CHANTYPE,
    Kind.FUNC: Code.FUNCTYPE,
    Kind.INTERFACE: Code.IFACETYPE,
    Kind.MAP: Code.MAPTYPE,
    Kind.POINTER: Code.PTRTYPE,
    Kind.SLICE: Code.SLICETYPE,
    Kind.STRING: Code.STRINGTYPE,
    Kind.STRUCT: Code.STRUCTTYPE,
    Kind.UNSAFE_POINTER: Code.BARE_PTRTYPE,
}
_ENCODINGS = (
    (Kind.BOOL, Kind.BOOL, Encoding.BOOLEAN),
    (Kind.INT, Kind.INT64, Encoding.SIGNED),
    (Kind.UINT, Kind.UINTPTR, Encoding.UNSIGNED),
    (Kind.FLOAT32, Kind.FLOAT64, Encoding.FLOAT),
    (Kind.COMPLEX64, Kind.COMPLEX128, Encoding.COMPLEX_FLOAT),
)
_NAMED = (Kind.ARRAY, Kind.FUNC, Kind.INTERFACE, Kind.POINTER, Kind.SLICE, Kind.STRUCT)
"""Kinds that a name of its own gives a typedef."""
_UNNAMED = (b"map[", b"struct {", b"noalg.struct {", b"chan ", b"[", b"*")
_CLOSED = (
    Code.ARRAYTYPE,
    Code.FUNCTYPE,
    Code.IFACETYPE,
    Code.SLICETYPE,
    Code.STRINGTYPE,
    Code.STRUCTTYPE,
)
"""Entries that have a list of children, be it empty."""


class TypeEntries(NamedTuple):
    """Entries of types with their children and the ends of lists, ready to be encoded.

    Attributes:
        codes: int64[n]. columns: their attributes.
        tops: int64[m], the entries that are types. symbols: int64[m], the symbol of each.
    """

    codes: I64
    columns: dict[At, I64 | Text]
    tops: I64
    symbols: I64


class TypeParts(NamedTuple):
    """All types that were visited, and what their entries say.

    Attributes:
        order: int64[m], the nodes that have entries.
        symbols: int64[m], the symbol by which objects refer to each, 0 where none does.
        nodes, children: what the entries say, by node, and by child of one.
        replaced: int64[r, 3], the node, its child and another type that the child has there.
        made: uint8[…], the names of types that Go does not have.
    """

    order: I64
    symbols: I64
    nodes: _Nodes
    children: _Children
    replaced: I64
    made: U8


def type_parts(walk: TypeWalk) -> TypeParts:
    """What the entries of all types say that were visited."""
    order, n = np.array(walk.order, np.int64), len(walk.names)
    found, given = np.zeros(len(order), np.int64), order < n
    ids = walk.graph.symbols[order[given]]
    found[given] = renamed(walk.symbols, ids, TYPE_PREFIX, INFO_PREFIX)
    names = [INFO_PREFIX + walk.made[node].name for node in (order[~given] - n).tolist()]
    found[~given] = walk.symbols.lookup_many(names, [0] * len(names))
    return TypeParts(
        order,
        found,
        _nodes(walk),
        _children(walk),
        np.array(walk.replaced, np.int64).reshape(-1, 3),
        np.frombuffer(b"".join(made.name for made in walk.made), np.uint8),
    )


def type_entries(edit: SymbolsEdit, text: U8, parts: TypeParts) -> TypeEntries:
    """The entries of all types that were visited; their symbols are made where there are none.
    ``text``: uint8[…], the arena's bytes, where names are."""
    order, found, nodes, children, replaced, made = parts
    typedef, closed, count = nodes.typedef[order], nodes.closed[order], nodes.children[order]
    new = np.flatnonzero(found == 0)
    named = found.copy()
    named[new] = edit.create_many(len(new))
    definition = named.copy()
    definition[typedef] = edit.create_many(int(typedef.sum()))
    every = np.concatenate((definition, named[typedef]))
    edit.set(every, kind=SymKind.SDWARFTYPE)
    edit.add_flags(every, Flag.REACHABLE | Flag.NOT_IN_SYMTAB)
    symbol_of = np.zeros(len(nodes.code) + 1, np.int64)  # the last one is for "none", -1
    symbol_of[order] = named

    # Each type takes its own entry, its children, the end of their list, and its typedef.
    sizes = 1 + count + closed + typedef
    top = np.cumsum(sizes) - sizes
    n = int(sizes.sum())
    inner, source = expand(top + 1, count), expand(nodes.first[order], count)
    below = (top + sizes - 1)[typedef]
    codes = np.zeros(n, np.int64)
    codes[top], codes[inner], codes[below] = nodes.code[order], children.code[source], Code.TYPEDECL

    def column(of_types: I64, of_children: I64, of_typedefs: I64 | int = 0) -> I64:
        out = np.zeros(n, np.int64)
        out[top], out[inner], out[below] = of_types, of_children, of_typedefs
        return out

    none = np.zeros(len(inner), np.int64)
    child_type = children.type[source]
    starts = np.zeros(len(nodes.code), np.int64)
    starts[order] = np.cumsum(count) - count
    child_type[starts[replaced[:, 0]] + replaced[:, 1]] = replaced[:, 2]
    name_at, name_size = nodes.name_at[order], nodes.name_size[order]
    zeros = np.zeros(len(order), np.int64)
    number = column(zeros, children.value[source])
    flag = column(zeros, children.flag[source])
    columns: dict[At, I64 | Text] = {
        At.NAME: Text(
            text,
            column(name_at, children.name_at[source], name_at[typedef]),
            column(name_size, children.name_size[source], name_size[typedef]),
            made,
        ),
        At.BYTE_SIZE: column(nodes.size[order], none),
        At.GO_KIND: column(nodes.kind[order], none),
        At.ENCODING: column(nodes.encoding[order], none),
        At.GO_RUNTIME_TYPE: column(nodes.runtime_type[order], none),
        At.TYPE: column(symbol_of[nodes.type[order]], symbol_of[child_type], definition[typedef]),
        At.GO_ELEM: column(symbol_of[nodes.elem[order]], none),
        At.GO_KEY: column(symbol_of[nodes.key[order]], none),
        At.DATA_MEMBER_LOCATION: number,
        At.COUNT: number,
        At.GO_EMBEDDED_FIELD: flag,
        At.VARIABLE_PARAMETER: flag,
    }
    tops = np.concatenate((top, below))
    by_place = np.argsort(tops)
    return TypeEntries(codes, columns, tops[by_place], every[by_place])


class _Nodes(NamedTuple):
    """What the entries of types say, by node: rows of the graph, then types that were made.

    ``type``, ``elem`` and ``key`` are nodes, -1: none. ``first`` and ``children`` are its rows in
    the table of children; ``typedef``: whether it has one; ``closed``: whether it has a list of
    children.
    """

    code: I64
    name_at: I64
    name_size: I64
    size: I64
    kind: I64
    encoding: I64
    runtime_type: I64
    type: I64
    elem: I64
    key: I64
    first: I64
    children: I64
    typedef: Bool
    closed: Bool


def _nodes(walk: TypeWalk) -> _Nodes:
    graph, symbols, made = walk.graph, walk.symbols, walk.made
    kinds, n, m = graph.kinds, len(graph.symbols), len(walk.made)
    node_of = walk.nodes_of_rows()
    code_of, encoding_of = _by_kind()
    _check_kinds(walk, code_of)

    def part(place: int, *of: Kind) -> I64:
        """The node of the part at ``place`` of types of some kinds, else -1."""
        out = np.full(n, -1, np.int64)
        rows = np.flatnonzero(np.isin(kinds, of))
        symbol = graph.parts.symbol[graph.first[rows] + place]
        out[rows] = np.where(symbol != 0, node_of[graph.row[symbol]], walk.unspecified)
        return out

    def both(of_rows: Ints, of_made: list[int] | I64) -> I64:
        return np.append(of_rows.astype(np.int64), np.array(of_made, np.int64))

    none = np.full(m, -1, np.int64)
    type_ = part(0, Kind.ARRAY, Kind.INTERFACE, Kind.POINTER)
    type_[list(walk.points_to)] = list(walk.points_to.values())
    runtime_type, kind = _runtime_types(walk)
    first, children = _child_rows(walk)
    unnamed = [TYPE_PREFIX + prefix for prefix in _UNNAMED]
    typedef = np.isin(kinds, _NAMED) & ~symbols.starts_with(graph.symbols, *unnamed)
    name_size = np.array([len(one.name) for one in made], np.int64)
    name_at = -1 - (np.cumsum(name_size) - name_size)
    code = both(code_of[kinds], [one.code for one in made])
    base = [Encoding.UNSIGNED if one.code == Code.BASETYPE else 0 for one in made]
    return _Nodes(
        code=code,
        name_at=both(symbols.name_at[graph.symbols] + len(TYPE_PREFIX), name_at),
        name_size=both(symbols.name_size[graph.symbols] - len(TYPE_PREFIX), name_size),
        size=both(graph.sizes, [one.size for one in made]),
        kind=both(kinds, kind),
        encoding=both(encoding_of[kinds], base),
        runtime_type=both(
            np.where(symbols.has(graph.symbols, Flag.REACHABLE), graph.symbols, 0), runtime_type
        ),
        type=both(type_, [one.type for one in made]),
        elem=both(np.maximum(part(0, Kind.CHAN, Kind.SLICE), part(1, Kind.MAP)), none),
        key=both(part(0, Kind.MAP), none),
        first=first,
        children=children,
        typedef=np.append(typedef, np.zeros(m, np.bool_)),
        closed=np.isin(code, _CLOSED),
    )


def _by_kind() -> tuple[I64, I64]:
    """The abbreviation and the encoding for each kind of type: int64[256], 0: none."""
    code, encoding = np.zeros(256, np.int64), np.zeros(256, np.int64)
    for kind, number in _CODES.items():
        code[kind] = number
    for low, high, name in _ENCODINGS:
        code[low : high + 1], encoding[low : high + 1] = Code.BASETYPE, name
    return code, encoding


def _check_kinds(walk: TypeWalk, code_of: I64) -> None:
    bad = np.flatnonzero(code_of[walk.graph.kinds] == 0)
    if len(bad):
        row = int(bad[0])
        raise InputError(
            f"dwarf: definition of unknown kind {int(walk.graph.kinds[row])}",
            symbol=walk.symbols.name(int(walk.graph.symbols[row])),
            remedy="rebuild the package with the Go version that links it",
        )


def _runtime_types(walk: TypeWalk) -> tuple[I64, I64]:
    """The descriptors and kinds of types that were made: for pointers, of Go's own type of that
    name, if the program has it."""
    runtime_type = np.array([one.runtime_type for one in walk.made], np.int64)
    kind = np.array([one.kind for one in walk.made], np.int64)
    rows = [i for i, one in enumerate(walk.made) if one.code == Code.PTRTYPE]
    names = [TYPE_PREFIX + walk.made[i].name for i in rows]
    types = walk.symbols.lookup_many(names, [0] * len(names))
    known = walk.symbols.has(types, Flag.REACHABLE)
    runtime_type[rows], kind[rows] = np.where(known, types, 0), np.where(known, Kind.POINTER, 0)
    return runtime_type, kind


def _child_rows(walk: TypeWalk) -> tuple[I64, I64]:
    """Where the children of each node start in the table of children, and how many it has."""
    graph, m = walk.graph, len(walk.made)
    first = np.append(graph.first, np.zeros(m, np.int64))
    has_parts = np.isin(graph.kinds, (Kind.STRUCT, Kind.FUNC))
    count = np.append(np.where(has_parts, graph.counts, 0), np.zeros(m, np.int64))
    arrays = np.flatnonzero(graph.kinds == Kind.ARRAY)
    first[arrays], count[arrays] = len(graph.parts.code) + np.arange(len(arrays)), 1
    nodes, models = list(walk.models), list(walk.models.values())
    first[nodes], count[nodes] = graph.first[models], graph.counts[models]
    return first, count


class _Children(NamedTuple):
    """Entries inside of others: parts of types, then one for each array, its range."""

    code: I64
    name_at: I64
    name_size: I64
    value: I64
    flag: I64
    type: I64


def _children(walk: TypeWalk) -> _Children:
    graph, parts = walk.graph, walk.graph.parts
    arrays = np.flatnonzero(graph.kinds == Kind.ARRAY)
    none = np.zeros(len(arrays), np.int64)
    type_ = walk.nodes_of_rows()[graph.row[parts.symbol]]
    type_[parts.symbol == 0] = walk.unspecified
    # The oracle cuts the offset of a field to 32 bits with a sign (docs/oracle-faults.md).
    value = parts.value.astype(np.int32).astype(np.int64)
    return _Children(
        np.append(parts.code, none + Code.ARRAYRANGE),
        np.append(parts.name_at, none),
        np.append(parts.name_size, none),
        np.append(value, graph.lengths[arrays]),
        np.append(np.where(parts.code == Code.FUNCTYPEOUTPARAM, 1, parts.embedded), none),
        np.append(type_, none + walk.uintptr),
    )
