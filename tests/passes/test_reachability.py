"""reachability: what it keeps equals what the sequential rules keep, and is explained."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe import reloctype as rt
from linkpipe.deadcode import ofobjects
from linkpipe.engine.context import Link
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.gotypes.layout import TFLAG_UNCOMMON, Kind
from linkpipe.graphs.graph import ROOT
from linkpipe.passes.reachability import reachability
from linkpipe.tables.mode import Mode
from linkpipe.tables.symbols import Flag
from tests.goobj_writer import Obj, Reloc, Sym
from tests.objlink import resolved
from tests.passes.slow_reachability import Slow
from tests.tiny import INTERNAL

TEXT, RODATA, DATA = 1, 3, 7
SELF = goobj.PKG_SELF
WEAK = goobj.WEAK
GO_TYPE, ITAB = int(Flag.GO_TYPE), int(Flag.ITAB) >> 8
PKG_INIT, USED = int(Flag.PKG_INIT) >> 8, int(Flag.USED_IN_IFACE) >> 8
NAMES = ("Read", "Write", "close", "Été", "état", "x" * 20)
MODES = {
    "exe": INTERNAL,
    "host": Mode(external=False, iscgo=True, can_use_plugins=True, dynlink=True),
}


class World:
    """Object files are lists of symbols that refer to one another by index."""

    def __init__(self) -> None:
        self.syms: list[dict[str, Any]] = []

    def add(self, name: str, **fields: Any) -> int:
        self.syms.append({"name": name, "relocs": [], "auxs": [], **fields})
        return len(self.syms) - 1

    def function(self, name: str, **fields: Any) -> int:
        return self.add(name, **{"type": TEXT, "abi": 1, "size": 16, "data": bytes(16), **fields})

    def name(self, text: str) -> int:
        raw = text.encode("utf-8", "surrogateescape")
        data = bytes([0, len(raw)]) + raw
        return self.add(f"type:.namedata.{len(self.syms)}", data=data, size=len(data))

    def refer(self, sym: int, type_: int, target: int, offset: int = 0, add: int = 0) -> None:
        row = Reloc(offset, 4, type_, (SELF, target), add)
        self.syms[sym]["relocs"].append(row)

    def type(self, kind: Kind, methods: list[tuple[int, int, int]], **fields: Any) -> int:
        """A type with methods (name, type, function); for an interface they are its own."""
        data = bytearray(48)
        data[23] = kind
        if kind == Kind.INTERFACE:
            data += bytes(32) + bytes(8 * len(methods))
        elif methods:
            data[20] = TFLAG_UNCOMMON
            data += struct.pack("<IHHII", 0, len(methods), 0, 16, 0) + bytes(16 * len(methods))
        fields = {"type": RODATA, "flag": GO_TYPE, **fields}
        sym = self.add(f"type:T{len(self.syms)}", data=bytes(data), size=len(data), **fields)
        for i, (name, mtyp, function) in enumerate(methods):
            if kind == Kind.INTERFACE:
                self.refer(sym, rt.R_ADDROFF, name, 80 + 8 * i)
                self.refer(sym, rt.R_ADDROFF, mtyp, 84 + 8 * i)
                continue
            at = 64 + 16 * i
            self.refer(sym, rt.R_ADDROFF, name, at)
            self.refer(sym, rt.R_METHODOFF, mtyp, at + 4)
            self.refer(sym, rt.R_METHODOFF, function, at + 8)
            self.refer(sym, rt.R_METHODOFF, function, at + 12)
        return sym

    def obj(self) -> Obj:
        defs = [
            Sym(**{**s, "relocs": tuple(s["relocs"]), "auxs": tuple(s["auxs"])}) for s in self.syms
        ]
        return Obj("p", defs=tuple(defs))


def start(world: World) -> None:
    """The symbols that the pass itself looks for."""
    world.function("_rt0", abi=0)
    world.function("runtime.unreachableMethod")
    world.function("runtime.mapinitnoop")


@st.composite
def worlds(draw: st.DrawFn) -> World:
    world = World()
    start(world)
    names = [world.name(draw(st.sampled_from(NAMES))) for _ in range(6)]
    texts = [world.add(f"s{i}", data=NAMES[i].encode(), size=9) for i in range(3)]
    mtyps = [world.type(Kind.FUNC, []) for _ in range(2)]
    functions = [world.function(f"p.f{i}", flag=draw(flags)) for i in range(8)]
    functions += [world.function(f"p.map.init.{i}") for i in range(2)]
    inits = [world.function(f"p.init.{i}", flag2=PKG_INIT) for i in range(2)]
    method = st.tuples(*map(st.sampled_from, (names, mtyps, functions)))
    lists = st.lists(method, max_size=3)
    used = st.sampled_from([0, 0, 0, USED])
    types = [world.type(Kind.INT, draw(lists), flag2=draw(used)) for _ in range(5)] + mtyps
    ifaces = [
        world.type(Kind.INTERFACE, draw(st.lists(method, min_size=1, max_size=3))) for _ in range(3)
    ]
    itabs = [world.add(f"go:itab.{i}", flag2=ITAB, data=bytes(24), size=24) for i in range(2)]
    for itab in itabs:
        world.refer(itab, rt.R_ADDR, draw(st.sampled_from(types)), 8)
    data = [world.add(f"p.v{i}", type=DATA, size=8, data=bytes(8)) for i in range(3)]
    for sym in types:
        if draw(st.booleans()):
            # Its element type; the last of its relocations, though not by offset.
            world.refer(sym, rt.R_ADDR, draw(st.sampled_from(types + ifaces)), 40)
    anything = functions + types + ifaces + itabs + data
    for function in [0, *functions, *inits]:
        for _ in range(draw(st.integers(0, 4))):
            kind = draw(st.sampled_from(["call", "ref", "type", "put", "named", "iface", "note"]))
            if kind == "call":
                world.refer(function, rt.R_CALL, draw(st.sampled_from(functions + inits)))
            elif kind == "ref":
                world.refer(function, rt.R_ADDR | draw(weak), draw(st.sampled_from(anything)))
            elif kind == "type":
                world.refer(function, rt.R_PCREL, draw(st.sampled_from(types + ifaces)))
            elif kind == "put":
                world.refer(function, rt.R_USEIFACE, draw(st.sampled_from(types + itabs)))
            elif kind == "named":
                world.refer(function, rt.R_USENAMEDMETHOD, draw(st.sampled_from(texts)))
            elif kind == "iface":
                iface = draw(st.sampled_from(ifaces))
                count = (len(world.syms[iface]["data"]) - 80) // 8
                at = 80 + 8 * draw(st.integers(0, count - 1))
                world.refer(function, rt.R_USEIFACEMETHOD, iface, add=at)
            else:
                kinds = st.sampled_from([rt.R_USETYPE, rt.R_INITORDER])
                world.refer(function, draw(kinds), draw(st.sampled_from(anything)))
        if draw(st.booleans()):
            world.syms[function]["auxs"].append(
                (goobj.AUX_FUNCDATA, (SELF, draw(st.sampled_from(data))))
            )
        for aux in (goobj.AUX_GOTYPE, goobj.AUX_FUNCINFO):
            world.syms[function]["auxs"].append((aux, (SELF, draw(st.sampled_from(data)))))
    for function in inits:
        world.refer(function, rt.R_CALL | WEAK, draw(st.sampled_from(functions[-2:])))
    return world


weak = st.sampled_from([0, 0, WEAK])
flags = st.sampled_from([0] * 9 + [int(Flag.REFLECT_METHOD)])


def check(link: Link) -> Link:
    slow = Slow(link)
    slow.run([link.symbols.lookup("_rt0"), link.symbols.lookup("runtime.unreachableMethod", 1)])
    done = reachability.run(link)
    symbols = done.symbols
    noop = symbols.lookup("runtime.mapinitnoop", 1)
    dropped = [
        (sym, row)
        for sym in slow.reached
        if slow.flag(sym, Flag.PKG_INIT)
        for row, reloc in enumerate(slow.relocs(sym))
        if reloc.weak and reloc.type == rt.R_CALL and reloc.target not in slow.reached
    ]
    reached = slow.reached | ({noop} if dropped else set())
    assert set(symbols.reachable().tolist()) == reached
    assert set(np.flatnonzero(symbols.flags & Flag.USED_IN_IFACE).tolist()) == slow.used

    relocs = done.relocs
    assert relocs.check() == []
    assert (np.diff(relocs.owner()) >= 0).all()
    for sym in range(len(symbols)):
        rows = relocs.rows_of(sym)
        expected = slow.relocs(sym) if sym in reached else []
        found = [
            (int(relocs.offset[i]), int(relocs.type[i]), int(relocs.add[i]), int(relocs.target[i]))
            for i in range(rows.start, rows.stop)
        ]
        assert found == [
            (r.offset, r.type, r.add, noop if (sym, i) in dropped else r.target)
            for i, r in enumerate(expected)
        ]

    graph = done.graph
    assert nx.descendants(graph, ROOT) == reached
    for sym in reached:
        steps = graph.why(sym)
        assert steps[0].reason.startswith("root")
        assert steps[-1].symbol == sym
    return done


@pytest.mark.parametrize("mode", MODES)
@given(world=worlds())
def test_keeps_what_the_sequential_rules_keep(tmp_path: Path, mode: str, world: World) -> None:
    """All rules together, on programs made of a handful of functions, types and interfaces."""
    check(resolved(tmp_path, [world.obj()], mode=MODES[mode]))


@given(world=worlds())
def test_there_may_be_more_notes_than_there_is_room_for(tmp_path: Path, world: World) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ofobjects, "_ROOM", 1)
        check(resolved(tmp_path, [world.obj()], mode=MODES["exe"]))


def names(link: Link) -> set[str]:
    return {link.symbols.name(sym) for sym in link.symbols.reachable().tolist()}


def program(*, put: bool = True, called: bool = True, second: str = "close") -> tuple[World, int]:
    """A type with methods Read and close, of which an interface has Read."""
    world = World()
    start(world)
    mtyp = world.type(Kind.FUNC, [])
    read, close = world.name("Read"), world.name(second)
    methods = [
        (read, mtyp, world.function("p.T.Read")),
        (close, mtyp, world.function("p.T.close")),
    ]
    type_ = world.type(Kind.INT, methods)
    # The same name in another symbol: names are equal when their text is.
    iface = world.type(Kind.INTERFACE, [(world.name("Read"), mtyp, 0)])
    world.refer(0, rt.R_PCREL, type_)
    if put:
        world.refer(0, rt.R_USEIFACE, type_)
    if called:
        world.refer(0, rt.R_USEIFACEMETHOD, iface, add=80)
    return world, type_


def test_a_method_needs_a_call_and_a_type_in_an_interface(tmp_path: Path) -> None:
    """The three conditions, one missing at a time."""
    for put, called in ((True, True), (True, False), (False, True)):
        world, _ = program(put=put, called=called)
        done = check(resolved(tmp_path, [world.obj()]))
        assert ("p.T.Read" in names(done)) == (put and called)
        assert "p.T.close" not in names(done)


def test_a_type_may_be_put_in_an_interface_long_after_it_was_reached(tmp_path: Path) -> None:
    """By what a method needs that is called; a part of it, whose method is called, is too then."""
    world, _ = program()
    mtyp = world.type(Kind.FUNC, [])
    part = world.type(Kind.INT, [(world.name("Write"), mtyp, world.function("p.P.Write"))])
    whole = world.type(Kind.INT, [])
    world.refer(whole, rt.R_ADDR, part, 40)
    world.refer(0, rt.R_PCREL, whole)
    iface = world.type(Kind.INTERFACE, [(world.name("Write"), mtyp, 0)])
    world.refer(0, rt.R_USEIFACEMETHOD, iface, add=80)
    assert "p.P.Write" not in names(check(resolved(tmp_path, [world.obj()])))
    read = next(i for i, sym in enumerate(world.syms) if sym["name"] == "p.T.Read")
    world.refer(read, rt.R_USEIFACE, whole)
    assert "p.P.Write" in names(check(resolved(tmp_path, [world.obj()])))


@pytest.mark.parametrize("by", ["signature", "name"])
def test_methods_are_compared_and_not_only_their_hashes(tmp_path: Path, by: str) -> None:
    """Under the hash that names once had, this method's name is that of Read."""
    evil = 'close___\udccc@\udcbd"\x0b\udcd3\udcde\x10'
    world, _ = program(called=by == "signature", second=evil)
    if by == "name":
        text = world.add("s", data=b"Read", size=4)
        world.refer(0, rt.R_USENAMEDMETHOD, text)
    done = check(resolved(tmp_path, [world.obj()]))
    assert "p.T.Read" in names(done)
    assert "p.T.close" not in names(done)


