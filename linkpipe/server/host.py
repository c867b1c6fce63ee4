"""The server: forks a child for each link, and knows nothing of what is linked.

It reads nothing of what clients send: the child does, and refuses what it cannot do. So no client
can make it wait, and whatever becomes of a link is the child's. It has no thread but one, for it
forks, and keeps nothing of a link. The connections of those that run are kept, to tell how a child
ended that could not say so itself.

It ends when nobody has asked for a while, when what it has imported is not what is installed, when
its socket is no longer in its place, and on request (a signal). Links that run go on.
"""

from __future__ import annotations

import gc
import importlib
import math
import os
import select
import signal
import socket
import sys
import time
from _thread import LockType, allocate_lock, start_new_thread
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NoReturn

import attrs

from linkpipe.process import ledger, parent, streams
from linkpipe.process.run import process
from linkpipe.server import client, handover, place
from linkpipe.server.stamps import Stamps

IDLE_VARIABLE = "LINKPIPE_SERVER_IDLE"
IDLE = 10
"""Minutes without a link after which a server ends, unless the variable says otherwise."""

LIMIT = 4 * (os.cpu_count() or 1) + 4
"""Links at once; who comes then links without the server."""

_LOOK = 3.0
"""Seconds after which it is looked at whether the socket is still in its place."""

_HEARS = 5.0
"""Seconds that a client has to say what it wants."""

Command = Callable[[Sequence[str], str], int]


