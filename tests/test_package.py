"""What users install: the source distribution and the wheel, built, installed and used."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import venv
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.conformance import oracle
from tests.conformance.programs import inputs, table
from tests.samples import ROOT, checkout


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def needed(dist: Distribution, found: dict[str, Distribution]) -> dict[str, Distribution]:
    """What a distribution declares that it needs, and what that needs, from this environment."""
    for line in dist.requires or ():
        requirement = Requirement(line)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        if requirement.name not in found:
            found[requirement.name] = distribution(requirement.name)
            needed(found[requirement.name], found)
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with both distributions; the wheel is built from the source distribution."""
    folder = tmp_path_factory.mktemp("package")
    source = checkout(folder / "source")
    build = (sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist")
    run(*build, source, cwd=folder)
    return folder / "dist"


@pytest.fixture(scope="module")
def python(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel, what it declares that it needs, and no more."""
    folder = tmp_path_factory.mktemp("clean")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    (wheel,) = built.glob("*.whl")
    run(sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python, "install",
        "--quiet", "--no-deps", "--no-index", wheel, cwd=folder)  # fmt: skip
    (site,) = folder.glob("lib/*/site-packages")
    (installed,) = Distribution.discover(name="linkpipe", path=[str(site)])
    for dist in needed(installed, {}).values():
        for file in dist.files or ():
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (site / top).exists():
                (site / top).symlink_to(str(dist.locate_file(top)))
    return python


def test_the_source_distribution_is_whole(built: Path) -> None:
    """All that a commit holds is in it: documents, tests and examples too."""
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        shipped = {name.partition("/")[2] for name in tar.getnames()}
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    assert {name for name in listed.splitlines() if (ROOT / name).exists()} - shipped == set()


def test_the_wheel_links(python: Path, tmp_path: Path) -> None:
    """Where nothing is installed but the wheel and what it declares, a link gives the oracle's
    bytes, with every built-in pass found."""
    given = inputs(table()["hello"])
    theirs = oracle.link_oracle(given, ["-w"], tmp_path / "theirs")
    command = [str(python), "-I", "-m", "linkpipe", "link"]
    ours = oracle.link(command, given, ["-w"], tmp_path / "ours")
    assert oracle.differences(ours, theirs) == []
    assert (ours.stdout, ours.stderr) == ("", "")


def test_the_wheels_commands(python: Path, tmp_path: Path) -> None:
    """The scripts are there, and the toolexec stub finds its Python beside it."""
    scripts = python.parent
    assert run(scripts / "linkpipe", "--version", cwd=tmp_path).startswith("linkpipe ")
    assert "reachability" in run(scripts / "linkpipe", "passes", cwd=tmp_path)
    link = str(oracle.stock()[0])
    told = run(scripts / "linkpipe-toolexec", link, "-V=full", cwd=tmp_path)
    assert "linkpipe" in told


def test_manual_pages(python: Path, tmp_path: Path) -> None:
    """They are where man looks beside bin/, and say what the commands' help says now."""
    run(sys.executable, "-m", "tools.man", tmp_path, cwd=ROOT)
    written = {file.name: file.read_text() for file in tmp_path.iterdir()}
    kept = {file.name: file.read_text() for file in (ROOT / "docs" / "man").iterdir()}
    assert kept == written, "`make man` writes them"
    installed = python.parent.parent / "share" / "man" / "man1"
    assert {file.name: file.read_text() for file in installed.iterdir()} == kept


def test_the_page_of_a_report_is_whole(python: Path) -> None:
    """What the page is made of is installed, with the library that draws and its licences."""
    (site,) = python.parent.parent.glob("lib/*/site-packages")
    listed = run("git", "ls-files", "--cached", "--others", "--", "linkpipe/cli/page", cwd=ROOT)
    assert "linkpipe/cli/page/echarts/echarts.min.js" in listed
    assert [name for name in listed.splitlines() if not (site / name).exists()] == []


def test_the_metadata(python: Path) -> None:
    """What the index will show."""
    (site,) = python.parent.parent.glob("lib/*/site-packages")
    (installed,) = Distribution.discover(name="linkpipe", path=[str(site)])
    metadata = installed.metadata
    assert metadata["License-Expression"] == "BSD-3-Clause AND Apache-2.0"
    licences = [file for file in map(str, installed.files or ()) if ".dist-info/licenses/" in file]
    kept = [file.partition("/licenses/")[2] for file in licences]
    charts = "linkpipe/cli/page/echarts"
    own = [f"{charts}/{name}" for name in ("LICENSE", "LICENSE-d3", "NOTICE")]
    assert sorted(kept) == ["LICENSE", *own]
    assert metadata["Author"] == "the linkpipe authors"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert (installed.read_text("METADATA") or "").count("# linkpipe") >= 1
    assert "Topic :: Software Development :: Compilers" in metadata.get_all("Classifier", [])
