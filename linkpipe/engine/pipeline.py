"""pipeline.toml: which passes run, in which order, with which options and conditions.

    pass = [
        { name = "acme.load", why = "read what there is" },
        { name = "acme.ptab", why = "list what is exported", when = { buildmode = "plugin" } },
        { barrier = "exports-final", why = "what is exported is known", final = ["acme.exports"] },
    ]

TOML has a second way of writing the same, a header ``[[pass]]`` for each one:

    [[pass]]
    name = "acme.ptab"
    why = "list what is exported"
    when = { buildmode = "plugin" }
    options = { verbose = true }

``when`` names flags of the link (``buildmode``, ``s`` …), the target (``goos``, ``goarch``), or
fields of the fact ``mode`` (``external``, ``dynlink`` …); a list means any of these values. What
flags decide is decided before any input is opened.

``phase`` is the name under which `-benchmark` counts a pass, and those behind it until another one
says its own.

A barrier is a place with a name: what it lists as ``final``, facts ("graph") or parts of them
("symbols.value"), no pass behind it changes. The observer ``check`` holds passes to that.

A pipeline may be a change of another one, or of several:

    extends = "default"          # or a path, relative to this file, or an installed pipeline's name

    [[insert]]
    name = "acme.count"
    after = "acme.load"          # or before, a pass or a barrier; several stay in the file's order

    [[remove]]
    name = "acme.check"

    [[replace]]
    name = "acme.ptab"
    by = "acme.table"

With ``extends = ["default", "acme"]`` all of them are applied in that order, each file once. Of two
that do not extend one another neither may replace or remove what the other one put in its place.

This module applies such files (pipefile.py reads them); plan.py checks the result against the
passes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from copy import deepcopy
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from linkpipe.engine.pipefile import (
    COMMAND_LINE,
    KINDS,
    PipelineFile,
    Place,
    check_table,
    default_file,
    found,
    parsed,
    read,
)
from linkpipe.errors import PipelineError
from linkpipe.values import Value, evolve, record

if TYPE_CHECKING:
    from linkpipe.engine.plugins import Catalog

__all__ = ["Barrier", "Pipeline", "Place", "Step", "default_file", "load_pipeline"]

_EMPTY: Mapping[str, Any] = MappingProxyType({})


@record
class Step(Value):
    """One pass in a pipeline.

    Attributes:
        name: the pass.
        why: one line.
        when: condition -> values of which one must hold.
        options: the pass's options, as written.
        place: where it is written.
        options_place: where its options are; relative paths in them start from that file's folder.
        key: the key that names the pass there.
        phase: what `-benchmark` counts it to.
    """

    name: str
    why: str = ""
    when: Mapping[str, tuple[Any, ...]] = _EMPTY
    options: Mapping[str, Any] = _EMPTY
    place: Place = Place()
    options_place: Place = Place()
    key: str = "name"
    phase: str = ""

    @property
    def written(self) -> str:
        """Where it is written, for messages."""
        return self.place.where(self.key)

    def error(self, message: str, *inside: str, remedy: str) -> PipelineError:
        """An error at the line of a key in this step, that of its name if none is given."""
        return self.place.error(message, *(inside or (self.key,)), remedy=remedy)


@record
class Barrier(Value):
    """A place with a name, and what does not change behind it.

    Attributes:
        name: as inserts name it.
        final: facts, and parts of facts ("symbols.value"; of a tuple, that of each item).
        why: one line.
        place: where it is written.
        at: how many of the passes stand before it.
    """

    name: str
    final: tuple[str, ...] = ()
    why: str = ""
    place: Place = Place()
    at: int = 0

    @property
    def written(self) -> str:
        """Where it is written, for messages."""
        return self.place.where("barrier")

    def error(self, message: str, *inside: str, remedy: str) -> PipelineError:
        """An error at the line of a key in this barrier, that of its name if none is given."""
        return self.place.error(message, *(inside or ("barrier",)), remedy=remedy)


@record
class Pipeline(Value):
    """Steps in order.

    Attributes:
        steps: the steps.
        file: the file that was asked for.
        source: the bytes of it and of what it extends (for the link's identity).
        gone: pass that is not in it -> the [[remove]] or [[replace]] that took it out.
        barriers: the barriers, in order.
        files: it and what it extends, in the order in which they were applied.
    """

    steps: tuple[Step, ...]
    file: str
    source: bytes
    gone: Mapping[str, Step] = _EMPTY
    barriers: tuple[Barrier, ...] = ()
    files: tuple[PipelineFile, ...] = ()


def load_pipeline(file: str = "", catalog: Catalog | None = None, edits: str = "") -> Pipeline:
    """Read a pipeline file, the default one when none is named, and what it extends. ``edits`` is
    what flags add to it, as the text of a file that extends it. ``catalog`` is what is installed.

    Raises PipelineError: unreadable or malformed file, unknown key, wrong type, unknown anchor,
    what two files both want to change.
    """
    file = file or default_file()
    first = parsed(COMMAND_LINE, edits.encode(), lines=False) if edits else read(file)
    build = _Build(catalog, *_files(first, catalog))
    for each in build.files:
        build.apply(each)
    steps = [item for item in _phased(build.items) if isinstance(item, Step)]
    barriers = _barriers(build.items, build.files)
    if not steps:
        remedy = 'add `extends = "default"`'
        message = "the pipeline has no passes"
        raise PipelineError(message, file=file, line=1, remedy=remedy, label="linkpipe")
    source = b"".join(each.source for each in build.files)
    stands = {step.name for step in steps}
    gone = {name: edit for name, edit in build.gone.items() if name not in stands}
    return Pipeline(tuple(steps), file, source, gone, barriers, tuple(build.files))


def _phased(items: Sequence[Step | Barrier]) -> list[Step | Barrier]:
    """These, each pass in the phase that it names, or that a pass before it names."""
    found, phase = [], ""
    for item in items:
        if isinstance(item, Step):
            phase = item.phase or phase
            item = item if item.phase == phase else evolve(item, phase=phase)
        found.append(item)
    return found


def _barriers(
    items: Sequence[Step | Barrier], files: Sequence[PipelineFile]
) -> tuple[Barrier, ...]:
    """The barriers among these. Raises PipelineError for one whose name something else has."""
    barriers = [item for item in items if isinstance(item, Barrier)]
    found: list[Barrier] = []
    for barrier in barriers:
        at = next(at for at, item in enumerate(items) if item is barrier)
        for item in items:
            if item.name == barrier.name and item is not barrier:
                order = [file.name for file in files]
                first, second = sorted(
                    (barrier, item), key=lambda each: order.index(each.place.file)
                )
                raise second.error(
                    f'the name "{item.name}" is taken: it stands in {first.written}',
                    remedy="rename one of the two: a barrier is called as nothing else is",
                )
        found.append(evolve(barrier, at=at - len(found)))
    return tuple(found)


def _files(
    first: PipelineFile, catalog: Catalog | None
) -> tuple[list[PipelineFile], dict[str, list[str]]]:
    """A file and all that it extends, each behind what it extends itself; and for each the names of
    the files that it extends. A chain may be longer than Python's stack."""
    bases: dict[str, list[str]] = {first.name: []}
    done: list[PipelineFile] = []
    # What flags say is no file, though there may be one of that name.
    real = {os.path.realpath(first.name): first} if first.lines else {}
    open_ = [(first, iter(first.extends))]
    while open_:
        file, names = open_[-1]
        name = next(names, None)
        if name is None:
            done.append(file)
            open_.pop()
            continue
        path, owner = found(name, file, catalog)
        known = real.get(os.path.realpath(path))
        if known is None:
            known = real[os.path.realpath(path)] = read(path, file, owner)
            bases[known.name] = []
            open_.append((known, iter(known.extends)))
        elif any(known is above for above, _ in open_):
            raise file.place("extends").error(
                f"a pipeline that extends itself, by {path}",
                remedy="remove one `extends` of the circle",
            )
        bases[file.name].append(known.name)
    return done, bases


@attrs.define(eq=False)
class _Build:
    """What files make of what they extend, one after the other."""

    catalog: Catalog | None
    files: list[PipelineFile]
    bases: Mapping[str, Sequence[str]]
    items: list[Step | Barrier] = attrs.Factory(list)
    gone: dict[str, Step] = attrs.Factory(dict)
    # What was inserted after another, or replaced by another: by its id, it and that other one.
    follows: dict[int, tuple[Step | Barrier, Step | Barrier]] = attrs.Factory(dict)

    def apply(self, file: PipelineFile) -> None:
        """Add what a file says to what it extends."""
        edits = {
            kind: [
                (file.place(kind, row), table)
                for row, table in enumerate(file.tables.get(kind, ()))
            ]
            for kind in KINDS
        }
        for kind, rows in edits.items():
            for place, table in rows:
                check_table(place, kind, table)
        self.items += _phased([_item(place, table) for place, table in edits["pass"]])
        for place, table in edits["remove"]:
            step = _step(place, table)
            at = self._find(step, step.name, "name")
            self._not_a_strangers(step, self.items[at], "remove")
            del self.items[at]
            self.gone[step.name] = step
        for place, table in edits["replace"]:
            self._replace(_step(place, table), table)
        for place, table in edits["insert"]:
            self._insert(_item(place, table), table)

    def _replace(self, step: Step, table: Mapping[str, Any]) -> None:
        """What the replacement does not say itself it takes from the step that it replaces; options
        only when it stays the same pass."""
        at = self._find(step, step.name, "name")
        old = self.items[at]
        if isinstance(old, Barrier):
            raise step.error(
                f"{old.name} is a barrier, which no pass replaces",
                remedy="[[remove]] it, if what is final behind it shall not be so",
            )
        self._not_a_strangers(step, old, "replace")
        by = table.get("by", old.name)
        own_options = "options" in table or by != old.name
        new = self.items[at] = evolve(
            step,
            name=by,
            key="by" if "by" in table else "name",
            why=step.why or old.why,
            when=step.when if "when" in table else old.when,
            options=step.options if own_options else old.options,
            options_place=step.place if own_options else old.options_place,
            phase=step.phase or old.phase,
        )
        if id(old) in self.follows:
            self.follows[id(new)] = (new, self.follows[id(old)][1])
        self.follows[id(old)] = (old, new)
        if by != old.name:
            self.gone[old.name] = step

    def _insert(self, item: Step | Barrier, table: Mapping[str, Any]) -> None:
        """Several at one place end up in the order in which they are written, and their files
        applied."""
        anchors = [key for key in ("after", "before") if key in table]
        if len(anchors) != 1:
            from linkpipe.engine.places import where_it_may_stand

            places = "" if anchors else where_it_may_stand(item, self.items, self.catalog)
            raise item.place.error(
                f"-pass {item.name} does not say after what: -pass {item.name}@AFTER"
                if item.place.file == COMMAND_LINE
                else f"[[insert]] of {item.name} needs one of `after` and `before`",
                remedy=places or "say where: name the pass that it stands after, or before",
            )
        at = self._find(item, table[anchors[0]], anchors[0])
        if anchors[0] == "after":
            anchor = self.items[at]
            at = max(i for i, other in enumerate(self.items) if self._led_by(anchor, other)) + 1
            self.follows[id(item)] = (item, anchor)
        self.items.insert(at, item)

    def _led_by(self, anchor: Step | Barrier, item: Step | Barrier) -> bool:
        """Whether it is the anchor, or was inserted after it, or after one that was."""
        while item is not anchor and id(item) in self.follows:
            item = self.follows[id(item)][1]
        return item is anchor

    def _find(self, item: Step | Barrier, name: str, key: str) -> int:
        for at, other in enumerate(self.items):
            if other.name == name:
                return at
        from linkpipe.engine.plugins import suggestion

        names = [other.name for other in self.items]
        remedy = suggestion(name, names) or f"it has: {', '.join(names)}"
        if name in self.gone:
            remedy = f"it was taken out in {self.gone[name].written}"
        raise item.error(f'the pipeline has no pass "{name}" here', key, remedy=remedy)

    def _not_a_strangers(self, edit: Step | Barrier, old: Step | Barrier, what: str) -> None:
        """That a file changes nothing but what it extends has put there."""
        todo, seen = [edit.place.file], set()
        while todo:
            file = todo.pop()
            if file == old.place.file:
                return
            if file not in seen:
                seen.add(file)
                todo += self.bases[file]
        raise edit.error(
            f"cannot {what} {old.name}: it is as {old.written} wants it, which this pipeline "
            "does not extend",
            remedy="use one of the two pipelines, or settle it in one that extends both",
        )


def _item(place: Place, table: Mapping[str, Any]) -> Step | Barrier:
    if "barrier" in table:
        why = table.get("why", "")
        return Barrier(table["barrier"], tuple(table.get("final", ())), why, place)
    return _step(place, table)


def _step(place: Place, table: Mapping[str, Any]) -> Step:
    asked: dict[str, Any] = {}
    for key, value in table.get("when", {}).items():
        # when = { release.typelinks = true }
        inner = {f"{key}.{name}": v for name, v in value.items()} if isinstance(value, dict) else {}
        asked |= inner or {key: value}
    when = {key: tuple(v) if isinstance(v, list) else (v,) for key, v in asked.items()}
    options = deepcopy(table.get("options", {}))  # the table may be that of other links, too
    why, phase = table.get("why", ""), table.get("phase", "")
    return Step(table["name"], why, when, options, place, place, phase=phase)
