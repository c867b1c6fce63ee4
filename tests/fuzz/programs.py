"""Valid Go programs, written by chance: what two linkers must link to the same bytes.

A *batch* is a few library packages and several programs that use some of them. Each package is a
row of snippets (`snippets/`), one for a feature that the compiler has the linker do something for;
a snippet has an entry, ``UseN``, and who calls which entries decides what is reachable. Everything
is decided by seed and number; packages are compiled by the compiler itself, against archives
captured before.

A snippet is Go with a few marks: ``#`` is its number, ``PATH`` its package; ``«a|b»`` is one of
these, ``«1..9»`` a number, ``«type»`` a type; a line that starts with ``?`` is there or is not, and
one with ``!`` when the ``?`` line before it is not. After ``-- import``, ``-- s``, ``-- cgo`` and
``-- embed`` stands what it needs beside it.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import attrs

from tests.conformance.damage import with_member
from tests.conformance.programs import Inputs, inputs, table
from tests.conformance.targets import native
from tests.conformance.toolchain import environment, goroot, link_tool
from tests.fuzz.bases import host_linker, small
from tests.fuzz.cases import MODES, SHARES, Files

SNIPPETS = Path(__file__).with_name("snippets")
LIBRARIES, PROGRAMS = 3, 12  # of a batch
BASIC = (
    "int8 int32 int64 uint16 uint64 float32 float64 string bool uintptr complex128 []byte error any"
).split()
# Need packages that the smallest programs have not, and link slower.
KEPT = """var kept []any

func init() { kept = append(kept, uintptr(len(kept)), unsafe.Pointer(&kept)) }"""
"""What debug information asks for, a plugin's too, and the small runtime does not keep."""
HEAVY = ("printing", "reflection")


def a_type(chance: Random, depth: int = 0) -> str:
    """A type, written out."""
    if depth > 3 or chance.random() < 0.4:
        return chance.choice(BASIC)
    inner, other = a_type(chance, depth + 1), a_type(chance, depth + 1)
    key = chance.choice(("string", "int", "float64", "[2]int16", "struct{ A int; b string }"))
    forms = (
        f"[]{inner}",
        f"*{inner}",
        f"[{chance.randrange(1, 9)}]{inner}",
        f"map[{key}]{inner}",
        f"chan {inner}",
        f"func({inner}) {other}",
        f"struct {{ A {inner}; b {other} }}",
        f"interface {{ M(x {inner}) }}",
    )
    return chance.choice(forms)


def expand(chance: Random, text: str, number: int, path: str) -> str:
    """A snippet's text with its marks replaced."""
    lines, kept = [], True
    for line in text.split("\n"):
        if line.startswith("?"):
            kept = chance.random() < 0.5
            line = line[1:] if kept else ""
        elif line.startswith("!"):
            line = "" if kept else line[1:]
        lines.append(line)

    def choose(mark: re.Match[str]) -> str:
        inside = mark[1]
        if inside == "type":
            return a_type(chance)
        numbers = re.fullmatch(r"(\d+)\.\.(\d+)", inside)
        if numbers:
            return str(chance.randint(int(numbers[1]), int(numbers[2])))
        return chance.choice(inside.split("|"))

    text = re.sub("«([^»]*)»", choose, "\n".join(lines))
    return text.replace("#", str(number)).replace("PATH", path.replace("/", "_"))


@attrs.define
class Source:
    """A package that is being written."""

    path: str
    imports: set[str] = attrs.field(factory=set)
    declared: list[str] = attrs.field(factory=list)
    entries: list[str] = attrs.field(factory=list)
    assembly: list[str] = attrs.field(factory=list)
    embedded: dict[str, str] = attrs.field(factory=dict)
    directives: list[str] = attrs.field(factory=list)

    def go(self, package: str) -> str:
        """The Go file."""
        return "\n\n".join([f"package {package}", *sorted(self.imports), *self.declared]) + "\n"

    def add(self, chance: Random, snippet: str) -> None:
        """Add a snippet by its name."""
        number = len(self.entries)
        text = (SNIPPETS / f"{snippet}.txt").read_text()
        parts = expand(chance, text, number, self.path).split("\n-- ")
        first = parts.pop(0)
        while first.startswith("-- import"):
            line, _, first = first.partition("\n")
            self.imports.add(line.removeprefix("-- "))
            if parts and not first:
                first = "-- " + parts.pop(0)
        for part in parts:
            kind, _, rest = part.partition("\n")
            if kind.startswith("import"):
                self.imports.add(kind)
                first += rest
            elif kind == "s":
                self.assembly.append(rest)
            elif kind == "cgo":
                self.directives.append(rest)
            else:
                content = "".join(
                    chance.choice("embedded text\n") for _ in range(chance.randrange(300))
                )
                self.embedded[f"text{number}.txt"] = content
        self.declared.append(first)
        self.entries.append(f"Use{number}")


