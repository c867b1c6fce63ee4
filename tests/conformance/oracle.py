"""Links the same inputs with `go tool link` and with linkpipe, and compares what they wrote.

The go command rewrites the build id of what the linker wrote; so the outputs of the link itself
are compared, never those of `go build`. Where the C compiler finishes the link, a wrapper in its
place writes down how it was called, and `-tmpdir` keeps the objects that it was given.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from attrs import field, frozen

from tests.conformance.compressed import compare_compressed
from tests.conformance.programs import Inputs, Program
from tests.conformance.toolchain import ROOT, compiler, environment, link_tool

MODES: dict[str, tuple[str, ...]] = {
    "s-w": ("-s", "-w"),
    "w": ("-w",),
    "dwarf": ("-compressdwarf=false",),
    "default": (),
}
"""Flags that every program is linked with: without symbols, without debug information, with it as
it is, and compressed, which is the default."""

# How often a host opens its plugin: what depends on luck shall show.
TIMES = 10
# How often a program that dies of a signal in an emulator is run.
EMULATED = 3

MEASURE = Path(__file__).with_name("measure.py")

WRAPPER = """#!/bin/sh
printf '%s\\0' "$#" "$@" >> {log}
exec {compiler} "$@"
"""


@frozen
class Linked:
    """What one link did: its output and messages, and the objects and calls of the host link.

    `seconds` is wall time; `cpu` the seconds that the linker and all that it waited for computed;
    `peak` the largest resident set, in bytes, of one of these processes.
    """

    output: Path
    status: int
    stderr: str
    stdout: str
    seconds: float
    cpu: float
    peak: int
    tmpdir: Path
    calls: tuple[tuple[str, ...], ...] = field(default=())

    @property
    def host_link(self) -> tuple[str, ...]:
        """The arguments of the last call of the C compiler, its probes come before."""
        return self.calls[-1] if self.calls else ()

    def normalised(self) -> list[str]:
        """The arguments of the host link with what differs by place replaced."""
        return [word.replace(str(self.tmpdir), "TMPDIR") for word in self.host_link]


def stock() -> list[str]:
    """The command of the toolchain's own linker."""
    return [str(link_tool())]


def linkpipe() -> list[str]:
    """The command of the linker under test."""
    return [sys.executable, "-P", "-m", "linkpipe", "link"]


def read_calls(log: Path) -> tuple[tuple[str, ...], ...]:
    """Read the wrapper's log: for each call a count and so many words, each ended by a NUL."""
    if not log.exists():
        return ()
    words = log.read_bytes().decode().split("\0")[:-1]
    calls, at = [], 0
    while at < len(words):
        count = int(words[at])
        calls.append(tuple(words[at + 1 : at + 1 + count]))
        at += 1 + count
    return tuple(calls)


# What a compiler can do is asked anew, for there is a new wrapper for every link.
ASK = {"LINKPIPE_PROBE_CACHE": "off"}