@attrs.define(eq=False)
class Host:
    """A server.

    Attributes:
        folder: where its socket is, an open folder.
        lock: locked as long as it lives, an open file.
        name: of its files.
        identity: whom it serves.
        stamps: what it has imported.
        command: does a link: arguments and the toolchain's linker; the status.
    """

    folder: int
    lock: int
    name: str
    identity: bytes
    stamps: Stamps
    command: Command
    process: int = attrs.field(factory=os.getpid, init=False)
    begun: float = attrs.field(factory=time.time, init=False)
    asked: int = attrs.field(default=0, init=False)
    running: dict[int, socket.socket] = attrs.field(factory=dict, init=False)
    asked_to_end: bool = attrs.field(default=False, init=False)

    def serve(self) -> None:
        """Do links until it is time to end."""
        os.ftruncate(self.lock, os.pwrite(self.lock, place.written(os.getpid()), 0))
        listener = self._listen()
        mine = self._socket()
        awake, wake = socket.socketpair()
        for each in (listener, awake, wake):
            each.setblocking(False)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in parent.SIGNALS:
            signal.signal(number, self._end)
        gc.collect()
        gc.freeze()
        poll = select.poll()
        for each in (listener, awake):
            poll.register(each, select.POLLIN)
        idle_until = time.monotonic() + _idle()
        try:
            while not self.asked_to_end and self._socket() == mine:
                wait = min(idle_until - time.monotonic(), _LOOK)
                if wait <= 0 and not self.running:
                    break
                ready = [file for file, _ in poll.poll(max(wait, 1.0) * 1000)]
                if awake.fileno() in ready:
                    awake.recv(4096)
                self._reap()
                if listener.fileno() in ready:
                    self._accept(listener, (awake, wake))
                    idle_until = time.monotonic() + _idle()
        finally:
            if self._socket() == mine:
                os.unlink(f"{self.name}.socket", dir_fd=self.folder)
        # An orderly end: the next one may start at once, while this process is freed.
        os.ftruncate(self.lock, 0)
        os.close(self.lock)

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX)
        new = f"{self.name}.socket.new"
        with suppress(FileNotFoundError):
            os.unlink(new, dir_fd=self.folder)
        listener.bind(place.address(self.folder, new))
        listener.listen(LIMIT)
        path = f"{self.name}.socket"
        os.rename(new, path, src_dir_fd=self.folder, dst_dir_fd=self.folder)
        return listener

    def _socket(self) -> tuple[int, int] | None:
        try:
            about = os.stat(f"{self.name}.socket", dir_fd=self.folder, follow_symlinks=False)
        except OSError:
            return None
        return about.st_dev, about.st_ino

    def _end(self, *_: object) -> None:
        self.asked_to_end = True

    def _reap(self) -> None:
        """Tell those whose children have ended how they did."""
        while self.running:
            child, status = os.waitpid(-1, os.WNOHANG)
            if not child:
                break
            code = os.waitstatus_to_exitcode(status)
            with self.running.pop(child) as waits, suppress(OSError):
                waits.setblocking(False)
                waits.send(code.to_bytes(4, sys.byteorder, signed=True))

    def _accept(self, listener: socket.socket, ours: Sequence[socket.socket]) -> None:
        """Fork a child for who knocks."""
        try:
            connection, _ = listener.accept()
        except OSError:  # gone already; too many files
            return
        connection.setblocking(False)
        with suppress(OSError):
            if client.peer(connection)[1] != os.geteuid():
                connection.close()
                return
            changed = self.stamps.changed()
            if len(self.running) >= LIMIT:
                connection.send(b"it does as many links as it may")
                connection.close()
                return
            child = os.fork()
            if child == 0:
                try:
                    for each in (listener, *ours, *self.running.values()):
                        each.close()
                    self._child(connection, f"{changed} has changed" if changed else "")
                finally:  # whatever it was: what follows is the server's
                    os._exit(2)
            self.running[child] = connection
            self.asked += 1

    def _child(self, connection: socket.socket, why_not: str) -> NoReturn:
        """Do what is asked for on a connection, and end. ``why_not``: links are not, and the server
        is to end when one is asked for; who looks how it is ends none."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(self.lock)
            connection.settimeout(_HEARS)
            connection.sendall(client.HERE)
            _, files, _, _ = socket.recv_fds(connection, 1, 8, socket.MSG_CMSG_CLOEXEC)
            asked = handover.read(files[0])
            if asked["kind"] == "status":
                connection.sendall(self._status(why_not) + b"\n")
                os._exit(0)
            if why_not:
                if os.getppid() == self.process:
                    os.kill(self.process, signal.SIGTERM)
                raise handover.Refused(why_not)
            if asked["identity"] != self.identity:
                raise handover.Refused("it is another one's")
            request, stdin, stdout, stderr, memory, here, line = files
            go = allocate_lock()
            go.acquire()
            # All that can fail comes before it is said that nothing does.
            handover.take_on(asked, here, (stdin, stdout, stderr))
            parent.be_child(memory, asked["spent"], asked["caller"])
            for file in (request, here, memory, self.folder):
                os.close(file)
            streams.open_again()
            importlib.invalidate_caches()
            start_new_thread(_obey, (line, go))
            connection.sendall(client.READY)
            connection.settimeout(None)
            if connection.recv(len(client.GO)) != client.GO:
                os._exit(0)
        except Exception as e:  # nothing has been done: the client links without
            with suppress(Exception):
                why = f"{e}" if isinstance(e, handover.Refused) else type(e).__name__
                connection.sendall(why.encode("utf-8", "replace")[:200])
            os._exit(0)
        ledger.doing("")  # from here on, it has
        connection.close()
        self._link(asked, go, line)

    def _link(self, asked: dict[str, Any], go: LockType, line: int) -> NoReturn:
        from linkpipe import server

        server.at_once = 1 + len(self.running)
        server.told = f"by the server, process {os.getppid()}"
        go.release()
        try:
            process(lambda: self.command(asked["args"], asked["tool"]), last=lambda: _let_go(line))
        except BaseException:  # as Python ends
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        raise AssertionError("a process ends with its command")

    def _status(self, why_not: str) -> bytes:
        import json

        return json.dumps(
            {
                "since": round(self.begun, 3),
                "asked": self.asked,
                "running": len(self.running),
                "idle_minutes": _idle() / 60,
                "resident": _resident(os.getppid()),
                "python": sys.executable,
                "why_not": why_not,
            }
        ).encode()


def _resident(process: int) -> int:
    """The resident set of a process, in bytes."""
    with open(f"/proc/{process}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def _idle() -> float:
    """Seconds that a server waits for a link."""
    try:
        minutes = float(os.environ.get(IDLE_VARIABLE, ""))
    except ValueError:
        minutes = IDLE
    return 60.0 * (minutes if 0 < minutes < math.inf else IDLE)


def _let_go(line: int) -> None:
    """Let the client end with what has been noted, and who reads what is printed, while the kernel
    takes this process apart: of a large link that takes 10 ms and more."""
    with suppress(OSError), socket.socket(fileno=os.dup(line)) as client_s:
        client_s.shutdown(socket.SHUT_WR)
        os.closerange(0, 3)


def _obey(line: int, go: LockType) -> None:
    """Hear from the client, in a thread of its own and when it can go: the signals that it gets,
    and its death, at which this process is asked to end, as with a parent
    (parent.end_with_parent)."""
    import threading

    with go:
        pass
    main = threading.main_thread().ident
    assert main is not None
    while True:
        try:
            said = os.read(line, 1)
        except OSError:
            said = b""
        signal.pthread_kill(main, said[0] if said else signal.SIGTERM)
        if not said:
            return
