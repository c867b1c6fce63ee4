"""Stands in for a tool under `go build -toolexec`: saves the inputs of the link, then links.

    go build -toolexec='python capture.py FOLDER' …

The archives are copied into FOLDER/pkg, the importcfg is rewritten to name them, and
FOLDER/cmd gets the command line, so that the link can be repeated whenever and by whatever.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

# What a link reads of its environment (cmd/link, internal/buildcfg), and what compiled the C code.
KEPT = (
    *("GOROOT", "GOOS", "GOARCH", "GOEXPERIMENT", "GOFIPS140", "CGO_ENABLED", "CC"),
    *("GOAMD64", "GO386", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64", "GOPPC64", "GORISCV64"),
)


def keep(source: Path, folder: Path, package: str) -> Path:
    """Put a copy of one archive under the folder: what somebody does to it (``ar s``, a damaged
    byte) must not reach Go's build cache, as it would through a link."""
    kept = folder / "pkg" / f"{package}.a"
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, kept)
    return kept


def save(folder: Path, argv: list[str]) -> None:
    """Save the command line of one link and all that it reads, but for shared libraries, which
    stay where they are."""
    at = argv.index("-importcfg")
    lines = []
    for line in Path(argv[at + 1]).read_text().splitlines():
        verb, _, rest = line.partition(" ")
        if verb == "packagefile":
            package, _, file = rest.partition("=")
            line = f"packagefile {package}={keep(Path(file), folder, package)}"
        lines.append(line)
    config = folder / "importcfg"
    config.write_text("\n".join(lines) + "\n")
    # A program has one operand, a shared library of Go one for each package: PATH=FILE.
    count = 1
    while argv[-count - 1].endswith(".a"):
        count += 1
    flags, operands = argv[:-count], []
    for operand in argv[-count:]:
        package, named, file = operand.rpartition("=")
        kept = keep(Path(file), folder, f"operand/{package}" if named else "main")
        operands.append(f"{package}{named}{kept}")
    flags[at + 1] = str(config)
    out = flags.index("-o")
    del flags[out : out + 2]
    command = {
        "argv": [*flags, *operands],
        "operands": count,
        "env": {key: os.environ[key] for key in KEPT if key in os.environ},
        "cwd": str(folder),
    }
    (folder / "cmd").write_text(json.dumps(command, indent=1) + "\n")


def main(argv: list[str]) -> None:
    """Save when this is a real link, and go on as the tool. Of several links the last one is saved:
    a program is linked behind its libraries."""
    folder, tool, *rest = argv
    if Path(tool).name == "link" and "-importcfg" in rest:
        save(Path(folder), rest)
    os.execv(tool, [tool, *rest])


if __name__ == "__main__":
    main(sys.argv[1:])
