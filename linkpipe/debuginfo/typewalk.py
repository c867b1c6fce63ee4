"""Which types get debugging information entries, and in which order.

An entry is made when a type is first mentioned, before those of what it is made of: the order is
that of a walk in preorder over the type graph.

Strings, slices, maps and channels are spelled out for debuggers afterwards, after the run-time's
own structures: a slice is a struct like runtime.slice whose field "array" points to the
element's type, a map points to a struct ``map<K,V>`` like maps.Map, and so on. That makes entries
for types that Go does not have. The newest type comes first.

Types that are first mentioned by such structures are not spelled out themselves: that is the
oracle's way, and shows in the output. Source: cmd/link/internal/ld/dwarf.go (defgotype, defptrto,
synthesize…types).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from linkpipe.arrays.ragged import offsets, owners, slices
from linkpipe.arrays.types import I64
from linkpipe.debuginfo.mentions import TYPE_PREFIX
from linkpipe.debuginfo.typegraph import TypeGraph
from linkpipe.errors import InputError
from linkpipe.formats.dwarf import Code
from linkpipe.gotypes.layout import Kind
from linkpipe.kernels.walk import preorder
from linkpipe.tables.symbols import Symbols

PROTOTYPES = (
    "type:runtime.stringStructDWARF",
    "type:runtime.slice",
    "type:internal/runtime/maps.Map",
    "type:internal/runtime/maps.table",
    "type:internal/runtime/maps.groupsReference",
    "type:runtime.sudog",
    "type:runtime.waitq",
    "type:runtime.hchan",
)
"""Structures of the run-time after which Go's own are spelled out."""


class MadeType(NamedTuple):
    """A type that Go does not have; ``type`` is the node it points to, ``model`` the row of the
    structure whose fields it has."""

    name: bytes
    code: int
    size: int = 0
    kind: int = 0
    runtime_type: int = 0
    type: int = -1
    model: int = -1


