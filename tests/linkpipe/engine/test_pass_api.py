from __future__ import annotations

import attrs
import pytest

from linkpipe.engine.pass_api import Link, Pass, linkpass


@linkpass(requires=("tlsg",), provides=("moduledata",), optional=("relocs",))
def double(link: Link) -> Link:
    """Double it.

    And more.
    """
    return link.evolve(moduledata=2 * link.tlsg)


@attrs.frozen
class Options:
    by: int = 10


@linkpass(name="times", requires=("tlsg",), provides=("tlsg",), options=Options)
def multiply(link: Link, options: Options) -> Link:
    return link.evolve(tlsg=link.tlsg * options.by)


def test_a_decorated_function_is_a_pass() -> None:
    assert isinstance(double, Pass)
    assert double.name == "test_pass_api", "the last part of its module's name"
    assert double.doc == "Double it."
    assert double(Link({"tlsg": 4})).moduledata == 8


def test_options_default() -> None:
    assert multiply.name == "times"
    assert multiply(Link({"tlsg": 4})).tlsg == 40
    assert multiply(Link({"tlsg": 4}), Options(2)).tlsg == 8


def test_what_a_pass_may_read_and_write() -> None:
    assert double.access.reads == {"tlsg", "relocs", "moduledata"}
    assert double.access.writes == {"moduledata"}


def test_a_string_is_no_list_of_facts() -> None:
    """("symbols") for ("symbols",) is the mistake everybody makes once."""
    with pytest.raises(TypeError, match="the string 'symbols'"):
        linkpass(requires="symbols")(lambda link: link)


def test_options_must_be_an_attrs_class_with_defaults() -> None:
    with pytest.raises(TypeError, match="not an attrs class"):
        linkpass(options=int)(lambda link, options: link)

    @attrs.frozen
    class NoDefault:
        by: int

    with pytest.raises(TypeError, match="by"):
        linkpass(options=NoDefault)(lambda link, options: link)
