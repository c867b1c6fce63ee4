"""`linkpipe passes`, and the flags of a link that change its plan."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conformance import oracle
from tests.conformance.programs import inputs, table
from tests.conformance.toolchain import environment
from tests.linkpipe.cli.schemas import checked
from tests.samples import ROOT, install

SAMPLE = ROOT / "templates" / "pass"


def passes(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "linkpipe", "passes", *args],
        capture_output=True,
        text=True,
        env={**environment(), **env},
        check=False,
    )


def rows(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [line.split()[1] for line in done.stdout.splitlines()[1:]]


def test_the_plan_of_a_link_with_flags() -> None:
    """What they rule out is not in it; barriers are."""
    whole, plugin, plain = rows(passes()), rows(passes("--", "-buildmode=plugin")), rows(
        passes("--", "-s", "-w")
    )  # fmt: skip
    assert "ptab" in plugin
    assert "ptab" not in plain
    assert "debugline" not in plain
    assert {*plugin, *plain} < {*whole}
    done = passes("--", "-buildmode=plugn")
    assert done.returncode == 2
    assert "invalid buildmode" in done.stderr
    assert "-- symbols-final" in passes().stdout


def test_why_each_stands_where_it_does() -> None:
    (line,) = (line for line in passes("--explain").stdout.splitlines() if line.startswith("ptab "))
    assert "symbols-final" not in line
    assert "pipeline.toml:" in line
    told = checked(passes("--explain", "--format", "json", "--", "-buildmode=plugin").stdout)
    (ptab,) = (each for each in told["passes"] if each["name"] == "ptab")
    assert ptab["behind"] == "text-final"
    assert "symbols" in ptab["needs"]


def test_what_is_installed_and_takes_part() -> None:
    args = ("--installed", "--format", "json", "--", "-dump=x", "-s", "-w")
    told = checked(passes(*args, GOARCH="arm64").stdout)
    part = {(each["kind"], each["name"]): each["takes_part"] for each in told["items"]}
    assert part["passes", "load"]
    assert not part["passes", "ptab"]
    assert part["arches", "arm64"]
    assert not part["arches", "s390x"]
    assert part["observers", "dump"]
    assert not part["observers", "warn-x"]
    assert part["dumpers", "jsonl"]
    assert sum(takes_part for (kind, _), takes_part in part.items() if kind == "releases") == 1


def test_what_a_command_line_amounts_to(tmp_path: Path) -> None:
    flags = ("-skip-pass", "relro", "-pass", "relro@symbols-final")
    done = passes("--toml", "--", *flags)
    (tmp_path / "p.toml").write_text(done.stdout)
    again = passes("--pipeline", str(tmp_path / "p.toml"), "--", "-s")
    assert rows(again) == rows(passes("--", "-s", *flags))
    assert passes("--toml").stdout == 'extends = "default"\n'
    assert "[[remove]]" in passes("--toml", LINKPIPE_SKIP_PASS="stackcheck").stdout


def test_what_is_printed_is_a_plan_that_can_run(tmp_path: Path) -> None:
    """And TOML, whatever the file is called; what a file cannot say is said beside it."""
    done = passes("--toml", LINKPIPE_SKIP_PASS="relro")
    assert (done.returncode, done.stdout) == (2, "")
    assert "relro, which provides the fact `relro`, is taken out here" in done.stderr
    file = tmp_path / "\U0001f600.toml"
    file.write_text('extends = "default"\n')
    assert tomllib.loads(passes("--toml", "--pipeline", str(file)).stdout) == {"extends": str(file)}
    flags = ("-until", "reachability", "-disable-plugin", "linkpipe-sample")
    sample = install(SAMPLE, tmp_path)
    done = passes("--toml", "--", *flags, PYTHONPATH=sample)
    assert done.stdout == (
        '# -until "reachability"\n# -disable-plugin "linkpipe-sample"\nextends = "default"\n'
    )


@pytest.mark.parametrize("text", ["main.a", "-until"])
def test_what_is_no_flag_of_a_link(text: str) -> None:
    done = passes("--", text)
    assert done.returncode == 2
    assert "flags of a link only; one lacks its argument, or an input was named" in done.stderr


def test_one_answer_at_a_time() -> None:
    done = passes("--toml", "--dot")
    assert done.returncode == 2
    assert "--dot and --toml: ask for one of them" in done.stderr


def test_a_pass_that_comes_too_late_is_warned_of(tmp_path: Path) -> None:
    """By `linkpipe passes`, and in the log of a link."""
    late = {"LINKPIPE_SKIP_PASS": "strdata", "LINKPIPE_PASS": "strdata@output"}
    done = passes(**late)
    assert done.returncode == 0
    assert "warning: strdata stands behind symbols-final, where " in done.stderr
    assert not passes().stderr
    flags = ("-log", "-skip-pass", "strdata", "-pass", "strdata@output")
    assert "strdata stands behind symbols-final" in link(tmp_path, "", *flags).stderr
    without = passes(LINKPIPE_SKIP_PASS="strdata", LINKPIPE_PASS="strdata")
    assert "to `before symbols-final`; places there: " in without.stderr
    assert without.stderr.endswith(", labels\n")


def test_examples_can_be_run() -> None:
    """What the help and the guide leave out can be left out; the pass of the guide has no
    options."""
    guide = (ROOT / "docs" / "adding-a-pass.md").read_text()
    named = re.findall(r"-skip-pass (\w+)", guide + passes("--help").stdout)
    assert len(named) == 2
    for name in {*named}:
        assert passes("--", "-skip-pass", name).returncode == 0, name
    assert "-pass acme.count@reachability`" in guide


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> str:
    return install(SAMPLE, tmp_path_factory.mktemp("sample"))


def link(folder: Path, installed: str, *flags: str) -> oracle.Linked:
    given = inputs(table()["hello"])
    given.env["PYTHONPATH"] = installed
    return oracle.link(oracle.linkpipe(), given, ["-w", *flags], folder)


def test_a_link_with_a_pass_from_the_command_line(tmp_path: Path, installed: str) -> None:
    """Nothing else differs from a link without it."""
    flags = ("-check", "-pass", "sample@reach-final:least=100", f"-dump={tmp_path}/dump")
    done = link(tmp_path / "with", installed, *flags)
    assert done.status == 0, done.stderr
    assert list((tmp_path / "dump").glob("*/*.sample.functions.jsonl"))
    plain = link(tmp_path / "without", installed)
    assert done.output.read_bytes() == plain.output.read_bytes()


def test_a_link_that_ends_early_says_so(tmp_path: Path) -> None:
    done = link(tmp_path, "", "-until", "reachability")
    assert (done.status, done.output.exists()) == (0, False)
    assert "ended behind reachability, before a file is written" in done.stderr
    done = link(tmp_path, "", "-until", "reachabilty")
    assert done.status == 2
    assert "did you mean reachability or reach-final?" in done.stderr
    done = link(tmp_path / "whole", "", "-until", "output")
    assert (done.status, done.stderr) == (0, "")
    assert done.output.exists()


def test_a_disabled_plugin_is_as_if_it_were_not_installed(tmp_path: Path, installed: str) -> None:
    flags = ("-pass", "sample@reach-final")
    done = link(tmp_path, installed, "-disable-plugin", "linkpipe-sample", *flags)
    assert done.status == 2
    assert 'unknown pass "sample"' in done.stderr
    names = passes("--installed", PYTHONPATH=installed).stdout
    assert re.search(r"^sample +linkpipe-sample 0\.1 +passes +no ", names, re.MULTILINE)
    (tmp_path / "flags").write_text("-disable-plugin=linkpipe-sample\n")
    again = passes("--installed", "--", f"@{tmp_path}/flags", PYTHONPATH=installed)
    assert again.returncode == 0, again.stderr
    assert "linkpipe-sample" not in again.stdout
    env = {"PYTHONPATH": installed, "LINKPIPE_DISABLE_PLUGIN": "linkpipe_sample"}
    assert "linkpipe-sample" not in passes("--installed", **env).stdout


def test_the_identity_follows_the_variables(installed: str) -> None:
    def version(**env: str) -> str:
        done = subprocess.run(
            [*oracle.linkpipe(), "-V=full"],
            env=environment(PYTHONPATH=installed, **env),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    put_in = {"LINKPIPE_PASS": "sample@reach-final"}
    answers = {version(), version(**put_in), version(LINKPIPE_PASS="sample@reach-final:least=2")}
    assert len(answers) == 3
    untils = {version(), version(LINKPIPE_UNTIL="load"), version(LINKPIPE_UNTIL="output")}
    assert len(untils) == 3
    assert version(LINKPIPE_DISABLE_PLUGIN="linkpipe-sample") == version()
