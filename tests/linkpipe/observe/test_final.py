"""What is final behind a barrier is not changed: who does it is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest

from linkpipe.engine.pass_api import Link, Pass, linkpass
from linkpipe.engine.pipeline import load_pipeline
from linkpipe.engine.runner import run_plan
from linkpipe.errors import PassError, PipelineError
from linkpipe.observe.check import Check
from linkpipe.observe.final import same
from linkpipe.tables.symbols import SymbolsEdit
from tests.linkpipe.synthetic import plan_of, setter
from tests.tiny import Tiny


@attrs.frozen(eq=False)
class Table:
    """Two columns."""

    value: np.ndarray[Any, Any]
    size: tuple[int, ...] = ()


def column(*values: int) -> np.ndarray[Any, Any]:
    array = np.array(values)
    array.setflags(write=False)
    return array


def evolved(**changes: Any) -> Pass:
    """A pass that changes the table."""

    def run(link: Link) -> Link:
        return link.evolve({"t": attrs.evolve(link.fact("t"), **changes)})

    return Pass("late", run, ("t",), ("t",))


def run(folder: Path, late: Pass, final: str) -> None:
    first = Pass("a", lambda link: link.evolve({"t": Table(column(1, 2))}), (), ("t",))
    text = (
        f'[[pass]]\nname = "a"\n[[pass]]\nbarrier = "final"\nfinal = {final}\n'
        '[[pass]]\nname = "late"\n'
    )
    run_plan(plan_of(folder, text, first, late), Link(), [Check()])


@pytest.mark.parametrize("final", ['["t"]', '["t.value"]'])
def test_a_pass_that_changes_what_is_final_is_named(tmp_path: Path, final: str) -> None:
    late = evolved(value=column(1, 3))
    with pytest.raises(
        PassError, match=r"changed `t.*`, which is final behind the barrier final"
    ) as e:
        run(tmp_path, late, final)
    assert (e.value.name, e.value.fact) == ("late", "t")


@pytest.mark.parametrize(
    ("late", "final"),
    [
        (evolved(value=column(1, 2)), '["t"]'),
        (evolved(size=(1,)), '["t.value"]'),
        (setter("late", (), ("other",)), '["t"]'),
    ],
)
def test_other_changes_are_let_be(tmp_path: Path, late: Pass, final: str) -> None:
    run(tmp_path, late, final)


def contents_only(name: str, change: Callable[[SymbolsEdit], None]) -> Pass:
    """A pass that says it changes nothing but contents, and does that, and this."""

    @linkpass(
        name=name,
        requires=("symbols",),
        provides=("symbols",),
        changes=("symbols.contents", "symbols.data_at", "symbols.data_size"),
    )
    def run(link: Link) -> Link:
        edit = link.symbols.edit()
        edit.set_content(edit.lookup("main.x"), bytes(8), grow=False)
        change(edit)
        return link.evolve(symbols=edit.freeze())

    return run


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda edit: None, ""),
        (lambda edit: edit.create("main.new"), "symbols.version"),
        (lambda edit: edit.set(edit.lookup("main.x"), size=16), "symbols.size"),
    ],
    ids=["nothing", "a symbol", "a size"],
)
def test_a_pass_that_says_it_changes_contents_only_is_held_to_it(
    tmp_path: Path, change: Callable[[SymbolsEdit], None], said: str
) -> None:
    """Though no barrier stands before it."""
    tiny = Tiny()
    tiny.symbol("main.x", content=b"12345678")
    late = contents_only("late", change)
    plan = plan_of(tmp_path, '[[pass]]\nname = "symbols"\n[[pass]]\nname = "late"\n',
                   Pass("symbols", lambda link: link, (), ("symbols",)), late)  # fmt: skip
    if not said:
        run_plan(plan, tiny.link(), [Check()])
        return
    with pytest.raises(PassError, match=f"changed `{said}`, and declares to change only") as e:
        run_plan(plan, tiny.link(), [Check()])
    assert (e.value.name, e.value.fact) == ("late", "symbols")
    assert f'add "{said}" to `changes` of the pass late' in e.value.remedy


def test_a_part_that_a_pass_changes_has_to_be_one(tmp_path: Path) -> None:
    late = attrs.evolve(evolved(value=column(3)), changes=("t.valu",))
    with pytest.raises(PassError, match="declares to change `t.valu`, and the fact has no such"):
        run(tmp_path, late, "[]")


def test_a_part_that_there_is_not_though_nobody_changes_it(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="the fact has no `valu`"):
        run(tmp_path, setter("late", (), ("other",)), '["t.valu"]')


def test_a_part_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="the fact has no `valu`"):
        run(tmp_path, evolved(value=column(3)), '["t.valu"]')


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ((column(1), "a"), (column(1), "a"), True),
        ((column(1),), (column(1, 1),), False),
        ({"a": column(1)}, {"a": column(2)}, False),
        (column(1), None, False),
        (Table(column(1)), Table(column(1)), True),
    ],
)
def test_same(one: object, other: object, equal: bool) -> None:
    assert same(one, other) is equal


def test_the_documents_say_what_is_final() -> None:
    """The table in docs/adding-a-pass.md has each barrier of the default pipeline, in its order."""
    page = (Path(__file__).parents[3] / "docs" / "adding-a-pass.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `") and "-final`" in line]
    assert rows == [
        f"| `{each.name}` | {each.why} | {', '.join(f'`{path}`' for path in each.final)} |"
        for each in load_pipeline().barriers
    ]
