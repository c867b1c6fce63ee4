"""docs/reference: the pages that are made of the code are as it is, and say what they promise."""

from __future__ import annotations

import inspect
import re

import attrs
import pytest

from linkpipe import api
from linkpipe.engine.pipeline import load_pipeline
from linkpipe.release import Release
from tools.reference import FOLDER, shipped
from tools.schemas import words


@pytest.fixture(scope="module")
def tables() -> str:
    return (FOLDER / "tables.md").read_text()


def test_the_pages_are_as_the_code_is() -> None:
    """`python -m tools.reference` writes them."""
    made = shipped()
    assert {*FOLDER.iterdir()} == {*made}
    for file, text in made.items():
        assert file.read_text() == text, file.name


def test_what_a_docstring_is_made_of_is_not_on_the_pages() -> None:
    """Its heading, and what separates two fields that one line tells of."""
    text = "".join(shipped().values())
    assert "Attributes:" not in text
    assert "; |" not in text


def test_every_function_stands_with_its_signature() -> None:
    text = (FOLDER / "api.md").read_text()
    for name in api.__all__:
        value = getattr(api, name)
        if inspect.isfunction(value):
            assert f"\n## {name}\n\n```python\n{name}(" in text


def test_every_column_is_told_with_type_and_place(tables: str) -> None:
    """No cell is empty, and what stands in the last one is a barrier or a pass that there is."""
    rows = re.findall(r"^\| (`\w+`) \| (.*?) \| (.*?) \| ([^|]*) \|$", tables, re.MULTILINE)
    pipeline = load_pipeline()
    places = {step.name for step in pipeline.steps} | {place.name for place in pipeline.barriers}
    assert len(rows) > 150
    for name, kind, what, final in rows:
        assert kind, name
        assert what, name
        assert final == "the beginning" or {*re.findall(r"[a-z-]+", final)} & places, name


@pytest.mark.parametrize(
    ("table", "column", "kind", "final"),
    [
        ("Symbols", "value", "int64[]", "addresses-final"),
        ("Symbols", "size", "int64[]", "layout-final"),
        ("Symbols", "section", "int16[]", "addresses-final"),
        ("Relocs", "add", "int64[]", "symbols-final"),
        ("Section", "symbols", "int32[]", "layout-final"),
    ],
)
def test_columns_that_passes_ask_for(
    tables: str, table: str, column: str, kind: str, final: str
) -> None:
    section = tables.partition(f"\n## {table}\n")[2].partition("\n## ")[0]
    (row,) = (line for line in section.splitlines() if line.startswith(f"| `{column}` |"))
    assert f"`{kind}`" in row
    assert f"[{final}]" in row


@pytest.mark.parametrize("page", ["architecture", "options", "release"])
def test_what_is_given_is_told(page: str) -> None:
    """Every field of what each link begins with, and of what these lead to: no cell is empty, and
    links lead to a class."""
    text = (FOLDER / f"{page}.md").read_text()
    given = {"architecture": api.Architecture, "options": api.Options, "release": Release}[page]
    told = text.partition(f"\n## {given.__name__}\n")[2].partition("\n## ")[0]
    for field in attrs.fields(given):
        assert f"\n| `{field.name}` |" in told, field.name
    assert not re.findall(r"^\|.*\|  \|.*$", text, re.MULTILINE)
    for target in re.findall(r"\]\((\w+\.md#\w+)\)", text):
        file, _, anchor = target.partition("#")
        assert f"\n## {anchor}\n" in (FOLDER / file).read_text().lower(), target


def test_what_is_said_of_none_belongs_to_the_field_before() -> None:
    """Only a field's name begins what is said of another field."""
    told = words("a: one; None: nothing. b, c: two; 0: none", ["a", "b", "c"])
    assert told == {"a": "one; None: nothing.", "b": "two; 0: none", "c": "two; 0: none"}
    assert words("", []) == {}


def test_every_flag_is_told(tables: str) -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| (.+) \|$", tables, re.MULTILINE)
    assert {(1 << int(bit), name) for bit, name, _ in rows} == {
        (each.value, each.name) for each in api.Flag
    }


def test_links_on_the_pages_lead_somewhere() -> None:
    for file in FOLDER.iterdir():
        for target in re.findall(r"\]\((?!\w+:)([^()\s#]+)", file.read_text()):
            assert (FOLDER / target).exists(), (file.name, target)
