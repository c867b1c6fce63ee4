"""dumpdep: each symbol of the output is named once, after what keeps it, as by the oracle."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import attrs
import pytest

from linkpipe.passes.dumpdep import dumpdep
from linkpipe.tables.symbols import Flag
from tests.conformance import oracle
from tests.conformance.programs import TINY, inputs
from tests.linkpipe.graphs.test_graph import graph_of
from tests.tiny import Tiny

# What the oracle marks in other places than the one that prints, by a part of its name.
UNSAID = ("fips", "runtime.mapinitnoop")


def test_a_line_for_each_symbol_after_its_keeper(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """f1 -> f3 -> f2, and f1 -> f4 -> f2: one of the two is named."""
    graph = graph_of(4, [(1, 3), (3, 2), (1, 4), (4, 2)])
    dumpdep.run(Tiny().link().evolve(symbols=graph.symbols, graph=graph))
    lines = capfdbinary.readouterr().out.splitlines()
    assert lines[0] == b"_ -> f1"
    assert sorted(lines[1:3]) == [b"f1 -> f3", b"f1 -> f4"]
    assert lines[3:] == [b"f4 -> f2"]


def test_what_the_names_are_followed_by(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """The flags of both ends, as they are once all is known."""
    graph = graph_of(3, [(1, 2), (2, 3)])
    symbols = graph.symbols.edit()
    symbols.add_flags(symbols.lookup_or_create("f1"), Flag.REFLECT_METHOD)
    symbols.add_flags(symbols.lookup_or_create("f2"), Flag.USED_IN_IFACE | Flag.REFLECT_METHOD)
    graph = attrs.evolve(graph, symbols=symbols.freeze())
    dumpdep.run(Tiny().link().evolve(symbols=graph.symbols, graph=graph))
    assert capfdbinary.readouterr().out == (
        b"_ -> f1 <ReflectMethod>\n"
        b"f1 <ReflectMethod> -> f2 <UsedInIface><ReflectMethod>\n"
        b"f2 <UsedInIface><ReflectMethod> -> f3\n"
    )


def test_names_what_the_oracle_names(tmp_path: Path) -> None:
    """But for what the oracle reaches through debug information only."""
    flags = ("-dumpdep", "-s", "-w")
    theirs = oracle.link(oracle.stock(), inputs(TINY), flags, tmp_path / "theirs")
    ours = oracle.link(oracle.linkpipe(), inputs(TINY), flags, tmp_path / "ours")
    assert ours.output.read_bytes() == theirs.output.read_bytes()
    said, named = kept(theirs.stdout), kept(ours.stdout)
    assert len(named) > 500
    assert {name for name in named - said if not any(part in name for part in UNSAID)} == set()
    functions = {name for name in said if name.startswith(("runtime.", "main.", "go:string."))}
    assert functions - named == set()


def test_that_nobody_reads_does_not_fail_the_link(tmp_path: Path) -> None:
    given = inputs(TINY)
    command = [*oracle.linkpipe(), *given.flags, "-dumpdep", "-o", tmp_path / "out", given.main]
    reader, writer = os.pipe()
    os.close(reader)
    with open("/dev/full", "wb") as full, open(writer, "wb") as broken:
        for stdout in (full, broken):
            done = subprocess.run(
                command, env=given.environment(), stdout=stdout, stderr=subprocess.PIPE, check=False
            )
            assert (done.returncode, done.stderr) == (0, b"")


def kept(printed: str) -> set[str]:
    """The symbols that the lines say are kept."""
    return {line.split(" -> ", 1)[1].split(" <")[0] for line in printed.splitlines()}
