"""Write what passes made: after each pass, the facts it changed, into numbered files.

    DIR/hello-1f3a9c2b/                      a folder for each link, named by package or output
        00.plan.json                         the plan: passes, what they require and provide
        04.resolve.symbols.jsonl             after pass 4, the symbol table
        10.reachability.symbols.jsonl        what pass 10 changed in it
        10.reachability.graph.dot            and the graph
        manifest                             the names of these files

The last part of the folder's name comes from the package that go builds, or else from the path of
the output: a link that is done again replaces its dump, and two links of one build keep theirs.
A folder that holds anything else than a manifest and what stands in it is nobody's to replace.

Every file starts with a header that names the fact and the pass, and for a link that was not
started by the go command (whose inputs are gone with it) the command that writes the file again.
Rows have the table's own order, and below the header nothing depends on the time or on the
machine.

A large table (one that offers a `linkpipe.tables.listing.Listing`) is written whole once; then a
file holds what changed. Its header has ``since``, the file that it continues, and ``gone``, the
keys that have no row any more; below it stand all rows of each key that changed. The table after
the pass is that of ``since``, without the rows of all these keys, with the rows of this file, in
the order of the column ``key``. `linkpipe show` and `linkpipe diff` read it so. Of such a table
only what is reachable is written, unless it is asked for ``all``: nothing is, before the pass that
finds out.

A format is a ``Dumper``; third parties add theirs in the entry point group ``linkpipe.dumpers``,
and ``-observe dump:dir=DIR,format=NAME+NAME`` chooses.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import IO, Any

import attrs
import numpy as np

from linkpipe import __version__
from linkpipe.engine.context import Link
from linkpipe.engine.contract import changed
from linkpipe.engine.plan import Plan, Planned
from linkpipe.engine.plugins import Catalog, suggestion
from linkpipe.engine.runner import Observer
from linkpipe.errors import UserError
from linkpipe.flags.options import Options
from linkpipe.observe.words import Names
from linkpipe.tables import listing
from linkpipe.tables.listing import Listing

MANIFEST = "manifest"
BUILT_IN = ("jsonl", "graphml", "dot")
TABLE, PLAN = "linkpipe.table/1", "linkpipe.plan/1"
"""Schemas: of a table, a graph or another fact; of the plan."""


@attrs.frozen(eq=False)
class Dumper:
    """A format.

    Attributes:
        name: as the option ``format`` calls it, and the end of the file's name.
        accepts: whether it can write a fact's value.
        write: ``write(value, file, header, match)``: header is JSON-able; match is a compiled
            pattern that what is written must match, or None for everything.
        rows: whether it writes rows: instead of a large table it is given those that changed, as
            an object with ``rows()``, of which the pattern was found already.
    """

    name: str
    accepts: Callable[[Any], bool]
    write: Callable[[Any, IO[str], dict[str, Any], re.Pattern[str] | None], None]
    rows: bool = False


def pattern(text: str) -> str:
    """A regular expression as text. Raises ValueError for what is none."""
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
    dir: the directory in which each link has its folder.
    match: a regular expression: only rows and nodes in which it is found (for large tables: in
        the name); empty for all.
    format: formats, by name.
    facts: only these; empty for all.
    after: only what these passes change; empty for all.
    all: of large tables also what is not reachable.
    """

    dir: str = attrs.field(default="", validator=_named)
    match: str = attrs.field(default="", converter=pattern)
    format: tuple[str, ...] = BUILT_IN
    facts: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    all: bool = False


@attrs.frozen(eq=False)
class _Written:
    """A large table as it was last written: its listing, the rows of it that are shown, the file
    of each format."""

    listing: Listing
    rows: Any
    files: Mapping[str, str] = MappingProxyType({})


@attrs.frozen(eq=False)
class _Rows:
    """Rows of a listing, for a format that writes rows."""

    listing: Listing
    at: Any
    names: Names

    def rows(self) -> Iterator[dict[str, Any]]:
        return self.listing.rows(self.at, self.names)


