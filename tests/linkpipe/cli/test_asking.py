"""Commands that ask about a link, as processes: targets, forms of the answer, statuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from jsonschema import Draft202012Validator

from tests.conformance.programs import inputs
from tests.conformance.toolchain import environment
from tests.linkpipe.ask.links import DEEP, PROGRAMS, QUIET, response_file
from tests.linkpipe.cli.schemas import checked
from tests.linkpipe.cli.test_cli import keys

COMMANDS: dict[str, tuple[str, ...]] = {
    "why": ("main.main",),
    "why-no-dce": (),
    "size": (),
    "whatif": ("--cut", "reflect"),
    "unused-x": (),
    "graph": ("--focus", "main.run"),
}
"""Each, and what it asks about."""

BINARIES = ("plugin-check", "verify")
"""Those that ask about binaries; see test_asking_binaries.py."""


def ask(*args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run linkpipe where the programs are."""
    return run(["linkpipe", *args], PROGRAMS, env)


def run(
    command: Sequence[str], folder: Path, env: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run linkpipe, or the go command; without cgo, if ``env`` does not say otherwise."""
    program, *args = command
    words = [sys.executable, "-P", "-m", "linkpipe"] if program == "linkpipe" else [program]
    return subprocess.run(
        [*words, *args],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(**{"CGO_ENABLED": "0", **env}),
        check=False,
    )


def of_deep(folder: Path, command: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Ask about the captured link of a program, SAME among the arguments: no go command takes
    part. SAVED is a file that it is saved in."""
    target = response_file(DEEP, folder)
    words = [{"SAME": target, "SAVED": f"{folder}/saved"}.get(each, each) for each in args]
    return ask(command, target, *words, LINKPIPE_GO="/nonexistent", **inputs(DEEP).env)


def test_why_of_a_package(tmp_path: Path) -> None:
    """The user's own go command compiles it; no file is written."""
    before = sorted(PROGRAMS.rglob("*"))
    done = ask("why", "./deep", "looking.test/deep/helper", TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("the package looking.test/deep/helper is in the output (")
    assert lines[1] == "imported: main -> looking.test/deep/helper"
    assert lines[2].split() == ["reason", "symbol", "where"]
    call = ["call", "looking.test/deep/helper.Call", f"{PROGRAMS}/deep/main.go:16"]
    assert call in [line.split() for line in lines]
    assert sorted(PROGRAMS.rglob("*")) == before
    assert list(tmp_path.iterdir()) == []


def test_flags_of_go_build_follow_two_dashes() -> None:
    done = ask("why", "./deep", "looking.test/deep/helper.Call", "--", "-trimpath")
    assert done.returncode == 0, done.stderr
    assert f"{PROGRAMS}" not in done.stdout
    assert "looking.test/deep/main.go:16" in done.stdout
    wrong = ask("why", "./deep", "main.main", "--", "-nosuch")
    assert wrong.returncode == 3
    assert "-nosuch" in wrong.stderr


def test_why_of_the_arguments_of_a_link(tmp_path: Path) -> None:
    done = of_deep(tmp_path, "why", "main.run", "--all")
    assert done.returncode == 0, done.stderr
    first, rest = done.stdout.split("every immediate reason:\n")
    assert first.startswith("the symbol main.run is in the output")
    assert rest.splitlines()[1].split() == ["call", "main.main", f"{PROGRAMS}/deep/main.go:18"]


def test_no_is_one(tmp_path: Path) -> None:
    done = of_deep(tmp_path, "why", "reflect.Copy")
    assert done.returncode == 1, done.stderr
    assert "is not in the output" in done.stdout


def test_a_gate_against_causes(tmp_path: Path) -> None:
    """Status 1 when something switched pruning off, if it is asked for."""
    assert of_deep(tmp_path, "why-no-dce").returncode == 0
    done = of_deep(tmp_path, "why-no-dce", "--fail")
    assert done.returncode == 1, done.stderr
    assert "1. looking.test/deep/helper.find calls reflect.Value.MethodByName" in done.stdout
    assert f">  look-up            reflect.Value.MethodByName     {PROGRAMS}" in done.stdout
    done = ask("why-no-dce", response_file(QUIET, tmp_path), "--fail")
    assert (done.returncode, done.stdout) == (0, "unused methods are pruned\n")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("./deep",), "Missing argument"),
        (("./deep", "main.main", "--nosuch"), "No such option"),
        (("@/nonexistent/args", "main.main"), "/nonexistent/args"),
        (("@ARGS", "main.man"), "did you mean main.main"),
        (("@ARGS", "main.main", "--", "-race"), "there is no go build to give flags to"),
        (("@WRONG", "main.main"), "flag provided but not defined: -nosuch"),
    ],
)
def test_a_question_that_cannot_be_asked(
    tmp_path: Path, args: tuple[str, ...], message: str
) -> None:
    (tmp_path / "wrong").write_text("-nosuch\n")
    files = {"@ARGS": response_file(DEEP, tmp_path), "@WRONG": f"@{tmp_path}/wrong"}
    done = ask("why", *(files.get(arg, arg) for arg in args))
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_link_that_fails_is_three(tmp_path: Path) -> None:
    (tmp_path / "args").write_text("-importcfg\n/dev/null\n/nonexistent/main.a\n")
    done = ask("why", f"@{tmp_path}/args", "main.main")
    assert done.returncode == 3
    assert "/nonexistent/main.a" in done.stderr
    done = ask("why", "./nosuch", "main.main")
    assert done.returncode == 3
    assert "nosuch" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_json_has_a_schema_and_plain_keys(tmp_path: Path, command: str) -> None:
    done = of_deep(tmp_path, command, *COMMANDS[command], "--format", "json")
    assert done.returncode in (0, 1), done.stderr
    told = json.loads(done.stdout)
    assert told["schema"] == f"linkpipe.{command}/1"
    assert [key for key in keys(told) if not key.replace("_", "").isalpha()] == []


