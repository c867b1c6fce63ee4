"""The page docs/looking-inside.md: every command on it prints what the page shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.linkpipe.cli.test_asking import COMMANDS, ask

PAGE = Path(__file__).parents[3] / "docs" / "looking-inside.md"
FLAGS = "-trimpath -buildvcs=false"


def examples() -> dict[str, str]:
    """Commands of the page, each with what it prints."""
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    parts = (part for block in blocks for part in block.split("$ ")[1:])
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}


@pytest.mark.parametrize("command", examples())
def test_it_prints_what_the_page_shows(command: str) -> None:
    program, *args = shlex.split(command)
    assert program == "linkpipe"
    done = ask(*args, GOFLAGS=FLAGS)
    assert done.stdout + done.stderr == examples()[command]


def test_every_command_has_an_example() -> None:
    assert {shlex.split(command)[1] for command in examples()} == set(COMMANDS)
