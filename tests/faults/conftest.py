"""What tests of faults share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.links import OLD


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an old output in it, and nothing else."""
    (tmp_path / "out").write_text(OLD)
    return tmp_path
