"""Third parties' packages, installed as their users would."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


def install(sample: Path, folder: Path) -> str:
    """Install a package by pip into a folder of its own; what PYTHONPATH has to be to see it."""
    source = shutil.copytree(sample, folder / "source", ignore=shutil.ignore_patterns("*.egg-info"))
    target = folder / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
               "--no-build-isolation", "--disable-pip-version-check",
               "--target", str(target), str(source)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return str(target)