def test_reflection_keeps_exported_methods(tmp_path: Path) -> None:
    world, _ = program(called=False)
    world.syms[0]["flag"] = int(Flag.REFLECT_METHOD)
    done = check(resolved(tmp_path, [world.obj()]))
    assert "p.T.Read" in names(done)
    assert "p.T.close" not in names(done)


def test_links_that_can_load_plugins_keep_all_methods(tmp_path: Path) -> None:
    world, _ = program(put=False, called=False)
    done = check(resolved(tmp_path, [world.obj()], mode=MODES["host"]))
    assert {"p.T.Read", "p.T.close"} <= names(done)


def map_program() -> World:
    world = World()
    start(world)
    init = world.function("p.init", flag2=PKG_INIT)
    world.refer(0, rt.R_CALL, init)
    world.refer(init, rt.R_CALL | WEAK, world.function("p.map.init.0"))
    return world


def test_initialisers_of_unused_maps_are_replaced(tmp_path: Path) -> None:
    done = check(resolved(tmp_path, [map_program().obj()]))
    assert "p.map.init.0" not in names(done)
    noop = done.symbols.lookup("runtime.mapinitnoop", 1)
    assert noop in done.relocs.target
    assert [step.reason for step in done.graph.why(noop)][-1].startswith("replaces")


