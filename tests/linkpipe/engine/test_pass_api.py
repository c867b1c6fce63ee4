from __future__ import annotations

from pathlib import Path

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


@attrs.frozen
class Files:
    allow: Path | None = None
    more: tuple[Path, ...] = ()
    text: str = ""
    given: Path = Path("allow.txt")


def test_files_that_a_pass_reads() -> None:
    reads = linkpass(options=Files, inputs=("allow", "more"))(lambda link, options: link)
    assert reads.files(Files()) == ()
    assert reads.files(Files(Path("a"), (Path("b"), Path("c")))) == (
        Path("a"),
        Path("b"),
        Path("c"),
    )
    assert double.files(None) == ()


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (("text",), "its input 'text' is no option of type Path"),
        (("none",), "its input 'none' is no option of type Path"),
        (("given",), "an input has a file by default"),
        ("allow", "the string 'allow'"),
    ],
)
def test_inputs_are_options_of_type_path(inputs: tuple[str, ...], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        linkpass(options=Files, inputs=inputs)(lambda link, options: link)


@pytest.mark.parametrize("path", ["symbols", "symbols.contents.x", "relocs.add", "pclntab.nfunc"])
def test_what_a_pass_changes_is_a_part_of_what_it_requires_and_provides(path: str) -> None:
    with pytest.raises(TypeError, match="is no part of a fact that it both requires and provides"):
        linkpass(requires=("symbols", "relocs"), provides=("symbols", "pclntab"), changes=(path,))(
            lambda link: link
        )


def test_what_a_pass_sets() -> None:
    """Parts where it names them, else the whole fact."""
    some = linkpass(
        requires=("symbols", "acme.table"),
        provides=("symbols", "acme.table", "relocs"),
        changes=("symbols.contents", "symbols.data_at", "acme.table.rows"),
    )(lambda link: link)
    parts = ("symbols.contents", "symbols.data_at", "acme.table.rows")
    assert some.sets == ("relocs", *parts)
    assert double.sets == ("moduledata",)
