"""Passes and catalogs made up for tests of the framework."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from linkpipe.engine.hookspecs import Offer, hookimpl
from linkpipe.engine.pass_api import Link, Pass, Wrapping
from linkpipe.engine.pipeline import load_pipeline
from linkpipe.engine.plan import Plan, make_plan
from linkpipe.engine.plugins import Catalog
from linkpipe.flags.options import Options


@attrs.frozen
class Greeting:
    """Options of one of the passes."""

    text: str = "hello"
    times: int = 1
    loud: bool = False
    words: tuple[str, ...] = ()
    list: Path | None = None
    lists: tuple[Path, ...] = ()


def setter(
    name: str, requires: Iterable[str] = (), provides: Iterable[str] = (), **more: Any
) -> Pass:
    """A pass that sets what it provides to its own name."""

    def run(link: Link) -> Link:
        return link.evolve(dict.fromkeys(provides, name))

    return Pass(name, run, requires, provides, **more)


class Plugin:
    """A plugin with these passes, offered under these names."""

    def __init__(self, passes: Mapping[str, Any], owner: str = "sample 1.0") -> None:
        self.passes = passes
        self.owner = owner

    @hookimpl
    def linkpipe_passes(self) -> list[Offer]:
        return [
            Offer(name, self.owner, partial(self.passes.__getitem__, name)) for name in self.passes
        ]


def catalog(*passes: Pass | Wrapping) -> Catalog:
    """A catalog with nothing but these passes."""
    return Catalog((), {"sample": Plugin({run.name: run for run in passes})})


def plan_of(path: Any, text: str, *passes: Pass | Wrapping, options: Options | None = None) -> Plan:
    """Write a pipeline file and plan it."""
    file = path / "pipeline.toml"
    file.write_text(text)
    return make_plan(load_pipeline(str(file)), catalog(*passes), options)


def steps(*names: str) -> str:
    """A pipeline of these passes."""
    return "".join(f'[[pass]]\nname = "{name}"\n' for name in names)
