"""Write what passes made: after each pass, the facts it changed, into numbered files.

    00.plan.json                   the plan: passes, what they require and provide, what is left out
    08.reachability.symbols.jsonl  after pass 8, the symbol table
    08.reachability.graph.dot      and the graph

Every file starts with a header that names the fact, the pass and the command that writes the
file again. Rows have the table's own order, and below the header nothing depends on the time or
on the machine: `linkpipe diff` compares two passes or two links.

A format is a ``Dumper``; third parties add theirs in the entry point group ``linkpipe.dumpers``,
and ``--dump-format`` chooses.
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
        name: as ``--dump-format`` calls it, and the end of the file's name.
        accepts: whether it can write a fact's value.
        write: ``write(value, file, header, match)``: header is JSON-able; match is a compiled
            pattern that what is written must match, or None for everything.
    """

    name: str
    accepts: Callable[[Any], bool]
    write: Callable[[Any, IO[str], dict[str, Any], re.Pattern[str] | None], None]


class Dump(Observer):
    """Observer "dump"; the setting is the directory."""

    def __init__(self, setting: str, catalog: Catalog | None = None) -> None:
        self.folder = setting or "linkpipe-dump"
        self._catalog = catalog
        self._dumpers: list[Dumper] = []
        self._match: re.Pattern[str] | None = None
        self._numbers: dict[str, int] = {}
        self._again = ""

    def on_start(self, plan: Plan, link: Link) -> None:
        """Prepare the directory, write the plan."""
        settings = link.options.settings
        catalog = self._catalog or Catalog()
        names = settings.dump_format or BUILT_IN
        self._dumpers = [catalog.load("dumpers", name) for name in names]
        try:
            self._match = re.compile(settings.dump_match) if settings.dump_match else None
        except re.error as e:
            raise UserError(
                f"-dump-match: {e}: {settings.dump_match}",
                status=2,
                label="linkpipe",
                remedy="give a regular expression as Python has them",
            ) from e
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
                remedy="name another directory with --dump",
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
