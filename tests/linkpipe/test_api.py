"""What is promised to other people's code: linkpipe.api."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from linkpipe import api
from linkpipe.errors import LinkpipeError, PipelineError, UserError
from linkpipe.packages import gobuild
from linkpipe.templates import KINDS
from tests.conformance.programs import PROGRAMS, TINY, inputs
from tests.conformance.toolchain import environment, goroot, link_tool

ROOT = Path(__file__).parents[2]


def imports(path: Path) -> list[tuple[str, str]]:
    """Each (module, name) that a file imports from linkpipe."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "linkpipe":
            found += [(f"linkpipe.{alias.name}", "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(node.module, alias.name) for alias in node.names]
    return [(module, name) for module, name in found if module.partition(".")[0] == "linkpipe"]


def test_type_checkers_and_python_see_the_same_names() -> None:
    """The table that is used and the block for type checkers say the same."""
    tree = ast.parse((ROOT / "linkpipe/api.py").read_text())
    block = next(n for n in tree.body if isinstance(n, ast.If))
    seen = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    told = {name: (module, name) for name, module in api._HOME.items()}
    assert [*api._HOME.values()] == sorted(api._HOME.values())
    assert seen == told


@pytest.mark.parametrize("name", api.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(api, name) is not None
    assert name in dir(api)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = api.nothing


def test_to_import_it_imports_nothing_heavy() -> None:
    """A name is imported when somebody asks for it: the module costs a link nothing."""
    code = "import sys, linkpipe.api; print(*(m for m in sys.modules if m.startswith('linkpipe.')))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["linkpipe.api"]


def test_what_many_passes_use_is_promised() -> None:
    """A name that five passes or more import is one that other people's passes will want."""
    count = Counter(pair for path in (ROOT / "passes").glob("*.py") for pair in imports(path))
    wanted = {(module, name) for (module, name), n in count.items() if n >= 5}
    whole = {f"{home}.{name}" for name, home in api._HOME.items()}  # modules, promised as such
    missing = {(m, n) for m, n in wanted if n not in api._HOME and m not in whole}
    assert missing == set()


SAMPLES = ["tests/plugin_sample", "examples/decisions", *(f"templates/{kind}" for kind in KINDS)]
SHELF = [
    str(path.relative_to(ROOT))
    for path in (ROOT / "shelf").glob("*/linkpipe_*")
    if path.suffix != ".egg-info"
]


@pytest.mark.parametrize("folder", [*SAMPLES, *SHELF])
def test_samples_use_nothing_that_is_not_promised(folder: str) -> None:
    """What third parties write, and the shelf, which is to be like it."""
    used = [pair for path in (ROOT / folder).rglob("*.py") for pair in imports(path)]
    assert used
    assert {module for module, _ in used} <= {"linkpipe.api", "linkpipe.testing"}


@pytest.mark.parametrize(
    ("version", "what"), [("9.0", "linkpipe"), ("1.9", "linkpipe"), ("0.9", "the plugin")]
)
def test_a_plugin_for_another_version_is_refused(version: str, what: str) -> None:
    with pytest.raises(UserError) as caught:
        api.require(version)
    assert f"needs linkpipe.api {version}" in caught.value.render()
    assert f"upgrade {what}" in caught.value.render()


def test_a_plugin_for_this_version_is_welcome() -> None:
    api.require("1.0")
    api.require("1")


def test_a_deprecated_name_warns_and_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_DEPRECATED", {"Connection": ("Link", "2.0")})
    with pytest.warns(DeprecationWarning, match=r"goes in linkpipe 2.0: use linkpipe.api.Link"):
        assert api.Connection is api.Link


class Seen(api.Observer):
    """Which passes ran."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def after_pass(self, planned: Any, before: Any, after: Any, seconds: float) -> None:
        self.names.append(planned.name)


def test_a_link_by_its_arguments_stops_where_it_is_told(tmp_path: Path) -> None:
    given = inputs(TINY)
    output = tmp_path / "out"
    seen = Seen()
    link = api.link(
        [*given.flags, "-o", str(output), str(given.main)],
        until="reachability",
        observers=[seen],
        flags=["-s"],
        variables={**given.environment(), "GOROOT": str(goroot())},
    )
    assert seen.names[-1] == "reachability"
    assert link.options.s
    assert link.symbols.has(link.symbols.lookup("main.main", 1), api.Flag.REACHABLE)
    assert not link.has("output")
    assert not output.exists()


def test_a_link_stops_where_a_fact_is_there() -> None:
    """Whoever provides it last: pipelines may have passes of other names."""
    given = inputs(TINY)
    seen = Seen()
    arguments = [*given.flags, "-o", "/dev/null", str(given.main)]
    link = api.link(arguments, until="graph", observers=[seen], variables={**given.environment()})
    assert seen.names[-1] == "reachability"
    assert link.has("graph")


def test_a_link_stops_where_its_own_settings_say(tmp_path: Path) -> None:
    """Where the caller says nothing of it; "" is the whole link."""
    given = inputs(TINY)
    arguments = [*given.flags, "-o", str(tmp_path / "out"), str(given.main)]
    variables = {**given.environment(), "LINKPIPE_UNTIL": "mode"}
    link = api.link(arguments, variables=variables)
    assert link.has("mode")
    assert not link.has("graph")
    assert api.link(["-until=graph", *arguments], variables=variables).has("graph")
    assert not api.link(arguments, until="mode", variables=given.environment()).has("graph")
    assert not (tmp_path / "out").exists()
    assert api.link(arguments, until="", variables=variables).has("output")
    assert (tmp_path / "out").exists()


def test_a_link_by_its_arguments_writes_another_file(tmp_path: Path) -> None:
    given = inputs(TINY)
    arguments = [*given.flags, "-o", "/nonexistent/out", str(given.main)]
    link = api.link(arguments, output=str(tmp_path / "out"), variables=given.environment())
    assert link.output == str(tmp_path / "out")
    assert subprocess.run([tmp_path / "out"], capture_output=True, check=False).returncode == 0


def test_a_link_runs_another_pipeline(tmp_path: Path) -> None:
    """The file that is named, and not the one that a variable names."""
    (tmp_path / "p.toml").write_text('extends = "default"\n[[remove]]\nname = "resolve"\n')
    given = inputs(TINY)
    arguments = [*given.flags, "-o", "/dev/null", str(given.main)]
    variables = {**given.environment(), "LINKPIPE_PIPELINE": "/nowhere"}
    with pytest.raises(PipelineError, match=f"{tmp_path}/p.toml:3: resolve, which provides"):
        api.link(arguments, pipeline=str(tmp_path / "p.toml"), variables=variables)


def test_a_package_is_compiled_and_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The go command compiles; what it would link is linked here, and the file runs."""
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(PROGRAMS)
    output = tmp_path / "hello"
    link = api.link("./hello", output=str(output), flags=["-ldflags=-s -w"])
    assert link.output == str(output)
    assert link.options.s
    assert subprocess.run([output], capture_output=True, check=True).stdout == b"hello, linker\n"


def test_what_the_go_command_says_is_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    (tmp_path / "main.go").write_text("package main\n\nfunc main() { undefined() }\n")
    with pytest.raises(UserError, match="undefined: undefined"):
        api.link(str(tmp_path / "main.go"))


def test_a_link_that_fails_raises_what_a_link_shows(tmp_path: Path) -> None:
    with pytest.raises(LinkpipeError, match="missing.a"):
        api.link(["-importcfg", "/dev/null", str(tmp_path / "missing.a")], variables=environment())


def test_an_unknown_pass_to_stop_at_is_named() -> None:
    given = inputs(TINY)
    arguments = [*given.flags, "-o", "/dev/null", str(given.main)]
    with pytest.raises(UserError) as caught:
        api.link(arguments, until="reachabilty", variables=given.environment())
    assert "did you mean reachability or reach-final?" in caught.value.render()


def test_what_lies_in_the_go_commands_folder_is_kept(tmp_path: Path) -> None:
    """It goes when the go command ends; what lies elsewhere is named where it is."""
    work = tmp_path / "work" / "b001"
    work.mkdir(parents=True)
    (work / "main.a").write_bytes(b"main")
    (work / "p.a").write_bytes(b"p")
    config = work / "importcfg.link"
    config.write_text(f'packagefile p={work}/p.a\npackagefile q=/elsewhere/q.a\nmodinfo "x"\n')
    folder = tmp_path / "kept"
    folder.mkdir()
    args = ["-o", "x", "-importcfg", str(config), str(work / "main.a")]
    gobuild.save(str(folder), str(link_tool()), args, {"GOARCH": "amd64", "HOME": "/root"})
    lines = (folder / "importcfg").read_text().splitlines()
    assert lines == [f"packagefile p={folder}/0.a", "packagefile q=/elsewhere/q.a", 'modinfo "x"']
    assert (folder / "0.a").read_bytes() == b"p"
    assert (folder / "main.a").read_bytes() == b"main"
    assert "HOME" not in (folder / "link.json").read_text()
