"""Captures the link inputs of the conformance programs, with reference outputs beside them.

    python -m benchmarks.capture FOLDER [PROGRAM …]

FOLDER/PROGRAM gets `cmd`, `importcfg` and `pkg/` (see tests/conformance/capture.py) and, for each
flag set, `ref/MODE/out` from `go tool link`; for plugin and host also `ref/MODE/tmp/` (go.o and
the objects beside it) and `ref/MODE/calls` (how the C compiler was called).
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.conformance.oracle import MODES, external, link_oracle
from tests.conformance.programs import capture, table


def main(argv: list[str]) -> int:
    if not argv:
        print(__doc__, file=sys.stderr)
        return 2
    base = Path(argv[0]).resolve()
    programs = table()
    for name in argv[1:] or [name for name, program in programs.items() if not program.target]:
        program = programs[name]
        inputs = capture(program, base / name)
        for mode, flags in MODES.items():
            folder = base / name / "ref" / mode
            linked = link_oracle(inputs, flags, folder, external=external(program))
            size = linked.output.stat().st_size
            print(f"{name:12} {mode:4} {size:>10,} bytes {linked.seconds:6.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