class TypeWalk:
    """Decides which types get entries, in which order.

    A node stands for a type: rows of the graph come first, then the types that are made here.

    Attributes:
        order: the nodes that have entries, oldest first.
        made: the types that Go does not have.
        points_to: nodes of maps and channels -> what they point to.
        models: nodes -> the row of the structure whose fields they have.
        replaced: (node, field, type) for fields that have another type than in the model.
    """

    def __init__(
        self, symbols: Symbols, graph: TypeGraph, ptrsize: int, pointer: int, word: int
    ) -> None:
        """``pointer`` and ``word``: the symbols of the types unsafe.Pointer and uintptr."""
        self.symbols, self.graph = symbols, graph
        for row in np.flatnonzero(~symbols.starts_with(graph.symbols, TYPE_PREFIX))[:1].tolist():
            raise InputError(
                'dwarf: type name doesn\'t start with "type:"',
                symbol=symbols.name(int(graph.symbols[row])),
                remedy="rebuild the package; the file is damaged",
            )
        self.names = names = symbols.names(graph.symbols, len(TYPE_PREFIX))
        self._row = dict(zip(names, range(len(names)), strict=True))
        # A type that is mentioned twice under one name is one type.
        self._same = np.fromiter(map(self._row.__getitem__, names), np.int64, len(names))
        self._visited = np.full(len(names), -1, np.int64)
        self._made: dict[bytes, int] = {}
        self.order: list[int] = []
        self.made: list[MadeType] = []
        self.points_to: dict[int, int] = {}
        self.models: dict[int, int] = {}
        self.replaced: list[tuple[int, int, int]] = []
        self._fields: dict[int, dict[bytes, int]] = {}
        self._stack_form()
        self.unspecified = self._make(MadeType(b"<unspecified>", Code.NULLTYPE))
        self._make(MadeType(b"unsafe.Pointer", Code.BARE_PTRTYPE, runtime_type=pointer))
        self.uintptr = self._make(MadeType(b"uintptr", Code.BASETYPE, ptrsize, Kind.UINTPTR, word))

    def _stack_form(self) -> None:
        """The rows that each row is made of, last part first: a stack is popped from its end."""
        graph = self.graph
        owner = owners(graph.counts)
        mirror = (2 * graph.first + graph.counts - 1)[owner] - np.arange(len(owner))
        rows = np.where(graph.parts.symbol != 0, graph.row[graph.parts.symbol], -1)[mirror]
        kept = rows >= 0
        ends = offsets(np.bincount(owner[kept], minlength=len(graph.symbols)))
        self._following, self._ends = rows[kept], ends

    def visit(self, symbols: Sequence[int] | I64) -> None:
        """Make entries for these types and all that they are made of, unless they have them."""
        roots = self.graph.row[np.asarray(symbols, np.int64)]
        self.order += preorder(
            roots, self._ends, self._following, self._same, self._visited
        ).tolist()

    def nodes_of_rows(self) -> I64:
        """The node of each row of the graph, -1: the type was not visited. int64[n]."""
        return self._visited[self._same]

    def find(self, name: bytes) -> int:
        """The node of the type of that name that has an entry, -1: there is none."""
        row = self._row.get(name)
        return self._made.get(name, -1) if row is None else int(self._visited[row])

    def _make(self, made: MadeType) -> int:
        node = len(self.names) + len(self.made)
        self.made.append(made)
        self.order.append(node)
        row = self._row.get(made.name)
        if row is None:
            self._made[made.name] = node
        else:
            self._visited[row] = node
        if made.model >= 0:
            self.models[node] = made.model
        return node

    def name(self, node: int) -> bytes:
        """The name of a type."""
        n = len(self.names)
        return self.names[node] if node < n else self.made[node - n].name

    def _node(self, symbol: int) -> int:
        """The node of a type that has an entry."""
        if not symbol:
            return self.unspecified
        return int(self._visited[self._same[self.graph.row[symbol]]])

    def _part(self, row: int, place: int) -> int:
        """The node of what a type is made of."""
        return self._node(int(self.graph.parts.symbol[self.graph.first[row] + place]))

    def _pointer_to(self, node: int) -> int:
        name = b"*" + self.name(node)
        found = self.find(name)
        return self._make(MadeType(name, Code.PTRTYPE, type=node)) if found < 0 else found

    def _struct(self, base: bytes, args: bytes, model: int, kind: int) -> tuple[int, bool]:
        """A structure of the run-time for some element types; whether it is new."""
        name = b"%s<%s>" % (base, args)
        found = self.find(name)
        if found >= 0:
            return found, False
        size = int(self.graph.sizes[model])
        return self._make(MadeType(name, Code.STRUCTTYPE, size, kind, model=model)), True

    def _replace(self, node: int, field: bytes, type_: int) -> None:
        """Give one field of a node another type than it has in the model."""
        model = self.models[node]
        if model not in self._fields:
            parts, first = self.graph.parts, int(self.graph.first[model])
            own = slice(first, first + int(self.graph.counts[model]))
            names = slices(self.symbols.arena.bytes, parts.name_at[own], parts.name_size[own])
            # Of two of one name the first counts.
            self._fields[model] = dict(zip(names[::-1], range(len(names))[::-1], strict=True))
        place = self._fields[model].get(field)
        if place is None:
            raise InputError(
                f"dwarf substitutetype: {self.name(node).decode()} does not have member "
                f"{field.decode()}",
                symbol=self.symbols.name(int(self.graph.symbols[model])),
                remedy="the runtime is of another Go version than this linker knows",
            )
        self.replaced.append((node, place, type_))

    def _prototype(self, name: str) -> int:
        """The row of one of the PROTOTYPES, which gets an entry now."""
        symbol = need_type(self.symbols, name)
        self.visit([symbol])
        return int(self.graph.row[symbol])

    def spell_out(self) -> None:
        """Spell out strings, slices, maps and channels."""
        for kind, spell in (
            (Kind.STRING, self._strings),
            (Kind.SLICE, self._slices),
            (Kind.MAP, self._maps),
            (Kind.CHAN, self._channels),
        ):
            known = np.array(self.order, np.int64)
            known = known[known < len(self.names)]
            spell(known[self.graph.kinds[known] == kind][::-1].tolist())

    def _strings(self, rows: Sequence[int]) -> None:
        model = self._prototype("type:runtime.stringStructDWARF")
        self.models.update(dict.fromkeys(rows, model))

    def _slices(self, rows: Sequence[int]) -> None:
        model = self._prototype("type:runtime.slice")
        self.models.update(dict.fromkeys(rows, model))
        for row in rows:
            self._replace(row, b"array", self._pointer_to(self._part(row, 0)))

    def _maps(self, rows: Sequence[int]) -> None:
        whole, table, reference = (
            self._prototype(f"type:internal/runtime/maps.{name}")
            for name in ("Map", "table", "groupsReference")
        )
        for row in rows:
            group = int(self.graph.groups[row])
            self.visit([group])
            args = b"%s,%s" % (self.name(self._part(row, 0)), self.name(self._part(row, 1)))
            groups, new = self._struct(b"groupReference", args, reference, Kind.STRUCT)
            if new:
                # Of so many groups that their number is only known at run time.
                self._replace(groups, b"data", self._pointer_to(self._node(group)))
            tables, new = self._struct(b"table", args, table, Kind.STRUCT)
            if new:
                self._replace(tables, b"groups", groups)
            maps, new = self._struct(b"map", args, whole, Kind.STRUCT)
            if new:
                directory = self._pointer_to(self._pointer_to(tables))
                self._replace(maps, b"dirPtr", directory)
            self.points_to[row] = self._pointer_to(maps)

    def _channels(self, rows: Sequence[int]) -> None:
        sudog, waitq, hchan = (
            self._prototype(f"type:runtime.{name}") for name in ("sudog", "waitq", "hchan")
        )
        for row in rows:
            elem = self._part(row, 0)
            waiter, new = self._struct(b"sudog", self.name(elem), sudog, 0)
            if new:
                self._replace(waiter, b"elem", self._pointer_to(elem))
            queue, new = self._struct(b"waitq", self.name(elem), waitq, 0)
            if new:
                self._replace(queue, b"first", self._pointer_to(waiter))
                self._replace(queue, b"last", self._pointer_to(waiter))
            channel, new = self._struct(b"hchan", self.name(elem), hchan, 0)
            if new:
                self._replace(channel, b"recvq", queue)
                self._replace(channel, b"sendq", queue)
            self.points_to[row] = self._pointer_to(channel)


def need_type(symbols: Symbols, name: str) -> int:
    """A type of the run-time that debug information cannot do without."""
    found = symbols.lookup(name)
    if not found or not symbols.data_size[found]:
        raise InputError(
            f"dwarf: missing type{' (no data)' if found else ''}: {name}",
            remedy="link a program with the runtime of the Go version that this linker knows, "
            "or leave debug information out with -w",
        )
    return found
