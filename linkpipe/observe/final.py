"""What is final behind a barrier of the pipeline, or for a pass that changes parts, and who changes
it nevertheless."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from linkpipe.engine.context import Link
from linkpipe.engine.pass_api import Pass
from linkpipe.engine.pipeline import Barrier
from linkpipe.engine.plan import Plan, fact_of
from linkpipe.errors import PipelineError


def in_force(plan: Plan) -> Mapping[int, tuple[Barrier, ...]]:
    """For each pass of a plan, by its id, the barriers that stand before it."""
    return {
        id(planned): tuple(barrier for barrier in plan.barriers if barrier.at <= number)
        for number, planned in enumerate(plan.passes)
    }


def overruled(
    barriers: Sequence[Barrier], before: Link, after: Link, changed: set[str]
) -> Iterator[tuple[str, str]]:
    """What a pass behind these barriers has changed though it is final: (fact, words). It had the
    link ``before`` and returned ``after``, in which these facts are others."""
    told = set()
    for barrier in barriers:
        for path in barrier.final:
            fact = fact_of(path, before.facts)
            if fact not in changed or path in told:
                continue
            inside = _inside(path, fact)
            old, new = (_part(link.facts[fact], inside, barrier, path) for link in (before, after))
            if not same(old, new):
                told.add(path)
                yield fact, f"changed `{path}`, which is final behind the barrier {barrier.name}"


def undeclared(
    run: Pass, before: Link, after: Link, changed: set[str]
) -> Iterator[tuple[str, str, str]]:
    """Parts of facts that a pass has changed, which says of them that it changes others only:
    (fact, words, what is to be done). It had the link ``before`` and returned ``after``, in which
    these facts are others."""
    for fact in dict.fromkeys(path.rpartition(".")[0] for path in run.changes):
        declared = [path for path in run.changes if path.rpartition(".")[0] == fact]
        said = f"and declares to change only {', '.join(f'`{path}`' for path in declared)}"
        old, new = before.facts[fact], after.facts[fact]
        parts = [each.name for each in attrs.fields(type(new))] if attrs.has(type(new)) else []
        for path in declared:
            if path.rpartition(".")[2] not in parts:
                yield (
                    fact,
                    f"declares to change `{path}`, and the fact has no such part",
                    (
                        f"take it out of `changes` of the pass {run.name}, or correct it: "
                        "docs/reference/tables.md has the fields of tables"
                    ),
                )
        if fact not in changed or type(old) is not type(new):
            continue
        for part in parts:
            path = f"{fact}.{part}"
            if path not in declared and not same(getattr(old, part), getattr(new, part)):
                yield (
                    fact,
                    f"changed `{path}`, {said}",
                    (f'add "{path}" to `changes` of the pass {run.name}, or leave it as it is'),
                )


def check_parts(barrier: Barrier, link: Link) -> None:
    """That there is what a barrier says is final, as far as there are the facts. Raises
    PipelineError."""
    for path in barrier.final:
        fact = fact_of(path, link.facts)
        if fact:
            _part(link.facts[fact], _inside(path, fact), barrier, path)


def _inside(path: str, fact: str) -> list[str]:
    return [part for part in path[len(fact) :].split(".") if part]


def _part(value: Any, path: Sequence[str], barrier: Barrier, whole: str) -> Any:
    """A part of a fact: of a tuple, that of each item."""
    for name in path:
        try:
            if isinstance(value, tuple):
                value = tuple(getattr(item, name) for item in value)
            else:
                value = getattr(value, name)
        except AttributeError as e:
            raise _no_part(barrier, whole, name) from e
    return value


def _no_part(barrier: Barrier, whole: str, name: str) -> PipelineError:
    return barrier.error(
        f"the barrier {barrier.name} says that `{whole}` is final, and the fact has no `{name}`",
        "final",
        remedy="correct it: docs/tables.md has the columns of tables",
    )


def same(one: Any, other: Any) -> bool:
    """Whether two parts of facts say the same."""
    if one is other:
        return True
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return bool(np.array_equal(one, other))
    if isinstance(one, (tuple, list)) and isinstance(other, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if attrs.has(type(one)) and type(one) is type(other):
        names = [field.name for field in attrs.fields(type(one))]
        return all(same(getattr(one, name), getattr(other, name)) for name in names)
    return bool(one == other)
