"""What attrs would generate for each class anew: equality, hash and repr of plain values.

Compiling them for a hundred classes is a twentieth of the smallest link, which compares and prints
none of them. Here they are written once, over the fields that the class declares.

    @attrs.frozen(eq=False, repr=False)
    class Point(Value):
        x: int
"""

from __future__ import annotations

from typing import Any, ClassVar

import attrs


class Shown:
    """Base of attrs classes that print like ``Point(x=1)`` and are equal to themselves alone."""

    __slots__ = ()
    __attrs_attrs__: ClassVar[tuple[attrs.Attribute[Any], ...]]

    def __repr__(self) -> str:
        parts = (
            f"{field.name}={getattr(self, field.name)!r}"
            for field in self.__attrs_attrs__
            if field.repr
        )
        return f"{type(self).__qualname__}({', '.join(parts)})"


class Value(Shown):
    """Base of attrs classes that are equal when their fields are."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return _compared(self) == _compared(other)

    def __hash__(self) -> int:
        return hash((type(self), _compared(self)))


def _compared(value: Value) -> tuple[object, ...]:
    return tuple(getattr(value, field.name) for field in value.__attrs_attrs__ if field.eq)
