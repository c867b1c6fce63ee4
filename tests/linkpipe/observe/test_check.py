"""The check of facts after each pass: real links pass, and every kind of bad pass is caught."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from linkpipe.arches.amd64 import ARCH
from linkpipe.engine.background import Result
from linkpipe.engine.pass_api import Link, Pass
from linkpipe.engine.runner import run_plan
from linkpipe.errors import PassError
from linkpipe.flags.environ import capture
from linkpipe.flags.options import Options, read_options
from linkpipe.flags.settings import Request
from linkpipe.observe.check import Check, broken
from linkpipe.observe.facttypes import declared_facts, fits
from linkpipe.reloctype import R_ADDR
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag
from tests.conformance.programs import TINY, Program, inputs, table
from tests.conformance.toolchain import environment
from tests.linkpipe.synthetic import plan_of, steps
from tests.reallink import stages
from tests.tiny import Tiny


@pytest.mark.parametrize("program", [TINY, table()["plugin"]], ids=lambda program: program.name)
def test_nothing_in_the_facts_of_a_real_link_can_change(program: Program) -> None:
    """After all passes; the link was checked pass by pass, too."""
    after = stages(program).after
    link = after["hostlink" if program is not TINY else "output"]
    assert "dwarf" in link.facts
    assert list(broken(link, set(link.facts))) == []


def test_every_well_known_fact_has_a_type() -> None:
    link = stages().after["output"]
    declared = declared_facts()
    assert set(link.facts) <= set(declared)
    assert "symbols" in declared
    assert all(declared.values())


@pytest.mark.parametrize(
    ("declared", "good", "bad"),
    [
        (int, 1, "1"),
        (Any, object(), None),
        (tuple[int, ...], (1, 2), (1, "2")),
        (tuple[int, str], (1, "2"), (1, "2", 3)),
        (dict[str, int], {"a": 1}, {"a": "1"}),
        (int | None, None, "1"),
        (np.ndarray[Any, np.dtype[np.int32]], np.zeros(1, np.int32), np.zeros(1)),
        (Result[int], Result(int), 1),
    ],
)
def test_types(declared: Any, good: Any, bad: Any) -> None:
    assert fits(good, declared)
    assert declared is Any or not fits(bad, declared)


def sound() -> Link:
    """Two functions and two variables, laid out, with a relocation."""
    tiny = Tiny()
    one = tiny.symbol("main.one", kind=SymKind.STEXT, size=16)
    two = tiny.symbol("main.two", kind=SymKind.STEXT, size=16)
    x = tiny.symbol("main.x", content=bytes(8))
    y = tiny.symbol("main.y", content=bytes(8))
    tiny.reloc(x, R_ADDR, one, size=8)
    tiny.section(".text", 0x401000, [tiny.method, one, two], rwx=5)
    tiny.section(".data", 0x403000, [x, y])
    return tiny.link()


def run(folder: Path, change: Callable[[Link], dict[str, Any]]) -> None:
    """A pass that makes a sound link, then one that changes it; both are checked."""
    link = sound()
    changes = change(link)
    names = ["symbols", "relocs", "sections", "text_order"]
    facts = {name: link.facts[name] for name in names}
    first = Pass("first", lambda link: link.evolve(facts), (), names)
    second = Pass("second", lambda link: link.evolve(changes), names, list(changes))
    plan = plan_of(folder, steps("first", "second"), first, second)
    run_plan(plan, Link({"options": Options(), "arch": ARCH}), [Check()])


def frozen_symbols(link: Link, name: str, **values: Any) -> dict[str, Any]:
    edit = link.symbols.edit()
    edit.set(edit.lookup(name), **values)
    return {"symbols": edit.freeze()}


def without_last(link: Link) -> dict[str, Any]:
    order = link.text_order[:-1].copy()
    order.setflags(write=False)
    return {"text_order": order}


def order_of(link: Link, *more: int) -> dict[str, Any]:
    order = np.append(link.text_order, np.array(more, np.int32))
    order.setflags(write=False)
    return {"text_order": order}


def view_of_writable(link: Link) -> dict[str, Any]:
    view = link.text_order.copy()[:]
    view.setflags(write=False)
    return {"text_order": view}


def reloc_outside(link: Link) -> dict[str, Any]:
    edit = link.relocs.edit()
    edit.set(0, offset=1)
    return {"relocs": edit.freeze()}


def reloc_to_nowhere(link: Link) -> dict[str, Any]:
    edit = link.relocs.edit()
    edit.set(0, target=10**6)
    return {"relocs": edit.freeze()}


def reloc_of_nobody(link: Link) -> dict[str, Any]:
    entry = np.zeros(len(link.symbols) + 1, np.int32)
    entry[: len(link.relocs.entry)] = link.relocs.entry
    return {"relocs": attrs.evolve(link.relocs, entry=entry)}


def twice_in_sections(link: Link) -> dict[str, Any]:
    first, *rest = link.sections.items
    twice = attrs.evolve(first, symbols=np.append(first.symbols, first.symbols[:1]))
    return {"sections": attrs.evolve(link.sections, items=(twice, *rest))}


@attrs.frozen(eq=False)
class Acme:
    """A third party's table, with a check of its own."""

    count: int

    def check(self) -> list[str]:
        return ["the count is negative"] if self.count < 0 else []


