"""dumpdep: what keeps each symbol, in the words and the order of the oracle."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from linkpipe import reloctype as rt
from linkpipe.passes.dumpdep import dumpdep
from linkpipe.tables.symbols import Flag
from tests.conformance import oracle
from tests.conformance.programs import FIRSTCAUSE, TINY, Program, inputs
from tests.objlink import resolved
from tests.passes.test_reachability import USED, World, start


def test_what_the_names_are_followed_by(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """The flags of both ends; a symbol without a name is passed over, not what it keeps."""
    world = World()
    start(world)
    first, second, last = (world.function(f"p.f{i}") for i in (1, 2, 3))
    nameless = world.add("")
    world.syms[first]["flag"] = int(Flag.REFLECT_METHOD)
    world.syms[second] |= {"flag": int(Flag.REFLECT_METHOD), "flag2": USED}
    for keeper, target in ((0, first), (first, second), (second, nameless), (nameless, last)):
        world.refer(keeper, rt.R_CALL, target)
    dumpdep.run(resolved(tmp_path, [world.obj()]))
    assert capfdbinary.readouterr().out == (
        b"_ -> _rt0\n"
        b"_ -> runtime.unreachableMethod\n"
        b"_rt0 -> p.f1 <ReflectMethod>\n"
        b"p.f1 <ReflectMethod> -> p.f2 <UsedInIface><ReflectMethod>\n"
        b" -> p.f3\n"
    )


@pytest.mark.parametrize("flags", ["-dumpdep -compressdwarf=false", "-dumpdep -s -w"])
@pytest.mark.parametrize("program", [TINY, FIRSTCAUSE], ids=lambda program: program.name)
def test_prints_what_the_oracle_prints(program: Program, flags: str, tmp_path: Path) -> None:
    """Byte for byte, with debug symbols and without; and links the same."""
    words = flags.split()
    theirs = oracle.link(oracle.stock(), inputs(program), words, tmp_path / "theirs")
    ours = oracle.link(oracle.linkpipe(), inputs(program), words, tmp_path / "ours")
    assert ours.output.read_bytes() == theirs.output.read_bytes()
    assert (ours.stdout, ours.stderr) == (theirs.stdout, theirs.stderr)
    assert len(ours.stdout.splitlines()) > 5000
    if program is FIRSTCAUSE:
        assert first_cause(ours.stdout).startswith("main.deep <- main.c <- main.b <- main.a <- ")


def first_cause(printed: str) -> str:
    """The first function of the program that keeps all methods, and its keepers: what tools that
    explain why no method was dropped read from the lines."""
    keeper: dict[str, str] = {}
    first = ""
    for line in printed.splitlines():
        source, arrow, target = line.partition(" -> ")
        if not arrow or " -> " in target:  # a string's name
            continue
        name = plain(target)
        keeper.setdefault(name, plain(source))
        if not first and "<ReflectMethod>" in target and name.startswith("main."):
            first = name
    chain = [first]
    while chain[-1] in keeper:
        chain.append(keeper[chain[-1]])
    return " <- ".join(chain)


def plain(name: str) -> str:
    """A name without the flags that follow it."""
    return re.sub(r" (<\w+>)+$", "", name)


def test_that_nobody_reads_does_not_fail_the_link(tmp_path: Path) -> None:
    given = inputs(TINY)
    out, main = str(tmp_path / "out"), str(given.main)
    command = [*oracle.linkpipe(), *given.flags, "-dumpdep", "-o", out, main]
    reader, writer = os.pipe()
    os.close(reader)
    with open("/dev/full", "wb") as full, open(writer, "wb") as broken:
        for stdout in (full, broken):
            done = subprocess.run(
                command, env=given.environment(), stdout=stdout, stderr=subprocess.PIPE, check=False
            )
            assert (done.returncode, done.stderr) == (0, b"")
