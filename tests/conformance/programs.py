"""The programs of the comparison, and their link inputs, captured once and kept."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve, field, frozen

from linkpipe.engine.plugins import Catalog
from linkpipe.reloctype import R_ADDR
from tests.conformance.targets import Target, targets
from tests.conformance.toolchain import ROOT, cache, compiler, environment, go, goroot

HERE = Path(__file__).resolve().parent
PROGRAMS = ROOT / "tests" / "programs"
CPROGRAMS = ROOT / "tests" / "cprograms"
SQLITE = ROOT / "tests" / "sqlite"
EXAMPLES = ROOT / "examples"


@frozen
class Program:
    """A Go program of the comparison.

    `folder` is where go build runs (relative to GOROOT for the toolchain's own), `package` what it
    builds; `run` are the arguments with which the linked program prints the same on every run
    (None: it is not run alone); `target` is what it is built for when not for this machine,
    `user` is a C program that calls a library, which is then run in its place;
    `shared` programs load shared libraries, though they have no C code;
    `flags` are more flags of go build, and `variables` more of its environment;
    `big` programs are left to `make conformance`; `broken` ones compile and cannot be linked.
    """

    name: str
    folder: Path
    package: str
    buildmode: str = "exe"
    cgo: bool = False
    target: Target | None = None
    ldflags: str = ""
    run: tuple[str, ...] | None = ()
    user: Path | None = None
    shared: bool = False
    big: bool = False
    broken: bool = False
    flags: tuple[str, ...] = field(default=(), repr=False)
    variables: Mapping[str, str] = field(factory=dict, repr=False, hash=False)

    @property
    def goarch(self) -> str:
        """The architecture, "" for this machine's."""
        return self.target.goarch if self.target else ""

    @property
    def modular(self) -> bool:
        """Whether it is, or is linked with, a shared library of Go."""
        return self.buildmode == "shared" or "-linkshared" in self.flags

    @property
    def compiler(self) -> str:
        """The C compiler, with its flags."""
        return self.target.compiler if self.target else compiler()

    @property
    def base(self) -> str:
        """The name without the architecture."""
        return self.name.removesuffix(f"-{self.goarch}")

    @property
    def runner(self) -> tuple[str, ...]:
        """What stands before the program on the command line to run it."""
        return self.target.runner(cgo=self.cgo or self.shared) if self.target else ()

    def missing_compiler(self) -> str:
        """What is missing to build it; "": nothing."""
        return self.target.missing_compiler() if self.target and self.cgo else ""

    def missing_runner(self) -> str:
        """What is missing to run it; "": nothing."""
        return self.target.missing_runner(cgo=self.cgo or self.shared) if self.target else ""

    def under(self, experiment: str) -> Program:
        """The same built with a GOEXPERIMENT."""
        variables = {**self.variables, "GOEXPERIMENT": experiment}
        return evolve(self, name=f"{self.name}-{experiment}", variables=variables)

    def on(self, target: Target) -> Program:
        """The same for another architecture."""
        big = self.big or self.name in BIG_ELSEWHERE
        # The race detector does not start in an emulator.
        run = None if "-race" in self.flags else self.run
        return evolve(self, name=f"{self.name}-{target.goarch}", target=target, big=big, run=run)


# What is built for every architecture, and what of it is left to `make conformance`.
EVERYWHERE = (
    *("hello", "features", "httpserver", "cgoserver", "gofmt", "host", "plugin"),
    *("pie", "cshared", "carchive", "dynamic", "ownpie", "dynpie"),
    *("netuser", "netuserpie", "ownc", "owncpie"),
    *("sharedlib", "linkshared", "race"),
)
BIG_ELSEWHERE = (
    *("httpserver", "cgoserver", "gofmt", "hello-nodwarf5", "pie", "carchive", "dynpie"),
    *("netuser", "sharedlib", "linkshared", "race"),
)
# Of these the C code is linked without a host linker.
WITH_C = ("netuser", "netuserpie", "ownc", "owncpie")
# What is built with debug information of version 4, too.
DWARF4 = ("hello", "features", "host", "plugin")

# The smallest library that holds the runtime (cmd/cgo/internal/testshared).
SHARED = ("runtime", "sync/atomic")

# A module with a large C library in it, which the go command gets where it usually does. The
# library refers to a function that the program has, so cgo's trial link must bear that.
_MODULES = {"GOPROXY": ""}
_OWN_VFS = {
    "CGO_CFLAGS": "-g -O2 -DSQLITE_OS_OTHER=1",
    "CGO_LDFLAGS": "-Wl,--unresolved-symbols=ignore-all",
}

UNDEFINED = Program("undefined", PROGRAMS, "./broken/undefined", broken=True)
DUPLICATE = Program("duplicate", PROGRAMS, "./broken/duplicate", broken=True)
TINY = Program("tiny", PROGRAMS, "./tiny")
TRACKED = Program("tracked", PROGRAMS, "./tracked").under("fieldtrack")
FIRSTCAUSE = Program("firstcause", PROGRAMS, "./firstcause")


def _links(target: Target, program: Program) -> bool:
    """Whether the release links such a program for an architecture without a host linker, or with
    one where it has C code."""
    version = (goroot() / "VERSION").read_text().split()[0].removeprefix("go")
    arch = Catalog().load("arches", target.goarch).at(".".join(version.split(".")[:2]))
    host = arch.linkage.host.values() if arch.linkage else ()
    if program.buildmode not in arch.build_modes:
        return False
    if program.name in WITH_C and not host:
        return False
    if "-race" in program.flags:
        detectors = goroot() / "src" / "runtime" / "race"
        return (detectors / f"race_linux_{target.goarch}.syso").exists()
    if program.name == "ownc" and R_ADDR not in {reloc.type for reloc in host}:
        return False  # it has data with addresses
    if program.modular:
        return "shared" in arch.build_modes
    if not program.shared and program.name not in WITH_C:
        return True
    if program.name not in WITH_C and not (arch.linkage and arch.linkage.in_text):
        return False
    return program.buildmode != "pie" or arch.internal_pie


def table() -> dict[str, Program]:
    """All programs by name, those of this machine first, then smallest first."""
    commands = goroot() / "src" / "cmd"
    named = "-X main.version=1.2.3 -X 'main.banner=made by the linker'"
    programs = (
        Program("hello", PROGRAMS, "./hello"),
        Program("features", PROGRAMS, "./features", ldflags=named),
        Program("dynamic", PROGRAMS, "./dynamic", shared=True),
        Program("ownpie", PROGRAMS, "./features", buildmode="pie", ldflags=named, shared=True),
        Program("dynpie", PROGRAMS, "./dynamic", buildmode="pie", shared=True),
        Program("httpserver", PROGRAMS, "./httpserver", run=("-self",)),
        Program(
            "cgoserver",
            PROGRAMS,
            "./httpserver",
            cgo=True,
            ldflags="-linkmode=external",
            run=("-self",),
        ),
        Program("netuser", CPROGRAMS, "./netuser", cgo=True),
        Program("netuserpie", CPROGRAMS, "./netuser", buildmode="pie", cgo=True, big=True),
        Program("ownc", CPROGRAMS, "./ownc", cgo=True, ldflags="-linkmode=internal"),
        Program(
            "owncpie",
            CPROGRAMS,
            "./ownc",
            buildmode="pie",
            cgo=True,
            ldflags="-linkmode=internal",
            big=True,
        ),
        *(
            Program(
                f"loader{mode}",
                CPROGRAMS,
                "./loader",
                cgo=True,
                ldflags=f"-linkmode={mode}" * bool(mode),
                big=True,
            )
            for mode in ("", "external", "internal")
        ),
        Program("host", EXAMPLES, "./host", cgo=True, run=None),
        Program("plugin", EXAMPLES, "./plugin", buildmode="plugin", cgo=True, run=None),
        Program(
            "pie", PROGRAMS, "./hello", buildmode="pie", cgo=True, ldflags="-linkmode=external"
        ),
        *(
            Program(
                name,
                PROGRAMS,
                "./clib",
                buildmode=mode,
                cgo=True,
                ldflags=named,
                user=PROGRAMS / "clib.c",
            )
            for name, mode in (("cshared", "c-shared"), ("carchive", "c-archive"))
        ),
        Program(
            "asan", PROGRAMS, "./features", cgo=True, ldflags=named, flags=("-asan",), big=True
        ),
        # The runtime and what it needs as a library of Go, and a program that is linked with it.
        Program("sharedlib", PROGRAMS, "", buildmode="shared", cgo=True, run=None),
        Program("linkshared", PROGRAMS, "./features", cgo=True, flags=("-linkshared",)),
        Program("race", CPROGRAMS, "./netuser", cgo=True, flags=("-race",), big=True),
        Program("sqlite", SQLITE, ".", cgo=True, big=True, variables=_MODULES),
        Program(
            "sqliteown",
            SQLITE,
            ".",
            cgo=True,
            ldflags="-linkmode=internal",
            big=True,
            flags=("-tags=ownvfs",),
            variables=_MODULES | _OWN_VFS,
        ),
        Program("gofmt", commands, "cmd/gofmt", run=("-d", str(HERE / "unformatted.go.txt"))),
        Program("go", commands, "cmd/go", run=("version",), big=True),
        Program("compile", commands, "cmd/compile", run=("-V=full",), big=True),
    )
    older = [program.under("nodwarf5") for program in programs if program.name in DWARF4]
    if not (goroot() / "src" / "internal" / "goexperiment" / "exp_dwarf5_off.go").exists():
        older = []  # this release has no choice
    elsewhere = (
        program.on(target)
        for target in targets().values()
        for program in (*programs, *older)
        if program.name.removesuffix("-nodwarf5") in EVERYWHERE and _links(target, program)
    )
    return {program.name: program for program in (*programs, *older, *elsewhere)}


@frozen
class Inputs:
    """The inputs of one link, as capture.py left them in `folder`."""

    folder: Path
    argv: tuple[str, ...]
    env: dict[str, str]
    count: int = 1

    @classmethod
    def read(cls, folder: Path) -> Inputs:
        command = json.loads((folder / "cmd").read_text())
        return cls(folder, tuple(command["argv"]), command["env"], command["operands"])

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags that the go command gave, without -o."""
        return self.argv[: -self.count]

    @property
    def operands(self) -> tuple[str, ...]:
        """What is linked: the archive of the main package, or PATH=FILE for each of a library."""
        return self.argv[-self.count :]

    @property
    def main(self) -> Path:
        """The archive of the main package, or the last one of a library."""
        return Path(self.argv[-1].rpartition("=")[2])

    @property
    def importcfg(self) -> Path:
        return self.folder / "importcfg"

    def archives(self) -> dict[str, Path]:
        """Package path -> archive, the main package included under "main"."""
        pairs = (
            line.removeprefix("packagefile ").partition("=")
            for line in self.importcfg.read_text().splitlines()
            if line.startswith("packagefile ")
        )
        return {package: Path(file) for package, _, file in pairs} | {"main": self.main}

    def environment(self) -> dict[str, str]:
        """The environment in which to link."""
        return environment() | self.env


def key(program: Program) -> str:
    """Changes when the program's sources, its flags or the toolchain do."""
    digest = hashlib.sha256(
        repr((program, (goroot() / "VERSION").read_text(), program.compiler)).encode()
    )
    digest.update((HERE / "capture.py").read_bytes())
    if program.flags or program.variables:
        digest.update(repr((program.flags, sorted(program.variables.items()))).encode())
    if ROOT in program.folder.parents:
        for file in sorted(program.folder.rglob("*")):
            if file.suffix in {".go", ".mod", ".s", ".txt"}:
                digest.update(f"{file.relative_to(program.folder)}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def capture(program: Program, folder: Path) -> Inputs:
    """Build the program once and keep the inputs of its link in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    stub = folder / "toolexec"
    words = shlex.join([sys.executable, str(HERE / "capture.py"), str(folder)])
    # Compilers are started by the shell at once; only the link takes the way through Python.
    stub.write_text(
        f'#!/bin/sh\ncase "${{1##*/}}" in link) exec {words} "$@" ;; *) exec "$@" ;; esac\n'
    )
    stub.chmod(0o755)
    variables = {"CGO_ENABLED": str(int(program.cgo))}
    if program.target:
        variables |= program.target.environment(cgo=program.cgo)
    variables |= program.variables
    library: tuple[str | Path, ...] = ()
    if program.modular:
        library = (f"-pkgdir={folder / 'lib'}",)
        words = f"-toolexec={shlex.quote(str(stub))}"
        go("install", "-buildmode=shared", words, *library, *SHARED, cwd=ROOT, **variables)
        if program.buildmode == "shared":
            return Inputs.read(folder)
    arguments: tuple[str | Path, ...] = (
        "build",
        *library,
        f"-toolexec={shlex.quote(str(stub))}",
        "-buildvcs=false",
        f"-buildmode={program.buildmode}",
        f"-ldflags={program.ldflags}",
        *program.flags,
        "-o",
        folder / "built",
        program.package,
    )
    try:
        go(*arguments, cwd=program.folder, **variables)
    except RuntimeError:
        if not (program.broken and (folder / "cmd").exists()):
            raise
    (folder / "built").unlink(missing_ok=True)
    return Inputs.read(folder)


def inputs(program: Program) -> Inputs:
    """The inputs of the program's link, from the cache or by a build."""
    folder = cache() / "conformance" / f"{program.name}-{key(program)}"
    if not (folder / "cmd").exists():
        # Workers of a parallel test run may come here together: the first rename wins, and the
        # paths inside name the final folder, so each captures under a lock.
        folder.parent.mkdir(parents=True, exist_ok=True)
        with lock(folder.parent / f"{folder.name}.lock"):
            if not (folder / "cmd").exists():
                shutil.rmtree(folder, ignore_errors=True)
                capture(program, folder)
    return Inputs.read(folder)


class lock:  # noqa: N801 - used like a function
    """Hold a file's lock: one process captures, the others wait for it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        import fcntl

        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = self.path.open("w")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self.file.close()


def scratch() -> Path:
    """A new folder for outputs, on the file system of the cache."""
    base = cache() / "out"
    base.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=base, prefix=f"{os.getpid()}-"))
