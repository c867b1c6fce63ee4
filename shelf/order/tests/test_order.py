"""order: programs run as before, with their code in another order; profiles of three kinds."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection
from hypothesis import given
from hypothesis import strategies as st
from linkpipe_order import perf, pprof
from linkpipe_order.order import _listed

from linkpipe import api
from tests.conformance import gosuites
from tests.conformance.oracle import link_linkpipe, prints, run
from tests.conformance.programs import inputs, table
from tests.conformance.toolchain import go

PLACE = 'after = "linksetup"'
LIST = '{ list = "order.txt" }'
NAMES = ["main.main", "runtime.mallocgc", "fmt.Fprintln", "no.such", "runtime.main", "main.main"]

STACKS = "Stack|Caller|Traceback|Panic|Defer|Recover|Frames|Unwind|FuncForPC"
"""Those of the runtime's tests that go by the tables about functions (`go test -run`)."""

PROFILE = (
    b"\x12\x04\x08\x01\x10\x05"  # a sample: at location 1, 5 times
    b"\x22\x06\x08\x01\x22\x02\x08\x01"  # location 1, of function 1
    b"\x2a\x04\x08\x01\x10\x01"  # function 1, named by string 1
    b"\x32\x00\x32\x06main.f"
)

WORKER = """package main

import (
	"os"
	"runtime/pprof"
)

//go:noinline
func cold() int { return 1 }

//go:noinline
func hot[T int | int64](n T) T {
	var s T
	for i := T(0); i < n; i++ {
		s += i * i
	}
	return s
}

func main() {
	f, _ := os.Create("cpu.pprof")
	pprof.StartCPUProfile(f)
	for i := 0; i < 400; i++ {
		hot(int(2000000))
	}
	pprof.StopCPUProfile()
	f.Close()
	println(cold())
}
"""


def functions(output: Path) -> list[str]:
    """The functions of a file by address."""
    with output.open("rb") as file:
        symtab = ELFFile(file).get_section_by_name(".symtab")
        assert isinstance(symtab, SymbolTableSection)
        found = [
            (symbol["st_value"], symbol.name)
            for symbol in symtab.iter_symbols()
            if symbol["st_info"]["type"] == "STT_FUNC" and symbol["st_size"]
        ]
    return [name for _, name in sorted(found)]


@pytest.mark.parametrize("program", ["hello", "features", "hello-arm64", "features-arm64"])
def test_listed_functions_come_first_and_the_program_runs(
    link_with: Callable[..., api.Link], tmp_path: Path, program: str
) -> None:
    """All behind the function that stands first, which stays; what the program prints, line
    numbers of tracebacks among it, is what it printed."""
    (tmp_path / "order.txt").write_text("# hot\n" + "\n".join(NAMES))
    link = link_with(program, "order", PLACE, LIST)
    found = functions(tmp_path / "out")
    plain = link_linkpipe(inputs(table()[program]), [], tmp_path / "plain").output
    default = functions(plain)
    wanted = [name for name in dict.fromkeys(NAMES) if name in default]
    assert found[0] == default[0]
    assert found[1 : len(wanted) + 1] == wanted
    assert sorted(found) == sorted(default)
    assert link.fact("order.placed") >= len(wanted)
    assert prints(table()[program], tmp_path / "out") == prints(table()[program], plain)


@pytest.mark.big
def test_a_large_program_runs(link_with: Callable[..., api.Link], tmp_path: Path) -> None:
    """cmd/go, with its functions turned round but for the first."""
    given = link_with("go", "order", PLACE, "{}", until="linksetup")
    names = given.symbols.names(given.text_order[::-1])
    (tmp_path / "order.txt").write_bytes(b"\n".join(names))
    link_with("go", "order", PLACE, LIST)
    assert run(tmp_path / "out", "version")[0] == 0


@pytest.mark.big
def test_go_s_own_tests_of_stacks_hold(tmp_path: Path) -> None:
    """Of the runtime, its own functions turned round but for the first, and so in the programs that
    these tests build: growth, callers, tracebacks and panics go as with `go tool link`."""
    (suite,) = (suite for suite in gosuites.SUITES if suite.name == "runtime")
    go("test", "-c", "-o", tmp_path / "runtime.test", suite.package, cwd=tmp_path)
    names = functions(tmp_path / "runtime.test")[:0:-1]
    (tmp_path / "order.txt").write_text("\n".join(names))
    (tmp_path / "pipeline.toml").write_text(
        f'extends = "default"\n[[insert]]\nname = "order"\n{PLACE}\noptions = {LIST}\n'
    )
    ours, theirs = (
        gosuites.run(
            suite, linker, STACKS, tmp_path / linker, LINKPIPE_PIPELINE=f"{tmp_path}/pipeline.toml"
        )
        for linker in gosuites.LINKERS
    )
    assert gosuites.judge("runtime", ours, theirs, {}, whole=False) == ([], [])
    assert "fail" not in ours.tests.values()
    assert [*ours.tests.values()].count("pass") > 100


