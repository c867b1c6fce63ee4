"""Plain values behave as if attrs had generated their methods for each class."""

from __future__ import annotations

import attrs
import pytest

from linkpipe.values import Shown, Value


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


def test_values_have_no_room_for_other_attributes() -> None:
    assert not hasattr(Written(1, "a"), "__dict__")
