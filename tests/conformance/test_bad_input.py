"""Bad input: the oracle's exit status, a message that names what is wrong, and no harm done."""

from __future__ import annotations

import resource
import shlex
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.conformance import oracle
from tests.conformance.damage import (
    copy,
    object_at,
    other_fingerprint,
    patched,
    rewrite,
    with_member,
    without,
)
from tests.conformance.oracle import Linked
from tests.conformance.programs import DUPLICATE, TINY, UNDEFINED, Inputs, inputs, table
from tests.conformance.toolchain import compiler
from tests.conformance.tools import need

FLAGS = ("-w",)
OLD = b"what an earlier link wrote\n"
# Variables of package runtime that are no strings.
NO_STRINGS = (
    "adviseUnused allfin allglen allglock allgptr allgs allm allocmLock allp allpLock argc argv "
    "auxv auxvreadbuf crashing deadlock debuglock didothers envs epfd extraM faketime finc "
    "fing finlock finptrmask finq forcegc freezing"
).split()


@pytest.fixture
def tiny(folder: Path) -> Inputs:
    """A copy of a small program's inputs that a test may damage."""
    return copy(inputs(TINY), folder / "inputs")


def archive(given: Inputs, package: str) -> Path:
    return given.archives()[package]


def refuse(
    given: Inputs,
    folder: Path,
    *said: str,
    flags: tuple[str, ...] = FLAGS,
    same_status: bool = True,
    same_words: int = 0,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Linked:
    """Link with both; linkpipe must fail as the oracle does, say all of `said` and the oracle's
    first so many lines, and leave the old output and nothing else."""
    theirs = oracle.link(oracle.stock(), given, flags, folder / "theirs", variables=variables)
    assert theirs.status, "the oracle links this: the test is wrong"
    place = folder / "ours"
    place.mkdir()
    (place / "out").write_bytes(OLD)
    # Not checked: what a damaged object says is no pass's fault.
    unchecked = {"LINKPIPE_CHECK": "0", **variables}
    ours = oracle.link(oracle.linkpipe(), given, flags, place, variables=unchecked)
    unharmed(ours, place)
    for words in (*said, *theirs.stderr.splitlines()[:same_words]):
        assert words in ours.stderr, ours.stderr
    if same_status:
        assert ours.status == theirs.status, (ours.stderr, theirs.stderr)
    return ours


def unharmed(ours: Linked, place: Path) -> None:
    """A failed link: status 1 or 2, a message that is no traceback, the old output as it was."""
    assert ours.status in (1, 2), ours.stderr
    assert ours.stderr.strip()
    assert "Traceback" not in ours.stderr, ours.stderr
    assert "bug in the pass" not in ours.stderr, ours.stderr
    assert (place / "out").read_bytes() == OLD
    left = {entry.name for entry in place.iterdir()}
    assert left <= {"out", "stdout", "stderr"}


@pytest.mark.parametrize("package", ["main", "runtime"])
@pytest.mark.parametrize("part", [0.0, 0.001, 0.3, 0.7, 0.999])
def test_truncated_archive(tiny: Inputs, folder: Path, package: str, part: float) -> None:
    file = archive(tiny, package)
    rewrite(file, lambda data: data[: int(len(data) * part)])
    # Where the oracle runs into the end of its map it crashes, with a status of Go's own.
    refuse(tiny, folder, str(file), same_status=False)


FOLLOWED = [b"?" * 60, bytes(60), b" " * 60, b"x" * 30, b"abc".ljust(60), b"abc.o".ljust(60)]


@pytest.mark.parametrize("rest", FOLLOWED)
def test_an_archive_with_something_behind_it(rest: bytes, tiny: Inputs, folder: Path) -> None:
    rewrite(archive(tiny, "internal/strconv"), lambda data: data + rest)
    theirs = oracle.link_oracle(tiny, FLAGS, folder / "theirs")
    ours = oracle.link_linkpipe(tiny, FLAGS, folder / "ours")
    assert oracle.differences(ours, theirs) == []


@pytest.mark.parametrize("bytes_", [1, 100, 20_000])
def test_a_member_cut_short(bytes_: int, tiny: Inputs, folder: Path) -> None:
    """The oracle does not miss what nobody needs of a large object: its end."""
    rewrite(archive(tiny, "internal/strconv"), lambda data: data[:-bytes_])
    theirs = oracle.link(oracle.stock(), tiny, FLAGS, folder / "theirs")
    ours = oracle.link_linkpipe(tiny, FLAGS, folder / "ours")
    assert ours.status == theirs.status
    if ours.status:
        assert f"{archive(tiny, 'internal/strconv')}" in ours.stderr
    else:
        assert oracle.differences(ours, theirs) == []


def test_files_that_nobody_needs(tiny: Inputs, folder: Path) -> None:
    """An importcfg may name files of any size, and paths that cannot be."""
    with (folder / "sparse.a").open("wb") as file:
        file.truncate(64 << 30)
    with tiny.importcfg.open("a") as config:
        config.write(f"packagefile nobody/a={folder}/sparse.a\n")
        config.write(f"packagefile nobody/b={folder}/\0.a\n")
    theirs = oracle.link_oracle(tiny, FLAGS, folder / "theirs")
    ours = oracle.link_linkpipe(tiny, FLAGS, folder / "ours")
    assert oracle.differences(ours, theirs) == []


def test_a_path_with_nul(tiny: Inputs, folder: Path) -> None:
    config = tiny.importcfg.read_text()
    file = str(archive(tiny, "internal/abi"))
    tiny.importcfg.write_text(config.replace(file, f"{file}\0"))
    same_words(tiny, folder)


@pytest.mark.parametrize("package", ["main", "runtime"])
def test_not_an_archive(tiny: Inputs, folder: Path, package: str) -> None:
    rewrite(archive(tiny, package), patched(b"!<arch>\n", b"!<ARCH>\n"))
    refuse(tiny, folder, str(archive(tiny, package)))


@pytest.mark.parametrize("package", ["main", "runtime"])
def test_wrong_magic(tiny: Inputs, folder: Path, package: str) -> None:
    rewrite(archive(tiny, package), patched(b"\0go120ld", b"\0go118ld"))
    refuse(tiny, folder, str(archive(tiny, package)), "go120ld", same_status=False)


def test_another_go_version(tiny: Inputs, folder: Path) -> None:
    def older(data: bytes) -> bytes:
        return data.replace(b"amd64 go1.27.3", b"amd64 go1.26.9")

    rewrite(archive(tiny, "internal/abi"), older)
    refuse(tiny, folder, str(archive(tiny, "internal/abi")), "go1.26.9", "go1.27.3")


@pytest.mark.parametrize(
    ("program", "variable", "value"),
    [
        ("hello", "GOARCH", "386"),
        ("hello", "GOARCH", "s390x"),
        ("hello", "GOAMD64", "v3"),
        ("hello", "GOEXPERIMENT", "arenas"),
        ("hello", "GOEXPERIMENT", "none"),
        ("hello-386", "GOARCH", "amd64"),
        ("hello-386", "GO386", "softfloat"),
        ("hello-s390x", "GOARCH", "amd64"),
        ("hello-s390x", "GOEXPERIMENT", "nogreenteagc"),
    ],
)
def test_objects_for_another_machine(program: str, variable: str, value: str, folder: Path) -> None:
    """What objects are for stands in their first line; where that is not what the link is for,
    both lines are shown, and they are the oracle's, letter by letter."""
    given = inputs(table()[program])
    refuse(given, folder, "header mismatch", same_words=3, variables={variable: value})


@pytest.mark.parametrize(
    ("program", "variable", "value"),
    [
        ("hello", "GOAMD64", ""),
        ("hello", "GOAMD64", "v9"),
        ("hello", "GOEXPERIMENT", "noregabi"),
        ("hello-386", "GO386", ""),
        ("hello-386", "GOEXPERIMENT", "regabi"),
    ],
)
def test_settings_that_are_the_default_after_all(
    program: str, variable: str, value: str, folder: Path
) -> None:
    """Nothing, what the oracle forgets to refuse, and experiments that nobody can switch."""
    given, variables = inputs(table()[program]), {variable: value}
    theirs = oracle.link_oracle(given, FLAGS, folder / "theirs", variables=variables)
    ours = oracle.link_linkpipe(given, FLAGS, folder / "ours", variables=variables)
    assert oracle.differences(ours, theirs) == []


def test_an_unknown_architecture(tiny: Inputs, folder: Path) -> None:
    refuse(tiny, folder, 'unknown architecture "toy"', variables={"GOARCH": "toy"})


@pytest.mark.parametrize("mode", ["plugin", "pie", "c-shared", "c-archive", "shared"])
def test_a_build_mode_that_the_target_has_not(mode: str, tiny: Inputs, folder: Path) -> None:
    """linux/mips has none of them."""
    given, flags = tiny, (*FLAGS, f"-buildmode={mode}")
    refuse(given, folder, flags=flags, same_words=1, variables={"GOARCH": "mips"})


@pytest.fixture
def c_object(folder: Path) -> Path:
    """What a C compiler makes."""
    source = folder / "f.c"
    source.write_text("int f(void) { return 1; }\n")
    subprocess.run([*shlex.split(compiler()), "-c", "-o", folder / "f.o", source], check=True)
    return folder / "f.o"


@pytest.mark.parametrize("packed", [True, False], ids=["archive", "object"])
@pytest.mark.parametrize("package", ["main", "internal/abi"])
def test_a_foreign_archive(
    package: str, packed: bool, c_object: Path, tiny: Inputs, folder: Path
) -> None:
    """A C library is a package without Go: what refers to it finds nothing there."""
    file = archive(tiny, package)
    file.unlink()
    if packed:
        subprocess.run(["ar", "cr", file, c_object], check=True)
    else:
        file.write_bytes(c_object.read_bytes())
    said = f"{file}: not package main" if package == "main" else "nonexistent package internal/abi"
    assert said in refuse(tiny, folder, said).stderr


def test_an_unknown_object_is_the_host_linkers(folder: Path) -> None:
    """It may be what only that one can read (an object for link-time optimisation, say): here it is
    a linker script, which GNU's linkers take for an object."""
    given = copy(inputs(table()["host"]), folder / "inputs")
    rewrite(archive(given, "runtime/cgo"), with_member("x.o", b"/* nothing */\n"))
    theirs = oracle.link_oracle(given, FLAGS, folder / "theirs", external=True)
    ours = oracle.link_linkpipe(given, FLAGS, folder / "ours", external=True)
    assert oracle.differences(ours, theirs) == []


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ((), "file not recognized"),
        (("-linkmode=internal",), "some input objects have an unrecognized file format"),
    ],
)
def test_an_object_that_nobody_knows(
    flags: tuple[str, ...], said: str, tiny: Inputs, folder: Path
) -> None:
    """The host linker is asked, unless that is ruled out."""
    rewrite(archive(tiny, "internal/abi"), with_member("x.o", b"BC\xc0\xde, or nearly so"))
    refuse(tiny, folder, said, flags=(*FLAGS, *flags))