class Dump(Observer):
    """Observer "dump"."""

    options = DumpOptions

    def __init__(self, options: DumpOptions, catalog: Catalog | None = None) -> None:
        self.wanted = options
        self.folder = ""
        catalog = catalog or Catalog()
        self._dumpers = [catalog.load("dumpers", name) for name in options.format]
        self._match = re.compile(options.match) if options.match else None
        self._numbers: dict[str, int] = {}
        self._origin: dict[str, str] = {}
        self._written: dict[str, _Written] = {}

    def on_start(self, plan: Plan, link: Link) -> None:
        """Prepare the folder, write the plan."""
        self._check(plan)
        self._numbers = {planned.name: n for n, planned in enumerate(plan.passes, 1)}
        self._origin = origin(link.options, self.wanted)
        self.folder = os.path.join(self.wanted.dir, folder_name(link.options))
        try:
            os.makedirs(self.folder, exist_ok=True)
            self._clear()
        except OSError as e:
            raise self._refused(f"cannot write to {self.folder}: {e.strerror}") from e
        with self._open("00.plan.json") as file:
            json.dump({"schema": PLAN, **self._origin, **plan_rows(plan)}, file, indent=1)
            file.write("\n")

    def _clear(self) -> None:
        """Remove what an earlier dump left, which may have had other passes, if it is all there
        is."""
        found = set(os.listdir(self.folder))
        manifest = os.path.join(self.folder, MANIFEST)
        written: set[str] = set()
        if MANIFEST in found:
            with open(manifest, encoding="utf-8", errors="surrogateescape") as file:
                written = set(file.read().splitlines())
        others = sorted(found - written - {MANIFEST})
        if others:
            raise self._refused(
                f"{self.folder} holds what no dump has written there: {others[0]}"
                + (f", and {len(others) - 1} more" if others[1:] else "")
            )
        for name in found & written:
            os.unlink(os.path.join(self.folder, name))
        open(manifest, "wb").close()

    @staticmethod
    def _refused(message: str) -> UserError:
        return UserError(
            message, status=2, label="linkpipe", remedy="name another directory, or clear it"
        )

    def _check(self, plan: Plan) -> None:
        passes = [*(p.name for p in plan.passes), *(step.name for step in plan.skipped)]
        for option, wanted, known in (
            ("facts", self.wanted.facts, sorted(plan.providers)),
            ("after", self.wanted.after, passes),
        ):
            for name in wanted:
                if name not in known:
                    what = {"facts": "no pass provides the fact", "after": "no such pass:"}[option]
                    raise UserError(
                        f"dump: {option}: {what} {name}",
                        status=2,
                        label="linkpipe",
                        remedy=suggestion(name, known) or f"there are: {', '.join(known)}",
                    )

    def after_pass(self, planned: Planned, before: Link, after: Link, seconds: float) -> None:
        """Write the facts that the pass changed."""
        if self.wanted.after and planned.name not in self.wanted.after:
            return
        for fact in changed(before, after):
            if not self.wanted.facts or fact in self.wanted.facts:
                self._write(fact, planned.name, after)

    def _write(self, fact: str, name: str, link: Link) -> None:
        value = link.facts[fact]
        dumpers = [dumper for dumper in self._dumpers if dumper.accepts(value)]
        files = {d.name: f"{self._numbers[name]:02}.{name}.{fact}.{d.name}" for d in dumpers}
        wants_rows = any(dumper.rows for dumper in dumpers)
        now = self._listed(value, Names(link), files) if wants_rows else None
        for dumper in dumpers:
            header = {"schema": TABLE, **self._origin, "fact": fact, "after": name}
            if self._match is not None:
                header["match"] = self._match.pattern
            given, match = value, self._match
            if dumper.rows and now is not None:
                at, more = self._changes(fact, now, dumper.name)
                given, match = _Rows(now.listing, at, Names(link)), None
                header |= more
            with self._open(files[dumper.name]) as file:
                dumper.write(given, file, header, match)
        if now is not None:
            self._written[fact] = now

    def _listed(self, value: Any, names: Names, files: Mapping[str, str]) -> _Written | None:
        """The rows of a large table that are to be seen; None for another fact."""
        offered = getattr(value, "listing", None)
        if not callable(offered):
            return None
        table: Listing = offered()
        rows = np.arange(len(table))
        if table.shown is not None and not self.wanted.all:
            rows = np.flatnonzero(table.shown)
        if self._match is not None and "name" in {*table.words, *table.refers}:
            told = table.written("name", rows, names)
            rows = rows[np.array([bool(self._match.search(name)) for name in told], np.bool_)]
        return _Written(table, rows, files)

    def _changes(self, fact: str, now: _Written, form: str) -> tuple[Any, dict[str, Any]]:
        """The rows to write, and what the header says of them."""
        table = now.listing
        header: dict[str, Any] = {
            "key": table.key,
            "names": list(table.names),
            "numbers": list(table.numbers),
            "all": self.wanted.all or table.shown is None,
        }
        old = self._written.get(fact)
        if old is None:
            return now.rows, header
        at, gone = listing.changed(old.listing, old.rows, table, now.rows)
        return at, {**header, "since": old.files[form], "gone": gone}

    def _open(self, name: str) -> IO[str]:
        """A new file of the dump. It stands in the manifest before it is there."""
        with open(os.path.join(self.folder, MANIFEST), "a", encoding="utf-8") as manifest:
            manifest.write(f"{name}\n")
        return open(
            os.path.join(self.folder, name), "x", encoding="utf-8", errors="backslashreplace"
        )


