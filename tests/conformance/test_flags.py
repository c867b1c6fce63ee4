"""Every flag of `go tool link` does the same in linkpipe, or is refused by name, or has a reason.

A flag that is taken and does nothing would be a wrong output that nobody hears of.
"""

from __future__ import annotations

import pstats
import re
import subprocess
import tracemalloc
from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from attrs import frozen

from linkpipe.flags.options import FLAGS, HEAD_TYPES
from linkpipe.tables.records import DESCRIBED, NONPKG, describe, read_records
from linkpipe.tables.symbolcolumns import COLUMNS, Flag
from linkpipe.testing.links import release
from tests.conformance import oracle
from tests.conformance.damage import copy, object_at, rewrite
from tests.conformance.programs import TINY, TRACKED, Inputs, inputs, table
from tests.conformance.test_bad_input import NO_STRINGS, spoken
from tests.conformance.toolchain import environment
from tests.reallink import stages

WRONG = tuple(f"-X=runtime.{name}=x" for name in NO_STRINGS)


@frozen
class Sample:
    """How a flag shows: a program linked with it, and with ``other`` flags both times.

    ``unseen`` says why the oracle's outcome is the same with and without it, where it is.
    """

    flags: tuple[str, ...]
    other: tuple[str, ...] = ("-w",)
    program: str = "tiny"
    variables: Mapping[str, str] = MappingProxyType({})
    unseen: str = ""


def sample(*flags: str, **more: Any) -> Sample:
    return Sample(flags, **more)


EXTERNAL = ("-w", "-linkmode=external")

SAME = {
    "B": sample("-B=0x1234"),
    "D": sample("-D=0x800000"),
    "E": sample("-E=main.main"),
    "H": sample("-H=android", unseen="that is Linux"),
    "I": sample("-I=/lib/toy.so", program="host", other=EXTERNAL),
    "R": sample("-R=0x4000"),
    "T": sample("-T=0x500000"),
    "X": sample("-X=runtime.godebugDefault=panicnil=1"),
    "a": sample("-a", unseen="deprecated: it does nothing"),
    "asan": sample("-asan", program="host", other=EXTERNAL),
    "aslr": sample("-aslr=false"),
    "bindnow": sample("-bindnow", other=EXTERNAL),
    "buildid": sample("-buildid=another"),
    "buildmode": sample("-buildmode=toy"),
    "c": sample("-c", program="hello"),
    "capturehostobjs": sample("-capturehostobjs=/nowhere", program="netuser"),
    "checklinkname": sample("-checklinkname=0", unseen="nothing here is forbidden"),
    "compressdwarf": sample("-compressdwarf=false", other=()),
    "d": sample("-d", program="host"),
    "debugnosplit": sample("-debugnosplit", program="hello"),
    "debugtextsize": sample("-debugtextsize=9", program="hello-arm64"),
    "debugtramp": sample("-debugtramp=2", program="hello-arm64"),
    "dumpdep": sample("-dumpdep"),
    "e": sample("-e", other=("-w", *WRONG)),
    "extar": sample("-extar=/nowhere/ar", program="carchive"),
    "extld": sample("-extld=/nowhere/cc", other=EXTERNAL),
    "extldflags": sample("-extldflags=-Wl,-z,now", other=EXTERNAL),
    "f": sample("-f", variables={"GOAMD64": "v3"}),
    "funcalign": sample("-funcalign=64"),
    "g": sample("-g"),
    "importcfg": sample("-importcfg=/nowhere"),
    "installsuffix": sample("-installsuffix=x", unseen="there is an importcfg"),
    "k": sample("-k=main.fields", program="tracked-fieldtrack"),
    "libgcc": sample("-libgcc=none", program="ownc"),
    "linkmode": sample("-linkmode=external"),
    "linkshared": sample("-linkshared=false", program="linkshared", other=EXTERNAL),
    "macos": sample("-macos=1.2.3", unseen="for macOS"),
    "macsdk": sample("-macsdk=1.2", unseen="for macOS"),
    "msan": sample("-msan", program="host", other=EXTERNAL),
    "n": sample("-n", unseen="deprecated: it does nothing"),
    "pluginpath": sample("-pluginpath=x", unseen="for plugins"),
    "pruneweakmap": sample("-pruneweakmap=false", program="hello"),
    "r": sample("-r=/x:/y", other=EXTERNAL),
    "race": sample("-race"),
    "randlayout": sample("-randlayout=9", other=("-w", "-debugtramp=2"), program="hello-arm64"),
    "s": sample("-s"),
    "strictdups": sample("-strictdups=3"),
    "tmpdir": sample("-tmpdir=/dev/null/none", other=EXTERNAL),
    "w": sample("-w=false"),
}

