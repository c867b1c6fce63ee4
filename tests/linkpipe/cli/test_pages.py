"""Pages of the documentation: every command on them prints what they show."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.conformance.toolchain import ROOT
from tests.linkpipe.cli.test_asking import BINARIES, COMMANDS
from tools.pages import (
    DOCUMENTS,
    PAGES,
    UNTRIED,
    WALKS,
    blocks,
    commands,
    lines,
    printed,
    shells,
    undone,
    walked,
)

BLOCKS = {f"{page.stem}: {commands(block)[-1]}": block for page in PAGES for block in blocks(page)}


@pytest.mark.once
@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_commands_print_what_the_page_shows(block: str) -> None:
    assert printed(block) == block, "`python -m tools.pages` writes it anew"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_command_has_an_example(page: Path) -> None:
    words = [shlex.split(command) for block in blocks(page) for command in commands(block)]
    told = {each[1] for each in words if each[0] == "linkpipe"}
    assert told >= {*COMMANDS, *BINARIES, "explain", "save"}


@pytest.mark.once
@pytest.mark.parametrize(
    "page",
    [WALKS[0], *(pytest.param(page, marks=pytest.mark.big) for page in WALKS[1:])],
    ids=lambda page: page.stem,
)
def test_a_walk_goes_as_the_page_says(page: Path) -> None:
    text = page.read_text()
    assert walked(text) == text, "`python -m tools.pages` writes it anew"


@pytest.mark.once
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_what_a_document_says_can_be_done(document: Path) -> None:
    """Line by line, but for those that have a reason."""
    assert undone(document) == []


def test_a_line_that_does_nothing_is_told(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```toml\n# p.toml\nextends = 1\n```\n```sh\ncat p.toml\ngo buidl .  # ?\n```\n"
    )
    (printed,) = undone(page)
    assert "extends = 1" in printed
    assert "unknown command" in printed


def test_lines_that_are_not_run_stand_in_a_document() -> None:
    """A table of what there is not any more says nothing."""
    there = {line for document in DOCUMENTS for block in shells(document) for line in lines(block)}
    assert {*UNTRIED} <= there
    assert all(UNTRIED.values())
