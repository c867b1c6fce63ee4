"""The shelf as a whole: every package is complete, and installed it changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest

from linkpipe.engine.pipeline import load_pipeline
from linkpipe.engine.plan import make_plan
from linkpipe.engine.plugins import Catalog
from tests.conformance.oracle import link_linkpipe, link_oracle, linkpipe, same
from tests.conformance.programs import inputs, table

ROOT = Path(__file__).parents[1]
FOLDERS = sorted(path.parent for path in (ROOT / "shelf").glob("*/pyproject.toml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def project(folder: Path) -> dict[str, object]:
    told: dict[str, object] = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    return told


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda f: f.name)
def test_a_package_is_complete(folder: Path) -> None:
    """A README that is listed, a pipeline whose plan holds, tests that are run and typed."""
    told = project(folder)
    assert told["name"] == f"linkpipe-{folder.name}"
    readme = (folder / "README.md").read_text()
    assert readme.startswith(f"# {folder.name}: ")
    assert f"\npip install ./shelf/{folder.name}\n" in readme
    assert f"[{folder.name}]({folder.name})" in (ROOT / "shelf/README.md").read_text()
    shelf = (ROOT / "README.md").read_text().partition("[The shelf]")[2].partition("\n")[0]
    assert f"`{folder.name}`" in shelf
    mypy = PROJECT["tool"]["mypy"]
    assert f"linkpipe_{folder.name}" in mypy["packages"]
    assert {path.stem for path in (folder / "tests").glob("*.py")} <= set(mypy["modules"])
    pipeline = load_pipeline(str(folder / "pipeline.toml"))
    catalog = Catalog()
    make_plan(pipeline, catalog)
    mine = {
        name
        for name, (offer, *_) in catalog.offers("passes").items()
        if offer.owner == f"{told['name']} {told['version']}"
    }
    assert mine
    assert mine <= {step.name for step in pipeline.steps}


def test_all_are_installed() -> None:
    """By `make`, into the environment of the tests, so that all tests hold with them."""
    installed = {dist.name for dist in distributions()}
    assert {str(project(folder)["name"]) for folder in FOLDERS} <= installed


def test_installed_they_change_nothing(tmp_path: Path) -> None:
    """The oracle's bytes, and a link that imports nothing of theirs."""
    given = inputs(table()["hello"])
    theirs = link_oracle(given, ["-w"], tmp_path / "theirs")
    ours = link_linkpipe(given, ["-w"], tmp_path / "ours")
    assert same(theirs.output, ours.output)
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *linkpipe()[1:], "-o", tmp_path / "out",
         *given.flags, given.main],
        env={**os.environ, **given.environment(), "LINKPIPE_ONE_PROCESS": "1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "linkpipe.engine.runner" in imported
    assert [name for name in imported if name.startswith("linkpipe_")] == []
