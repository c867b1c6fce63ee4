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
from tests.fuzz.bases import Base
from tests.fuzz.edits import ARCHIVE_KINDS, Edit, Target, apply, draw, draw_splice
from tests.fuzz.texts import ANSWERS, PIPELINE, RESPONSE, TEXTS

# How a base is linked, and how often of a hundred.
MODES: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "w": (60, ("-w",)),
    "dwarf": (15, ("-compressdwarf=false",)),
    "s-w": (4, ("-s", "-w")),
    "external": (9, ("-linkmode=external", "-w")),
    "external-dwarf": (3, ("-linkmode=external", "-compressdwarf=false")),
    "plugin": (9, ("-buildmode=plugin", "-pluginpath=main", "-compressdwarf=false")),
}
TEXT_SHARE, AROUND_SHARE = 0.12, 0.06
NEEDED = ("main", "fuzz/lib", "runtime", "internal/abi", "internal/runtime/maps")


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
                if obj.defined:
                    out.append(Target(package, number, obj, frozenset(obj.helpers(locals_))))
    return tuple(out)


def needed(base: Base) -> dict[str, dict[int, set[int]]]:
    """Archive -> object -> the symbols (local indexes) that the program needs."""
    given = base.inputs
    argv = [*given.flags, "-compressdwarf=false", "-o", "/dev/null", str(given.main)]
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
def _bases() -> tuple[tuple[str, ...], tuple[float, ...]]:
    names = bases.names()
    here = f"small-{native()}"
    rest = [name for name in names if name not in ("tiny", here)]
    share = {here: 78.0, "tiny": 2.0} | dict.fromkeys(rest, 20.0 / max(1, len(rest)))
    return tuple(share), tuple(share.values())


def case(seed: int, number: int) -> Case:
    """The case of this number."""
    chance = Random(f"{seed}:{number}")
    names, weights = _bases()
    name = chance.choices(names, weights)[0]
    mode = chance.choices(list(MODES), [share for share, _ in MODES.values()])[0]
    count = chance.choice([1, 1, 1, 1, 1, 1, 1, 2, 2, 3])
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
        else:
            damaged = f"{name.replace('/', '_')}.a"
            out[damaged] = apply(archives[name].read_bytes(), edits)
            if name == "main":
                main = damaged
            config = config.replace(
                f"packagefile {name}={archives[name]}", f"packagefile {name}={damaged}"
            )
    out.setdefault("importcfg", config.encode())
    # Linked with other flags than those that the go command gives: a build id of no length is well.
    flags = ["-importcfg", "importcfg", *MODES[case.mode][1], f"-extld={base.cc}"]
    # NUL ends an argument.
    words = [word.replace("\0", "?") for word in (*flags, *extra, main)]
    environment = given.environment() | env
    environment["LINKPIPE_CHECK"] = "0"
    return Files(out, ("-o", "out", *words), environment)
