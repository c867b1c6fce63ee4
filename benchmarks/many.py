"""Times `go test` of many packages, whose binaries are linked and not run. Rules: README.md here.

    python -m benchmarks.many [--rounds N] [GROUP …]

Prints, for each group of packages, the wall time of one command that links them all: by the
toolchain's own linker, by linkpipe, and by linkpipe with a link server. Everything is compiled
before; test binaries are never kept by the go command, so each round links all of them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.bench import machine
from benchmarks.installed import state
from tests.conformance.programs import scratch
from tests.conformance.toolchain import environment, goroot

STD = (
    "archive/tar archive/zip bufio bytes cmp compress/bzip2 compress/flate compress/gzip "
    "compress/lzw compress/zlib container/heap container/list container/ring context "
    "database/sql embed encoding/ascii85 encoding/asn1 encoding/base32 encoding/base64 "
    "encoding/binary encoding/csv encoding/gob encoding/hex encoding/json encoding/pem "
    "encoding/xml errors expvar flag fmt hash/adler32 hash/crc32 hash/fnv html html/template "
    "image image/gif image/png io log maps math/big mime net/mail net/textproto net/url path "
    "regexp sort"
)
COMPILER = (
    "abt amd64 base compare devirtualize dwarfgen importer ir liveness logopt loopvar noder "
    "rangefunc reflectdata ssa ssagen syntax typecheck types types2"
)
GROUPS: Mapping[str, list[str]] = {
    "50 of std": STD.split(),
    "20 of one module": [f"cmd/compile/internal/{name}" for name in COMPILER.split()],
}
HEAD = """| test binaries | linker | wall | ratio | CPU ratio |
|---|---|---|---|---|"""


def one(packages: list[str], toolexec: str, variables: Mapping[str, str]) -> list[float]:
    """Link the tests of these packages; wall and CPU seconds."""
    command = [str(goroot() / "bin" / "go"), "test", "-exec=true", "-count=1", "-vet=off"]
    env = environment(CGO_ENABLED="0", LINKPIPE_CHECK="") | dict(variables)
    begin, before = time.perf_counter(), os.times()
    done = subprocess.run(
        [*command, *([f"-toolexec={toolexec}"] if toolexec else []), *packages],
        cwd=goroot() / "src", env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    wall, after = time.perf_counter() - begin, os.times()
    if done.returncode:
        sys.exit(f"go test: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    spent = after.children_user + after.children_system
    return [wall, spent - before.children_user - before.children_system]


def measure(name: str, rounds: int, stub: str, folder: Path) -> list[str]:
    """The rows of one group: a round that compiles, then ``rounds`` in alternating order."""
    served = {"LINKPIPE_SERVER": "auto", "XDG_RUNTIME_DIR": str(folder)}
    ways: dict[str, tuple[str, Mapping[str, str]]] = {
        "go tool link": ("", {}),
        "linkpipe": (stub, {}),
        "linkpipe, served": (stub, served),
    }
    found: dict[str, list[list[float]]] = {way: [] for way in ways}
    for number in range(rounds + 1):
        for way in ways if number % 2 else reversed(ways):
            measured = one(GROUPS[name], *ways[way])
            if number:
                found[way].append(measured)
    stop = [str(Path(stub).with_name("linkpipe")), "server", "stop"]
    subprocess.run(stop, env=os.environ | served, capture_output=True, check=False)
    wall, cpu = (
        {way: statistics.median(one[i] for one in found[way]) for way in ways} for i in (0, 1)
    )
    stock = "go tool link"
    return [
        f"| {name} | {way} | {wall[way]:.1f} s | **{wall[way] / wall[stock]:.2f}** "
        # What a server computes is not its clients'.
        f"| {'–' if 'served' in way else f'{cpu[way] / cpu[stock]:.2f}'} |"
        for way in ways
    ]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.many", description=__doc__)
    parser.add_argument("groups", nargs="*", default=list(GROUPS), metavar="GROUP")
    parser.add_argument("--rounds", type=int, default=5)
    told = parser.parse_args(argv)
    folder = scratch()
    stub = str(Path(state("")[0]).with_name("linkpipe-toolexec"))
    print(f"{machine()}; medians of {told.rounds} rounds\n\n{HEAD}", flush=True)
    for name in told.groups:
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700, parents=True)
        print(*measure(name, told.rounds, stub, runtime), sep="\n", flush=True)
        shutil.rmtree(runtime)
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