def test_a_warning_of_definitions_without_effect(tmp_path: Path) -> None:
    """With LINKPIPE_WARN_X a link says what unused-x says, and is as it was."""
    flags = ["-ldflags=-X main.version=1 -X main.Commit=2", "-o"]
    plain, warned = (str(tmp_path / name) for name in ("plain", "warned"))
    done = ask("build", *flags, plain, "./stamped")
    assert (done.returncode, done.stderr) == (0, "")
    done = ask("build", *flags, warned, "./stamped", LINKPIPE_WARN_X="1")
    assert done.returncode == 0
    lines = [line for line in done.stderr.splitlines() if not line.startswith("#")]
    assert len(lines) == 1
    assert lines[0].startswith("linkpipe: warning: -X main.version has no effect: ")
    assert lines[0].endswith("; did you mean main.Version?")
    refused = ask("build", "-ldflags=-warn-x", "-o", warned, "./stamped")
    assert "flag -warn-x among the -ldflags" in refused.stderr
    done = ask("unused-x", "./stamped", "--format", "json", "--", flags[0])
    assert done.returncode == 1
    (found,) = checked(done.stdout)["unused"]
    assert (found["name"], found["near"]) == ("main.version", ["main.Version"])


@pytest.mark.parametrize("command", COMMANDS)
def test_the_answer_goes_to_a_file(tmp_path: Path, command: str) -> None:
    file = tmp_path / "answer"
    said = of_deep(tmp_path, command, *COMMANDS[command])
    done = of_deep(tmp_path, command, *COMMANDS[command], "--output", str(file))
    assert (done.returncode, done.stdout) == (said.returncode, "")
    assert file.read_text() == said.stdout
    nowhere = of_deep(tmp_path, command, *COMMANDS[command], "--output", "/nonexistent/file")
    assert nowhere.returncode == 2
    assert "/nonexistent/file" in nowhere.stderr
    assert "Traceback" not in nowhere.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples(command: str) -> None:
    done = ask(command, "--help")
    assert done.returncode == 0
    assert f"Usage: linkpipe {command} [OPTIONS] TARGET" in done.stdout
    assert "[-- GO BUILD FLAGS]" in " ".join(done.stdout.split())
    assert f"Examples:\n    linkpipe {command} " in done.stdout
    assert "exit status is 0" in " ".join(done.stdout.split())


