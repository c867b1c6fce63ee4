"""Nothing is imported from the folder that a link happens to run in, which may be anybody's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conformance.toolchain import environment, link_tool

BIN = Path(sys.executable).parent
STUB = [str(BIN / "linkpipe-toolexec"), str(link_tool()), "-V=full"]
SCRIPT = [str(BIN / "linkpipe"), "link", "-V=full"]
MODULE = [sys.executable, "-m", "linkpipe", "link", "-V=full"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a module for each that a link may import, a plugin, and a linkpipe."""
    trap = "import os; open(os.path.join(os.path.dirname(__file__), 'ran'), 'w')\n"
    for name in "attrs attr pluggy tomllib hashlib json signal atexit difflib inspect".split():
        (tmp_path / f"{name}.py").write_text(trap)
    info = tmp_path / "trap-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text("[linkpipe.plugins]\ntrap = attr\n")
    return tmp_path


def run(command: Sequence[str], folder: Path, **variables: str) -> None:
    """Run there what must succeed."""
    # Coverage, where it is measured, starts before linkpipe and looks for modules by itself.
    env = {k: v for k, v in environment().items() if not k.startswith(("PYTHONPATH", "COV"))}
    env |= variables
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "linkpipe=" in done.stdout


@pytest.mark.parametrize("command", [MODULE, SCRIPT, STUB], ids=["module", "script", "stub"])
@pytest.mark.parametrize(
    "path", ["", ":", "/no/such/folder:", ":/no/such/folder", "/no/such/folder::/no/such/folder"]
)
def test_nothing_comes_from_the_working_directory(
    command: Sequence[str], path: str, folder: Path
) -> None:
    run(command, folder, PYTHONPATH=path)
    assert not (folder / "ran").exists()


def test_the_stub_takes_no_linkpipe_from_the_working_directory(folder: Path) -> None:
    (folder / "linkpipe").mkdir()
    (folder / "linkpipe" / "__init__.py").write_text("raise SystemExit('not this one')")
    run(STUB, folder, PYTHONPATH=":")


@pytest.mark.parametrize("command", [MODULE, SCRIPT, STUB], ids=["module", "script", "stub"])
def test_what_somebody_names_is_looked_into(command: Sequence[str], folder: Path) -> None:
    (folder / "attr.py").unlink()
    (folder / "attrs.py").unlink()
    env = environment(PYTHONPATH=os.pathsep.join(["", str(folder)]))
    subprocess.run(command, cwd=folder, env=env, capture_output=True, check=False)
    assert (folder / "ran").exists()
