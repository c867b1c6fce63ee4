"""pipeline.toml: which passes run, in which order, with which options and conditions.

    [[pass]]
    name = "ptab"
    why = "a plugin lists its exported symbols for plugin.Lookup"
    when = { buildmode = "plugin" }
    options = { verbose = true }

``when`` names flags of the link (``buildmode``, ``s`` …), the target (``goos``, ``goarch``), or
what the pass `linkmode` finds out (fields of the fact ``mode``: ``external``, ``dynlink`` …); a
list means any of these values. What flags decide is decided before any input is opened.

A pipeline may be a change of another one:

    extends = "default"          # or a path, relative to this file

    [[insert]]
    name = "acme.count"
    after = "reachability"

    [[remove]]
    name = "stackcheck"

    [[replace]]
    name = "relro"
    by = "acme.relro"

This module reads such files; linkpipe/engine/plan.py checks them against the passes.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import attrs

from linkpipe.errors import PipelineError

_EMPTY: Mapping[str, Any] = MappingProxyType({})
_STEP_KEYS = {"name": str, "why": str, "when": dict, "options": dict}
_KEYS: Mapping[str, Mapping[str, type]] = {
    "pass": _STEP_KEYS,
    "insert": {**_STEP_KEYS, "after": str, "before": str},
    "replace": {**_STEP_KEYS, "by": str},
    "remove": {"name": str, "why": str},
}
_HEADER = re.compile(r"\s*\[\[\s*(\w+)\s*\]\]")
_KEY = re.compile(r"\s*([\w-]+)\s*[.=]")
_TOML_LINE = re.compile(r"\(at line (\d+),")


@attrs.frozen
class Step:
    """One pass in a pipeline.

    Attributes:
        name: the pass.
        why: one line.
        when: condition -> values of which one must hold.
        options: the pass's options, as written.
        file: the pipeline file that it stands in.
        lines: key -> 1-based line; "" is the table's header.
    """

    name: str
    why: str = ""
    when: Mapping[str, tuple[Any, ...]] = _EMPTY
    options: Mapping[str, Any] = _EMPTY
    file: str = ""
    lines: Mapping[str, int] = _EMPTY

    def error(self, message: str, key: str = "name", *, remedy: str = "") -> PipelineError:
        """An error at the line of ``key`` in this step."""
        line = self.lines.get(key, self.lines.get("", 0))
        return PipelineError(message, file=self.file, line=line, remedy=remedy, label="linkpipe")


@attrs.frozen
class Pipeline:
    """Steps in order, and the bytes of the files that they come from (for the link's identity)."""

    steps: tuple[Step, ...]
    file: str
    source: bytes


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
    return _load(file or default_file(), ())


def _load(file: str, parents: tuple[str, ...]) -> Pipeline:
    import tomllib

    if os.path.realpath(file) in parents:
        raise _error(file, 0, "a pipeline that extends itself", "remove `extends`")
    try:
        with open(file, "rb") as f:
            source = f.read()
        tables = tomllib.loads(source.decode())
    except OSError as e:
        reason = (e.strerror or str(e)).lower()
        raise _error("", 0, f"cannot read the pipeline {file}: {reason}", "check --pipeline") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        at = _TOML_LINE.search(str(e))
        message = str(e)[: at.start()].strip() if at else str(e)
        raise _error(
            file, int(at[1]) if at else 0, f"not a TOML file: {message}", "see https://toml.io"
        ) from e
    lines = _lines(source.decode())
    for key, value in tables.items():
        if key not in ("extends", *_KEYS):
            known = ", ".join(("extends", *_KEYS))
            raise _error(file, _line(lines, key), f"unknown key `{key}`", f"known: {known}")
        if key != "extends" and not isinstance(value, list):
            raise _error(
                file, _line(lines, key), f"`{key}` is not a list", f"write [[{key}]] for each one"
            )
    base = _base(file, tables, _line(lines, "extends"), parents)
    steps = list(base.steps) if base else []
    for key in ("pass", "remove", "replace", "insert"):
        for row, table in enumerate(tables.get(key, ())):
            at_lines = lines[key][row] if len(lines[key]) == len(tables[key]) else {}
            edit = {"pass": _append, "remove": _remove, "replace": _replace, "insert": _insert}[key]
            edit(steps, _step(file, key, table, at_lines), table)
    if not steps:
        raise _error(file, 0, "the pipeline has no passes", 'add `extends = "default"`')
    return Pipeline(tuple(steps), file, (base.source if base else b"") + source)


def _base(
    file: str, tables: Mapping[str, Any], line: int, parents: tuple[str, ...]
) -> Pipeline | None:
    extends = tables.get("extends")
    if extends is None:
        for key in ("insert", "remove", "replace"):
            if key in tables:
                raise _error(
                    file,
                    0,
                    f"[[{key}]] in a pipeline that extends nothing",
                    'add `extends = "default"` at the top',
                )
        return None
    if not isinstance(extends, str):
        raise _error(file, line, "`extends` is not a string", 'write extends = "default"')
    if extends == "default":
        base = default_file()
    else:
        base = os.path.join(os.path.dirname(file), extends)
    return _load(base, (*parents, os.path.realpath(file)))


def _step(file: str, kind: str, table: Any, lines: Mapping[str, int]) -> Step:
    """One table, checked."""
    here = Step("", file=file, lines=lines)
    keys = _KEYS[kind]
    for key, value in table.items():
        if key not in keys:
            raise here.error(
                f"unknown key `{key}` in [[{kind}]]", key, remedy=f"known: {', '.join(keys)}"
            )
        if not isinstance(value, keys[key]):
            expected = "a string" if keys[key] is str else "a table"
            raise here.error(
                f"`{key}`: expected {expected}, found {value!r}", key, remedy="correct the value"
            )
    if "name" not in table:
        raise here.error(f"[[{kind}]] has no `name`", "", remedy="name the pass")
    when = {
        key: tuple(value) if isinstance(value, list) else (value,)
        for key, value in table.get("when", {}).items()
    }
    return Step(table["name"], table.get("why", ""), when, table.get("options", {}), file, lines)


def _append(steps: list[Step], step: Step, table: Mapping[str, Any]) -> None:
    steps.append(step)


def _remove(steps: list[Step], step: Step, table: Mapping[str, Any]) -> None:
    del steps[_find(steps, step, step.name, "name")]


def _replace(steps: list[Step], step: Step, table: Mapping[str, Any]) -> None:
    """What the replacement does not say itself it takes from the step that it replaces; options
    only when it stays the same pass."""
    at = _find(steps, step, step.name, "name")
    old = steps[at]
    by = table.get("by", old.name)
    steps[at] = attrs.evolve(
        step,
        name=by,
        why=step.why or old.why,
        when=step.when if "when" in table else old.when,
        options=step.options if "options" in table or by != old.name else old.options,
    )


def _insert(steps: list[Step], step: Step, table: Mapping[str, Any]) -> None:
    anchors = [key for key in ("after", "before") if key in table]
    if len(anchors) != 1:
        raise step.error(
            f"[[insert]] of {step.name} needs one of `after` and `before`",
            "",
            remedy='say where, for example after = "reachability"',
        )
    at = _find(steps, step, table[anchors[0]], anchors[0])
    steps.insert(at + (anchors[0] == "after"), step)


def _find(steps: Sequence[Step], step: Step, name: str, key: str) -> int:
    for at, other in enumerate(steps):
        if other.name == name:
            return at
    from linkpipe.engine.plugins import suggestion

    names = [other.name for other in steps]
    raise step.error(
        f'the pipeline that is extended has no pass "{name}"',
        key,
        remedy=suggestion(name, names) or f"it has: {', '.join(names)}",
    )


def _error(file: str, line: int, message: str, remedy: str) -> PipelineError:
    return PipelineError(message, file=file, line=line, remedy=remedy, label="linkpipe")


def _line(lines: Mapping[str, Sequence[Mapping[str, int]]], key: str) -> int:
    """The line of a top-level key."""
    for table in (*lines.get("", ()), *lines.get(key, ())):
        for found in (key, ""):
            if found in table:
                return table[found]
    return 0


def _lines(text: str) -> dict[str, list[dict[str, int]]]:
    """Where tables and keys stand, which tomllib does not tell: array name -> for each of its
    tables key -> line, with the header's line under "". Top-level keys are in the one table of
    the name "". Only lines that start a table or a key count, so a multi-line string that
    looks like TOML can mislead it; callers compare the number of tables."""
    found: dict[str, list[dict[str, int]]] = defaultdict(list)
    table: dict[str, int] = {}
    found[""].append(table)
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            table = {"": number}
            found[header[1]].append(table)
            continue
        key = _KEY.match(line)
        if key:
            table.setdefault(key[1], number)
    return found
