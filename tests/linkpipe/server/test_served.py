"""A link that a server does is like one without: bytes, status, streams, surroundings."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from linkpipe.server import host
from tests.linkpipe.server.conftest import HANGS, Room, observer

ALONE = {"LINKPIPE_SERVER": ""}


def alone(room: Room, *flags: str, **how: Any) -> tuple[int, str, str]:
    return room.link(*flags, **ALONE, **how)


def test_the_same_bytes_in_silence(shared: Room) -> None:
    assert shared.served(out="served") == (0, "", "")
    assert alone(shared, out="alone") == (0, "", "")
    assert shared.told() == ""
    served, own = (shared.folder / name for name in ("served", "alone"))
    assert served.read_bytes() == own.read_bytes()
    assert served.stat().st_mode == own.stat().st_mode


@pytest.mark.parametrize(
    "flags", [("-nosuch",), ("-X", "bad"), ("-buildmode=nosuch",), ("-importcfg", "none"), ("-V",)]
)
def test_status_and_messages(shared: Room, flags: tuple[str, ...]) -> None:
    assert shared.link(*flags) == alone(shared, *flags)


def test_a_failed_link_leaves_the_old_output(shared: Room, tmp_path: Path) -> None:
    main = tmp_path / "main.a"
    main.write_bytes(b"!<arch>\nno archive")
    (shared.folder / "old").write_text("old")
    done = shared.link(out="old", main=str(main))
    assert done == alone(shared, out="old", main=str(main))
    assert done[0]
    assert (shared.folder / "old").read_text() == "old"


def test_the_line_that_says_who_linked(shared: Room) -> None:
    shared.served()
    done = shared.served("-time")
    assert done[2].splitlines()[-1].startswith("linked by the server, process ")
    done = shared.link("-time", LINKPIPE_SERVER="on")
    assert done[2].splitlines()[-1] == (
        'linked without the server: LINKPIPE_SERVER is "on", which is not "auto"'
    )
    done = shared.link("-time", LINKPIPE_ONE_PROCESS="1")
    assert done[2].splitlines()[-1] == "linked without the server: LINKPIPE_ONE_PROCESS is set"
    logged = shared.served("-log")[2].splitlines()[0]
    assert "linked='by the server, process " in logged.replace('"', "'")


def test_nobody_waits_for_the_memory_of_a_child_to_be_freed() -> None:
    """Client and reader of what was printed go on when the child has noted its end."""
    ours, theirs = socket.socketpair()
    printed, stream = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.dup2(stream, 1)
            os.closerange(max(theirs.fileno(), stream) + 1, 1024)
            for file in (ours.fileno(), printed, stream):
                os.close(file)
            host._let_go(theirs.fileno())
            signal.pause()
        finally:
            os._exit(1)
    os.close(stream)
    theirs.close()
    ours.settimeout(HANGS)
    try:
        assert ours.recv(1) == b""
        assert select.select([printed], [], [], HANGS)[0] == [printed]
        assert os.read(printed, 1) == b""
        assert os.waitpid(child, os.WNOHANG) == (0, 0)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(printed)
        ours.close()


SURROUNDINGS = """
import json, os, resource, signal, stat, sys, time
from linkpipe.engine.runner import Observer

class Own(Observer):
    def on_start(self, plan, link):
        limits = sorted(n for n in dir(resource) if n.startswith("RLIMIT_"))
        status = open("/proc/self/status").read().splitlines()
        told = {
            "folder": os.getcwd(),
            "variables": {k: v for k, v in os.environ.items() if k not in ("TOLD", ASKED)},
            "status": [s for s in status if s.startswith(("Umask", "SigBlk", "Groups"))],
            "ignored": [n for n in range(1, 32) if signal.getsignal(n) == signal.SIG_IGN],
            "processors": sorted(os.sched_getaffinity(0)),
            "priority": os.nice(0),
            "limits": {n: resource.getrlimit(getattr(resource, n)) for n in limits},
            "files": [stat.S_IFMT(os.fstat(n).st_mode) for n in (0, 1, 2)],
            "streams": [(s.fileno(), s.encoding, s.errors, s.line_buffering, s.isatty())
                        for s in (sys.stdin, sys.stdout, sys.stderr)],
            "zone": time.tzname,
            "path": sys.path,
            "read": sys.stdin.read(),
        }
        json.dump(told, open(os.environ["TOLD"], "w"))
""".replace("ASKED", '"LINKPIPE_SERVER"')


def test_surroundings(room: Room) -> None:
    """The working directory, variables, umask, limits, processors, priority, signals and streams
    are those of who asks."""
    room.variables.update(observer(room, SURROUNDINGS), TZ="Asia/Tokyo", SAID="a=b\nc", EMPTY="")

    def conditions() -> None:
        os.umask(0o27)
        os.nice(3)
        resource.setrlimit(resource.RLIMIT_NOFILE, (77, 88))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM])

    def first() -> None:
        """What a server is started with, and keeps."""
        os.nice(3)
        resource.setrlimit(resource.RLIMIT_NOFILE, (66, 88))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2, signal.SIGTERM])

    room.serve(more={"preexec_fn": first})
    told = {}
    for name, how in (("served", room.served), ("alone", room.link)):
        with (room.folder / "input").open("w+") as file:
            file.write("what is read\n")
            file.flush()
            given = {"preexec_fn": conditions, "stdin": file}
            file.seek(0)
            asked = "auto" if name == "served" else ""
            assert how(TOLD=name, LINKPIPE_SERVER=asked, more=given)[0] == 0
        told[name] = json.loads((room.folder / name).read_text())
    assert told["served"] == told["alone"]
    assert told["served"]["read"] == "what is read\n"
