"""Whatever a server does, or whoever is in its place, a link is done, at once, and right."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from linkpipe.server import client, place
from tests.linkpipe.server.conftest import HANGS, Room, until

AT_ONCE = 0.05
"""Seconds by which a server may delay a link that it does not do."""

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The output of a link without a server."""
    room = Room(tmp_path_factory.mktemp("right"))
    assert room.link(LINKPIPE_SERVER="")[0] == 0
    return (room.folder / "out").read_bytes()


def name(room: Room) -> str:
    (found,) = {path.stem for path in room.files.glob("*.lock")}
    return found


def linked(room: Room, right: bytes, why: str = "") -> None:
    """A link is done without a server, for a reason, and right."""
    out = room.folder / "out"
    out.unlink(missing_ok=True)
    assert room.link() == (0, "", "")
    assert out.read_bytes() == right
    if why:
        assert room.told().startswith("without the server: ")
        assert why in room.told()


ASKS = """
import time
from linkpipe import server
from linkpipe.server import client

for _ in range(5):
    begin = time.monotonic()
    client.link(["-V"])
    print(time.monotonic() - begin, server.told)
"""


def delay(room: Room) -> float:
    """Seconds until a client knows that it has to link itself; what it waits for is the server
    alone, so another load of the machine is not in it: the best of some."""
    lines = room.by_hand([sys.executable, "-P", "-c", ASKS]).stdout.splitlines()
    assert len(lines) == 5
    told = [line.partition(" ") for line in lines]
    assert all(words.startswith("without the server: ") for _, _, words in told)
    return min(float(seconds) for seconds, _, _ in told)


def test_killed_under_a_row_of_links(room: Room, right: bytes) -> None:
    """At random moments; each link writes what it should, and the next one starts a server."""
    room.serve()
    served = 0
    for number in range(12):
        out = room.folder / f"out{number}"
        link = room.start(out=out.name)
        time.sleep(random.uniform(0, 0.5))
        for process in room.processes() if number else ():  # one is done to its end
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        assert link.communicate(timeout=HANGS) == ("", "")
        assert link.returncode == 0
        assert out.read_bytes() == right
        served += room.told().startswith("by the server")
        if number % 3 == 2:
            (room.files / f"{name(room)}.lock").unlink()  # else ten seconds must go by
            room.serve()
    assert served


def test_hung(room: Room, right: bytes) -> None:
    process = room.serve()
    room.variables[client.WAIT] = ""
    os.kill(process, signal.SIGSTOP)
    linked(room, right, "it did not answer in time")
    assert delay(room) < 1.5 * AT_ONCE
    # When it goes on, it does nothing that was given up.
    (room.folder / "out").unlink()
    os.kill(process, signal.SIGCONT)
    until(lambda: client_status(room)["asked"] > 5)
    # Each question is a child, too, and lives longest where its lines are counted.
    until(lambda: client_status(room)["running"] <= 1, pause=2)
    assert not (room.folder / "out").exists()
    del room.variables[client.WAIT]
    room.served()


def client_status(room: Room) -> dict[str, int]:
    folder = os.open(room.files, os.O_RDONLY)
    try:
        return client.status(folder, name(room)) or {"asked": 0, "running": 2}
    finally:
        os.close(folder)


def test_dead(room: Room, right: bytes) -> None:
    """A server that did not end as it should leaves its socket, and another takes its place."""
    os.kill(room.serve(), signal.SIGKILL)
    until(lambda: not room.processes())
    lock = room.files / f"{name(room)}.lock"
    linked(room, right, f"it could not start: {lock.with_suffix('.log')} says why")
    os.utime(lock, (0, 0))
    linked(room, right, "it is started")
    room.ready()
    room.served()


@contextmanager
def listening(room: Room, user: int = 0) -> Iterator[socket.socket]:
    """Somebody else's socket in the server's place."""
    room.close()
    path = room.files / f"{name(room)}.socket"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(room.files)
        listener.bind(path.name)
        os.chdir(here)
        before = os.geteuid()
        if user:
            os.seteuid(user)
        listener.listen(1)
        if user:
            os.seteuid(before)
        yield listener


def test_one_that_says_nothing(room: Room, right: bytes) -> None:
    room.serve()
    room.variables[client.WAIT] = ""
    with listening(room):
        linked(room, right, "it did not answer in time")
        assert delay(room) < 1.5 * AT_ONCE


@pytest.mark.parametrize("said", [b"", b"\xff" * 300, b"here", b"ready", b"hereready", b"\0"])
def test_one_that_says_anything(room: Room, right: bytes, said: bytes) -> None:
    room.serve()
    room.variables[client.WAIT] = ""
    with listening(room) as listener:
        child = os.fork()
        if child == 0:
            with suppress(OSError):
                connection, _ = listener.accept()
                connection.sendall(said)
            os._exit(0)
        linked(room, right, "without the server")
        os.waitpid(child, 0)