def test_a_plugin_opens_in_its_host(link_with: Callable[..., api.Link], tmp_path: Path) -> None:
    (tmp_path / "order.txt").write_text("main.main\nruntime.main\nmain.Greet\nfmt.Sprintf\n")
    paths = {}
    for program in ("host", "plugin"):
        link_with(program, "order", PLACE, LIST)
        paths[program] = (tmp_path / "out").rename(tmp_path / program)
    done = subprocess.run([paths["host"], paths["plugin"]], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_profile_of_pprof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, build_env: Callable[..., Any]
) -> None:
    """Of a real program: what is hot comes first, by its generic name; linked with that the code
    lies in front."""
    build_env(CGO_ENABLED="0")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "go.mod").write_text("module order.test\n\ngo 1.24\n")
    (tmp_path / "main.go").write_text(WORKER)
    api.link(".", output="out")
    subprocess.run(["./out"], check=True, capture_output=True)
    names = pprof.functions((tmp_path / "cpu.pprof").read_bytes())
    assert names[0] in ("main.hot[...]", "main.hot[go.shape.int]")  # depends on the release of Go
    assert "main.main" in names
    assert "main.cold" not in names
    (tmp_path / "pipeline.toml").write_text(
        f'extends = "default"\n[[insert]]\nname = "order"\n{PLACE}\n'
        'options = { pprof = "cpu.pprof" }\n'
    )
    api.link(".", pipeline="pipeline.toml", output="out")
    assert functions(tmp_path / "out")[1] == "main.hot[go.shape.int]"


def test_what_perf_prints() -> None:
    """With stacks and without; the kernel's and unknown frames do no harm."""
    text = b"""prog  4242 1234.5:     250000 cycles:u:
\t          4a1b2c main.work+0x1c (/tmp/prog)
\t          4a0000 main.main+0x10 (/tmp/prog)
\tffffffff81000000 [unknown] ([kernel.kallsyms])

prog  4242 1235.5:     250000 cycles:u:      4a1b2d main.(*T[go.shape.int]).M+0x1d (/tmp/prog)
prog  4242 1236.5:     250000 cycles:u:      4a1b2d main.work+0x1d (/tmp/prog)
"""
    assert perf.functions(text) == ["main.work", "main.main", "main.(*T[go.shape.int]).M"]
    assert perf.functions(b"  4a1b2c main.work+0x1c (/tmp/prog (deleted))\n") == ["main.work"]
    with pytest.raises(ValueError, match="no frame"):
        perf.functions(b": a " * 20000)  # in no time
    with pytest.raises(ValueError, match="no frame"):
        perf.functions(b"hello\n")


def test_a_small_profile() -> None:
    assert pprof.functions(PROFILE) == pprof.functions(gzip.compress(PROFILE)) == ["main.f"]


@given(
    st.binary()
    | st.binary().map(gzip.compress)
    | st.builds(
        lambda at, new: PROFILE[:at] + new + PROFILE[at + 1 :],
        st.integers(0, len(PROFILE)),
        st.binary(max_size=3),
    )
)
def test_what_is_no_profile_is_a_value_error(data: bytes) -> None:
    """Any bytes, and a profile that is damaged in one place."""
    for parse in (pprof.functions, perf.functions):
        try:
            parse(data)
        except ValueError:
            continue


def test_to_measure_nothing_is_refused() -> None:
    script = Path(__file__).parents[1] / "measure.py"
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr[:7]) == (1, "usage: ")


def test_comments_of_a_list() -> None:
    """Not every # begins one: names may hold it."""
    assert _listed(b"# hot\nmain.F[main.x#1]  # said\n\t#\nb") == ["main.F[main.x#1]", "b"]


@pytest.mark.parametrize("after", ["dwarfgather", "textaddress", "pclntab"])
def test_a_place_too_late_is_refused(
    link_with: Callable[..., api.Link], tmp_path: Path, after: str
) -> None:
    """There it would do nothing, or make a program that dies."""
    (tmp_path / "order.txt").write_text("main.main\n")
    with pytest.raises(api.UserError, match="order: others have read"):
        link_with("hello", "order", f'after = "{after}"', LIST)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ("{}", "nothing says the order"),
        (LIST, "none of the functions"),
        ('{ list = "missing" }', "cannot read .*missing: No such file"),
        ('{ pprof = "order.txt" }', "not a profile"),
    ],
)
def test_wrong_options(
    link_with: Callable[..., api.Link], tmp_path: Path, options: str, wrong: str
) -> None:
    (tmp_path / "order.txt").write_text("no.such\n")
    with pytest.raises(api.UserError, match=f"order: .*{wrong}"):
        link_with("hello", "order", PLACE, options, until="order")
