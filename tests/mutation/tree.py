"""Copies of the repository, in which mutants run: the product that is installed stays as it is."""

from __future__ import annotations

import compileall
import os
import py_compile
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from tests.conformance.toolchain import ROOT, cache

LEFT_OUT = (".git", ".venv", ".cache", ".tree", ".*_cache", ".hypothesis", "__pycache__")


class Tree:
    """A copy of the repository. Python started in it by ``run`` imports linkpipe from it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def copy(cls, name: str) -> Tree:
        """A fresh copy of the working tree; always at the same place for the same name, so that
        what tests keep in the cache by path is found again."""
        root = cache() / "mutants" / name
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(ROOT, root, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
        # The layout that is installed: passes and the like stand in linkpipe.
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        for package, folder in project["tool"]["setuptools"]["package-dir"].items():
            place = root.joinpath(*package.split("."))
            if not place.exists():
                place.symlink_to(os.path.relpath(root / folder, place.parent))
        # Compiled once, and read where the source has the hash that it had then: the time stamp
        # of a file that was changed and changed back would tell nothing.
        hashed = py_compile.PycInvalidationMode.CHECKED_HASH
        compileall.compile_dir(root, quiet=1, invalidation_mode=hashed)
        return cls(root)

    def run(
        self, words: Sequence[str | Path], *, timeout: float | None = None, **variables: str
    ) -> tuple[int | None, str]:
        """Run Python in the copy: its status, None when it took too long, and what it printed."""
        env = os.environ | {
            "PYTHONPATH": str(self.root),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LINKPIPE_CACHE": str(cache()),
            **variables,
        }
        process = subprocess.Popen(
            [sys.executable, *words],
            cwd=self.root,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        try:
            printed, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)  # the group that it was started as the leader of
            process.communicate()
            return None, ""
        return process.returncode, printed
