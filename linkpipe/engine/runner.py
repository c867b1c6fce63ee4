"""Run a plan over a Link, and tell the observers.

The runner is the only place that knows of time, logs and dumps, and the only one that holds a pass
to what it declared. Passes know nothing of it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any, ClassVar

import attrs

from linkpipe.engine.background import Background
from linkpipe.engine.context import GIVEN, Link
from linkpipe.engine.plan import Plan, Planned
from linkpipe.errors import LinkpipeError, MissingFact, PassError


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
        """After the last pass."""


def run_plan(
    plan: Plan, link: Link, observers: Sequence[Observer] = (), *, keep: bool = True
) -> Link:
    """Run all passes of a plan.

    Unless told to ``keep`` them, facts are let go when no pass that is still to come, and no
    observer, can read them: tables that were replaced long ago make room for new ones.

    Raises what a pass raises if it is a LinkpipeError; anything else becomes a PassError that
    names the pass. What passes started ends with the run.
    """
    with closing(Background()) as background:
        link = Link(link.facts, plan.providers, background=background)
        return _run_all(plan, link, observers, keep)


def _run_all(plan: Plan, link: Link, observers: Sequence[Observer], keep: bool) -> Link:
    wanted = [] if keep or observers else _wanted_after(plan)
    for observer in observers:
        observer.on_start(plan, link)
    for number, planned in enumerate(plan.passes):
        if not _applies(planned, link):
            for observer in observers:
                observer.on_skip(planned, link)
            continue
        for observer in observers:
            observer.before_pass(planned, link)
        start = time.perf_counter()
        try:
            after = _run(planned, link)
        except BaseException as e:
            for observer in observers:
                observer.on_error(planned, link, e)
            raise
        seconds = time.perf_counter() - start
        for observer in observers:
            observer.after_pass(planned, link, after, seconds)
        link = after
        if wanted:
            facts = {name: fact for name, fact in link.facts.items() if name in wanted[number]}
            link = attrs.evolve(link, facts=facts)
        del after
    for observer in observers:
        observer.on_end(link)
    return link


def _wanted_after(plan: Plan) -> list[frozenset[str]]:
    """For each pass, the facts that a pass behind it may read."""
    wanted = GIVEN | {"mode"}  # decides which passes run
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


def _run(planned: Planned, link: Link) -> Link:
    run, name = planned.run, planned.name
    handed = link.within(run.access)
    try:
        result = run.run(handed) if run.options is None else run.run(handed, planned.options)
    except MissingFact as e:
        raise PassError(
            f"reads the fact `{e.fact}`, which is not established",
            name=name,
            fact=e.fact,
            label="linkpipe",
            remedy=e.remedy,
        ) from e
    except LinkpipeError:
        raise
    except Exception as e:
        raise PassError(
            f"crashed with {type(e).__name__}: {e}",
            name=name,
            label="linkpipe",
            remedy="this is a bug in the pass, not in what you link: please report it with the "
            "traceback that LINKPIPE_DEBUG=1 prints",
        ) from e
    if not isinstance(result, Link):
        raise _broken(
            name, f"returned {type(result).__name__}, not a Link", "return link.evolve(…)"
        )
    for fact in _absent(run.provides, result):
        raise _broken(
            name,
            f"did not set the fact `{fact}`, which it provides",
            "set it, or take it out of `provides`",
            fact,
        )
    return result.within(None)


def _absent(facts: Iterable[str], link: Link) -> list[str]:
    return [fact for fact in facts if fact not in link.facts]


def _broken(name: str, message: str, remedy: str, fact: str = "") -> PassError:
    return PassError(message, name=name, fact=fact, remedy=remedy, label="linkpipe")
