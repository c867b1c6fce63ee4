"""What the linker takes from its environment, captured once.

The oracle reads some environment variables and has the Go version compiled in (internal/buildcfg).
linkpipe reads the same variables and finds the version in the VERSION file of the GOROOT that the
toolchain belongs to. A link by hand belongs to no toolchain: its version is that of what it links
(options.py).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from types import MappingProxyType

from linkpipe.errors import UserError
from linkpipe.values import Value, record

_TARGET = r"(?P<goos>[a-z0-9]+)_(?P<goarch>[a-z0-9]+)"


@record
class Environment(Value):
    """Attributes:
    goroot: $GOROOT, empty under -trimpath (it goes into the output).
    goos, goarch: the target.
    version: "go1.27.3"; empty when no VERSION file was found (see ``go_version``).
    by_hand: whether no toolchain has asked for the link; its version is then a guess.
    variables: every variable of the environment whose name starts with GO.
    """

    goroot: str
    goos: str
    goarch: str
    version: str
    by_hand: bool = False
    variables: Mapping[str, str] = MappingProxyType({})

    @property
    def goexperiment(self) -> str:
        """GOEXPERIMENT, which the release reads (linkpipe.release)."""
        return self.variables.get("GOEXPERIMENT", "")

    @property
    def go_version(self) -> str:
        """The toolchain's version. Raises UserError when it is not known."""
        if not self.version:
            raise UserError(
                "cannot tell the Go version: no VERSION file in GOROOT",
                remedy="set GOROOT to the toolchain's directory (`go env GOROOT`)",
                status=2,
            )
        return self.version


def capture(variables: Mapping[str, str], tool: str = "") -> Environment:
    """Read the environment. ``tool`` is the path of the toolchain's own link, when linkpipe stands
    in for it: it tells the GOROOT and, failing GOOS and GOARCH, the host.
    """
    root, host = _toolchain(variables, tool)
    return Environment(
        goroot=variables.get("GOROOT", ""),
        goos=variables.get("GOOS") or host[0],
        goarch=variables.get("GOARCH") or host[1],
        version=_version(root),
        by_hand=not tool,
        variables=MappingProxyType({k: v for k, v in variables.items() if k.startswith("GO")}),
    )


def _toolchain(variables: Mapping[str, str], tool: str) -> tuple[str, tuple[str, str]]:
    """The toolchain's directory and its host (GOOS, GOARCH), from .../pkg/tool/GOOS_GOARCH/link."""
    parts = os.path.abspath(tool).split(os.sep) if tool else []
    candidates = [os.sep.join(parts[:-4])] if len(parts) > 4 else []
    candidates.append(variables.get("GOROOT", ""))
    for root in filter(None, candidates):
        if os.path.isfile(os.path.join(root, "VERSION")):
            return root, _host(root, parts)
    root = _of_command(variables)
    return root, _host(root, parts) if root else ("linux", "")


def _of_command(variables: Mapping[str, str]) -> str:
    """The directory of the go command that a shell would run; "" where there is none."""
    for folder in os.get_exec_path(variables):
        go = os.path.join(folder, "go")
        if os.access(go, os.X_OK) and os.path.isfile(go):
            break
    else:
        return ""
    root = os.path.dirname(os.path.dirname(os.path.realpath(go)))
    if not os.path.isfile(os.path.join(root, "VERSION")):  # a script, which knows
        import subprocess

        try:
            # Its own: another one that a module asks for would have to be fetched.
            local = {**variables, "GOTOOLCHAIN": "local"}
            done = subprocess.run(
                [go, "env", "GOROOT"], env=local, text=True, capture_output=True,
                check=True, timeout=20,
            )  # fmt: skip
        except (OSError, ValueError, subprocess.SubprocessError):
            return ""
        root = done.stdout.strip()
    return root if os.path.isfile(os.path.join(root, "VERSION")) else ""


def _host(root: str, tool: list[str]) -> tuple[str, str]:
    if tool:
        names = [tool[-2]]
    else:
        try:
            names = sorted(os.listdir(os.path.join(root, "pkg", "tool")))
        except OSError:
            names = []
    for found in filter(None, (re.fullmatch(_TARGET, name) for name in names)):
        return found["goos"], found["goarch"]
    return "linux", ""


def _version(root: str) -> str:
    if not root:
        return ""
    try:
        with open(os.path.join(root, "VERSION"), encoding="utf-8") as file:
            return file.readline().strip()
    except (OSError, UnicodeError):
        return ""
