"""A plan: a pipeline checked against the passes that are installed and against one link's flags.

Every check is made before any input is opened. The one on every link's path is linear: each pass
in turn must find its requirements among what the passes before it provide. Only when that fails
is a graph made of the passes, to say *why*: a provider that comes too late, none at all, or a
cycle that no order can satisfy.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from linkpipe.engine.conditions import decide
from linkpipe.engine.context import GIVEN
from linkpipe.engine.pass_api import Pass
from linkpipe.engine.pipeline import Barrier, Pipeline, Step
from linkpipe.engine.plugins import Catalog, suggestion
from linkpipe.engine.structure import make_options
from linkpipe.errors import PipelineError, UserError
from linkpipe.flags.options import Options
from linkpipe.values import Shown, evolve, record

if TYPE_CHECKING:
    from pathlib import Path

    from networkx import DiGraph

    from linkpipe.release import Release


@record
class Planned(Shown):
    """A pass in its place.

    Attributes:
        step: where the pipeline names it.
        run: the pass.
        options: its options, None when it takes none.
        when: what is still to be decided: fields of ``mode`` and the values that let it run.
        owner: the distribution that it comes from, with its version.
    """

    step: Step
    run: Pass
    options: Any
    when: Mapping[str, tuple[Any, ...]]
    owner: str = ""

    @property
    def name(self) -> str:
        """The pass's name."""
        return self.run.name


@record
class Plan(Shown):
    """Passes in order; ``skipped`` are those that the flags rule out; ``barriers`` stand between
    passes, each with ``at`` of these before it."""

    passes: tuple[Planned, ...]
    skipped: tuple[Step, ...]
    barriers: tuple[Barrier, ...] = ()

    @property
    def providers(self) -> dict[str, tuple[str, ...]]:
        """Fact -> names of the passes that set it, in order."""
        return providers(self.passes)

    def until(self, name: str) -> Plan:
        """The plan that ends with that pass, at that barrier, or with the last pass that provides
        the fact of that name. Raises UserError when it is not in the plan."""
        ends = {planned.name: at for at, planned in enumerate(self.passes, 1)}
        ends |= {barrier.name: barrier.at for barrier in self.barriers}
        if name not in ends:
            name = self.providers.get(name, (name,))[-1]
        if name not in ends:
            skipped = any(step.name == name for step in self.skipped)
            raise UserError(
                f'the plan of this link has no pass "{name}"',
                status=2,
                label="linkpipe",
                remedy="the flags of this link rule it out"
                if skipped
                else suggestion(name, ends) or "`linkpipe passes` lists the passes",
            )
        end = ends[name]
        barriers = tuple(barrier for barrier in self.barriers if barrier.at <= end)
        return evolve(self, passes=self.passes[:end], barriers=barriers)

    def graph(self) -> DiGraph[str]:
        """The passes as a networkx graph: an edge from who sets a fact to who reads it next, with
        the facts as attribute ``facts``."""
        import networkx as nx

        graph: DiGraph[str] = nx.DiGraph()
        last: dict[str, list[str]] = defaultdict(list)
        for planned in self.passes:
            graph.add_node(planned.name)
            for fact in (*planned.run.requires, *planned.run.optional):
                for source in last[fact]:
                    facts = graph.get_edge_data(source, planned.name, {}).get("facts", ())
                    graph.add_edge(source, planned.name, facts=(*facts, fact))
            for fact in planned.run.provides:
                # One that may be left out adds to who may have set the fact last.
                last[fact] = [*(last[fact] if planned.when else ()), planned.name]
        return graph


def providers(passes: Iterable[Planned]) -> dict[str, tuple[str, ...]]:
    """Fact -> names of the passes that set it, in order."""
    table: dict[str, list[str]] = defaultdict(list)
    for planned in passes:
        for fact in planned.run.provides:
            table[fact].append(planned.name)
    return {fact: tuple(names) for fact, names in table.items()}


