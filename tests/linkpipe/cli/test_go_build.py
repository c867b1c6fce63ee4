"""Links that the go command starts: when it links anew, and what it repeats."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from linkpipe.compare import dumps
from tests.conformance.programs import PROGRAMS
from tests.conformance.toolchain import environment, goroot

COUNTING = """#!/bin/sh
case "$1 $*" in */link\\ *-V=full*) ;; */link\\ *) echo link >> {log} ;; esac
exec {stub} "$@"
"""


class Builder:
    """A program in a folder, built by `go build`; links are counted by a stub before the stub."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "links"
        self.toolexec = folder / "toolexec"
        stub = Path(sys.executable).with_name("linkpipe-toolexec")
        self.toolexec.write_text(COUNTING.format(log=self.log, stub=stub))
        self.toolexec.chmod(0o755)

    def __call__(self, *packages: str, status: int = 0, **variables: str) -> tuple[int, str]:
        """How many links there were, and what was printed."""
        self.log.write_text("")
        done = subprocess.run(
            [goroot() / "bin" / "go", "build", "-buildvcs=false", f"-toolexec={self.toolexec}",
             "-o", self.folder / "out", *(packages or ("./tiny",))],
            cwd=PROGRAMS,
            env=environment(CGO_ENABLED="0", **variables),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stdout
        return len(self.log.read_text().split()), done.stdout


@pytest.fixture
def build(tmp_path: Path) -> Builder:
    return Builder(tmp_path)


def test_figures_are_those_of_a_link_that_was(build: Builder) -> None:
    """The go command keeps what a link prints, and repeats it where it does not link."""
    assert build() == (1, "")
    assert build() == (0, ""), "nothing is watched: what is up to date stays as it is"
    printed = []
    for _ in range(2):
        links, text = build(LINKPIPE_TIME="1")
        assert links == 1
        assert "pass" in text
        printed.append(text)
    assert printed[0] != printed[1], "repeated, not measured"
    assert build() == (1, ""), "unasked"


def test_what_is_up_to_date_is_linked_again_for_a_dump(build: Builder, tmp_path: Path) -> None:
    wanted = f"dump:dir={tmp_path / 'dump'},facts=symbols,match=^main"
    for _ in range(2):
        assert build(LINKPIPE_OBSERVE=wanted) == (1, "")
        assert list((tmp_path / "dump").rglob("*.symbols.jsonl"))
        shutil.rmtree(tmp_path / "dump")


def test_links_of_one_build_have_a_folder_each_and_tell_things_in_words(
    build: Builder, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    wanted = f"dump:dir={tmp_path / 'dump'},facts=symbols+relocs,after=reachability,match=^main"
    assert build("./tiny", "./hello", LINKPIPE_OBSERVE=wanted) == (2, "")
    found = dumps.links(str(tmp_path / "dump"))
    assert [name.rpartition("-")[0] for name in found] == ["hello", "tiny"]
    for folder in found.values():
        assert len(list(Path(folder).iterdir())) == 4  # with the plan and the manifest
        symbols, relocs = (
            dumps.read(file) for _, file in sorted(dumps.last_tables(folder).items())[::-1]
        )
        (main,) = (row for row in symbols.rows if row["name"] == "main.main")
        assert (main["kind"], "REACHABLE" in main["flags"]) == ("STEXT", True)
        calls = [row for row in relocs.rows if row["name"] == "main.main"]
        assert "R_CALL" in {row["type"] for row in calls}
        assert all(isinstance(row["target"], str) for row in calls)
        assert symbols.header["package"].endswith(Path(folder).name.rpartition("-")[0])


def test_an_observer_that_prints_nothing_leaves_alone_what_is_up_to_date(
    build: Builder, tmp_path: Path
) -> None:
    """A file of figures has a line for each link that there was."""
    file = tmp_path / "figures"
    for links in (1, 0):
        assert build(LINKPIPE_TIMING=str(file)) == (links, "")
    (line,) = file.read_text().splitlines()
    assert json.loads(line)["passes"]


def test_settings_are_refused_before_anything_is_built(build: Builder) -> None:
    links, text = build(status=1, LINKPIPE_OBSERVE="timing:fil=x")
    assert links == 0
    assert "unknown option `fil` for the observer timing" in text
    assert "did you mean file? it has: file" in text


@pytest.mark.parametrize(
    ("flag", "variable"),
    [("-time", "LINKPIPE_TIME"), ("-pipeline=p.toml", "LINKPIPE_PIPELINE")],
)
def test_flags_that_do_not_enter_the_identity_are_refused(
    build: Builder, flag: str, variable: str
) -> None:
    """The go command would repeat the figures of an old link, and take a link of the pipeline as
    it was before for one of the pipeline as it is."""
    _, text = build(f"-ldflags={flag}", "./tiny", status=1)
    name = flag.partition("=")[0]
    assert f"linkpipe: flag {name} among the -ldflags of the go command" in text
    assert f"\tset {variable} in the environment instead" in text