REASONS = {
    "benchmark": "figures of its own: test_phases_have_the_oracles_names",
    "benchmarkprofile": "Python's profiles: test_phases_have_the_oracles_names",
    "cpuprofile": "Python's profile: test_a_link_is_profiled",
    "memprofile": "Python's profile: test_a_link_is_profiled",
    "memprofilerate": "Python's profile counts everything: test_a_link_is_profiled",
    "fipso": "writes a file of its own: test_what_the_fips_checksum_is_over",
    "L": "takes another command line: test_folders_of_packages",
    "V": "names linkpipe too, for the go command has to tell the two apart",
    "h": "the same but for Go's traceback: test_bad_input.test_halt_on_error",
    "o": "every link here has it",
    "v": "each traces its own work",
}


@cache
def oracles_flags() -> frozenset[str]:
    """The flags in the oracle's usage text."""
    done = subprocess.run(
        [*oracle.stock(), "-help"], text=True, capture_output=True, check=False, env=environment()
    )
    return frozenset(re.findall(r"^  -([^\s=]+)", done.stderr, re.MULTILINE))


def test_every_flag_has_a_place_here() -> None:
    """And linkpipe has no other under the oracle's name."""
    assert oracles_flags() == release().flags == set(FLAGS)
    places = [*SAME, *REASONS]
    assert sorted(places) == sorted(oracles_flags())


def words(linked: oracle.Linked, command: list[str]) -> tuple[int, list[str], str]:
    """What a link said, with the names of its output and of temporary files replaced."""
    status, lines, out = spoken(linked, command)
    lines = [line.replace(str(linked.output), "OUTPUT") for line in lines]
    return status, [re.sub(r"(go-link|linkpipe)-[^/ ]+", "TMPDIR", line) for line in lines], out


@pytest.mark.parametrize("flag", SAME)
def test_flags_that_do_the_same(flag: str, folder: Path) -> None:
    """Same file or same failure, same words on both streams; and it is seen that it does
    something, or said why not."""
    given = SAME[flag]
    program = {**table(), "tiny": TINY, TRACKED.name: TRACKED}[given.program]

    def link(command: list[str], flags: tuple[str, ...], place: str) -> oracle.Linked:
        return oracle.link(
            command, inputs(program), flags, folder / place, variables=given.variables
        )

    flags = (*given.other, *given.flags)
    theirs = link(oracle.stock(), flags, "theirs")
    ours = link(oracle.linkpipe(), flags, "ours")
    assert words(ours, oracle.linkpipe()) == words(theirs, oracle.stock())
    if not theirs.status:
        assert oracle.differences(ours, theirs) == []
    without = link(oracle.stock(), given.other, "without")
    same = words(without, oracle.stock()) == words(theirs, oracle.stock()) and (
        bool(theirs.status) or oracle.same(theirs.output, without.output)
    )
    assert same == bool(given.unseen), "what the flag does is not as the table says"