def barrier_behind(fact: str, passes: Iterable[Planned], barriers: Iterable[Barrier]) -> str:
    """The first barrier behind the first pass that sets a fact, if the fact is final there; else
    "". Each barrier has ``at`` of the passes before it."""
    first = next((at for at, one in enumerate(passes, 1) if fact in one.run.provides), None)
    if first is None:
        return ""
    behind = next((barrier for barrier in barriers if barrier.at >= first), None)
    return behind.name if behind is not None and fact in behind.final else ""


def make_plan(
    pipeline: Pipeline,
    catalog: Catalog,
    options: Options | None = None,
    release: Release | None = None,
) -> Plan:
    """Check a pipeline and bind it to its passes. Without options or release none that asks for
    them is ruled out.

    Raises PipelineError with the line of the pipeline file.
    """
    _check_names(pipeline, catalog)
    passes: list[Planned] = []
    skipped: list[Step] = []
    before = [0]  # how many of the passes stand before each step
    for step in pipeline.steps:
        when = decide(step, catalog, options, release)
        if when is None:
            skipped.append(step)
        else:
            passes.append(_bind(step, catalog, when))
        before.append(len(passes))
    check_facts(passes, pipeline.gone, catalog)
    for barrier in pipeline.barriers:
        _check_barrier(barrier, pipeline, passes[: before[barrier.at]], catalog)
    barriers = [evolve(each, at=before[each.at]) for each in pipeline.barriers]
    return Plan(tuple(passes), tuple(skipped), tuple(barriers))


def bind_all(steps: Iterable[Step], catalog: Catalog) -> list[Planned]:
    """The passes of these steps, whatever the flags. Raises LinkpipeError."""
    return [_bind(step, catalog, decide(step, catalog, None) or {}) for step in steps]


def _check_barrier(
    barrier: Barrier, pipeline: Pipeline, passes: Sequence[Planned], catalog: Catalog
) -> None:
    """What is final at a barrier is a fact, or a part of one, that a pass before it sets; it may be
    one that the flags rule out."""
    facts = GIVEN.union(*(planned.run.provides for planned in passes))
    for path in barrier.final:
        if not all(path.split(".")):
            raise barrier.error(
                f"the barrier {barrier.name} says that `{path}` is final, which names nothing",
                "final",
                remedy='write a fact, or a part of one: "symbols.value"',
            )
        if fact_of(path, facts):
            continue
        steps = pipeline.steps[: barrier.at]
        facts = facts.union(*(planned.run.provides for planned in bind_all(steps, catalog)))
        if not fact_of(path, facts):
            raise _taken_out(path, pipeline.gone, catalog) or barrier.error(
                f"the barrier {barrier.name} says that `{path}` is final, and no pass before it "
                "provides such a fact",
                "final",
                remedy=suggestion(path, facts) or "move it behind a pass that does, or correct it",
            )


def fact_of(path: str, facts: Container[str]) -> str:
    """The fact that a path leads into: "symbols" of "symbols.value", "acme.count" of itself; "" for
    none of ``facts``."""
    while path and path not in facts:
        path = path.rpartition(".")[0]
    return path


def check_unread(plan: Plan) -> None:
    """What `make_plan` lets pass because it can run, and what is yet a mistake: a fact that is set
    again before anybody has read what was set before. Raises PipelineError.
    """
    unread: dict[str, Planned] = {}
    for planned in plan.passes:
        for fact in (*planned.run.requires, *planned.run.optional):
            unread.pop(fact, None)
        for fact in planned.run.provides:
            lost = unread.get(fact)
            if lost is not None and not planned.when and fact not in planned.run.requires:
                raise planned.step.error(
                    f"{planned.name} sets the fact `{fact}` again before any pass has read what "
                    f"{lost.name} set",
                    remedy=f"remove {lost.name}, or let {planned.name} require `{fact}`",
                )
            unread[fact] = planned


