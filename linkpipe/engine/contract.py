"""Run one pass, and hold it to what it declared."""

from __future__ import annotations

import builtins
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, get_origin

import numpy as np

from linkpipe.arrays.types import element_of
from linkpipe.engine import context
from linkpipe.engine.context import Link
from linkpipe.engine.plan import Plan, Planned, barrier_behind
from linkpipe.errors import (
    InputError,
    LinkErrors,
    LinkpipeError,
    MissingFact,
    PassError,
    Terminated,
    UserError,
)
from linkpipe.process.surroundings import Changed
from linkpipe.values import evolve

NAMING = ("symbols", "objects", "host_files")
"""Facts by which an error about a symbol names the file."""


def changed(before: Link, after: Link) -> list[str]:
    """Facts that are new or another object than before, in the order in which they were set."""
    nothing = object()
    return [
        fact for fact, value in after.facts.items() if before.facts.get(fact, nothing) is not value
    ]


def with_facts(link: Link, made: Mapping[str, Any], name: str) -> Link:
    """The Link with what the pass of that name has set."""
    set_by = {**link.set_by, **dict.fromkeys(made, name)}
    return evolve(link, facts={**link.facts, **made}, set_by=set_by)


def made_by(planned: Planned, link: Link, plan: Plan) -> Mapping[str, Any]:
    """The facts that a pass sets which runs beside others: whoever shares its process with it is
    not watched. Raises what `run_pass` raises."""
    after = run_pass(planned, link, plan, nullcontext())
    return {fact: after.facts[fact] for fact in changed(link, after)}


def run_pass(
    planned: Planned,
    link: Link,
    plan: Plan,
    watched: AbstractContextManager[None],
    *,
    alone: bool = False,
) -> Link:
    """Run a pass of a plan; ``watched`` raises Changed when it leaves other surroundings behind;
    ``alone`` as in Access. Raises what a pass raises if it is a LinkpipeError; anything else
    becomes a PassError."""
    run = planned.run
    handed = link.within(evolve(run.access, alone=alone))
    try:
        with watched:
            result = run.run(handed) if run.options is None else run.run(handed, planned.options)
    except Changed as e:
        raise _broken(
            planned,
            str(e),
            "leave what the process shares as it was, or do it in a process of its own",
        ) from e
    except MissingFact as e:
        message = f"reads the fact `{e.fact}`, which is not established"
        raise _broken(planned, message, _later(planned, e, plan), e.fact) from e
    except PassError as e:
        # What is shared by passes does not know which of them it works for.
        e.name = e.name or planned.name
        if e.name == planned.name:
            e.owner = e.owner or planned.owner
        raise
    except LinkpipeError as e:
        _name_files(e, link)
        raise
    except (KeyboardInterrupt, Terminated):
        raise
    except MemoryError as e:
        raise UserError(
            f"pass {planned.name}: out of memory: {e}",
            status=2,
            label="linkpipe",
            remedy="give the link more (ulimit -v), or link less",
        ) from e
    except BaseException as e:
        error = _broken(
            planned,
            f"crashed with {type(e).__name__}: {e}",
            "this is a bug in the pass, not in what you link: please report it with the "
            "traceback that LINKPIPE_DEBUG=1 prints",
        )
        error.at = place(e, run.run.__module__)
        raise error from e
    if not isinstance(result, Link):
        raise _broken(
            planned, f"returned {type(result).__name__}, not a Link", "return link.evolve(…)"
        )
    _check_facts(planned, handed.facts, result.facts)
    made = {fact: result.facts[fact] for fact in changed(link, result)}
    return with_facts(link, made, planned.name)


def _later(planned: Planned, error: MissingFact, plan: Plan) -> str:
    """What to do where a fact is missing: often the pass stands before a barrier behind which it is
    there."""
    name = barrier_behind(error.fact, plan.passes, plan.barriers)
    at = next((barrier.at for barrier in plan.barriers if barrier.name == name), 0)
    if plan.passes.index(planned) >= at:
        return error.remedy
    return f"put {planned.name} after {name}, where `{error.fact}` is there"