def test_initialisers_of_unused_maps_stay_without_the_flag(tmp_path: Path) -> None:
    """-pruneweakmap=false: the call keeps its target, which relocation then finds missing."""
    done = reachability.run(resolved(tmp_path, [map_program().obj()], pruneweakmap=False))
    assert "runtime.mapinitnoop" not in names(done)


def test_initialisers_of_maps_stay_where_plugins_can_be_loaded(tmp_path: Path) -> None:
    done = check(resolved(tmp_path, [map_program().obj()], mode=MODES["host"]))
    assert "p.map.init.0" in names(done)


def test_a_plugin_keeps_what_it_exports(tmp_path: Path) -> None:
    world = World()
    start(world)
    world.function("plugin%2epath.main")  # by its path, as prefixes of symbols are escaped
    exports = world.add("go:plugin.exports", size=8, data=bytes(8))
    world.refer(exports, rt.R_ADDR, world.function("p.Exported"))
    world.function("p.other")
    mode = Mode(external=True, iscgo=True, can_use_plugins=False, dynlink=True)
    link = resolved(
        tmp_path, [world.obj()], mode=mode, buildmode="plugin", pluginpath="plugin.path", E=""
    )
    done = reachability.run(link)
    assert {"p.Exported", "plugin%2epath.main"} <= names(done)
    assert not {"p.other", "go:plugin.exports", "_rt0"} & names(done)


