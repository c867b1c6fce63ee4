"""What is damaged: the inputs of links that succeed.

The *small* program imports a runtime of a page (`small/`), so that a link of it takes a tenth of
the smallest real one, and a record that is chosen at random matters. The *real* one is `tiny`, with
the runtime as it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from linkpipe.testing.links import release
from tests.conformance.damage import with_member
from tests.conformance.programs import TINY, Inputs, inputs, lock, table
from tests.conformance.targets import native, targets
from tests.conformance.toolchain import cache, compiler, environment, goroot, link_tool

HERE = Path(__file__).parent
SMALL = HERE / "small"
# In the order in which they are compiled: import path, and the flags of the toolchain's own.
PACKAGES = {
    "internal/runtime/maps": ("-std", "-+"),
    "runtime": ("-std", "-+"),
    "fuzz/lib": (),
    "main": (),
}
FOLDERS = {"internal/runtime/maps": "maps", "fuzz/lib": "lib"}
BORROWED = ("internal/abi", "internal/goarch")
STUB = "\nTEXT runtime·{name}{abi}(SB),516,$0\n\tRET\n"


@frozen
class Base:
    """The inputs of a link, by a name, and the C compiler that finishes it where one does."""

    name: str
    inputs: Inputs
    cc: Path


def base(name: str) -> Base:
    """A base by its name: "tiny", or "small-GOARCH"."""
    kind, _, arch = name.partition("-")
    return Base(name, small(arch) if kind == "small" else inputs(TINY), host_linker())


def names() -> list[str]:
    """All bases, those of this machine first."""
    arches = [native(), *targets()]
    return ["tiny", *(f"small-{arch}" for arch in dict.fromkeys(arches))]


def small(goarch: str) -> Inputs:
    """The small program for an architecture, compiled once."""
    digest = hashlib.sha256((goroot() / "VERSION").read_bytes() + Path(__file__).read_bytes())
    for file in sorted(SMALL.rglob("*.*")):
        digest.update(file.read_bytes())
    folder = cache() / "fuzz" / f"small-{goarch}-{digest.hexdigest()[:12]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with lock(folder.parent / f"{folder.name}.lock"):
        if not (folder / "cmd").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _compile(goarch, folder)
    return Inputs.read(folder)


def _compile(goarch: str, folder: Path) -> None:
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

    def tool(name: str, *words: str | Path) -> None:
        path = link_tool().with_name(name)
        subprocess.run([path, *words], cwd=folder, env=environment(**env), check=True)

    def write_config() -> None:
        lines = [f"packagefile {path}={file}\n" for path, file in archives.items()]
        config.write_text("".join(lines))

    for path, flags in PACKAGES.items():
        write_config()
        source = SMALL / FOLDERS.get(path, path)
        archive = folder / "pkg" / f"{path}.a"
        archive.parent.mkdir(parents=True, exist_ok=True)
        words: list[str | Path] = ["-p", path, *flags, "-pack", "-importcfg", config]
        # Paths in debug information do not depend on the machine.
        words += ["-trimpath", f"{source}=>/{path}", "-o", archive]
        if path == "runtime":
            (folder / "asm.s").write_text(_assembly(goarch, source))
            assemble: list[str | Path] = [
                "-p",
                path,
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
        if path != "main":
            archives[path] = archive
    write_config()
    argv = ["-importcfg", str(config), "-buildmode=exe", str(folder / "pkg" / "main.a")]
    command = {"argv": argv, "operands": 1, "env": real.env, "cwd": str(folder)}
    (folder / "cmd").write_text(json.dumps(command, indent=1) + "\n")


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