def _name_files(error: LinkpipeError, link: Link) -> None:
    """Name the file of each symbol that an error is about, where the pass has not."""
    symbols, objects, hosts = map(link.facts.get, NAMING)
    if symbols is None or objects is None:
        return
    from linkpipe.tables.faults import file_of

    for each in error.errors if isinstance(error, LinkErrors) else (error,):
        if isinstance(each, InputError) and each.symbol and not each.file:
            each.file = file_of(each.symbol, symbols, objects, hosts or {})


def _check_facts(planned: Planned, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """What a pass returns has all that it got, and of what it provides the right type. A look at
    each fact, no more: what is inside is for the observer that checks."""
    provides = planned.run.provides
    for fact, value in before.items():
        if fact not in after:
            raise _broken(planned, f"lost the fact `{fact}`", "return link.evolve(…)", fact)
        if after[fact] is not value and fact not in provides:
            raise _broken(
                planned,
                f"sets the fact `{fact}`, which it has not declared",
                f'add "{fact}" to `provides` of the pass {planned.name}',
                fact,
            )
    for fact in provides:
        if fact not in after:
            raise _broken(
                planned,
                f"did not set the fact `{fact}`, which it provides",
                "set it, or take it out of `provides`",
                fact,
            )
        value = after[fact]
        expected, kind = _declared(fact)
        if value is None or (expected and not _is(value, expected, kind)):
            raise _broken(
                planned,
                f"set the fact `{fact}` to a value of type {_kind(value)}"
                + (f", expected {expected}" if expected else ""),
                "set it to what linkpipe/engine/context.py says of it"
                if expected
                else "leave the fact out of `provides` and of the Link when there is none",
                fact,
            )


@cache
def _declared(fact: str) -> tuple[str, type | np.dtype[Any] | None]:
    """The name of the type that Link declares for a fact, and the type where it is at hand: to
    import the modules of all tables would cost more than the checks. For an array it is that of the
    elements. Empty for a fact of a third party."""
    found = re.match(r"ClassVar\[Fact\[(\w+)", Link.__annotations__.get(fact, ""))
    if not found:
        return "", None
    kind = vars(context).get(found[1], vars(builtins).get(found[1]))
    element = None if kind is None else element_of(kind)
    if element is not None:  # I32 and its like
        return f"ndarray of {np.dtype(element)}", np.dtype(element)
    kind = get_origin(kind) or kind
    return (kind.__name__, kind) if isinstance(kind, type) else (found[1], None)


def _is(value: Any, name: str, kind: type | np.dtype[Any] | None) -> bool:
    if isinstance(kind, np.dtype):
        return isinstance(value, np.ndarray) and value.dtype == kind and value.ndim == 1
    if kind is not None:
        return isinstance(value, kind)
    return any(base.__name__ == name for base in type(value).__mro__)


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        shape = "" if value.ndim == 1 else f", {value.ndim}-dimensional"
        return f"ndarray of {value.dtype}{shape}"
    return type(value).__name__


def place(error: BaseException, module: str = "") -> str:
    """Where an exception comes from: the innermost frame of a module, when it has
    one, or else the innermost of all."""
    frames = []
    step = error.__traceback__
    while step is not None:
        frames.append((step.tb_frame, step.tb_lineno))
        step = step.tb_next
    own = [frame for frame in frames if frame[0].f_globals.get("__name__") == module]
    frame, line = (own or frames)[-1]
    return f"{frame.f_code.co_filename}:{line}"


def _broken(planned: Planned, message: str, remedy: str, fact: str = "") -> PassError:
    return PassError(
        message,
        name=planned.name,
        fact=fact,
        owner=planned.owner,
        remedy=remedy,
        label="linkpipe",
    )
