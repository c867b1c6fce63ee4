"""Show the plan: the passes in order, what each requires and provides."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

import click

from linkpipe.cli._people import console, invoke
from linkpipe.engine.pipeline import load_pipeline
from linkpipe.engine.plan import Plan, check_unread, make_plan
from linkpipe.engine.plugins import Catalog


@click.command("passes")
@click.option(
    "--pipeline", metavar="FILE", help="The pipeline to show; the default one if not given."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--dot", is_flag=True, help="Print the graph of passes and facts, for Graphviz.")
@click.option("--installed", is_flag=True, help="List every pass that is installed.")
def command(pipeline: str | None, as_json: bool, dot: bool, installed: bool) -> None:
    """Show the plan: the passes in order, what each requires and provides.

    The plan is checked as a link checks it, and for facts that are set and never read.
    """
    catalog = Catalog()
    if installed:
        for name, offers in sorted(catalog.offers("passes").items()):
            for offer in offers:
                click.echo(f"{name:24} {offer.owner:24} {offer.target}")
        return
    file = pipeline or os.environ.get("LINKPIPE_PIPELINE", "")
    plan = make_plan(load_pipeline(file), catalog)
    check_unread(plan)
    if as_json:
        from linkpipe.observe.dump import plan_rows

        click.echo(json.dumps(plan_rows(plan), indent=1))
    elif dot:
        click.echo(_dot(plan), nl=False)
    else:
        _table(plan)


def _table(plan: Plan) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    for title in ("", "pass", "when", "requires", "provides", "why"):
        table.add_column(title, justify="right" if not title else "left", overflow="fold")
    for number, planned in enumerate(plan.passes, 1):
        run, step = planned.run, planned.step
        when = ", ".join(f"{key} = {_words(values)}" for key, values in step.when.items())
        requires = [*run.requires, *(f"[{fact}]" for fact in run.optional)]
        cells = (str(number), run.name, when, " ".join(requires), " ".join(run.provides), step.why)
        table.add_row(*(cell.replace("[", r"\[") for cell in cells))
    console().print(table)


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
