"""What `linkpipe new-pass` writes works at once: each kind of project is made, installed by pip,
tested by its own tests and used in a link."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from attrs import frozen

from linkpipe.errors import UserError
from linkpipe.templates import HOME, KINDS, copy
from tests.conformance.oracle import link, linkpipe
from tests.conformance.programs import inputs, table
from tests.conformance.toolchain import environment, goroot
from tests.samples import install

NAME = "acme.try-it"


@frozen
class Made:
    """A project, and what PYTHONPATH has to be to see it installed."""

    folder: Path
    site: str


def run(*command: str | Path, cwd: Path, **env: str) -> str:
    path = os.pathsep.join([str(goroot() / "bin"), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-P", "-m", *command],
        cwd=cwd,
        env={**environment(), "PATH": path, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=KINDS)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp(request.param)
    kind = [] if request.param == "pass" else [f"--{request.param}"]
    run("linkpipe", "new-pass", *kind, NAME, cwd=folder)
    project = folder / "linkpipe-acme-try-it"
    return Made(project, install(project, folder))


def test_its_own_tests_pass(made: Made) -> None:
    printed = run("pytest", "-q", "-p", "no:cacheprovider", cwd=made.folder, PYTHONPATH=made.site)
    assert re.search(r"^[1-9]\d* passed", printed, re.MULTILINE), printed


def test_it_says_nothing_of_the_template(made: Made) -> None:
    """Its name is in every place, and all files are there."""
    for file in made.folder.rglob("*"):
        if file.suffix == ".pyc":
            continue  # its tests may have run already
        assert "sample" not in file.name
        assert not file.is_file() or not re.search("sample", file.read_text()), file
    project = tomllib.loads((made.folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == "linkpipe-acme-try-it"
    assert (made.folder / "README.md").exists()


def test_a_link_with_it(made: Made, tmp_path: Path) -> None:
    """Named by a pipeline or a flag, as its README says; its tests link for an architecture."""
    project = tomllib.loads((made.folder / "pyproject.toml").read_text())["project"]
    entries = next(iter(project["entry-points"].items()))
    flags = {
        "linkpipe.passes": (f"-pipeline={made.folder}/linkpipe_acme_try_it/pipeline.toml",),
        "linkpipe.observers": ("-observe", f"{NAME}:file={tmp_path}/seen.json"),
        "linkpipe.dumpers": ("-observe", f"dump:dir={tmp_path}/dump,format={NAME},facts=sections"),
    }.get(entries[0], ())
    given = inputs(table()["hello"])
    given.env["PYTHONPATH"] = made.site
    dump = () if entries[0] != "linkpipe.passes" else (f"-dump={tmp_path}/dump",)
    linked = link(linkpipe(), given, ["-w", *flags, *dump], tmp_path)
    assert linked.status == 0, linked.stderr
    assert subprocess.check_output([linked.output]) == b"hello, linker\n"
    if entries[0] == "linkpipe.passes":
        assert list((tmp_path / "dump").glob(f"*/*.{NAME}.functions.jsonl"))
    elif entries[0] == "linkpipe.observers":
        assert '".text"' in (tmp_path / "seen.json").read_text()
    elif entries[0] == "linkpipe.dumpers":
        (first, *_) = sorted((tmp_path / "dump").glob(f"*/*.sections.{NAME}"))
        assert "name" in first.read_text().split("\n")[0].split(",")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["Acme"], '"Acme" is no name of a plugin'),
        (["../up"], '"../up" is no name of a plugin'),
        (["acme", "-o", "."], ". is there already"),
        (["acme", "-o", "none/../.."], "none/../.. is there already"),
        (["relro"], 'the name "relro" is taken: linkpipe'),
        (["--observer", "check"], 'the name "check" is taken: linkpipe'),
        (["--dump-format", "jsonl"], 'the name "jsonl" is taken: linkpipe'),
        (["default"], 'the name "default" is taken'),
        (["acme.toml"], 'the name "acme.toml" is taken'),
    ],
)
def test_what_is_refused(args: list[str], said: str, tmp_path: Path) -> None:
    """And nothing is left behind."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "linkpipe", "new-pass", *args],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, list(tmp_path.iterdir())) == (2, [])
    assert said in done.stderr


def test_a_link_that_leads_nowhere_is_there(tmp_path: Path) -> None:
    (tmp_path / "p").symlink_to("none")
    with pytest.raises(UserError, match="is there already"):
        copy("pass", NAME, tmp_path / "p")
    assert [each.name for each in tmp_path.iterdir()] == ["p"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_readme_builds_the_readers_program(kind: str) -> None:
    """Not the plugin's folder: the command goes to the program first, and names no file as seen
    from elsewhere."""
    text = (HOME / kind / "README.md").read_text()
    (line,) = (line for line in text.splitlines() if line.endswith("linkpipe build ."))
    assert line.startswith("cd YOUR_PROGRAM && ")
    assert "PWD" not in line
    pipeline = re.search("LINKPIPE_PIPELINE=(.)", line)
    assert pipeline is None or pipeline[1] == "/"


def test_templates_are_of_one_name() -> None:
    """The word "sample" is nothing but the name, so that all of it can be replaced."""
    for file in HOME.glob("*/**/*"):
        if file.is_file() and "__pycache__" not in file.parts:
            found = set(re.findall(r"\S*sample\S*", file.read_text(), re.IGNORECASE))
            assert all(re.search(r"linkpipe[-_]sample|\bsample\b", word) for word in found), found


def test_two_strangers_in_one_pipeline(tmp_path: Path) -> None:
    """Passes of two distributions that know nothing of one another, by the pipelines that they
    bring: both are in the link, in the order in which the pipeline names them."""
    sites = []
    for name in ("acme.one", "other.two"):
        folder = tmp_path / name
        folder.mkdir()
        run("linkpipe", "new-pass", name, "-o", "project", cwd=folder)
        sites.append(install(folder / "project", folder))
    pipeline = tmp_path / "p.toml"
    pipeline.write_text('extends = ["default", "acme.one", "other.two"]\n')
    given = inputs(table()["hello"])
    given.env["PYTHONPATH"] = os.pathsep.join(sites)
    flags = ["-w", "-check", f"-pipeline={pipeline}", f"-dump={tmp_path}/dump"]
    linked = link(linkpipe(), given, flags, tmp_path)
    assert linked.status == 0, linked.stderr
    assert subprocess.check_output([linked.output]) == b"hello, linker\n"
    order = run("linkpipe", "passes", "--pipeline", pipeline, cwd=tmp_path, **given.env)
    assert [name for name in re.split(r"\s+", order) if name in ("acme.one", "other.two")] == [
        "acme.one",
        "other.two",
    ]
    one, two = (list((tmp_path / "dump").glob(f"*/*.{n}.functions.jsonl")) for n in
                ("acme.one", "other.two"))  # fmt: skip
    assert len(one) == len(two) == 1
    first, second = (file[0].read_text().partition("\n")[2] for file in (one, two))
    assert first == second
