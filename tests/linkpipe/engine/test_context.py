from __future__ import annotations

import attrs
import pytest

from linkpipe.engine.context import Access, Link
from linkpipe.errors import MissingFact, PassError


def test_evolve_leaves_the_old_link_as_it_was() -> None:
    old = Link({"tlsg": 1, "moduledata": 7})
    new = old.evolve({"acme.count": 3}, tlsg=2)
    assert (old.tlsg, new.tlsg) == (1, 2)
    assert new.fact("acme.count") == 3
    assert not old.has("acme.count")
    assert new.moduledata == 7


def test_a_link_cannot_be_changed() -> None:
    link = Link({"tlsg": 1})
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        link.facts = {}  # type: ignore[misc]
    with pytest.raises(TypeError):
        link.facts["tlsg"] = 2  # type: ignore[index]


def test_facts_do_not_follow_the_mapping_they_came_from() -> None:
    facts = {"tlsg": 1}
    link = Link(facts)
    facts["tlsg"] = 2
    assert link.tlsg == 1


def test_a_missing_fact_names_its_providers() -> None:
    link = Link(providers={"symbols": ("resolve", "cgo")})
    with pytest.raises(MissingFact, match="the fact 'symbols' is not established") as caught:
        _ = link.symbols
    assert caught.value.providers == ("resolve", "cgo")
    assert "resolve, cgo" in caught.value.render()


def test_a_missing_fact_that_nobody_provides_says_so() -> None:
    with pytest.raises(MissingFact) as caught:
        Link().fact("acme.count")
    assert "no pass of this pipeline provides it" in caught.value.render()


def test_what_is_not_declared_cannot_be_read_or_set() -> None:
    access = Access("ptab", frozenset({"tlsg"}), frozenset({"moduledata"}))
    link = Link({"tlsg": 1, "symbols": 2, "options": 3}).within(access)
    assert link.tlsg == 1
    assert link.fact("options") == 3, "options are given to all"
    for read in (lambda: link.symbols, lambda: link.has("symbols"), lambda: link.fact("x")):
        with pytest.raises(PassError, match="pass ptab: reads the fact") as caught:
            read()
        assert "`requires` of the pass ptab" in caught.value.render()
    with pytest.raises(PassError, match="pass ptab: sets the fact 'tlsg'"):
        link.evolve(tlsg=2)
    assert link.evolve(moduledata=4).facts["moduledata"] == 4


def test_the_declaration_holds_after_evolve() -> None:
    link = Link().within(Access("p", frozenset(), frozenset({"tlsg"}))).evolve(tlsg=1)
    with pytest.raises(PassError):
        link.evolve(moduledata=1)
