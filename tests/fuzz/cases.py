"""A case: which link, and what is changed of its inputs. Decided by a seed and a number."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import attrs

from linkpipe.engine.session import run_link
from linkpipe.flags.environ import capture
from linkpipe.flags.options import Options, read_options
from linkpipe.tables.symbols import Flag
from tests.conformance.targets import native
from tests.conformance.toolchain import link_tool
from tests.fuzz import bases
from tests.fuzz.archives import objects
from tests.fuzz.bases import LIBRARY, Base
from tests.fuzz.edits import ARCHIVE_KINDS, Target, apply, draw, draw_splice
from tests.fuzz.elfs import ElfTarget, draw_around, draw_elf, elf_files
from tests.fuzz.record import Edit
from tests.fuzz.texts import ANSWERS, PIPELINE, RESPONSE, TEXTS

# How a base is linked.
MODES: Mapping[str, tuple[str, ...]] = {
    "w": ("-w",),
    "dwarf": ("-compressdwarf=false",),
    "s-w": ("-s", "-w"),
    "external": ("-linkmode=external", "-w"),
    "external-dwarf": ("-linkmode=external", "-compressdwarf=false"),
    "plugin": ("-buildmode=plugin", "-pluginpath=main", "-compressdwarf=false"),
}
_USUAL = {"w": 60, "dwarf": 15, "s-w": 4, "external": 9, "external-dwarf": 3, "plugin": 9}
_WITH_C = {"w": 75, "dwarf": 14, "s-w": 8, "external": 3}
_HOSTED = {"external": 80, "external-dwarf": 20}
SHARES = {"tiny": _USUAL, "small": _USUAL, "c": _WITH_C, "cpie": _WITH_C, "so": _HOSTED}
"""How often of a hundred each kind of base is linked in a mode; the second one has debug
information."""

TEXT_SHARE, AROUND_SHARE = 0.12, 0.06
NEEDED = ("main", "fuzz/lib", "runtime", "internal/abi", "internal/runtime/maps")
# Of cases with C objects, how many change what is of Go.
GO_SHARE = 0.08


@attrs.frozen
class Case:
    """``edits`` of the inputs of a base, linked in a mode; ``kind`` is that of the first edit."""

    base: str
    mode: str
    edits: tuple[Edit, ...]

    @property
    def kind(self) -> str:
        return self.edits[0].kind

    @property
    def comparable(self) -> bool:
        """Whether the oracle is given the same: it knows no pipelines, nor what is linkpipe's own
        among the flags."""
        own = ("-pipeline", "-observe", "-timing", "-time", "-log", "-dump", "-check")
        return not any(
            edit.kind in ("pipeline file", "kept answers")
            or (edit.kind == "flags" and any(flag in edit.text for flag in own))
            for edit in self.edits
        )

    def as_data(self) -> dict[str, Any]:
        edits = [edit.as_data() for edit in self.edits]
        return {"base": self.base, "mode": self.mode, "edits": edits}

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Case:
        edits = tuple(Edit(**row) for row in data["edits"])
        return cls(data["base"], data["mode"], edits)


@cache
def known(name: str) -> Base:
    """A base, found once in a run."""
    return bases.base(name)


@cache
def targets(name: str) -> tuple[Target, ...]:
    """The objects of a base that edits are drawn for."""
    base = known(name)
    archives = base.inputs.archives()
    wanted = needed(base)
    out = []
    for package in NEEDED:
        if package in archives:
            file = str(archives[package])
            for number, obj in enumerate(objects(bytearray(Path(file).read_bytes()), file)):
                locals_ = wanted.get(file, {}).get(number, set())
                if obj.defined and file in wanted:
                    out.append(Target(package, number, obj, frozenset(obj.helpers(locals_))))
    return tuple(out)


def needed(base: Base) -> dict[str, dict[int, set[int]]]:
    """Archive -> object -> the symbols (local indexes) that the program needs."""
    given = base.inputs
    flags = [flag for flag in base.flags if not flag.startswith("-libgcc")]
    argv = [*given.flags, *flags, "-compressdwarf=false", "-o", "/dev/null", str(given.main)]
    environment = capture(given.environment(), str(link_tool()))
    options = read_options(argv, environment, given.environment(), lambda _: True)
    assert isinstance(options, Options), "no -V was given"
    link = run_link(options, until="reachability")
    symbols = link.symbols
    reached = (symbols.flags & Flag.REACHABLE) != 0
    out: dict[str, dict[int, set[int]]] = {}
    numbers: dict[str, int] = {}
    for row, name in enumerate(link.objects.names):
        file = name.partition("(")[0]
        number = numbers[file] = numbers.get(file, -1) + 1
        mine = symbols.local[reached & (symbols.object == row)]
        if row:
            out.setdefault(file, {})[number] = set(mine.tolist())
    return out


@cache
def elf_targets(name: str) -> tuple[ElfTarget, ...]:
    """The ELF files of a base that edits are drawn for."""
    base, archives = known(name), known(name).inputs.archives()
    files = {"fuzz/c": archives["fuzz/c"]} if "fuzz/c" in archives else {}
    out = []
    for file, path in (files | dict(base.beside)).items():
        for number, found in enumerate(elf_files(bytearray(path.read_bytes()))):
            out.append(ElfTarget(file, number, found))
    return tuple(out)


@cache
def _bases(start: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The bases whose names begin so, and how often of a hundred each is drawn."""
    names = bases.names()
    share: dict[str, float] = {"tiny": 2.0}
    for kind, ours, others in (
        ("small", 64.0, 18.0),
        ("c-", 8.0, 4.0),
        ("cpie", 3.0, 1.0),
        ("so", 0.5, 0.0),
    ):
        here = [name for name in names if name.startswith(kind)]
        rest = [name for name in here if not name.endswith(f"-{native()}")]
        share |= dict.fromkeys(here, ours) | dict.fromkeys(rest, others / max(1, len(rest)))
    kept = {name: weight for name, weight in share.items() if name.startswith(start)}
    return tuple(kept), tuple(kept.values())


