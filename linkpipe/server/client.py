"""Has a link done by the server, if there is one that does it at once.

The client is the small parent of a child that is another process's (linkpipe/process/parent.py): it
waits, hands on signals, ends with the child's status, and speaks and tidies up for a child that
leaves no result. It is told nothing of the child: what they share is the ledger's memory, and a
connection of which one end is the child's alone. What the client writes to it are signals; when the
child dies it is closed, and when the client dies, too, and then the child unwinds.

    client                              server                  child
    connects                        →   forks
                                    ←   or: why not          ←  "here"
    request and files                                        →  takes it on
                                                             ←  "ready", or why not
    "go"                                                     →  links
    signals                                                  →
                                    ←   how the child ended     ends

Until "go" nothing has been done, and what takes longer than 50 ms is done without the server. Files
are handed over to somebody who is there to take them: on their way to one that hangs, they would be
open as long as that, and who reads what is printed would wait for its end.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal makes enums of it, which takes 6 ms
import _socket
import os
import sys
import time

from linkpipe import server
from linkpipe.server import handover, place

TYPE_CHECKING = False  # typing's takes longer to import than all of these
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

VARIABLE = "LINKPIPE_SERVER"
WAIT = "LINKPIPE_SERVER_WAIT"
"""Milliseconds that a server has to take a link, 50 if the variable is not set."""

_PATIENCE_OF_PEOPLE = 5.0
"""Seconds that it has to say how it is."""

_AGAIN = 10.0
"""Seconds until a server is started again that has not come to life."""

HERE, READY, GO = b"here", b"ready", b"go"


def link(args: Sequence[str], tool: str = "") -> None:
    """Have a link done by the server, and end as it ended. Returns when nobody asked for that, or
    when the link is to be done without; ``server.told`` says why."""
    wanted = os.environ.get(VARIABLE, "")
    if wanted in ("", "0", "false", "off"):
        return
    if wanted != "auto":
        server.told = f'without the server: {VARIABLE} is "{wanted}", which is not "auto"'
        return
    if os.environ.get("LINKPIPE_ONE_PROCESS", "0") not in ("", "0", "false"):
        server.told = "without the server: LINKPIPE_ONE_PROCESS is set"
        return
    # A signal that comes between is heard when it is known who shall hear it.
    mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, handover.SIGNALS)
    try:
        why = _ask(args, tool, mask)
    except place.Unusable as e:
        why = f"{e}"
    except OSError as e:
        why = (e.strerror or type(e).__name__).lower()
    except ValueError as e:  # a variable without a name
        why = f"{e}"
    _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
    server.told = f"without the server: {why}"


def _patience() -> float:
    """Seconds that a server has to take a link."""
    try:
        return min(max(float(os.environ.get(WAIT) or 50), 1.0), 3.6e6) / 1000
    except ValueError:
        return 0.05


def _ask(args: Sequence[str], tool: str, mask: set[int]) -> str:
    """Why the link is not done by the server; does not return if it is."""
    from linkpipe.process import streams

    streams.be_there()
    until = time.monotonic() + _patience()
    identity = place.identity()
    folder = place.open_folder(make=True)
    name = place.name_of(identity)
    try:
        served = connect(folder, name)
        if served is None:
            return _start(folder, name)
        return _serve(served, handover.write("link", identity, args, tool, mask), mask, until)
    finally:
        os.close(folder)


def connect(folder: int, name: str) -> _socket.socket | None:
    """A connection to the server of that name; None when there is none. Raises place.Unusable when
    it is another user's, or has no time; OSError."""
    served = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        served.settimeout(_patience())
        served.connect(place.address(folder, f"{name}.socket"))
        if peer(served)[1] != os.geteuid():
            raise place.Unusable("it is another user's")
    except (FileNotFoundError, ConnectionRefusedError):
        served.close()
        return None
    except BlockingIOError as e:
        served.close()
        raise place.Unusable("it is busy") from e
    except BaseException:
        served.close()
        raise
    return served


def peer(connection: _socket.socket) -> tuple[int, int]:
    """Process and user at the other end."""
    told = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    return int.from_bytes(told[:4], sys.byteorder), int.from_bytes(told[4:8], sys.byteorder)


def hear(served: _socket.socket, until: float) -> bytes:
    """What is said at the other end until then, a time of the monotonic clock."""
    served.settimeout(max(until - time.monotonic(), 0.001))
    return served.recv(200)


def send(served: _socket.socket, request: bytes, more: Sequence[int] = ()) -> None:
    """Send a request, and open files behind it."""
    file = os.memfd_create("request")
    try:
        os.write(file, request)
        files = b"".join(each.to_bytes(4, sys.byteorder) for each in (file, *more))
        rights = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files)
        served.sendmsg([b"\0"], [rights])
    finally:
        os.close(file)


