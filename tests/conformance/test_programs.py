"""Real programs, linked by the oracle and by linkpipe from the same archives: the same bytes."""

from __future__ import annotations

import io
from pathlib import Path

import attrs
import pytest
from elftools.elf.elffile import ELFFile

from linkpipe.engine.plugins import Catalog
from tests.conformance import oracle
from tests.conformance.__main__ import both
from tests.conformance.oracle import MODES
from tests.conformance.programs import TINY, Program, inputs, table
from tests.conformance.targets import targets
from tests.conformance.tools import need

ALONE = [
    pytest.param(program, id=program.name, marks=[pytest.mark.big] if program.big else [])
    for program in table().values()
    if program.run is not None
]
# Programs of architectures whose calls may not reach their targets.
FAR = [
    pytest.param(program, id=name)
    for goarch in targets()
    if Catalog().load("arches", goarch).trampolines
    for name, program in table().items()
    if name.removesuffix(f"-{goarch}") in ("hello", "dynamic", "pie", "plugin", "host", "ownc")
    and name.endswith(f"-{goarch}")
]
PAIRS = ["", *(f"-{goarch}" for goarch in targets())]
PAIRS += ["-nodwarf5"] if "host-nodwarf5" in table() else []


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("program", ALONE)
def test_same_bytes_and_same_output(program: Program, mode: str, folder: Path) -> None:
    """The promise of the project, for programs that linkpipe writes itself."""
    need(program.missing_compiler())
    ours, theirs = both(program, mode, folder)
    assert oracle.differences(ours, theirs) == []
    assert (ours.stdout, ours.stderr) == ("", ""), "a link says nothing on success"
    assert program.run is not None
    need(program.missing_runner())
    status, printed = oracle.prints(program, ours.output)
    assert (status, printed) == oracle.prints(program, theirs.output)
    assert printed


@pytest.mark.parametrize("mode", MODES)
def test_a_shared_library_of_go(mode: str, folder: Path) -> None:
    """go.o, the C compiler's arguments and the library itself. The program `linkshared` runs with
    it."""
    program = table()["sharedlib"]
    need(program.missing_compiler())
    ours, theirs = both(program, mode, folder)
    assert oracle.differences(ours, theirs) == []


def test_debug_information_needs_the_runtimes_types(folder: Path) -> None:
    """Which a program that is linked with the runtime's shared library has not got (the go command
    gives -w): refused in the same words, with the same exit status."""
    program = table()["linkshared"]
    need(program.missing_compiler())
    ours, theirs = (
        oracle.link(linker, inputs(program), ["-w=false"], folder / name)
        for name, linker in (("ours", oracle.linkpipe()), ("theirs", oracle.stock()))
    )
    assert ours.status == theirs.status == 2
    told = theirs.stderr.splitlines()[0].partition(": ")[2]
    assert told.startswith("dwarf: missing type")
    assert told in ours.stderr.splitlines()[0]


def test_a_shared_library_names_all_that_a_host_linker_needs(folder: Path) -> None:
    given = inputs(table()["sharedlib"])
    assert given.operands[-1].startswith("runtime/cgo=")
    less = attrs.evolve(given, argv=given.argv[:-1], count=given.count - 1)
    for command in (oracle.stock(), oracle.linkpipe()):
        linked = oracle.link(command, less, (), folder)
        assert linked.status == 2
        assert "cannot implicitly include runtime/cgo in a shared library" in linked.stderr
        assert not linked.output.exists()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("arch", PAIRS, ids=[pair.lstrip("-") or "native" for pair in PAIRS])
def test_plugin_and_host(arch: str, mode: str, folder: Path) -> None:
    """go.o, the C compiler's arguments and the final files are the oracle's, for the plugin and
    for its host; and the host opens the plugin, calls it and prints what the oracle's pair does,
    every time.
    """
    programs = {name: table()[f"{name}{arch}"] for name in ("host", "plugin")}
    for program in programs.values():
        need(program.missing_compiler())
    pairs = {name: both(program, mode, folder / name) for name, program in programs.items()}
    for name, (ours, theirs) in pairs.items():
        assert oracle.differences(ours, theirs) == [], name
        assert (ours.stdout, ours.stderr) == ("", ""), "a link says nothing on success"
        assert ours.host_link, f"{name}: the C compiler was not called"
        assert (ours.tmpdir / "go.o").exists(), f"{name}: no go.o to compare"
    need(programs["host"].missing_runner())
    (host, stock_host), (plugin, stock_plugin) = pairs["host"], pairs["plugin"]
    good, printed = oracle.opens(programs["host"], (host, plugin), (stock_host, stock_plugin))
    assert good == oracle.TIMES, printed
    assert "cow says moo moo !" in printed
    assert "opened twice, same plugin: true" in printed


@pytest.mark.parametrize("mode", ["w", "dwarf"])
@pytest.mark.parametrize("program", FAR)
def test_trampolines(program: Program, mode: str, folder: Path) -> None:
    """Every call between packages is taken to be too far: the oracle's bytes, and they run."""
    need(program.missing_compiler())
    ours, theirs = both(program, mode, folder, "-debugtramp=2")
    assert oracle.differences(ours, theirs) == []
    near = both(program, mode, folder / "near")[0]
    assert ours.output.read_bytes() != near.output.read_bytes(), "there are no trampolines"
    # On arm what calls a shared library by a trampoline crashes, the oracle's file as ours.
    if program.run is not None and not program.shared:
        need(program.missing_runner())
        assert oracle.run(ours.output, *program.run, runner=program.runner)[0] == 0