def case(seed: int, number: int, start: str = "") -> Case:
    """The case of this number, of a base whose name begins so."""
    chance = Random(f"{seed}:{number}{start}")
    names, weights = _bases(start)
    name = chance.choices(names, weights)[0]
    shares = SHARES[known(name).kind]
    mode = chance.choices(list(shares), list(shares.values()))[0]
    count = chance.choice([1, 1, 1, 1, 1, 1, 1, 2, 2, 3])
    if elf_targets(name) and chance.random() >= GO_SHARE:
        return Case(name, mode, tuple(_c_edits(chance, name, count)))
    dice = chance.random()
    target = _target(chance, name)
    edits: list[Edit]
    if dice < TEXT_SHARE:
        edits = [TEXTS[chance.choice(list(TEXTS))](chance, known(name), target)]
    elif dice < TEXT_SHARE + AROUND_SHARE:
        edits = [draw_splice(chance, target, chance.choice(ARCHIVE_KINDS))]
    else:
        edits = [
            draw(chance, target, chance.choice(target.kinds[1:] if number % 4 else target.kinds))
            for _ in range(count)
        ]
    return Case(name, mode, tuple(edits))


def _c_edits(chance: Random, name: str, count: int) -> list[Edit]:
    """Edits of what is not of Go."""
    target = chance.choice(elf_targets(name))
    if chance.random() < AROUND_SHARE and target.file != LIBRARY:
        return [draw_around(chance, target.file, bytes(target.elf.data))]
    return [draw_elf(chance, target) for _ in range(count)]


def _target(chance: Random, name: str) -> Target:
    return chance.choice(targets(name))


@attrs.frozen
class Files:
    """What a case's link finds in its folder, and how it is called there: ``files`` by name."""

    files: dict[str, bytes]
    argv: tuple[str, ...]
    env: dict[str, str]


def files(case: Case) -> Files:
    """The inputs of a case. All that stands in the folder is named without it, so that both
    linkers say and write the same."""
    base = known(case.base)
    given = base.inputs
    archives = given.archives()
    out: dict[str, bytes] = {}
    config = given.importcfg.read_text()
    main = str(given.main)
    extra: list[str] = []
    env = {"XDG_CACHE_HOME": "/dev/null/cache"}
    by_file: dict[str, list[Edit]] = {}
    for edit in case.edits:
        by_file.setdefault(edit.file, []).append(edit)
    for name, edits in by_file.items():
        text = edits[0].text.encode("latin-1", "replace")
        if name == "importcfg":
            out["importcfg"] = text
        elif name == "flags":
            extra += edits[0].text.encode("latin-1").decode("utf-8", "surrogateescape").split("\n")
        elif name == RESPONSE:
            out[RESPONSE] = text
            extra.append(f"@{RESPONSE}")
        elif name == PIPELINE:
            out[PIPELINE] = text
            env["LINKPIPE_PIPELINE"] = PIPELINE
        elif name == ANSWERS:
            out[ANSWERS] = text
        elif name in base.beside:
            out[name] = apply(base.beside[name].read_bytes(), edits)
        else:
            damaged = f"{name.replace('/', '_')}.a"
            out[damaged] = apply(archives[name].read_bytes(), edits)
            if name == "main":
                main = damaged
            config = config.replace(
                f"packagefile {name}={archives[name]}", f"packagefile {name}={damaged}"
            )
    for name, path in base.beside.items():
        config = config.replace(str(path), name)
        out.setdefault(name, path.read_bytes())
    out.setdefault("importcfg", config.encode())
    # Linked with other flags than those that the go command gives: a build id of no length is well.
    flags = ["-importcfg", "importcfg", *base.flags, *MODES[case.mode], f"-extld={base.cc}"]
    # NUL ends an argument.
    words = [word.replace("\0", "?") for word in (*flags, *extra, main)]
    environment = given.environment() | env
    environment["LINKPIPE_CHECK"] = "0"
    if case.mode == "w":  # the usual one, which takes a sixth less time so
        environment["LINKPIPE_THREADS"] = "1"
    return Files(out, ("-o", "out", *words), environment)
