"""A link that a server cannot do as it would be done without one is done without, and nothing of it
comes back to the server."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sys
import time
from pathlib import Path

import pytest

from linkpipe.server import client, handover, place
from linkpipe.server.host import IDLE, IDLE_VARIABLE, _idle
from linkpipe.server.stamps import Stamps
from tests.linkpipe.server.conftest import HANGS, Room, observer, until


def connected(room: Room) -> socket.socket:
    """A connection on which a child of the server has said that it is there."""
    (name,) = {path.stem for path in room.files.glob("*.lock")}
    folder = os.open(room.files, os.O_RDONLY)
    try:
        until(lambda: client.status(folder, name))
        served = client.connect(folder, name)
    finally:
        os.close(folder)
    assert served is not None
    assert client.hear(served, time.monotonic() + HANGS) == client.HERE
    return served  # type: ignore[return-value]  # of _socket


def children(process: int) -> str:
    return Path(f"/proc/{process}/task/{process}/children").read_text()


def wrong(served: socket.socket, what: str) -> None:
    """Say something else than a client does."""
    if what == "junk":
        client.send(served, b"junk")
    elif what == "nothing":
        client.send(served, handover.write("link", b"", (), "", ()), [0, 1])
    elif what == "no file":
        served.sendall(b"\0")


@pytest.mark.parametrize("what", ["junk", "nothing", "no file", "gone"])
def test_what_no_client_says(shared: Room, what: str) -> None:
    """The child ends; it does not go on as the server, whose code it has."""
    (process,) = shared.processes()
    served = connected(shared)
    wrong(served, what)
    if what != "gone":
        served.settimeout(HANGS)
        assert served.recv(100) not in (b"", client.READY)
    served.close()
    until(lambda: not children(process))
    assert shared.processes() == [process]
    assert list(shared.files.glob("*.socket"))
    assert next(shared.files.glob("*.lock")).read_text().startswith(f"{process} ")


def test_no_memory(shared: Room) -> None:
    """With less than the server has: the link is what it is without."""
    (process,) = shared.processes()
    limit = 60000 << 10
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    less = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, hard))}
    assert shared.link("-V", more=less) == shared.link("-V", LINKPIPE_SERVER="", more=less)
    until(lambda: not children(process))
    assert shared.processes() == [process]


def test_without_standard_input(shared: Room) -> None:
    """It is /dev/null, and not the folder of the server."""
    closed = {"preexec_fn": lambda: os.close(0)}
    assert shared.served(more=closed) == (0, "", "")


def test_a_variable_without_a_name(shared: Room, room: Room) -> None:
    for each in (shared, room):
        command = each.command("-V")
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                for number in (1, 2):
                    os.dup2(write, number)
                variables = [f"{key}={value}".encode() for key, value in each.environment().items()]
                _execve(command, [*variables, b"=x"])
            finally:
                os._exit(99)
        os.close(write)
        with open(read) as file:
            said = file.read()
        assert os.waitpid(child, 0)[1] == 0, said
        assert said.startswith("link version "), said
        assert len(said.splitlines()) == 1


def _execve(command: list[str], variables: list[bytes]) -> None:
    """As os.execve, which takes no such variables."""
    import ctypes

    argv = (ctypes.c_char_p * (len(command) + 1))(*map(os.fsencode, command), None)
    envp = (ctypes.c_char_p * (len(variables) + 1))(*variables, None)
    ctypes.CDLL(None).execve(os.fsencode(command[0]), argv, envp)


FORKS = """
import os, time
from linkpipe.engine.runner import Observer

class Own(Observer):
    def on_start(self, plan, link):
        child = os.fork()
        if child == 0:
            for name in os.listdir("/proc/self/fd"):  # but for the client's line
                try:
                    if not os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                        os.close(int(name))
                except OSError:
                    pass
            while not os.path.exists("go on"):
                time.sleep(0.01)
            os._exit(0)
"""


def test_a_copy_of_the_child_is_not_waited_for(room: Room) -> None:
    """As without a server."""
    room.variables.update(observer(room, FORKS))
    room.serve()
    try:
        assert room.served() == (0, "", "")
    finally:
        (room.folder / "go on").write_text("")


def test_a_child_that_is_gone_before_it_hears_go() -> None:
    """It has done nothing: the client links, and hears signals as before."""
    before = [callable(signal.getsignal(number)) for number in handover.SIGNALS]
    ours, theirs = socket.socketpair()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = client._serve(ours, b"", set(), time.monotonic() + HANGS)
            after = [callable(signal.getsignal(number)) for number in handover.SIGNALS]
            os.write(write, json.dumps([said, after]).encode())
        finally:
            os._exit(0)
    os.close(write)
    ours.close()
    with theirs, open(read) as told:
        theirs.sendall(client.HERE)
        _, files, _, _ = socket.recv_fds(theirs, 1, 8)
        theirs.sendall(client.READY)
        theirs.close()
        for file in files:
            os.close(file)
        assert json.loads(told.read()) == ["it ended", before]
    os.waitpid(child, 0)


@pytest.mark.parametrize("option", ["-O", "-E", "-I", "-s"])
def test_options_of_python(shared: Room, option: str) -> None:
    """A server is started without."""
    command = [sys.executable, option, *shared.command()[1:]]
    done = shared.by_hand(command)
    assert (done.returncode, done.stderr) == (0, "")
    assert shared.told() == "without the server: Python was started with options of its own"


def test_a_variable_of_python_is_no_option(room: Room) -> None:
    room.link(PYTHONOPTIMIZE="1", PYTHONWARNINGS="ignore")
    assert room.told().endswith("it is started")


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process has no options of Python's, however the tests are run."""
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, "-P"])


@pytest.mark.usefixtures("plain")
def test_another_linkpipe(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = place.identity()
    monkeypatch.setattr(place, "__path__", ["/elsewhere/linkpipe"])
    assert place.identity() != mine


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("what", ["rights", "hard limit", "priority"])
def test_whom_it_is_for(what: str) -> None:
    """What a process cannot take on again once it has given it up."""
    mine = place.identity()
    child = os.fork()
    if child == 0:
        code = 3
        try:
            if what == "rights":
                import ctypes

                ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
            elif what == "hard limit":
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                resource.setrlimit(resource.RLIMIT_NOFILE, (50, 60))
            else:
                os.nice(1)
            code = int(place.identity() == mine)
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_folder_that_comes_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is looked through for modules."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "later")])
    stamps = Stamps.take([])
    assert stamps.changed() == ""
    (tmp_path / "later").mkdir()
    assert stamps.changed() == str(tmp_path / "later")


def test_processes_of_another_namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their numbers mean others here: nobody sends a signal to one."""
    import fcntl

    with (tmp_path / "name.lock").open("wb", buffering=0) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = os.open(tmp_path, os.O_RDONLY)
        try:
            lock.write(place.written(os.getpid()))
            assert place.holder(folder, "name") == os.getpid()
            monkeypatch.setattr(place, "_namespace", lambda _: "pid:[1]")
            assert place.holder(folder, "name") == 0
        finally:
            os.close(folder)


@pytest.mark.parametrize("said", ["", "inf", "nan", "0", "-1", "1e999", "soon"])
def test_minutes_that_are_none(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(IDLE_VARIABLE, said)
    assert _idle() == IDLE * 60
    monkeypatch.setenv(IDLE_VARIABLE, "0.5")
    assert _idle() == 30
