"""The line that a failing link prints: pasted into a shell, it saves the link and does it again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from linkpipe.cli import _again
from tests.conformance.programs import TINY, inputs
from tests.conformance.toolchain import environment, goroot
from tests.faults.links import Ended, install, link

SAYS = "\tto save this link, and do it again: "
BROKEN = """package main

import _ "unsafe"

//go:linkname nowhere main.nowhere
func nowhere()

var word string

func main() { println(word); nowhere() }
"""


def line(printed: str) -> str:
    (found,) = (each for each in printed.splitlines() if each.startswith(SAYS))
    return found.removeprefix(SAYS)


def paste(text: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """In a shell of another folder, whose environment is not that of the link."""
    env = {"PATH": os.environ["PATH"], "HOME": "/dev/null", **variables}
    return subprocess.run(
        ["sh", "-c", text], cwd="/", env=env, text=True, capture_output=True, check=False
    )


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A main package that ends early, under a name that a shell would take apart."""
    given = inputs(TINY).main
    file = tmp_path / "it's a $(main).a"
    file.write_bytes(given.read_bytes()[: given.stat().st_size // 2])
    return file


def test_a_link_by_hand(damaged: Path) -> None:
    """Which fails while packages are loaded, before much is known."""
    folder = damaged.parent
    done = link(folder, "-X=main.a 'c' \"d\" $HOME=token", main=str(damaged))
    assert done.status == 1
    assert "token" not in done.err
    again = paste(line(done.err))
    first, wanted = again.stderr.splitlines()[0], done.err.splitlines()[0]
    assert first.partition(": ")[2] == wanted.partition(": ")[2], again.stderr
    assert "flag -X=main.a 'c' \"d\" $HOME=\n" in again.stdout
    assert (folder / "out.saved").exists()
    assert not (folder / "out.again").exists()


@pytest.mark.parametrize("server", ["", "auto"])
def test_a_link_under_go_build(tmp_path: Path, server: str) -> None:
    """Whose inputs are gone by then; with a variable that only this build had, and flags."""
    folder = tmp_path / "a program"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.com/broken\n\ngo 1.24\n")
    (folder / "main.go").write_text(BROKEN)
    (folder / "empty.s").touch()
    stub = Path(sys.executable).with_name("linkpipe-toolexec")
    env = environment(CGO_ENABLED="0", GOARCH="arm64", GOPROXY="https://me:secret@proxy")
    env |= {"PKG_CONFIG_PATH": "/a b", "GOFLAGS": "-trimpath '-ldflags=-X main.word=secret'"}
    env |= {"LINKPIPE_SERVER": server, "XDG_RUNTIME_DIR": str(tmp_path)}
    del env["GOROOT"]
    words = ["-o", str(tmp_path / "out"), "-ldflags=-s -X 'main.word=a secret'", "./..."]
    done = subprocess.run(
        [goroot() / "bin" / "go", "build", "-buildvcs=false", f"-toolexec={stub}", *words],
        cwd=folder, env=env, text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode
    text = line(done.stderr)
    assert "secret" not in text
    assert "PKG_CONFIG_PATH='/a b'" in text
    cache = subprocess.check_output([goroot() / "bin" / "go", "env", "GOCACHE"], text=True).strip()
    again = paste(text, GOCACHE=cache, LINKPIPE_GO=str(goroot() / "bin" / "go"))
    assert "main.main: relocation target main.nowhere not defined" in again.stderr
    assert "variable GOARCH=arm64\n" in again.stdout
    assert "flag -X=main.word=\n" in again.stdout
    assert (folder / "broken.saved").exists()


def test_there_is_none_where_it_would_be_wrong(damaged: Path) -> None:
    """Flags that do not fit, a pipeline, inputs that can be read once, a file that cannot be
    written, a pass that is not there any more: nothing to save, or nothing that would be saved."""
    folder = damaged.parent

    def told(*flags: str, main: str = "") -> Ended:
        done = link(folder, *flags, main=main)
        assert done.status
        for name in ("stdout", "stderr"):
            (folder / name).unlink()
        return done

    (folder / "p.toml").write_text('extends = "default"\n[[remove]]\nname = "nosuch"\n')
    fifo = folder / "importcfg"
    os.mkfifo(fifo)
    config = inputs(TINY).flags[inputs(TINY).flags.index("-importcfg") + 1]
    with subprocess.Popen(["sh", "-c", f'exec cat "{config}" >"{fifo}"']) as writer:
        assert SAYS not in told("-importcfg", str(fifo), main=str(damaged)).err
        writer.kill()
    for flags in (("-B=0x1",), ("-nosuch",), ("-pipeline=p.toml",), ("-o", "/dev/null/out")):
        assert SAYS not in told(*flags).err, flags
    assert SAYS not in told(main="/nonexistent/main.a").err


def test_a_pass_of_ones_own_that_crashes(folder: Path) -> None:
    done = link(folder, "-pipeline", install(folder, "1 / 0", before="relocate"))
    assert "pass own: crashed with ZeroDivisionError" in done.err
    again = paste(line(done.err), PYTHONPATH=str(folder))
    assert "pass own: crashed with ZeroDivisionError" in again.stderr


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("UserError('no')", True),
        ("Refused('no')", False),
        ("LinkErrors('two', errors=[Refused('no'), Refused('nor this')])", False),
        ("LinkErrors('two', errors=[Refused('no'), UserError('not this')])", True),
    ],
)
def test_what_a_rule_refuses_needs_no_second_look(folder: Path, error: str, *, told: bool) -> None:
    """A gate that holds is no failure of the link: the line would be noise below each of them."""
    body = f"from linkpipe.errors import LinkErrors, Refused, UserError; raise {error}"
    done = link(folder, "-pipeline", install(folder, body, before="relocate"))
    assert done.status
    assert re.search(r"^(link: )?no$", done.err, re.MULTILINE), done.err
    assert (SAYS in done.err) == told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.mark.parametrize(
    ("command", "found"),
    [
        ("go build", (".", [])),
        ("go build -o out -v -trimpath ./cmd", ("./cmd", ["-trimpath"])),
        ("/usr/go/bin/go build -tags a,b --race -gcflags=-N .", (
            ".", ["-tags", "a,b", "--race", "-gcflags=-N"])),
        ("go1.25.1 install -- example.com/x@latest", ("example.com/x@latest", [])),
        ("go build ./...", ("", [])),
        ("go build ./a ./b", ("", [])),
        ("go run -race main.go x y.txt", ("main.go", ["-race"])),
        ("go run ./cmd ./...", ("./cmd", [])),
        ("go run a.go b.go", None),
        ("go test .", None),
        ("make", None),
        ("bazel build //x", None),
    ],
)  # fmt: skip
def test_command_lines_of_go(command: str, found: object) -> None:
    assert _again._read(command.split()) == found


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["-ldflags=-X main.a=b"], ["-ldflags=-X main.a="]),
        (["--ldflags", "-w -X=main.a=b=c -s"], ["--ldflags", "-w -X=main.a= -s"]),
        (["-ldflags=all=-X 'main.a=b c' --X=main.b=\"d"], ["-ldflags=all=-X main.a= --X=main.b="]),
        (["-ldflags=-r '/a b' -X main.a=b"], ["-ldflags=-r '/a b' -X main.a="]),
        (["-ldflags= -X main.a=b"], ["-ldflags=-X main.a="]),
        # What has no value is left as it is.
        (
            ["-ldflags=-r  'x'", "-race", "-ldflags", ""],
            ["-ldflags=-r  'x'", "-race", "-ldflags", ""],
        ),
        (["-tags=a", "-X", "b=c"], ["-tags=a", "-X", "b=c"]),
    ],
)
def test_values_of_variables_are_not_told(flags: list[str], told: list[str]) -> None:
    assert _again._secretless(flags) == told
