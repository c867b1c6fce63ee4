"""Signals, at every pass: the old output stays, nothing is left, and a line says what it was."""

from __future__ import annotations

import os
import re
import shutil
import signal
from itertools import cycle
from pathlib import Path

import pytest

from linkpipe.engine.pipeline import load_pipeline
from tests.conformance.programs import TINY, inputs
from tests.faults.links import OLD, files, link, observer

PASSES = [step.name for step in load_pipeline("").steps]
ASKED = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGQUIT: 131}
FATAL = {signal.SIGKILL: 137, signal.SIGSEGV: 139, signal.SIGABRT: 134, signal.SIGBUS: 135}


def untouched(folder: Path) -> bool:
    return files(folder) == {"out"} and (folder / "out").read_text() == OLD


def sends(folder: Path, name: str, number: int) -> None:
    """Install an observer that lets a pass run into a signal."""
    observer(
        folder,
        "def before_pass(self, planned, link):\n"
        f"    if planned.name == {name!r}:\n"
        f"        os.kill(os.getpid(), {int(number)})\n"
        "        time.sleep(0.01)\n",
    )


@pytest.mark.parametrize(
    ("name", "number"), list(zip(PASSES, cycle([*ASKED, *FATAL]), strict=False)), ids=PASSES
)
def test_a_signal_at_a_pass(folder: Path, name: str, number: signal.Signals) -> None:
    """Of those that ask the link to end, and of those that end it."""
    sends(folder, name, number)
    done = link(folder, "-observe", "own")
    if done.status == 0:
        return  # this link does without the pass
    assert untouched(folder)
    assert done.status == {**ASKED, **FATAL}[number]
    if number in ASKED:
        said = "interrupted" if number == signal.SIGINT else "terminated"
        assert done.err == f"linkpipe: {said}\n"
    else:
        first, second = done.err.splitlines()
        assert re.fullmatch(
            rf"linkpipe: observer own_watch.Own: the process was ended by signal {number} \(.*\)",
            first,
        )
        assert second.startswith("\t")


def cuts(folder: Path, package: str, name: str, size: int) -> tuple[Path, int, str]:
    """A link in which a package's archive is cut to a size before a pass: the archive, its size
    before, and the importcfg."""
    given = inputs(TINY)
    own, config = folder / "own.a", folder / "own.cfg"
    lines = (given.folder / "importcfg").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"packagefile {package}=")]
    shutil.copy(line.partition("=")[2], own)
    config.write_text("\n".join([*lines, f"packagefile {package}={own}"]))
    observer(
        folder,
        "def before_pass(self, planned, link):\n"
        f"    if planned.name == {name!r}:\n"
        f"        os.truncate({str(own)!r}, {size})\n",
    )
    return own, own.stat().st_size, str(config)


@pytest.mark.parametrize("name", ["resolve", "reachability", "pclntab", "relocate"])
def test_an_input_that_is_cut_short(folder: Path, name: str) -> None:
    """While it is mapped: to read on is fatal (SIGBUS). The input is named, with its sizes."""
    own, size, config = cuts(folder, "runtime", name, 10)
    done = link(folder, "-w", "-observe", "own", "-importcfg", config)
    assert done.status == 135, done.err
    assert done.err == (
        f"linkpipe: pass {name}: the process was ended by signal 7 (bus error)\n"
        f"\t{own} had {size} bytes when it was opened and has 10 now\n"
        "\tdo not rebuild packages during a link; link again\n"
    )
    assert untouched(folder)


def test_an_input_that_is_cut_by_a_little(folder: Path) -> None:
    """What is left of its last page reads as zeros: nothing fails, and the output may be wrong."""
    main = folder / "own.a"
    shutil.copy(inputs(TINY).main, main)
    size = main.stat().st_size
    body = "if planned.name == 'relocate':\n        os.truncate('own.a', 10)\n"
    observer(folder, f"def before_pass(self, planned, link):\n    {body}")
    done = link(folder, "-w", "-observe", "own", main="own.a")
    assert done.status == 2
    assert done.err.splitlines()[:4] == [
        "linkpipe: file changed while it was being linked",
        f"\tfile: {main}",
        f"\texpected: {size} bytes",
        "\tfound: 10 bytes",
    ]
    assert untouched(folder)


def test_one_process_if_it_is_asked_for(folder: Path) -> None:
    """For a debugger, which would have to follow the child."""
    observer(folder, "def on_end(self, link):\n    print(os.getppid())")
    parents = []
    for value in ("1", "0"):
        done = link(folder, "-w", "-observe", "own", variables={"LINKPIPE_ONE_PROCESS": value})
        assert done.status == 0, done.err
        parents.append(int(done.out.split()[-1]))
    assert parents[0] != parents[1]
    assert os.getpid() not in parents
