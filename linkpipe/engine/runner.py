"""Run a plan over a Link, and tell the observers.

The runner is the only place that knows of time, logs and dumps, and the only one that holds a pass
to what it declared. Passes know nothing of it.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from contextlib import closing
from functools import partial
from typing import Any, ClassVar

from linkpipe.arrays.threads import threads
from linkpipe.engine.background import Background
from linkpipe.engine.concurrent import Concurrent
from linkpipe.engine.context import GIVEN, Link
from linkpipe.engine.contract import NAMING, made_by, place, run_pass
from linkpipe.engine.plan import Plan, Planned
from linkpipe.errors import InputError, LinkpipeError, ObserverError, Terminated
from linkpipe.process import ledger
from linkpipe.process.surroundings import Changed, Surroundings
from linkpipe.values import Value, evolve, record


class Observer:
    """Base of observers: every method may be overridden, none needs to be.

    Observers look; they never change what a pass gets. An observer's own failure ends the link.
    One that declares ``options``, an attrs class with a default for each field, is made with a
    value of it, others without arguments. To make one has no effect but that it may raise
    UserError: settings are refused before anything runs.
    """

    options: ClassVar[type[Any] | None] = None
    in_turn: ClassVar[bool | None] = None
    """Whether passes run one after the other where it listens. None: where it has ``before_pass``
    or ``after_pass``. With False it may hear of a concurrent pass later, before the first pass
    that needs what that one provides."""

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
        audience = _Audience(observers, around)
        keep = keep or any(map(audience.hears, _LATER))
        in_turn = threads() == 1 or any(map(audience.in_turn, observers))
        with Concurrent() as concurrent:
            return _Run(plan, audience, concurrent, in_turn, keep).all(link)


@record
class _Run(Value):
    """One run of a plan. ``in_turn``: no pass runs beside another; ``keep``: no fact is let go."""

    plan: Plan
    audience: _Audience
    concurrent: Concurrent
    in_turn: bool
    keep: bool

    def all(self, link: Link) -> Link:
        """Run all passes."""
        wanted = [] if self.keep else _wanted_after(self.plan)
        self.audience.told("on_start", "", self.plan, link)
        for number, planned in enumerate(self.plan.passes):
            # One name for the Link, here and below: what it replaces is not to be kept by another.
            link = self._settled(link, _needs(planned))
            link = self._step(planned, link)
            if wanted:
                link = _with(link, wanted[number])
        link = self._settled(link)
        _check_inputs()
        self.audience.told("on_end", "", link)
        ledger.doing("")
        return link

    def _step(self, planned: Planned, link: Link) -> Link:
        name, run = planned.name, planned.run
        if not _applies(planned, link):
            self.audience.told("on_skip", name, planned, link)
            return link
        work = partial(made_by, planned, link, self.plan)
        if run.concurrent and not self.in_turn and self.concurrent.start(planned, work):
            return link
        self.audience.told("before_pass", name, planned, link)
        start = time.perf_counter()
        try:
            watched = self.audience.around.kept(f"pass {name}")
            after = run_pass(planned, link, self.plan, watched, alone=not self.keep)
        except BaseException as e:
            if isinstance(e, LinkpipeError):
                self._settled(link)  # an error of a pass before it comes first
            self._failed(planned, link, e, start)
            raise
        seconds = time.perf_counter() - start
        self.audience.told("after_pass", name, planned, link, after, seconds)
        return after

    def _settled(self, link: Link, facts: Collection[str] | None = None) -> Link:
        """The Link with what passes have set that ran beside others: those up to the last that
        provides one of these facts, all when none are given."""
        for one in self.concurrent.providing(facts):
            start = time.perf_counter()
            try:
                after = one.onto(link)
            except BaseException as e:
                self._failed(one.planned, link, e, start)
                raise
            self.audience.told("after_pass", one.name, one.planned, link, after, one.seconds)
            link = after
        return link

    def _failed(self, planned: Planned, link: Link, error: BaseException, start: float) -> None:
        if isinstance(error, (KeyboardInterrupt, Terminated)):
            seconds = time.perf_counter() - start
            error.add_note(f"while the pass {planned.name} was running, for {seconds:.1f} s")
        try:
            self.audience.told("on_error", planned.name, planned, link, error)
        except LinkpipeError as second:
            # The pass's error matters more.
            error.add_note(second.message)


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


@record
class _Audience(Value):
    """The observers of one run."""

    observers: Sequence[Observer]
    around: Surroundings

    def hears(self, method: str) -> list[Observer]:
        """The observers for which a method does something. Nothing of theirs runs for that."""
        return [observer for observer in self.observers if _hears(observer, method)]

    def in_turn(self, observer: Observer) -> bool:
        """Whether it wants the passes one after the other."""
        wish = getattr(observer, "in_turn", None)
        if wish is None:
            return _hears(observer, "before_pass") or _hears(observer, "after_pass")
        return bool(wish)

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


def _hears(observer: Observer, method: str) -> bool:
    return getattr(type(observer), method, None) is not getattr(
        Observer, method
    ) or method in getattr(observer, "__dict__", ())


def _wanted_after(plan: Plan) -> list[frozenset[str]]:
    """For each pass, the facts that a pass behind it may read."""
    wanted = GIVEN | {"mode", *NAMING}  # mode decides which passes run
    out = []
    for planned in reversed(plan.passes):
        out.append(wanted)
        wanted |= planned.run.access.reads
    return out[::-1]


def _needs(planned: Planned) -> Collection[str] | None:
    """The facts without which a pass cannot begin; None: all that are on their way, for one that is
    there for its effect."""
    run = planned.run
    if not (run.provides or run.concurrent or run.checks):
        return None
    return run.access.reads | ({"mode"} if planned.when else set())


def _with(link: Link, wanted: Collection[str]) -> Link:
    """The Link with no other facts than these."""
    facts = {name: fact for name, fact in link.facts.items() if name in wanted}
    return evolve(link, facts=facts)


def _applies(planned: Planned, link: Link) -> bool:
    return all(getattr(link.mode, key) in wanted for key, wanted in planned.when.items())
