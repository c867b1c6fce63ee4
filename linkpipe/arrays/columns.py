"""Arrays that cannot change: the columns of tables, and facts that are arrays themselves.

A fact is shared by all the Links that hold it, so nobody may be able to write to it. A flag on
the array is not enough: whoever has what the array is a view of writes past it.

    @table
    class Points(Shown):
        x: npt.NDArray[np.int64]
        names: Mapping[str, int]
"""

from __future__ import annotations

import sys
from collections import ChainMap
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from linkpipe.arrays.filememory import FileMemory
from linkpipe.arrays.types import element_of
from linkpipe.values import made_record

__all__ = ("check_columns", "frozen", "read_only", "table")

G = TypeVar("G", bound=np.generic)


def frozen(array: npt.NDArray[G]) -> npt.NDArray[G]:
    """``array`` made read-only for good, a copy of it if others could write to its memory.

    Whoever calls this gives the array away: an array that owns its memory is not copied. It is
    given back as a view: who owns memory may set the flag that lets it be written to, and a view
    of what is read-only may not.
    """
    if array.base is not None and not read_only(array):
        array = array.copy()
    array.setflags(write=False)
    return array.view() if array.base is None else array


def read_only(array: npt.NDArray[Any]) -> bool:
    """Whether neither the array nor what it is a view of can be written to."""
    part: Any = array
    while isinstance(part, np.ndarray):
        if part.flags.writeable:
            return False
        part = part.base
    try:
        # Who has a file's memory has been given it to write to; its arrays cannot be made writable.
        return part is None or isinstance(part, FileMemory) or memoryview(part).readonly
    except TypeError:  # not memory: who knows who writes there
        return False


def check_columns(table: object, name: str, dtypes: Mapping[str, npt.DTypeLike], n: int) -> None:
    """Raise TypeError where a column of ``table``, which is called ``name``, is not read-only, of
    its dtype, and of ``n`` rows."""
    for field, dtype in dtypes.items():
        column = getattr(table, field)
        if column.dtype != dtype or column.shape != (n,) or column.flags.writeable:
            raise TypeError(
                f"{name}.{field}: expected read-only {np.dtype(dtype)}[{n}], "
                f"found {column.dtype}{list(column.shape)}"
            )


def _column(value: Any, table: type, name: str, declared: Any) -> Any:
    """The value that a field of a table takes in place of this one."""
    if not isinstance(value, np.ndarray):
        return _frozen_parts(value)
    dtype = _declared(table, declared)
    if dtype is not None and value.dtype != dtype:
        if value.size and not np.can_cast(value.dtype, dtype):
            raise TypeError(f"{table.__name__}.{name}: expected {dtype}, found {value.dtype}")
        value = value.astype(dtype)
    return frozen(value)


def _frozen_parts(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return frozen(value)
    if type(value) is dict:
        return MappingProxyType({key: _frozen_parts(part) for key, part in value.items()})
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(_frozen_parts, value))
    if type(value) is tuple and value and hasattr(value[0], "_fields"):
        return tuple(map(_frozen_parts, value))
    return value


@cache
def _declared(table: type, written: Any) -> np.dtype[Any] | None:
    """The type of a field's elements, None where the field is declared to be something else."""
    if isinstance(written, str):
        # Names of the class's module (and of those it inherits from), which is not whole yet when
        # the class is made.
        names = ChainMap(*(vars(sys.modules[cls.__module__]) for cls in table.__mro__))
        written = names[written] if written in names else eval(written, {}, names)
    return _element(written)


def _element(declared: Any) -> np.dtype[Any] | None:
    """The type of the elements of ``npt.NDArray[np.int32]``; None for what is no such type."""
    element = element_of(declared)
    return np.dtype(element) if isinstance(element, type) else None


def _table(cls: type) -> type:
    """Make a class a table: a record (linkpipe.values) whose fields are checked and frozen when one
    is made.

    An array must be of the type that the class declares; one that fits into it without loss, or
    is empty, is converted. A dict becomes a read-only mapping of its own; so do those in a named
    tuple, or a tuple of such, whose arrays are frozen as they are. Other values are left alone.

    Raises TypeError, when a table is made, for an array of another type.
    """
    return made_record(cls, _column)


if TYPE_CHECKING:
    from attrs import frozen as table
else:
    table = _table
