"""What is damaged: the inputs of links that succeed.

The *small* program imports a runtime of a page (`small/`), so that a link of it takes a tenth of
the smallest real one, and a record that is chosen at random matters. The *c* one has, instead of
Go's variety, objects of a C compiler that are linked without a host linker, a library that stands
in for the compiler's, and names of shared libraries. The *real* one is `tiny`, with the runtime as
it is; *so* is the same, linked with the runtime in a shared library of Go.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from attrs import field, frozen

from linkpipe.engine.plugins import Catalog
from linkpipe.formats import elf, elfread
from linkpipe.formats.archive import AR_MAGIC
from linkpipe.testing.links import release
from tests.conformance.damage import with_member
from tests.conformance.programs import TINY, Inputs, Program, inputs, lock, table
from tests.conformance.targets import native, targets
from tests.conformance.toolchain import cache, compiler, environment, goroot, link_tool

HERE = Path(__file__).parent
SMALL = HERE / "small"
# In the order in which they are compiled: import path, and the flags of the toolchain's own.
RUNTIME = {"internal/runtime/maps": ("-std", "-+"), "runtime": ("-std", "-+")}
PACKAGES = {
    "small": {**RUNTIME, "fuzz/lib": (), "main": ()},
    "c": {**RUNTIME, "fuzz/c": (), "main": ()},
}
FOLDERS = {"internal/runtime/maps": "maps", "fuzz/lib": "lib", "fuzz/c": "c"}
LIBGCC, LIBRARY = "libgcc.a", "libruntime,sync-atomic.so"
SHARED = Program("tinyshared", TINY.folder, TINY.package, cgo=True, flags=("-linkshared",))
BORROWED = ("internal/abi", "internal/goarch")
STUB = "\nTEXT runtime·{name}{abi}(SB),516,$0\n\tRET\n"


@frozen
class Base:
    """The inputs of a link, by a name, and the C compiler that finishes it, if any; ``flags``
    that it is linked with in all modes; ``beside``: files that the link finds in its folder."""

    name: str
    inputs: Inputs
    cc: Path
    flags: tuple[str, ...] = ()
    beside: Mapping[str, Path] = field(factory=dict, hash=False)

    @property
    def kind(self) -> str:
        """The name without the architecture."""
        return self.name.partition("-")[0]


def base(name: str) -> Base:
    """A base by its name: "tiny", or small, c, cpie (made so that it may lie anywhere) or so, with
    "-GOARCH" (so: of this machine)."""
    kind, _, arch = name.partition("-")
    if kind == "tiny":
        return Base(name, inputs(TINY), host_linker())
    if kind == "so":
        given = inputs(SHARED)
        library = given.folder / "lib" / LIBRARY
        return Base(name, given, host_linker(), beside={LIBRARY: library})
    given = small(arch, kind)
    if kind == "small":
        return Base(name, given, host_linker())
    mode = "pie" if kind == "cpie" else "exe"
    flags = ("-linkmode=internal", f"-libgcc={LIBGCC}", f"-buildmode={mode}")
    return Base(name, given, host_linker(), flags, {LIBGCC: given.folder / LIBGCC})


def names() -> list[str]:
    """All bases, those of this machine first."""
    arches = list(dict.fromkeys([native(), *targets()]))
    found = ["tiny", *(f"small-{goarch}" for goarch in arches)]
    if shutil.which(_compiler(native())[0]):
        found.append(f"so-{native()}")
    for goarch in arches:
        arch = Catalog().load("arches", goarch)
        if arch.linkage and arch.linkage.host and shutil.which(_compiler(goarch)[0]):
            found += [f"c-{goarch}", *([f"cpie-{goarch}"] if arch.internal_pie else [])]
    return found


def small(goarch: str, kind: str = "small") -> Inputs:
    """A small program for an architecture, compiled once."""
    digest = hashlib.sha256((goroot() / "VERSION").read_bytes() + Path(__file__).read_bytes())
    for file in sorted(SMALL.rglob("*.*")):
        digest.update(file.read_bytes())
    folder = cache() / "fuzz" / f"{kind}-{goarch}-{digest.hexdigest()[:12]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with lock(folder.parent / f"{folder.name}.lock"):
        if not (folder / "cmd").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _compile(goarch, folder, kind)
    return Inputs.read(folder)


def _compile(goarch: str, folder: Path, kind: str) -> None:
    program = table().get(f"hello-{goarch}") or table()["hello"]
    real = inputs(program)
    env = {
        key: value for key, value in real.env.items() if key.startswith("GO") and key != "GOROOT"
    }
    archives: dict[str, Path] = {}
    for path in BORROWED:
        archives[path] = folder / "pkg" / f"{path}.a"
        archives[path].parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(real.archives()[path], archives[path])
    config = folder / "importcfg"
    anywhere = ["-shared"] if kind == "cpie" else []
    with_c = kind != "small"

    def tool(name: str, *words: str | Path) -> None:
        path = link_tool().with_name(name)
        subprocess.run([path, *words], cwd=folder, env=environment(**env), check=True)

    def write_config() -> None:
        lines = [f"packagefile {path}={file}\n" for path, file in archives.items()]
        config.write_text("".join(lines))

    for path, flags in PACKAGES["c" if with_c else kind].items():
        write_config()
        source = SMALL / FOLDERS.get(path, path)
        if with_c and path == "main":
            source = SMALL / "cmain"
        archive = folder / "pkg" / f"{path}.a"
        archive.parent.mkdir(parents=True, exist_ok=True)
        words: list[str | Path] = ["-p", path, *flags, *anywhere, "-pack", "-importcfg", config]
        # Paths in debug information do not depend on the machine.
        words += ["-trimpath", f"{source}=>/{path}", "-o", archive]
        if path == "runtime":
            (folder / "asm.s").write_text(_assembly(goarch, source))
            assemble: list[str | Path] = [
                "-p",
                path,
                *anywhere,
                "-I",
                goroot() / "pkg" / "include",
                "-trimpath",
                str(folder),
            ]
            tool("asm", *assemble, "-gensymabis", "-o", "symabis", "asm.s")
            tool("asm", *assemble, "-o", "asm.o", "asm.s")
            words += ["-symabis", "symabis"]
        tool("compile", *words, *sorted(source.glob("*.go")))
        if path == "runtime":
            member = with_member("asm.o", (folder / "asm.o").read_bytes())
            archive.write_bytes(member(archive.read_bytes()))
        for name, content in _objects(goarch, source, folder).items():
            archive.write_bytes(with_member(name, content)(archive.read_bytes()))
        if path != "main":
            archives[path] = archive
    write_config()
    if with_c:
        (folder / LIBGCC).write_bytes(_library(_objects(goarch, SMALL / "libgcc", folder)))
    argv = ["-importcfg", str(config), "-buildmode=exe", str(folder / "pkg" / "main.a")]
    command = {"argv": argv, "operands": 1, "env": real.env, "cwd": str(folder)}
    (folder / "cmd").write_text(json.dumps(command, indent=1) + "\n")


def _compiler(goarch: str) -> list[str]:
    """The C compiler for an architecture."""
    words = compiler() if goarch == native() else targets()[goarch].compiler
    return shlex.split(words)


# Go's linker refuses Thumb code.
_C_FLAGS = {"arm": ("-marm",)}


def _objects(goarch: str, source: Path, folder: Path) -> dict[str, bytes]:
    """The objects of the C files of a folder, by name."""
    out = {}
    for file in sorted(source.glob("*.c")):
        made = folder / f"{file.stem}.o"
        flags = ["-O1", "-g", "-fPIC", "-ffreestanding", "-fno-stack-protector", "-c"]
        words = [*_compiler(goarch), *_C_FLAGS.get(goarch, ()), *flags]
        words += [f"-ffile-prefix-map={source}=/c", "-o", str(made), str(file)]
        subprocess.run(words, cwd=folder, check=True)
        out[made.name] = made.read_bytes()
        made.unlink()
    return out


def _library(objects: Mapping[str, bytes]) -> bytes:
    """An archive of C objects, with a map of what they define."""
    at, places, names = 0, list[int](), list[bytes]()
    body = b""
    for name, content in objects.items():
        data = np.frombuffer(content, np.uint8)
        symbols = elfread.parse(name, data).symbols
        for row, record in enumerate(symbols.records.tolist()):
            found = dict(zip(symbols.records.dtype.names or (), record, strict=True))
            if found["info"] >> 4 == elf.STB_GLOBAL and found["section"]:
                places.append(len(body))
                names.append(symbols.name(row).encode())
        body = with_member(f"{name}/", content)(body)
    text = b"".join(name + b"\0" for name in names)
    size = 4 + 4 * len(places) + len(text)
    at = len(AR_MAGIC) + 60 + size + (size & 1)
    armap = [len(places), *(at + place for place in places)]
    content = b"".join(word.to_bytes(4, "big") for word in armap) + text
    return with_member("/", content)(AR_MAGIC) + body


def _assembly(goarch: str, source: Path) -> str:
    """The entry, and what compiled code may call."""
    text = (source / "asm.s").read_text().replace("_rt0_entry", f"_rt0_{goarch}_linux")
    go = (source / "runtime.go").read_text()
    stubs = {
        name.removeprefix("runtime."): "<ABIInternal>" if abi else ""
        for name, abi in ((name.decode(), abi) for name, abi in release().builtins)
        if name.startswith("runtime.") and (abi or "morestack" in name)
    }
    # And what linkers ask for by name, or the compiler without a number.
    more = "mapinitnoop memequal_varlen memhash_varlen panicBounds panicExtend udiv".split()
    for kind in ("Tiny", "SmallNoScan", "SmallScanNoHeader"):
        more += [f"mallocgc{kind}SC{size}" for size in range(70)]
    stubs |= dict.fromkeys(more, "<ABIInternal>") | {"addmoduledata": ""}
    text += "".join(
        STUB.format(name=name, abi=abi)
        for name, abi in stubs.items()
        if f"func {name}(" not in go and f"\t{name} " not in go
    )
    return text


def host_linker() -> Path:
    """A stand-in for the C compiler: it writes how it was called and what objects it was given."""
    source = HERE / "cc.c"
    program = cache() / "fuzz" / f"cc-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}"
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        mine = program.with_name(f"{program.name}.{os.getpid()}")
        words: Sequence[str | Path] = [*compiler().split(), "-o", mine, source]
        subprocess.run(words, check=True)
        mine.rename(program)
    return program
