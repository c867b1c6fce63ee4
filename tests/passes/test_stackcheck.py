"""stackcheck: finds the chains of nosplit calls that the sequential rule finds."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.arches.amd64 import ARCH
from linkpipe.engine.context import Link
from linkpipe.errors import LinkErrors
from linkpipe.formats import goobj
from linkpipe.formats.leb128 import uleb
from linkpipe.passes.stackcheck import stackcheck
from linkpipe.reloctype import R_CALL, R_CALLIND
from linkpipe.symkind import is_text
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.symbols import Flag
from tests.goobj_writer import Obj, Reloc, Sym
from tests.objlink import resolved

TEXT = 1
LIMIT = 800 - 8


class Function(NamedTuple):
    """``frame`` bytes from offset 4 on; ``calls``: targets by index, -1 an indirect call, in
    order at offsets 8, 16 …"""

    name: str
    frame: int
    calls: tuple[int, ...] = ()
    nosplit: bool = True
    known: bool = True
    abi: int = 0


def zigzag(n: int) -> bytes:
    return uleb((n << 1) ^ (n >> 63))


def setup(folder: Path, functions: list[Function]) -> Link:
    """All functions are reachable, and laid out as listed."""
    text, aux = [], []
    for i, f in enumerate(functions):
        relocs = tuple(
            Reloc(8 + 8 * k, 4, R_CALLIND if target < 0 else R_CALL,
                  (0, 0) if target < 0 else (goobj.PKG_SELF, target))
            for k, target in enumerate(f.calls)
        )  # fmt: skip
        length = 16 + 8 * len(f.calls)
        # -1 -> 0 for 4 bytes, the frame, then 0 for the last four
        table = zigzag(1) + b"\x04" + zigzag(f.frame) + bytes([length - 8])
        table += zigzag(-f.frame) + b"\x04\x00" if f.frame else b""
        if not f.frame:
            table = zigzag(1) + bytes([length]) + b"\x00"
        info = len(functions) + 2 * i
        auxs = ((goobj.AUX_FUNCINFO, (goobj.PKG_SELF, info)),
                (goobj.AUX_PCSP, (goobj.PKG_SELF, info + 1)))  # fmt: skip
        text.append(
            Sym(name=f.name, abi=f.abi, type=TEXT, size=length, data=bytes(length), relocs=relocs,
                flag=int(Flag.NOSPLIT) if f.nosplit else 0, auxs=auxs if f.known else ())
        )  # fmt: skip
        aux += [Sym(data=b"info", size=4), Sym(data=table, size=len(table))]
    link = resolved(folder, [Obj("p", defs=(*text, *aux))])
    symbols = link.symbols
    ids = np.flatnonzero(is_text(symbols.kind)).astype(np.int32)
    edit = symbols.edit()
    edit.add_flags(ids, Flag.REACHABLE)
    found = link.objects.relocs(symbols.object[ids], symbols.local[ids])
    gathered = Relocs.gather(len(symbols), ids, found)
    return link.evolve(symbols=edit.freeze(), relocs=gathered, text_order=ids)


def slow_needs(functions: list[Function]) -> list[float]:
    """What each function needs, by the definition; endless for a cycle."""
    path: list[int] = []

    def need(i: int) -> float:
        f = functions[i]
        if i in path:
            return float("inf")
        if f.name == "runtime.morestack" or not f.known:
            return 0
        if not f.nosplit:
            return 8
        path.append(i)
        deepest = float(f.frame)
        for call in f.calls:
            deepest = max(deepest, f.frame + 8 + (8 if call < 0 else need(call)))
        path.pop()
        return deepest

    return [need(i) for i in range(len(functions))]


functions = st.integers(1, 6).flatmap(
    lambda n: st.lists(
        st.builds(
            Function,
            name=st.just("f"),
            frame=st.sampled_from([0, 8, 96, 200, 392, 776, 784, 792]),
            calls=st.lists(st.integers(-1, n), max_size=3).map(tuple),
            nosplit=st.sampled_from([True, True, True, False]),
            known=st.sampled_from([True, True, True, False]),
            abi=st.just(0),
        ),
        min_size=n,
        max_size=n,
    )
)


@given(functions)
def test_fails_when_the_sequential_rule_fails(tmp_path: Path, made: list[Function]) -> None:
    """And names a function in every group of those that need too much."""
    listed = [f._replace(name=f"f{i}") for i, f in enumerate(made)]
    listed.append(Function("runtime.morestack", 4000))
    needs = slow_needs(listed)
    failed = {f.name for f, need in zip(listed, needs, strict=True) if need > LIMIT}
    link = setup(tmp_path, listed)
    if not failed:
        assert stackcheck.run(link) is link
        return
    with pytest.raises(LinkErrors) as e:
        stackcheck.run(link)
    text = e.value.render()
    named = {line.split(":")[0] for line in text.splitlines() if "byte limit" in line}
    assert named
    assert named <= failed
    reached = {name for name in failed if f"{name}<0>" in text}
    callers = {name for name in failed if not any(
        listed.index(f) in g.calls for f in listed if f.name == name for g in listed
        if g.name in failed and g is not f
    )}  # fmt: skip
    assert callers <= reached


def test_messages_are_the_oracles(tmp_path: Path) -> None:
    """The report of `go tool link` for the same functions in assembly: chains, indented, each
    part printed once; functions that need more come first."""
    link = setup(
        tmp_path,
        [
            Function("main.f", 408, (1, 2)),
            Function("main.g", 408, (3,)),
            Function("main.h", 312, (4, -1, 3)),
            Function("main.leaf", 208),
            Function("main.split", 3008, (3,), nosplit=False),
            Function("main.cyc", 24, (6,)),
            Function("main.cyc2", 24, (5,)),
            Function("main.root2", 24, (2, 8)),
            Function("main.h2", 912),
            Function("runtime.morestack", 0),
        ],
    )
    with pytest.raises(LinkErrors) as e:
        stackcheck.run(link)
    assert e.value.exit_status == 2
    lines = [line for line in e.value.render().splitlines() if not line.startswith("\t")]
    assert "\n".join(lines) == (
        """\