@pytest.mark.parametrize("content", [b"", b"g", b"package main\n"])
def test_a_main_that_is_no_archive(content: bytes, tiny: Inputs, folder: Path) -> None:
    rewrite(tiny.main, lambda _: content)
    refuse(tiny, folder, f"{tiny.main}: not package main")


def test_a_c_object_for_another_machine(c_object: Path, folder: Path) -> None:
    """The host linker refuses it, and says why."""
    host = table()["host-386"]
    need(host.missing_compiler())
    given = copy(inputs(host), folder / "inputs")
    rewrite(archive(given, "runtime/cgo"), with_member("f.o", c_object.read_bytes()))
    refuse(given, folder, f"running {host.compiler} failed: exit status 1", "incompatible")


def test_fingerprint_mismatch(tiny: Inputs, folder: Path) -> None:
    rewrite(archive(tiny, "internal/abi"), other_fingerprint)
    refuse(tiny, folder, "fingerprint mismatch", "internal/abi")


def test_missing_package(tiny: Inputs, folder: Path) -> None:
    """What is missing stands on standard output, as in the oracle; and in the remedy."""
    without(tiny, "internal/abi")
    same_words(tiny, folder)
    assert "packagefile internal/abi=FILE" in (folder / "ours" / "stderr").read_text()


