"""A third party's plugin that changes the output, installed and used as its users would:
tests/plugin_sample."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import NoteSection

from tests.conformance.oracle import link as link_with
from tests.conformance.oracle import link_linkpipe, linkpipe, same
from tests.conformance.programs import inputs, table
from tests.conformance.toolchain import environment
from tests.samples import install

SAMPLE = Path(__file__).parent / "plugin_sample"
PIPELINE = SAMPLE / "pipeline.toml"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The plugin, installed by pip into a folder; what PYTHONPATH has to be to see it."""
    return install(SAMPLE, tmp_path_factory.mktemp("sample"))


def run(*args: str, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "linkpipe", *args],
        capture_output=True,
        text=True,
        env={**environment(), **env},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_its_passes_are_found_and_named_with_their_owner(installed: str) -> None:
    listed = run("passes", "--installed", PYTHONPATH=installed)
    assert re.search(r"^sample\.note +linkpipe-plugin-sample 1\.0 ", listed, re.MULTILINE)


def test_to_install_it_changes_nothing(installed: str) -> None:
    """Neither the plan nor what the go command knows the linker by."""
    assert run("passes", "--format", "json", PYTHONPATH=installed) == run(
        "passes", "--format", "json"
    )
    assert run("link", "-V=full", PYTHONPATH=installed) == run("link", "-V=full")


def test_a_pipeline_file_alone_switches_it_on(installed: str) -> None:
    env = {"PYTHONPATH": installed, "LINKPIPE_PIPELINE": str(PIPELINE)}
    plan = run("passes", "--format", "json", **env)
    assert '"sample.note"' in plan
    assert '"text": "built for the tests"' in plan
    assert run("link", "-V=full", **env) != run("link", "-V=full")


def test_a_file_that_a_pass_reads_is_a_part_of_the_identity(tmp_path: Path, installed: str) -> None:
    """Or the go command would take the old link out of its cache when the file has changed."""
    (tmp_path / "p.toml").write_text(
        f'extends = "{PIPELINE}"\n[[replace]]\nname = "sample.note"\n'
        "options = { file = 'note.txt' }\n"
    )
    env = {"PYTHONPATH": installed, "LINKPIPE_PIPELINE": str(tmp_path / "p.toml")}
    answers = [run("link", "-V=full", **env)]
    for text in ("one", "two"):
        (tmp_path / "note.txt").write_text(text)
        answers.append(run("link", "-V=full", **env))
    assert len(set(answers)) == 3
    assert run("link", "-V=full", **env) == answers[-1]


def link(folder: Path, installed: str) -> Path:
    """Link hello with the plugin's pipeline."""
    given = inputs(table()["hello"])
    given.env["PYTHONPATH"] = installed
    linked = link_with(linkpipe(), given, ["-w", f"-pipeline={PIPELINE}"], folder)
    assert linked.status == 0, linked.stderr
    return linked.output


def test_the_note_is_in_the_file_and_the_program_runs(tmp_path: Path, installed: str) -> None:
    output = link(tmp_path, installed)
    with output.open("rb") as file:
        section = ELFFile(file).get_section_by_name(".note.linkpipe.sample")
        assert isinstance(section, NoteSection)
        (note,) = section.iter_notes()
    assert note["n_name"] == "linkpipe-sample"
    assert note["n_descdata"] == b"built for the tests"
    plain = link_linkpipe(inputs(table()["hello"]), ["-w"], tmp_path / "plain").output
    assert not same(output, plain)
    assert subprocess.check_output([output]) == subprocess.check_output([plain])


def test_a_wrong_option_is_refused_before_anything_is_read(tmp_path: Path, installed: str) -> None:
    file = tmp_path / "p.toml"
    file.write_text(f'extends = "{PIPELINE}"\n[[replace]]\nname = "sample.note"\n'
                    "options = { txt = 'x' }\n")  # fmt: skip
    done = subprocess.run(
        [*linkpipe(), f"-pipeline={file}", str(tmp_path / "missing.a")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": installed},
        check=False,
    )
    assert done.returncode == 2
    assert f"{file}:4: unknown option `txt` for the pass sample.note" in done.stderr
    assert "did you mean text?" in done.stderr