def test_sizes_as_numbers_for_others(tmp_path: Path) -> None:
    """CSV has a line for each row; a metafile, of the shape that esbuild documents, all packages,
    with what imports what."""
    rows = of_deep(tmp_path, "size", "--format", "csv", "--top", "3").stdout.splitlines()
    assert rows[0] == "size,code,data,pclntab,debug,other,retained,exact,parent,name"
    assert len(rows) == 5
    done = of_deep(tmp_path, "size", "--format", "esbuild-metafile")
    told = json.loads(done.stdout)
    Draft202012Validator(
        json.loads((Path(__file__).parent / "metafile.json").read_text())
    ).validate(told)
    ((name, output),) = told["outputs"].items()
    assert name == "args"
    assert output["bytes"] == sum(each["bytesInOutput"] for each in output["inputs"].values())
    assert output["inputs"].keys() == told["inputs"].keys()
    assert output["entryPoint"] == "main"
    helper = {"path": "looking.test/deep/helper", "kind": "import-statement"}
    assert helper in told["inputs"]["main"]["imports"]
    known = set(told["inputs"])
    assert {each["path"] for row in told["inputs"].values() for each in row["imports"]} <= known


def test_questions_are_about_whole_links(tmp_path: Path) -> None:
    """Wherever a variable lets links end."""
    target = response_file(DEEP, tmp_path)
    done = ask("size", "--top", "1", target, LINKPIPE_UNTIL="mode", **inputs(DEEP).env)
    assert done.returncode == 0, done.stderr
    assert "(the whole file)" in done.stdout


def test_what_has_grown(tmp_path: Path) -> None:
    """Between links, and binaries of which one is stripped; the status is that of the policy."""
    same = of_deep(tmp_path, "size", "--against", "SAME")
    assert (same.returncode, same.stdout[:14]) == (0, "no difference:")
    (tmp_path / "quiet").mkdir()
    quiet, deep = response_file(QUIET, tmp_path / "quiet"), str(tmp_path / "deep")
    grown = of_deep(tmp_path, "size", "--against", quiet, "--top", "0")
    assert grown.returncode == 1
    assert " added " in grown.stdout
    assert [line for line in grown.stdout.splitlines() if "looking.test/deep/helper" in line]
    for limit, status in (("1%", 1), ("90%", 0), ("10", 1), ("900000000", 0)):
        done = of_deep(tmp_path, "size", "--against", quiet, "--fail-over", limit)
        assert (done.returncode, "over the limit" in done.stdout) == (status, bool(status))
    arguments = [*inputs(DEEP).flags, "-s", "-o", deep, str(inputs(DEEP).main)]
    linked = ask("link", *arguments, **inputs(DEEP).env)
    assert linked.returncode == 0, linked.stderr
    stripped = ask("size", deep, "--against", deep)
    assert (stripped.returncode, stripped.stdout[:14]) == (0, "no difference:")
    told = json.loads(of_deep(tmp_path, "size", "--against", deep, "--format", "json").stdout)
    assert not told["same"]
    assert {"(symbol table)", "(debug information)"} <= {each["name"] for each in told["changes"]}


def test_a_comment_is_found_again_by_its_first_line(tmp_path: Path) -> None:
    (tmp_path / "quiet").mkdir()
    for args in ((), ("--against", response_file(QUIET, tmp_path / "quiet"))):
        lines = of_deep(tmp_path, "size", "--format", "markdown", *args).stdout.splitlines()
        assert lines[0] == "<!-- linkpipe size -->"
        assert [line for line in lines if line.startswith("|---:|") and line.endswith("|---|")]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--fail-over", "5%"), "--fail-over is about --against"),
        (("--against", "SAME", "--tree"), "--against has neither"),
        (("--against", "SAME", "--fail-over", "much"), "'much' is no limit"),
        (("--against", "SAME", "--fail-over", "-1"), "'-1' is no limit"),
        (("--tree", "--by", "kind"), "there is no tree of 'kind'"),
    ],
)
def test_sizes_that_cannot_be_asked_for(
    tmp_path: Path, args: tuple[str, ...], message: str
) -> None:
    done = of_deep(tmp_path, "size", *args)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""


