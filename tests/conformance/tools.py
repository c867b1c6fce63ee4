"""Programs of others that some checks need, and what happens where one is missing.

A check without its tool is skipped with a hint. LINKPIPE_TOOLS=required makes that a failure: where
the tools are installed on purpose, a skip would be a check that nobody knows is gone.
"""

from __future__ import annotations

import os
import shutil

VARIABLE = "LINKPIPE_TOOLS"

# The tool's name -> the Debian package that has it. Those of other architectures are in targets.py.
PACKAGES = {
    "chromium": "chromium",
    "gdb": "gdb",
    "ld.gold": "binutils",
    "ld.lld": "lld",
    "llvm-dwarfdump": "llvm",
    "mold": "mold",
    "readelf": "binutils",
}

HINT = "`make cross-tools` installs it (Debian, as root)"


def required() -> bool:
    """Whether a missing tool is a failure."""
    return os.environ.get(VARIABLE) == "required"


def missing(*tools: str) -> str:
    """A hint when one of the tools is not installed, else nothing."""
    absent = [tool for tool in tools if shutil.which(tool) is None]
    return f"no {', '.join(absent)}: {HINT}" if absent else ""


def need(hint: str) -> None:
    """Skip the test when something is missing; fail it where nothing may be."""
    import pytest  # not there where only the demo runs

    if hint and required():
        pytest.fail(f"{hint} ({VARIABLE} is set)", pytrace=False)
    if hint:
        pytest.skip(hint)
