"""Memory of an array that nobody needs any more, for the one that takes its place.

A file of 100 MB is made in steps, and memory that is touched for the first time costs more than
what is written there. So an array may have room behind it, and who makes a longer one of it writes
into the same memory, where nobody else can see the shorter one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from linkpipe.arrays.filememory import file_of
from linkpipe.arrays.threads import each

G = TypeVar("G", bound=np.generic)
_STEP = 4 << 20
"""Elements that a thread copies at once: memory that is touched for the first time takes long."""


def roomy(dtype: type[G], size: int) -> npt.NDArray[G]:
    """``size`` zeros, to be `sealed` when they are written, with room for as many behind them when
    they are many: memory that nobody writes to takes none. Few are copied sooner."""
    array = np.empty(2 * size if size >= _STEP else size, dtype)[:size]

    def clear(start: int) -> None:
        array[start : start + _STEP] = 0

    # numpy's zeros would clear the room, too, where memory is used again.
    each(clear, range(0, size, _STEP))
    return array


def sealed(array: npt.NDArray[G]) -> npt.NDArray[G]:
    """An array that is the only view of its memory made read-only for good."""
    assert array.base is not None
    array.base.setflags(write=False)
    array.setflags(write=False)
    return array


@contextmanager
def reused(array: npt.NDArray[G], size: int) -> Iterator[npt.NDArray[G]]:
    """``size`` elements in the memory of an array that `has_room` for them and nobody looks at any
    more: its own, and zeros. They can be written to within the block."""
    owner = array.base
    assert isinstance(owner, np.ndarray)
    file = file_of(array)
    if file is None:
        owner.setflags(write=True)
    else:
        owner = np.asarray(file)
    longer = owner[:size]
    longer[len(array) :] = 0
    try:
        yield longer
    finally:
        sealed(longer)


@contextmanager
def copied(array: npt.NDArray[G], size: int) -> Iterator[npt.NDArray[G]]:
    """The same in memory of its own."""
    longer = np.empty(size, array.dtype)[:]

    def fill(start: int) -> None:
        to, part = longer[start : start + _STEP], array[start : start + _STEP]
        to[: len(part)] = part
        to[len(part) :] = 0

    each(fill, range(0, size, _STEP))
    try:
        yield longer
    finally:
        sealed(longer)


def has_room(array: npt.NDArray[Any], size: int) -> bool:
    """Whether the array begins a longer one, which owns its memory, of at least ``size``
    elements; where that is a file's, whether that can be so long."""
    owner = array.base
    if not (
        isinstance(owner, np.ndarray)
        and owner.ndim == array.ndim == 1
        and owner.dtype == array.dtype
        and array.flags.c_contiguous
        and owner.__array_interface__["data"][0] == array.__array_interface__["data"][0]
        and len(owner) >= size
    ):
        return False
    file = file_of(array)
    return owner.base is None and owner.flags.owndata if file is None else file.allocate(size)


def unseen(facts: Mapping[str, Any], name: str, holders: int) -> bool:
    """Whether nobody has that array, or another view of its memory, but ``holders`` mappings, of
    which this is one."""
    probe = np.zeros(1).view()
    alike = [{name: probe} for _ in range(holders)]
    del probe
    return _references(facts, name) == _references(alike[0], name)


def _references(facts: Mapping[str, Any], name: str) -> tuple[int, int]:
    """References to an array, and to whose memory it is, as Python counts them just here."""
    array = facts[name]
    return sys.getrefcount(array), sys.getrefcount(array.base)
