"""Rounding up to a multiple: the one rule of alignment."""

from __future__ import annotations

from typing import overload

from linkpipe.arrays.types import I64, Ints


@overload
def round_up(value: int, to: int) -> int: ...
@overload
def round_up(value: Ints, to: Ints | int) -> I64: ...
def round_up(value: int | Ints, to: int | Ints) -> int | Ints:
    """The next multiple of ``to``, or for each value of its own; a ``to`` of 0 asks for nothing.

    ``next(n for n in itertools.count(value) if n % to == 0)``
    """
    if isinstance(to, int) and to == 0:
        return value
    return value + -value % to


def padded(data: bytes, to: int) -> bytes:
    """The bytes, and zeros up to a multiple of ``to``."""
    return data.ljust(round_up(len(data), to), b"\0")
