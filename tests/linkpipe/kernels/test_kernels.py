"""What holds for every kernel: it is compiled, of the source that lies beside it, and described."""

from __future__ import annotations

import ast
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from linkpipe import kernels
from linkpipe.errors import LinkpipeError
from tests.conformance.toolchain import ROOT
from tests.kernels import compiled, uncompiled

FOLDER = ROOT / "linkpipe" / "kernels"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")


def functions(module: ModuleType) -> dict[str, list[str]]:
    """Public functions and the names of their arguments."""
    return {
        name: list(inspect.signature(value).parameters)
        for name, value in vars(module).items()
        if callable(value) and not name.startswith("_") and value.__module__ == module.__name__
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_types_for_callers_are_those_of_the_kernel(name: str) -> None:
    """The type checker sees NAME.pyi alone."""
    stub = ast.parse((FOLDER / f"{name}.pyi").read_text())
    told = {
        node.name: [arg.arg for arg in node.args.args]
        for node in stub.body
        if isinstance(node, ast.FunctionDef)
    }
    assert functions(compiled(name)) == functions(uncompiled(name)) == told


@pytest.mark.parametrize("name", NAMES)
def test_a_compiled_kernel_needs_no_cython(name: str) -> None:
    code = f"import sys, linkpipe.kernels.{name} as k; print(k.__file__, 'cython' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    file, imported = done.stdout.split()
    assert not file.endswith(".py")
    assert imported == "False"


def copy(tmp_path: Path, *, keep_compiled: bool) -> Path:
    ignore = shutil.ignore_patterns("__pycache__", *([] if keep_compiled else ["*.so"]))
    return Path(shutil.copytree(ROOT / "linkpipe", tmp_path / "linkpipe", ignore=ignore))


def link(folder: Path) -> subprocess.CompletedProcess[str]:
    """A link by that copy of linkpipe."""
    return subprocess.run(
        [sys.executable, "-m", "linkpipe", "link", "no-such-file.a"],
        cwd=folder.parent,
        text=True,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("keep_compiled", "message"),
    [
        (False, r"linkpipe: the kernel \w+ is not compiled for this Python\n"),
        (True, r"linkpipe: the kernel names was compiled from another source than "),
    ],
)
def test_a_kernel_that_is_not_compiled_or_older_than_its_source_is_an_error(
    tmp_path: Path, keep_compiled: bool, message: str
) -> None:
    """Running the plain source instead would be a silent, hundred times slower link."""
    folder = copy(tmp_path, keep_compiled=keep_compiled)
    with (folder / "kernels" / "names.py").open("a") as file:
        file.write("\n# An edit.\n")
    done = link(folder)
    assert done.returncode == 2
    assert re.match(message, done.stderr)
    first, remedy = done.stderr.splitlines()
    assert str(folder) in first or not keep_compiled
    assert remedy.startswith("\tcompile it: `make kernels`")


def test_the_content_of_the_source_decides() -> None:
    """Not its time, which checking out, copying and installing change."""
    crc = zlib.crc32((FOLDER / "names.py").read_bytes())
    kernels.made_of("linkpipe.kernels.names", crc)
    with pytest.raises(LinkpipeError, match="compiled from another source"):
        kernels.made_of("linkpipe.kernels.names", crc ^ 1)


def test_the_example_of_the_documentation_works() -> None:
    text = (ROOT / "docs" / "kernels.md").read_text()
    example = re.findall("^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)[0]
    scope: dict[str, Any] = {}
    exec(example, scope)
    marks, ids = memoryview(bytes([1, 0, 1])), np.array([0, 1, 2, 2], np.int32)
    assert scope["count"](marks, memoryview(ids)) == 3
    with pytest.raises(IndexError):
        scope["count"](marks, memoryview(np.array([3], np.int32)))


@pytest.mark.parametrize(
    ("compiler", "include", "missing"),
    [
        ("no-such-compiler", "", "a C compiler (no-such-compiler)"),
        ("sh", "/nowhere", "Python's headers (/nowhere/Python.h)"),
        ("no-such-compiler", "/nowhere", "(no-such-compiler) and Python's headers"),
    ],
)
def test_one_line_says_what_building_takes(compiler: str, include: str, missing: str) -> None:
    script = f"""
import runpy, sys, sysconfig
found = sysconfig.get_path
headers = {include!r} or found("include")
sysconfig.get_path = lambda name, *a, **k: headers if name == "include" else found(name, *a, **k)
sys.argv = ["setup.py", "-q", "build_ext"]
runpy.run_path("setup.py", run_name="__main__")
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=ROOT,
        env=os.environ | {"CC": compiler},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert line.startswith("error: linkpipe's kernels are compiled, and ")
    assert missing in line
    assert "apt install gcc libc6-dev python3-dev" in line


@pytest.mark.parametrize(("variable", "checked"), [("boundscheck", True), ("", False)])
def test_bounds_are_checked_where_they_are_asked_for(variable: str, checked: bool) -> None:
    """In a build of its own, which `make boundscheck` tests; otherwise it would test nothing."""
    script = """
import json, runpy, sys
sys.argv = ["setup.py", "-q", "--name"]
made = runpy.run_path("setup.py", run_name="__main__")
print(json.dumps(made["DIRECTIVES"]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=ROOT,
        env=os.environ | {"LINKPIPE_KERNELS_BUILD": variable},
        text=True,
        capture_output=True,
        check=True,
    )
    directives = json.loads(done.stdout.splitlines()[-1])
    assert directives["boundscheck"] == checked
    assert directives["wraparound"] is False, "an index below zero is none"