def check_output(plan: Plan, pipeline: Pipeline, catalog: Catalog) -> None:
    """That a link writes a file: whatever its mode turns out to be, a pass provides the fact
    `output`. Raises PipelineError when none does.
    """
    from itertools import product

    writers = [
        # Of a condition that is not about yes or no it cannot be told what else there may be.
        {key: wanted for key, wanted in planned.when.items() if isinstance(wanted[0], bool)}
        for planned in plan.passes
        if "output" in planned.run.provides
    ]
    asked = sorted({key for when in writers for key in when})
    modes = [
        dict(zip(asked, values, strict=True))
        for values in product((True, False), repeat=len(asked))
    ]
    unserved = [
        mode
        for mode in modes
        if not any(all(mode[key] in wanted for key, wanted in when.items()) for when in writers)
    ]
    if not unserved:
        return
    case = " and ".join(f"{key} = {str(value).lower()}" for key, value in unserved[0].items())
    own = [step for step in pipeline.steps if step.place.file == pipeline.file]
    raise _taken_out("output", pipeline.gone, catalog) or (own or pipeline.steps)[-1].error(
        "the pipeline ends and no pass has provided the fact `output`: the link would write no file"
        + (f" when {case}" if case else ""),
        remedy="add a pass that provides `output` (`linkpipe passes` lists them)",
    )


def _check_names(pipeline: Pipeline, catalog: Catalog) -> None:
    offers = catalog.offers("passes")
    seen: dict[str, Step] = {}
    for step in pipeline.steps:
        found = offers.get(step.name, ())
        if not found:
            remedy = suggestion(step.name, offers)
            if "." in step.name and not remedy:
                remedy = "install the distribution that provides it"
            raise step.error(
                f'unknown pass "{step.name}"',
                remedy=remedy or f"there are: {', '.join(sorted(offers))}",
            )
        if len(found) > 1:
            owners = " and ".join(offer.owner for offer in found)
            raise step.error(
                f'duplicate name: the pass "{step.name}" is offered by {owners}',
                remedy="uninstall one of the two, or have its author rename the pass",
            )
        if step.name in seen:
            first = seen[step.name]
            raise step.error(
                f'the pass "{step.name}" stands twice in the pipeline',
                remedy=f"it stands in {first.written} too: remove one",
            )
        seen[step.name] = step


def _bind(step: Step, catalog: Catalog, when: Mapping[str, tuple[Any, ...]]) -> Planned:
    try:
        run = catalog.load("passes", step.name)
    except UserError as e:
        raise step.error(e.message, remedy=e.remedy) from e
    offer = catalog.offers("passes")[step.name][0]
    if not isinstance(run, Pass):
        raise step.error(
            f"{offer.target or step.name} of {offer.owner} is no pass but {type(run).__name__}",
            remedy="its author must decorate it with @linkpass",
        )
    if run.name != step.name:
        raise step.error(
            f'the pass offered as "{step.name}" calls itself "{run.name}"',
            remedy="its author must give the entry point the pass's name",
        )
    return Planned(step, run, _options(step, run), when, offer.owner)


def _options(step: Step, run: Pass) -> Any:
    place = step.options_place
    folder = os.path.dirname(os.path.abspath(place.file)) if step.options else ""

    def made(values: Mapping[str, Any]) -> Any:
        return make_options(f"the pass {run.name}", run.options, values, folder)

    try:
        return made(step.options)
    except UserError as e:
        # The option that is wrong by itself is where the mistake is.
        for name, value in step.options.items():
            try:
                made({name: value})
            except UserError as own:
                raise place.error(own.message, "options", name, remedy=own.remedy) from e
        raise place.error(e.message, "options", remedy=e.remedy) from e


def input_files(pipeline: Pipeline, catalog: Catalog) -> tuple[Path, ...]:
    """The files that passes read besides the link's own inputs, as their options say. A pass
    without options reads none, and is not even loaded. Raises PipelineError."""
    found: list[Path] = []
    for step in pipeline.steps:
        if step.options:
            planned = _bind(step, catalog, {})
            found += planned.run.files(planned.options)
    return tuple(found)