def test_a_link_is_saved_and_asked_about(tmp_path: Path) -> None:
    """Without a go command; --list says what it holds, and flags of go build have no place."""
    done = of_deep(tmp_path, "save", "--output", "SAVED")
    assert done.returncode == 0, done.stderr
    file = str(tmp_path / "saved")
    assert ask("save", "--list", file).stdout == done.stdout
    asked = ask("why", file, "looking.test/deep/helper.Call", LINKPIPE_GO="/nonexistent")
    assert asked.returncode == 0, asked.stderr
    same = of_deep(tmp_path, "size", "--against", file)
    assert (same.returncode, same.stdout[:14]) == (0, "no difference:")
    wrong = ask("why", file, "main.main", "--", "-race")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "there is no go build to give flags to" in wrong.stderr


def test_a_saved_link_is_linked_again(tmp_path: Path) -> None:
    """With the same bytes as the link that was saved, or as far as a pass; watched as asked for."""
    assert of_deep(tmp_path, "save", "--output", "SAVED").returncode == 0
    os.rename(tmp_path / "saved", tmp_path / "deep.saved")
    file = str(tmp_path / "deep.saved")
    done = ask("replay", "--until", "reachability", file, LINKPIPE_TIME="1")
    assert done.returncode == 0, done.stderr
    assert "reachability" in done.stderr
    assert not (tmp_path / "deep").exists()
    done = ask("replay", file)
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/deep\n"), done.stderr
    given = inputs(DEEP)
    argv = ["linkpipe", "link", "-o", str(tmp_path / "same"), *given.flags, str(given.main)]
    assert run(argv, tmp_path, given.env).returncode == 0
    assert (tmp_path / "deep").read_bytes() == (tmp_path / "same").read_bytes()
    wrong = ask("replay", "--until", "nosuch", "-o", str(tmp_path / "x"), file)
    assert (wrong.returncode, wrong.stdout) == (3, "")
    assert "nosuch" in wrong.stderr


def test_a_saved_link_that_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "saved").write_bytes(b"PK\3\4 and no more")
    for command in (
        ("why", str(tmp_path / "saved"), "main.main"),
        ("save", str(tmp_path / "saved")),
        ("replay", str(tmp_path / "saved")),
    ):
        done = ask(*command)
        assert (done.returncode, done.stdout) == (2, "")
        assert "no saved link" in done.stderr
        assert "Traceback" not in done.stderr


def test_edges_and_ranks(tmp_path: Path) -> None:
    edge = of_deep(tmp_path, "whatif", "--cut", "main.main -> main.run", "--top", "1")
    assert edge.returncode == 0, edge.stderr
    assert " would leave (0 cut)" in edge.stdout
    ranked = of_deep(tmp_path, "whatif", "--rank", "main.run, reflect")
    assert ranked.returncode == 0, ranked.stderr
    lines = [line.split(maxsplit=2) for line in ranked.stdout.splitlines()]
    assert lines[0] == ["bytes", "symbols", "without"]
    assert {lines[1][2], lines[2][2]} == {"main.run", "reflect"}
    assert lines[3][2] == "(all together)"
    for words in ((), ("--cut", "main.run", "--rank", "reflect")):
        wrong = of_deep(tmp_path, "whatif", *words)
        assert wrong.returncode == 2
        assert "say --cut WHAT, or --rank A,B,C" in wrong.stderr


def test_why_after_a_pass(tmp_path: Path) -> None:
    done = of_deep(tmp_path, "why", "runtime.findfunctab", "--after", "findfunctab")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1] == "pass findfunctab"
    done = of_deep(tmp_path, "why", "main.main", "--after", "nosuch")
    assert done.returncode == 3 or done.returncode == 2
    assert 'no pass "nosuch"' in done.stderr


