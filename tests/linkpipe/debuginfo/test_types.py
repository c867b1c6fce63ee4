"""Types: what is read of them by the thousand, their order, and their entries."""

from __future__ import annotations

from functools import cache

import numpy as np

from linkpipe.debuginfo.mentions import gather_units, read_mentions, read_variables
from linkpipe.debuginfo.typegraph import TypeGraph, read_types
from linkpipe.debuginfo.typewalk import PROTOTYPES, TypeWalk
from linkpipe.engine.context import Link
from linkpipe.formats.dwarf import Code
from linkpipe.gotypes.data import TypeData
from linkpipe.gotypes.layout import Kind
from tests.reallink import stages
from tests.typeview import TypeView, views


@cache
def real() -> tuple[Link, TypeData, TypeGraph, list[int]]:
    """The types that a real program mentions, and their graph."""
    link = stages().before["dwarf"]
    symbols = link.symbols
    data = TypeData(symbols, link.objects, link.arch.ptrsize, link.arch.byteorder)
    units = gather_units(link.packages, link.objects, symbols, link.text_order)
    mentions = read_mentions(link.packages, link.objects, symbols, units)
    variables = read_variables(link.objects, symbols, link.relocs)
    mentioned = np.concatenate((mentions.types, variables.types))
    models = [symbols.lookup(name) for name in PROTOTYPES]
    faces = [symbols.lookup(f"type:runtime.{name}") for name in ("eface", "iface")]
    graph = read_types(data, np.concatenate((mentioned, models)), *faces)
    return link, data, graph, mentioned.tolist()


def basic(link: Link) -> list[int]:
    return [link.symbols.lookup(f"type:{name}") for name in ("unsafe.Pointer", "uintptr")]


def made_of(view: TypeView, faces: list[int]) -> list[tuple[int, int, bytes, int, bool]]:
    """(code, symbol, name, offset, embedded) of the parts of one type, read one by one."""
    plain = (b"", 0, False)
    kind = view.kind
    if kind in (Kind.ARRAY, Kind.CHAN, Kind.POINTER, Kind.SLICE):
        return [(0, view.elem, *plain)]
    if kind == Kind.MAP:
        return [(0, view.elem, *plain), (0, view.map_elem, *plain)]
    if kind == Kind.INTERFACE:
        return [(0, faces[view.length > 0], *plain)]
    if kind == Kind.FUNC:
        dots = [(int(Code.DOTDOTDOT), 0, *plain)] if view.variadic else []
        return [
            *((int(Code.FUNCTYPEPARAM), symbol, *plain) for symbol in view.params),
            *dots,
            *((int(Code.FUNCTYPEOUTPARAM), symbol, *plain) for symbol in view.results),
        ]
    if kind == Kind.STRUCT:
        symbols = view.owner.symbols
        return [
            (
                int(Code.STRUCTFIELD),
                f.type,
                f.name or symbols.name_bytes(f.type)[5:],
                f.offset,
                f.embedded,
            )
            for f in view.fields
        ]
    return []


def test_read_by_the_thousand_as_one_by_one() -> None:
    """Kinds, sizes, lengths, groups and parts of every type of a real program."""
    link, data, graph, _ = real()
    faces = [link.symbols.lookup(f"type:runtime.{name}") for name in ("eface", "iface")]
    parts, arena = graph.parts, link.objects.arena
    kinds = set()
    for row, view in enumerate(views(data, graph.symbols)):
        first, count = int(graph.first[row]), int(graph.counts[row])
        found = [
            (
                int(parts.code[i]),
                int(parts.symbol[i]),
                arena.view(int(parts.name_at[i]), int(parts.name_size[i])).tobytes(),
                int(parts.value[i]),
                bool(parts.embedded[i]),
            )
            for i in range(first, first + count)
        ]
        assert found == made_of(view, faces), link.symbols.name(view.symbol)
        assert (view.kind, view.size) == (graph.kinds[row], graph.sizes[row])
        if view.kind == Kind.ARRAY:
            assert view.length == graph.lengths[row]
        if view.kind == Kind.MAP:
            assert view.map_group == graph.groups[row]
        kinds.add(view.kind)
    assert kinds >= {Kind.ARRAY, Kind.CHAN, Kind.FUNC, Kind.INTERFACE, Kind.MAP, Kind.STRUCT}
    assert len(graph.symbols) > 500


def test_nothing_that_a_type_is_made_of_is_missing() -> None:
    """The graph is closed, and each type is in it once."""
    _, _, graph, mentioned = real()
    for symbols in (graph.parts.symbol, graph.groups, np.array(mentioned)):
        assert (graph.row[symbols[symbols != 0]] >= 0).all()
    assert graph.row[graph.symbols].tolist() == list(range(len(graph.symbols)))


def test_types_are_walked_in_preorder() -> None:
    """As recursion does it: a type when it is first mentioned, before what it is made of."""
    link, _, graph, mentioned = real()
    walk = TypeWalk(link.symbols, graph, link.arch.ptrsize, *basic(link))
    made = len(walk.order)
    walk.visit(mentioned)
    order: list[int] = []
    seen = {"unsafe.Pointer", "uintptr"}

    def visit(symbol: int) -> None:
        name = link.symbols.name(symbol)[len("type:") :]
        if not symbol or name in seen:
            return
        seen.add(name)
        row = int(graph.row[symbol])
        order.append(row)
        first = int(graph.first[row])
        for part in graph.parts.symbol[first : first + int(graph.counts[row])].tolist():
            visit(part)

    for symbol in mentioned:
        visit(symbol)
    assert walk.order[made:] == order


def test_what_is_spelled_out() -> None:
    """Every slice, string, map and channel that was mentioned, like the run-time's structures; a
    map leads to its table, whose groups have its own keys and values."""
    link, _, graph, mentioned = real()
    walk = TypeWalk(link.symbols, graph, link.arch.ptrsize, *basic(link))
    walk.visit(mentioned)
    known = {row for row in walk.order if row < len(graph.symbols)}
    walk.spell_out()
    names = {made.name: made for made in walk.made}
    for row in known:
        kind = graph.kinds[row]
        if kind in (Kind.SLICE, Kind.STRING):
            assert row in walk.models
        elif kind in (Kind.MAP, Kind.CHAN):
            assert walk.name(walk.points_to[row]).startswith(
                b"*map<" if kind == Kind.MAP else b"*hchan<"
            )
    tables = [name for name in names if name.startswith(b"table<")]
    assert tables
    for name in tables:
        args = name.removeprefix(b"table")
        for other in (b"map", b"groupReference", b"*map", b"**table", b"*table"):
            assert walk.find(other + args) >= 0
    # Each field of a structure is replaced at most once.
    places = [(node, field) for node, field, _ in walk.replaced]
    assert len(places) == len(set(places))
