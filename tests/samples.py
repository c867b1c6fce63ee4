"""Packages built and installed as their users would: third parties' and linkpipe itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


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


def checkout(folder: Path) -> Path:
    """Copy what a commit of everything here would hold: no caches, nothing that was built."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.split("\0"):
        file = ROOT / name
        if name and (file.is_symlink() or file.exists()):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, folder / name, follow_symlinks=False)
    return folder
