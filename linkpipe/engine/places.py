"""Places in a pipeline: where a pass may stand by what it declares, and why each stands where it
does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from linkpipe.engine.plan import barrier_behind, fact_of
from linkpipe.errors import LinkpipeError, PipelineError
from linkpipe.values import Value, evolve

if TYPE_CHECKING:
    from linkpipe.engine.pipeline import Barrier, Step
    from linkpipe.engine.plan import Plan, Planned
    from linkpipe.engine.plugins import Catalog


@attrs.frozen(eq=False)
class Standing(Value):
    """Why a pass stands where it stands.

    Attributes:
        name: the pass.
        owner: the distribution that it comes from.
        where: "file:line" of the pipeline file that put it there.
        behind: the last barrier before it, "" for none.
        needs: fact that it reads -> the passes before it that set it last.
        feeds: fact that it sets -> the first pass behind it that reads it, "" for none.
        first, last: the first and the last place that what passes declare would let it have, each
            as the pass that it would follow; "" for the beginning.
    """

    name: str
    owner: str
    where: str
    behind: str
    needs: Mapping[str, tuple[str, ...]]
    feeds: Mapping[str, str]
    first: str
    last: str


def standings(plan: Plan) -> tuple[Standing, ...]:
    """Why each pass of a plan stands where it stands, in order."""
    graph = plan.graph()
    names = [planned.name for planned in plan.passes]
    found = []
    for number, planned in enumerate(plan.passes):
        needs: dict[str, tuple[str, ...]] = {}
        for other in graph.predecessors(planned.name):
            for fact in graph.edges[other, planned.name]["facts"]:
                needs[fact] = (*needs.get(fact, ()), other)
        feeds = {fact: _first_reader(plan, number, fact) for fact in planned.run.provides}
        behind = [barrier.name for barrier in plan.barriers if barrier.at <= number]
        # Facts are read and set in turn: it stays behind who sets what it reads, and who reads or
        # sets what it sets; and before who reads, or sets, what it sets, and where that is final.
        at = {name: place for place, name in enumerate(names)}
        sets = set(planned.run.provides)
        earlier = [at[name] for each in needs.values() for name in each]
        earlier += [
            place
            for place, other in enumerate(plan.passes[:number])
            if sets & other.run.access.reads or sets.intersection(other.run.provides)
        ]
        before = max(earlier, default=-1)
        later = [at[name] for name in feeds.values() if name]
        later += [_next_setter(plan, number, fact) for fact in planned.run.access.reads]
        held = [each for each in plan.barriers if _held(each, planned.run.sets)]
        later += [each.at for each in held if each.at > number][:1]
        after = min(later, default=len(names)) - 1
        found.append(
            Standing(
                name=planned.name,
                owner=planned.owner,
                where=planned.step.place.where(),
                behind=behind[-1] if behind else "",
                needs=needs,
                feeds=feeds,
                first=names[before] if before >= 0 else "",
                last=names[after] if after != number else (names[number - 1] if number else ""),
            )
        )
    return tuple(found)


def _first_reader(plan: Plan, number: int, fact: str) -> str:
    for other in plan.passes[number + 1 :]:
        if fact in other.run.requires or fact in other.run.optional:
            return other.name
    return ""


def _next_setter(plan: Plan, number: int, fact: str) -> int:
    for at, other in enumerate(plan.passes[number + 1 :], number + 1):
        if fact in other.run.provides:
            return at
    return len(plan.passes)


def _held(barrier: Barrier, sets: Sequence[str]) -> tuple[str, ...]:
    """What is final behind a barrier and is, or has in it, or is a part of, what a pass sets."""
    return tuple(
        path
        for path in barrier.final
        if fact_of(path, sets) or any(one.startswith(f"{path}.") for one in sets)
    )


def misplaced(plan: Plan) -> Iterator[str]:
    """Passes that were put behind a barrier though they declare to set what is final there, in
    words: each may set another part of it, or none of it be read any more. And those that read a
    fact where it is there, and were put before all that sets it, if a barrier says where that is.
    Those that the file of the barrier, or of these, has there are taken to know."""
    for number, planned in enumerate(plan.passes):
        place = planned.step.place
        if place.path[:1] == ("replace",):
            continue  # it stands where another stood
        yield from _too_early(plan, number)
        for barrier in plan.barriers:
            final = _held(barrier, planned.run.sets)
            if final and barrier.at <= number and barrier.place.file != place.file:
                yield (
                    f"{planned.name} stands behind {barrier.name}, where {', '.join(final)} "
                    "shall be final, and declares to set that: what it adds there may be missing "
                    f"in the output; put it before {barrier.name} ({place.where()}), or, if it "
                    "changes other parts only, name them in its `changes=` (-check tells whether "
                    "anything was changed that is final)"
                )
                break


def _too_early(plan: Plan, number: int) -> Iterator[str]:
    planned = plan.passes[number]
    place = planned.step.place
    for fact in planned.run.optional:
        setters = [other for other in plan.passes if fact in other.run.provides]
        before = any(fact in other.run.provides for other in plan.passes[:number])
        if before or not setters or setters[0].step.place.file == place.file:
            continue
        behind = barrier_behind(fact, plan.passes, plan.barriers)
        if not behind:
            continue  # to stand before may be what is meant: facts like these change further on
        names = ", ".join(other.name for other in setters)
        yield (
            f"{planned.name} reads {fact} where it is there, and stands before all that set it "
            f"({names}): it will find none; put it after {behind} ({place.where()})"
        )


def where_it_may_stand(
    item: Step | Barrier, items: Sequence[Step | Barrier], catalog: Catalog | None
) -> str:
    """Where what a pass declares allows it to stand among these, in words for an error; "" where
    that cannot be told, or it is nowhere. The last place is before the first barrier that makes
    final what it sets, or a part of that, unless it can only stand behind that one."""
    from linkpipe.engine.pipeline import Barrier, Step
    from linkpipe.engine.plan import bind_all, check_facts
    from linkpipe.engine.plugins import Catalog

    if isinstance(item, Barrier):
        return ""
    catalog = catalog or Catalog()
    steps = [other for other in items if isinstance(other, Step)]
    try:
        (new,) = bind_all([item], catalog)
    except LinkpipeError as e:
        return f"{e.message} ({e.remedy})"
    try:
        passes = bind_all(steps, catalog)
    except LinkpipeError:
        return ""

    def fits(place: int) -> bool:
        try:
            check_facts([*passes[:place], new, *passes[place:]], {}, catalog)
        except PipelineError:
            return False
        return True

    allowed = [place for place in range(len(passes) + 1) if fits(place)]
    if not allowed:
        return ""
    told = _told(passes, items, allowed[0], allowed[-1], new.run.sets)
    before = [sum(isinstance(other, Step) for other in items[:at]) for at in range(len(items))]
    barriers = [
        evolve(each, at=at)
        for each, at in zip(items, before, strict=True)
        if isinstance(each, Barrier)
    ]
    for fact in new.run.optional:
        behind = barrier_behind(fact, passes, barriers)
        told += f"; `{fact}`, which it reads where it is there, is there after {behind}" * bool(
            behind
        )
    return told


def _told(
    passes: Sequence[Planned],
    items: Sequence[Step | Barrier],
    first: int,
    last: int,
    sets: Sequence[str],
) -> str:
    from linkpipe.engine.pipeline import Barrier

    begin = f"after {passes[first - 1].name}" if first else f"before {passes[0].name}"
    end = f"before {passes[last].name}" if last < len(passes) else f"after {passes[-1].name}"
    places, before = [], 0
    for item in items:
        if not isinstance(item, Barrier):
            before += 1
        elif first <= before <= last and _held(item, sets):
            end = f"before {item.name}"
            break
        if first <= before <= last:
            places.append(item.name)
    return (
        f"what it declares lets it stand anywhere from `{begin}` to `{end}`; "
        f"places there: {', '.join(places)}"
    )
