"""The commands on pages of the documentation, with what they print: run, and written anew.

A block that begins with ```console has commands behind "$ ", each followed by what it prints. A
shell runs them one after the other in a copy of tests/linkpipe/ask/programs; "echo $?" shows the
status of the command before, and "cd" holds for those behind it. On a page of questions each block
has a folder of its own. On a page that is a walk all have one, and a block with a file's name
behind its language (```python acme/count.py) is written into that file. Tests hold the pages to
what is printed:

    python -m tools.pages [PAGE …]        # writes what has changed into the pages

Of documents beside these pages a block that begins with ```sh has lines to be done, without what
they print. All blocks of a document are done one after the other in the folder of a program, but
for the lines in untried.toml; a block whose first line is a comment that is a file's name
(# acme.toml) is written into that file.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree, ignore_patterns

from tests.conformance.releases import VERSIONS, install
from tests.conformance.toolchain import CHECKED, ROOT, environment

PAGES = tuple(ROOT / "docs" / name for name in ("looking-inside.md", "questions.md"))
WALKS = tuple(
    ROOT / "docs" / name
    for name in (
        "your-first-pass.md",
        "observers.md",
        "pipelines.md",
        "what-broke.md",
        "policy-in-ci.md",
    )
)
DOCUMENTS = tuple(
    file
    for where in (".", "benchmarks", "docs", "shelf", "shelf/*", "templates/*")
    for file in sorted(ROOT.glob(f"{where}/*.md"))
    if "\n```sh\n" in file.read_text()
)
UNTRIED: dict[str, str] = tomllib.loads(Path(__file__).with_name("untried.toml").read_text())
"""Lines that are not done, and why."""
PROGRAMS = ROOT / "tests" / "linkpipe" / "ask" / "programs"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PART = re.compile(r"^```(console|\w+ [\w./-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"^```(sh|\w+\n# (\S+\.\w+))\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FOUND = re.compile(r"linkpipe (diff|compare|plugin-check|unused-x|verify) ")
"""What ends with status 1 where it has found something."""
_PLACES = {"/tmp/": "", "/path/to/": "", "YOUR_PROGRAM": "programs/ours"}
"""Where in the home of who does what a document says is what it calls so."""
_BUILT = ignore_patterns("*.egg-info", "build", "__pycache__")
_FLAGS = "-trimpath -buildvcs=false"
_HOME = "/home/you"


def blocks(page: Path) -> list[str]:
    """The blocks of a page, as they stand there."""
    return _BLOCK.findall(page.read_text())


def commands(block: str) -> list[str]:
    """The commands of a block."""
    return re.findall(r"^\$ (.*)$", block, re.MULTILINE)


class Reader:
    """Somebody who does what a page says, in a folder of their own, in which ``folder`` holds the
    programs.

    With ``plugins`` there is a folder of their own, too, which pip installs into.
    """

    def __init__(self, home: Path, text: str, *, plugins: bool = False) -> None:
        self.home, self.status = home, 0
        self.folder = Path(copytree(PROGRAMS, home / "programs"))
        self.variables = _variables(text, home)
        if plugins:
            if "../shelf/" in text:
                copytree(ROOT / "shelf", home / "shelf", ignore=_BUILT)
            site, boot = home / "site", home / "boot"
            boot.mkdir()
            (boot / "sitecustomize.py").write_text(f"import site\nsite.addsitedir({str(site)!r})\n")
            self.variables |= {
                "PYTHONPATH": str(boot),
                "PIP_TARGET": str(site),
                "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                "PIP_NO_BUILD_ISOLATION": "0",  # pip takes the "no" in its name twice
                "PIP_NO_DEPS": "1",
                "PIP_NO_INDEX": "1",
                "PIP_ROOT_USER_ACTION": "ignore",
            }
        scripts = home / "bin"
        scripts.mkdir(exist_ok=True)
        for name, words in {
            "linkpipe": "-P -m linkpipe",
            "python": "",
            "pip": "-P -m pip",
        }.items():
            script = scripts / name
            script.write_text(f'#!/bin/sh\nexec "{sys.executable}" {words} "$@"\n')
            script.chmod(0o755)
        installed = Path(sys.executable).parent  # linkpipe-toolexec
        paths = (scripts, self.variables["PATH"], installed)
        self.variables["PATH"] = os.pathsep.join(map(str, paths))

    def do(self, command: str) -> str:
        """Do it; what it prints."""
        if command == "echo $?":
            return f"{self.status}\n"
        verb, _, rest = command.partition(" ")
        if verb == "cd":
            self.folder = (self.folder / rest).resolve(strict=True)
            return ""
        if verb == "export":
            name, _, value = rest.partition("=")
            self.variables[name] = value.replace("$PWD", str(self.folder))
            return ""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.status = done.returncode
        told = done.stdout.replace(str(self.home.resolve()), _HOME)
        # What is never the same: how long pytest took, and the machine's own folders.
        told = re.sub(r"(?<= passed in )\d+\.\d+s", "…s", told)
        return re.sub(r"(?<=to save this link, and do it again: ).*", "…", told)

    def block(self, block: str) -> str:
        """The block as it has to be: its commands, run, and what each prints."""
        return "".join(f"$ {command}\n{self.do(command)}" for command in commands(block))


@contextmanager
def _home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="linkpipe-") as parent:
        yield Path(parent)


def printed(block: str) -> str:
    """The block of a page of questions as it has to be."""
    with _home() as home:
        return Reader(home, block).block(block)


def walked(text: str) -> str:
    """The text of a page that is a walk, as it has to be."""
    with _home() as home:
        reader = Reader(home, text, plugins=True)

        def one(match: re.Match[str]) -> str:
            kind, inside = match.groups()
            if kind == "console":
                return f"```console\n{reader.block(inside)}```"
            file = reader.folder / kind.partition(" ")[2]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(inside)
            return match[0]

        return _PART.sub(one, text)


def lines(block: str) -> list[str]:
    """The lines of a ```sh block, without what is said of them."""
    found = (re.sub(r"(^|\s+)# .*", "", line) for line in block.splitlines())
    return [line for line in found if line]


def shells(document: Path) -> list[str]:
    """The ```sh blocks of a document."""
    return [match[3] for match in _NAMED.finditer(document.read_text()) if match[1] == "sh"]


def undone(document: Path) -> list[str]:
    """What the lines of a document print that do not do what they are to do: nothing, if all do."""
    text, found = document.read_text(), []
    with _home() as home:
        reader = _at_a_program(home, text, document.parent)
        for match in _NAMED.finditer(text):
            if match[1] != "sh":
                (reader.folder / match[2]).parent.mkdir(parents=True, exist_ok=True)
                (reader.folder / match[2]).write_text(match[3])
                continue
            told = [line for line in lines(match[3]) if line not in UNTRIED]
            told = [f"{line} || test $? = 1" if _FOUND.match(line) else line for line in told]
            for place, to in _PLACES.items():
                told = [line.replace(place, f"{home}/{to}") for line in told]
            printed = reader.do("\n".join(["set -ex", *told]))
            if reader.status:
                found.append(printed)
    return found


def _at_a_program(home: Path, text: str, where: Path) -> Reader:
    """Somebody in the folder of a program, who has in it what documents speak of."""
    reader = Reader(home, text, plugins=True)
    reader.folder /= "ours"
    for source, to in (("quiet", "."), ("template", "cmd/prog"), ("plugins/greet", "plugin")):
        copytree(PROGRAMS / source, reader.folder / to, dirs_exist_ok=True)
    if "./shelf/" in text:
        copytree(ROOT / "shelf", reader.folder / "shelf", ignore=_BUILT)
    if where.parent.name == "templates":
        reader.folder = Path(copytree(where, home / "linkpipe-sample", ignore=_BUILT))
    reader.variables["XDG_RUNTIME_DIR"] = str(home)
    for name in CHECKED:  # that takes time, and other tests have it
        del reader.variables[name]
    reader.variables["PATH"] += f"{os.pathsep}{home / 'site' / 'bin'}"
    return reader


def _variables(text: str, home: Path) -> dict[str, str]:
    """The environment: cgo where plugins are, and older releases as golang.org/dl installs them."""
    found = environment(GOFLAGS=_FLAGS, CGO_ENABLED="1" if "-buildmode=plugin" in text else "0")
    if "--go" in text:
        folder = home / "bin"
        folder.mkdir()
        for release, version in VERSIONS.items():
            if release in text:
                (folder / f"go{version}").symlink_to(install(release) / "bin" / "go")
    return found


def main(names: Sequence[str]) -> None:
    """Write what has changed, in all pages or those named."""
    for page in (Path(name).resolve() for name in names) if names else (*PAGES, *WALKS):
        if page in WALKS:
            page.write_text(walked(page.read_text()))
            continue
        for block in blocks(page):
            new = printed(block)
            # Read again: this takes minutes, in which somebody may write.
            page.write_text(page.read_text().replace(block, new))


if __name__ == "__main__":
    main(sys.argv[1:])
