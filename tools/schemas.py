"""The JSON that commands print, as JSON Schemas: made of the values that they print.

A field is described by the docstring of its class. A test holds the files to the classes, and what
the commands print to the files:

    python -m tools.schemas        # writes docs/schemas/COMMAND.json
"""

from __future__ import annotations

import inspect
import json
import re
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import attrs

from linkpipe import api
from linkpipe.arrays.types import element_of
from linkpipe.ask.bisect import Bisected
from linkpipe.ask.growth import Growth
from linkpipe.ask.installed import Installed
from linkpipe.ask.report import Changes
from linkpipe.ask.why_no_dce import SideBySide
from linkpipe.cli.server import Server
from linkpipe.engine.places import Standing
from linkpipe.observe.changes import Change

FOLDER = Path(__file__).parents[1] / "docs" / "schemas"

PRINTED: Mapping[str, Any] = {
    "bisect/1": ({"go_tool_link_holds": bool | None}, Bisected),
    "changes/1": Change,
    "explain/1": {"answers": tuple[api.Explanation, ...]},
    "graph/1": api.Around,
    "installed/1": Installed,
    "passes-explain/1": {"passes": tuple[Standing, ...]},
    "report/1": {"links": tuple[api.Report, ...], "changes": Changes | None},
    "save/1": ({"file": str}, api.Saved),
    "server/1": {"servers": tuple[Server, ...]},
    "size/1": api.Size,
    "size-against/1": ({"same": bool, "over": bool, "found": int}, Growth),
    "whatif/1": api.WhatIf,
    "whatif-rank/1": api.Rank,
    "why/1": {"what": str, "found": int, "answers": tuple[api.Why, ...]},
    "why-no-dce/1": api.WhyNoDce,
    "why-no-dce-releases/1": SideBySide,
}
"""The name of each schema, and what is printed: a class, fields, or fields and a class."""

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def schema(name: str) -> dict[str, Any]:
    """The schema of one form of JSON."""
    printed = PRINTED[name]
    fields, cls = printed if isinstance(printed, tuple) else (printed, None)
    if not isinstance(fields, Mapping):
        fields, cls = {}, fields
    known: dict[str, Any] = {}
    told: dict[str, Any] = {"schema": {"const": f"linkpipe.{name}"}}
    told |= {field: _of(kind, known) for field, kind in fields.items()}
    text = ""
    if cls is not None:
        found = _of_class(cls, known)
        told |= found["properties"]
        text = found["description"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"linkpipe.{name}",
        **({"description": text} if text else {}),
        **_object(told),
        **({"$defs": dict(sorted(known.items()))} if known else {}),
    }


def _object(fields: dict[str, Any]) -> dict[str, Any]:
    closed = {"required": list(fields), "additionalProperties": False}
    return {"type": "object", "properties": fields, **closed}


def _of(kind: Any, known: dict[str, Any]) -> dict[str, Any]:
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return {}
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    if element_of(kind) is not None:  # a column of whole numbers
        return {"type": "array", "items": {"type": "integer"}}
    if origin is tuple and inner[-1] is not Ellipsis:
        return {"type": "array", "prefixItems": [_of(each, known) for each in inner]}
    if origin is tuple:
        return {"type": "array", "items": _of(inner[0], known)}
    if origin in (types.UnionType, Union):
        return {"anyOf": [_of(each, known) for each in inner]}
    if origin is not None and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of(inner[1], known)}
    if kind.__name__ not in known:
        known[kind.__name__] = {}
        known[kind.__name__] = _of_class(kind, known)
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _of_class(cls: type, known: dict[str, Any]) -> dict[str, Any]:
    text = inspect.getdoc(cls) or ""
    first, _, about = text.partition("Attributes:\n")
    told = words(about, [field.name for field in attrs.fields(cls)])
    hints = inspect.get_annotations(cls, eval_str=True)
    fields = {}
    for field in attrs.fields(cls):
        fields[field.name] = _of(hints[field.name], known)
        if field.name in told:
            fields[field.name]["description"] = told[field.name]
    return {"description": " ".join(first.split()), **_object(fields)}


def words(about: str, fields: Iterable[str]) -> dict[str, str]:
    """What a docstring says of each field."""
    name = f"(?:{'|'.join(map(re.escape, fields)) or '(?!)'})"
    parts = re.split(rf"(?:^|(?<=[.;]) )\s*((?:{name}, )*{name}): ", " ".join(about.split()))
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return {name: text.strip().rstrip(";") for names, text in pairs for name in names.split(", ")}


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name in PRINTED:
        text = json.dumps(schema(name), indent=1, ensure_ascii=False)
        (FOLDER / f"{name.partition('/')[0]}.json").write_text(f"{text}\n")


if __name__ == "__main__":
    main()