def test_graphs_in_the_forms_of_others(tmp_path: Path) -> None:
    """networkx reads the GraphML; DOT has the same edges."""
    asked = ("graph", "--focus", "main.run", "--format")
    told = json.loads(of_deep(tmp_path, *asked, "json").stdout)
    edges = {(str(each["source"]), str(each["target"])) for each in told["edges"]}
    graph: Any = nx.parse_graphml(of_deep(tmp_path, *asked, "graphml").stdout)
    assert set(graph.edges) == edges
    names = {data["name"] for _, data in graph.nodes(data=True)}
    assert {"main.run", "main.main", "looking.test/deep/helper.Call"} <= names
    dot = of_deep(tmp_path, *asked, "dot").stdout
    assert dot.startswith("// focus: main.run\ndigraph {\n")
    assert dot.count(" -> ") == len(edges)
    few = of_deep(tmp_path, "graph", "--focus", "main.run", "--limit", "2")
    assert (few.returncode, len(few.stdout.splitlines())) == (0, 2)
    assert "nodes more: --limit 0 shows all" in few.stderr


def test_errors_as_json_have_a_code(tmp_path: Path) -> None:
    """Beside the line for people, which is as it was."""
    done = of_deep(tmp_path, "why", "main.nosuch", "--format", "json")
    assert done.returncode == 2
    told = checked(done.stdout)
    assert (told["schema"], told["code"]) == ("linkpipe.error/1", "LP101")
    assert told["message"] in done.stderr
    assert "LP101" not in done.stderr
    (tmp_path / "args").write_text("-importcfg\n/dev/null\n/nonexistent/main.a\n")
    failed = ask("why", f"@{tmp_path}/args", "main.main", "--format=json")
    assert failed.returncode == 3
    assert checked(failed.stdout)["code"].startswith("LP")


def test_errors_are_explained() -> None:
    done = ask("explain", "LP201", "--format", "json")
    assert done.returncode == 0
    assert checked(done.stdout)["answers"][0]["code"] == "LP201"
    done = ask("explain", "main.main:", "relocation target main.f not defined")
    assert done.returncode == 0
    assert "A symbol is not defined" in done.stdout
    assert ask("explain", "all is well").returncode == 1
    assert "LP402  A pass is wrong" in ask("explain").stdout
    assert ask("explain", "--help").returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        ("why", "main.main", "--limit"),
        ("size", "--top"),
        ("whatif", "--cut", "fmt", "--top"),
        ("graph", "--focus", "fmt", "--depth"),
        ("graph", "--focus", "fmt", "--limit"),
    ],
    ids=" ".join,
)
def test_counts_are_not_negative(tmp_path: Path, words: tuple[str, ...]) -> None:
    command, *more = words
    done = of_deep(tmp_path, command, *more, "-1")
    assert (done.returncode, done.stdout) == (2, "")
    assert "-1 is not in the range x>=0" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_that_links_can_be_saved(command: str) -> None:
    assert "saved link" in " ".join(ask(command, "--help").stdout.split())


def odd(folder: Path) -> list[str]:
    """Files that are no program, and names of none."""
    (folder / "empty").touch()
    (folder / "short").write_bytes(b"\x7fELF")
    (folder / "zip").write_bytes(b"PK\3\4" + bytes(60))
    (folder / "folder").mkdir()
    os.mkfifo(folder / "fifo")
    files = ("empty", "short", "zip", "folder", "fifo")
    return [*(f"./{name}" for name in files), "@folder", "@empty", "@nosuch", "/dev/null", "", "@"]


@pytest.mark.parametrize("command", ["why", "size", "save"])
def test_what_is_no_program_is_refused(tmp_path: Path, command: str) -> None:
    """In a line, and without waiting for who would write into a FIFO."""
    for target in odd(tmp_path):
        words = ["linkpipe", command, target, *COMMANDS.get(command, ())]
        done = run(words, tmp_path, {"LINKPIPE_GO": "go"})
        assert done.returncode in (2, 3), target
        told = "Error: @ is a link whose arguments" if target == "@" else f"linkpipe {command}: "
        assert done.stderr.startswith(told), (target, done.stderr)
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", BINARIES)
def test_what_is_no_binary_is_refused(tmp_path: Path, command: str) -> None:
    for target in odd(tmp_path):
        more = ("/bin/sh",) if command == "plugin-check" else ()
        done = run(["linkpipe", command, target, *more], tmp_path, {})
        assert (done.returncode, done.stdout) == (2, ""), target
        assert done.stderr.startswith(f"linkpipe {command}: "), (target, done.stderr)
        assert "Traceback" not in done.stderr
