"""What switched the pruning of methods off: true causes only, and what they keep."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from linkpipe import api
from linkpipe.ask.rerun import run
from linkpipe.ask.why_no_dce import NOTHING, Cause, WhyNoDce, why_no_dce
from linkpipe.reloctype import R_ADDR
from linkpipe.tables.symbols import Flag
from tests.conformance.programs import FIRSTCAUSE, Program, table
from tests.linkpipe.ask.links import (
    DEEP,
    ITERATORS,
    PROGRAMS,
    QUIET,
    SEVERAL,
    TEMPLATE,
    WITH_PLUGIN,
    linked,
)
from tests.linkpipe.ask.test_why import line_of
from tests.passes.slow_reachability import Reloc, Slow
from tests.reallink import stages

HELPER = "looking.test/deep/helper"


def only(program: Program) -> Cause:
    found = why_no_dce(linked(program))
    (cause,) = found.causes
    assert cause.alone == found.together
    assert found.together.methods > 100
    assert found.together.symbols > found.together.methods
    return cause


def chained(cause: Cause) -> list[str]:
    """The symbols of a chain, which has no gaps."""
    for before, after in pairwise(cause.chain):
        assert before.target == after.source
    assert cause.chain[0].kind == "root"
    return [each.target for each in cause.chain]


@pytest.mark.parametrize("program", [QUIET, table()["httpserver"]], ids=lambda each: each.name)
def test_none_where_there_is_none(program: Program) -> None:
    """A name that is known keeps one method, and calls through interfaces those they call."""
    assert why_no_dce(linked(program)) == WhyNoDce((), NOTHING)


def test_a_name_that_is_not_known_calls_away_from_main() -> None:
    cause = only(DEEP)
    assert (cause.kind, cause.name, cause.standard) == ("reflection", f"{HELPER}.find", False)
    assert cause.calls == "reflect.Value.MethodByName"
    assert cause.line == line_of(PROGRAMS / "deep/helper/helper.go", "MethodByName(name)")
    assert chained(cause)[-4:] == ["main.main", "main.run", f"{HELPER}.Call", f"{HELPER}.find"]
    assert cause.own == len(cause.chain), "the look-up itself is the user's own"


def test_text_template() -> None:
    """The user's own code comes to it where it executes the template."""
    cause = only(TEMPLATE)
    assert (cause.name, cause.standard) == ("text/template.(*state).evalField", True)
    assert cause.calls == "reflect.Value.MethodByName"
    assert chained(cause)[-1] == cause.name
    assert cause.own is not None
    step = cause.chain[cause.own]
    assert step.source == "main.main"
    assert step.line == line_of(PROGRAMS / "template/main.go", "t.Execute(os.Stdout")
    assert not any(each.own for each in cause.chain[cause.own + 1 :])


def test_iterators_over_the_methods_of_a_type() -> None:
    """They are reflect's own, and called through an interface: the chain has who calls them, not
    the type that implements it, which every program has that uses reflection."""
    cause = only(ITERATORS)
    assert cause.name == "reflect.(*rtype).Methods.func1"
    assert cause.own is not None
    step = cause.chain[cause.own]
    assert (step.source, step.target) == ("main.list", "reflect.(*rtype).Methods")
    assert (step.kind, step.because) == ("method by interface", "calls reflect.Type.Methods")
    assert step.line == line_of(PROGRAMS / "iterators/main.go", "func list(")
    assert chained(cause)[-1] == cause.name


def test_several_at_once() -> None:
    """Each is named, none keeps anything that others do not; what is only there by them, and looks
    methods up too, is no cause."""
    found = why_no_dce(linked(SEVERAL))
    assert [(cause.name, cause.alone) for cause in found.causes] == [
        ("main.byName", NOTHING),
        ("main.byNumber", NOTHING),
    ]
    assert found.together.methods > 100
    symbols = linked(SEVERAL).symbols
    marked = symbols.reachable()[symbols.has(symbols.reachable(), Flag.REFLECT_METHOD)].tolist()
    assert "main.gadget.Inspect" in {symbols.name(sym) for sym in marked}


def test_a_consequence_is_no_cause() -> None:
    assert only(FIRSTCAUSE).name == "main.deep"


def test_an_import_of_plugin() -> None:
    cause = only(WITH_PLUGIN)
    assert (cause.kind, cause.name) == ("modules", "import of plugin")
    assert cause.imports == ("main", "plugin")
    assert cause.own is not None
    assert cause.chain[cause.own].line == line_of(PROGRAMS / "withplugin/main.go", "plugin.Open(")


def test_a_plugin_itself() -> None:
    """All of its methods may be called from its host."""
    found = why_no_dce(linked(table()["plugin"]))
    assert "-buildmode=plugin" in [cause.name for cause in found.causes]


def test_what_it_keeps_is_what_the_sequential_rules_keep_for_it() -> None:
    """Counted by a run, one symbol at a time, that knows no reflection."""
    link = stages(FIRSTCAUSE).before["reachability"]
    after = stages(FIRSTCAUSE).after["reachability"]

    class Whole(Slow):
        """With the relocations of what the linker made: lists of initialisers."""

        def relocs(self, sym: int) -> list[Reloc]:
            rows = link.relocs.rows_of(sym)
            if rows.start == rows.stop:
                return super().relocs(sym)
            targets = link.relocs.target[rows].tolist()
            return [Reloc(0, R_ADDR, False, 0, target) for target in targets]

    class Blind(Whole):
        def flag(self, sym: int, flag: Flag) -> bool:
            return flag != Flag.REFLECT_METHOD and super().flag(sym, flag)

    full, blind = Whole(link), Blind(link)
    for rules in (full, blind):
        rules.run([sym for sym, _ in after.graph.roots])
    gone = sorted(full.reached - blind.reached)
    together = why_no_dce(after).together
    assert together.symbols == len(gone)
    assert together.size == int(after.symbols.size[gone].sum())


def test_without_marks_nothing_is_kept_for_reflection() -> None:
    """What is reached with pruning on is part of what there is."""
    link = linked(DEEP)
    marked = np.flatnonzero(link.graph.given.flags & Flag.REFLECT_METHOD)
    pruned = run(link, unmarked=marked, modules=False)
    assert not (pruned.reached & ~run(link).reached).any()


def test_it_is_promised() -> None:
    assert api.why_no_dce is why_no_dce
    assert api.WhyNoDce is WhyNoDce
