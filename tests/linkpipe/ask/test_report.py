"""All about a link in columns: they say what the questions one by one say."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from linkpipe import api
from linkpipe.ask.pieces import COLUMNS
from linkpipe.ask.report import Watch, changes, report
from tests.linkpipe.ask.links import DEEP, QUIET, whole


@pytest.fixture(scope="module")
def asked() -> Iterator[tuple[api.Link, api.Report]]:
    watch = Watch()
    with whole(DEEP, observers=[watch]) as link:
        yield link, report(link, watch, "deep")


@pytest.mark.parametrize("by", ["module", "package"])
def test_parts_are_those_of_size(asked: tuple[api.Link, api.Report], by: str) -> None:
    """The same rows with the same bytes, and what would leave with each, by dominators."""
    link, told = asked
    parts = told.modules if by == "module" else told.packages
    rows = api.size(link, by, exact=False).rows
    columns = [getattr(parts, column).tolist() for column in (*COLUMNS, "retained")]
    found = dict(zip(parts.name, zip(*columns, strict=True), strict=True))
    for row in rows:
        retained = -1 if row.retained is None else row.retained
        assert found[row.name] == (*(getattr(row, each) for each in COLUMNS), retained)
    assert sum(sum(column) for column in columns[:-1]) == told.total


def test_packages_are_in_modules_and_symbols_in_packages(
    asked: tuple[api.Link, api.Report],
) -> None:
    _, told = asked
    module = dict(zip(told.packages.name, told.packages.inside.tolist(), strict=True))
    assert told.modules.name[module["reflect"]] == "std"
    assert told.modules.name[module["looking.test/deep/helper"]] == told.main == "looking.test"
    sums = np.zeros(len(told.packages.name), np.int64)
    np.add.at(sums, told.symbols.package, told.symbols.size)
    parts = told.packages
    own = np.flatnonzero([not name.startswith("(") for name in parts.name])
    assert (sums[own] == (parts.code + parts.data + parts.pclntab)[own]).all()


def test_packages_stand_below_those_they_leave_with(asked: tuple[api.Link, api.Report]) -> None:
    link, told = asked
    rows = {row.name: row for row in api.size(link, tree=True, exact=False).rows}
    above = [told.packages.name[at] if at >= 0 else "" for at in told.packages.above.tolist()]
    for name, over in zip(told.packages.name, above, strict=True):
        assert rows[name].parent == over if name in rows else not over


@pytest.mark.parametrize(
    "name",
    ["looking.test/deep/helper.Call", "type:reflect.Value", "reflect.Value.Len", "main.run"],
)
def test_chains_are_those_of_why(asked: tuple[api.Link, api.Report], name: str) -> None:
    """Followed from each symbol to the one before it, with the same reasons and places."""
    link, told = asked
    (answer,) = api.why(link, name)
    symbols, row, found = told.symbols, told.symbols.name.index(name), []
    while row >= 0:
        file, line = told.files[symbols.file[row]], int(symbols.line[row])
        place = f"{file}:{line}" if file else ""
        kind, because = told.reasons[symbols.reason[row]], told.texts[symbols.because[row]]
        found.append((symbols.name[row], kind, because, place))
        row = int(symbols.before[row])
    expected = [(each.target, each.kind, each.because, each.line) for each in answer.chain]
    assert found[::-1] == expected


def test_what_the_linker_made_names_the_pass(asked: tuple[api.Link, api.Report]) -> None:
    _, told = asked
    row = told.symbols.name.index("runtime.findfunctab")
    assert told.reasons[told.symbols.reason[row]] == "made by the linker"
    assert told.texts[told.symbols.because[row]] == "pass findfunctab"
    assert told.symbols.before[row] == -1


def test_the_plan_and_what_it_cost(asked: tuple[api.Link, api.Report]) -> None:
    """Passes that ran, in order, and those that the link had no use for."""
    link, told = asked
    ran = [each.name for each in told.passes if each.ran]
    assert (ran[0], ran[-1]) == ("load", "output")
    assert all(each.seconds > 0 and each.peak > 0 for each in told.passes if each.ran)
    assert all(each.why for each in told.passes)
    skipped = {each.name for each in told.passes if not each.ran}
    assert {"addmoduledata", "ptab"} <= skipped
    assert report(link).passes == ()


def test_causes_are_those_of_why_no_dce(asked: tuple[api.Link, api.Report]) -> None:
    link, told = asked
    assert told.why_no_dce == api.why_no_dce(link)
    assert [cause.name for cause in told.why_no_dce.causes] == ["looking.test/deep/helper.find"]


def test_two_links(asked: tuple[api.Link, api.Report]) -> None:
    """What changed is what size --against says; of symbols the largest changes."""
    _, told = asked
    with whole(QUIET) as link:
        other = report(link)
    found = changes(other, told, top=3)
    assert found.packages.difference == told.total - other.total
    assert {each.name: each.change for each in found.packages.changes}["fmt"] == "removed"
    assert sum(each.difference for each in found.modules.changes) == found.modules.difference
    assert len(found.symbols.changes) == 3
    assert changes(told, told).symbols.changes == ()
