"""A link server of a measurement's own (docs/server.md), and what it computes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import attrs

from tests.conformance import oracle
from tests.conformance.oracle import Linked
from tests.conformance.programs import TINY, Inputs, inputs

BEFORE = 10
"""Links of another program that a server has done before something is measured."""
_TRIES = 20
"""Links until one is served. One that the server does not take in time is not measured."""


class Server:
    """A server with a runtime folder of its own, ``folder``, from ``with`` on.

    Attributes:
        command: that of the linker.
        timing: what -timing says of each link.
    """

    def __init__(self, folder: Path, command: list[str]) -> None:
        self.command = command
        folder.mkdir(mode=0o700)
        self._folder, self.timing = folder, folder / "timing.json"
        self._variables = {
            "XDG_RUNTIME_DIR": str(folder),
            "LINKPIPE_SERVER": "auto",
            "LINKPIPE_CHECK": "",
        }
        self._process = 0

    def __enter__(self) -> Self:
        for _ in range(BEFORE):
            self.link(inputs(TINY), ("-s", "-w"), self._folder / "before", {})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._command("stop")

    def link(
        self, given: Inputs, flags: tuple[str, ...], folder: Path, variables: Mapping[str, str]
    ) -> Linked:
        """A link that the server has done: its ``cpu`` is that of client, server and child, to a
        hundredth of a second; its ``peak`` is the client's."""
        told = ""
        for _ in range(_TRIES):
            before = self._cpu()
            linked = oracle.link(
                self.command,
                given,
                (*flags, f"-timing={self.timing}"),
                folder,
                variables={**variables, **self._variables},
            )
            if linked.status:
                sys.exit(f"a link by the server: exit status {linked.status}\n{linked.stderr}")
            told = json.loads(self.timing.read_text().splitlines()[-1])["server"]
            if told.startswith("by the server"):
                return attrs.evolve(linked, cpu=linked.cpu + self._cpu() - before)
        sys.exit(f"no link was served: {told}")

    def _cpu(self) -> float:
        """Seconds that the server, and the children that it has seen end, have computed."""
        if not self._process:
            told = json.loads(self._command("status", "--format=json"))
            if not told["servers"]:
                return 0.0
            self._process = told["servers"][0]["process"]
        children = Path(f"/proc/{self._process}/task/{self._process}/children")
        while children.read_text():
            time.sleep(0.001)  # a child lives on a little when its client has ended
        fields = Path(f"/proc/{self._process}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def _command(self, *words: str) -> str:
        return subprocess.run(
            [*self.command[:-1], "server", *words],
            env={**os.environ, **self._variables},
            capture_output=True,
            text=True,
            check=False,
        ).stdout
