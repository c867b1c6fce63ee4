"""As capture.py, for links that make or use shared libraries of Go: a library has many packages on
its command line (PATH=FILE), and an importcfg may name libraries, which stay where they are."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.conformance.capture import KEPT, keep


def save(folder: Path, argv: list[str]) -> None:
    """Save the command line of one link and all that it reads, but for shared libraries."""
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
    count = 1
    while argv[-count - 1].endswith(".a"):
        count += 1
    flags, operands = argv[:-count], []
    for operand in argv[-count:]:
        package, found, file = operand.rpartition("=")
        kept = keep(Path(file), folder, f"operand/{package or 'main'}")
        operands.append(f"{package}{found}{kept}")
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