def _serve(served: _socket.socket, request: bytes, mask: set[int], until: float) -> str:
    from linkpipe.process import ledger

    line, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    files = [theirs.detach()]
    ready = False
    try:
        files.append(os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
        files.append(os.memfd_create("ledger"))
        notes = ledger.share(files[-1])
        said = hear(served, until)
        if said == HERE:
            send(served, request, [0, 1, 2, *reversed(files)])
            said = hear(served, until)
            ready = said == READY
    except (TimeoutError, BlockingIOError):
        return "it did not answer in time"
    finally:
        for file in files:
            os.close(file)
        if not ready:
            _let_go(served, line)
    if not ready:
        return said.decode("utf-8", "replace") or "it ended"

    heard = []

    def hand_on(number: int, _: object) -> None:
        heard.append(number)
        try:
            line.send(bytes([number]), _socket.MSG_DONTWAIT | _socket.MSG_NOSIGNAL)
        except OSError:
            return  # it has ended, or has been told often enough

    handlers = {number: _signal.getsignal(number) for number in handover.SIGNALS}
    for number, handler in handlers.items():
        if handler != _signal.SIG_IGN:  # nohup
            _signal.signal(number, hand_on)
    _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
    code = _wait(served, line)
    last = [*ledger.noted(notes)][-1:]
    if last == [("finished", "0")]:
        os._exit(0)
    if not last:  # it did not hear that it might begin
        _signal.pthread_sigmask(_signal.SIG_BLOCK, handover.SIGNALS)
        for number, handler in handlers.items():
            _signal.signal(number, handler)
        for number in heard[:1]:
            os.kill(os.getpid(), number)
        _let_go(served, line)
        return "it ended"
    from linkpipe.process import parent

    if last[0][0] == "finished":
        code = int(last[0][1])
    elif code is None:
        code = _how_it_ended(served)
    os._exit(parent.ended(code, notes))


def _let_go(*connections: _socket.socket) -> None:
    """There is no child after all."""
    from linkpipe.process import ledger

    ledger.forget()
    for each in connections:
        each.close()


def _wait(served: _socket.socket, line: _socket.socket) -> int | None:
    """Let the child go on, and wait for its end: nobody has its end of the line any more, or the
    server tells of it (a copy of the child may have the line). The status that the server told,
    None for none yet."""
    import select

    try:
        served.sendall(GO)
    except OSError:
        return None  # it is gone, and has noted nothing
    poll = select.poll()
    for each in (served, line):
        poll.register(each, select.POLLIN)
    while True:
        ready = {file for file, _ in poll.poll()}
        if served.fileno() in ready:
            poll.unregister(served)  # it says one thing, or is gone
            code = _how_it_ended(served)
            if code is not None:
                return code
        if line.fileno() in ready:
            try:
                said = line.recv(1)
            except OSError:  # it has not read all
                said = b""
            if not said:
                return None


def _how_it_ended(served: _socket.socket) -> int | None:
    """The status of a child that said none, as the server knows it; below zero a signal. None when
    that has ended, too."""
    served.settimeout(1)
    try:
        told = served.recv(4)
    except OSError:
        told = b""
    return int.from_bytes(told, sys.byteorder, signed=True) if len(told) == 4 else None


def status(folder: int, name: str) -> dict[str, Any]:
    """What the server of that name says of itself; nothing when it does not answer."""
    import json

    said, served = b"", None
    try:
        served = connect(folder, name)
        if served is not None:
            said = hear(served, time.monotonic() + _PATIENCE_OF_PEOPLE)
        if served is not None and said != HERE:
            return {"why_not": said.decode("utf-8", "replace")}
        if served is not None:
            said = b""
            send(served, handover.write("status", b"", (), "", ()))
            while not said.endswith(b"\n") and (part := served.recv(4096)):
                said += part
        told: dict[str, Any] = json.loads(said or b"{}")
    except (place.Unusable, OSError, ValueError):
        return {}
    finally:
        if served is not None:
            served.close()
    return told


def _start(folder: int, name: str) -> str:
    """Start a server if nobody else does, or has just tried; why there is none yet."""
    import fcntl

    files = [os.open(f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=folder)]
    lock = files[0]
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return "it is starting"
        begun = os.fstat(lock).st_mtime
        if os.fstat(lock).st_size and 0 <= time.time() - begun < _AGAIN:
            where = os.readlink(f"/proc/self/fd/{folder}")
            return f"it could not start: {where}/{name}.log says why"
        os.pwrite(lock, b"0", 0)  # from now on, until it ends as it should
        module = [sys.executable, "-P", "-m", "linkpipe.cli._serve"]
        for file in (lock, folder):
            os.set_inheritable(file, True)
        made = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        files.append(os.open(f"{name}.log", made, 0o600, dir_fd=folder))
        files.append(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC))
        process = os.posix_spawn(
            sys.executable,
            [*module, f"{folder}", f"{lock}", name],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, files[2], 0),
                (os.POSIX_SPAWN_DUP2, files[2], 1),
                (os.POSIX_SPAWN_DUP2, files[1], 2),
            ],
            setsigmask=(),
            setsigdef=_signal.valid_signals(),
        )
        os.pwrite(lock, place.written(process), 0)
        return "there is none yet; it is started"
    finally:
        for file in files:
            os.close(file)
