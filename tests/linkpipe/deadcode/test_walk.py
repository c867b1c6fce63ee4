"""The walk finds what the flood finds, and says it in the order of the oracle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from linkpipe import reloctype as rt
from linkpipe.deadcode.inputs import find_roots, read_inputs
from linkpipe.deadcode.walk import Step, Walk
from linkpipe.engine.context import Link
from linkpipe.formats import goobj
from linkpipe.gotypes.layout import Kind
from linkpipe.tables.symbols import Flag
from tests.objlink import resolved
from tests.passes.slow_reachability import Slow
from tests.passes.test_reachability import MODES, PKG_INIT, SELF, World, program, start, worlds

ALL = (goobj.AUX_FUNCDATA, goobj.AUX_FUNCINFO)


def walked(link: Link) -> list[Step]:
    roots = find_roots(link, debug=True)
    return Walk(read_inputs(link)).run([root for root, _ in roots])


def said(link: Link) -> list[str]:
    """The steps: keeper, symbol, each with a star when it can be in an interface."""

    def name(symbol: int, used: bool) -> str:
        return (link.symbols.name(symbol) or "_").removeprefix("p.") + "*" * used

    return [
        f"{name(step.keeper, step.keeper_used)} {name(step.symbol, step.used)}"
        for step in walked(link)
    ]


@pytest.mark.parametrize("mode", MODES)
@given(world=worlds())
def test_reaches_what_the_sequential_rules_reach(tmp_path: Path, mode: str, world: World) -> None:
    """The same symbols, each after its keeper; and again only once it can be in an interface."""
    link = resolved(tmp_path, [world.obj()], mode=MODES[mode])
    slow = Slow(link, auxs=ALL)
    slow.run([link.symbols.lookup("_rt0"), link.symbols.lookup("runtime.unreachableMethod", 1)])
    steps = walked(link)
    assert {step.symbol for step in steps} == slow.reached
    seen: dict[int, bool] = {0: False}
    for step in steps:
        assert step.keeper in seen
        assert step.symbol not in seen or (step.used and not seen[step.symbol])
        seen[step.symbol] = step.used
    types = {sym for sym, used in seen.items() if used}
    assert types <= slow.used
    if mode == "exe":  # elsewhere a type is one from its turn on, not from the step before
        assert types == slow.used & slow.reached


def test_the_least_symbol_is_next(tmp_path: Path) -> None:
    """What two keep is kept by the one that has its turn first, not by the nearer to a root."""
    world = World()
    start(world)
    low, high, far, shared = (world.function(f"p.{name}") for name in ("low", "high", "far", "it"))
    for keeper, target in ((0, high), (0, low), (low, far), (far, shared), (high, shared)):
        world.refer(keeper, rt.R_CALL, target)
    assert said(resolved(tmp_path, [world.obj()])) == [
        "_ _rt0",
        "_ runtime.unreachableMethod",
        "_rt0 high",
        "_rt0 low",
        "low far",
        "high it",
    ]


def test_methods_are_decided_on_last(tmp_path: Path) -> None:
    """A type that is put in an interface after its turn gets another; what keeps its method, the
    call, stands before the method."""
    world, type_ = program(put=False)
    putter = world.function("p.putter")
    world.refer(0, rt.R_CALL, putter)
    world.refer(putter, rt.R_USEIFACE, type_)
    data = world.add("p.data", data=bytes(8), size=8)
    world.syms[putter]["auxs"].append((goobj.AUX_FUNCDATA, (SELF, data)))
    world.syms[putter]["auxs"].append((goobj.AUX_GOTYPE, (SELF, world.type(Kind.INT, []))))
    type_name = world.syms[type_]["name"]
    mtyp = next(sym["name"] for sym in world.syms if sym["name"].startswith("type:T"))
    steps = said(resolved(tmp_path, [world.obj()]))
    assert f"_rt0 {type_name}" in steps
    assert steps[-4:] == [
        f"putter {type_name}*",
        "putter data",
        f"{type_name}* {mtyp}*",
        f"{type_name}* T.Read",
    ]


def test_the_name_of_a_method_may_be_enough(tmp_path: Path) -> None:
    world, _ = program(called=False)
    assert "T.Read" not in " ".join(said(resolved(tmp_path, [world.obj()])))
    world.refer(0, rt.R_USENAMEDMETHOD, world.add("p.text", data=b"Read", size=4))
    steps = " ".join(said(resolved(tmp_path, [world.obj()])))
    assert "T.Read" in steps
    assert "T.close" not in steps


def test_nothing_is_looked_into_that_earlier_passes_marked(tmp_path: Path) -> None:
    world = World()
    start(world)
    made, kept = world.function("p.made"), world.function("p.kept")
    world.refer(0, rt.R_CALL, made)
    world.refer(made, rt.R_CALL, kept)
    link = resolved(tmp_path, [world.obj()])
    assert "made kept" in said(link)
    edit = link.symbols.edit()
    edit.add_flags(np.array([link.symbols.lookup("p.made", 1)]), Flag.REACHABLE)
    steps = said(link.evolve(symbols=edit.freeze()))
    assert steps == ["_ _rt0", "_ runtime.unreachableMethod"]


def test_weak_calls_keep_where_plugins_can_be_loaded(tmp_path: Path) -> None:
    world = World()
    start(world)
    init = world.function("p.init", flag2=PKG_INIT)
    world.refer(0, rt.R_CALL, init)
    world.refer(init, rt.R_CALL | goobj.WEAK, world.function("p.map.init.0"))
    obj = [world.obj()]
    assert "init map.init.0" not in said(resolved(tmp_path, obj))
    assert "init map.init.0" in said(resolved(tmp_path, obj, mode=MODES["host"]))
