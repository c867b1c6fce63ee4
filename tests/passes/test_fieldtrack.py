"""fieldtrack: which fields are used, and what keeps each, as the oracle tells the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from linkpipe import reloctype as rt
from linkpipe.passes.fieldtrack import fieldtrack
from linkpipe.tables.symbols import Flag
from tests.conformance import oracle
from tests.conformance.programs import TRACKED, inputs
from tests.objlink import resolved
from tests.passes.test_reachability import World, start


def test_a_line_for_each_field_that_is_used(tmp_path: Path) -> None:
    """With what came to it first; the symbols are kept out of the output."""
    world = World()
    start(world)
    first, second = (world.function(f"p.f{i}") for i in (1, 2))
    used, _ = (world.add(f"go:track.p.T.{name}") for name in ("used", "unused"))
    for keeper, target in ((0, first), (first, second), (first, used), (second, used)):
        world.refer(keeper, rt.R_CALL, target)
    link = fieldtrack.run(resolved(tmp_path, [world.obj()]))
    assert link.tracked == b"p.T.used\tp.f1\t_rt0\n"
    hidden = Flag.SPECIAL | Flag.NOT_IN_SYMTAB
    marked = [link.symbols.has(link.symbols.lookup(f"go:track.p.T.{n}"), hidden)
              for n in ("used", "unused")]  # fmt: skip
    assert marked == [True, False]


@pytest.mark.parametrize("name", ["main.fields", "main.none"])
@pytest.mark.parametrize("mode", ["-s -w", "-linkmode=external -compressdwarf=false"])
def test_what_the_oracle_links(name: str, mode: str, tmp_path: Path) -> None:
    """The same bytes, with a variable that can be told and with others."""
    flags = [*mode.split(), f"-k={name}"]
    theirs = oracle.link(oracle.stock(), inputs(TRACKED), flags, tmp_path / "theirs")
    ours = oracle.link(oracle.linkpipe(), inputs(TRACKED), flags, tmp_path / "ours")
    assert oracle.differences(ours, theirs) == []
    assert not theirs.status
    if name == "main.fields" and "external" not in mode:
        status, printed = oracle.run(ours.output)
        assert (status, printed.count("main.point.X\tmain.(*point).width")) == (0, 1)


@pytest.mark.parametrize(
    "flags",
    [
        "-k=main.fields -X=main.fields=abc",
        "-k=runtime.buildVersion",
        "-k=runtime.racecgosync",
        "-k=main.main",
        "-k=type:main.point",
    ],
)
def test_variables_that_have_a_value_or_are_none(flags: str, tmp_path: Path) -> None:
    """A value of -X and the fields behind it; what nothing reaches is left alone, of whatever type
    it is, and so is what has no type."""
    given = ["-w", *flags.split()]
    theirs = oracle.link(oracle.stock(), inputs(TRACKED), given, tmp_path / "theirs")
    ours = oracle.link(oracle.linkpipe(), inputs(TRACKED), given, tmp_path / "ours")
    assert not theirs.status
    assert oracle.differences(ours, theirs) == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("type:string", "missing Go type information for global symbol type:string"),
        ("runtime.firstmoduledata", "cannot set with -X: not a var of type string"),
    ],
)
def test_what_cannot_be_told_is_refused(name: str, told: str, tmp_path: Path) -> None:
    given = ["-w", f"-k={name}"]
    theirs = oracle.link(oracle.stock(), inputs(TRACKED), given, tmp_path / "theirs")
    ours = oracle.link(oracle.linkpipe(), inputs(TRACKED), given, tmp_path / "ours")
    assert ours.status == theirs.status == 2
    assert told in theirs.stderr
    assert told in ours.stderr
