"""A room with a runtime folder of its own, and the servers in it, which end with the test."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import attrs
import pytest

from linkpipe.server import client, place
from tests.conformance.programs import TINY, inputs
from tests.conformance.toolchain import environment

HANGS = 60
"""Seconds after which something is said to hang."""


def until(happened: Callable[[], object], pause: float = 0.01) -> None:
    end = time.monotonic() + HANGS
    while not happened():
        assert time.monotonic() < end, "it does not come about"
        time.sleep(pause)


@attrs.frozen
class Room:
    """A folder to link in, and the runtime folder of a user."""

    folder: Path
    variables: dict[str, str] = attrs.field(factory=dict)

    @property
    def runtime(self) -> Path:
        return self.folder / "runtime"

    @property
    def files(self) -> Path:
        """Where the server has its files."""
        return self.runtime / place.FOLDER

    def environment(self, **variables: str) -> dict[str, str]:
        given = inputs(TINY).environment() | environment(LINKPIPE_CHECK="")
        # However busy the machine, or slow the server because its lines are counted.
        served = {
            "XDG_RUNTIME_DIR": str(self.runtime),
            "LINKPIPE_SERVER": "auto",
            client.WAIT: "30000",
        }
        return given | served | self.variables | variables

    def command(self, *flags: str, out: str = "out", main: str = "") -> list[str]:
        given = inputs(TINY)
        argv = [*given.flags, "-s", "-w", "-timing=timing", "-o", out, *flags]
        return [sys.executable, "-P", "-m", "linkpipe", "link", *argv, main or str(given.main)]

    def start(
        self, *flags: str, out: str = "out", main: str = "", more: Mapping[str, Any] | None = None,
        **variables: str,
    ) -> subprocess.Popen[str]:  # fmt: skip
        """Start a link; ``LINKPIPE_SERVER=""`` for one without a server."""
        return subprocess.Popen(
            self.command(*flags, out=out, main=main),
            cwd=self.folder,
            env=self.environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **(more or {}),
        )

    def link(self, *flags: str, **how: Any) -> tuple[int, str, str]:
        """Link; status, standard output, standard error. That these come to an end says that no
        server holds them."""
        process = self.start(*flags, **how)
        out, err = process.communicate(timeout=HANGS)
        return process.returncode, out, err

    def timings(self) -> list[str]:
        """How the links were done that ended well."""
        lines = (self.folder / "timing").read_text().splitlines()
        return [str(json.loads(line)["server"]) for line in lines]

    def told(self) -> str:
        """How the last of them was done."""
        return self.timings()[-1]

    def served(self, *flags: str, **how: Any) -> tuple[int, str, str]:
        """As ``link``, by the server. On a machine under load it may not have answered in time."""
        for _ in range(40):
            done = self.link(*flags, **how)
            if done[0] or self.told().startswith("by the server"):
                return done
            assert self.told().endswith(("in time", "it is busy")), self.told()
        raise AssertionError(self.told())

    def by_hand(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=self.environment(), capture_output=True, text=True,
            check=False, timeout=HANGS,
        )  # fmt: skip

    def processes(self) -> list[int]:
        """The servers that live."""
        if not self.files.is_dir():
            return []
        folder = os.open(self.files, os.O_RDONLY)
        try:
            names = [path.stem for path in self.files.glob("*.lock")]
            return sorted(filter(None, (place.holder(folder, name) for name in names)))
        finally:
            os.close(folder)

    def ready(self) -> int:
        """Wait for the server that was started; its process."""
        (name,) = {path.stem for path in self.files.glob("*.lock")}
        folder = os.open(self.files, os.O_RDONLY)
        try:
            until(lambda: client.status(folder, name))
        finally:
            os.close(folder)
        (process,) = self.processes()
        return process

    def serve(self, **how: Any) -> int:
        """Let there be a server; its process."""
        self.link("-V", **how)
        return self.ready()

    def close(self) -> None:
        for process in self.processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        until(lambda: not self.processes())


def observer(room: Room, source: str) -> dict[str, str]:
    """Variables by which links have an observer."""
    place = room.folder / "installed"
    info = place / "watch-1.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "entry_points.txt").write_text("[linkpipe.observers]\nown = own_watch:Own\n")
    (info / "RECORD").write_text("")
    (place / "own_watch.py").write_text(source)
    return {"PYTHONPATH": str(place), "LINKPIPE_OBSERVE": "own"}


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    yield from _rooms(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A room with a server, for tests that leave it as it is."""
    for room in _rooms(tmp_path_factory.mktemp("shared")):
        room.serve()
        yield room


def _rooms(folder: Path) -> Iterator[Room]:
    room = Room(folder)
    room.runtime.mkdir(mode=0o700)
    try:
        yield room
    finally:
        room.close()
