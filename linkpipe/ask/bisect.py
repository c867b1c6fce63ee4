"""Which edit of a pipeline makes a test fail, found with few links.

A pipeline that extends another is a list of edits, in the order in which they are applied. The
first k of them are a pipeline, too: with none the test holds, with all it fails, and the edit that
makes the difference is found by halving, with at most log2(edits) + 2 links. Where the first k
cannot be planned (a pass wants what a later edit brings) another k near it is tried.

A pass that takes the option ``limit`` does its work for the first so many symbols; then the number
is found, too, with which the test begins to fail.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import attrs
from attrs import frozen

from linkpipe.engine.pipefile import PipelineFile, found, written
from linkpipe.engine.pipeline import load_pipeline
from linkpipe.engine.plugins import Catalog
from linkpipe.errors import UserError
from linkpipe.values import Value

LIMIT = "limit"
"""The option of passes that says for how many symbols they do their work."""

_APPLIED = ("pass", "remove", "replace", "insert")
_LARGEST_LIMIT = 1 << 31

Test = Callable[[str], bool | None]
"""Links with a pipeline file and tries the outcome: whether it holds; None where the pipeline
cannot be planned, or the outcome says nothing."""


@frozen(eq=False, repr=False)
class Edit(Value):
    """One edit of a pipeline.

    Attributes:
        file, line: where it is written.
        kind: "insert", "replace", "remove", or "pass" for one put at the end.
        name: the pass, or the barrier.
        why: what the file says of it.
    """

    file: str
    line: int
    kind: str
    name: str
    why: str = ""


@frozen(eq=False, repr=False)
class Bisected(Value):
    """What was found.

    Attributes:
        outcome: "found"; "holds", the test holds with all edits; "fails", it fails without any.
        edits: all, in the order in which they are applied.
        culprits: the edit that makes the test fail; several where those between could not be told
            apart, for no pipeline with some of them can be planned.
        limit: for how many symbols the culprit may do its work and the test fails; with one less it
            holds. None where the pass has no such option.
        links: how many there were.
    """

    outcome: str
    edits: tuple[Edit, ...]
    culprits: tuple[Edit, ...] = ()
    limit: int | None = None
    links: int = 0


def bisect(good: str, bad: str, test: Test, catalog: Catalog | None = None) -> Bisected:
    """Find the edit of the pipeline ``bad`` that ``good`` has not and that makes ``test`` fail; ""
    is the default pipeline.

    Raises PipelineError for a pipeline that cannot be read; UserError where ``bad`` does not extend
    ``good``, or cannot be planned as a whole.
    """
    catalog = catalog or Catalog()
    edits = _Edits.read(good, bad, catalog)
    tried: dict[int, bool | None] = {}

    def holds(count: int) -> bool | None:
        if count not in tried:
            with edits.first(count) as pipeline:
                tried[count] = test(pipeline)
        return tried[count]

    def told(outcome: str, low: int = 0, high: int = 0, limit: int | None = None) -> Bisected:
        culprits = tuple(edits.items[low:high])
        return Bisected(outcome, tuple(edits.items), culprits, limit, len(tried) + edits.limits)

    if holds(0) is False:
        return told("fails")
    if holds(len(edits.items)) is None:
        raise UserError(
            f"nothing can be told with the pipeline {bad}: it cannot be planned, or the test "
            "passes it over",
            status=2,
            label="linkpipe",
            remedy=f"see what `linkpipe passes --pipeline {bad}` says",
        )
    if holds(len(edits.items)):
        return told("holds")
    low, high = 0, len(edits.items)
    while high - low > 1:
        middle = (low + high) // 2
        near = sorted(range(low + 1, high), key=lambda count: abs(count - middle))
        count = next((count for count in near if holds(count) is not None), None)
        if count is None:
            break
        if tried[count]:
            low = count
        else:
            high = count
    limit = edits.limit(high, test) if high - low == 1 else None
    return told("found", low, high, limit)


@attrs.define(eq=False)
class _Edits:
    """The edits of a pipeline, and pipelines with the first of them."""

    good: str
    files: list[PipelineFile]
    items: list[Edit]
    places: list[tuple[PipelineFile, str, int]]
    catalog: Catalog
    limits: int = 0

    @classmethod
    def read(cls, good: str, bad: str, catalog: Catalog) -> _Edits:
        """Those that one pipeline has and the other has not."""
        base = load_pipeline(good, catalog)
        known = {os.path.realpath(file.name) for file in base.files}
        whole = load_pipeline(bad, catalog)
        files = [file for file in whole.files if os.path.realpath(file.name) not in known]
        if len(files) + len(known) != len(whole.files) or not files:
            raise UserError(
                f"{whole.file} does not extend {base.file}",
                status=2,
                label="linkpipe",
                remedy="name a pipeline that the bad one extends, with --good",
            )
        places = [
            (file, kind, row)
            for file in files
            for kind in _APPLIED
            for row in range(len(file.tables.get(kind, ())))
        ]
        items = []
        for file, kind, row in places:
            table = file.tables[kind][row]
            key = "name" if "name" in table else "barrier"
            line = file.place(kind, row).line(key)
            items.append(Edit(file.name, line, kind, table[key], table.get("why", "")))
        return cls(base.file, files, items, places, catalog)

    @contextmanager
    def first(self, count: int, limit: int | None = None) -> Iterator[str]:
        """A pipeline with the first ``count``, while it is needed; ``limit`` is that of the last.

        What the files extend they extend still, so that each edit stays whose it was.
        """
        if limit is None and count in (0, len(self.places)):
            yield self.files[-1].name if count else self.good
            return
        with tempfile.TemporaryDirectory(prefix="linkpipe-bisect-") as folder:
            copies = {
                os.path.realpath(file.name): os.path.join(folder, f"{number}.toml")
                for number, file in enumerate(self.files)
            }
            for file in self.files:
                lines = [
                    f"extends = {written([self._base(file, copies, n) for n in file.extends])}"
                ]
                for number, (owner, kind, row) in enumerate(self.places[:count], 1):
                    if owner is file:
                        table = file.tables[kind][row]
                        if limit is not None and number == count:
                            table = {**table, "options": {**table.get("options", {}), LIMIT: limit}}
                        lines += ["", f"[[{kind}]]"]
                        lines += [f"{key} = {written(value)}" for key, value in table.items()]
                with open(copies[os.path.realpath(file.name)], "w", encoding="utf-8") as out:
                    out.write("\n".join([*lines, ""]))
            yield copies[os.path.realpath(self.files[-1].name)]

    def _base(self, file: PipelineFile, copies: dict[str, str], name: str) -> str:
        """What a copy extends."""
        path, owner = found(name, file, self.catalog)
        copy = copies.get(os.path.realpath(path))
        return copy or (name if owner or name == "default" else os.path.abspath(path))

    def limit(self, count: int, test: Test) -> int | None:
        """The smallest limit of the last of the first ``count`` with which the test fails."""
        edit = self.items[count - 1]
        table = self.places[count - 1][0].tables[edit.kind][self.places[count - 1][2]]
        name = table.get("by", edit.name)
        if edit.kind == "remove" or "barrier" in table or not self._takes_limit(name):
            return None

        def holds(limit: int) -> bool:
            self.limits += 1
            with self.first(count, limit) as pipeline:
                return test(pipeline) is not False

        low, high = 0, 1
        if not holds(0):
            return 0
        while high < _LARGEST_LIMIT and holds(high):
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if holds(middle) else (low, middle)
        return high if high < _LARGEST_LIMIT else None

    def _takes_limit(self, name: str) -> bool:
        from linkpipe.engine.pass_api import Pass

        if len(self.catalog.offers("passes").get(name, ())) != 1:
            return False
        run = self.catalog.load("passes", name)
        options = run.options if isinstance(run, Pass) else None
        return options is not None and LIMIT in attrs.fields_dict(options)