def _package() -> str:
    """The package that the go command links; it says so to what -toolexec starts."""
    return os.environ.get("TOOLEXEC_IMPORTPATH", "")


def folder_name(options: Options) -> str:
    """A name for a link that is the same the next time, and another link's is not."""
    package = _package()
    what = package or os.path.abspath(options.o or "a.out")
    target = (what, options.buildmode, options.environment.goos, options.environment.goarch)
    last = re.sub(r"[^\w.-]", "_", os.path.basename(what))
    return f"{last}-{hashlib.sha256(repr(target).encode()).hexdigest()[:8]}"


def origin(options: Options, wanted: DumpOptions) -> dict[str, str]:
    """Where a dump comes from: the package that go built, or a command, and where to give it."""
    package = _package()
    if package:
        return {"linkpipe": __version__, "package": package}
    args = list(options.args)
    if not any(re.match(r"--?dump\b|(--?observe=)?dump\b", arg) for arg in args):
        args = ["-observe", asked(wanted), *args]  # it came from the environment
    again = shlex.join(["linkpipe", "link", *args])
    return {"linkpipe": __version__, "directory": os.getcwd(), "again": again}


def _options(options: Any) -> dict[str, Any]:
    def plain(_: object, __: object, value: Any) -> Any:
        return os.fspath(value) if isinstance(value, os.PathLike) else value

    return attrs.asdict(options, value_serializer=plain)


def asked(wanted: DumpOptions) -> str:
    """The options as -observe has them."""
    told = []
    for field in attrs.fields(DumpOptions):
        value = getattr(wanted, field.name)
        if value != field.default:
            words = "+".join(value) if isinstance(value, tuple) else str(value)
            words = "true" if value is True else words.replace(",", r"\,")
            told.append(f"{field.name}={words}")
    return f"dump:{','.join(told)}"


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
                "options": _options(planned.options) if planned.options else {},
            }
            for planned in plan.passes
        ],
        "left_out": [step.name for step in plan.skipped],
        "barriers": [
            {
                "name": barrier.name,
                "after": plan.passes[barrier.at - 1].name if barrier.at else "",
                "final": list(barrier.final),
                "why": barrier.why,
            }
            for barrier in plan.barriers
        ],
    }