@root_only
def test_one_of_another_user(room: Room, right: bytes) -> None:
    room.serve()
    with listening(room, user=65534):
        linked(room, right, "it is another user's")


@pytest.mark.parametrize("what", ["file", "folder", "link", "nothing"])
def test_no_socket(room: Room, right: bytes, what: str) -> None:
    room.serve()
    room.close()
    path = room.files / f"{name(room)}.socket"
    path.unlink(missing_ok=True)
    if what == "file":
        path.write_text("")
    elif what == "folder":
        path.mkdir()
    elif what == "link":
        path.symlink_to("/dev/null")
    linked(room, right, "without the server")


def test_its_socket_is_taken_away(room: Room, right: bytes) -> None:
    """A server that nobody can reach ends when it looks, and there is another."""
    room.serve()
    for path in room.files.glob("*.socket"):
        path.unlink()
    begin = time.monotonic()
    until(lambda: not room.processes())
    assert time.monotonic() - begin < HANGS / 2
    linked(room, right, "it is started")
    room.ready()
    room.served()


def _linked_but_not_busy(room: Room, right: bytes) -> bool:
    linked(room, right, "without the server")
    return "it is busy" not in room.told()


@contextmanager
def own_server(room: Room, first: str, last: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server of a test's own, which does something first, and last; it answers."""
    import fcntl

    room.serve()
    room.close()
    code = (
        f"import sys, time; from linkpipe.server import host; {first}; from linkpipe.cli._serve "
        f"import main; main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]); {last}"
    )
    folder = os.open(room.files, os.O_RDONLY)
    lock = os.open(room.files / f"{name(room)}.lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    with subprocess.Popen(
        [sys.executable, "-P", "-c", code, str(folder), str(lock), name(room)],
        env=room.environment(),
        pass_fds=(folder, lock),
    ) as process:
        for file in (folder, lock):
            os.close(file)
        until(lambda: process.pid in room.processes())
        until(lambda: _answers(room))
        try:
            yield process
        finally:
            process.kill()


def test_its_limit(room: Room, right: bytes) -> None:
    with own_server(room, "host.LIMIT = 0", "pass"):
        # Beside other work the questions from above may still stand in line.
        until(lambda: _linked_but_not_busy(room, right))
        assert "as many links as it may" in room.told()


def test_the_next_one_starts_while_it_still_ends(room: Room, right: bytes) -> None:
    """To free what it had takes a while."""
    with own_server(room, "pass", f"time.sleep({HANGS})") as process:
        process.terminate()
        until(lambda: not room.processes())
        linked(room, right, "it is started")
        assert process.poll() is None


def _answers(room: Room) -> bool:
    folder = os.open(room.files, os.O_RDONLY)
    try:
        with suppress(OSError, place.Unusable):
            connection = client.connect(folder, name(room))
            if connection is not None:
                connection.close()
                return True
        return False
    finally:
        os.close(folder)


@root_only
@pytest.mark.parametrize("options", ["nr_inodes=3", "ro"])
def test_a_folder_that_takes_nothing(room: Room, right: bytes, options: str) -> None:
    first = "size=1m,mode=700" if options == "ro" else f"{options},mode=700"
    command = ["mount", "-t", "tmpfs", "-o", first, "none", str(room.runtime)]
    if subprocess.run(command, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        if options == "ro":
            subprocess.run(["mount", "-o", "remount,ro", str(room.runtime)], check=True)
        linked(room, right, "without the server")
        linked(room, right, "without the server")
        until(lambda: not room.processes())
    finally:
        room.close()
        subprocess.run(["umount", str(room.runtime)], check=True)


def test_folders_that_are_not_the_users_alone(room: Room, right: bytes) -> None:
    room.files.mkdir(mode=0o700)
    room.files.chmod(0o770)
    linked(room, right, "is not this user's alone")
    room.files.rmdir()
    (room.folder / "elsewhere").mkdir(mode=0o700)
    room.files.symlink_to(room.folder / "elsewhere")
    linked(room, right, "cannot open")
    room.files.unlink()
    room.files.write_text("")
    linked(room, right, "cannot open")
    room.files.unlink()
    if os.geteuid() == 0:
        room.files.mkdir(mode=0o700)
        os.chown(room.files, 65534, 65534)
        linked(room, right, "is not this user's alone")
    assert not list((room.folder / "elsewhere").iterdir())


def test_no_runtime_folder(room: Room, right: bytes, tmp_path: Path) -> None:
    """Without one it is the temporary folder; where that is not, there is no server."""
    room.variables["XDG_RUNTIME_DIR"] = ""
    room.variables["TMPDIR"] = str(tmp_path / "none")
    linked(room, right, "cannot make")