main.cyc: nosplit stack over 792 byte limit
main.cyc<0>
    grows 32 bytes, calls main.cyc2<0>
        grows 32 bytes, calls main.cyc<0>
        infinite cycle
main.f: nosplit stack over 792 byte limit
main.f<0>
    grows 416 bytes, calls main.g<0>
        grows 416 bytes, calls main.leaf<0>
            grows 208 bytes
            248 bytes over limit
    grows 416 bytes, calls main.h<0>
        grows 320 bytes, calls main.leaf<0>
            grows 208 bytes
            152 bytes over limit
main.root2: nosplit stack over 792 byte limit
main.root2<0>
    grows 32 bytes, calls main.h2<0>
        grows 912 bytes
        152 bytes over limit"""
    )


def test_architectures_reserve_more(tmp_path: Path) -> None:
    """A return address in a register costs nothing; what a frame loses otherwise counts."""
    link = setup(tmp_path, [Function("main.f", 793), Function("runtime.morestack", 0)])
    with pytest.raises(LinkErrors, match="1 errors"):
        stackcheck.run(link)
    stackcheck.run(link.evolve(arch=attrs.evolve(ARCH, has_lr=True)))
    with pytest.raises(LinkErrors):
        stackcheck.run(link.evolve(arch=attrs.evolve(ARCH, has_lr=True, stack_reserved=8)))


def test_a_call_after_the_last_range_is_not_counted(tmp_path: Path) -> None:
    """As the sequential rule, which reads calls range by range."""
    link = setup(tmp_path, [Function("main.f", 400, (1,)), Function("main.g", 500),
                            Function("runtime.morestack", 0)])  # fmt: skip
    with pytest.raises(LinkErrors):
        stackcheck.run(link)
    relocs = link.relocs.edit()
    relocs.set(0, offset=1000)
    stackcheck.run(link.evolve(relocs=relocs.freeze()))


@pytest.mark.parametrize(("race", "frame"), [(False, 800), (True, 1600)])
def test_the_race_detector_leaves_twice_as_much(tmp_path: Path, race: bool, frame: int) -> None:
    """8 bytes of it are the call's that found out (cmd/internal/objabi/stack.go)."""
    for more in (-8, 0):
        link = setup(tmp_path, [Function("main.f", frame + more)])
        link = link.evolve(options=attrs.evolve(link.options, race=race))
        if more:
            assert stackcheck.run(link) is link
        else:
            with pytest.raises(LinkErrors) as e:
                stackcheck.run(link)
            assert f"over {frame - 8} byte limit" in e.value.render()