@pytest.mark.parametrize("mode", ["s-w", "dwarf"])
def test_code_in_several_sections(mode: str, folder: Path) -> None:
    """What arm does with 28 MiB of code, done with less: the host linker gets each section on its
    own, and the program runs."""
    program = table()["host-arm"]
    need(program.missing_compiler())
    ours, theirs = both(program, mode, folder, "-debugtextsize=131072")
    assert oracle.differences(ours, theirs) == []
    data = io.BytesIO((ours.tmpdir / "go.o").read_bytes())
    names = [section.name for section in ELFFile(data).iter_sections()]
    assert names.count(".text") == names.count(".rel.text") >= 3
    need(program.missing_runner())
    assert oracle.prints(program, ours.output) == oracle.prints(program, theirs.output)


def test_mixed_pairs(folder: Path) -> None:
    """A host linked by one linker takes a plugin linked by the other."""
    programs = table()
    hosts = both(programs["host"], "s-w", folder / "host")
    plugins = both(programs["plugin"], "s-w", folder / "plugin")
    printed = {oracle.run(host.output, plugin.output) for host in hosts for plugin in plugins}
    assert len(printed) == 1, printed
    assert next(iter(printed))[0] == 0


def test_a_program_with_c_code_is_linked_as_by_the_oracle(folder: Path) -> None:
    """Without a word on the link mode it links the C objects of package net itself."""
    program = table()["cgoserver"]
    given = inputs(program)
    words = tuple(a for a in given.argv if a != "-linkmode=external")
    plain = attrs.evolve(given, argv=words)
    assert plain.argv != given.argv
    theirs = oracle.link(oracle.stock(), plain, ["-w"], folder / "theirs")
    ours = oracle.link(oracle.linkpipe(), plain, ["-w"], folder / "ours")
    assert oracle.differences(ours, theirs) == []


@pytest.mark.parametrize("extar", ["", "ar"])
def test_an_archive_without_c_code(extar: str, folder: Path) -> None:
    """runtime/cgo is not there, which both say; whoever links the archive would miss it."""
    program = attrs.evolve(TINY, name="archived", buildmode="c-archive")
    links = []
    for place, command in (("theirs", oracle.stock()), ("ours", oracle.linkpipe())):
        flags = ["-w", *([f"-extar={extar}"] if extar else [])]
        linked = oracle.link(command, inputs(program), flags, folder / place, external=True)
        assert (linked.status, linked.stderr) == (0, "")
        assert linked.stdout == "loadinternal: cannot find runtime/cgo\n"
        assert bool(linked.calls) != bool(extar), "the C compiler is asked for its archive tool"
        links.append(linked)
    assert oracle.differences(links[1], links[0]) == []


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("pie", ("-extldflags=-static-pie",)),
        ("pie", ("-bindnow", "-r=/x:/y", "-B=none", "-I=/lib64/ld-linux-x86-64.so.2")),
        ("cshared", ("-bindnow", "-extldflags=-Wl,-soname,libtoy.so")),
        ("cshared", ("-linkmode=internal",)),
        ("carchive", ("-E=runtime.rt0_go", "-linkmode=internal")),
        ("cshared", ("-E=nothing", "-aslr=false")),
    ],
)
def test_flags_with_what_may_lie_anywhere(name: str, flags: tuple[str, ...], folder: Path) -> None:
    """The same file or the same refusal, and the same calls of the C compiler."""
    given = inputs(table()[name])
    flags = ("-w", *flags)
    theirs = oracle.link(oracle.stock(), given, flags, folder / "theirs", external=True)
    ours = oracle.link(oracle.linkpipe(), given, flags, folder / "ours", external=True)
    assert ours.status == theirs.status
    if theirs.status:
        said = theirs.stderr.splitlines()[0].partition(": ")[2]
        assert ours.stderr.splitlines()[0].endswith(said)
    else:
        assert oracle.differences(ours, theirs) == []


@pytest.mark.parametrize("name", ["dynamic", "ownpie"])
@pytest.mark.parametrize(
    "flags",
    [
        ("-r=/x:/y", "-bindnow", "-B=gobuildid"),
        ("-I=/no/such/ld.so", "-r=", "-T=0x10000"),
        ("-d",),
    ],
)
def test_flags_with_shared_libraries(name: str, flags: tuple[str, ...], folder: Path) -> None:
    """The same file or the same refusal."""
    given = inputs(table()[name])
    flags = ("-w", *flags)
    theirs = oracle.link(oracle.stock(), given, flags, folder / "theirs", external=True)
    ours = oracle.link(oracle.linkpipe(), given, flags, folder / "ours", external=True)
    assert ours.status == theirs.status
    if theirs.status:
        said = theirs.stderr.splitlines()[0].partition(": ")[2]
        assert ours.stderr.splitlines()[0].endswith(said)
    else:
        assert oracle.differences(ours, theirs) == []


def test_the_flag_d_on_arm(folder: Path) -> None:
    """The oracle forgets it there."""
    ours, theirs = both(table()["dynamic-arm"], "w", folder, "-d")
    assert oracle.differences(ours, theirs) == []
    assert theirs.status == 0


HELLOS = [
    pytest.param(program, id=name)
    for name, program in table().items()
    if name == "hello" or (program.target and program.base == "hello")
]


@pytest.mark.parametrize("program", HELLOS)
def test_text_at_address_zero(program: Program, folder: Path) -> None:
    """What lies before the text, headers and notes, has addresses below zero."""
    ours, theirs = both(program, "w", folder, "-T=0")
    assert oracle.differences(ours, theirs) == []
