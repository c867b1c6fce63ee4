"""The page docs/looking-inside.md: every command on it prints what the page shows."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.linkpipe.ask.links import PROGRAMS
from tests.linkpipe.cli.test_asking import BINARIES, COMMANDS, ask, run

PAGE = Path(__file__).parents[3] / "docs" / "looking-inside.md"
FLAGS = "-trimpath -buildvcs=false"


def blocks() -> list[dict[str, str]]:
    """The page's examples: commands, each with what it prints."""
    found = re.findall(r"^```console\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    parts = ([part.partition("\n") for part in block.split("$ ")[1:]] for block in found)
    return [{command: printed for command, _, printed in block} for block in parts]


def builds(block: dict[str, str]) -> bool:
    """Whether an example starts with building something."""
    return next(iter(block)).startswith(("go ", "linkpipe save "))


def examples() -> dict[str, str]:
    """Commands that need no others before them, each with what it prints."""
    return {name: text for block in blocks() if not builds(block) for name, text in block.items()}


@pytest.mark.parametrize("command", examples())
def test_it_prints_what_the_page_shows(command: str) -> None:
    program, *args = shlex.split(command)
    assert program == "linkpipe"
    done = ask(*args, GOFLAGS=FLAGS)
    assert done.stdout + done.stderr == examples()[command]


@pytest.mark.parametrize("block", [*filter(builds, blocks())], ids=lambda block: list(block)[-1])
def test_what_is_built_is_looked_into(block: dict[str, str], tmp_path: Path) -> None:
    """In a copy of the programs, with cgo, one command after the other, as they may be needed by
    those that follow."""
    folder = shutil.copytree(PROGRAMS, tmp_path / "programs")
    printed = {}
    for command in block:
        done = run(shlex.split(command), folder, {"GOFLAGS": FLAGS, "CGO_ENABLED": "1"})
        printed[command] = done.stdout + done.stderr
    assert printed == block


def test_every_command_has_an_example() -> None:
    commands = [shlex.split(command) for block in blocks() for command in block]
    told = {words[1] for words in commands if words[0] == "linkpipe"}
    assert told == {*COMMANDS, *BINARIES, "explain", "save"}
