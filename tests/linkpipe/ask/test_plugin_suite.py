"""plugin-check on the pairs that Go's own plugin tests open: no false alarm, and the two that fail.

Source: cmd/cgo/internal/testplugin/plugin_test.go.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from attrs import frozen

from linkpipe.ask.plugin_check import plugin_check
from tests.conformance.toolchain import goroot
from tests.linkpipe.ask.pairs import Builder


@frozen
class Pair:
    """A host and its plugins, each what is built and with which flags."""

    host: tuple[str, ...]
    plugins: tuple[tuple[str, ...], ...]


def one(name: str, *flags: str) -> Pair:
    """As most tests have them: NAME/main.go opens what NAME/plugin.go gives."""
    return Pair((f"./{name}/main.go",), ((*flags, f"./{name}/plugin.go"),))


PAIRS = {
    "host": Pair(
        ("./host",),
        (
            ("./plugin1",),
            ("./plugin2",),
            ("./sub/plugin1",),
            ("./unnamed1/main.go",),
            ("./unnamed2/main.go",),
        ),
    ),
    "iface": Pair(("./iface",), (("./iface_a",), ("./iface_b",))),
    "issue18676": one("issue18676"),
    "issue19534": one("issue19534", "-gcflags=-p=issue.19534", "-ldflags=-pluginpath=issue.19534"),
    "issue18584": one("issue18584"),
    "issue19418": one("issue19418", "-ldflags=-X main.Val=linkstr"),
    "issue22175": Pair(
        ("./issue22175/main.go",), (("./issue22175/plugin1.go",), ("./issue22175/plugin2.go",))
    ),
    "issue22295": Pair(("./issue22295.pkg/main.go",), (("./issue22295.pkg",),)),
    "issue24351": one("issue24351"),
    "issue25756": Pair(("./issue25756/main.go",), (("./issue25756/plugin",),)),
    "issue25756pie": Pair(("-buildmode=pie", "./issue25756/main.go"), (("./issue25756/plugin",),)),
    "method": one("method"),
    "method2": one("method2"),
    "method3": one("method3"),
    "issue44956": Pair(
        ("./issue44956/main.go",), (("./issue44956/plugin1.go",), ("./issue44956/plugin2.go",))
    ),
    "issue53989": one("issue53989"),
    "issue62430": one("issue62430"),
    "issue81303": Pair(
        ("./issue81303/main.go",), tuple((f"./issue81303/plugin{n}.go",) for n in (1, 2, 3))
    ),
}
"""Pairs that work; what opens none of its plugins is not here."""


@pytest.fixture
def suite(tmp_path: Path) -> Builder:
    """The programs of Go's test, in one module."""
    source = goroot() / "src/cmd/cgo/internal/testplugin/testdata"
    shutil.copytree(source, tmp_path, dirs_exist_ok=True)
    (tmp_path / "go.mod").write_text("module testplugin\n")
    return Builder(tmp_path)


def built(suite: Builder, pair: Pair) -> tuple[str, list[str]]:
    """The files of a host and of its plugins."""
    *flags, package = pair.host
    host = suite.host("host.exe", *flags, package=package)
    plugins = [
        suite.plugin(f"plugin{row}.so", *flags, package=package)
        for row, (*flags, package) in enumerate(pair.plugins)
    ]
    return host, plugins


@pytest.mark.big
@pytest.mark.parametrize("name", PAIRS)
def test_nothing_is_said_of_pairs_that_work(suite: Builder, name: str) -> None:
    host, plugins = built(suite, PAIRS[name])
    said = plugin_check(host, plugins)
    assert [plugin.problems for plugin in said.plugins] == [()] * len(plugins)


@pytest.mark.big
def test_the_pair_that_is_to_fail(suite: Builder) -> None:
    """A plugin that was compiled with other flags is refused by its host."""
    host, plugins = built(suite, one("issue75102", "-gcflags=all=-N -l"))
    (plugin,) = plugin_check(host, plugins).plugins
    causes = {cause.name for problem in plugin.problems for cause in problem.causes}
    assert "-gcflags" in causes
