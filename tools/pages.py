"""The commands on pages of the documentation, with what they print: run, and written anew.

A block that begins with ```console has commands behind "$ ", each followed by what it prints. They
run one after the other in a copy of tests/linkpipe/ask/programs; "echo $?" shows the status of the
command before. Tests hold the pages to what is printed:

    python -m tools.pages [PAGE …]        # writes what has changed into the pages
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.conformance.releases import VERSIONS, install
from tests.conformance.toolchain import ROOT, environment

PAGES = tuple(ROOT / "docs" / name for name in ("looking-inside.md", "questions.md"))
PROGRAMS = ROOT / "tests" / "linkpipe" / "ask" / "programs"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FLAGS = "-trimpath -buildvcs=false"


def blocks(page: Path) -> list[str]:
    """The blocks of a page, as they stand there."""
    return _BLOCK.findall(page.read_text())


def commands(block: str) -> list[str]:
    """The commands of a block."""
    return re.findall(r"^\$ (.*)$", block, re.MULTILINE)


def printed(block: str) -> str:
    """The block as it has to be: its commands, run, and what each prints."""
    with tempfile.TemporaryDirectory(prefix="linkpipe-") as parent:
        folder = Path(shutil.copytree(PROGRAMS, Path(parent, "programs")))
        variables = _variables(block, Path(parent, "bin"))
        told, status = "", 0
        for command in commands(block):
            told += f"$ {command}\n"
            if command == "echo $?":
                told += f"{status}\n"
                continue
            program, *args = shlex.split(command)
            words = [sys.executable, "-P", "-m", "linkpipe"] if program == "linkpipe" else [program]
            done = subprocess.run(
                [*words, *args],
                cwd=folder,
                env=variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            told, status = told + done.stdout, done.returncode
    return told


def _variables(block: str, folder: Path) -> dict[str, str]:
    """The environment: cgo where plugins are, and older releases as golang.org/dl installs them."""
    found = environment(GOFLAGS=_FLAGS, CGO_ENABLED="1" if "-buildmode=plugin" in block else "0")
    if "--go" in block:
        folder.mkdir()
        for release, version in VERSIONS.items():
            if release in block:
                (folder / f"go{version}").symlink_to(install(release) / "bin" / "go")
        found["PATH"] = f"{folder}{os.pathsep}{found['PATH']}"
    return found


def main(names: Sequence[str]) -> None:
    """Write what has changed, in all pages or those named."""
    for page in (Path(name) for name in names) if names else PAGES:
        for block in blocks(page):
            new = printed(block)
            # Read again: this takes minutes, in which somebody may write.
            page.write_text(page.read_text().replace(block, new))


if __name__ == "__main__":
    main(sys.argv[1:])
