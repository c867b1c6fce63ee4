"""What in a value can still be changed: everything that it holds, all the way down.

A fact is shared by all the Links that hold it, so nothing in it may change:

- an array owns its memory and is read-only, or it is a view and all that it is a view of is
  read-only;
- objects are frozen (attrs, frozen dataclasses, or a ``__setattr__`` of their own), and so is all
  that they have in attributes and slots, what they remember included;
- tuples and frozensets, and mappings that cannot be written to; of ``types.MappingProxyType``
  nobody else may hold what is behind it;
- values that are equal by their content and can be hashed (numbers, strings, paths, enums …), and
  code: functions, classes, modules.
"""

from __future__ import annotations

import enum
import gc
import sys
import types
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import partial
from pathlib import PurePath
from typing import Any

import numpy as np

_ATOMS = (bool, int, float, complex, str, bytes, types.NoneType)
_CODE = (
    *(type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType),
    *(np.ufunc, np.dtype, types.EllipsisType, enum.Enum, PurePath),
)


def mutable(value: Any, path: str) -> Iterator[str]:
    """What can be changed in ``value``, in words; ``path`` is how it is called."""
    return _Walk().look(value, path)


class _Walk:
    def __init__(self) -> None:
        # What was looked at, kept so that no other object gets its id.
        self._seen: dict[int, Any] = {}

    def look(self, value: Any, path: str) -> Iterator[str]:
        if type(value) in _ATOMS or id(value) in self._seen:
            return
        self._seen[id(value)] = value
        if isinstance(value, np.ndarray):
            yield from _array(value, path)
            if value.dtype.hasobject:
                yield from self._items(enumerate(value.flat), path, set(map(type, value.flat)))
        elif isinstance(value, memoryview):
            yield from _memory(value, path)
        elif isinstance(value, Mapping):
            yield from self._mapping(value, path)
        elif isinstance(value, tuple):
            fields = getattr(value, "_fields", None)
            if fields:
                yield from self._attributes(zip(fields, value, strict=True), path)
            else:
                yield from self._items(enumerate(value), path, set(map(type, value)))
        elif isinstance(value, frozenset):
            for item in value:
                yield from self.look(item, f"{path}[{item!r}]")
        elif isinstance(value, _CODE):
            return
        elif isinstance(value, partial):
            yield from self.look((value.func, value.args), path)
            yield from self._items(value.keywords.items(), path, set())
        elif isinstance(value, types.MethodType):
            yield from self.look(value.__self__, f"{path}.__self__")
        else:
            yield from self._object(value, path)

    def _items(
        self, items: Iterable[tuple[Any, Any]], path: str, kinds: set[type]
    ) -> Iterator[str]:
        """The items of a container, unless they are all of kinds that cannot change."""
        if kinds and kinds.issubset(_ATOMS):
            return
        for key, item in items:
            yield from self.look(item, f"{path}[{key!r}]")

    def _attributes(self, items: Iterable[tuple[str, Any]], path: str) -> Iterator[str]:
        for name, item in items:
            yield from self.look(item, f"{path}.{name}")

    def _mapping(self, value: Mapping[Any, Any], path: str) -> Iterator[str]:
        if isinstance(value, MutableMapping):
            yield f"{path} is a {type(value).__name__}, which can be changed"
        elif isinstance(value, types.MappingProxyType):
            (behind,) = gc.get_referents(value)
            if not isinstance(behind, MutableMapping):
                yield from self.look(behind, path)
            elif sys.getrefcount(behind) > _REFERENCES:
                yield f"{path} is a view of a {type(behind).__name__} that somebody else holds, too"
        yield from self._items(value.items(), path, set(map(type, value.values())))
        if not set(map(type, value)).issubset(_ATOMS):
            for key in value:
                yield from self.look(key, f"the key {key!r} of {path}")

    def _object(self, value: Any, path: str) -> Iterator[str]:
        cls: Any = type(value)
        held = list(_held(value))
        if held or hasattr(value, "__dict__"):
            # Nothing that Python itself has for this refuses.
            if not isinstance(cls.__setattr__, types.FunctionType):
                yield f"{path} is a {cls.__name__}, whose attributes can be set"
            yield from self._attributes(held, path)
        elif cls.__hash__ in (None, object.__hash__):
            yield f"{path} is a {cls.__name__}, which can be changed"
            if isinstance(value, (list, AbstractSet)):
                yield from self._items(enumerate(value), path, set(map(type, value)))


def _held(value: Any) -> Iterator[tuple[str, Any]]:
    """What an object has in its attributes: those in slots, then the others."""
    for cls in type(value).__mro__:
        slots = vars(cls).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            # Not by getattr, which may work out what is not there yet.
            slot = vars(cls).get(name)
            if isinstance(slot, types.MemberDescriptorType):
                with suppress(AttributeError):  # empty
                    yield name, slot.__get__(value, cls)
    yield from getattr(value, "__dict__", {}).items()


def _array(array: np.ndarray[Any, Any], path: str) -> Iterator[str]:
    if array.flags.writeable:
        yield f"{path} is writable"
        return
    base: Any = array.base
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            yield f"{path} is a view of an array that is writable"
            return
        base = base.base
    if base is not None:
        yield from _memory(base, path)


def _memory(base: Any, path: str) -> Iterator[str]:
    """A buffer that is not an array's. A read-only view of mapped memory is taken for what it
    says: files are mapped so."""
    try:
        with memoryview(base) as view:
            readonly, owner = view.readonly, view.obj
    except TypeError:
        yield f"{path} is a view of a {type(base).__name__}, which may be writable"
        return
    if not readonly or isinstance(owner, bytearray):
        yield f"{path} is a view of memory that is writable"
    elif isinstance(owner, np.ndarray):
        yield from _array(owner, path)


def _references() -> int:
    """How many references to a dict behind a proxy there are when nobody else holds it."""
    proxy = types.MappingProxyType(dict[str, int]())
    (behind,) = gc.get_referents(proxy)
    return sys.getrefcount(behind)


_REFERENCES = _references()
