"""A link warns of a pass whose work comes too late."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.programs import TINY, inputs
from tests.conformance.toolchain import environment


@pytest.mark.parametrize(("place", "warns"), [("after", True), ("before", False)])
def test_the_link_itself_says_so(tmp_path: Path, place: str, warns: bool) -> None:
    """Once, and does what it was told."""
    (tmp_path / "late.toml").write_text(
        'extends = "default"\n[[remove]]\nname = "strdata"\n'
        f'[[insert]]\nname = "strdata"\n{place} = "symbols-final"\nwhy = "late"\n'
    )
    given = inputs(TINY)
    words = ["-s", "-w", "-pipeline=late.toml", "-o", "out", *given.flags, str(given.main)]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "linkpipe", "link", *words],
        cwd=tmp_path,
        env=given.environment() | environment(LINKPIPE_CHECK=""),  # which would refuse it
        text=True,
        capture_output=True,
        check=True,
    )
    assert (tmp_path / "out").stat().st_size
    assert done.stdout == ""
    said = done.stderr.splitlines()
    assert len(said) == warns
    for line in said:
        assert line.startswith("linkpipe: warning: strdata stands behind symbols-final")
        assert "late.toml:4" in line
