"""Plugins that were written for a version of linkpipe.api run with every later one.

They are kept as they were: who changes one has changed what somebody else has installed. A new
version of the API gets a folder of its own, and the old ones stay as long as the major version.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import warnings
from pathlib import Path
from typing import Any

import pytest

from linkpipe.api import API_VERSION, Offer
from linkpipe.engine import hookspecs
from linkpipe.engine.entrypoints import EntryPoint
from linkpipe.engine.hookspecs import hookimpl
from linkpipe.engine.plugins import Catalog
from linkpipe.errors import UserError
from tests.conformance.oracle import link, linkpipe
from tests.conformance.programs import inputs, table
from tests.linkpipe.synthetic import setter
from tests.samples import install

HERE = Path(__file__).parent
FROZEN = {"v1_0": "54acb099ef70d2af"}
"""Each folder, with a digest of what is in it."""


@pytest.fixture(scope="module", params=FROZEN)
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    return install(HERE / request.param, tmp_path_factory.mktemp(request.param))


@pytest.mark.parametrize(("folder", "digest"), FROZEN.items())
def test_they_are_as_they_were(folder: str, digest: str) -> None:
    found = hashlib.sha256()
    for name in ("pyproject.toml", *sorted(os.listdir(HERE / folder / "acme_frozen"))):
        path = HERE / folder / name
        path = path if path.exists() else HERE / folder / "acme_frozen" / name
        if path.is_file():
            found.update(f"{name}\n".encode() + path.read_bytes())
    assert found.hexdigest()[:16] == digest, "write a new one for what has changed"


def test_the_major_version_has_one_for_its_beginning() -> None:
    assert f"v{API_VERSION[0]}_0" in FROZEN


def test_a_link_with_them(tmp_path: Path, installed: str) -> None:
    """The pass, the one of a hook, the barrier, the observer, the format, the pipeline."""
    (tmp_path / "p.toml").write_text('extends = ["default", "frozen"]\n')
    given = inputs(table()["hello"])
    given.env["PYTHONPATH"] = installed
    flags = [
        "-w", f"-pipeline={tmp_path}/p.toml", "-observe", f"frozen.watch:file={tmp_path}/seen",
        "-observe", f"dump:dir={tmp_path}/dump,format=frozen,facts=symbols,after=reachability",
    ]  # fmt: skip
    linked = link(linkpipe(), given, flags, tmp_path)
    assert linked.status == 0, linked.stderr
    assert linked.stdout == "frozen: True ELF amd64 exe\n"
    assert "Warning" not in linked.stderr
    seen = (tmp_path / "seen").read_text().splitlines()
    assert (seen[0], seen[-1]) == ("start True", "end True")
    assert "before frozen.count" in seen
    assert "after frozen.count True frozen.functions" in seen
    (dump,) = (tmp_path / "dump").glob("*/*.symbols.frozen")
    first, *names = dump.read_text().splitlines()
    assert first == "symbols reachability"
    assert "main.main" in names
    plain = link(linkpipe(), inputs(table()["hello"]), ["-w"], tmp_path / "plain").output
    assert plain.read_bytes() == linked.output.read_bytes()
    assert subprocess.check_output([linked.output]) == b"hello, linker\n"


HOOKS_1_0 = {
    f"linkpipe_{kind}": ()
    for kind in ("passes", "arches", "releases", "observers", "dumpers", "pipelines")
}


def test_hooks_are_what_they_were() -> None:
    """An argument that a hook had is there still, if only to warn who takes it."""
    manager = Catalog(()).manager
    for name, arguments in HOOKS_1_0.items():
        spec = getattr(manager.hook, name).spec
        assert set(arguments) <= set(spec.argnames), name
    assert set(hookspecs.ARGUMENTS) >= {
        name for caller in HOOKS_1_0 for name in getattr(manager.hook, caller).spec.argnames
    }


def test_who_takes_an_argument_that_goes_is_warned(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the plugin is registered; the hook is called with it as long as it is there."""

    @hookspecs.hookspec(warn_on_impl_args=hookspecs.leaving(target="1.4", other="1.5"))
    def linkpipe_passes(target: str, other: str) -> None: ...

    monkeypatch.setattr(hookspecs, "linkpipe_passes", linkpipe_passes)
    monkeypatch.setattr(hookspecs, "ARGUMENTS", {"target": "elf", "other": ""})

    class Old:
        @hookimpl
        def linkpipe_passes(self, target: str) -> list[Offer]:
            return [Offer(f"old.{target}", "old", lambda: setter("x"))]

    class New:
        @hookimpl
        def linkpipe_passes(self) -> list[Offer]:
            return []

    with pytest.warns(DeprecationWarning, match=r"`target`.* goes in linkpipe 1\.4") as caught:
        found = Catalog((), {"old": Old()})
    assert len(caught) == 1
    assert set(found.offers("passes")) == {"old.elf"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not Catalog((), {"new": New()}).offers("passes")


def test_an_argument_that_there_never_was_is_named() -> None:
    """And so is a plugin that is named twice: neither may end a link without a word."""

    class Wrong:
        @hookimpl
        def linkpipe_passes(self, nosuch: Any) -> list[Offer]:
            return []

    with pytest.raises(UserError, match="nosuch"):
        Catalog((), {"wrong": Wrong()})
    twice = [
        EntryPoint("linkpipe.plugins", name, "tests.linkpipe.hook_module", "acme", "1.0", "i")
        for name in ("a", "b")
    ]
    broken = Catalog(twice).broken["acme 1.0"]
    assert "the plugin tests.linkpipe.hook_module is named twice" in broken.message
