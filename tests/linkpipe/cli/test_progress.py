"""A bar is shown on a terminal, while a link takes long, and nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.toolchain import environment
from tests.linkpipe.ask.links import PROGRAMS, QUIET, response_file

CODE = """
import sys
from linkpipe.cli import _progress
from linkpipe.cli.main import main
_progress._PATIENCE = {patience}
sys.exit(main(sys.argv[1:]))
"""


def on_a_terminal(command: str, patience: float, *words: str) -> tuple[int, str, str]:
    """Status, answer, and what the terminal got."""
    master, slave = os.openpty()
    code = CODE.format(patience=patience)
    env = environment(TERM="xterm", COLUMNS="100", CGO_ENABLED="0")
    with subprocess.Popen(
        [sys.executable, "-c", code, command, *words],
        cwd=PROGRAMS,
        stdout=subprocess.PIPE,
        stderr=slave,
        env=env,
        text=True,
    ) as done:
        os.close(slave)
        assert done.stdout is not None
        answer = done.stdout.read()
    seen = b""
    while True:
        try:
            part = os.read(master, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(master)
    return done.returncode, answer, seen.decode()


@pytest.mark.parametrize(("patience", "shown"), [(-1, True), (600, False)])
def test_it_is_shown_when_a_link_takes_long(tmp_path: Path, patience: int, shown: bool) -> None:
    status, answer, seen = on_a_terminal(
        "why", patience, response_file(QUIET, tmp_path), "main.main"
    )
    assert status == 0
    assert answer.startswith("the symbol main.main is in the output")
    assert ("reachability" in seen) == shown


def test_an_error_follows_it(tmp_path: Path) -> None:
    (tmp_path / "args").write_text("-importcfg\n/dev/null\n/nonexistent/main.a\n")
    status, answer, seen = on_a_terminal("why", -1, f"@{tmp_path}/args", "main.main")
    assert (status, answer) == (3, "")
    assert "/nonexistent/main.a" in seen


@pytest.mark.parametrize(
    "words",
    [("size", "--exact", "--top", "4"), ("whatif", "--rank", "fmt,reflect,main.measure")],
    ids=lambda words: words[0],
)
def test_it_is_shown_while_reachability_runs_again(tmp_path: Path, words: tuple[str, ...]) -> None:
    command, *more = words
    status, answer, seen = on_a_terminal(command, -1, response_file(QUIET, tmp_path), *more)
    assert status == 0
    assert len(answer.splitlines()) > 4
    assert "reachability without each" in seen


def test_it_is_shown_while_the_go_command_compiles() -> None:
    status, _, seen = on_a_terminal("why", -1, "./quiet", "main.main")
    assert status == 0
    assert "go build" in seen


def test_a_program_that_reads_json_gets_none(tmp_path: Path) -> None:
    target = response_file(QUIET, tmp_path)
    status, answer, seen = on_a_terminal("why", -1, target, "main.main", "--format", "json")
    assert (status, answer[0], seen) == (0, "{", "")
