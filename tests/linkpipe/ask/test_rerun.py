"""Reachability run again: the same as in the link, and less without something."""

from __future__ import annotations

import numpy as np
import pytest

from linkpipe.ask.rerun import run
from linkpipe.tables.symbols import Flag
from tests.conformance.programs import Program, table
from tests.linkpipe.ask.links import DEEP, ITERATORS, QUIET, SEVERAL, TEMPLATE, WITH_PLUGIN, linked

ALL = (QUIET, DEEP, TEMPLATE, ITERATORS, SEVERAL, WITH_PLUGIN, table()["features"])


@pytest.mark.parametrize("program", ALL, ids=lambda program: program.name)
def test_it_reaches_what_the_link_reached(program: Program) -> None:
    """Dropped maps, plugins and everything: from the tables that the link left."""
    link = linked(program)
    again = run(link)
    kept = (link.graph.symbols.flags & Flag.REACHABLE) != 0
    assert np.flatnonzero(again.reached != kept).tolist() == []


def test_what_is_left_out_is_not_reached_nor_what_it_alone_needs() -> None:
    link = linked(DEEP)
    symbols = link.graph.symbols
    without = np.zeros(len(symbols), np.bool_)
    without[symbols.lookup("main.run", 1)] = True
    again = run(link, without=without)
    gone = {symbols.name(sym) for sym in symbols.reachable().tolist() if not again.reached[sym]}
    assert {"main.run", "looking.test/deep/helper.Call", "looking.test/deep/helper.find"} <= gone
    assert "main.main" not in gone
    assert "reflect.Value.MethodByName" in gone


def test_what_keeps_a_symbol_was_reached_in_an_earlier_turn() -> None:
    """Every symbol has a keeper from before it; so chains need not lean on what comes later."""
    link = linked(SEVERAL)
    again = run(link)
    source, target, _, _ = link.graph.arcs
    earlier = (source == 0) | (again.turn[source] < again.turn[target])
    explained = np.zeros(len(again.reached), np.bool_)
    explained[target[earlier]] = True
    assert explained[again.reached].all()
