"""pipeline.toml: which passes run, in which order, with which options and conditions.

    pass = [
        { name = "acme.load", why = "read what there is" },
        { name = "acme.ptab", why = "list what is exported", when = { buildmode = "plugin" } },
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

A pipeline may be a change of another one:

    extends = "default"          # or a path, relative to this file

    [[insert]]
    name = "acme.count"
    after = "acme.load"          # or before; several at one place stay in the order of the file

    [[remove]]
    name = "acme.check"

    [[replace]]
    name = "acme.ptab"
    by = "acme.table"

This module reads such files; linkpipe/engine/plan.py checks them against the passes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import attrs

from linkpipe.errors import PipelineError
from linkpipe.values import Value

_EMPTY: Mapping[str, Any] = MappingProxyType({})
_STEP_KEYS = {"name": str, "why": str, "when": dict, "options": dict}
_KEYS: Mapping[str, Mapping[str, type]] = {
    "pass": _STEP_KEYS,
    "insert": {**_STEP_KEYS, "after": str, "before": str},
    "replace": {**_STEP_KEYS, "by": str},
    "remove": {"name": str, "why": str},
}
_TOML_LINE = r" ?\((?:at line (\d+), column \d+|at end of document)\)$"


@attrs.frozen(eq=False, repr=False)
class Place(Value):
    """A value in a pipeline file, for messages. Its line is looked up when it is asked for.

    Attributes:
        file: the pipeline file.
        text: what is in it.
        path: keys and indices that lead to the value, such as ("pass", 2).
    """

    file: str = ""
    text: str = attrs.field(default="", repr=False)
    path: tuple[str | int, ...] = ()

    def line(self, *inside: str) -> int:
        """The 1-based line of the value, or of what it holds there; 0 when it has none."""
        from linkpipe.engine.lines import line_of

        return line_of(self.text, (*self.path, *inside))

    def where(self, *inside: str) -> str:
        """ "file:line" of it."""
        return f"{self.file}:{self.line(*inside)}"

    def error(self, message: str, *inside: str, remedy: str) -> PipelineError:
        """An error at that line."""
        line = self.line(*inside)
        return PipelineError(message, file=self.file, line=line, remedy=remedy, label="linkpipe")


@attrs.frozen(eq=False, repr=False)
class Step(Value):
    """One pass in a pipeline.

    Attributes:
        name: the pass.
        why: one line.
        when: condition -> values of which one must hold.
        options: the pass's options, as written.
        place: where it is written.
        options_place: where its options are; relative paths in them start from that file's folder.
    """

    name: str
    why: str = ""
    when: Mapping[str, tuple[Any, ...]] = _EMPTY
    options: Mapping[str, Any] = _EMPTY
    place: Place = Place()
    options_place: Place = Place()

    def error(self, message: str, *inside: str, remedy: str) -> PipelineError:
        """An error at the line of a key in this step, that of its name if none is given."""
        return self.place.error(message, *(inside or ("name",)), remedy=remedy)


@attrs.frozen(eq=False, repr=False)
class Pipeline(Value):
    """Steps in order.

    Attributes:
        steps: the steps.
        file: the file that was asked for.
        source: the bytes of it and of what it extends (for the link's identity).
        gone: pass -> the [[remove]] or [[replace]] that took it out.
    """

    steps: tuple[Step, ...]
    file: str
    source: bytes
    gone: Mapping[str, Step] = _EMPTY


def default_file() -> str:
    """The default pipeline, which ships with the package. In a working tree it is a link to the
    file at the top of the repository, and errors name that one."""
    return os.path.realpath(
        os.path.join(os.path.dirname(os.path.dirname(__file__)), "pipeline.toml")
    )


def load_pipeline(file: str = "") -> Pipeline:
    """Read a pipeline file, the default one when none is named, and what it extends.

    Raises PipelineError: unreadable or malformed file, unknown key, wrong type, unknown anchor.
    """
    file = file or default_file()
    files = [_read(file, None)]
    seen = {os.path.realpath(file)}
    while (base := _extended(files[-1])) is not None:
        real = os.path.realpath(base)
        if real in seen:
            place = files[-1].place("extends")
            raise place.error(f"a pipeline that extends itself, by {base}", remedy=_NO_CYCLE)
        seen.add(real)
        files.append(_read(base, files[-1]))
    steps: list[Step] = []
    gone: dict[str, Step] = {}
    for each in reversed(files):
        _apply(each, steps, gone)
    if not steps:
        raise _error(file, 1, "the pipeline has no passes", 'add `extends = "default"`')
    return Pipeline(tuple(steps), file, b"".join(each.source for each in reversed(files)), gone)


_NO_CYCLE = "remove one `extends` of the circle"


@attrs.frozen(eq=False, repr=False)
class _File(Value):
    """A pipeline file as it is written."""

    name: str
    source: bytes
    text: str
    tables: Mapping[str, Any]

    def place(self, *path: str | int) -> Place:
        return Place(self.name, self.text, path)


def _read(file: str, by: _File | None) -> _File:
    """Read a file and check its keys; ``by`` is the one that extends it."""
    import tomllib

    try:
        with open(file, "rb") as f:
            source = f.read()
    except OSError as e:
        reason = e.strerror or str(e)
        message = f"cannot read the pipeline {file}: {reason.lower()}"
        if by is not None:
            raise by.place("extends").error(message, remedy="correct `extends`") from e
        raise _error("", 0, message, "check --pipeline") from e
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = source.count(b"\n", 0, e.start) + 1
        raise _error(file, line, f"not a TOML file: {e}", "save it as UTF-8") from e
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as e:
        message, found = str(e), re.search(_TOML_LINE, str(e))
        line = int(found[1] or text.count("\n") + 1) if found else 0
        message = message[: found.start()] if found else message
        raise _error(file, line, f"not a TOML file: {message}", "see https://toml.io") from e
    except RecursionError as e:
        raise _error(file, 0, "values are nested too deeply", "see https://toml.io") from e
    read = _File(file, source, text, tables)
    for key, value in tables.items():
        place = read.place(key)
        if key not in ("extends", *_KEYS):
            known = ", ".join(("extends", *_KEYS))
            raise place.error(f"unknown key `{key}`", remedy=f"known: {known}")
        if key == "extends":
            if not isinstance(value, str) or "\0" in value:
                raise place.error("`extends` is not a path", remedy='write extends = "default"')
        elif not isinstance(value, list):
            raise place.error(f"`{key}` is not a list", remedy=f"write [[{key}]] for each one")
        elif key != "pass" and "extends" not in tables:
            raise place.error(
                f"[[{key}]] in a pipeline that extends nothing",
                remedy='add `extends = "default"` at the top',
            )
    return read


def _extended(file: _File) -> str | None:
    """The file that this one extends."""
    base = file.tables.get("extends")
    if base == "default":
        return default_file()
    return None if base is None else os.path.join(os.path.dirname(file.name), base)


def _apply(file: _File, steps: list[Step], gone: dict[str, Step]) -> None:
    """Add what a file says to what it extends."""
    edits = {
        kind: [
            (_step(file.place(kind, row), kind, table), table)
            for row, table in enumerate(file.tables.get(kind, ()))
        ]
        for kind in _KEYS
    }
    steps += [step for step, _ in edits["pass"]]
    for step, _ in edits["remove"]:
        del steps[_find(steps, step, step.name, "name", gone)]
        gone[step.name] = step
    for step, table in edits["replace"]:
        _replace(steps, step, table, gone)
    _insert(steps, edits["insert"], gone)


def _step(place: Place, kind: str, table: Any) -> Step:
    """One table, checked."""
    if not isinstance(table, dict):
        raise place.error(
            f"[[{kind}]]: expected a table, found {table!r}", remedy='write { name = "…" }'
        )
    keys = _KEYS[kind]
    for key, value in table.items():
        if key not in keys:
            raise place.error(
                f"unknown key `{key}` in [[{kind}]]", key, remedy=f"known: {', '.join(keys)}"
            )
        if not isinstance(value, keys[key]):
            expected = "a string" if keys[key] is str else "a table"
            raise place.error(
                f"`{key}`: expected {expected}, found {value!r}", key, remedy="correct the value"
            )
    if "name" not in table:
        raise place.error(f"[[{kind}]] has no `name`", remedy="name the pass")
    asked: dict[str, Any] = {}
    for key, value in table.get("when", {}).items():
        # when = { release.typelinks = true }
        inner = {f"{key}.{name}": v for name, v in value.items()} if isinstance(value, dict) else {}
        asked |= inner or {key: value}
    when = {key: tuple(v) if isinstance(v, list) else (v,) for key, v in asked.items()}
    return Step(table["name"], table.get("why", ""), when, table.get("options", {}), place, place)


def _replace(
    steps: list[Step], step: Step, table: Mapping[str, Any], gone: dict[str, Step]
) -> None:
    """What the replacement does not say itself it takes from the step that it replaces; options
    only when it stays the same pass."""
    at = _find(steps, step, step.name, "name", gone)
    old = steps[at]
    by = table.get("by", old.name)
    own_options = "options" in table or by != old.name
    steps[at] = attrs.evolve(
        step,
        name=by,
        why=step.why or old.why,
        when=step.when if "when" in table else old.when,
        options=step.options if own_options else old.options,
        options_place=step.place if own_options else old.options_place,
    )
    if by != old.name:
        gone[old.name] = step


def _insert(
    steps: list[Step],
    inserts: Sequence[tuple[Step, Mapping[str, Any]]],
    gone: Mapping[str, Step],
) -> None:
    """Several at one place end up in the order in which they are written."""
    last: dict[int, Step] = {}  # id of a step -> the step that was last inserted after it
    for step, table in inserts:
        anchors = [key for key in ("after", "before") if key in table]
        if len(anchors) != 1:
            raise step.place.error(
                f"[[insert]] of {step.name} needs one of `after` and `before`",
                remedy="say where: name the pass that it stands after, or before",
            )
        at = _find(steps, step, table[anchors[0]], anchors[0], gone)
        if anchors[0] == "after":
            anchor = end = steps[at]
            while id(end) in last:
                end = last[id(end)]
            last[id(anchor)] = step
            at = next(i for i, other in enumerate(steps) if other is end) + 1
        steps.insert(at, step)


def _find(steps: Sequence[Step], step: Step, name: str, key: str, gone: Mapping[str, Step]) -> int:
    for at, other in enumerate(steps):
        if other.name == name:
            return at
    from linkpipe.engine.plugins import suggestion

    names = [other.name for other in steps]
    remedy = suggestion(name, names) or f"it has: {', '.join(names)}"
    if name in gone:
        remedy = f"it was taken out in {gone[name].place.where('name')}"
    raise step.error(f'the pipeline has no pass "{name}" here', key, remedy=remedy)


def _error(file: str, line: int, message: str, remedy: str) -> PipelineError:
    return PipelineError(message, file=file, line=line, remedy=remedy, label="linkpipe")
