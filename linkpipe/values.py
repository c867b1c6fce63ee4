"""What attrs would generate for each class anew: how records that do not change are made, compared,
hashed and printed.

Compiling it for a hundred classes is a twelfth of the smallest link, which compares and prints none
of them. Here it is written once, over the fields that the class declares.

    @record
    class Point(Value):
        x: int
        y: int = 0

To type checkers such a class is attrs', and to attrs itself (`attrs.fields`, `attrs.evolve`,
`attrs.asdict`) from when somebody asks. A field has a type, and a value for where none is given, or
none; a class that needs more (`attrs.field`) is made by `attrs.frozen`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

__all__ = ("Shown", "Value", "evolve", "made_record", "record")


# Where attrs looks for the fields of a class, and what stands in one for a field until then.
_ATTRS = "__attrs_attrs__"
_ATTRS_FIELD = type(attrs.field())


class Shown:
    """Base of records that print like ``Point(x=1)`` and are equal to themselves alone."""

    __slots__ = ()
    __attrs_attrs__: ClassVar[Any]

    def __repr__(self) -> str:
        parts = (
            f"{field.name}={getattr(self, field.name)!r}"
            for field in self.__attrs_attrs__
            if field.repr
        )
        return f"{type(self).__qualname__}({', '.join(parts)})"


class Value(Shown):
    """Base of records that are equal when their fields are."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return _compared(self) == _compared(other)

    def __hash__(self) -> int:
        return hash((type(self), _compared(self)))


def _compared(value: Value) -> tuple[object, ...]:
    told = next(vars(base)[_ATTRS] for base in type(value).__mro__ if _ATTRS in vars(base))
    names = told.types if isinstance(told, _Fields) else [each.name for each in told if each.eq]
    return tuple(getattr(value, name) for name in names)


Convert = Callable[[Any, type, str, Any], Any]
"""What a record takes in place of a value that it is given: of the value, the record's class, the
name of the field, and the type that is declared there."""


class _Fields:
    """The fields of a class, its own and those that it inherits; what attrs makes of them when it
    is asked."""

    def __init__(self, cls: type, convert: Convert | None) -> None:
        self.name, self.convert = cls.__name__, convert
        self.after = getattr(cls, "__attrs_post_init__", None)
        self.types: dict[str, Any] = {}
        self.defaults: dict[str, Any] = {}
        for base in cls.__mro__[-2:0:-1]:
            known = vars(base).get(_ATTRS, ())
            if isinstance(known, _Fields):
                self.types.update(known.types)
                self.defaults.update(known.defaults)
            elif known:
                raise TypeError(f"{cls.__name__}: inherits from {base.__name__}, made by attrs")
        for name, declared in inspect.get_annotations(cls).items():
            if not str(declared).startswith(("ClassVar", "typing.ClassVar")):
                self.types[name] = declared
                if name in vars(cls):
                    self.defaults[name] = vars(cls)[name]
                if isinstance(self.defaults.get(name), _ATTRS_FIELD):
                    raise TypeError(f"{cls.__name__}.{name}: only attrs.frozen knows attrs.field")

    def write(self, record: Any, values: dict[str, Any], new: Iterable[str]) -> None:
        """Give a record that has been made its values; those of ``new`` may have to be
        converted."""
        if self.convert is not None:
            for name in new:
                values[name] = self.convert(values[name], type(record), name, self.types[name])
        record.__dict__.update(values)
        if self.after is not None:
            self.after(record)

    @cached_property
    def asked(self) -> type:
        """The same class, made by attrs."""
        fields: dict[str, Any] = {
            name: attrs.field(default=self.defaults.get(name, attrs.NOTHING), type=declared)
            for name, declared in self.types.items()
        }
        return attrs.make_class(self.name, fields, eq=False, repr=False)

    def __get__(self, instance: object, owner: type) -> tuple[attrs.Attribute[Any], ...]:
        return attrs.fields(self.asked)


class _Signature:
    """How a class is called, for `inspect` and `help`."""

    def __init__(self, fields: _Fields) -> None:
        self.fields = fields

    def __get__(self, instance: object, owner: type) -> inspect.Signature:
        return inspect.signature(self.fields.asked)


def made_record(cls: type, convert: Convert | None = None) -> type:
    """Make a class a record, as the decorator `record` does, which takes no value as it is given
    but what ``convert`` makes of it."""
    fields = _Fields(cls, convert)
    names, known, defaults = tuple(fields.types), fields.types.keys(), fields.defaults

    def made(self: Any, *args: Any, **given: Any) -> None:
        values = dict(zip(names, args, strict=False))
        values.update(given)
        sound = len(values) == len(args) + len(given) and given.keys() <= known
        if len(values) < len(names):
            values = {**defaults, **values}
        if not sound or len(values) < len(names):
            raise TypeError(f"{cls.__name__}: {', '.join(wrong(args, given))}")
        fields.write(self, values, names)

    def wrong(args: tuple[Any, ...], given: dict[str, Any]) -> Iterator[str]:
        first = names[: len(args)]
        if len(args) > len(names):
            yield f"{len(args)} values for {len(names)} fields"
        yield from (f"two values for {name!r}" for name in given if name in first)
        yield from (f"no field {name!r}" for name in given if name not in known)
        there = (*first, *given, *defaults)
        yield from (f"no value for {name!r}" for name in names if name not in there)

    parts: dict[str, Any] = {
        "__init__": made,
        "__setattr__": _refuse,
        "__delattr__": _refuse,
        _ATTRS: fields,
        "__signature__": _Signature(fields),
    }
    for name, part in parts.items():
        setattr(cls, name, part)
    return cls


def _refuse(self: object, name: str, value: object = None) -> None:
    raise attrs.exceptions.FrozenInstanceError


def evolved(old: Any, /, **changes: Any) -> Any:
    """A value like ``old``, but for the fields that are given: what `attrs.evolve` does, in a
    fraction of the time where ``old`` is a table or another record: what it has already is not
    checked again. Raises TypeError for a field that there is not."""
    cls = type(old)
    fields = vars(cls).get(_ATTRS)
    if not isinstance(fields, _Fields):
        return attrs.evolve(old, **changes)
    if not changes.keys() <= fields.types.keys():
        unknown = ", ".join(repr(name) for name in changes if name not in fields.types)
        raise TypeError(f"{cls.__name__}: no field {unknown}")
    new: Any = object.__new__(cls)
    own = vars(old)
    fields.write(new, {**{name: own[name] for name in fields.types}, **changes}, changes)
    return new


if TYPE_CHECKING:
    from attrs import evolve
    from attrs import frozen as record
else:
    evolve, record = evolved, made_record
