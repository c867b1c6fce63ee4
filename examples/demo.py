"""`make demo [ARCH=…] [GO=…]`: a Go plugin and its host, both linked by linkpipe; then a look
inside the links.

The Go command compiles and calls linkpipe to link, by -toolexec. linkpipe is told by environment
variables to write down what each pass cost, and an observer of a third party's (decisions/) what
was decided.

Another architecture than this machine's needs its C compiler, and most need an emulator
(`make cross-tools`).
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.conformance.targets import Target, native, targets
from tests.conformance.toolchain import goroot

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build" / "demo"
OUTPUTS = ("plugin.so", "host")


def wanted(goarch: str) -> Target | None:
    """What to build for; None: this machine. Where that cannot be, the remedy, and the end."""
    if goarch in ("", native()):
        return None
    known = targets()
    target = known.get(goarch)
    if target is None:
        sys.exit(f"no architecture {goarch}; there are: {', '.join(sorted({native(), *known}))}")
    missing = target.missing_compiler() or target.missing_runner(cgo=True)
    if missing:
        sys.exit(missing)
    return target


def build(target: Target | None, *args: str | Path) -> None:
    """Run go build with linkpipe as its linker, and show the command."""
    go = goroot() / "bin" / "go"
    toolexec = Path(sys.executable).with_name("linkpipe-toolexec")
    command = ["build", f"-toolexec={toolexec}", "-buildvcs=false", *map(str, args)]
    chosen = target.environment(cgo=True) if target else {}
    shown = [f"{name}={shlex.quote(value)}" for name, value in chosen.items()]
    shown += ["go", "build", "-toolexec=linkpipe-toolexec", *map(str, args)]
    print("$", " ".join(shown).replace(f"{BUILD}{os.sep}", ""), flush=True)
    env = (
        os.environ
        | chosen
        | {
            "GOROOT": str(goroot()),
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "",
            "GOWORK": "off",
            "CGO_ENABLED": "1",
            "LINKPIPE_TIMING": str(BUILD / "timing.json"),
            "LINKPIPE_OBSERVE": f"decisions:file={BUILD / 'decisions.json'}",
        }
    )
    done = subprocess.run([go, *command], cwd=HERE, env=env, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def lines(name: str) -> list[dict[str, Any]]:
    """What was written down, a link a line; named by what go build made of it, for the linker
    itself writes to a temporary name."""
    told = [json.loads(line) for line in (BUILD / name).read_text().splitlines()]
    return [link | {"output": output} for link, output in zip(told, OUTPUTS, strict=True)]


def show_cost(links: list[dict[str, Any]]) -> None:
    """A table: a row for each pass, a column for each link."""
    print(f"\nWhat each pass cost (ms){'':8}" + "".join(f"{x['output']:>12}" for x in links))
    columns = [{part["name"]: part["seconds"] for part in link["passes"]} for link in links]
    names = list(dict.fromkeys(name for column in columns for name in column))
    for name in names:
        cells = (f"{c[name] * 1000:12.1f}" if name in c else f"{'-':>12}" for c in columns)
        print(f"  {name:30}" + "".join(cells))
    print(f"  {'total':30}" + "".join(f"{link['total'] * 1000:12.1f}" for link in links))
    print(
        f"  {'peak memory (MiB)':30}"
        + "".join(f"{link['peak_rss'] / (1 << 20):12.0f}" for link in links)
    )


def show_decisions(told: dict[str, Any]) -> None:
    """What one link decided, in words."""
    mode = told["mode"]
    print(f"\n{told['output']}")
    reason = f" ({mode['reason']})" if mode["reason"] else ""
    print(f"  link mode       {'external' if mode['external'] else 'internal'}{reason}")
    print(f"  dynamic linking {'yes' if mode['dynlink'] else 'no'}")
    print(f"  ptab            {', '.join(told['exports']) or 'none: not a plugin'}")
    relro = ", ".join(f"{name} ({size} bytes)" for name, size in told["relro"].items())
    print(f"  relro           {relro or 'none: addresses are fixed, no section needs it'}")
    stub = told["addmoduledata"]
    if stub is None:
        print("  addmoduledata   none: the program's own module data heads the runtime's list")
    else:
        print(f"  addmoduledata   {stub['code']}")
        for text in (*stub["refers to"], *stub["called through"]):
            print(f"                  {text}")
    print("  host link       " + " ".join(told["hostlink"]))


def main(goarch: str = "") -> int:
    """Build, run, look."""
    target = wanted(goarch)
    # What is up to date would not be linked again, and there would be nothing to look at.
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    build(target, "-buildmode=plugin", "-o", BUILD / "plugin.so", "./plugin")
    build(target, "-o", BUILD / "host", "./host")
    runner = target.runner(cgo=True) if target else ()
    print("$", *runner, "./host plugin.so", flush=True)
    done = subprocess.run([*runner, BUILD / "host", BUILD / "plugin.so"], check=False)
    if done.returncode:
        return done.returncode
    show_cost(lines("timing.json"))
    for told in lines("decisions.json"):
        show_decisions(told)
    print(f"\nAll of it is in {os.path.relpath(BUILD)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
