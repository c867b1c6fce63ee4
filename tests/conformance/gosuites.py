"""Go's own test suites, linked by linkpipe and by the stock linker: the same outcomes?

    python -m tests.conformance.gosuites [SUITE …] [-run PATTERN] [--tests] [--keep]

SUITES says which; without names all of them run, each with both linkers. A table shows how they
went and how many links each linker made, then every test whose outcome differs is named. Exit
status 1 when a difference has no reason in known.toml, when known.toml excuses what needs no
excuse, or when a suite was not linked by linkpipe (it would prove nothing); 2 when a suite does not
run with the stock linker either.

How linkpipe gets in: GOFLAGS=-toolexec=… reaches the go commands that the tests start. The wrapper
that stands there writes down each link, answers `-V=full` with something new in every run, so that
the go command takes no earlier link for an up-to-date one, and hands on to linkpipe-toolexec or to
the stock linker. Links are counted twice: as asked for, by the wrapper, and as finished, by
linkpipe itself. The two linkers have build caches of their own. The tests of cmd/link itself pass a
-toolexec of their own, which replaces ours and calls the linker that they are compiled with: there
the linker's main function is overlaid by one that calls the wrapper.

The suites run in a copy of GOROOT, for some write there. Times out rather than hangs.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import field, frozen

from tests.conformance.programs import lock, scratch
from tests.conformance.toolchain import cache, environment, goroot, link_tool
from tests.conformance.tools import VARIABLE, missing, required

HERE = Path(__file__).resolve().parent
LINKERS = ("linkpipe", "stock")
OUTCOMES = ("pass", "skip", "fail")
ABSENT = "-"
"""The outcome of a test that did not run, because another stopped the suite or it is a subtest of
one that failed early."""


@frozen
class Suite:
    """A package of the toolchain whose tests are run.

    `run` chooses tests (go test's -run); `flags` are more flags of go test, and `variables` more of
    its environment; `needs` are programs without which the suite skips what matters; `alone` ones
    write into GOROOT or measure time, so nothing runs beside them; `overlaid` is the package's own
    file whose main function is the linker; `minutes` is when it has hung.
    """

    name: str
    package: str
    run: str = ""
    flags: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(factory=dict)
    needs: tuple[str, ...] = ()
    alone: bool = False
    overlaid: str = ""
    minutes: int = 10


CGO = "cmd/cgo/internal"
STATIC = '-ldflags=-linkmode=external -extldflags "-static -pthread"'


def _forms(name: str, package: str, *forms: str) -> tuple[Suite, ...]:
    """A suite of cgo's in forms that the toolchain's own builders run (cmd/dist/test.go,
    registerCgoTests): the linker and the mode of building are part of what is tested."""
    flags = {
        "internal": ("-tags=internal", "-ldflags=-linkmode=internal"),
        "internal-pie": (
            "-tags=internal,internal_pie",
            "-buildmode=pie",
            "-ldflags=-linkmode=internal",
        ),
        "external": ("-ldflags=-linkmode=external",),
        "static": ("-tags=static", STATIC),
        "pie": ("-buildmode=pie",),
    }
    return tuple(
        Suite(f"{name}-{form}" if form else name, package, flags=flags.get(form, ()), minutes=15)
        for form in forms
    )


def _raced(*packages: str) -> tuple[Suite, ...]:
    return tuple(
        Suite(f"{package}-race", package, flags=("-race",), minutes=30) for package in packages
    )


# dwarf and elf build no program but their own test: what they prove is that these run.
SUITES = (
    Suite("testplugin", "cmd/cgo/internal/testplugin", alone=True),
    Suite("testcshared", "cmd/cgo/internal/testcshared", alone=True, minutes=15),
    Suite("testcarchive", "cmd/cgo/internal/testcarchive", alone=True, minutes=15),
    Suite("testshared", "cmd/cgo/internal/testshared", alone=True, minutes=15),
    Suite("link", "cmd/link", overlaid="main.go", minutes=30),
    Suite("ld", "cmd/link/internal/ld", minutes=15),
    Suite("dwarf", "debug/dwarf"),
    Suite("elf", "debug/elf"),
    Suite("gosym", "debug/gosym"),
    Suite("buildinfo", "debug/buildinfo"),
    Suite("nm", "cmd/nm"),
    Suite("objdump", "cmd/objdump"),
    Suite("addr2line", "cmd/addr2line"),
    Suite("pprof", "runtime/pprof", alone=True),
    Suite("runtime", "runtime", "Gdb|Crash|Callers|Pprof", needs=("gdb",), alone=True, minutes=15),
    *_forms("cgo", f"{CGO}/test", "", "internal", "internal-pie", "external", "static", "pie"),
    Suite(
        "cgo-auto-static",
        f"{CGO}/test",
        flags=("-tags=static",),
        variables={"CGO_LDFLAGS": "-static -pthread"},
        minutes=15,
    ),
    # Without a host linker thread-local variables of C are refused.
    *_forms("testtls", f"{CGO}/testtls", "", "external", "static", "pie"),
    *_forms("testnocgo", f"{CGO}/testnocgo", "", "external", "static", "pie"),
    Suite("testso", f"{CGO}/testso", alone=True),
    Suite("teststdio", f"{CGO}/teststdio", alone=True),
    Suite("testlife", f"{CGO}/testlife", alone=True),
    Suite("testsanitizers", f"{CGO}/testsanitizers", alone=True, minutes=30),
    *_forms("user", "os/user", "", "internal", "external", "static", "pie"),
    *_forms("net", "net", "", "internal", "external", "pie"),
    Suite("race", "runtime/race", flags=("-race",), alone=True, minutes=30),
    *_raced("sync", "sync/atomic", "net/http", "encoding/json"),
)


@frozen
class Outcome:
    """How one suite went with one linker: `tests` maps each test, subtests too, to its outcome;
    `printed` what it said; `asked` and `made` count links, those asked of the wrapper and those
    that linkpipe finished."""

    tests: Mapping[str, str]
    printed: Mapping[str, str] = field(factory=dict, repr=False)
    asked: int = 0
    made: int = 0
    seconds: float = 0.0

    def counts(self) -> str:
        """Passed, skipped, failed; subtests not counted."""
        top = [outcome for test, outcome in self.tests.items() if "/" not in test]
        return "/".join(str(top.count(outcome)) for outcome in OUTCOMES)

    def reason(self, test: str) -> str:
        """What a skipped test gave as its reason: what it printed last."""
        lines = [line.strip() for line in self.printed.get(test, "").splitlines()]
        lines = [line for line in lines if line and not line.startswith(("=== ", "--- "))]
        return re.sub(r"^\S+\.go:\d+: ", "", lines[-1]) if lines else ""


PACKAGE = "(package)"
"""The suite itself, where it fails and none of its tests does: not built, timed out, TestMain."""


def read_events(lines: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """The output of `go test -json`: outcomes by test, and what each test printed."""
    tests: dict[str, str] = {}
    printed: dict[str, list[str]] = {}
    whole = ""
    for line in lines:
        try:
            event = json.loads(line)
            action = event["Action"]
        except (ValueError, TypeError, KeyError):
            event, action = {"Output": f"{line}\n"}, "output"
        test = event.get("Test", PACKAGE)
        if action in ("output", "build-output"):
            printed.setdefault(test, []).append(event.get("Output", ""))
        elif action in OUTCOMES and test == PACKAGE:
            whole = action
        elif action in OUTCOMES:
            tests[test] = action
    if whole not in ("pass", "skip") and "fail" not in tests.values():
        tests[PACKAGE] = "fail"
    return tests, {test: "".join(parts) for test, parts in printed.items()}


WRAPPER = """#!/bin/sh
case "${{1##*/}}" in
link) ;;
*) exec "$@" ;;
esac
case " $* " in
*" -V=full "*)
	answer=$({linker}"$@") || exit
	printf '%s suites=%s\\n' "$answer" {token}
	exit
	;;
