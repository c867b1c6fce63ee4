"""Nothing but linkpipe links: the toolchain's own linker is replaced by a program that fails."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conformance import oracle
from tests.conformance.programs import EXAMPLES, PROGRAMS, TINY, inputs
from tests.conformance.toolchain import environment, goroot, link_tool

FAILS = """#!/bin/sh
echo "$0: the stock linker was called: $*" >> {log}
echo "the stock linker was called" >&2
exit 77
"""


def crippled(folder: Path) -> tuple[Path, Path]:
    """A GOROOT like the pinned one, but for its linker; and the log of that one's calls."""
    copy, log = folder / "goroot", folder / "called"
    tools = link_tool().parent
    within = tools.relative_to(goroot())
    (copy / within).mkdir(parents=True)
    at, source = copy, goroot()
    for part in within.parts:
        for entry in source.iterdir():
            if entry.name != part:
                (at / entry.name).symlink_to(entry)
        at, source = at / part, source / part
    for tool in tools.iterdir():
        (at / tool.name).symlink_to(tool)
    (at / "link").unlink()
    (at / "link").write_text(FAILS.format(log=log))
    (at / "link").chmod(0o755)
    return copy, log


def build(
    copy: Path, cwd: Path, *args: str | Path, **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run go build with the crippled toolchain."""
    env = environment(**extra) | {"GOROOT": str(copy)}
    return subprocess.run(
        [copy / "bin" / "go", "build", "-buildvcs=false", *args],
        cwd=cwd,
        env=env,
        text=True,
        capture_output=True,
        check=False,
    )


def test_a_link_by_hand_is_of_the_toolchain_that_compiled_its_inputs(folder: Path) -> None:
    """Not of the `go` that is first on PATH: the version goes into the output."""
    other = folder / "go"
    (other / "bin").mkdir(parents=True)
    (other / "VERSION").write_text("go1.20.1\n")
    (other / "bin" / "go").write_text("#!/bin/sh\nexit 1\n")
    (other / "bin" / "go").chmod(0o755)
    path = f"{other / 'bin'}{os.pathsep}{os.environ['PATH']}"
    variables = {"PATH": path, "GOROOT": ""}
    given = inputs(TINY)
    theirs = oracle.link_oracle(given, ("-w",), folder / "theirs", variables=variables)
    ours = oracle.link_linkpipe(given, ("-w",), folder / "ours", variables=variables)
    assert oracle.differences(ours, theirs) == []


def test_the_stock_linker_is_not_called(folder: Path) -> None:
    """Plugin, host and a program without cgo, by `go build -toolexec`, with no stock linker."""
    copy, log = crippled(folder)
    stub = Path(sys.executable).with_name("linkpipe-toolexec")
    assert stub.exists(), "linkpipe is not installed: pip install -e '.[test]'"
    toolexec = f"-toolexec={stub}"
    ldflags = "-ldflags=-w"

    plain = build(copy, EXAMPLES, "-o", folder / "stock", "./host", CGO_ENABLED="1")
    assert plain.returncode, "the copied toolchain still links: this test would prove nothing"
    assert log.exists()
    log.unlink()

    built = [
        build(copy, EXAMPLES, toolexec, ldflags, "-o", folder / "host", "./host"),
        build(
            copy,
            EXAMPLES,
            toolexec,
            ldflags,
            "-buildmode=plugin",
            "-o",
            folder / "p.so",
            "./plugin",
        ),
        build(
            copy, PROGRAMS, toolexec, ldflags, "-o", folder / "hello", "./hello", CGO_ENABLED="0"
        ),
    ]
    assert [(done.returncode, done.stdout, done.stderr) for done in built] == [(0, "", "")] * 3
    assert not log.exists(), log.read_text()
    hello = subprocess.run([folder / "hello"], text=True, capture_output=True, check=True)
    assert hello.stdout == "hello, linker\n"
    host = subprocess.run(
        [folder / "host", folder / "p.so"], text=True, capture_output=True, check=True
    )
    assert host.stdout.startswith("hello, host\ngood morning, host\n")
    assert os.path.getsize(folder / "p.so") > 1 << 20
    shutil.rmtree(copy)
