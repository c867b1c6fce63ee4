"""Programs compiled and linked in other ways than those of the table: the same bytes, with
whichever release of Go is compared (`make conformance GO=1.25` runs this too)."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from attrs import evolve, field, frozen

from linkpipe.engine.plugins import Catalog
from linkpipe.engine.releases import release_of
from tests.conformance import oracle
from tests.conformance.oracle import MODES
from tests.conformance.programs import PROGRAMS, TINY, Program, inputs, table
from tests.conformance.toolchain import environment, go, goroot, link_tool

VERSION = (goroot() / "VERSION").read_text().split()[0]
RELEASE = release_of(Catalog(), VERSION)


@frozen
class Variant:
    """A program, with more flags of go build and more variables of its environment, linked with
    ``link``."""

    program: str = "features"
    flags: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(factory=dict)
    link: tuple[str, ...] = ("-compressdwarf=false",)

    def built(self, name: str) -> Program:
        """The program of that variant."""
        program = table()[self.program]
        return evolve(
            program, name=f"{program.name}-{name}", flags=self.flags, variables=self.variables
        )


ALIGNED = ("-funcalign=64",) if "funcalign" in RELEASE.flags else ()
NAMED = ("-X=main.version=another", "-X", "runtime.godebugDefault=panicnil=1", "-X=main.none=x")

VARIANTS = {
    "cover": Variant(flags=("-cover",)),
    "debug": Variant(flags=("-gcflags=-N -l",)),
    "flags": Variant(link=("-s", "-w", "-B=gobuildid", *ALIGNED, *NAMED)),
}
# Those for which the standard library is compiled anew.
BIG = {
    "trimpath": Variant(flags=("-trimpath",)),
    "all-debug": Variant(flags=("-gcflags=all=-N -l",)),
    "arenas": Variant(variables={"GOEXPERIMENT": "arenas"}),
    "race": Variant(flags=("-race",), variables={"CGO_ENABLED": "1"}),
    "fips140": Variant("httpserver", variables={"GOFIPS140": "latest"}),
}


@pytest.mark.parametrize(
    "name", [*VARIANTS, *(pytest.param(name, marks=pytest.mark.big) for name in BIG)]
)
def test_same_bytes_and_same_output(name: str, folder: Path) -> None:
    variant = {**VARIANTS, **BIG}[name]
    program = variant.built(name)
    given = inputs(program)
    flags = variant.link
    if any(word.startswith("-fipso") for word in given.flags):
        flags = (*flags, "-fipso=fips.o")
    theirs = oracle.link_oracle(given, flags, folder / "theirs")
    ours = oracle.link_linkpipe(given, flags, folder / "ours")
    assert oracle.differences(ours, theirs) == []
    assert program.run is not None
    assert oracle.run(ours.output, *program.run) == oracle.run(theirs.output, *program.run)
    if "GOFIPS140" in variant.variables:
        parts = [(folder / side / "fips.o").read_bytes() for side in ("ours", "theirs")]
        assert parts[0] == parts[1] != b""


@pytest.mark.parametrize("goarch", ["386", "amd64", "s390x"])
@pytest.mark.parametrize("what", ["", "=goexperiment"])
def test_the_version_and_its_experiments(what: str, goarch: str) -> None:
    """What is asked for by -V, with what makes linkpipe another linker behind it."""
    env = environment(GOARCH=goarch, GOEXPERIMENT="arenas")
    theirs, ours = (
        subprocess.run([*words, f"-V{what}"], env=env, text=True, capture_output=True, check=True)
        for words in (oracle.stock(), oracle.linkpipe())
    )
    assert ours.stdout.startswith(f"{theirs.stdout.strip()} linkpipe=")


LINKERS = {
    "theirs": 'exec {link} "$@"',
    "ours": 'exec {python} -P -m linkpipe.cli.toolexec "$0" "$@"',
}
ODD = """a "word", \\ and \\n, $HOME `here`,\n\ttwo lines, nothing:  """


def with_linker(root: Path, command: str) -> None:
    """A GOROOT at ``root`` that is the toolchain's, but for its linker: a script that writes down
    its arguments and runs the command."""
    tools = Path("pkg", "tool", link_tool().parent.name)
    root.joinpath(tools).mkdir(parents=True)
    for part in (Path(), Path("pkg"), Path("pkg", "tool"), tools):
        for path in (goroot() / part).iterdir():
            if not (root / part / path.name).exists() and path.name != "link":
                (root / part / path.name).symlink_to(path)
    words = command.format(link=shlex.quote(str(link_tool())), python=shlex.quote(sys.executable))
    script = root / tools / "link"
    script.write_text(f'#!/bin/sh\necho "$*" >> {shlex.quote(str(root))}.asked\n{words}\n')
    script.chmod(0o755)


def test_a_command_line_that_is_too_long(folder: Path) -> None:
    """The go command writes it into a file, as the linker of its release reads it, where linkpipe
    stands in the place of the linker itself; with -toolexec it does not."""
    definition = f"-X 'main.version={ODD}{'x' * 31000}'"
    outputs = []
    for name, command in LINKERS.items():
        root = folder / "goroot"
        with_linker(root, command)
        outputs.append(folder / name)
        go(
            "build", f"-ldflags=-buildid= -s -w {definition}", "-o", folder / name, "./features",
            cwd=PROGRAMS, GOROOT=str(root), CGO_ENABLED="0",
        )  # fmt: skip
        assert (folder / "goroot.asked").read_text().splitlines()[-1].startswith("@")
        root.rename(folder / f"goroot-{name}")
    assert oracle.same(*outputs)
    assert ODD in oracle.run(outputs[0])[1]


FROZEN = sorted(path.stem for path in (goroot() / "lib" / "fips140").glob("*.zip"))


@pytest.mark.big
@pytest.mark.parametrize("version", FROZEN)
def test_a_frozen_cryptographic_module(version: str, folder: Path) -> None:
    """Its packages have the module's version in their paths, and may be asked for things by names
    without it; the go command takes linkpipe for its linker, and the program is in FIPS mode."""
    toolexec = f"-toolexec={Path(sys.executable).parent / 'linkpipe-toolexec'}"
    outputs = []
    for name, more in (("theirs", ()), ("ours", (toolexec,))):
        outputs.append(folder / name)
        go(
            "build", *more, "-ldflags=-buildid= -compressdwarf=false", "-o", folder / name,
            "./httpserver", cwd=PROGRAMS, GOFIPS140=version, CGO_ENABLED="0",
        )  # fmt: skip
    assert oracle.same(*outputs)
    assert f"crypto/internal/fips140/{version}/".encode() in outputs[1].read_bytes()
    results = [oracle.run(output, "-self") for output in outputs]
    assert results[0] == results[1]
    assert results[0][0] == 0


@pytest.mark.parametrize("flag", ["-e", "-funcalign=64", "-D=0x800000", "-macos=13.0.0"])
def test_a_flag_is_known_where_the_release_has_it(flag: str, folder: Path) -> None:
    """Else it is refused in the words of the release's own linker."""
    given = inputs(TINY)
    flags = (*MODES["w"], flag)
    theirs = oracle.link(oracle.stock(), given, flags, folder / "theirs")
    ours = oracle.link(oracle.linkpipe(), given, flags, folder / "ours")
    assert (ours.status, ours.stdout) == (theirs.status, theirs.stdout)
    assert ours.stderr.startswith(theirs.stderr)
    assert bool(theirs.status) != (flag[1:].partition("=")[0] in RELEASE.flags)
    if not theirs.status:
        assert oracle.differences(ours, theirs) == []


@pytest.mark.parametrize("goarch", sorted(Catalog().offers("arches")))
def test_build_modes_are_those_of_the_oracle(goarch: str) -> None:
    """Its flag refuses the others before a file is read."""
    allowed = set()
    for mode in ("exe", "pie", "plugin", "c-shared", "c-archive", "shared"):
        said = subprocess.run(
            [link_tool(), f"-buildmode={mode}", "lost.a"],
            env=environment(GOOS="linux", GOARCH=goarch),
            capture_output=True,
            text=True,
            check=False,
        ).stderr
        refused = f"buildmode {mode} not supported on linux/{goarch}" in said
        assert refused or "lost.a" in said
        allowed |= set() if refused else {mode}
    assert Catalog().load("arches", goarch).at(RELEASE.name).build_modes == allowed
