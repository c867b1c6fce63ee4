"""Show the plan: the passes in order, what each requires and provides."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence

import attrs
import click

from linkpipe.cli._people import as_format, people, print_json, print_table
from linkpipe.cli._target import ask
from linkpipe.cli.link import never_reused
from linkpipe.engine.flagedits import edits, extension, pipeline_of
from linkpipe.engine.pipeline import Barrier, Pipeline
from linkpipe.engine.places import misplaced, standings
from linkpipe.engine.plan import Plan, check_output, check_unread, make_plan
from linkpipe.engine.plugins import Catalog
from linkpipe.engine.releases import release_of
from linkpipe.engine.session import options_for
from linkpipe.errors import OptionError
from linkpipe.flags.environ import capture
from linkpipe.flags.options import Options
from linkpipe.flags.settings import Settings, from_environment
from linkpipe.values import evolve


@people("passes")
@click.option(
    "--pipeline", metavar="FILE", help="The pipeline to show; the default one if not given."
)
@click.option("--dot", is_flag=True, help="Print the graph of passes and facts, for Graphviz.")
@click.option("--explain", is_flag=True, help="Say why each pass stands where it stands.")
@click.option(
    "--installed", is_flag=True, help="List all that is installed, and whether it takes part."
)
@click.option("--toml", is_flag=True, help="Print what flags and variables change, as a pipeline.")
@as_format
def command(
    pipeline: str | None, dot: bool, explain: bool, installed: bool, toml: bool, form: str
) -> None:
    """Show the plan: the passes in order, what each requires and provides, and the barriers between
    them. Behind two dashes stand flags of a link, as `linkpipe link` takes them, for its plan;
    without any, the plan has what some flags would leave out.

    The plan is checked as a link checks it, and for facts that are set and never read. The exit
    status is 0, or 2 when the plan cannot be run.

    \b
    Examples:
      linkpipe passes --pipeline acme.toml --explain
      linkpipe passes -- -buildmode=plugin -s
      linkpipe passes --toml -- -pass acme.count@reach-final -skip-pass stackcheck
    """
    kinds = {"dot": dot, "explain": explain, "installed": installed, "toml": toml}
    asked = [f"--{name}" for name, there in kinds.items() if there]
    if len(asked) > 1:
        raise click.UsageError(f"{' and '.join(asked)}: ask for one of them")
    flags = click.get_current_context().obj or ()
    options = _options(flags) if flags else None
    settings = options.settings if options else Settings(**from_environment(os.environ))
    catalog = Catalog(without=settings.disable_plugin)
    if pipeline:
        settings = evolve(settings, pipeline=pipeline)
    environment = options.environment if options else capture(os.environ)
    release = release_of(catalog, environment.version, settings.release)
    pipe = pipeline_of(settings, catalog)
    plan = make_plan(pipe, catalog, options, release if options else None)
    if settings.until:
        plan = plan.until(settings.until)
    else:
        check_output(plan, pipe, catalog)
    check_unread(plan)
    for words in misplaced(plan):
        click.echo(f"linkpipe passes: warning: {words}", err=True)
    for name in catalog.unidentified({"passes": [planned.name for planned in plan.passes]}):
        click.echo(f"linkpipe passes: warning: {never_reused(name)}", err=True)
    if toml:
        # What no pipeline file can say.
        for flag, value in (
            ("until", settings.until),
            *(("disable-plugin", name) for name in settings.disable_plugin),
        ):
            if value:
                click.echo(f"# -{flag} {json.dumps(value)}")
        click.echo(edits(settings, catalog) or f"{extension(settings)}\n", nl=False)
    elif installed:
        _installed(catalog, settings, pipe, plan, (environment.goarch, release.name), form)
    elif dot:
        click.echo(_dot(plan), nl=False)
    elif explain:
        _explain(plan, form)
    elif form == "json":
        from linkpipe.observe.dump import PLAN, plan_rows

        print_json(PLAN, plan_rows(plan))
    else:
        _table(plan)


def _options(flags: Sequence[str]) -> Options:
    """The options of a link with these flags, whatever it links."""
    try:
        return options_for([*flags, "main.a"], os.environ)
    except OptionError as e:
        if e.message:
            raise
        raise OptionError(
            "behind the dashes stand flags of a link only; one lacks its argument, or an input was "
            "named",
            label="linkpipe",
            remedy="leave the input out, or write -flag=value",
        ) from e


def _installed(
    catalog: Catalog,
    settings: Settings,
    pipeline: Pipeline,
    plan: Plan,
    target: tuple[str, str],
    form: str,
) -> None:
    from linkpipe.ask.installed import installed

    found = installed(catalog, settings, pipeline, plan, *target)
    if form == "json":
        print_json("linkpipe.installed/1", attrs.asdict(found))
    else:
        rows = [
            (each.name, each.owner, each.kind, "yes" if each.takes_part else "no", each.target)
            for each in found.items
        ]
        print_table(("name", "owner", "kind", "takes part", "target"), rows, fold=True)
    for error in catalog.broken.values():
        click.echo(error.render(), err=True)


def _explain(plan: Plan, form: str) -> None:
    found = standings(plan)
    if form == "json":
        print_json("linkpipe.passes-explain/1", {"passes": [attrs.asdict(each) for each in found]})
        return
    rows = [
        (
            each.name,
            _facts({fact: ", ".join(names) for fact, names in each.needs.items()}, "of"),
            _facts({fact: name for fact, name in each.feeds.items() if name}, "for"),
            each.first or "the beginning",
            each.last or "the beginning",
            each.behind,
            each.where,
        )
        for each in found
    ]
    titles = ("pass", "reads", "sets", "earliest after", "latest after", "barrier", "written in")
    print_table(titles, rows, fold=True)


def _facts(facts: Mapping[str, str], word: str) -> str:
    """Facts, those of the same passes together: "symbols, relocs of load"."""
    together: dict[str, list[str]] = {}
    for fact, passes in facts.items():
        together.setdefault(passes, []).append(fact)
    return "; ".join(f"{', '.join(names)} {word} {passes}" for passes, names in together.items())


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
    return ask(command, argv)
