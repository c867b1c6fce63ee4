"""Hosts and plugins that are built in one way and another, by the go command."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import attrs

from tests.conformance.toolchain import environment, goroot
from tests.linkpipe.ask.links import PROGRAMS

HOST = """\
package main

import (
	"os"
	"plugin"

	"example.test/shared"
)

func main() {
	for _, file := range os.Args[1:] {
		opened, err := plugin.Open(file)
		if err != nil {
			println(err.Error())
			os.Exit(1)
		}
		greet, err := opened.Lookup("Greet")
		if err != nil {
			println(err.Error())
			os.Exit(1)
		}
		println(greet.(func(shared.Greeting) string)(shared.Greeting{}))
	}
}
"""
PLUGIN = """\
package main

import "example.test/shared"

func Greet(greeting shared.Greeting) string { return greeting.String() }

func main() {}
"""


@attrs.frozen
class Builder:
    """Builds programs of a module in a folder of its own, with a toolchain."""

    folder: Path
    root: Path = attrs.field(factory=goroot)

    @classmethod
    def here(cls, folder: Path) -> Builder:
        """With the programs that the pages docs/looking-inside.md and docs/questions.md show."""
        shutil.copytree(PROGRAMS, folder, dirs_exist_ok=True)
        return cls(folder)

    def go(self, *args: str, **env: str) -> None:
        """Run the go command, with cgo."""
        command = [str(self.root / "bin" / "go"), *args]
        given = environment(**{"CGO_ENABLED": "1", "GOROOT": str(self.root), **env})
        done = subprocess.run(
            command, cwd=self.folder, env=given, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr

    def host(self, name: str, *flags: str, package: str = "./plugins/host", **env: str) -> str:
        """Build a host; the path of the file."""
        self.go("build", "-buildvcs=false", *flags, "-o", name, package, **env)
        return str(self.folder / name)

    def plugin(self, name: str, *flags: str, package: str = "./plugins/greet", **env: str) -> str:
        """Build a plugin; the path of the file."""
        mode = ("-buildvcs=false", "-buildmode=plugin")
        self.go("build", *mode, *flags, "-o", name, package, **env)
        return str(self.folder / name)


def opened(host: str, *plugins: str) -> str:
    """What the program says when it opens plugins: "" when all went well."""
    done = subprocess.run([host, *plugins], capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def published(proxy: Path, path: str, version: str, files: dict[str, str]) -> None:
    """Put a version of a module where GOPROXY=file://PROXY finds it."""
    folder = proxy / path / "@v"
    folder.mkdir(parents=True, exist_ok=True)
    mod = f"module {path}\n"
    (folder / f"{version}.mod").write_text(mod)
    with (folder / "list").open("a") as listed:
        listed.write(f"{version}\n")
    (folder / f"{version}.info").write_text(f'{{"Version":"{version}"}}')
    with zipfile.ZipFile(folder / f"{version}.zip", "w") as archive:
        for name, text in {"go.mod": mod, **files}.items():
            archive.writestr(f"{path}@{version}/{name}", text)


def module(folder: Path, required: str, replaced: str = "") -> Builder:
    """A module with a host and a plugin that use a version of example.test/shared."""
    for name, text in (("host", HOST), ("plugin", PLUGIN)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "main.go").write_text(text)
    lines = ["module example.test/program", "go 1.26", f"require example.test/shared {required}"]
    if replaced:
        lines.append(f"replace example.test/shared => {replaced}")
    (folder / "go.mod").write_text("\n".join(lines) + "\n")
    return Builder(folder)


def shared(more: str = "") -> dict[str, str]:
    """The files of example.test/shared."""
    text = (
        "package shared\n\ntype Greeting struct{}\n\n"
        'func (Greeting) String() string { return "hello" }\n'
    )
    return {"shared.go": text + more}
