from __future__ import annotations

from pathlib import Path

import pytest

from linkpipe.errors import UserError
from linkpipe.flags.environ import capture
from tests.conformance.toolchain import goroot, link_tool


@pytest.fixture
def toolchain(tmp_path: Path) -> Path:
    """A GOROOT with nothing but what is looked at."""
    tools = tmp_path / "go" / "pkg" / "tool" / "linux_toy"
    tools.mkdir(parents=True)
    (tmp_path / "go" / "VERSION").write_text("go1.99.1\ntime 2030-01-01\n")
    return tools / "link"


def test_the_tools_path_tells_version_and_host(toolchain: Path) -> None:
    found = capture({"PATH": ""}, str(toolchain))
    assert (found.version, found.goos, found.goarch) == ("go1.99.1", "linux", "toy")
    assert found.goroot == "", "under -trimpath GOROOT is empty, and must not come back"


def test_variables_win_over_the_host(toolchain: Path) -> None:
    variables = {"GOARCH": "other", "GOROOT": "/g", "GOTOY": "v2", "HOME": "/h", "PATH": ""}
    found = capture(variables, str(toolchain))
    assert (found.goarch, found.goroot) == ("other", "/g")
    assert dict(found.variables) == {"GOARCH": "other", "GOROOT": "/g", "GOTOY": "v2"}


def test_goroot_tells_the_version_when_there_is_no_tool(toolchain: Path) -> None:
    root = toolchain.parents[3]
    found = capture({"GOROOT": str(root), "PATH": ""})
    assert (found.version, found.goarch) == ("go1.99.1", "toy")


@pytest.mark.parametrize(
    ("says", "version"), [("echo $1 $2 $GOTOOLCHAIN >&2; echo {}", "go1.99.1"), ("exit 1", "")]
)
def test_a_go_command_that_is_a_script_is_asked(
    toolchain: Path, tmp_path: Path, says: str, version: str
) -> None:
    """And no other that stands behind it on PATH: a shell would run this one."""
    first, second = tmp_path / "first", tmp_path / "go" / "bin"
    for folder in (first, second):
        folder.mkdir()
        (folder / "go").write_text(f"#!/bin/sh\n{says.format(toolchain.parents[3])}\n")
        (folder / "go").chmod(0o755)
    assert capture({"PATH": f"{first}:{second}"}).version == version
    assert capture({"PATH": f"{second}:{first}"}).version == "go1.99.1"


def test_an_unknown_version_is_an_error_when_it_is_needed() -> None:
    found = capture({"PATH": ""})
    with pytest.raises(UserError, match="cannot tell the Go version"):
        _ = found.go_version


def test_the_pinned_toolchain() -> None:
    version = (goroot() / "VERSION").read_text().split()[0]
    assert capture({"PATH": ""}, str(link_tool())).version == version