def test_missing_runtime_cgo(tiny: Inputs, folder: Path) -> None:
    """A host linker finishes the link all the same; that it was not found is said."""
    said = same_words(tiny, folder, (*FLAGS, "-linkmode=external"))
    assert said == []
    assert "cannot find runtime/cgo" in (folder / "ours" / "stdout").read_text()


def test_missing_archive(tiny: Inputs, folder: Path) -> None:
    archive(tiny, "internal/abi").unlink()
    refuse(tiny, folder, str(archive(tiny, "internal/abi")))


def test_missing_main(tiny: Inputs, folder: Path) -> None:
    tiny.main.unlink()
    refuse(tiny, folder, str(tiny.main))


def test_archive_is_a_folder(tiny: Inputs, folder: Path) -> None:
    file = archive(tiny, "internal/abi")
    file.unlink()
    file.mkdir()
    refuse(tiny, folder, str(file))


def test_unreadable_archive(tiny: Inputs, folder: Path) -> None:
    """A link to itself is what nobody can open, root included."""
    file = archive(tiny, "internal/abi")
    file.unlink()
    file.symlink_to(file)
    refuse(tiny, folder, str(file), "too many levels of symbolic links")


def test_missing_importcfg(tiny: Inputs, folder: Path) -> None:
    tiny.importcfg.unlink()
    refuse(tiny, folder, str(tiny.importcfg))


