"""The types that Link declares for well-known facts, and whether a value is of one.

A link needs them for nothing, so Link names them for type checkers only and imports none of their
modules. Here they are resolved.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from linkpipe.arrays.types import element_of
from linkpipe.engine import context


@cache
def declared_facts() -> Mapping[str, Any]:
    """Fact -> its type, for every ``name: ClassVar[Fact[T]]`` of Link."""
    names = dict(vars(context))
    for node in ast.parse(inspect.getsource(context)).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            exec(compile(ast.Module(node.body, []), context.__file__, "exec"), names)
    found = {}
    for name, hint in get_type_hints(context.Link, names).items():
        inner = get_args(hint)[0] if get_origin(hint) is ClassVar else None
        if get_origin(inner) is context.Fact:
            found[name] = get_args(inner)[0]
    return found


def fits(value: Any, declared: Any) -> bool:
    """Whether a value is of a type, with what it holds: classes, unions, tuples, mappings, arrays
    of one type of element."""
    origin, args = get_origin(declared), get_args(declared)
    if declared is Any:
        return True
    if origin is None:
        return isinstance(value, declared or type(None))
    if origin in (Union, UnionType):
        return any(fits(value, one) for one in args)
    element = element_of(declared)
    if element is not None:
        kind = get_origin(element) or element
        return isinstance(value, np.ndarray) and (
            kind is Any or bool(np.issubdtype(value.dtype, kind))
        )
    if not isinstance(value, origin):
        return False
    if origin is tuple:
        if args[-1] is not Ellipsis:
            return len(value) == len(args) and all(map(fits, value, args))
        return _all_fit(value, args[0])
    if issubclass(origin, Mapping):
        return _all_fit(value, args[0]) and _all_fit(value.values(), args[1])
    return True


def _all_fit(values: Any, declared: Any) -> bool:
    if isinstance(declared, type):
        return all(issubclass(kind, declared) for kind in set(map(type, values)))
    return all(fits(value, declared) for value in values)


def spelled(declared: Any) -> str:
    """A type as a person writes it."""
    return declared.__name__ if isinstance(declared, type) else str(declared)
