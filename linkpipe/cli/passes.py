"""Show the plan: the passes in order, what each requires and provides."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

import click

from linkpipe.cli._people import as_format, invoke, people, print_json, print_table
from linkpipe.engine.pipeline import Barrier, load_pipeline
from linkpipe.engine.plan import Plan, check_output, check_unread, make_plan
from linkpipe.engine.plugins import Catalog


@people("passes")
@click.option(
    "--pipeline", metavar="FILE", help="The pipeline to show; the default one if not given."
)
@click.option("--dot", is_flag=True, help="Print the graph of passes and facts, for Graphviz.")
@click.option("--installed", is_flag=True, help="List every pass that is installed.")
@as_format
def command(pipeline: str | None, dot: bool, installed: bool, form: str) -> None:
    """Show the plan: the passes in order, what each requires and provides.

    The plan is checked as a link checks it, and for facts that are set and never read. The exit
    status is 0, or 2 when the plan cannot be run.
    """
    catalog = Catalog()
    if installed:
        _installed(catalog, form)
        return
    file = pipeline or os.environ.get("LINKPIPE_PIPELINE", "")
    pipe = load_pipeline(file, catalog)
    plan = make_plan(pipe, catalog)
    check_output(plan, pipe, catalog)
    check_unread(plan)
    if dot:
        click.echo(_dot(plan), nl=False)
    elif form == "json":
        from linkpipe.observe.dump import PLAN, plan_rows

        print_json(PLAN, plan_rows(plan))
    else:
        _table(plan)


def _installed(catalog: Catalog, form: str) -> None:
    found = sorted(
        (name, offer.owner, offer.target)
        for name, offers in catalog.offers("passes").items()
        for offer in offers
    )
    if form == "json":
        keys = ("name", "owner", "target")
        print_json(
            "linkpipe.installed/1", {"passes": [dict(zip(keys, f, strict=True)) for f in found]}
        )
    else:
        print_table(("pass", "owner", "target"), found, fold=True)
    for error in catalog.broken.values():
        click.echo(error.render(), err=True)


def _table(plan: Plan) -> None:
    rows = []
    barriers = list(plan.barriers)
    for number, planned in enumerate(plan.passes, 1):
        while barriers and barriers[0].at < number:
            rows.append(_barrier(barriers.pop(0)))
        run, step = planned.run, planned.step
        when = ", ".join(f"{key} = {_words(values)}" for key, values in step.when.items())
        requires = [*run.requires, *(f"[{fact}]" for fact in run.optional)]
        cells = (str(number), run.name, when, " ".join(requires), " ".join(run.provides), step.why)
        rows.append(cells)
    rows += map(_barrier, barriers)
    print_table(("", "pass", "when", "requires", "provides", "why"), rows, fold=True)


def _barrier(barrier: Barrier) -> tuple[str, ...]:
    final = f"final: {' '.join(barrier.final)}" if barrier.final else ""
    return ("", f"-- {barrier.name}", "", final, "", barrier.why)


def _words(values: Sequence[object]) -> str:
    return " or ".join(json.dumps(v) if isinstance(v, bool) else str(v) for v in values)


def _dot(plan: Plan) -> str:
    lines = ["digraph {", "\trankdir=LR;", "\tnode [shape=box];"]
    graph = plan.graph()
    lines += [f'\t"{name}";' for name in graph.nodes]
    for a, b, data in graph.edges(data=True):
        lines.append(f'\t"{a}" -> "{b}" [label="{", ".join(data["facts"])}"];')
    return "\n".join([*lines, "}", ""])


def main(argv: Sequence[str]) -> int:
    """``linkpipe passes``."""
    return invoke(command, argv)