@pytest.mark.parametrize(("mode", "kinds"), [("cpu", "cpuprof"), ("mem", "cpuprof memprof")])
def test_phases_have_the_oracles_names(mode: str, kinds: str, folder: Path) -> None:
    """Lines that Go's tools for benchmarks read, of phases that the oracle has; and a profile of
    each that has passes."""
    program = table()["hello"]
    told = {}
    for which, command in (("ours", oracle.linkpipe()), ("theirs", oracle.stock())):
        base = folder / which
        flags = (f"-benchmark={mode}", f"-benchmarkprofile={base}")
        linked = oracle.link(command, inputs(program), flags, folder / f"link-{which}")
        assert (linked.status, linked.stderr) == (0, "")
        lines = re.findall(r"(?m)^(Benchmark\w+) 1 \d+ ns/op((?:\t\d+ \S+)*)$", linked.stdout)
        assert len(lines) == linked.stdout.count("\n")
        names = [name for name, _ in lines]
        told[which] = names
        files = {file.name for file in folder.glob(f"{which}_*")}
        timed = [name.removesuffix("_GC") for name in names[1:-1]]
        assert files >= {f"{which}_{name}.{kind}" for name in timed for kind in kinds.split()}
    assert set(told["ours"]) < set(told["theirs"])
    assert len(set(told["ours"])) == len(told["ours"])
    assert len(told["ours"]) > 20
    assert told["ours"][0] == told["theirs"][0]
    assert told["ours"][-1] == told["theirs"][-1]


@pytest.mark.parametrize("wrong", ["", "-X=runtime.writeBarrier=x"])
def test_a_link_is_profiled(wrong: str, folder: Path) -> None:
    """Also one that fails."""
    flags = ["-w", "-cpuprofile=time", "-memprofile=memory", "-memprofilerate=1", *wrong.split()]
    linked = oracle.link_linkpipe(inputs(TINY), flags, folder)
    assert bool(linked.status) == bool(wrong), linked.stderr
    names = pstats.Stats(str(folder / "time")).get_stats_profile().func_profiles
    assert "reachability" in names
    assert tracemalloc.Snapshot.load(str(folder / "memory")).traces


@pytest.mark.parametrize("flag", ["cpuprofile", "memprofile"])
def test_a_profile_that_cannot_be_written(flag: str, folder: Path) -> None:
    """The link ends as the oracle's."""
    flags = ("-w", f"-{flag}=/dev/null/x")
    theirs = oracle.link(oracle.stock(), inputs(TINY), flags, folder / "theirs")
    ours = oracle.link(oracle.linkpipe(), inputs(TINY), flags, folder / "ours")
    assert words(ours, oracle.linkpipe()) == words(theirs, oracle.stock())
    assert theirs.status
    assert not ours.output.exists()


def flipped(data: bytes, at: int) -> bytes:
    """An archive with a bit changed, ``at`` bytes from the start of its first Go object."""
    changed = bytearray(data)
    changed[object_at(data) + at] ^= 1
    return bytes(changed)


def differing_twin(given: Inputs) -> str:
    """Change a byte in the second of two definitions of which any will do; the symbol's name."""
    link = stages().before["resolve"]
    objects = link.objects
    records = read_records(objects, link.arch.regabi, with_dwarf=False)
    content = {name: np.empty(len(records.place), COLUMNS[name]) for name in DESCRIBED}
    describe(objects, link.arch.regabi, records.place, content)
    first: dict[tuple[bytes, int], int] = {}
    for row in np.flatnonzero((records.flags & Flag.DUPOK) != 0).tolist():
        at, size = int(records.name_at[row]), int(records.name_size[row])
        name = objects.arena.view(at, size).tobytes()
        length = int(content["data_size"][row])
        if records.cls[row] != NONPKG or not length:
            continue
        if first.setdefault((name, int(records.version[row])), row) == row:
            continue
        obj = int(content["object"][row])
        path = link.packages.items[int(objects.package[obj])].path
        last = int(content["data_at"][row] - objects.base[obj]) + length - 1
        rewrite(given.archives()[path], partial(flipped, at=last))
        return name.decode()
    raise AssertionError("no symbol is defined twice: the test is wrong")