@pytest.mark.parametrize(
    ("buildmode", "external", "entry"),
    [
        ("exe", False, "_rt0"),
        ("exe", True, "main"),
        ("pie", True, "main"),
        ("c-shared", True, "_rt0"),
        ("c-archive", True, "_rt0"),
    ],
)
def test_where_a_link_is_entered(
    buildmode: str, external: bool, entry: str, tmp_path: Path
) -> None:
    """A program that the host linker finishes by its C main; a library has none."""
    world = World()
    start(world)
    world.function("main", abi=0)
    mode = Mode(external=external, iscgo=external, can_use_plugins=False, dynlink=False)
    done = reachability.run(resolved(tmp_path, [world.obj()], mode=mode, buildmode=buildmode))
    assert names(done) & {"_rt0", "main"} == {entry}


def test_symbols_exported_to_c_are_roots(tmp_path: Path) -> None:
    world = World()
    start(world)
    exported = world.function("p.callback")
    link = resolved(tmp_path, [world.obj()])
    edit = link.symbols.edit()
    edit.add_flags(link.symbols.lookup("p.callback", 1), Flag.CGO_EXPORT_DYNAMIC)
    done = reachability.run(link.evolve(symbols=edit.freeze()))
    assert "p.callback" in names(done), exported


def test_symbols_that_the_linker_made_are_followed(tmp_path: Path) -> None:
    """Such as the list of init tasks; their relocations are in the table, not in an object."""
    world = World()
    start(world)
    world.function("p.task")
    link = resolved(tmp_path, [world.obj()])
    symbols, relocs = link.symbols.edit(), link.relocs.edit()
    made = symbols.create_static("go:main.inittasks")
    symbols.set_content(made, bytes(8))
    relocs.add(made, offset=0, size=8, type=rt.R_ADDR, target=link.symbols.lookup("p.task", 1))
    link = link.evolve(symbols=symbols.freeze(), relocs=relocs.freeze(), inittasks=(made, 0))
    done = reachability.run(link)
    assert {"p.task", "go:main.inittasks"} <= names(done)
    assert len(range(*done.relocs.rows_of(made).indices(9))) == 1