def link(
    command: Sequence[str],
    inputs: Inputs,
    flags: Sequence[str],
    folder: Path,
    *,
    external: bool = False,
    name: str = "out",
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Linked:
    """Link the inputs with the command into folder/name; a failed link is not an error here. The
    linker gets the name as it is given here, and runs in the folder.

    With `external` the C compiler is wrapped and its calls and inputs are kept.
    """
    folder.mkdir(parents=True, exist_ok=True)
    output, tmpdir = folder / name, folder / "tmp"
    argv = [*command, "-o", name, *inputs.flags, *flags]
    log = folder / "calls"
    env = inputs.environment() | dict(variables)
    if external:
        env |= ASK
        shutil.rmtree(tmpdir, ignore_errors=True)
        tmpdir.mkdir()
        log.unlink(missing_ok=True)
        called, *with_flags = shlex.split(inputs.env.get("CC") or compiler())
        found = shutil.which(called) or called
        wrapper = folder / Path(found).name
        wrapper.write_text(WRAPPER.format(log=log, compiler=shlex.join([found, *with_flags])))
        wrapper.chmod(0o755)
        argv += ["-tmpdir", str(tmpdir), f"-extld={wrapper}"]
    argv += inputs.operands
    argv = [sys.executable, "-I", "-S", str(MEASURE), str(folder / "measured"), *argv]
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        done = subprocess.run(argv, cwd=folder, env=env, stdout=out, stderr=err, check=False)
    seconds, cpu, peak = (folder / "measured").read_text().split()
    (folder / "measured").unlink()
    return Linked(
        output,
        done.returncode,
        (folder / "stderr").read_text(errors="replace"),
        (folder / "stdout").read_text(errors="replace"),
        float(seconds),
        float(cpu),
        int(peak),
        tmpdir,
        read_calls(log),
    )


def link_oracle(inputs: Inputs, flags: Sequence[str], folder: Path, **more: Any) -> Linked:
    """Link with the toolchain's own linker, which must succeed."""
    linked = link(stock(), inputs, flags, folder, **more)
    if linked.status:
        msg = f"go tool link failed with exit status {linked.status}:\n{linked.stderr}"
        raise RuntimeError(msg)
    return linked


def link_linkpipe(inputs: Inputs, flags: Sequence[str], folder: Path, **more: Any) -> Linked:
    """Link with linkpipe."""
    return link(linkpipe(), inputs, flags, folder, **more)


def same(left: Path, right: Path) -> bool:
    """Whether two files have the same bytes."""
    return left.stat().st_size == right.stat().st_size and left.read_bytes() == right.read_bytes()


def explain(left: Path, right: Path) -> str:
    """The differences of two linked files in words, by `linkpipe compare`."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "linkpipe", "compare", str(left), str(right)],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
    )
    return done.stdout + done.stderr


def differences(ours: Linked, theirs: Linked) -> list[str]:
    """Compare two links: objects for the host linker, its calls, the final file."""
    if ours.status:
        return [f"linkpipe: exit status {ours.status}\n{ours.stderr}{ours.stdout}"]
    found = []
    if theirs.tmpdir.exists():
        names = sorted(
            {file.name for linked in (ours, theirs) for file in linked.tmpdir.glob("*.o")}
        )
        for name in names:
            left, right = theirs.tmpdir / name, ours.tmpdir / name
            if not (left.exists() and right.exists()):
                only = "go tool link" if left.exists() else "linkpipe"
                found.append(f"{name}: written by {only} only")
            elif not same(left, right):
                found.append(f"{name}: {explain(left, right)}")
    if theirs.normalised() != ours.normalised():
        called = f"go tool link: {theirs.normalised()}\n  linkpipe:     {ours.normalised()}"
        found.append(f"the C compiler was called differently:\n  {called}")
    if not same(theirs.output, ours.output):
        # Compressed bytes may differ; what they stand for may not.
        told = compare_compressed(ours.output, theirs.output)
        if told:
            found += [told, explain(theirs.output, ours.output)]
    return found


def run(linked: Path, *args: str | Path, runner: Sequence[str] = ()) -> tuple[int, str]:
    """Run a linked program; exit status, and what it printed on both streams. ``runner`` are the
    words before it.

    An emulator itself fails once in some thousand runs (the oracle's own file was seen to die of a
    signal that the same bytes beside it did not get), so what dies of a signal there runs again,
    `EMULATED` times in all: a program that is wrong dies each time."""
    tries = EMULATED if runner else 1
    while True:
        tries -= 1
        done = subprocess.run(
            [*runner, linked, *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            env=environment(),
            check=False,
        )
        if done.returncode >= 0 or not tries:
            return done.returncode, done.stdout


def prints(program: Program, linked: Path) -> tuple[int, str]:
    """Run what was linked, or the C program that calls it; exit status and output. The program is
    made anew for each library, for an archive is part of it."""
    user = linked
    if program.user:
        user = linked.with_name("user")
        command: list[str | Path] = [*shlex.split(program.compiler), "-o", user, program.user]
        command += [linked, "-lpthread", f"-Wl,-rpath,{linked.parent}"]
        subprocess.run(command, env=environment(), check=True)
    return run(user, *(program.run or ()), runner=program.runner)


def opens(
    program: Program, ours: tuple[Linked, Linked], theirs: tuple[Linked, Linked]
) -> tuple[int, str]:
    """How many times of `TIMES` our host opens our plugin, calls it and prints what the oracle's
    pair does; and what was printed the first time that it was not so, or else the last time.
    """
    host, plugin = theirs
    want = run(host.output, plugin.output, runner=program.runner)
    host, plugin = ours
    results = [run(host.output, plugin.output, runner=program.runner) for _ in range(TIMES)]
    bad = [result for result in results if result != want or result[0] != 0]
    return TIMES - len(bad), (bad or results)[0][1]


def external(program: Program) -> bool:
    """Whether the C compiler finishes the link of this program."""
    return program.cgo
