"""Trampolines: every call reaches where it leads, in however small a world."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.arch import Stub, StubReloc, Trampolines
from linkpipe.arches.arm64 import ARCH, R_AARCH64_CALL26, R_CALLARM64
from linkpipe.layout.trampolines import Reached, home_packages, lay_out
from linkpipe.reloctype import R_HOST
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag
from linkpipe.testing.links import release
from tests.tiny import INTERNAL, no_relocs, no_symbols

HOST_CALL = R_HOST + R_AARCH64_CALL26
REACH = 200
RULES = Trampolines(
    limit=0,
    size=12,
    far=lambda distance, add, external: not -REACH <= distance < REACH,
    near=lambda distance: -REACH <= distance < REACH,
    offset=lambda add: add,
    label=lambda offset: f"{offset:+x}",
    call=lambda add: 0,
    write=lambda offset, imported, dynlink, pic: Stub(bytes(12), (StubReloc(0, 8, 3, "", offset),)),
)


class World:
    """Functions in packages, each with its size and the functions that it calls."""

    def __init__(
        self,
        functions: list[tuple[int, int, list[int]]],
        debug: bool = False,
        rules: Trampolines = RULES,
        start: int = 0x1000,
    ) -> None:
        self.edit, self.made = no_symbols().edit(), no_relocs().edit()
        ids = [self.edit.lookup_or_create(f"f{i}") for i in range(len(functions))]
        homes = set()
        for sym, (package, size, calls) in zip(ids, functions, strict=True):
            self.edit.set(sym, kind=SymKind.STEXT, size=size, object=package + 1)
            self.edit.add_flags(sym, Flag.REACHABLE)
            homes.add(package)
            for place, callee in enumerate(calls):
                target = ids[callee % len(ids)]
                self.made.add(sym, offset=4 * place, size=4, type=R_CALLARM64, target=target)
        self.symbols, self.relocs = self.edit.freeze(), self.made.freeze()
        count = max(homes) + 1
        packages: Any = SimpleNamespace(items=[SimpleNamespace(path=f"p{i}") for i in range(count)])
        objects: Any = SimpleNamespace(package=np.array([0, *range(count)], np.int32))
        order = np.array(sorted(ids, key=lambda sym: functions[ids.index(sym)][0]), np.int64)
        symbols, relocs = self.symbols.edit(), self.relocs.edit()
        self.reached: Reached = lay_out(
            attrs.evolve(ARCH, trampolines=rules),
            INTERNAL,
            home_packages(packages, objects, self.symbols),
            self.relocs,
            symbols,
            relocs,
            order,
            np.zeros(0, np.int64),
            start,
            16,
            16,
            is_runtime=release().is_runtime,
            debug=debug,
        )
        self.after, self.calls = symbols.freeze(), relocs.freeze()
        self.address = dict(
            zip(self.reached.order.tolist(), self.reached.addresses.tolist(), strict=True)
        )

    def led(self) -> list[int]:
        """Where the calls of the functions lead, in order."""
        targets: list[int] = self.calls.target[: len(self.relocs)].tolist()
        return targets


FUNCTION = st.tuples(
    st.integers(0, 3), st.integers(16, 120), st.lists(st.integers(0, 20), max_size=3)
)


@given(st.lists(FUNCTION, min_size=1, max_size=20))
def test_every_call_reaches(functions: list[tuple[int, int, list[int]]]) -> None:
    """Its target, or a trampoline that leads there; nothing overlaps, nothing is lost."""
    world = World(functions)
    before, after = world.relocs, world.calls
    for row in range(len(before)):
        caller = int(before.owner()[row])
        target, leads = int(before.target[row]), int(after.target[row])
        assert world.reached.targets.get(leads, leads) == target
        distance = world.address[leads] - world.address[caller] - int(after.offset[row])
        assert -REACH <= distance < REACH
    order, addresses = world.reached.order, world.reached.addresses
    sizes = np.maximum(world.after.size[order], 16)
    assert (addresses % 16 == 0).all()
    assert (addresses[1:] >= (addresses + sizes)[:-1]).all()
    assert world.reached.end == int(addresses[-1] + sizes[-1])
    kept = [sym for sym in order.tolist() if sym not in world.reached.targets]
    assert sorted(kept) == list(range(1, len(functions) + 1))


def test_trampolines_are_shared_where_they_are_near() -> None:
    """Two callers side by side use one; one far away gets its own, with the next number."""
    many: list[tuple[int, int, list[int]]]
    many = [(0, 40, [])] + [(1, 400, [])] + [(1, 40, [0])] * 2 + [(1, 400, []), (1, 40, [0])]
    world = World(many)
    names = [world.after.name(sym) for sym in world.reached.targets]
    assert names == ["f0+0-tramp0", "f0+0-tramp1"]
    one, two, three = world.led()
    assert one == two != three


def test_targets_of_later_packages_are_taken_to_be_far() -> None:
    """They have no address yet; those of the same package have a provisional one."""
    world = World([(0, 16, [1, 2]), (0, 16, []), (1, 16, [])])
    assert [world.after.name(sym) for sym in world.led()] == ["f1", "f2+0-tramp0"]
    (made,) = world.reached.targets
    assert world.reached.order.tolist()[1] == made, "right behind its caller"
    assert world.calls.rows_of(made) != slice(0, 0), "it has its relocation"


def test_debugging_leads_all_calls_between_packages_to_trampolines() -> None:
    functions: list[tuple[int, int, list[int]]] = [(0, 16, []), (0, 16, [0]), (1, 16, [0])]
    assert World(functions, debug=False).reached.targets == {}
    assert len(World(functions, debug=True).reached.targets) == 1


def test_calls_to_what_has_no_address_may_get_a_type_of_their_own() -> None:
    """So that they can leave their trampoline out later. Then even calls within a package are led
    to one, for it may be larger than they reach; the first function of an object is at 0, which
    the oracle takes for no address."""
    functions: list[tuple[int, int, list[int]]] = [(0, 16, [1, 2]), (0, 16, [0]), (1, 16, [1])]
    rules = attrs.evolve(RULES, unsure=99)
    plain, unsure = (World(functions, rules=some, start=0) for some in (RULES, rules))
    assert plain.calls.type[:4].tolist() == [R_CALLARM64] * 4
    assert unsure.calls.type[:4].tolist() == [R_CALLARM64, 99, 99, R_CALLARM64]
    led = [[world.after.name(sym) for sym in world.led()] for world in (plain, unsure)]
    assert led == [["f1", "f2+0-tramp0", "f0", "f1"], ["f1", "f2+0-tramp0", "f0+0-tramp0", "f1"]]


def test_calls_that_reach_everything_are_left_alone() -> None:
    functions: list[tuple[int, int, list[int]]] = [(0, 16, [1]), (1, 16, [])]
    assert len(World(functions).reached.targets) == 1
    rules = attrs.evolve(RULES, calls=frozenset[int]())
    assert World(functions, rules=rules).reached.targets == {}


@pytest.mark.parametrize(("exact", "addresses"), [(False, [16, 32, 48]), (True, [16, 22, 32])])
def test_sections_of_c_may_be_aligned_to_less(exact: bool, addresses: list[int]) -> None:
    """Than functions, in releases whose oracle has it so; not what says nothing of it."""
    edit = no_symbols().edit()
    made = [edit.lookup_or_create(name) for name in "abc"]
    edit.set(np.array(made), kind=SymKind.STEXT, size=5, align=np.array([0, 2, 0]))
    symbols, relocs = edit.freeze().edit(), no_relocs().edit().freeze()
    none = np.zeros(0, np.int64)
    reached = lay_out(
        attrs.evolve(ARCH, trampolines=RULES),
        INTERNAL,
        [""] * 4,
        relocs,
        symbols,
        relocs.edit(),
        np.array(made),
        none,
        16,
        16,
        5,
        is_runtime=release().is_runtime,
        exact=exact,
    )
    assert reached.addresses.tolist() == addresses


def test_calls_of_c_may_need_trampolines() -> None:
    """A section of a C object, in which a function lies, calls that and two imports, one of them in
    Go's stead; a second section is called before it has an address."""
    edit, made = no_symbols().edit(), no_relocs().edit()
    one, two, start, inner = (edit.lookup_or_create(n) for n in ("s1", "s2", "start", "inner"))
    puts, go = edit.lookup_or_create("puts"), edit.lookup_or_create("main.f")
    for sym in (one, two, start, inner, go):
        edit.set(sym, kind=SymKind.STEXT, size=32)
    edit.set(go, object=1)
    edit.set(puts, kind=SymKind.SDYNIMPORT)
    for part, value in ((start, 0), (inner, 8)):
        edit.set(part, container=two, value=value)
    edit.add_flags(np.arange(1, 7), Flag.REACHABLE)
    for place, target in enumerate((puts, start, inner)):
        made.add(one, offset=4 * place, size=4, type=HOST_CALL, target=target)
    made.add(two, offset=0, size=4, type=HOST_CALL, target=inner)
    made.add(go, offset=0, size=4, type=HOST_CALL, target=puts)
    symbols, table = edit.freeze(), made.freeze()
    moved, relocs = symbols.edit(), table.edit()
    rules = attrs.evolve(
        RULES, host=frozenset({HOST_CALL - R_HOST}), far=lambda *_: False, near=lambda _: True
    )
    reached = lay_out(
        attrs.evolve(ARCH, trampolines=rules),
        INTERNAL,
        ["", "", "", "", "", "", "p"],
        table,
        moved,
        relocs,
        np.array([one, two, go]),
        np.array([start, inner]),
        0x1000,
        16,
        16,
        is_runtime=release().is_runtime,
    )
    after = moved.freeze()
    names = [after.name(sym) for sym in relocs.freeze().target[: len(table)].tolist()]
    assert names == ["puts+0-tramp0", "start+0-tramp0", "inner", "inner", "puts"]
    assert [after.name(sym) for sym in reached.order.tolist()] == [
        *("s1", "puts+0-tramp0", "start+0-tramp0"),
        *("s2", "main.f"),
    ]
