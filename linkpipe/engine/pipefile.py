"""One pipeline file as it is written: found, read, its keys and their types checked.

What the file means, pipeline.py says.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs

from linkpipe.errors import PipelineError, UserError
from linkpipe.values import Value, record

if TYPE_CHECKING:
    from linkpipe.engine.plugins import Catalog

_STEP_KEYS = {"name": str, "why": str, "when": dict, "options": dict, "phase": str}
_BARRIER_KEYS = {"barrier": str, "final": list, "why": str}
_ANCHORS = {"after": str, "before": str}
KINDS: Mapping[str, Mapping[str, type]] = MappingProxyType(
    {
        "pass": _STEP_KEYS,
        "insert": {**_STEP_KEYS, **_ANCHORS},
        "replace": {**_STEP_KEYS, "by": str},
        "remove": {"name": str, "why": str},
    }
)
"""What a file says of passes, each kind a list of tables: their keys, and the types of these."""
BARRIER_KINDS: Mapping[str, Mapping[str, type]] = MappingProxyType(
    {"pass": _BARRIER_KEYS, "insert": {**_BARRIER_KEYS, **_ANCHORS}}
)
"""The same of tables that are about a barrier."""
_TYPES: Mapping[type, str] = {str: "a string", dict: "a table", list: "a list of strings"}
_TOML_LINE = r" ?\((?:at line (\d+), column \d+|at end of document)\)$"
COMMAND_LINE = "command line"
"""What stands for a file in messages about edits that flags made."""


@attrs.frozen(eq=False, repr=False)
class Place(Value):
    """A value in a pipeline file, for messages. Its line is looked up when it is asked for.

    Attributes:
        file: the pipeline file.
        text: what is in it.
        path: keys and indices that lead to the value, such as ("pass", 2).
        owner: the distribution that installed the file, with its version; "" for one's own.
    """

    file: str = ""
    text: str = attrs.field(default="", repr=False)
    path: tuple[str | int, ...] = ()
    owner: str = ""

    def line(self, *inside: str) -> int:
        """The 1-based line of the value, or of what it holds there; 0 when it has none."""
        from linkpipe.engine.lines import line_of

        return line_of(self.text, (*self.path, *inside))

    def where(self, *inside: str) -> str:
        """ "file:line" of it, and who installed the file."""
        line = self.line(*inside)
        told = f"{self.file}:{line}" if line else self.file
        return f"{told} (of {self.owner})" if self.owner else told

    def error(self, message: str, *inside: str, remedy: str) -> PipelineError:
        """An error at that line."""
        line = self.line(*inside)
        message += f" (in a pipeline of {self.owner})" if self.owner else ""
        return PipelineError(message, file=self.file, line=line, remedy=remedy, label="linkpipe")


@record
class PipelineFile(Value):
    """A pipeline file as it is written.

    Attributes:
        name: the file.
        source, text: what is in it.
        tables: the same, read.
        owner: the distribution that installed it, with its version; "" for one's own.
        lines: whether a person wrote it, so that a line of it says something.
    """

    name: str
    source: bytes
    text: str
    tables: Mapping[str, Any]
    owner: str = ""
    lines: bool = True

    def place(self, *path: str | int) -> Place:
        """A value in it."""
        return Place(self.name, self.text if self.lines else "", path, self.owner)

    @property
    def extends(self) -> tuple[str, ...]:
        """What it extends, as it names that."""
        named = self.tables.get("extends", ())
        return (named,) if isinstance(named, str) else tuple(named)


def default_file() -> str:
    """The default pipeline, which ships with the package. In a working tree it is a link to the
    file at the top of the repository, and errors name that one."""
    return os.path.realpath(
        os.path.join(os.path.dirname(os.path.dirname(__file__)), "pipeline.toml")
    )


def found(name: str, by: PipelineFile, catalog: Catalog | None) -> tuple[str, str]:
    """The file that ``by`` extends under a name, and the distribution that installed it, if one
    did: the default pipeline, a path, or the name of a pipeline that is installed.

    Raises PipelineError when there is no such pipeline.
    """
    if name == "default":
        return default_file(), ""
    if os.sep in name or name.endswith(".toml"):
        return os.path.join(os.path.dirname(by.name), name), ""
    if catalog is None:
        from linkpipe.engine.plugins import Catalog

        catalog = Catalog()
    try:
        file = catalog.load("pipelines", name)
    except UserError as e:
        remedy = f'{e.remedy}; write "./{name}" for a file' if e.remedy else ""
        raise by.place("extends").error(e.message, remedy=remedy) from e
    offer = catalog.offers("pipelines")[name][0]
    if not isinstance(file, (str, os.PathLike)):
        raise by.place("extends").error(
            f'the pipeline "{name}" of {offer.owner} is no path but {type(file).__name__}',
            remedy="its author must offer the path of a file",
        )
    return os.fspath(file), offer.owner


def read(file: str, by: PipelineFile | None = None, owner: str = "") -> PipelineFile:
    """Read a file and check its keys; ``by`` is the one that extends it, ``owner`` who installed
    it. Raises PipelineError."""

    try:
        with open(file, "rb") as f:
            source = f.read()
    except OSError as e:
        reason = e.strerror or str(e)
        message = f"cannot read the pipeline {file}: {reason.lower()}"
        if by is not None:
            raise by.place("extends").error(message, remedy="correct `extends`") from e
        raise _error("", 0, message, "check --pipeline") from e
    return parsed(file, source, owner)


def parsed(file: str, source: bytes, owner: str = "", *, lines: bool = True) -> PipelineFile:
    """Read what is in a file and check its keys. Raises PipelineError."""
    import tomllib

    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        line = source.count(b"\n", 0, e.start) + 1
        raise _error(file, line, f"not a TOML file: {e}", "save it as UTF-8") from e
    try:
        tables = _tables(text)
    except tomllib.TOMLDecodeError as e:
        message, found = str(e), re.search(_TOML_LINE, str(e))
        line = int(found[1] or text.count("\n") + 1) if found else 0
        message = message[: found.start()] if found else message
        raise _error(file, line, f"not a TOML file: {message}", "see https://toml.io") from e
    except RecursionError as e:
        raise _error(file, 0, "values are nested too deeply", "see https://toml.io") from e
    read = PipelineFile(file, source, text, tables, owner, lines)
    for key, value in tables.items():
        place = read.place(key)
        if key not in ("extends", *KINDS):
            known = ", ".join(("extends", *KINDS))
            raise place.error(f"unknown key `{key}`", remedy=f"known: {known}")
        if key == "extends":
            named = value if isinstance(value, list) else [value]
            if not named or not all(isinstance(one, str) and "\0" not in one for one in named):
                raise place.error(
                    "`extends` is not a path or a list of them",
                    remedy='write extends = "default", or extends = ["default", "acme"]',
                )
        elif not isinstance(value, list):
            raise place.error(f"`{key}` is not a list", remedy=f"write [[{key}]] for each one")
        elif key != "pass" and "extends" not in tables:
            raise place.error(
                f"[[{key}]] in a pipeline that extends nothing",
                remedy='add `extends = "default"` at the top',
            )
    return read


@lru_cache(maxsize=8)
def _tables(text: str) -> Mapping[str, Any]:
    """A file, read: a server has the default pipeline before there is a link."""
    import tomllib

    return MappingProxyType(tomllib.loads(text))


def check_table(place: Place, kind: str, table: Any) -> None:
    """That a table of a kind has the keys that it may and must have, and values of their types.
    Raises PipelineError."""
    if not isinstance(table, dict):
        raise place.error(
            f"[[{kind}]]: expected a table, found {table!r}", remedy='write { name = "…" }'
        )
    barrier = "barrier" in table and kind in BARRIER_KINDS
    keys = (BARRIER_KINDS if barrier else KINDS)[kind]
    for key, value in table.items():
        if key not in keys:
            raise place.error(
                f"unknown key `{key}` in [[{kind}]]" + (" of a barrier" if barrier else ""),
                key,
                remedy=f"known: {', '.join(keys)}",
            )
        wanted = keys[key]
        fits = isinstance(value, wanted)
        if isinstance(value, list):
            fits = fits and all(isinstance(one, str) for one in value)
        if not fits:
            raise place.error(
                f"`{key}`: expected {_TYPES[wanted]}, found {value!r}",
                key,
                remedy="correct the value",
            )
    if barrier and not table["barrier"]:
        raise place.error("a barrier without a name", "barrier", remedy="name it")
    if "name" not in table and not barrier:
        raise place.error(f"[[{kind}]] has no `name`", remedy="name the pass")


def written(value: Any) -> str:
    """A value as TOML has it, on one line. Raises UserError for text that is no UTF-8, which TOML
    has no way to write."""
    import json
    from datetime import date, time

    if isinstance(value, dict):
        pairs = (f"{written(key)} = {written(each)}" for key, each in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, str):
        # As JSON has it, but for one control character.
        try:
            value.encode()
        except UnicodeEncodeError as e:
            raise UserError(
                f"{value!r} is no UTF-8, and so nothing that a pipeline could say",
                status=2,
                label="linkpipe",
                remedy="rename the file or the folder",
            ) from e
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _error(file: str, line: int, message: str, remedy: str) -> PipelineError:
    return PipelineError(message, file=file, line=line, remedy=remedy, label="linkpipe")