@pytest.mark.parametrize(("flag", "status"), [("-strictdups=1", 0), ("-strictdups=2", 2)])
def test_duplicates_that_differ(flag: str, status: int, folder: Path) -> None:
    """The same differences are told, and the same of them fail the link."""
    given = copy(inputs(TINY), folder / "inputs")
    name = differing_twin(given)
    theirs = oracle.link(oracle.stock(), given, ("-w", flag), folder / "theirs")
    ours = oracle.link(oracle.linkpipe(), given, ("-w", flag), folder / "ours")
    assert words(ours, oracle.linkpipe()) == words(theirs, oracle.stock())
    assert ours.status == status
    assert f"duplicate symbol '{name}'" in ours.stderr
    if not status:
        assert oracle.differences(ours, theirs) == []


@pytest.mark.parametrize("head", sorted({*HEAD_TYPES, "", "x"} - {"linux", "android"}))
def test_other_systems(head: str, folder: Path) -> None:
    """What the oracle refuses is refused; what it writes for another system, by name."""
    theirs = oracle.link(oracle.stock(), inputs(TINY), ("-w", f"-H={head}"), folder / "theirs")
    ours = oracle.link(oracle.linkpipe(), inputs(TINY), ("-w", f"-H={head}"), folder / "ours")
    if head in ("", "x"):
        assert words(ours, oracle.linkpipe()) == words(theirs, oracle.stock())
        return
    assert ours.status == 2
    assert ours.stderr.startswith(f"linkpipe: flag -H {head} is not supported yet"), ours.stderr


@pytest.mark.parametrize(
    "text",
    ["1", "1.2.3.4", "", "256", "-1", "+1.-0", "1.x", "1_0", "٣", f"{0:040}999", f"{1:040}.1"],
)
def test_versions_of_macos(text: str, folder: Path) -> None:
    """The same are wrong."""
    theirs = oracle.link(oracle.stock(), inputs(TINY), ("-w", f"-macos={text}"), folder / "theirs")
    ours = oracle.link(oracle.linkpipe(), inputs(TINY), ("-w", f"-macos={text}"), folder / "ours")
    assert words(ours, oracle.linkpipe()) == words(theirs, oracle.stock())


def test_a_system_that_is_refused(folder: Path) -> None:
    text = "-H windows"
    ours = oracle.link(oracle.linkpipe(), inputs(TINY), ("-w", *text.split()), folder)
    assert ours.status == 2
    assert ours.stderr.startswith(f"linkpipe: flag {text} is not supported yet"), ours.stderr


def test_folders_of_packages(folder: Path) -> None:
    """Without an importcfg packages are found under the -L folders."""
    given = inputs(TINY)
    outputs = []
    for place, command in (("theirs", oracle.stock()), ("ours", oracle.linkpipe())):
        output = folder / place
        argv: list[str | Path] = [*command, "-o", output, "-w", "-L", given.folder / "pkg"]
        argv.append(given.main)
        done = subprocess.run(
            argv, env=given.environment(), text=True, capture_output=True, check=False
        )
        assert (done.returncode, done.stderr, done.stdout) == (0, "", "")
        outputs.append(output)
    assert oracle.same(*outputs)


@pytest.mark.parametrize(
    ("program", "flags"), [("hello", ()), ("host", ()), ("hello", ("-linkmode=external",))]
)
def test_what_the_fips_checksum_is_over(program: str, flags: tuple[str, ...], folder: Path) -> None:
    """-fipso: the go command gives it where GOFIPS140 is set."""
    written = []
    for which, link in (("ours", oracle.link_linkpipe), ("theirs", oracle.link_oracle)):
        linked = link(inputs(table()[program]), ["-w", "-fipso=fips.o", *flags], folder / which)
        assert (linked.status, linked.stderr) == (0, "")
        written.append((folder / which / "fips.o").read_bytes())
    assert written[0] == written[1]


def test_a_file_for_it_that_cannot_be_written(folder: Path) -> None:
    flags = ["-w", "-fipso=no/such/folder"]
    linked = oracle.link_linkpipe(inputs(table()["hello"]), flags, folder)
    said, remedy = linked.stderr.splitlines()
    assert said == "asmbfips: open no/such/folder: no such file or directory"
    assert "-fipso" in remedy
    assert linked.status == 2
    assert not linked.output.exists()
