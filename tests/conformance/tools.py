"""Programs of others that some checks need, and what happens where one is missing.

A check without its tool is skipped with a hint. LINKPIPE_NO_SKIP=1 makes that a failure: where the
tools are installed on purpose, a skip would be a check that nobody knows is gone.
"""

from __future__ import annotations

import os
import shutil

import pytest

# The tool's name -> the Debian package that has it.
PACKAGES = {"gdb": "gdb", "readelf": "binutils", "llvm-dwarfdump": "llvm"}


def no_skip() -> bool:
    """Whether nothing may be skipped for want of a tool."""
    return os.environ.get("LINKPIPE_NO_SKIP", "") not in ("", "0")


def missing(*tools: str) -> str:
    """A hint when one of the tools is not installed, else nothing."""
    absent = [tool for tool in tools if shutil.which(tool) is None]
    packages = " ".join(sorted({PACKAGES.get(tool, tool) for tool in absent}))
    return f"no {', '.join(absent)} here: apt-get install -y {packages}" if absent else ""


def need(*tools: str) -> None:
    """Skip the test, or fail it under LINKPIPE_NO_SKIP=1, when a tool is missing."""
    hint = missing(*tools)
    if hint and no_skip():
        pytest.fail(f"{hint} (LINKPIPE_NO_SKIP is set)", pytrace=False)
    if hint:
        pytest.skip(hint)