esac
echo "$TOOLEXEC_IMPORTPATH" >> {asked}
exec {linker}"$@"
"""


def wrapper(folder: Path, linker: str) -> Path:
    """The toolexec of one run: notes each link in folder/asked."""
    stub = ""
    if linker == "linkpipe":
        stub = shlex.quote(str(Path(sys.executable).with_name("linkpipe-toolexec"))) + " "
    path = folder / "toolexec"
    asked = shlex.quote(str(folder / "asked"))
    text = WRAPPER.format(linker=stub, token=f"{linker}-{time.time_ns()}", asked=asked)
    path.write_text(text)
    path.chmod(0o755)
    return path


MAIN = """package main

import (
	"os"
	"syscall"
)

func main() {{
	args := append([]string{{{wrapper}, {tool}}}, os.Args[1:]...)
	panic(syscall.Exec({wrapper}, args, os.Environ()))
}}
"""


def overlay(folder: Path, file: Path, tool: Path) -> Path:
    """What go test's -overlay reads, in folder: `file` has a main function that calls the wrapper
    there with the arguments, as if the go command had called `tool`."""
    ours, told = folder / "main.go", folder / "overlay.json"
    quoted = {"wrapper": json.dumps(str(folder / "toolexec")), "tool": json.dumps(str(tool))}
    ours.write_text(MAIN.format(**quoted))
    told.write_text(json.dumps({"Replace": {str(file): str(ours)}}))
    return told


def writable() -> Path:
    """A copy of the toolchain that may be written to."""
    version = (goroot() / "VERSION").read_text().split()[0]
    copy = cache() / f"goroot-{version}"
    copy.parent.mkdir(parents=True, exist_ok=True)
    with lock(copy.with_suffix(".lock")):
        if not (copy / "complete").exists():
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(goroot(), copy, symlinks=True)
            (copy / "complete").touch()
    return copy


def lines_of(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


def run(suite: Suite, linker: str, pattern: str, folder: Path, **variables: str) -> Outcome:
    """Run a suite with one linker, in a process group that is ended when its time is over;
    ``variables`` are more of its environment."""
    folder.mkdir(parents=True)
    copy = writable()
    (folder / "tmp").mkdir()
    env = environment(
        GOFLAGS=f"'-toolexec={wrapper(folder, linker)}'",
        CGO_ENABLED="1",
        GOROOT=str(copy),
        GOCACHE=str(cache() / "gosuites" / f"gocache-{linker}"),
        GOTMPDIR=str(folder / "tmp"),
        TMPDIR=str(folder / "tmp"),
        LINKPIPE_TIMING=str(folder / "made"),
        **suite.variables,
        **variables,
    )
    env["PATH"] = f"{copy / 'bin'}{os.pathsep}{env['PATH']}"
    command = [str(copy / "bin" / "go"), "test", "-json", "-count=1", f"-timeout={suite.minutes}m"]
    command += suite.flags
    package = copy / "src" / suite.package
    if suite.overlaid:
        command.append(f"-overlay={overlay(folder, package / suite.overlaid, link_tool())}")
    chosen = pattern or suite.run
    if chosen:
        command.append(f"-run={chosen}")
    begin = time.monotonic()
    with (folder / "events").open("wb") as events:
        process = subprocess.Popen(
            [*command, "."],
            cwd=package,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=events,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            # The first run compiles, which go test's own timeout does not count.
            process.wait((suite.minutes + 10) * 60)
        except subprocess.TimeoutExpired:
            events.write(b"linkpipe: the suite hangs\n")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    tests, printed = read_events((folder / "events").read_text(errors="replace").splitlines())
    seconds = time.monotonic() - begin
    shutil.rmtree(folder / "tmp", ignore_errors=True)
    asked, made = lines_of(folder / "asked"), lines_of(folder / "made")
    return Outcome(tests, printed, asked, made, seconds)


Outcomes = dict[str, dict[str, Outcome]]


def run_all(suites: Sequence[Suite], pattern: str, folder: Path, jobs: int) -> Outcomes:
    """Suite -> linker -> how it went. Those that must be alone come after the others."""
    outcomes: Outcomes = {suite.name: {} for suite in suites}

    def one(job: tuple[Suite, str]) -> None:
        suite, linker = job
        outcome = run(suite, linker, pattern, folder / suite.name / linker)
        outcomes[suite.name][linker] = outcome
        print(
            f"{suite.name}, {linker}: {outcome.counts()} in {outcome.seconds:.0f} s",
            file=sys.stderr,
            flush=True,
        )

    for alone in (False, True):
        todo = [(suite, linker) for suite in suites if suite.alone is alone for linker in LINKERS]
        with ThreadPoolExecutor(1 if alone else jobs) as pool:
            list(pool.map(one, todo))
    return outcomes


def differing(ours: Outcome, theirs: Outcome) -> dict[str, tuple[str, str]]:
    """Tests with another outcome: test -> (with linkpipe, with the stock linker)."""
    pairs = {
        test: (ours.tests.get(test, ABSENT), theirs.tests.get(test, ABSENT))
        for test in sorted({*ours.tests, *theirs.tests})
    }
    return {test: pair for test, pair in pairs.items() if pair[0] != pair[1]}


def excused(test: str, differ: Sequence[str], known: Mapping[str, str]) -> str:
    """The reason in known.toml, if there is one: for the test itself, for a test that it is in, or
    for each of its subtests that differ (a test fails with its subtests)."""
    parts = test.split("/")
    above = ("/".join(parts[:count]) for count in range(len(parts), 0, -1))
    own = next((known[name] for name in above if name in known), "")
    below = [other for other in differ if other.startswith(f"{test}/")]
    if own or not below:
        return own
    reasons = [excused(other, differ, known) for other in below]
    return "its subtests do" if all(reasons) else ""


def judge(
    suite: str, ours: Outcome, theirs: Outcome, known: Mapping[str, str], whole: bool = True
) -> tuple[list[str], list[str]]:
    """Compare one suite: (notes on what differs and may, complaints). `whole`: all of the suite
    ran, so that what known.toml excuses can be held to be needed."""
    notes, complaints = [], []
    found = differing(ours, theirs)
    for test, (left, right) in found.items():
        told = f"{suite} {test}: linkpipe {left}, stock {right}"
        reason = excused(test, list(found), known)
        if reason:
            # A line for each entry of known.toml: what is below it differs for its reason.
            notes += [f"{told}: {reason}"] if test in known else []
        else:
            said = ours.printed.get(test, "") or ours.printed.get(PACKAGE, "")
            complaints.append(f"{told}\n{said}".rstrip())
    complaints += [
        f"{suite} {test}: known.toml excuses it, but it goes as with the stock linker: take it out"
        for test in known
        if whole and test not in found
    ]
    if not ours.made:
        complaints.append(f"{suite}: linkpipe linked nothing, so this proves nothing")
    return notes, complaints


def row(suite: Suite, ours: Outcome, theirs: Outcome, found: int) -> str:
    """One line of the table."""
    links = f"{ours.made}/{ours.asked}"
    return (
        f"| {suite.name:11} | {ours.counts():9} | {theirs.counts():9} | {found:6} "
        f"| {links:8} | {theirs.asked:5} | {ours.seconds:6.0f} s | {theirs.seconds:6.0f} s |"
    )


HEAD = """| suite       | linkpipe  | stock     | differ | links    | stock | linkpipe | stock    |
|             | p/s/f     | p/s/f     |        | linkpipe | links | time     | time     |
|-------------|-----------|-----------|--------|----------|-------|----------|----------|"""


def skips(suite: str, outcomes: Mapping[str, Outcome]) -> list[str]:
    """What was skipped with both linkers, and why."""
    ours = outcomes["linkpipe"]
    return [
        f"{suite} {test}: {ours.reason(test)}"
        for test, outcome in sorted(ours.tests.items())
        if outcome == "skip" == outcomes["stock"].tests.get(test)
    ]


def main(argv: Sequence[str]) -> int:
    names = [suite.name for suite in SUITES]
    parser = argparse.ArgumentParser(prog="gosuites", description="Go's own suites.")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(names)}")
    parser.add_argument("-run", default="", metavar="PATTERN", help="only these tests")
    parser.add_argument("-j", type=int, default=2, metavar="N", help="suites at a time (2)")
    parser.add_argument("--tests", action="store_true", help="show every test, not only suites")
    parser.add_argument("--keep", action="store_true", help="keep what the suites printed")
    told = parser.parse_args(list(argv))
    unknown = [name for name in told.suites if name not in names]
    if unknown:
        parser.error(f"no suite {', '.join(unknown)}; there are {', '.join(names)}")
    suites = [suite for suite in SUITES if not told.suites or suite.name in told.suites]
    stub = Path(sys.executable).with_name("linkpipe-toolexec")
    if not stub.exists():
        print(f"{stub} is missing: pip install -e '.[test]'", file=sys.stderr)
        return 2
    hints = [f"{suite.name}: {missing(*suite.needs)}" for suite in suites if missing(*suite.needs)]
    if hints and required():
        print("\n".join(hints), f"{VARIABLE} is set", sep="\n", file=sys.stderr)
        return 1
    known = tomllib.loads((HERE / "known.toml").read_text()).get("gosuites", {})
    folder = scratch()
    outcomes = run_all(suites, told.run, folder, told.j)
    status = report(suites, outcomes, known, whole=not told.run, every=told.tests)
    for hint in hints:
        print(f"\n{hint}, for tests of this suite were skipped")
    if told.keep:
        print(f"\nwhat the suites printed is in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return status


def report(
    suites: Sequence[Suite],
    outcomes: Outcomes,
    known: Mapping[str, Mapping[str, str]],
    *,
    whole: bool,
    every: bool,
) -> int:
    """Print the table and what differs; the exit status."""
    notes: list[str] = []
    complaints: list[str] = []
    skipped: list[str] = []
    broken: list[str] = []
    print(HEAD)
    for suite in suites:
        ours, theirs = (outcomes[suite.name][linker] for linker in LINKERS)
        print(row(suite, ours, theirs, len(differing(ours, theirs))))
        may, must_not = judge(suite.name, ours, theirs, known.get(suite.name, {}), whole)
        notes += may
        complaints += must_not
        skipped += skips(suite.name, outcomes[suite.name])
        if "pass" not in theirs.tests.values():
            broken.append(f"{suite.name}\n{theirs.printed.get(PACKAGE, '')}")
    complaints += [
        f"known.toml speaks of a suite {name}, which is not one: take it out"
        for name in known
        if name not in {suite.name for suite in SUITES}
    ]
    if every:
        for suite in suites:
            ours, theirs = (outcomes[suite.name][linker] for linker in LINKERS)
            for test in sorted({*ours.tests, *theirs.tests}):
                pair = ours.tests.get(test, ABSENT), theirs.tests.get(test, ABSENT)
                print(f"{suite.name} {test}: linkpipe {pair[0]}, stock {pair[1]}")
    for title, lines in (
        ("skipped with both linkers", skipped),
        ("differs, with a reason in known.toml", notes),
        ("differs, and must not", complaints),
        ("does not run with the stock linker", broken),
    ):
        if lines:
            print(f"\n{title}:", *lines, sep="\n  ")
    if not complaints and not broken:
        print("\nnothing differs that has no reason" if notes else "\nnothing differs")
    return 2 if broken else int(bool(complaints))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
