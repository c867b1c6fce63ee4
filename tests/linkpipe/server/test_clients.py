"""Clients: many at once, two kinds at once, interrupted, killed."""

from __future__ import annotations

import os
import signal
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.linkpipe.server.conftest import HANGS, Room, observer, until

SLOW = """
import os, signal, time
from linkpipe.engine.runner import Observer

class Own(Observer):
    def before_pass(self, planned, link):
        if planned.name == os.environ.get("AT", "output"):
            with open("here", "w") as file:  # an interrupt in a finalizer would be lost
                file.write(str(os.getpid()))
            end = time.monotonic() + 60
            while time.monotonic() < end and not os.path.exists("go on"):
                time.sleep(0.01)
"""


def here(room: Room) -> int:
    """Wait until a link waits; the process that does it."""
    path = room.folder / "here"
    until(lambda: path.exists() and path.read_text())
    return int(path.read_text())


def started(room: Room, server: int, **how: Any) -> tuple[subprocess.Popen[str], int]:
    """A link that a server does, if there is one, and that waits: its client, its process."""
    for _ in range(20):
        (room.folder / "here").unlink(missing_ok=True)
        (room.folder / "out").write_text("old")
        client = room.start(**how)
        child = here(room)
        if server in (0, parent(child)):
            return client, child
        client.terminate()  # the server did not answer in time, for the machine is busy
        client.communicate(timeout=HANGS)
    raise AssertionError("it is not served")


@pytest.fixture
def waiting(room: Room) -> Room:
    room.variables.update(observer(room, SLOW))
    return room


def parent(process: int) -> int:
    text = Path(f"/proc/{process}/stat").read_text()
    return int(text.rpartition(")")[2].split()[1])


def gone(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def left(room: Room) -> set[str]:
    ours = {"runtime", "installed", "here", "timing", "streams", "go on"}
    return {path.name for path in room.folder.iterdir()} - ours


THREADS = """
import os, time
from linkpipe.api import Observer
from linkpipe.arrays.threads import threads

class Own(Observer):
    def on_start(self, plan, link):
        with open(link.options.o + ".threads", "w") as file:
            file.write(f"{threads()} {len(os.sched_getaffinity(0))}")
        while link.options.o == "first" and not os.path.exists("go on"):
            time.sleep(0.01)
"""


def test_links_at_once_share_the_processors(room: Room) -> None:
    room.variables.update(observer(room, THREADS))
    server = room.serve()
    children = Path(f"/proc/{server}/task/{server}/children")
    until(lambda: not children.read_text())  # who was asked how it is

    def told(out: str) -> list[int]:
        path = room.folder / f"{out}.threads"
        until(lambda: path.exists() and path.read_text())
        return list(map(int, path.read_text().split()))

    first = room.start(out="first")
    alone, processors = told("first")
    room.served(out="second")
    (room.folder / "go on").touch()
    assert first.communicate(timeout=HANGS) == ("", "")
    room.served("-s", out="third", LINKPIPE_THREADS="7")
    assert alone == processors
    assert told("second")[0] == max(1, processors // 2)
    assert told("third")[0] == 7


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_signals(waiting: Room, number: signal.Signals) -> None:
    """The same status, words, and nothing left, with a server and without."""
    room, found = waiting, []
    server = room.serve()
    for asked in ("auto", ""):
        client, child = started(room, server if asked else 0, LINKPIPE_SERVER=asked)
        client.send_signal(number)
        out, err = client.communicate(timeout=HANGS)
        until(partial(gone, child))
        words = [line.partition(", for ")[0] for line in err.splitlines()]
        found.append((client.returncode, out, words))
        assert (room.folder / "out").read_text() == "old"
        assert left(room) == {"out"}
    assert found[0] == found[1]
    assert found[0][0] == 128 + number


def test_a_signal_that_is_ignored(waiting: Room) -> None:
    """As nohup does it."""
    room = waiting
    server = room.serve()
    ignore = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
    client, _ = started(room, server, more=ignore)
    client.send_signal(signal.SIGHUP)
    (room.folder / "go on").write_text("")
    assert client.communicate(timeout=HANGS) == ("", "")
    assert client.returncode == 0
    assert room.told().startswith("by the server")


def test_a_client_that_is_killed(waiting: Room) -> None:
    """What it asked for ends, leaves nothing, and touches no old output."""
    server = waiting.serve()
    client, child = started(waiting, server)
    client.kill()
    client.communicate(timeout=HANGS)
    until(lambda: gone(child))
    assert (waiting.folder / "out").read_text() == "old"
    assert left(waiting) == {"out"}
    assert waiting.processes() == [server]


@pytest.mark.parametrize("server_too", [False, True])
def test_a_child_that_is_killed(waiting: Room, server_too: bool) -> None:
    """The client speaks for it, and removes what it left."""
    server = waiting.serve()
    client, child = started(waiting, server)
    if server_too:
        os.kill(server, signal.SIGKILL)
    os.kill(child, signal.SIGKILL)
    _, err = client.communicate(timeout=HANGS)
    if server_too:
        assert client.returncode == 2
        assert ": the process was ended, and left no result\n" in err
    else:
        assert client.returncode == 128 + signal.SIGKILL
        assert ": the process was ended by signal 9 (killed)\n" in err
    assert (waiting.folder / "out").read_text() == "old"
    assert left(waiting) == {"out"}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP])
def test_a_server_that_ends_while_it_links(waiting: Room, number: signal.Signals) -> None:
    """The link goes on, to its end; also when the server hears nothing of that end."""
    server = waiting.serve()
    client, _ = started(waiting, server)
    os.kill(server, number)
    (waiting.folder / "go on").write_text("")
    assert client.communicate(timeout=HANGS) == ("", "")
    assert client.returncode == 0
    assert (waiting.folder / "out").read_bytes()[:4] == b"\x7fELF"


def test_many_at_once_from_nothing(room: Room) -> None:
    """One starts a server, no one waits for it, and all are right."""
    links = [room.start(out=f"out{number}") for number in range(20)]
    for link in links:
        assert link.communicate(timeout=HANGS) == ("", "")
        assert link.returncode == 0
    assert len({(room.folder / f"out{number}").read_bytes() for number in range(20)}) == 1
    assert len(room.processes()) == 1


def test_two_kinds_at_once(room: Room) -> None:
    """Each has its own server: here they differ in a variable that Python reads when it starts, as
    two environments do in their Python."""
    for seed in ("1", "2"):
        room.link("-V", PYTHONHASHSEED=seed)
    until(lambda: len(room.processes()) == 2)
    until(lambda: len(list(room.files.glob("*.socket"))) == 2)
    for seed in ("1", "2"):
        assert room.served(PYTHONHASHSEED=seed) == (0, "", "")
    served = {line.split()[-1] for line in room.timings()}
    assert served == {str(process) for process in room.processes()}


def test_a_relative_folder_of_modules(room: Room) -> None:
    """It means another place in each working directory."""
    room.link(PYTHONPATH="lib")
    assert room.told() == "without the server: PYTHONPATH depends on the working directory"
    assert room.processes() == []
