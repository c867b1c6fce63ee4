"""Real programs, larger than what comes with Go: fetched at a version and built once."""

from __future__ import annotations

from pathlib import Path

from tests.conformance.programs import Program
from tests.conformance.toolchain import cache, go

VERSIONS = {
    "caddy": ("github.com/caddyserver/caddy/v2", "cmd/caddy", "v2.11.9"),
    "prometheus": ("github.com/prometheus/prometheus", "cmd/prometheus", "v0.316.0"),
}
"""Name of a program: its module, the package in it, and the version, which decides those of all
that it imports."""
_NETWORK = {"GOPROXY": "", "GOFLAGS": "-mod=mod"}
"""What the tests forbid, and the toolchain does by default: to fetch modules, and to note them."""


def program(name: str) -> Program:
    """A program of VERSIONS, in a module of its own; fetched when that is not there."""
    module, package, version = VERSIONS[name]
    folder = cache() / "real" / f"{name}-{version}"
    path = f"{module}/{package}"
    if not (folder / "go.sum").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "go.mod").write_text(f"module linkpipe.test/{name}\n")
        go("get", f"{path}@{version}", cwd=folder, **_NETWORK)
    return Program(name, Path(folder), path, run=None, big=True, variables=_NETWORK)
