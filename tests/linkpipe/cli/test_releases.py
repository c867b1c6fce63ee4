"""Two releases of Go side by side: each compiles the program with its own toolchain."""

from __future__ import annotations

from pathlib import Path

import pytest

from linkpipe.errors import UserError
from linkpipe.packages.gobuild import named_go
from tests.conformance.releases import install
from tests.conformance.toolchain import goroot
from tests.linkpipe.ask.links import PROGRAMS
from tests.linkpipe.cli.schemas import checked
from tests.linkpipe.cli.test_asking import ask, run

METHODS = PROGRAMS / "methods"


def test_iterators_over_methods_are_a_cause_since_they_are_there() -> None:
    older = str(install("1.25"))
    command = ["linkpipe", "why-no-dce", "--go", f"{older},{goroot()}", "."]
    done = run([*command[:-1], "--format", "json", "."], METHODS, {"GOFLAGS": "-buildvcs=false"})
    assert done.returncode == 0, done.stderr
    told = checked(done.stdout)
    assert [each["go"][:6] for each in told["releases"]] == ["go1.25", "go1.27"]
    assert told["releases"][0]["answer"]["causes"] == []
    assert told["releases"][1]["answer"]["together"]["methods"] > 0
    (cause,) = told["causes"]
    assert cause["releases"] == [told["releases"][1]["go"]]
    text = run([*command[:-1], "--fail", "."], METHODS, {"GOFLAGS": "-buildvcs=false"})
    assert text.returncode == 1
    lines = [line.split() for line in text.stdout.splitlines()]
    assert lines[0] == ["cause", *(each["go"] for each in told["releases"])]
    assert lines[1][-2:] == ["-", "yes"]
    assert lines[-1][:3] == ["(bytes", "kept)", "0"]


def test_the_standard_library_is_one_module_whatever_assembles_it() -> None:
    """Objects of 1.26's assembler do not say that they are of the standard library."""
    command = ["linkpipe", "size", "./quiet", "--by", "module", "--format", "json"]
    root = install("1.26")
    done = run(command, PROGRAMS, {"LINKPIPE_GO": f"{root}/bin/go", "GOROOT": str(root)})
    assert done.returncode == 0, done.stderr
    modules = [row["name"] for row in checked(done.stdout)["rows"]]
    assert {"std", "looking.test"} <= set(modules)
    assert "(no module)" not in modules


def fake(folder: Path, name: str, version: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\necho {version}\n")
    (folder / name).chmod(0o755)


def test_a_release_is_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest of that release, and not one that only begins like it."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for name in ("go1.25.5", "go1.25.10", "go1.250.1", "go1.2.9", "go1.25.99x"):
        fake(tmp_path, name, name)
    fake(tmp_path, "go", "go1.26.6")
    assert named_go("1.25") == named_go("go1.25") == str(tmp_path / "go1.25.10")
    assert named_go("1.25.5") == str(tmp_path / "go1.25.5")
    assert named_go("1.26") == named_go("go1.26.6") == str(tmp_path / "go")
    with pytest.raises(UserError, match="there is no Go 1.24 on PATH"):
        named_go("1.24")


def test_a_folder_is_a_toolchain(tmp_path: Path) -> None:
    assert named_go(str(goroot())) == str(goroot() / "bin" / "go")
    with pytest.raises(UserError, match="is no GOROOT"):
        named_go(str(tmp_path))


def test_it_is_about_packages(tmp_path: Path) -> None:
    (tmp_path / "args").write_text("x\n")
    done = ask("why-no-dce", f"@{tmp_path}/args", "--go", str(goroot()))
    assert done.returncode == 2
    assert "--go is about a package" in done.stderr
    done = ask("why-no-dce", "./quiet", "--go", f"{goroot()},{goroot()}")
    assert done.returncode == 2
    assert "and so is another" in done.stderr