@pytest.mark.parametrize("many", [False, True])
def test_what_is_given_new_content_refers_to_nothing(tmp_path: Path, many: bool) -> None:
    """What the object says of a symbol goes with the content that it had, be the new one given
    alone or among many, which lie in the arena as those of objects do."""
    world = World()
    start(world)
    world.refer(0, rt.R_CALL, world.function("p.f"))
    world.syms[0]["auxs"].append((goobj.AUX_FUNCDATA, (SELF, world.function("p.aux"))))
    link = resolved(tmp_path, [world.obj()])
    assert {"p.f", "p.aux"} <= names(reachability.run(link))
    edit, sym = link.symbols.edit(), link.symbols.lookup("_rt0")
    if many:
        edit.set_contents(np.array([sym]), bytes(8), np.array([0, 8]))
    else:
        edit.set_content(sym, bytes(8))
    done = reachability.run(link.evolve(symbols=edit.freeze()))
    assert not {"p.f", "p.aux"} & names(done)


def test_damaged_types_are_errors(tmp_path: Path) -> None:
    """Not a crash, and no method is dropped in silence."""
    for damage in ("count", "kind", "triple", "short", "name", "note"):
        world, type_ = program()
        sym = world.syms[type_]
        data = bytearray(sym["data"])
        if damage == "count":
            data[52] = 1
        elif damage == "kind":
            data[23] = Kind.STRUCT
        elif damage == "triple":
            del sym["relocs"][-1]
        elif damage == "short":
            data = data[:60]
        elif damage == "name":
            del sym["relocs"][0]
        else:
            world.refer(0, rt.R_USEIFACE, 1)
        sym["data"] = bytes(data)
        with pytest.raises(InputError):
            reachability.run(resolved(tmp_path, [world.obj()]))


def test_what_was_marked_before_stays_and_is_not_looked_into(tmp_path: Path) -> None:
    """The record of the FIPS module's checksum is marked when it is made; what it refers to is
    marked by whoever makes it."""
    world = World()
    start(world)
    world.function("p.other")
    link = resolved(tmp_path, [world.obj()])
    symbols, relocs = link.symbols.edit(), link.relocs.edit()
    made = symbols.lookup_or_create("go:fipsinfo")
    symbols.set_content(made, bytes(8))
    symbols.add_flags(made, Flag.REACHABLE)
    relocs.add(made, offset=0, size=8, type=rt.R_ADDR, target=link.symbols.lookup("p.other", 1))
    done = reachability.run(link.evolve(symbols=symbols.freeze(), relocs=relocs.freeze()))
    assert "go:fipsinfo" in names(done)
    assert "p.other" not in names(done)
    assert done.relocs.rows_of(made) != slice(0, 0)
    assert done.graph.why(made)[0].reason == "root: made by the linker"
