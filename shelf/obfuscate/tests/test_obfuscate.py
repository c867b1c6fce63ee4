"""obfuscate: programs run, panic and recover under other names, and a map leads back."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from linkpipe_obfuscate import command
from linkpipe_obfuscate.runtime import overlay
from linkpipe_obfuscate.secret import Secret, read_secret

from linkpipe import api
from tests.conformance.oracle import run
from tests.conformance.programs import table
from tests.conformance.toolchain import goroot

KEY = b"a key for the tests, not a secret"
STRIP = "-ldflags=-s -w"
PROGRAM = {
    "go.mod": "module obfuscate.test\n\ngo 1.24\n",
    "main.go": """package main

import (
	"cmp"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"obfuscate.test/hidden"
)

type Thing struct{ n int }

//go:noinline
func (t *Thing) fail() int { return t.n }

type Tagged struct{}

type Ünlisted int

type Single[T any] struct{}

type Pair[T any] struct{ a, b T }

func (p Pair[T]) String() string { return fmt.Sprint(p.a, p.b) }

//go:noinline
func none[T any]() fmt.Stringer { return (*Pair[T])(nil) }

func inlined(t *Thing) int { return t.fail() }

func where() string {
	pc, file, line, ok := runtime.Caller(1)
	return fmt.Sprint(runtime.FuncForPC(pc).Name(), " ", file, ":", line, " ", ok)
}

func main() {
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		inlined(nil)
	}()
	for _, value := range []fmt.Stringer{hidden.None(), none[func(int)]()} {
		func() {
			defer func() { fmt.Println("recovered:", recover()) }()
			fmt.Println(value.String())
		}()
	}
	fmt.Println("here", where())
	things := []Thing{{2}, {1}}
	slices.SortFunc(things, func(a, b Thing) int { return cmp.Compare(a.n, b.n) })
	fmt.Printf("%v %T\\n", things, things)
	of := reflect.SliceOf(reflect.TypeFor[Thing]())
	fmt.Println("same", of == reflect.TypeOf(things), of.Elem() == reflect.TypeFor[Thing]())
	variadic := reflect.FuncOf([]reflect.Type{of}, nil, true)
	fmt.Println("variadic", variadic == reflect.TypeFor[func(...Thing)]())
	field := reflect.StructField{Name: "A", Type: of.Elem(), Tag: `a:"a main.Tagged"`}
	tagged := reflect.StructOf([]reflect.StructField{field})
	fmt.Println("tagged", tagged == reflect.TypeFor[struct {
		A Thing `a:"a main.Tagged"`
	}]())
	fmt.Printf("%T %T %T %T\\n", Tagged{}, Ünlisted(0), Pair[Ünlisted]{}, Pair[*hidden.Argument]{})
	fmt.Printf("%T\\n", Single[*hidden.Argument]{})
	var any any = things
	_, again := any.([]Thing)
	fmt.Println(again, any == nil, hidden.Value() != nil)
	if information, ok := debug.ReadBuildInfo(); ok && information.Path != "" {
		fmt.Println("information", information)
	}
	runtime.GC()
	go func() { select {} }()
	for trace := make([]byte, 1<<16); !strings.Contains(
		string(trace[:runtime.Stack(trace, true)]), "[select (no cases)]"); {
		runtime.Gosched() // until it is parked: a trace names the state, and it must not change
	}
	os.Stdout.Write(debug.Stack())
	hidden.Panic()
}
""",
    "hidden/hidden.go": """package hidden

type Secret struct{ of, any string }

func Value() fmtStringer { return &Secret{} }

type fmtStringer interface{ String() string }

//go:noinline
func (s *Secret) String() string { return s.of }

type Argument struct{ n int }

type Plain struct{ of string }

func (p Plain) String() string { return p.of }

//go:noinline
func None() fmtStringer { return (*Plain)(nil) }

