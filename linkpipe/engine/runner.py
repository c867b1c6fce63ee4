"""Run a plan over a Link, and tell the observers.

The runner is the only place that knows of time, logs and dumps, and the only one that holds a pass
to what it declared. Passes know nothing of it.
"""

from __future__ import annotations

import builtins
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import cache
from typing import Any, ClassVar, get_origin

import attrs
import numpy as np

from linkpipe.arrays.types import element_of
from linkpipe.engine import context
from linkpipe.engine.background import Background
from linkpipe.engine.context import GIVEN, Link
from linkpipe.engine.plan import Plan, Planned, barrier_behind
from linkpipe.errors import (
    InputError,
    LinkErrors,
    LinkpipeError,
    MissingFact,
    ObserverError,
    PassError,
    Terminated,
    UserError,
)
from linkpipe.process import ledger
from linkpipe.process.surroundings import Changed, Surroundings
from linkpipe.values import Value


class Observer:
    """Base of observers: every method may be overridden, none needs to be.

    Observers look; they never change what a pass gets. An observer's own failure ends the link.
    One that declares ``options``, an attrs class with a default for each field, is made with a
    value of it, others without arguments. To make one has no effect but that it may raise
    UserError: settings are refused before anything runs.
    """

    options: ClassVar[type[Any] | None] = None

    @property
    def wants_link(self) -> bool:
        """Whether `go build` shall link for it even what is up to date: so it is for all that
        print, since the go command keeps what a link printed and repeats it when there is no
        link. False for one that has nothing to say when there is none."""
        return True

    def on_start(self, plan: Plan, link: Link) -> None:
        """Before the first pass."""

    def before_pass(self, planned: Planned, link: Link) -> None:
        """Before a pass runs."""

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        """After a pass returned; ``seconds`` is wall time."""

    def on_skip(self, planned: Planned, link: Link) -> None:
        """A pass is left out, because of what ``mode`` turned out to be."""

    def on_error(self, planned: Planned, link: Link, error: BaseException) -> None:
        """A pass failed; the error is raised after all observers have heard of it."""

    def on_end(self, link: Link) -> None:
        """After the last pass. The output has not taken its place yet, and does not if this
        fails; ``link.image`` is what will stand there."""


_NAMING = ("symbols", "objects", "host_files")
"""Facts by which an error about a symbol names the file."""
_LATER = ("before_pass", "after_pass", "on_skip", "on_error", "on_end")
"""What an observer hears when facts have been let go."""


def run_plan(
    plan: Plan, link: Link, observers: Sequence[Observer] = (), *, keep: bool = True
) -> Link:
    """Run all passes of a plan.

    Unless told to ``keep`` them, facts are let go when no pass that is still to come, and no
    observer, can read them: tables that were replaced long ago make room for new ones.

    Raises what a pass raises if it is a LinkpipeError; anything else becomes a PassError that
    names the pass. What passes started ends with the run.
    """
    with closing(Surroundings()) as around, Background() as background:
        ledger.begin()
        link = Link(link.facts, plan.providers, background=background)
        return _run_all(plan, link, _Audience(observers, around), keep)


def _run_all(plan: Plan, link: Link, audience: _Audience, keep: bool) -> Link:
    keep = keep or any(map(audience.hears, _LATER))
    wanted = [] if keep else _wanted_after(plan)
    audience.told("on_start", "", plan, link)
    for number, planned in enumerate(plan.passes):
        name = planned.name
        if not _applies(planned, link):
            audience.told("on_skip", name, planned, link)
            continue
        audience.told("before_pass", name, planned, link)
        start = time.perf_counter()
        try:
            after = _run(planned, link, audience.around, plan)
        except BaseException as e:
            if isinstance(e, (KeyboardInterrupt, Terminated)):
                seconds = time.perf_counter() - start
                e.add_note(f"while the pass {name} was running, for {seconds:.1f} s")
            try:
                audience.told("on_error", name, planned, link, e)
            except LinkpipeError as second:
                # The pass's error matters more.
                e.add_note(second.message)
            raise
        seconds = time.perf_counter() - start
        audience.told("after_pass", name, planned, link, after, seconds)
        link = after
        if wanted:
            facts = {name: fact for name, fact in link.facts.items() if name in wanted[number]}
            link = attrs.evolve(link, facts=facts)
        del after
    _check_inputs()
    audience.told("on_end", "", link)
    ledger.doing("")
    return link


def _check_inputs() -> None:
    """What was read of an input that has been cut short since may have been anything."""
    for path, was, now in ledger.changed():
        raise InputError(
            "file changed while it was being linked",
            file=path,
            expected=f"{was} bytes",
            found="no file" if now is None else f"{now} bytes",
            remedy="do not rebuild packages during a link; link again",
        )


@attrs.frozen(eq=False, repr=False)
class _Audience(Value):
    """The observers of one run."""

    observers: Sequence[Observer]
    around: Surroundings

    def hears(self, method: str) -> list[Observer]:
        """The observers for which a method does something. Nothing of theirs runs for that."""
        nothing = getattr(Observer, method)
        return [
            observer
            for observer in self.observers
            if getattr(type(observer), method, None) is not nothing
            or method in getattr(observer, "__dict__", ())
        ]

    def told(self, method: str, name: str, *what: Any) -> None:
        """Call a method of all observers; what fails is named, with the pass that it was about."""
        for observer in self.hears(method):
            kind = f"{type(observer).__module__}.{type(observer).__qualname__}"
            try:
                with self.around.kept(f"observer {kind}"):
                    getattr(observer, method)(*what)
            except (LinkpipeError, KeyboardInterrupt, Terminated):
                raise  # said on purpose, or not its own
            except BaseException as e:
                failed = f"{e}" if isinstance(e, Changed) else f"{type(e).__name__}: {e}"
                raise ObserverError(
                    f"the observer {kind} failed in {method}"
                    + (f", of the pass {name}" if name else "")
                    + f": {failed}",
                    label="linkpipe",
                    remedy=f"it failed at {place(e)}; link without it, or report it to its author",
                ) from e


def _wanted_after(plan: Plan) -> list[frozenset[str]]:
    """For each pass, the facts that a pass behind it may read."""
    wanted = GIVEN | {"mode", *_NAMING}  # mode decides which passes run
    out = []
    for planned in reversed(plan.passes):
        out.append(wanted)
        wanted |= planned.run.access.reads
    return out[::-1]


def changed(before: Link, after: Link) -> list[str]:
    """Facts that are new or another object than before, in the order in which they were set."""
    nothing = object()
    return [
        fact for fact, value in after.facts.items() if before.facts.get(fact, nothing) is not value
    ]


def _applies(planned: Planned, link: Link) -> bool:
    return all(getattr(link.mode, key) in wanted for key, wanted in planned.when.items())


def _run(planned: Planned, link: Link, around: Surroundings, plan: Plan) -> Link:
    run = planned.run
    handed = link.within(run.access)
    try:
        with around.kept(f"pass {planned.name}"):
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
    made = dict.fromkeys(changed(link, result), planned.name)
    return attrs.evolve(link, facts=result.facts, set_by={**link.set_by, **made})


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
    symbols, objects, hosts = map(link.facts.get, _NAMING)
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
