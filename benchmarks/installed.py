"""linkpipe built and installed as users have it: a wheel in an environment of its own.

An editable install is slower to start: the interpreter asks a finder of its own for each module.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conformance.toolchain import ROOT, cache
from tests.samples import checkout


def run(*command: str | Path) -> str:
    """Run a command that must succeed; what it printed."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout


def install(folder: Path, *sources: Path) -> list[str]:
    """Build linkpipe's source, and those of plugins, install them as pip does for users; the
    command of the linker.

    All get the same Python and the same versions of what they depend on.
    """
    wheels = folder / "wheels"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    for source in sources:
        run(*pip, "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", wheels, source)
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    run(uv, "venv", "-q", "--clear", "--python", sys.executable, folder / "venv")
    run(uv, "pip", "install", "-q", "--compile-bytecode", "--python", folder / "venv",
        "-c", ROOT / "requirements" / "dev.txt", *wheels.glob("*.whl"))  # fmt: skip
    return [str(folder / "venv" / "bin" / "linkpipe"), "link"]


def state(commit: str) -> list[str]:
    """The linker of a commit, built once; of the working tree when no commit is named."""
    if not commit:
        folder = cache() / "against" / "here"
        shutil.rmtree(folder, ignore_errors=True)
        return install(folder, checkout(folder / "source"))
    folder = cache() / "against" / commit
    done = folder / "command"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "source").mkdir(parents=True)
        with tempfile.NamedTemporaryFile(suffix=".tar") as archive:
            run("git", "archive", "-o", archive.name, commit)
            run("tar", "-x", "-f", archive.name, "-C", folder / "source")
        done.write_text("\n".join(install(folder, folder / "source")))
    return done.read_text().splitlines()