def test_a_sound_link_passes(tmp_path: Path) -> None:
    run(tmp_path, lambda link: {"acme.table": Acme(1)})


@pytest.mark.parametrize(
    ("change", "fact", "words"),
    [
        (lambda link: {"text_order": link.text_order.copy()}, "text_order",
         "text_order is writable"),
        (view_of_writable, "text_order", "text_order is a view of an array that is writable"),
        (without_last, "text_order", r"text_order lacks main.two \(symbol \d+\)"),
        (lambda link: order_of(link, int(link.text_order[0])), "text_order",
         "text_order has runtime.unreachableMethod .* more than once"),
        (lambda link: order_of(link, 99), "text_order",
         "text_order names symbol 99; there are 1 to "),
        (lambda link: order_of(link, link.symbols.lookup("main.x")), "text_order",
         "text_order has main.x .* which is no reachable function"),
        (lambda link: frozen_symbols(link, "main.two", flags=0), "symbols",
         "text_order has main.two"),
        (lambda link: frozen_symbols(link, "main.y", value=0x403004), "symbols",
         "main.x .* and main.y .* overlap in .data"),
        (lambda link: frozen_symbols(link, "main.y", value=0x503000), "symbols",
         "main.y .* lies outside of .data"),
        (lambda link: frozen_symbols(link, "main.y", section=0), "symbols",
         "main.y .* is laid out in section 1, its column says 0"),
        (twice_in_sections, "sections", "sections has runtime.unreachableMethod .* more than once"),
        (reloc_outside, "relocs", r"a relocation of main.x .* outside of it: bytes \[1, 9\) of 8"),
        (reloc_of_nobody, "relocs", r"relocs has rows for symbol \d+, which there is not"),
        (reloc_to_nowhere, "relocs", "a relocation of main.x .* refers to symbol 1000000"),
        (lambda link: {"trampolines": {1: 2}}, "trampolines",
         "trampolines is a dict, which can be changed"),
        (lambda link: {"acme.table": ({},)}, "acme.table", r"acme.table\[0\] is a dict"),
        (lambda link: {"acme.table": Acme(-1)}, "acme.table", "the count is negative"),
        (lambda link: {"inittasks": ("main.init",)}, "inittasks",
         "inittasks is a tuple, declared is "),
    ],
)  # fmt: skip
def test_a_bad_pass_is_caught(
    tmp_path: Path, change: Callable[[Link], dict[str, Any]], fact: str, words: str
) -> None:
    expected = f"pass second: left the fact `{fact}` broken: .*{words}"
    with pytest.raises(PassError, match=expected):
        run(tmp_path, change)


def test_what_a_link_starts_with_is_checked() -> None:
    with pytest.raises(PassError, match="left the fact `arch` broken: arch is a dict, declared is"):
        Check().on_start(None, Link({"arch": {}}))  # type: ignore[arg-type] # does not look at it


def test_markers_are_no_functions(tmp_path: Path) -> None:
    """runtime.text is of a function's kind and no function."""

    def mark(link: Link) -> dict[str, Any]:
        edit = link.symbols.edit()
        text = edit.lookup_or_create("runtime.text")
        edit.set(text, kind=SymKind.STEXT)
        edit.add_flags(text, Flag.REACHABLE | Flag.SPECIAL)
        return {"symbols": edit.freeze()}

    run(tmp_path, mark)


def test_links_that_tests_start_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of this process, of the commands it starts, and of the comparison run by hand."""

    def asked(variables: Mapping[str, str]) -> tuple[Request, ...]:
        return read_options(["x.a"], capture({}, "link"), variables).settings.requests()

    assert Request("check") in asked(os.environ)
    monkeypatch.delenv("LINKPIPE_CHECK")
    assert Request("check") in asked(environment())
    assert Request("check") in asked(inputs(TINY).environment())
    assert Request("check") not in asked(os.environ)
