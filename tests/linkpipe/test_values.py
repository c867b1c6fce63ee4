"""Plain values behave as if attrs had generated their methods for each class."""

from __future__ import annotations

import inspect
from functools import cached_property
from typing import Any, ClassVar

import attrs
import pytest

from linkpipe.values import Shown, Value, evolve, made_record, record


@attrs.frozen
class Generated:
    x: int
    y: str = attrs.field(eq=False)
    z: int = attrs.field(default=0, repr=False)


@attrs.frozen(eq=False, repr=False)
class Written(Value):
    x: int
    y: str = attrs.field(eq=False)
    z: int = attrs.field(default=0, repr=False)


@attrs.frozen(eq=False, repr=False)
class Table(Shown):
    x: int


@pytest.mark.parametrize("other", [(1, "a"), (1, "b"), (2, "a"), (1, "a", 3)])
def test_equality_hash_and_repr_are_those_of_attrs(other: tuple[int, str]) -> None:
    one, same = Written(1, "a"), Written(*other)
    assert (one == same) == (Generated(1, "a") == Generated(*other))
    assert (hash(one) == hash(same)) == (hash(Generated(1, "a")) == hash(Generated(*other)))
    assert repr(same) == repr(Generated(*other)).replace("Generated", "Written")


def test_a_value_is_not_equal_to_one_of_another_class() -> None:
    assert Written(1, "a") != Generated(1, "a")
    assert Written(1, "a") != (1, "a", 0)


def test_a_table_prints_its_fields_and_is_equal_to_itself_alone() -> None:
    table = Table(1)
    assert repr(table) == "Table(x=1)"
    assert table == table  # itself
    assert table != Table(1)


@record
class Point(Value):
    x: int
    y: str = "a"
    kind: ClassVar[str] = "point"


@record
class Place(Point):
    z: tuple[int, ...] = ()

    @cached_property
    def total(self) -> int:
        return sum(self.z)


@attrs.frozen
class MadePoint:
    x: int
    y: str = "a"


@attrs.frozen
class MadePlace(MadePoint):
    z: tuple[int, ...] = ()


@pytest.mark.parametrize(
    ("args", "given"),
    [((1,), {}), ((1, "b"), {}), ((), {"x": 1}), ((1,), {"z": (2, 3)}), ((1, "b", (4,)), {})],
)
def test_a_record_is_what_attrs_would_have_made(
    args: tuple[Any, ...], given: dict[str, Any]
) -> None:
    one, made = Place(*args, **given), MadePlace(*args, **given)
    assert attrs.asdict(one) == attrs.asdict(made)
    assert repr(one) == repr(made).replace("MadePlace", "Place")
    assert one == Place(*args, **given)
    assert hash(one) == hash(Place(*args, **given))
    for how in (attrs.evolve, evolve):
        changed = how(one, y="c")
        assert type(changed) is Place
        assert attrs.asdict(changed) == attrs.asdict(attrs.evolve(made, y="c"))
        assert one != changed
    assert evolve(made, y="c") == attrs.evolve(made, y="c"), "a class of attrs'"
    assert Place(1, z=(1, 2)).total == 3


def test_attrs_knows_a_record() -> None:
    assert attrs.has(Place)
    fields = [(f.name, f.default, f.type) for f in attrs.fields(Place)]
    assert fields == [(f.name, f.default, f.type) for f in attrs.fields(MadePlace)]
    signature = inspect.signature(Place)
    assert str(signature) == str(inspect.signature(MadePlace))


@pytest.mark.parametrize(
    ("args", "given", "message"),
    [
        ((), {}, "Point: no value for 'x'"),
        ((1, "b", 2), {}, "Point: 3 values for 2 fields"),
        ((1,), {"x": 2}, "Point: two values for 'x'"),
        ((1,), {"w": 2, "y": "b"}, "Point: no field 'w'"),
        ((), {"kind": "x"}, "Point: no field 'kind', no value for 'x'"),
        ((1, "b", 2, 3), {"y": "c"}, "Point: 4 values for 2 fields, two values for 'y'"),
    ],
)
def test_a_record_says_what_it_lacks(
    args: tuple[Any, ...], given: dict[str, Any], message: str
) -> None:
    with pytest.raises(TypeError, match=f"^{message}$"):
        Point(*args, **given)


def test_a_value_is_given_once_also_where_others_are_not_given() -> None:
    with pytest.raises(TypeError, match="^Place: two values for 'x'$"):
        Place(1, x=2)  # type: ignore[misc] # that is what is tested


def test_another_value_of_a_field_that_there_is_not() -> None:
    with pytest.raises(TypeError, match="^Place: no field 'w'$"):
        evolve(Place(1), w=2)  # type: ignore[call-arg] # that is what is tested


def test_what_a_record_remembers_is_not_handed_on() -> None:
    one = Place(1, z=(1, 2))
    assert one.total == 3
    assert evolve(one, z=(5,)).total == 5


def test_a_record_does_not_change() -> None:
    one: Any = Place(1)
    for name in ("x", "z", "other"):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(one, name, 2)
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            delattr(one, name)
    assert attrs.asdict(one) == {"x": 1, "y": "a", "z": ()}


def test_types_may_be_declared_themselves_and_not_as_text() -> None:
    parts = {"__annotations__": {"x": int, "kind": ClassVar[str]}, "kind": "a"}
    made: Any = made_record(type("Point", (Value,), parts))
    assert repr(made(1)) == "Point(x=1)"
    assert [field.type for field in attrs.fields(made)] == [int]


def test_what_only_attrs_knows_is_refused() -> None:
    with pytest.raises(TypeError, match="Odd.x: only attrs.frozen knows attrs.field"):

        @record
        class Odd:
            x: int = attrs.field(default=1)

    with pytest.raises(TypeError, match="Derived: inherits from MadePoint, made by attrs"):

        @record
        class Derived(MadePoint):
            z: int = 0


def test_the_hook_of_attrs_behind_the_fields_is_called() -> None:
    @record
    class Positive(Value):
        x: int

        def __attrs_post_init__(self) -> None:
            if self.x < 0:
                raise ValueError(self.x)

    assert Positive(1).x == 1
    with pytest.raises(ValueError, match="-1"):
        Positive(-1)
    with pytest.raises(ValueError, match="-2"):
        evolve(Positive(1), x=-2)
