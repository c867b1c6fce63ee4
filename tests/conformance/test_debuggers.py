"""Debug information as others read it: readelf, llvm-dwarfdump and gdb.

What they find in linkpipe's file is held to what they find in the oracle's, for none of them likes
everything that Go's compiler writes. The tests of gdb state values; they are asserted on the
oracle's build too, so that a value that gdb cannot know is not blamed on linkpipe.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.conformance import oracle
from tests.conformance.oracle import link_linkpipe, link_oracle
from tests.conformance.programs import PROGRAMS, TINY, Program, inputs, table
from tests.conformance.toolchain import environment, go, goroot
from tests.conformance.tools import missing, need

DEBUGGED = PROGRAMS / "debugged"
LINKERS = ("stock", "linkpipe")
PLUGIN = "programs.test/debugged/plugin"
"""The plugin's package: a plugin's main package is known by its path."""


def read_by(command: list[str], file: Path) -> tuple[list[str], int]:
    """What a tool prints on a file, on both streams, with the file's own name taken out."""
    done = subprocess.run(
        [*command, file.name],
        cwd=file.parent,
        env=environment(LC_ALL="C"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=240,
        check=False,
    )
    return done.stdout.splitlines(), done.returncode


def complaints(lines: list[str]) -> Counter[str]:
    """Errors and warnings, with numbers taken out."""
    said = (line for line in lines if re.search(r"\b(error|warning)\b", line, re.IGNORECASE))
    return Counter(re.sub(r"0x[0-9a-f]+|-?\b\d+\b", "N", line.strip()) for line in said)


OLDER = TINY.under("nodwarf5")
"""With debug information of version 4."""
PROGRAMS_READ = [TINY, OLDER, table()["features"], table()["plugin"], table()["host"]]


def linked(program: Program, folder: Path) -> tuple[Path, Path]:
    """The program by linkpipe and by the oracle, with the default flags: compressed."""
    given, external = inputs(program), oracle.external(program)
    ours = link_linkpipe(given, [], folder / "ours", external=external)
    assert ours.status == 0, ours.stderr
    theirs = link_oracle(given, [], folder / "theirs", external=external)
    return ours.output, theirs.output


@pytest.mark.parametrize("program", PROGRAMS_READ, ids=lambda program: program.name)
def test_readelf(program: Program, folder: Path) -> None:
    """readelf prints the same debug information, every line of it, and the same complaints."""
    need(missing("readelf"))
    ours, theirs = linked(program, folder)
    command = ["readelf", "--debug-dump", "--wide"]
    (left, status), (right, expected) = read_by(command, ours), read_by(command, theirs)
    assert sum("DW_TAG_subprogram" in line for line in right) > 100, "nothing to compare"
    assert complaints(left) - complaints(right) == Counter()
    assert left == right
    assert status == expected


# Files that the C compiler finished are left out: llvm-dwarfdump 14 reads the oracle's plugin for
# longer than ten minutes.
@pytest.mark.parametrize("program", PROGRAMS_READ[:3], ids=lambda program: program.name)
def test_llvm_dwarfdump(program: Program, folder: Path) -> None:
    """llvm-dwarfdump --verify complains of nothing that it does not say of the oracle's file."""
    need(missing("llvm-dwarfdump"))
    ours, theirs = linked(program, folder)
    command = ["llvm-dwarfdump", "--verify"]
    (left, status), (right, expected) = read_by(command, ours), read_by(command, theirs)
    assert sum(line.startswith("Verifying unit:") for line in right) > 10, "nothing was verified"
    assert complaints(left) - complaints(right) == Counter()
    assert status == expected


def test_complaints_are_seen(folder: Path) -> None:
    """A damaged file is complained of: the two tests above can fail."""
    need(missing("llvm-dwarfdump", "readelf"))
    good = link_oracle(inputs(TINY), ["-compressdwarf=false"], folder / "theirs").output
    bad = folder / "bad"
    subprocess.run(["objcopy", "--dump-section", f".debug_info={folder / 'i'}", good], check=True)
    info = bytearray((folder / "i").read_bytes())
    for at in range(0x100, 0x1000, 64):
        info[at] = 0xFF
    (folder / "i").write_bytes(info)
    subprocess.run(
        ["objcopy", "--update-section", f".debug_info={folder / 'i'}", good, bad], check=True
    )
    for command in (["llvm-dwarfdump", "--verify"], ["readelf", "--debug-dump", "--wide"]):
        found = complaints(read_by(command, bad)[0]) - complaints(read_by(command, good)[0])
        assert found, command


def line_of(file: str, mark: str) -> str:
    """FILE:LINE of the line that is marked with a comment."""
    lines = (DEBUGGED / file).read_text().splitlines()
    found = [at for at, line in enumerate(lines, 1) if line.endswith(f"// break: {mark}")]
    assert len(found) == 1
    return f"{file}:{found[0]}"


@pytest.fixture(scope="module", params=LINKERS)
def debugged(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Host and plugin as somebody would build them for the debugger."""
    need(missing("gdb"))
    folder = tmp_path_factory.mktemp(request.param)
    args, variables = ["build", "-buildvcs=false", "-gcflags=-N -l"], {"CGO_ENABLED": "1"}
    if request.param == "linkpipe":
        args.append(f"-toolexec={Path(sys.executable).with_name('linkpipe-toolexec')}")
        variables["LINKPIPE_TIMING"] = str(folder / "timing")
    go(*args, "-o", folder / "host", "./debugged/host", cwd=PROGRAMS, **variables)
    mode = "-buildmode=plugin"
    go(*args, mode, "-o", folder / "p.so", "./debugged/plugin", cwd=PROGRAMS, **variables)
    if request.param == "linkpipe":
        assert len((folder / "timing").read_text().splitlines()) == 2, "linkpipe did not link"
    return folder / "host", folder / "p.so"


def gdb(pair: tuple[Path, Path], *commands: str) -> dict[str, str]:
    """Run the host with its plugin under gdb: command -> what it printed.

    Breakpoints are temporary: a goroutine that goes on in another thread would hit one again.
    """
    script = ["set confirm off", "set width 0", "set height 0", "set breakpoint pending on"]
    script += ["set startup-with-shell off", "set debuginfod enabled off"]
    for number, command in enumerate(commands):
        script += [f"echo \\n@{number}@\\n", command]
    file = pair[0].with_suffix(".gdb")
    file.write_text("\n".join([*script, "echo \\n@@\\n", ""]))
    safe = f"add-auto-load-safe-path {goroot() / 'src' / 'runtime'}"
    done = subprocess.run(
        ["gdb", "-nx", "-batch", "-iex", safe, "-x", file, "--args", *pair],
        env={key: value for key, value in os.environ.items() if key != "GOTRACEBACK"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    if "ptrace: Operation not permitted" in done.stdout:
        pytest.fail("this machine does not let gdb trace a process", pytrace=False)
    parts = re.split(r"\n@(\d+)@\n", done.stdout.partition("\n@@\n")[0])
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    told = {commands[int(number)]: text.strip() for number, text in pairs}
    assert len(told) == len(commands), done.stdout
    return told


def value(printed: str) -> str:
    """What print printed, without the number of the value."""
    return re.sub(r"^\$\d+ = ", "", printed)


def frames(printed: str) -> list[str]:
    """The functions of a stack, the innermost first."""
    return re.findall(r"^#\d+\s+(?:0x[0-9a-f]+ in )?([^ ]+)", printed, re.MULTILINE)


def test_gdb_in_the_host(debugged: tuple[Path, Path]) -> None:
    """A breakpoint by file and line in the host; a map, a slice, a string there; and the runtime's
    script, which a debug section names, is loaded."""
    told = gdb(
        debugged,
        f"tbreak {line_of('host/host.go', 'host')}",
        "run",
        "info auto-load python-scripts",
        "print names",
        "print ages",
        "print label",
        "print text",
        "whatis tally",
        "bt",
    )
    assert "// break: host" in told["run"]
    scripts = told["info auto-load python-scripts"]
    assert re.search(r"^Yes +.*runtime-gdb\.py", scripts, re.MULTILINE), scripts
    assert value(told["print names"]) == '[]string = {"first", "second"}'
    assert value(told["print ages"]) == 'map[string]int = {["cow"] = 7}'
    assert value(told["print label"]) == '"ababab"'
    assert value(told["print text"]) == '"one two two"'
    assert frames(told["bt"])[:2] == ["main.ask", "main.main.func1"]


def test_gdb_in_the_plugin(debugged: tuple[Path, Path]) -> None:
    """A breakpoint by file and line in the plugin, which is pending until it is opened; locals; and
    the stack from the plugin's leaf to the host's goroutine."""
    told = gdb(
        debugged,
        f"tbreak {line_of('plugin/tally.go', 'plugin')}",
        "run",
        "print words",
        "print counts",
        "print shout",
        "print *cow",
        "ptype cow",
        f"tbreak {line_of('plugin/tally.go', 'leaf')}",
        "continue",
        "print a",
        "print b",
        "bt",
    )
    assert "// break: plugin" in told["run"]
    assert value(told["print words"]) == '[]string = {"one", "two", "two"}'
    assert value(told["print counts"]) == 'map[string]int = {["one"] = 1, ["two"] = 2}'
    assert value(told["print shout"]) == '"ONE TWO TWO"'
    assert value(told["print *cow"]) == '{Name = "cow", Legs = 4}'
    assert "string Name;" in told["ptype cow"]
    assert "// break: leaf" in told["continue"]
    assert (value(told["print a"]), value(told["print b"])) == ("2", "3")
    assert frames(told["bt"])[:4] == [
        f"{PLUGIN}.add",
        f"{PLUGIN}.Tally",
        "main.ask",
        "main.main.func1",
    ]


def test_gdb_and_goroutines(debugged: tuple[Path, Path]) -> None:
    """The runtime's script finds goroutines by the types and variables in the debug information,
    and walks the stack of one that does not run."""
    told = gdb(
        debugged,
        f"tbreak {line_of('plugin/tally.go', 'leaf')}",
        "run",
        "info goroutines",
        "goroutine 1 bt",
        "goroutine all bt",
    )
    goroutines = told["info goroutines"]
    assert re.search(r"^\* +\d+ +running", goroutines, re.MULTILINE), goroutines
    assert len(re.findall(r"^ +\d+ +waiting +", goroutines, re.MULTILINE)) >= 2, goroutines
    first = frames(told["goroutine 1 bt"])
    assert first[0] == "runtime.gopark"
    assert "main.main" in first
    assert "main.waiter" in frames(told["goroutine all bt"])
