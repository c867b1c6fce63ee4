"""Completion in shells, and manual pages: of the commands as they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from linkpipe.cli.main import commands
from tests.conformance.toolchain import ROOT, environment
from tests.linkpipe.cli.test_asking import ask

HERE = str(Path(sys.executable).parent)


def completed(*words: str) -> list[str]:
    """What bash offers for the last word."""
    script = f"""
set -e
PATH={HERE}:$PATH
source <(linkpipe completion bash)
COMP_WORDS=(linkpipe {" ".join(f"'{word}'" for word in words)})
COMP_CWORD={len(words)}
compopt() {{ :; }}
_linkpipe_completion linkpipe
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=environment(), check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


def test_bash_completes_commands_options_and_values() -> None:
    assert {"why", "whatif", "why-no-dce"} == set(completed("w"))
    assert set(completed("size", "--a")) == {"--against"}
    assert "esbuild-metafile" in completed("size", "--format", "")


@pytest.mark.parametrize(("shell", "mark"), [("zsh", "#compdef linkpipe"), ("fish", "complete ")])
def test_other_shells_have_theirs(shell: str, mark: str) -> None:
    done = ask("completion", shell)
    assert done.returncode == 0
    assert mark in done.stdout
    assert "_LINKPIPE_COMPLETE" in done.stdout


def test_a_shell_that_is_not_known() -> None:
    done = ask("completion", "csh")
    assert done.returncode == 2
    assert "'csh' is not one of" in done.stderr


def test_manual_pages_say_what_help_says(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "tools.man", str(tmp_path)],
        cwd=ROOT,
        check=True,
    )
    pages = {file.stem for file in tmp_path.iterdir()}
    assert pages == {"linkpipe", *(f"linkpipe-{name}" for name in commands())}
    text = (tmp_path / "linkpipe-why.1").read_text()
    shown = ask("why", "--help").stdout
    (first,) = [line.strip() for line in shown.splitlines() if "Show why a symbol" in line]
    assert first in " ".join(text.split())
    assert "linkpipe why --all ./cmd/prog" in text
