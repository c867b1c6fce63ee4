"""What an order buys at the start of a program: page faults, without and with.

    python measure.py PACKAGE [ARGUMENT...]      # from the folder that go build would run in

The package is linked, run once under qemu's user mode, which writes down each function when it
first comes to it, and linked again in that order. Both are then run many times in turn.
"""

from __future__ import annotations

import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from linkpipe import api

TIMES = 41


def started(program: Path, arguments: list[str], log: Path) -> list[str]:
    """The functions that run, in the order in which they first do."""
    qemu = f"qemu-{platform.machine()}"
    subprocess.run(
        [qemu, "-d", "in_asm", "-D", log, program, *arguments],
        stdout=subprocess.DEVNULL,
        check=False,
    )
    text = log.read_text(errors="surrogateescape")
    return list(dict.fromkeys(re.findall(r"^IN: (\S.*)$", text, re.MULTILINE)))


def faults(program: Path, arguments: list[str]) -> tuple[int, float]:
    """Page faults of a run, and its milliseconds."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([program, *arguments], stdout=subprocess.DEVNULL, check=False)
    after, end = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    return after.ru_minflt - before.ru_minflt, 1000 * (end - begin)


def main() -> None:
    """Print the medians."""
    if not sys.argv[1:]:
        sys.exit("usage: python measure.py PACKAGE [ARGUMENT...]")
    package, *arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain, ordered = folder / "plain", folder / "ordered"
        api.link(package, output=str(plain))
        names = started(plain, arguments, folder / "log")
        (folder / "order.txt").write_text("\n".join(names), errors="surrogateescape")
        (folder / "pipeline.toml").write_text(
            'extends = "default"\n[[insert]]\nname = "order"\nafter = "linksetup"\n'
            'options = { list = "order.txt" }\n'
        )
        link = api.link(package, output=str(ordered), pipeline=str(folder / "pipeline.toml"))
        print(f"{link.fact('order.placed')} of {len(link.text_order)} functions run")
        runs: dict[Path, list[tuple[int, float]]] = {plain: [], ordered: []}
        for _ in range(TIMES):
            for program, found in runs.items():
                found.append(faults(program, arguments))
        for program, found in runs.items():
            count, spent = (statistics.median(each) for each in zip(*found, strict=True))
            print(f"{program.name}: {count:.0f} page faults, {spent:.1f} ms")


if __name__ == "__main__":
    main()
