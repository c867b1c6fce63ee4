"""The house keeps its own rules: what is declared in one place agrees with the others."""

from __future__ import annotations

import ast
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from linkpipe.pipeline import load_pipeline

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SOURCES = [p for d in ("linkpipe", "passes", "arches") for p in sorted((ROOT / d).rglob("*.py"))]


def modules(folder: str) -> set[str]:
    return {p.stem for p in (ROOT / folder).glob("*.py") if not p.stem.startswith("_")}


def entry_points(group: str) -> dict[str, str]:
    found: dict[str, str] = PROJECT["project"]["entry-points"][group]
    return found


def test_folder_entry_points_and_pipeline_agree() -> None:
    """A pass is a file, an entry point and a line of the default pipeline."""
    declared = entry_points("linkpipe.passes")
    assert set(declared) == modules("passes")
    assert {step.name for step in load_pipeline(str(ROOT / "pipeline.toml")).steps} == set(declared)
    for name, value in declared.items():
        assert value == f"linkpipe.passes.{name}:{name}"


def test_architectures_are_files_and_entry_points() -> None:
    """An architecture is a file and an entry point named like its GOARCH, which may begin with a
    digit, as a module may not."""
    declared = entry_points("linkpipe.arches")
    files = {f"linkpipe.arches.{name}:ARCH" for name in modules("arches")}
    assert sorted(declared.values()) == sorted(files)
    for name, value in declared.items():
        arch = import_module(value.partition(":")[0]).ARCH
        assert name == arch.goarch


def test_every_package_is_shipped() -> None:
    """The list of packages is written out, for passes/ and arches/ are mapped by hand."""
    shipped = set(PROJECT["tool"]["setuptools"]["packages"])
    folders = {p.parent.relative_to(ROOT) for p in (ROOT / "linkpipe").rglob("*.py")}
    expected = {".".join(folder.parts) for folder in folders}
    assert shipped == expected | {"linkpipe.passes", "linkpipe.arches"}


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nobody_imports_a_pass_or_an_architecture_by_name(path: Path) -> None:
    """import-linter holds this too, in `make lint`; here it holds in every test run."""
    wrong = [
        name for name in imported(path) if name.startswith(("linkpipe.passes", "linkpipe.arches"))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "path",
    [p for p in SOURCES if "arches" not in p.parts],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_no_architecture_is_named_outside_arches(path: Path) -> None:
    """What depends on the machine stands in the architecture's own file. Words in docstrings and
    comments are free."""
    names = {
        "386",
        "amd64",
        "arm",
        "arm64",
        "loong64",
        "mips",
        "ppc64",
        "ppc64le",
        "riscv64",
        "s390x",
    }
    tree = ast.parse(path.read_text())
    strings = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert sorted(names.intersection(strings)) == []