@pytest.mark.parametrize(
    "line", ["packagefile", "packagefile x", "packagefile =x", "importmap a=b", "nonsense a=b"]
)
def test_bad_importcfg(tiny: Inputs, folder: Path, line: str) -> None:
    text = tiny.importcfg.read_text()
    tiny.importcfg.write_text(f"# comment\n{line}\n{text}")
    refuse(tiny, folder, f"{tiny.importcfg}:2")


@pytest.mark.parametrize("flags", [("-w",), ()], ids=["-w", "dwarf"])
def test_undefined_symbol(flags: tuple[str, ...], folder: Path) -> None:
    """In the oracle's words, and where in the source it is referred to."""
    said = same_words(inputs(UNDEFINED), folder, flags)
    assert said == ["main.main: relocation target programs.test/nowhere.missing not defined"]
    source = UNDEFINED.folder / UNDEFINED.package / "main.go"
    lines = source.read_text().splitlines()
    number = next(i for i, line in enumerate(lines, 1) if "println(missing())" in line)
    assert f"\tsource: {source.resolve()}:{number}\n" in (folder / "ours/stderr").read_text()


def spoken(linked: Linked, command: Sequence[str]) -> tuple[int, list[str], str]:
    """Exit status, what was said on standard error but for remedies and linkpipe's own flags (the
    command as it was called is COMMAND), and on standard output."""
    mine = ("linkpipe" if command == oracle.linkpipe() else command[0]) + ": "
    text = linked.stderr.partition("linkpipe's own:\n")[0]
    lines = [line for line in text.splitlines() if line and line[0] != "\t"]
    said = [f"COMMAND: {line[len(mine) :]}" if line.startswith(mine) else line for line in lines]
    return linked.status, said, linked.stdout


