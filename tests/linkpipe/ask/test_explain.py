"""Errors are explained: each class has a code and a page, and what was printed is recognised."""

from __future__ import annotations

import pytest

from linkpipe import api, errors
from linkpipe.ask.explain import PAGES, Page, explain
from tools.errors import FOLDER, page

CLASSES = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, errors.LinkpipeError)
]


def test_each_class_has_a_code_and_a_page() -> None:
    codes = [each.code for each in CLASSES]
    assert len(set(codes)) == len(codes)
    assert sorted(codes) == [about.code for about in PAGES]


@pytest.mark.parametrize("about", PAGES, ids=lambda about: about.code)
def test_pages_in_docs_are_what_is_printed(about: Page) -> None:
    """`python -m tools.errors` writes them."""
    assert (FOLDER / f"{about.code}.md").read_text() == page(about)
    assert {file.stem for file in FOLDER.iterdir()} == {each.code for each in PAGES}


@pytest.mark.parametrize(
    ("printed", "title"),
    [
        ("main.main: relocation target main.f not defined", "A symbol is not defined"),
        ("link: main: invalid reference to runtime.x", "A go:linkname is refused"),
        ("link: duplicated definition of symbol a.F, from a and b", "A symbol is defined twice"),
        ("flag provided but not defined: -nosuch", "An unknown flag"),
        ("flag -race is not supported yet", "A flag is not supported"),
        ('exec: "gcc": executable file not found in $PATH', "No C compiler"),
        ("/usr/bin/ld: cannot find -lfoo", "A library is missing"),
        ("link: fingerprint mismatch: a has 12, import from b", "Packages do not fit each other"),
        (
            'plugin.Open("p"): plugin was built with a different version of package a/b',
            "A plugin and its host do not fit",
        ),
        ("the kernel records was compiled from another source", "A kernel is not compiled"),
    ],
)
def test_what_was_printed_is_recognised(printed: str, title: str) -> None:
    """Among other lines, too."""
    for text in (printed, f"# example.com/cmd\n{printed}\nmake: *** [all] Error 1\n"):
        titles = [topic.title for each in explain(text) for topic in each.topics]
        assert title in titles


def test_codes() -> None:
    (one,) = explain(" lp201\n")
    assert one.title == "An input is damaged, or does not fit"
    assert len(one.topics) > 2
    assert explain("LP999") == explain("all is well") == ()


def test_errors_tell_their_code_and_fields() -> None:
    error = errors.InputError("cut short", file="a.a", offset=8, remedy="rebuild it")
    assert error.told() == {
        "code": "LP201",
        "message": error.headline(),
        "remedy": "rebuild it",
        "file": "a.a",
        "offset": 8,
    }
    assert "LP201" not in error.shown("link"), "what a link prints is the oracle's"


def test_it_is_promised() -> None:
    assert api.explain is explain
