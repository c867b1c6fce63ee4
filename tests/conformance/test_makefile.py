"""The Makefile's promises that need no build."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

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
    assert {"demo", "test", "lint", "conformance", "bench", "full", "clean"} <= listed
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets - listed == {"compiler"}, "a target without a line of help"


def test_without_a_compiler_one_line_says_what_to_install() -> None:
    done = make("demo", CC="no-such-compiler")
    assert done.returncode != 0
    first, *rest = done.stderr.splitlines()
    assert first.startswith("no C compiler (no-such-compiler): install one")
    assert all("compiler" in line and line.startswith("make") for line in rest)


def test_a_release_that_is_not_there_ends_it() -> None:
    """Not with the pinned toolchain in its place."""
    done = make("-o", ".venv/.dev", "conformance", "GO=1.99", "PROGRAMS=none")
    assert done.returncode != 0
    assert "there are: 1.24, 1.25, 1.26" in done.stderr
    assert "same?" not in done.stdout


def steps() -> list[str]:
    """What .ci/run does, in a full run too."""
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    words = (line.strip().partition("#")[0].split() for line in lines)
    return [" ".join(line[1:]) for line in words if line[:1] == ["step"]]


def test_ci_runs_what_the_readme_says() -> None:
    """With coverage, which is the same tests and a gate."""
    assert {"make lint", "make coverage"} <= set(steps())
    assert "make test " in (ROOT / "README.md").read_text()
    test, coverage = (make("-n", name).stdout.splitlines()[-1] for name in ("test", "coverage"))
    assert coverage.startswith(f"{test} --cov")


def test_a_full_run_leaves_nothing_out() -> None:
    """Whatever tests something is a step, or is a part of one."""
    listed = {line.split()[0] for line in make().stdout.splitlines()[1:]}
    other = set("help test format kernels bench full lock site dist man clean".split())
    assert {step.split()[1] for step in steps()} == listed - other


def test_documents_name_targets_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in documents():
        code = re.findall(r"`make ([^`]*)`|^make (.*)", document.read_text(), re.MULTILINE)
        for line in ("".join(found).partition("#")[0] for found in code):
            words = re.findall(r"^[a-z-]+(?: [a-z-]+(?= |$))*", line)
            named = words[0].split() if words else []
            assert set(named) <= targets, f"{document}: make {line}"


def documents() -> list[Path]:
    return [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md")]


def test_links_between_documents_lead_somewhere() -> None:
    for document in documents():
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
            assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_what_continuous_integration_installs_is_pinned() -> None:
    """All that pyproject.toml asks for, each as it asks for it, by hash, from no named host."""
    pinned = (ROOT / "requirements" / "dev.txt").read_text()
    pins = {
        requirement.name: requirement
        for requirement in map(Requirement, re.findall(r"^([a-z].*==.*) \\$", pinned, re.MULTILINE))
        if not requirement.marker or requirement.marker.evaluate()
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    asked = [project["build-system"]["requires"], project["project"]["dependencies"], *extras]
    for requirement in map(Requirement, (line for lines in asked for line in lines)):
        if requirement.name == "linkpipe":
            continue
        (pin,) = pins[requirement.name.lower()].specifier
        assert requirement.specifier.contains(pin.version), f"{requirement}: make lock"
    assert pinned.count("--hash=sha256:") >= len(pins)
    assert "://" not in pinned


def test_the_hooks_before_a_commit_are_those_of_lint() -> None:
    config = (ROOT / ".pre-commit-config.yaml").read_text()
    entries = re.findall(r"entry: (.*) --force-exclude", config)
    assert [f"{entry} ." for entry in entries] == make("-n", "lint").stdout.splitlines()[-4:-2]
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_ci_says_how_long_each_step_took(tmp_path: Path) -> None:
    """And goes no further than the first that fails."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci")
    (tmp_path / "Makefile").write_text("%:\n\t@test $@ != lowest\n")
    done = subprocess.run(
        ["bash", ".ci/run"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    *told, lowest, total = done.stdout.splitlines()
    for step in ("make coverage", "make conformance PROGRAMS=go compile"):
        assert any(re.fullmatch(rf" +\d+ s  {step}", line) for line in told), step
    assert lowest == "(failed)  make lowest PART=6"
    assert re.fullmatch(r" +\d+ s  in all, \d+-\d+-\d+", total)


@pytest.mark.parametrize(("words", "status"), [("", 1), ("full", 0)])
def test_ci_ends_within_its_time(tmp_path: Path, words: str, status: int) -> None:
    """What takes longer fails, though every step was well; a full run may take its time."""
    (tmp_path / ".ci").mkdir()
    text = (ROOT / ".ci" / "run").read_text()
    assert "\nBUDGET=5100\n" in text
    (tmp_path / ".ci" / "run").write_text(text.replace("BUDGET=5100", "BUDGET=-1"))
    (tmp_path / "Makefile").write_text("%:\n\t@true\n")
    done = subprocess.run(
        ["bash", ".ci/run", *words.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert ("move what is longest to make full" in done.stderr) == bool(status)
    always = ("lint", "coverage", "conformance", "lowest", "other-python", "demo")
    assert set(always) <= set(re.findall(r"^ +\d+ s  make (\S+)", done.stdout, re.MULTILINE))


def test_what_it_runs_is_the_projects_own() -> None:
    """Another distribution in the environment may bring a package of the same name, which comes
    before a folder that is none."""
    makefile = (ROOT / "Makefile").read_text()
    names = set(re.findall(r"\$\(PY\) -m (\w+)\.", makefile))
    assert {"examples", "tests", "tools"} <= names
    assert [name for name in names if not (ROOT / name / "__init__.py").exists()] == []
