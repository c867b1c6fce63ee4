"""Check facts after each pass that set some: valid in, valid out.

A fact that Link declares is of the declared type; nothing in a fact can be changed (mutable.py);
a table that has a method ``check()`` says what is wrong with it, in words; what holds between
tables holds (linkpipe/tables/rules.py); and what is final behind a barrier of the pipeline is not
changed, nor what a pass does not name that says which parts of a fact it changes (final.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from linkpipe.engine.context import Link
from linkpipe.engine.contract import changed
from linkpipe.engine.plan import Plan, Planned
from linkpipe.engine.runner import Observer
from linkpipe.errors import PassError
from linkpipe.observe.facttypes import declared_facts, fits, spelled
from linkpipe.observe.final import check_parts, in_force, overruled, undeclared
from linkpipe.observe.mutable import mutable
from linkpipe.tables.rules import RULES

_SHOWN = 10


class Check(Observer):
    """Observer "check"; takes no options."""

    in_turn = False

    @property
    def wants_link(self) -> bool:
        """What was checked when it was linked need not be checked again."""
        return False

    def on_start(self, plan: Plan, link: Link) -> None:
        """Check what the link starts with."""
        _refuse(list(broken(link, set(link.facts))), "linkpipe")
        self._barriers = in_force(plan)
        self._ahead = list(plan.barriers)
        self._behind = {id(planned): at for at, planned in enumerate(plan.passes, 1)}

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        """Raise PassError when a fact that the pass set is broken."""
        facts = set(changed(before, after))
        _refuse(list(broken(after, facts)), planned.name)
        while self._ahead and self._ahead[0].at <= self._behind[id(planned)]:
            check_parts(self._ahead.pop(0), after)
        ahead = "let it stand before the barrier; `linkpipe passes` shows where that is"
        wrong = [
            (*each, ahead) for each in overruled(self._barriers[id(planned)], before, after, facts)
        ]
        wrong = wrong or list(undeclared(planned.run, before, after, facts))
        if wrong:
            raise PassError(
                "; ".join(words for _, words, _ in wrong),
                name=planned.name,
                fact=wrong[0][0],
                owner=planned.owner,
                label="linkpipe",
                remedy="; ".join(dict.fromkeys(remedy for *_, remedy in wrong)),
            )


def _refuse(wrong: list[tuple[str, str]], name: str) -> None:
    if not wrong:
        return
    fact = wrong[0][0]
    told = [words for _, words in wrong]
    if len(told) > _SHOWN:
        told[_SHOWN:] = [f"and {len(told) - _SHOWN} more"]
    raise PassError(
        f"left the fact `{fact}` broken: {'; '.join(told)}",
        name=name,
        fact=fact,
        label="linkpipe",
        remedy="this is a bug in the pass; -dump shows the tables before and after it",
    )


def broken(link: Link, facts: set[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with those facts of a link: (fact, words)."""
    declared = declared_facts()
    sound = set()
    for fact in link.facts:
        if fact not in facts:
            continue
        wrong = list(_alone(fact, link.facts[fact], declared.get(fact, Any)))
        yield from ((fact, words) for words in wrong)
        if not wrong:
            sound.add(fact)
    for about, rule in RULES:
        some = [fact for fact in about if fact in facts]
        # Rules rely on what each table has said of itself.
        if some and sound.issuperset(some) and all(fact in link.facts for fact in about):
            tables = [link.facts[fact] for fact in about]
            yield from ((some[-1], words) for words in rule(*tables))


def _alone(fact: str, value: Any, declared: Any) -> Iterator[str]:
    if not fits(value, declared):
        yield f"{fact} is a {type(value).__name__}, declared is {spelled(declared)}"
        return
    yield from mutable(value, fact)
    check = getattr(type(value), "check", None)
    if callable(check):
        yield from check(value)
