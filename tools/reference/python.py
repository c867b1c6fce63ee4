"""Classes, their fields and types, and functions, in words."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, get_args, get_type_hints

import attrs
import numpy as np

from linkpipe.arrays.types import element_of
from linkpipe.observe.facttypes import declared_facts, spelled
from tools import schemas
from tools.reference import markdown as md


def signature(name: str, function: Callable[..., Any]) -> str:
    """How a function is called, and what it returns."""
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))
    text = re.sub(r"<function (\w+) at 0x\w+>", r"\1", text)
    return f"{name}{text}"


def hints(cls: type) -> Mapping[str, Any]:
    """The types of a class's fields; as they are written where that names what is not imported."""
    try:
        return get_type_hints(cls)
    except (NameError, TypeError):
        known = vars(sys.modules[cls.__module__])
        return {field.name: _evaluated(field.type, known) for field in attrs.fields(cls)}


def _evaluated(kind: Any, known: dict[str, Any]) -> Any:
    try:
        return eval(kind, known) if isinstance(kind, str) else kind
    except (NameError, TypeError):
        return kind


def class_of(kind: Any) -> type | None:
    """The attrs class that a type is, or has in it first."""
    found = [one for one in (kind, *get_args(kind)) if isinstance(one, type) and attrs.has(one)]
    return found[0] if found else None


PAGES: Mapping[str, str] = {
    "linkpipe.tables.": "tables",
    "linkpipe.arch": "architecture",
    "linkpipe.linkage": "architecture",
    "linkpipe.release": "release",
    "linkpipe.flags.": "options",
}
"""Modules, or what their names begin with, and the page about their classes."""


def page_of(kind: object) -> str:
    """The page about a class, by its module; "" for none."""
    module = kind.__module__ if isinstance(kind, type) else ""
    found = (page for start, page in PAGES.items() if f"{module}.".startswith(start))
    return next(found, "")


@cache
def places() -> Mapping[type, str]:
    """The attrs classes with a page that facts lead to, in order of finding, each with where in a
    fact its values are first found: "sections.items"."""
    found: dict[type, str] = {}
    todo = [(kind, name) for name, kind in declared_facts().items()]
    while todo:
        kind, path = todo.pop(0)
        todo += [(part, path) for part in get_args(kind)]
        if page_of(kind) and attrs.has(kind) and kind not in found:
            found[kind] = path
            todo += [(hints(kind)[each.name], f"{path}.{each.name}") for each in attrs.fields(kind)]
    return found


def kind_of(kind: Any) -> str:
    """A type in words: an array by its elements, a class of the tables by a link to it."""
    element = element_of(kind)
    if element is not None:
        return f"`{np.dtype(element).name}[]`"
    if isinstance(kind, type) and kind in places():
        return f"[{kind.__name__}]({page_of(kind)}.md#{kind.__name__.lower()})"
    if isinstance(kind, str) or not get_args(kind):
        return f"`{kind if isinstance(kind, str) else spelled(kind)}`"
    plain = re.sub(r"\b(?:linkpipe|collections|numpy|typing)(?:\.\w+)*\.(?=\w)", "", str(kind))
    # As numpy 2.4, 1.26 (whose bool is bool_) and 2.5 say it.
    for spelling in (r"ndarray\[tuple\[Any, \.\.\.\], dtype\[(\w+?)_?\]\]",
                     r"ndarray\[Any, dtype\[(\w+?)_?\]\]", r"NDArray\[(\w+?)_?\]"):  # fmt: skip
        plain = re.sub(spelling, r"\1[]", plain)
    told = f"`{plain}`"
    cls = class_of(kind)
    return f"{told} of {kind_of(cls)}" if cls in places() and cls else told


def first_words(cls: type) -> str:
    """A class's docstring without what it says of the fields."""
    return (inspect.getdoc(cls) or "").partition("Attributes:\n")[0].strip()


def fields(cls: type) -> list[tuple[str, str, str, str]]:
    """The fields of an attrs class: name, the same as code, type, and what is said of it in the
    docstring, or as the usage of a flag."""
    public = [field for field in attrs.fields(cls) if not field.name.startswith("_")]
    about = (inspect.getdoc(cls) or "").partition("Attributes:\n")[2]
    words = schemas.words(about, [field.name for field in public])
    return [
        (
            field.name,
            f"`{field.name}`",
            kind_of(hints(cls)[field.name]),
            md.text(words.get(field.name) or field.metadata.get("usage", "")),
        )
        for field in public
    ]


def whole(cls: type, level: str, name: str = "") -> list[str]:
    """A class with its fields and methods."""
    parts = [f"{level} {name or cls.__name__}", md.prose(first_words(cls))]
    if attrs.has(cls):
        rows = [row[1:] for row in fields(cls)]
        parts.append(md.table(("field", "type", "what"), rows) if rows else "")
    return [*parts, methods(cls)]


def methods(cls: type) -> str:
    """A table of what a class can be asked; "" for nothing."""
    rows = []
    for own, value in vars(cls).items():
        function = value.fget if isinstance(value, property) else value
        function = getattr(function, "func", getattr(function, "__func__", function))
        if own.startswith("_") or not inspect.isfunction(function) or not inspect.getdoc(function):
            continue
        plain = inspect.isfunction(value) or isinstance(value, (classmethod, staticmethod))
        shown = signature(own, function) if plain else own
        rows.append((f"`{shown}`", md.text(inspect.getdoc(function) or "")))
    return md.table(("method", "what"), rows) if rows else ""
