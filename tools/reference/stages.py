"""The pages about the pipeline: passes, barriers, facts."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

import attrs

from linkpipe.engine.context import GIVEN
from linkpipe.engine.places import Standing
from linkpipe.engine.plan import Plan, Planned
from linkpipe.observe.facttypes import declared_facts
from tools import essays
from tools.reference import markdown as md
from tools.reference.python import class_of, kind_of


def passes(plan: Plan) -> str:
    """All passes in order, with the barriers between them."""
    lines = [
        "# Passes",
        (
            "The default pipeline, top to bottom. A pass in *italics* runs only in some links; "
            "its page says in which. `linkpipe passes` prints the same for your own pipeline, "
            "and behind `--` for the flags of one link."
        ),
    ]
    rows: list[tuple[str, ...]] = []
    for number, planned in enumerate(plan.passes):
        rows += [
            (f"**[{barrier.name}](barriers.md#{barrier.name})**", md.text(barrier.why), "", "")
            for barrier in plan.barriers
            if barrier.at == number
        ]
        link = f"[{planned.name}](passes/{planned.name}.md)"
        name = f"*{link}*" if planned.step.when else link
        reads = _facts((*planned.run.requires, *planned.run.optional), "")
        rows.append((name, md.text(planned.step.why), reads, _facts(planned.run.provides, "")))
    return md.page(*lines, md.table(("pass", "why it is there", "reads", "sets"), rows))


def one_pass(plan: Plan, planned: Planned, standing: Standing) -> str:
    """One pass: its essay, and what its declaration and its place say."""
    run = planned.run
    essay = inspect.getdoc(import_module(f"linkpipe.passes.{planned.name}")) or ""
    title, _, text = essay.partition("\n")
    text = essays.LAST.sub("\n", f"{text}\n")
    at = plan.passes.index(planned)
    before = plan.passes[at - 1].name if at else ""
    after = plan.passes[at + 1].name if at + 1 < len(plan.passes) else ""
    behind = standing.behind
    rows = [
        ("why it is there", planned.step.why),
        ("stands behind", _pass(before) or "the beginning"),
        ("stands before", _pass(after) or "the end"),
        ("last barrier before it", f"[{behind}](../barriers.md#{behind})" if behind else "none"),
        ("could stand from", f"behind {_pass(standing.first)}" if standing.first else "the start"),
        ("could stand until", f"behind {_pass(standing.last)}" if standing.last else "the start"),
        ("runs when", _when(planned.step.when)),
        ("requires", _facts(run.requires, "../")),
        ("reads if it is there", _facts(run.optional, "../")),
        ("provides", _facts(run.provides, "../")),
        ("changes of that only", ", ".join(part(path, "../") for path in run.changes)),
        ("options", _options(run.options)),
        ("its file", f"`passes/{planned.name}.py`"),
    ]
    table = md.table(("", ""), [(name, value) for name, value in rows if value])
    summary = title.partition(": ")[2]
    return md.page(f"# {planned.name}", f"**{summary[:1].upper()}{summary[1:]}**", text, table)


def barriers(plan: Plan) -> str:
    """The barriers of the default pipeline."""
    parts = [
        "# Barriers",
        (
            "A barrier is a place in the pipeline with a name. What it lists as final no pass "
            "behind it changes; with `-check` that is held. Inserts name barriers rather than "
            "passes, because passes are renamed and split, and barriers stay."
        ),
    ]
    for barrier in plan.barriers:
        before = plan.passes[barrier.at - 1].name
        after = [planned.name for planned in plan.passes[barrier.at :][:1]]
        where = f" and before [{after[0]}](passes/{after[0]}.md)" if after else ", at the end"
        final = ", ".join(part(path, "") for path in barrier.final)
        parts += [
            f"## {barrier.name}",
            f"{barrier.why[:1].upper()}{barrier.why[1:]}.",
            (
                f"It stands behind [{before}](passes/{before}.md){where}. "
                f"Final from here on: {final}."
            ),
        ]
    return md.page(*parts)


def facts(plan: Plan) -> str:
    """Every fact that a Link has a name for."""
    parts = [
        "# Facts",
        (
            "What is known about a link, by name. A pass reads those that it requires as "
            "attributes of the Link (`link.symbols`) and sets those that it provides. The first "
            "ones are given to every pass without asking. Facts of third parties have dotted "
            'names and are read with `link.fact("acme.count")`.'
        ),
    ]
    for name, kind in declared_facts().items():
        setters = [p.name for p in plan.passes if name in p.run.provides]
        readers = [p.name for p in plan.passes if name in p.run.requires + p.run.optional]
        given = name in GIVEN
        rows = [
            ("type", kind_of(kind)),
            ("set by", "given, any pass may read it" if given else linked(setters)),
            ("read by", "" if given else linked(readers) or "no pass of the default pipeline"),
        ]
        cls = class_of(kind)
        about = (inspect.getdoc(cls) if cls else "") or ""
        first = " ".join(about.partition("Attributes:")[0].split("\n\n")[0].split())
        parts += [f"## {name}", first, md.table(("", ""), [row for row in rows if row[1]])]
    return md.page(*parts)


def _pass(name: str) -> str:
    return f"[{name}]({name}.md)" if name else ""


def linked(names: Iterable[str]) -> str:
    """Passes, each with a link to its page."""
    return ", ".join(f"[{name}](passes/{name}.md)" for name in names)


def part(path: str, up: str) -> str:
    """A fact or a part of one, with a link."""
    fact = path.partition(".")[0]
    return f"[`{path}`]({up}facts.md#{fact})"


def _facts(names: Iterable[str], up: str) -> str:
    return ", ".join(part(name, up) for name in names)


def _when(conditions: Mapping[str, tuple[Any, ...]]) -> str:
    told = []
    for name, values in conditions.items():
        words = " or ".join(f"`{json.dumps(value)}`" for value in values)
        told.append(f"`{name}` is {words}")
    return ", and ".join(told) or "always"


def _options(cls: type | None) -> str:
    if cls is None:
        return ""
    told = [f"`{field.name}` (`{field.type}`)" for field in attrs.fields(cls)]
    return ", ".join(told) or "none"
