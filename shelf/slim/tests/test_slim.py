"""slim: programs are smaller, run, panic and recover; what is lost is what is said to be."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from linkpipe import api
from tests.conformance.oracle import link_linkpipe, prints, run
from tests.conformance.programs import inputs, table

PLACE = 'after = "pclntab"'
NO_LINES = "{ lines = false }"
STRIP = ("-s", "-w")

PANICS = """package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

type thing struct{ n int }

//go:noinline
func (t *thing) fail() int { return t.n }

func inlined(t *thing) int { return t.fail() }

func where() string {
	_, file, line, ok := runtime.Caller(1)
	return fmt.Sprint(file, ":", line, " ", ok)
}

func main() {
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		inlined(nil)
	}()
	fmt.Println("here", where())
	runtime.GC()
	os.Stdout.Write(debug.Stack())
	inlined(nil)
}
"""


@pytest.mark.parametrize("program", ["hello", "hello-arm64", "hello-386", "hello-s390x"])
@pytest.mark.parametrize("options", ["{}", NO_LINES])
def test_programs_are_smaller_and_run(
    link_with: Callable[..., api.Link], tmp_path: Path, program: str, options: str
) -> None:
    link_with(program, "slim", PLACE, options, STRIP)
    plain = link_linkpipe(inputs(table()[program]), STRIP, tmp_path / "plain").output
    assert (tmp_path / "out").stat().st_size < plain.stat().st_size
    assert b"print.go\0" in plain.read_bytes()
    assert b"print.go\0" not in (tmp_path / "out").read_bytes()
    assert prints(table()[program], tmp_path / "out") == prints(table()[program], plain)


def test_what_is_kept_changes_nothing(link_with: Callable[..., api.Link], tmp_path: Path) -> None:
    link_with("hello", "slim", PLACE, "{ files = true }")
    plain = link_linkpipe(inputs(table()["hello"]), [], tmp_path / "plain").output
    assert (tmp_path / "out").read_bytes() == plain.read_bytes()


@pytest.mark.parametrize("after", ["symtab", "pclnbytes"])
def test_a_place_too_late_is_refused(
    link_with: Callable[..., api.Link], tmp_path: Path, after: str
) -> None:
    """There it would make a program that dies."""
    with pytest.raises(api.UserError, match="slim: others have read"):
        link_with("hello", "slim", f'after = "{after}"')
    assert not (tmp_path / "out").exists()


def test_a_plugin_opens_in_its_host(link_with: Callable[..., api.Link], tmp_path: Path) -> None:
    paths = {}
    for program in ("host", "plugin"):
        link_with(program, "slim", PLACE, "{}", STRIP)
        paths[program] = (tmp_path / "out").rename(tmp_path / program)
    assert run(paths["host"], paths["plugin"])[0] == 0


@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
def test_panics_name_functions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build_env: Callable[..., Any], goarch: str
) -> None:
    """With lines, of files without a name; without them, functions alone; calls that were inlined
    too."""
    build_env(CGO_ENABLED="0", GOARCH=goarch)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "go.mod").write_text("module slim.test\n\ngo 1.24\n")
    (tmp_path / "main.go").write_text(PANICS)
    runner = table()[f"hello-{goarch}"].runner if goarch != "amd64" else ()
    told = []
    for options in ("{ files = true }", "{}", NO_LINES):
        (tmp_path / "pipeline.toml").write_text(
            f'extends = "default"\n[[insert]]\nname = "slim"\n{PLACE}\noptions = {options}\n'
        )
        api.link(".", pipeline="pipeline.toml", output="out", flags=("-ldflags=-s -w",))
        done = subprocess.run([*runner, "./out"], capture_output=True, text=True, check=False)
        assert done.returncode == 2, done.stderr
        for name in ("main.(*thing).fail", "main.inlined", "main.main", "goroutine 1"):
            assert name in done.stderr
        assert "recovered: runtime error: invalid memory address" in done.stdout
        told.append(done.stdout + done.stderr)
    whole, no_files, no_lines = told
    here = re.search(r"here .*main\.go:(\d+) true", whole)
    assert here is not None
    assert f"here ?:{here[1]} true" in no_files
    assert "main.go" not in no_files
    assert re.findall(r":(\d+) \+0x", whole) == re.findall(r"\t\?:(\d+) \+0x", no_files)
    assert set(re.findall(r"\t\?:(\d+)", no_lines)) == {"0"}


@pytest.mark.big
def test_a_large_program_runs(link_with: Callable[..., api.Link], tmp_path: Path) -> None:
    """cmd/go, by as much as README says."""
    link_with("go", "slim", PLACE, NO_LINES, STRIP)
    assert run(tmp_path / "out", "version")[0] == 0
    plain = link_linkpipe(inputs(table()["go"]), STRIP, tmp_path / "plain").output
    assert (tmp_path / "out").stat().st_size < 0.93 * plain.stat().st_size