//go:noinline
func Panic() { panic(any(Secret{}).(error)) }
""",
}
WORDS = re.compile(rb"obfuscate\.test|hidden\.|Thing|nlisted|main\.|main\.go|hidden\.go")


@pytest.fixture
def project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build_env: Callable[..., Any]
) -> Callable[..., Any]:
    """``project(goarch, edits, flags)``: a program, in the current folder, is built with a pipeline
    of these inserts, and run with all its goroutines shown; what it wrote."""
    for name, text in PROGRAM.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "obfuscate.key").write_bytes(KEY)
    monkeypatch.chdir(tmp_path)

    def of(goarch: str, pipeline: str, flags: tuple[str, ...] = ()) -> str:
        build_env(CGO_ENABLED="0", GOARCH=goarch, GOTRACEBACK="all")
        (tmp_path / "p.toml").write_text(pipeline)
        api.link(".", pipeline="p.toml", output="out", flags=(STRIP, "-trimpath", *flags))
        return traced(goarch)

    return of


def traced(goarch: str) -> str:
    runner = table()[f"hello-{goarch}"].runner if goarch != "amd64" else ()
    done = subprocess.run([*runner, "./out"], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    return done.stdout + done.stderr


ALL = (Path(__file__).parents[1] / "pipeline.toml").read_text()


def same_shape(text: str) -> str:
    """A trace without what differs from run to run."""
    return re.sub(r"0x[0-9a-f]+|\d+ gp=.*|goroutine \d+", "", text)


@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
def test_it_runs_under_other_names_and_the_map_leads_back(
    project: Callable[..., str], tmp_path: Path, goarch: str
) -> None:
    """Panics, recovers, tells where it is, finds its types by reflection; no word of it is left in
    the file's tables, and with the map the trace is what it would be."""
    plain = project(goarch, 'extends = "default"\n')
    assert "information" in plain
    hidden = project(goarch, ALL)
    assert "recovered: runtime error: invalid memory address" in hidden
    assert len(re.findall("value method .* called using nil", hidden)) == 2
    for words in ("same true true", "variadic true", "tagged true"):
        assert words in hidden
    assert "information" not in hidden
    assert not WORDS.search(hidden.encode())
    # The runtime has functions runtime.main.func1; paths of packages stay, as README says.
    left = set(WORDS.findall((tmp_path / "out").read_bytes()))
    assert left <= {b"main.", b"obfuscate.test"}
    told = json.loads((tmp_path / "obfuscate.map.json").read_text())
    assert set(told) == {"functions", "files", "types"}
    back = command.read_maps([tmp_path / "obfuscate.map.json"])
    assert len(back) == sum(map(len, told.values()))
    without = [
        line for line in plain.splitlines() if not re.match("information|path|mod|build|$", line)
    ]
    again = command.reverse(hidden.encode(), back).decode().splitlines()
    assert [same_shape(line) for line in again if line] == [same_shape(line) for line in without]


def test_what_is_chosen_and_how(project: Callable[..., str], tmp_path: Path) -> None:
    """One package is, others are not; names that are removed are gone, frames with them."""
    text = """extends = "default"
[[insert]]
name = "obfuscate"
after = "pclntab"
options = { key = "obfuscate.key", packages = ["obfuscate.test/hidden"], %s }
"""
    some = project("amd64", text % 'files = "keep"')
    assert "main.main()" in some
    assert "hidden.Panic" not in some
    assert "obfuscate.test/hidden/hidden.go:" in some
    gone = project("amd64", text % 'names = "remove", files = "remove"')
    assert "main.main()" in gone
    assert "main.go:" in gone
    assert "hidden.Panic" not in gone
    assert "hidden.go" not in gone
    assert "recovered: value method ?.?.? called using nil *? pointer" in gone
    with pytest.raises(api.UserError, match="the program has no package no.such"):
        project("amd64", text.replace("obfuscate.test/hidden", "no.such") % 'files = "keep"')


def test_types_that_are_not_chosen_keep_their_names(project: Callable[..., str]) -> None:
    """As README says of what writes them: also where another's type has one for an argument."""
    text = """extends = "default"
[[insert]]
name = "obfuscate.types"
after = "reach-final"
options = { key = "obfuscate.key", packages = ["obfuscate.test/hidden"] }
"""
    some = project("amd64", text)
    assert "[]main.Thing" in some
    for name in ("Single", "Pair"):
        assert re.search(rf"main\.{name}\[\*x\w{{6}}\.x\w{{12}}\]", some)


def test_a_plugin_opens_in_its_host(link_with: Callable[..., api.Link], tmp_path: Path) -> None:
    """Both obfuscated, and the plugin alone."""
    (tmp_path / "k").write_bytes(KEY)
    paths = {}
    for program, way in (("host", "keep"), ("host", "rename"), ("plugin", "rename")):
        options = f'{{ key = "k", names = "{way}", files = "{way}" }}'
        link_with(program, "obfuscate", 'after = "pclntab"', options, ("-s", "-w"))
        paths[program, way] = (tmp_path / "out").rename(tmp_path / f"{program}-{way}")
    assert b"host.go\0" in paths["host", "keep"].read_bytes()
    assert b"host.go\0" not in paths["host", "rename"].read_bytes()
    assert b"plugin.go\0" not in paths["plugin", "rename"].read_bytes()
    expected = run(paths["host", "keep"], paths["plugin", "rename"])
    assert expected[0] == 0
    assert run(paths["host", "rename"], paths["plugin", "rename"]) == expected