def check_facts(passes: Sequence[Planned], gone: Mapping[str, Step], catalog: Catalog) -> None:
    """Each pass finds what it requires among what passes before it provide. A pass that may be
    left out at run time provides only for those that are left out with it. Raises PipelineError."""
    sure = set(GIVEN)
    maybe: dict[str, list[Planned]] = defaultdict(list)
    for planned in passes:
        if planned.when and "mode" not in sure:
            late = [other for other in passes if "mode" in other.run.provides]
            raise _taken_out("mode", gone, catalog, planned) or planned.step.error(
                f"the condition on {', '.join(planned.when)} cannot be decided here: no pass "
                "before provides the fact `mode`",
                "when",
                remedy=f"move it behind {late[0].name}"
                if late
                else "add a pass that provides `mode` before this one",
            )
        for fact in planned.run.requires:
            if fact in sure or any(
                other.when.items() <= planned.when.items() for other in maybe[fact]
            ):
                continue
            raise _taken_out(fact, gone, catalog, planned) or _unmet(
                passes, planned, fact, maybe[fact]
            )
        for fact in planned.run.provides:
            if planned.when:
                maybe[fact].append(planned)
            else:
                sure.add(fact)


def _taken_out(
    fact: str, gone: Mapping[str, Step], catalog: Catalog, planned: Planned | None = None
) -> PipelineError | None:
    """When the pass that sets a fact, or the one that has this part, was removed or replaced, that
    is where the mistake is."""
    for name, step in gone.items():
        try:
            provider = catalog.load("passes", name)
        except UserError:
            continue
        # One that requires what it provides only changes what others have set.
        set_first = [each for each in provider.provides if each not in provider.requires]
        if fact_of(fact, set_first):
            fact = fact_of(fact, set_first)
            message = f"{name}, which provides the fact `{fact}`, is taken out here"
            remedy = f"put a pass in its place that provides `{fact}`"
            if planned is not None:
                message += f"; the pass {planned.name} requires it"
                remedy += f", or take {planned.name} out too"
            return step.error(message, remedy=remedy)
    return None


def _unmet(
    passes: Sequence[Planned], planned: Planned, fact: str, maybe: Sequence[Planned]
) -> PipelineError:
    """Say why a requirement is not met."""
    import networkx as nx

    who = f'the pass "{planned.name}" requires the fact `{fact}`, '
    if maybe:
        names = ", ".join(other.name for other in maybe)
        return planned.step.error(
            f"{who}which only {names} provides, and that may be left out",
            remedy=f"give it the same `when` as {names}, or let it declare `{fact}` as optional",
        )
    first: dict[str, str] = {}
    for other in passes:
        for provided in other.run.provides:
            if provided not in other.run.requires:
                first.setdefault(provided, other.name)
    graph: DiGraph[str] = nx.DiGraph()
    for other in passes:
        for required in other.run.requires:
            if first.get(required, other.name) != other.name:
                graph.add_edge(first[required], other.name, fact=required)
    if fact not in first:
        return planned.step.error(
            f"{who}which no pass of the pipeline provides",
            remedy="add a pass that provides it before this one (`linkpipe passes` lists them)",
        )
    try:
        cycle = nx.find_cycle(graph, planned.name)
    except nx.NetworkXNoCycle:
        other = next(p for p in passes if p.name == first[fact])
        where = other.step.place.where()
        return planned.step.error(
            f"{who}which {other.name} provides after it, in {where}",
            remedy=f"move {planned.name} behind {other.name}",
        )
    path = "; ".join(f"{b} needs `{graph.edges[a, b]['fact']}` of {a}" for a, b in cycle)
    return planned.step.error(
        f"cycle: no order of these passes works: {path}",
        remedy="split one of them in two, or remove it",
    )