@attrs.define
class Builder:
    """Compiles packages for an architecture into a folder, one after the other."""

    given: Inputs
    folder: Path
    archives: dict[str, Path] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        archives = self.given.archives()
        main = archives.pop("main")
        self.archives = {path: file for path, file in archives.items() if file != main}

    @property
    def config(self) -> Path:
        return self.folder / "importcfg"

    def build(self, source: Source, package: str) -> Path:
        """Compile a package; its archive."""
        place = self.folder / source.path
        place.mkdir(parents=True, exist_ok=True)
        (place / "x.go").write_text(source.go(package))
        files = ["x.go"]
        archive = place / "x.a"
        path = source.path if package != "main" else "main"
        words: list[str | Path] = ["-p", path, "-pack"]
        words += ["-importcfg", self.config, "-trimpath", f"{self.folder}=>/src", "-o", archive]
        lines = [f"packagefile {path}={file}\n" for path, file in self.archives.items()]
        self.config.write_text("".join(lines))
        if source.directives:
            text = "\n\n".join([f"package {package}", 'import _ "unsafe"', *source.directives])
            (place / "_cgo_gotypes.go").write_text(text + "\n")
            files.append("_cgo_gotypes.go")
        if source.embedded:
            for name, text in source.embedded.items():
                (place / name).write_text(text)
            names = {name: [name] for name in source.embedded}
            listed = {"Patterns": names, "Files": {name: str(place / name) for name in names}}
            (place / "embedcfg").write_text(json.dumps(listed))
            words += ["-embedcfg", "embedcfg"]
        if source.assembly:
            (place / "x.s").write_text("\n".join(source.assembly) + "\n")
            assemble: list[str | Path] = [
                "-p",
                path,
                "-I",
                goroot() / "pkg" / "include",
                "-trimpath",
                place,
            ]
            self._tool(place, "asm", *assemble, "-gensymabis", "-o", "symabis", "x.s")
            self._tool(place, "asm", *assemble, "-o", "asm.o", "x.s")
            words += ["-symabis", "symabis"]
        self._tool(place, "compile", *words, *files)
        if source.assembly:
            content = with_member("asm.o", (place / "asm.o").read_bytes())(archive.read_bytes())
            archive.write_bytes(content)
        if package != "main":
            self.archives[source.path] = archive
        return archive

    def _tool(self, place: Path, name: str, *words: str | Path) -> None:
        env = environment(**{k: v for k, v in self.given.env.items() if k != "GOROOT"})
        done = subprocess.run(
            [link_tool().with_name(name), *words],
            cwd=place, env=env, text=True, capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{name} in {place}: {done.stdout}{done.stderr}")


def batch(seed: int, number: int, folder: Path) -> Iterator[tuple[str, Files]]:
    """The programs of a batch, compiled: what each link is, and its inputs."""
    chance = Random(f"programs {seed}:{number}")
    heavy = chance.random() < 0.15
    arches = ["", "", "", "", "386", "arm", "arm64", "riscv64", "s390x"]
    goarch = chance.choice(arches)
    # Shared libraries need a host linker, and an address of theirs an architecture that can.
    external = chance.random() < 0.25
    modes = {
        name: share
        for name, share in SHARES["small"].items()
        if not external or _is_external(MODES[name])
    }
    if heavy or chance.random() < 0.1:
        given = inputs(table()[f"features-{goarch}" if goarch else "features"])
    else:
        given = small(goarch or native())
    builder = Builder(given, folder)
    light = [
        file.stem
        for file in sorted(SNIPPETS.glob("*.txt"))
        if file.stem not in HEAVY
        and (file.stem != "embeds" or "embed" in builder.archives)
        and (file.stem != "dynamic" or (external and not goarch))
    ]
    libraries: list[Source] = []
    for row in range(LIBRARIES):
        source = Source(f"gen.test/lib{row}")
        more = HEAVY if heavy and row == 0 else ()
        for snippet in (*chance.sample(light, chance.randrange(2, 7)), *more):
            source.add(chance, snippet)
        if libraries and chance.random() < 0.5:
            other = chance.choice(libraries)
            source.imports.add(f'import other "{other.path}"')
            source.declared.append(f"var Other = other.{chance.choice(other.entries)}(2)")
        builder.build(source, f"lib{row}")
        libraries.append(source)
    cc = host_linker()
    for row in range(PROGRAMS):
        source = Source(f"main{row}")
        for snippet in chance.sample(light, chance.randrange(1, 4)):
            source.add(chance, snippet)
        calls = [f"{name}({i})" for i, name in enumerate(source.entries)]
        for library in chance.sample(libraries, chance.randrange(len(libraries) + 1)):
            name = library.path.rpartition("/")[2]
            source.imports.add(f'import {name} "{library.path}"')
            some = chance.sample(library.entries, chance.randrange(1, len(library.entries) + 1))
            calls += [f"{name}.{entry}({i})" for i, entry in enumerate(some)]
        source.declared.append(KEPT)
        source.imports.add('import "unsafe"')
        source.declared.append("func main() {\n\tprintln(" + ", ".join(calls) + ")\n}")
        archive = builder.build(source, "main")
        mode = chance.choices(list(modes), list(modes.values()))[0]
        argv = ("-importcfg", str(builder.config), *MODES[mode], f"-extld={cc}", str(archive))
        env = {**given.environment(), "LINKPIPE_CHECK": "0", "XDG_CACHE_HOME": "/dev/null/cache"}
        config = builder.config.read_bytes()
        name = f"batch {number} program {row} {goarch or 'here'} {mode}"
        yield name, Files({"importcfg": config}, ("-o", "out", *argv), env)


def _is_external(flags: Sequence[str]) -> bool:
    return any(flag in ("-linkmode=external", "-buildmode=plugin") for flag in flags)
