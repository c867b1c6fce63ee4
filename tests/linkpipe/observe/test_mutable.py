"""What can be changed in a value is found, however deep it lies, and named by where it lies."""

from __future__ import annotations

import array
import collections
import dataclasses
import datetime as dt
import enum
import mmap
import re
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

import attrs
import numpy as np
import pytest

from linkpipe.observe.mutable import mutable


class Pair(NamedTuple):
    one: Any
    other: Any


@attrs.frozen(eq=False)
class Frozen:
    held: Any

    @cached_property
    def remembered(self) -> list[int]:
        return []


@attrs.frozen(eq=False, slots=False)
class Roomy:
    held: Any

    @cached_property
    def remembered(self) -> list[int]:
        return []


@attrs.define
class Open:
    held: Any


@dataclasses.dataclass(frozen=True)
class Data:
    held: Any


class Slotted:
    __slots__ = ("__private", "held")

    def __init__(self, held: Any) -> None:
        self.held = held


class Own(Slotted):
    __slots__ = ("more",)

    def __init__(self, held: Any) -> None:
        object.__setattr__(self, "held", held)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(name)


class Colour(enum.Enum):
    RED = 1


def still(*values: object) -> np.ndarray[Any, Any]:
    made = np.array(values)
    made.setflags(write=False)
    return made


def read_only_view(base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    view = base[:1]
    view.setflags(write=False)
    return view


def asked(value: Any) -> Any:
    assert value.remembered == []
    return value


SHARED = {"a": 1}
SOUND = [
    *(None, 1, 1.5, True, "text", b"bytes", Colour.RED, Path("x"), re.compile("x"), int, len, ...),
    *(range(3), dt.date(2000, 1, 1), np.int32(1), np.dtype("u4"), still, partial(still, 1)),
    *((), (1, ("a", None)), frozenset({1, (2, 3)}), Pair(1, still(2)), still(1)),
    *(Frozen(still(1)), Roomy((1,)), Data("x"), Own(still(1))),
    MappingProxyType({1: b"x", 2: (1,)}),
    read_only_view(still(1, 2)),
    np.frombuffer(b"abc", np.uint8),
    np.frombuffer(memoryview(mmap.mmap(-1, 4)).toreadonly(), np.uint8),
    memoryview(b"abc"),
]


@pytest.mark.parametrize("value", SOUND, ids=range(len(SOUND)))
def test_what_cannot_change(value: Any) -> None:
    assert list(mutable(value, "t")) == []


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.zeros(1), "t is writable"),
        (read_only_view(np.zeros(2)), "t is a view of an array that is writable"),
        (read_only_view(np.zeros(2)[:1]), "t is a view of an array that is writable"),
        (np.frombuffer(bytearray(4), np.uint8), "t is writable"),
        (np.frombuffer(memoryview(bytearray(4)).toreadonly(), np.uint8),
         "t is a view of memory that is writable"),
        (memoryview(bytearray(4)).toreadonly(), "t is a view of memory that is writable"),
        (memoryview(np.zeros(2)).toreadonly(), "t is writable"),
        ({}, "t is a dict, which can be changed"),
        ([1], "t is a list, which can be changed"),
        (set(), "t is a set, which can be changed"),
        (bytearray(), "t is a bytearray, which can be changed"),
        (array.array("i"), "t is a array, which can be changed"),
        (collections.deque(), "t is a deque, which can be changed"),
        (iter(()), "t is a tuple_iterator, which can be changed"),
        (SimpleNamespace(x=1), "t is a SimpleNamespace, whose attributes can be set"),
        (Open(1), "t is a Open, whose attributes can be set"),
        (Slotted(1), "t is a Slotted, whose attributes can be set"),
        (MappingProxyType(SHARED), "t is a view of a dict that somebody else holds, too"),
        (MappingProxyType(collections.OrderedDict(a=[])), "t['a'] is a list, which can be changed"),
        (MappingProxyType({(1, Frozen([])): 1}), "the key .* of t\\[1\\].held is a list"),
        (Frozen(np.zeros(1)), "t.held is writable"),
        (Own([]), "t.held is a list"),
        (Data(Roomy((1, Pair({}, 2)))), "t.held.held[1].one is a dict"),
        (asked(Frozen(1)), "t.remembered is a list"),
        (asked(Roomy(1)), "t.remembered is a list"),
        (MappingProxyType({".debug_line": Frozen(np.zeros(1))}),
         "t['.debug_line'].held is writable"),
        (Open(1).__repr__, "t.__self__ is a Open, whose attributes can be set"),
        (partial(sorted, [1]), "t[1][0] is a list"),
        (np.array([[], None], object)[:1].copy(), "t[0] is a list"),
    ],

)  # fmt: skip
def test_what_can_change(value: Any, words: str) -> None:
    found = list(mutable(value, "t"))
    assert any(one.startswith(words) or re.match(words, one) for one in found), found


def test_what_is_not_there_yet_is_not_worked_out() -> None:
    """To look must not cost what a link leaves undone, and must not change anything."""
    value = Frozen(1)
    assert list(mutable(value, "t")) == []
    assert not any(name == "remembered" for name, _ in _slots(value))


def _slots(value: Any) -> list[tuple[str, Any]]:
    from linkpipe.observe.mutable import _held

    return list(_held(value))


def test_a_value_in_itself_ends() -> None:
    value = Frozen(None)
    object.__setattr__(value, "held", (value,))
    assert list(mutable(value, "t")) == []
