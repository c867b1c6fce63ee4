"""Write what passes made: after each pass, the facts it changed, into numbered files.

    00.plan.json                   the plan: passes, what they require and provide, what is left out
    08.reachability.symbols.jsonl  after pass 8, the symbol table
    08.reachability.graph.dot      and the graph

Every file starts with a header that names the fact, the pass and the command that writes the
file again. Rows have the table's own order, and below the header nothing depends on the time or
on the machine: `linkpipe diff` compares two passes or two links.

A format is a ``Dumper``; third parties add theirs in the entry point group ``linkpipe.dumpers``,
and ``-observe dump:dir=DIR,format=NAME+NAME`` chooses.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Callable
from typing import IO, Any

import attrs

from linkpipe import __version__
from linkpipe.engine.context import Link
from linkpipe.engine.plan import Plan, Planned
from linkpipe.engine.plugins import Catalog
from linkpipe.engine.runner import Observer, changed
from linkpipe.errors import UserError

BUILT_IN = ("jsonl", "graphml", "dot")


@attrs.frozen(eq=False)
class Dumper:
    """A format.

    Attributes:
        name: as the option ``format`` calls it, and the end of the file's name.
        accepts: whether it can write a fact's value.
        write: ``write(value, file, header, match)``: header is JSON-able; match is a compiled
            pattern that what is written must match, or None for everything.
    """

    name: str
    accepts: Callable[[Any], bool]
    write: Callable[[Any, IO[str], dict[str, Any], re.Pattern[str] | None], None]


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as e:
        raise ValueError(f"no regular expression as Python has them: {text}: {e}") from e
    return text


def _named(options: DumpOptions, field: attrs.Attribute[str], value: str) -> None:
    if not value:
        raise ValueError("dir: the dump needs a directory")


@attrs.frozen
class DumpOptions:
    """Attributes:
    dir: the directory to write to.
    match: a regular expression: only rows and nodes in which it is found; empty for all.
    format: formats, by name.
    """

    dir: str = attrs.field(default="", validator=_named)
    match: str = attrs.field(default="", converter=_pattern)
    format: tuple[str, ...] = BUILT_IN


class Dump(Observer):
    """Observer "dump"."""

    options = DumpOptions

    def __init__(self, options: DumpOptions, catalog: Catalog | None = None) -> None:
        self.folder = options.dir
        catalog = catalog or Catalog()
        self._dumpers = [catalog.load("dumpers", name) for name in options.format]
        self._match = re.compile(options.match) if options.match else None
        self._numbers: dict[str, int] = {}
        self._again = ""

    def on_start(self, plan: Plan, link: Link) -> None:
        """Prepare the directory, write the plan."""
        self._numbers = {planned.name: n for n, planned in enumerate(plan.passes, 1)}
        self._again = shlex.join(["linkpipe", "link", *again(link.options.args, self.folder)])
        try:
            os.makedirs(self.folder, exist_ok=True)
            for name in os.listdir(self.folder):
                # Left by an earlier dump; it may have had other passes.
                if re.match(r"\d\d\.[\w.-]+$", name):
                    os.unlink(os.path.join(self.folder, name))
        except OSError as e:
            raise UserError(
                f"cannot write to {self.folder}: {e.strerror}",
                status=2,
                label="linkpipe",
                remedy="name another directory",
            ) from e
        with self._open("00.plan.json") as file:
            header = self._header("plan", "")
            json.dump({"header": header, **plan_rows(plan)}, file, indent=1)
            file.write("\n")

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        """Write the facts that the pass changed."""
        for fact in changed(before, after):
            value = after.facts[fact]
            for dumper in self._dumpers:
                if dumper.accepts(value):
                    number = self._numbers[planned.name]
                    name = f"{number:02}.{planned.name}.{fact}.{dumper.name}"
                    with self._open(name) as file:
                        dumper.write(value, file, self._header(fact, planned.name), self._match)

    def _open(self, name: str) -> IO[str]:
        return open(
            os.path.join(self.folder, name), "w", encoding="utf-8", errors="backslashreplace"
        )

    def _header(self, fact: str, name: str) -> dict[str, Any]:
        header = {"linkpipe": __version__, "fact": fact, "after": name, "again": self._again}
        if self._match is not None:
            header["match"] = self._match.pattern
        return header


def again(args: tuple[str, ...], folder: str) -> list[str]:
    """The command line that makes this dump again, which may come from the environment."""
    if any(arg.lstrip("-").partition("=")[0] == "dump" for arg in args if arg.startswith("-")):
        return list(args)
    return [f"-dump={folder}", *args]


def plan_rows(plan: Plan) -> dict[str, Any]:
    """A plan as JSON."""
    return {
        "passes": [
            {
                "name": planned.name,
                "why": planned.step.why,
                "requires": list(planned.run.requires),
                "optional": list(planned.run.optional),
                "provides": list(planned.run.provides),
                "when": {key: list(values) for key, values in planned.when.items()},
                "options": attrs.asdict(planned.options) if planned.options else {},
            }
            for planned in plan.passes
        ],
        "left out": [step.name for step in plan.skipped],
    }