@pytest.mark.parametrize(
    ("name", "place"),
    [("obfuscate", "symtab"), ("obfuscate", "funcblock"), ("obfuscate.types", "symbols-final")],
)
def test_a_place_too_late_is_refused(
    link_with: Callable[..., api.Link], tmp_path: Path, name: str, place: str
) -> None:
    (tmp_path / "k").write_bytes(KEY)
    with pytest.raises(api.UserError, match="already"):
        link_with("hello", name, f'after = "{place}"', '{ key = "k" }', until=name)


def test_a_key_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "short").write_bytes(b"1234")
    for file, words in (
        (None, "no key"),
        (tmp_path / "no.such", "cannot read"),
        (tmp_path / "short", "can be guessed"),
    ):
        with pytest.raises(api.UserError, match=words):
            read_secret(file)
    one, other = Secret(KEY), Secret(KEY + b"!")
    assert one.function(b"main.main") == one.function(b"main.main") != other.function(b"main.main")
    assert one.number(b"magic") != one.number(b"entry")


def test_the_runtime_is_known() -> None:
    """Of this release of Go; another one is refused, not compiled half changed."""
    file, text = overlay(goroot(), Secret(KEY))
    before = file.read_text().splitlines()
    changed = set(text.splitlines()) - set(before)
    assert len(changed) == 4
    assert any("!= obfuscateMagic" in line for line in changed)


def test_another_runtime_is_refused(tmp_path: Path) -> None:
    (tmp_path / "src/runtime").mkdir(parents=True)
    with pytest.raises(api.UserError, match="cannot read"):
        overlay(tmp_path, Secret(KEY))
    (tmp_path / "src/runtime/symtab.go").write_text("package runtime\n")
    with pytest.raises(api.UserError, match="not as it is known"):
        overlay(tmp_path, Secret(KEY))


def test_the_command_reads_traces_and_refuses_what_is_no_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    new = Secret(KEY).function(b"main.main").decode()
    (tmp_path / "m.json").write_text(json.dumps({"functions": {new: "main.main"}}))
    trace = f"goroutine 1:\n{new}()\n\tx2.go:3\n".encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(trace)))
    sys.stdout.flush()
    assert command.main(["reverse", str(tmp_path / "m.json")]) == 0
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == b"goroutine 1:\nmain.main()\n\tx2.go:3\n"
    (tmp_path / "m.json").write_text("[]")
    assert command.main(["reverse", str(tmp_path / "m.json")]) == 2
    assert b"is no map" in capfdbinary.readouterr().err


def test_flags_of_the_go_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build_env: Callable[..., Any]
) -> None:
    """Those that are given here are refused in arguments and GOFLAGS; others get to it whole."""
    (tmp_path / "k").write_bytes(KEY)
    build_env(GOFLAGS="")

    def refused(*arguments: str) -> str:
        with pytest.raises(api.UserError) as told:
            command.build(tmp_path / "k", Path("p"), arguments)
        return str(told.value)

    assert "takes one -overlay" in refused("-overlay=o.json", ".")
    assert "takes one -toolexec" in refused("--toolexec", "other", ".")
    for flags in ("-toolexec=other", "-v '--toolexec=other tool'"):
        build_env(GOFLAGS=flags)
        assert "takes one -toolexec, and one is needed here: there is another in GOF" in refused()
    build_env(GOFLAGS="", GOTOOLCHAIN="no such")
    assert "go env: go: invalid" in refused()
    given: list[Sequence[str]] = []

    def build(key: Path, pipeline: Path, arguments: Sequence[str]) -> int:
        given.append(arguments)
        return 0

    monkeypatch.setattr(command, "build", build)
    assert command.main(["build", "--key", "k", "--pipeline", "p", "--p=4", "--k", "."]) == 0
    assert given == [["--p=4", "--k", "."]]


@pytest.mark.big
@pytest.mark.parametrize("goarch", ["amd64", "arm64"])
def test_with_a_runtime_of_its_own(
    project: Callable[..., str], tmp_path: Path, build_env: Callable[..., Any], goarch: str
) -> None:
    """The command builds it with the key; the program runs as before, and no tool finds Go's magic
    number or the entries of functions in its tables."""
    before = project(goarch, ALL)
    build_env(CGO_ENABLED="0", GOARCH=goarch, GOTRACEBACK="all")
    asked = ["build", "--key", "obfuscate.key", "--pipeline", "p.toml", STRIP, "-o", "out", "."]
    assert command.main(asked) == 0
    assert same_shape(traced(goarch)) == same_shape(before)
    magic = 0xFFFFFFF1.to_bytes(4, "little")
    assert re.search(re.escape(magic) + rb"\0\0[\1\4]\x08", (tmp_path / "out").read_bytes()) is None
