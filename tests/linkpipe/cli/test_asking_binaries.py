"""Commands that ask about binaries, as processes: forms of the answer, statuses."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.linkpipe.ask.pairs import Builder
from tests.linkpipe.cli.schemas import checked
from tests.linkpipe.cli.test_asking import BINARIES, ask, run


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a host, a plugin that fits it, and one that does not."""
    builder = Builder.here(tmp_path_factory.mktemp("plugins"))
    builder.host("host")
    builder.plugin("greet.so")
    builder.plugin("tagged.so", "-tags=extra")
    return builder.folder


@pytest.mark.parametrize("command", BINARIES)
def test_help_has_examples(command: str) -> None:
    done = ask(command, "--help")
    assert done.returncode == 0
    assert f"Examples:\n    linkpipe {command} " in done.stdout
    assert "exit status is 0" in " ".join(done.stdout.split())


def test_plugin_check_in_text(built: Path, tmp_path: Path) -> None:
    host, greet, tagged = (f"{built}/{name}" for name in ("host", "greet.so", "tagged.so"))
    done = ask("plugin-check", host, greet)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{greet}: fits\n", "")
    done = ask("plugin-check", host, tagged, "--output", str(tmp_path / "answer"))
    assert (done.returncode, done.stdout) == (1, "")
    assert "-tags: not set in the host, extra" in (tmp_path / "answer").read_text()


def test_plugin_check_is_quick(built: Path) -> None:
    """Two seconds at most; it takes a quarter of one where nothing else runs."""
    before = os.times()
    ask("plugin-check", f"{built}/host", f"{built}/greet.so")
    after = os.times()
    assert after.children_user - before.children_user < 2


def test_plugin_check_for_programs(built: Path) -> None:
    host, greet, tagged = (f"{built}/{name}" for name in ("host", "greet.so", "tagged.so"))
    done = ask("plugin-check", host, greet, tagged, host, "--format", "json")
    assert done.returncode == 1
    told = checked(done.stdout)
    assert not told["fits"]
    assert [each["file"] for each in told["plugins"]] == [greet, tagged, host]
    log = json.loads(ask("plugin-check", host, tagged, "--format", "sarif").stdout)
    (run,) = log["runs"]
    (result,) = run["results"]
    assert result["ruleId"] in {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert "looking.test/plugins/words" in result["message"]["text"]
    (place,) = result["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == tagged


def test_verify_as_a_command(tmp_path: Path) -> None:
    """Statuses, both forms of the answer, and flags for the go command."""
    builder = Builder.here(tmp_path)
    env = {"CGO_ENABLED": "0"}
    builder.go("build", "-buildvcs=false", "-o", "prog", "./stamped", **env)
    done = run(["linkpipe", "verify", "prog"], tmp_path, {})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("prog is what looking.test/stamped gives with go1.")
    command = ["linkpipe", "verify", "prog", "./stamped", "--format", "json"]
    done = run([*command, "--", "-tags=any", "-gcflags=-N"], tmp_path, {})
    assert done.returncode == 1
    told = checked(done.stdout)
    assert (told["same"], told["difference"]["package"]) == (False, "main")
    done = run(["linkpipe", "verify", "prog", "./nosuch"], tmp_path, {})
    assert done.returncode == 3
    assert "nosuch" in done.stderr
    for file in ("/bin/sh", "/etc/passwd", "/nonexistent"):
        done = run(["linkpipe", "verify", file], tmp_path, {})
        assert (done.returncode, done.stdout) == (2, "")
        assert file in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("/nonexistent", "/bin/sh"), "open /nonexistent: no such file"),
        (("/bin/sh", "/etc/passwd"), "/etc/passwd: not an ELF file"),
        (("/bin/sh",), "Missing argument"),
    ],
)
def test_plugin_check_of_what_cannot_be_read(args: tuple[str, ...], message: str) -> None:
    done = ask("plugin-check", *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
