"""What the child costs in which a link is done: the same link with it and in one process.

    python -m benchmarks.capture DIR
    python -m benchmarks.child DIR/hello [ROUNDS]

Rounds are in turns, the order drawn anew in each. Told are the medians, and of the difference of a
round its median with a 95 % interval (bootstrap): processor time of the whole tree, user and
system, and time by the clock.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FORMS: dict[str, dict[str, str]] = {
    "with the child": {},
    "one process": {"LINKPIPE_ONE_PROCESS": "1"},
}


def link(folder: Path, out: str, variables: dict[str, str]) -> tuple[float, float]:
    """Link once; milliseconds of processor time of the tree, and by the clock."""
    cmd = json.loads((folder / "cmd").read_text())
    command = [sys.executable, "-P", "-m", "linkpipe", "link", "-o", out, *cmd["argv"]]
    begin = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=os.environ | cmd["env"] | variables)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return 1000 * (used.ru_utime + used.ru_stime), 1000 * (time.monotonic() - begin)


def interval(values: list[float]) -> tuple[float, float]:
    """A 95 % interval of the median."""
    draws = sorted(statistics.median(random.choices(values, k=len(values))) for _ in range(2000))
    return draws[50], draws[-51]


def main(folder: Path, rounds: int) -> None:
    """Measure, and print."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in FORMS}
    with tempfile.TemporaryDirectory() as place:
        for number in range(rounds + 2):
            for name in random.sample(list(FORMS), len(FORMS)):
                one = link(folder, f"{place}/out", FORMS[name])
                if number >= 2:  # the first ones warm up
                    found[name].append(one)
    for column, what in enumerate(("processor", "clock")):
        a, b = ([row[column] for row in rows] for rows in found.values())
        differences = [x - y for x, y in zip(a, b, strict=True)]
        low, high = interval(differences)
        print(
            f"{what}: {statistics.median(a):.1f} and {statistics.median(b):.1f} ms, difference "
            f"{statistics.median(differences):+.1f} ms ({low:+.1f} to {high:+.1f}), {rounds} rounds"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), int(sys.argv[2]) if len(sys.argv) > 2 else 60)
