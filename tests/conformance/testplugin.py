"""Go's own plugin tests (cmd/cgo/internal/testplugin), linked by linkpipe and by the stock linker.

    python -m tests.conformance.testplugin [-run PATTERN]

The suite runs in a copy of GOROOT, for it writes there. Exit status 1 when a test that passes with
the stock linker does not with linkpipe, and known.toml gives no reason for it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from tests.conformance.toolchain import cache, environment, goroot

HERE = Path(__file__).resolve().parent
SUITE = Path("src/cmd/cgo/internal/testplugin")


def writable() -> Path:
    """A copy of the toolchain that may be written to."""
    version = (goroot() / "VERSION").read_text().split()[0]
    copy = cache() / f"goroot-{version}"
    if not (copy / "complete").exists():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(goroot(), copy, symlinks=True)
        (copy / "complete").touch()
    return copy


def suite(copy: Path, toolexec: str, arguments: list[str]) -> tuple[dict[str, str], str]:
    """Run the suite: test -> pass, skip or fail; and what the failing ones printed."""
    flags = f"-toolexec={toolexec}" if toolexec else ""
    done = subprocess.run(
        [copy / "bin" / "go", "test", "-json", "-count=1", *arguments, "."],
        cwd=copy / SUITE,
        env=environment(GOFLAGS=flags, CGO_ENABLED="1") | {"GOROOT": str(copy)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    results: dict[str, str] = {}
    printed: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        event = json.loads(line) if line.startswith("{") else {"Action": "output", "Output": line}
        test = event.get("Test", SUITE.name)
        if event["Action"] == "output":
            printed.setdefault(test, []).append(event.get("Output", ""))
        elif event["Action"] in ("pass", "skip", "fail") and "Test" in event:
            results[test] = event["Action"]
    failed = [test for test, result in results.items() if result == "fail"]
    if not results:
        # It was not even built.
        failed = list(printed)
    return results, "".join("".join(printed[test]) for test in failed)


def main(argv: list[str]) -> int:
    known: dict[str, str] = tomllib.loads((HERE / "known.toml").read_text())["testplugin"]
    stub = Path(sys.executable).with_name("linkpipe-toolexec")
    if not stub.exists():
        print(f"{stub} is missing: pip install -e '.[test]'", file=sys.stderr)
        return 2
    copy = writable()
    begin = time.monotonic()
    stock, text = suite(copy, "", argv)
    middle = time.monotonic()
    ours, our_text = suite(copy, str(stub), argv)
    end = time.monotonic()
    if "pass" not in stock.values():
        print(f"the suite does not run with the stock linker\n{text}", file=sys.stderr)
        return 2
    width = max(map(len, stock))
    print(f"| {'test':{width}} | stock | linkpipe |\n|{'-' * (width + 2)}|-------|----------|")
    unexplained = []
    for test in sorted({*stock, *ours}):
        left, right = stock.get(test, "-"), ours.get(test, "-")
        note = known.get(test, "") if left != right else ""
        if left != right and not note and left == "pass":
            unexplained.append(test)
        print(f"| {test:{width}} | {left:5} | {right:8} | {note}".rstrip())
    for name, results, seconds in (
        ("stock", stock, middle - begin),
        ("linkpipe", ours, end - middle),
    ):
        counts = [list(results.values()).count(what) for what in ("pass", "skip", "fail")]
        print("{}: {} passed, {} skipped, {} failed, {:.0f} s".format(name, *counts, seconds))
    for test in known:
        if stock.get(test) == ours.get(test):
            print(f"known.toml excuses {test}, which needs no excuse: take it out")
    if unexplained:
        print(f"\n{our_text}\nworse than with the stock linker: {' '.join(unexplained)}")
    return int(bool(unexplained))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
