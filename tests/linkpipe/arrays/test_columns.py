"""Columns: nobody can write to them, and they are of the type that the table declares."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import attrs
import numpy as np
import numpy.typing as npt
import pytest

from linkpipe.arrays.columns import frozen, read_only, table
from linkpipe.arrays.types import I64, element_of
from linkpipe.values import evolve


@table
class Table:
    ids: I64
    flags: npt.NDArray[np.uint8] | None
    names: Mapping[str, int] = MappingProxyType({})
    text: str = ""


def test_frozen_copies_a_view_of_a_writable_base() -> None:
    """A read-only view over a writable array is not immutable: it must not be shared."""
    base = np.arange(4)
    kept = frozen(base[1:])
    base[1] = 99
    assert kept.tolist() == [1, 2, 3]
    assert read_only(kept)
    assert not read_only(base[1:])


def test_frozen_takes_what_is_given_to_it() -> None:
    """Without a copy: arrays of their own, and views of what nobody can write to."""
    owned = np.arange(4)
    made = frozen(owned)
    assert made.base is owned
    assert not owned.flags.writeable
    part = owned[1:]
    assert frozen(part) is part
    text = np.frombuffer(b"abc", np.uint8)
    assert frozen(text) is text


def test_what_is_frozen_cannot_be_thawed() -> None:
    """Whoever holds a fact cannot set the flag that would let it be written to."""
    for array in (np.arange(4), np.arange(4)[1:], np.frombuffer(b"abc", np.uint8)):
        made = frozen(array)
        with pytest.raises(ValueError, match="cannot set WRITEABLE flag"):
            made.setflags(write=True)


def test_what_a_table_holds_is_its_own() -> None:
    base, names = np.arange(4), {"a": 1}
    made = Table(base[1:], None, names, "x")
    base[1], names["a"] = 99, 2
    assert made.ids.tolist() == [1, 2, 3]
    assert not made.ids.flags.writeable
    assert (dict(made.names), made.text) == ({"a": 1}, "x")
    with pytest.raises(TypeError):
        made.names["b"] = 1  # type: ignore[index] # that is what is tested
    for how in (attrs.evolve, evolve):
        again = how(made, text="y", names={"c": 3})
        assert again.ids is made.ids, "what is frozen is shared"
        with pytest.raises(TypeError):
            again.names["c"] = 1  # type: ignore[index] # that is what is tested


class Part(NamedTuple):
    rows: I64


@table
class Parts:
    parts: tuple[Part, ...]


def test_named_tuples_are_frozen_also_where_there_are_several() -> None:
    made = Parts((Part(np.arange(2)), Part(np.arange(3))))
    assert [part.rows.tolist() for part in made.parts] == [[0, 1], [0, 1, 2]]
    assert all(read_only(part.rows) for part in made.parts)


@pytest.mark.parametrize("array", [np.array([1, 2], np.int32), np.zeros(0), np.array([True])])
def test_what_fits_without_loss_is_converted(array: Any) -> None:
    made = Table(array, None)
    assert made.ids.dtype == np.int64
    assert made.ids.tolist() == array.tolist()


@pytest.mark.parametrize("array", [np.array([1.5]), np.array([2**63], np.uint64)])
def test_another_type_is_refused(array: Any) -> None:
    with pytest.raises(TypeError, match=f"Table.ids: expected int64, found {array.dtype}"):
        Table(array, None)


@pytest.mark.parametrize(
    ("declared", "element"),
    [
        (I64, np.int64),
        (npt.NDArray[np.bool_], np.bool_),
        (np.ndarray[Any, np.dtype[np.uint8]], np.uint8),
        (Mapping[str, int], None),
        (tuple[I64, I64], None),
        (int, None),
    ],
)
def test_the_element_of_a_declared_array(declared: Any, element: Any) -> None:
    """Also where numpy's NDArray is an alias that Python keeps as such."""
    assert element_of(declared) is element
