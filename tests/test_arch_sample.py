"""A third party's architecture, installed and used as its users would: templates/arch. And
docs/adding-an-architecture.md, which is about it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from linkpipe.arch import Architecture
from tests.conformance import oracle
from tests.conformance.oracle import MODES
from tests.conformance.programs import inputs, table
from tests.conformance.targets import Target
from tests.conformance.toolchain import ROOT, environment, goroot
from tests.conformance.tools import need
from tests.samples import install

SAMPLE = ROOT / "templates" / "arch"
PAGE = (ROOT / "docs" / "adding-an-architecture.md").read_text()
TARGET = Target("loong64", "loongarch64-linux-gnu", (), "qemu-loongarch64")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The package, installed by pip into a folder; what PYTHONPATH has to be to see it."""
    return install(SAMPLE, tmp_path_factory.mktemp("sample"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", ["hello", "features"])
def test_the_same_bytes(name: str, mode: str, installed: str, tmp_path: Path) -> None:
    """An architecture of a third party has no less than the built-in ones."""
    program = table()[name].on(TARGET)
    given, variables = inputs(program), {"PYTHONPATH": installed}
    theirs = oracle.link_oracle(given, MODES[mode], tmp_path / "theirs")
    ours = oracle.link_linkpipe(given, MODES[mode], tmp_path / "ours", variables=variables)
    assert oracle.differences(ours, theirs) == []
    need(program.missing_runner())
    status, printed = oracle.run(ours.output, runner=program.runner)
    assert status == 0, printed


def test_without_it_the_architecture_is_unknown(tmp_path: Path) -> None:
    given = inputs(table()["hello"].on(TARGET))
    ours = oracle.link_linkpipe(given, ["-w"], tmp_path)
    assert ours.status == 2
    assert 'unknown architecture "loong64"' in ours.stderr


def test_cached_links_are_known_by_it(installed: str) -> None:
    """What was linked for it, and only that, is linked again when it changes."""

    def version(goarch: str, path: str) -> str:
        done = subprocess.run(
            [*oracle.linkpipe(), "-V=full"],
            env=environment(GOARCH=goarch, PYTHONPATH=path),
            text=True,
            capture_output=True,
            check=True,
        )
        return done.stdout

    assert version("amd64", installed) == version("amd64", "")
    assert version("loong64", installed) != version("loong64", "")


def test_other_build_modes_are_refused_in_the_oracles_words(installed: str, tmp_path: Path) -> None:
    given, variables = inputs(table()["hello"].on(TARGET)), {"PYTHONPATH": installed}
    ours = oracle.link_linkpipe(given, ["-buildmode=plugin"], tmp_path, variables=variables)
    assert ours.status == 2
    assert "buildmode plugin not supported on linux/loong64" in ours.stderr


def blocks(language: str) -> list[str]:
    """The code blocks of the page."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found


@pytest.mark.parametrize("block", blocks("python") + blocks("toml"))
def test_the_pages_code_is_the_samples(block: str) -> None:
    """But for the variant of another one, which is linked in tests/linkpipe/test_variant.py."""
    if "acme.wide" in block:
        return
    files = [*SAMPLE.rglob("*.py"), SAMPLE / "pyproject.toml"]
    assert any(block in file.read_text() for file in files), block


def test_the_pages_commands_do_what_it_says(installed: str, tmp_path: Path) -> None:
    (script,) = blocks("sh")
    *commands, run = script.replace("/tmp", str(tmp_path)).splitlines()
    path = os.pathsep.join([str(Path(sys.executable).parent), str(goroot() / "bin")])
    env = environment() | {"PYTHONPATH": installed, "PATH": f"{path}{os.pathsep}{os.defpath}"}

    def shell(*lines: str) -> str:
        done = subprocess.run(
            ["bash", "-ec", "\n".join(lines)],
            cwd=ROOT,
            env=env,
            text=True,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert shell(*commands) == ""
    need(TARGET.missing_runner(cgo=False))
    assert shell(run) == "hello, linker\n"


def test_the_pages_tables_name_every_field() -> None:
    """What has to be given in the first one, capabilities in the second."""
    first, second = PAGE.split("**6.")
    fields = attrs.fields(Architecture)
    for text, mandatory in ((first, True), (second, False)):
        cells = re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE)
        named = [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]
        want = [f.name for f in fields if (f.default is attrs.NOTHING) == mandatory]
        assert sorted(named) == sorted(want)


def test_the_pages_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert links
    for link in links:
        assert (ROOT / "docs" / link).exists(), link