def same_words(
    given: Inputs,
    folder: Path,
    flags: Sequence[str] = FLAGS,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Link with both, which must say the same, and nothing less; what is said."""
    theirs, ours = (
        spoken(oracle.link(command, given, flags, folder / place, variables=variables), command)
        for place, command in (("theirs", oracle.stock()), ("ours", oracle.linkpipe()))
    )
    assert ours == theirs
    return theirs[1]


@pytest.mark.parametrize(
    ("flags", "count"), [((), 22), (("-e",), len(NO_STRINGS))], ids=["limited", "-e"]
)
def test_too_many_errors(flags: tuple[str, ...], count: int, tiny: Inputs, folder: Path) -> None:
    """21 of them are shown, and that it is too many; with -e all."""
    wrong = (f"-X=runtime.{name}=x" for name in NO_STRINGS)
    assert len(same_words(tiny, folder, (*FLAGS, *flags, *wrong))) == count


@pytest.mark.parametrize("size", [3300, 100_000])
def test_a_long_build_id_has_no_room(size: int, tiny: Inputs, folder: Path) -> None:
    """It shares the first page with the headers. (Where it is longer than that, the oracle
    crashes.)"""
    flags = (*FLAGS, f"-buildid={'x' * size}")
    refuse(tiny, folder, "-buildid", flags=flags, same_words=size < 4096)


@pytest.mark.parametrize(
    ("flag", "words"),
    [
        ("-R=0x4000000000", "mapping output file failed"),
        ("-funcalign=0x40000000", "too much code"),
    ],
)
def test_a_file_for_which_there_is_no_memory(
    flag: str, words: str, tiny: Inputs, folder: Path
) -> None:
    """Hundreds of gigabytes."""
    ours = refuse(tiny, folder, words, flags=(*FLAGS, flag))
    assert ours.peak < 1 << 29


def test_a_flag_that_is_no_text(tiny: Inputs, folder: Path) -> None:
    same_words(tiny, folder, (*FLAGS, "-E=\udcff"))


def test_halt_on_error(tiny: Inputs, folder: Path) -> None:
    """With -h the first error is the last. (The oracle goes on with a traceback of its own.)"""
    flags = (*FLAGS, "-h", *(f"-X=runtime.{name}=x" for name in NO_STRINGS))
    ours = refuse(tiny, folder, flags=flags, same_words=1)
    assert len(spoken(ours, oracle.linkpipe())[1]) == 1


@pytest.mark.parametrize(
    "flags",
    [
        *(
            "-E=foo",
            "-E=runtime.zerobase",
            "-R=5",
            "-strictdups=3",
            "-g",
            "-importcfg=",
            "-funcalign=3",
        ),
        *("-B=1", "-B=0xzz", "-X=y", "-H=toy", "-buildmode=toy", "-linkmode=toy", "-v=x", "-toy"),
        *("-aslr=false", "-benchmark=x", "-D=0x1001", "-R", "-linkmode=internal -buildmode=plugin"),
    ],
)
def test_flags_in_the_oracles_words(flags: str, tiny: Inputs, folder: Path) -> None:
    said = same_words(tiny, folder, (*FLAGS, *flags.split()))
    assert said, "the oracle links this: the test is wrong"


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"GOOS": "freebsd"}, "linkpipe links for no other system"),
        ({"GOOS": "windows"}, "linkpipe links for no other system"),
        ({"GOARCH": "s390x"}, "rebuild the package"),
        ({"GOARCH": "toy"}, "there are: "),
        ({"GOOS": "windows", "GOARCH": "toy"}, "there are: "),
        ({"GOEXPERIMENT": "toy"}, ""),
    ],
)
def test_targets_in_the_oracles_words(
    variables: Mapping[str, str], said: str, tiny: Inputs, folder: Path
) -> None:
    """All objects that are for something else are named, up to 21; the remedy says for what systems
    linkpipe links."""
    same_words(tiny, folder, variables=variables)
    assert said in (folder / "ours" / "stderr").read_text()


def test_objects_of_another_system(tiny: Inputs, folder: Path) -> None:
    """What is wrong with them is not that they do not match."""
    for file in tiny.archives().values():
        rewrite(file, lambda data: data.replace(b"go object linux ", b"go object plan9 "))
    variables = {"GOOS": "plan9"}
    ours = oracle.link(oracle.linkpipe(), tiny, FLAGS, folder / "ours", variables=variables)
    assert ours.status == 2
    assert ours.stderr.startswith("linkpipe: linking for GOOS=plan9 is not supported")


@pytest.mark.parametrize("words", ["@", "@/", "@/nowhere", "-importcfg /"])
def test_files_that_cannot_be_read_in_the_oracles_words(
    words: str, tiny: Inputs, folder: Path
) -> None:
    said = []
    for command in (oracle.stock(), oracle.linkpipe()):
        argv = [*command, *words.split(), str(tiny.main)]
        done = subprocess.run(
            argv, env=tiny.environment(), text=True, capture_output=True, check=False, cwd=folder
        )
        said.append((done.returncode, done.stderr.splitlines()[0]))
    assert said[0] == said[1]


def test_dynamic_imports_are_refused_by_d(folder: Path) -> None:
    same_words(inputs(table()["host"]), folder, (*FLAGS, "-d"))


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"go objekt linux\n", 2), (b"package abi\n", 1), (b"go object linux", 2)],
)
def test_a_package_that_is_no_object(
    content: bytes, status: int, tiny: Inputs, folder: Path
) -> None:
    """The oracle says what is wrong, goes on, and stumbles later; linkpipe ends at once."""
    file = archive(tiny, "internal/abi")
    rewrite(file, lambda _: content)
    ours = refuse(tiny, folder, str(file), same_status=False, same_words=1)
    assert ours.status == status


def test_duplicate_symbol(folder: Path) -> None:
    refuse(
        inputs(DUPLICATE),
        folder,
        "duplicated definition of symbol programs.test/shared.shared",
        "programs.test/broken/duplicate/one",
        "programs.test/broken/duplicate/two",
    )


def test_no_main_package(tiny: Inputs, folder: Path) -> None:
    """The archive of a library in the place of the main package's."""
    argv = (*tiny.flags, str(archive(tiny, "internal/abi")))
    given = Inputs(tiny.folder, argv, tiny.env)
    refuse(given, folder, str(archive(tiny, "internal/abi")))


@pytest.mark.parametrize("where", ["missing/out", "file/out"])
def test_unwritable_output(tiny: Inputs, folder: Path, where: str) -> None:
    """The output's folder is not there, or is no folder."""
    (folder / "file").write_bytes(b"")
    statuses = []
    for command in (oracle.stock(), oracle.linkpipe()):
        argv = [*command, "-o", str(folder / where), *tiny.flags, *FLAGS, str(tiny.main)]
        done = subprocess.run(
            argv, env=tiny.environment(), text=True, capture_output=True, check=False
        )
        assert where in done.stderr, done.stderr
        assert "Traceback" not in done.stderr
        statuses.append(done.returncode)
    assert statuses[0] == statuses[1] != 0


def test_output_is_a_folder(tiny: Inputs, folder: Path) -> None:
    (folder / "out" / "kept").mkdir(parents=True)
    linked = oracle.link(oracle.linkpipe(), tiny, FLAGS, folder, name="out")
    assert linked.status in (1, 2)
    assert "cannot create out: open out: is a directory" in linked.stderr
    assert "Traceback" not in linked.stderr
    assert (folder / "out" / "kept").is_dir()


def test_output_through_a_symbolic_link(tiny: Inputs, folder: Path) -> None:
    """As the oracle: the output is removed and made anew when it is a regular file; anything else
    (a device, a symbolic link) stays what it is and is written to."""
    for command, place in ((oracle.stock(), "theirs"), (oracle.linkpipe(), "ours")):
        at = folder / place
        at.mkdir()
        (at / "target").write_bytes(OLD)
        (at / "out").symlink_to("target")
        linked = oracle.link(command, tiny, FLAGS, at)
        assert linked.status == 0, linked.stderr
        assert (at / "out").is_symlink(), place
    assert oracle.same(folder / "ours" / "target", folder / "theirs" / "target")


def failing_compiler(folder: Path, script: str) -> Path:
    compiler = folder / "cc"
    compiler.write_text(f"#!/bin/sh\n{script}\n")
    compiler.chmod(0o755)
    return compiler


@pytest.mark.parametrize("name", ["plugin", "host"])
def test_failing_compiler(name: str, folder: Path) -> None:
    """What the C compiler printed is shown, in the oracle's words."""
    given = inputs(table()[name])
    compiler = failing_compiler(folder, 'echo "cc: no space left in my heart" >&2; exit 3')
    ours = refuse(given, folder, "no space left in my heart", flags=(*FLAGS, f"-extld={compiler}"))
    assert "exit status 3" in ours.stderr


def test_missing_compiler(folder: Path) -> None:
    given = inputs(table()["plugin"])
    refuse(given, folder, "no-such-compiler", flags=(*FLAGS, "-extld=/nowhere/no-such-compiler"))


def test_compiler_that_writes_nothing(folder: Path) -> None:
    """A C compiler that claims success and leaves no file: still no wreckage."""
    given = inputs(table()["plugin"])
    place = folder / "ours"
    place.mkdir()
    compiler = failing_compiler(folder, "exit 0")
    ours = oracle.link(oracle.linkpipe(), given, (*FLAGS, f"-extld={compiler}"), place)
    assert "Traceback" not in ours.stderr
    assert "bug in the pass" not in ours.stderr


@pytest.fixture
def small_files() -> Callable[[], None]:
    """What to call in a child, before it starts a program, so that the "disk" is soon full: no
    file may grow beyond 64 KiB."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))

    return limit


@pytest.mark.parametrize("program", ["tiny", "plugin"])
def test_full_disk(program: str, folder: Path, small_files: Callable[[], None]) -> None:
    """The file cannot be written to its end: an error that names it, and the old one stays."""
    given = inputs(TINY if program == "tiny" else table()[program])
    (folder / "out").write_bytes(OLD)
    env = given.environment() | {"TMPDIR": str(folder)}
    env.pop("COVERAGE_PROCESS_CONFIG", None)  # what is reached is written to a file, too
    done = subprocess.run(
        [*oracle.linkpipe(), "-o", str(folder / "out"), *given.flags, *FLAGS, str(given.main)],
        env=env,
        text=True,
        capture_output=True,
        check=False,
        preexec_fn=small_files,
    )
    assert done.returncode in (1, 2), done.stderr
    assert "Traceback" not in done.stderr
    assert "bug in the pass" not in done.stderr
    assert str(folder) in done.stderr, done.stderr
    assert (folder / "out").read_bytes() == OLD
    assert [entry.name for entry in folder.iterdir()] == ["out"]


def test_object_header_is_checked_first(tiny: Inputs, folder: Path) -> None:
    """Block offsets that run backwards, in the archive of the package that everything needs."""

    def backwards(data: bytes) -> bytes:
        at = object_at(data) + 20 + 4 * 5
        return data[:at] + (7).to_bytes(4, "little") + data[at + 4 :]

    rewrite(archive(tiny, "runtime"), backwards)
    refuse(tiny, folder, str(archive(tiny, "runtime")), same_status=False)
