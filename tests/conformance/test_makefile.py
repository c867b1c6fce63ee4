"""The Makefile's promises that need no build."""

from __future__ import annotations

import os
import re
import subprocess

from tests.conformance.toolchain import ROOT


def make(*args: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    return subprocess.run(
        ["make", "--no-print-directory", *args],
        cwd=ROOT,
        env=env | variables,
        text=True,
        capture_output=True,
        check=False,
    )


def test_make_alone_lists_the_targets() -> None:
    done = make()
    assert done.returncode == 0
    listed = {line.split()[0] for line in done.stdout.splitlines()[1:]}
    expected = "demo test lint conformance gosuites testplugin dwarfcheck bench cross-tools clean"
    assert set(expected.split()) <= listed
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets - listed == {"compiler"}, "a target without a line of help"


def test_without_a_compiler_one_line_says_what_to_install() -> None:
    done = make("demo", CC="no-such-compiler")
    assert done.returncode != 0
    first, *rest = done.stderr.splitlines()
    assert first.startswith("no C compiler (no-such-compiler): install one")
    assert all("compiler" in line and line.startswith("make") for line in rest)


def test_ci_runs_what_the_readme_says() -> None:
    steps = (ROOT / ".ci" / "run").read_text().splitlines()
    assert "make lint" in steps
    assert any(step.startswith("make test ") for step in steps)
    assert "make test " in (ROOT / "README.md").read_text()
