"""Pages of the documentation: every command on them prints what they show."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from tests.linkpipe.cli.test_asking import BINARIES, COMMANDS
from tools.pages import PAGES, WALKS, blocks, commands, printed, walked

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
