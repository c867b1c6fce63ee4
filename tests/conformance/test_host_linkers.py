"""Other linkers than the C compiler's usual one finish a link, as -extldflags says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conformance import oracle
from tests.conformance.__main__ import both
from tests.conformance.oracle import MODES, Linked
from tests.conformance.programs import inputs, table
from tests.conformance.targets import targets
from tests.conformance.tools import missing, need

GOLD = "-extldflags=-fuse-ld=gold"


def linked(link: Callable[..., Linked], program: str, folder: Path, name: str) -> bytes:
    """What a linker writes to an output of that name, which is removed."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    flags = (*MODES["w"], GOLD)
    done = link(inputs(table()[program]), flags, folder, external=True, name=name)
    assert done.status == 0, done.stderr
    content = done.output.read_bytes()
    done.output.unlink()
    return content


@pytest.mark.parametrize("name", ["p.so", "d/p.so", "/d/p.so"])
def test_plugins_linked_by_gold(name: str, folder: Path) -> None:
    """The same bytes, whatever the output is called."""
    need(missing("ld.gold"))
    if name.startswith("/"):
        name = f"{folder}{name}"
    theirs = linked(oracle.link_oracle, "plugin", folder / "theirs", name)
    assert name.encode() in theirs, "gold does not do it any more: this test shows nothing"
    assert linked(oracle.link_linkpipe, "plugin", folder / "ours", name) == theirs


@pytest.mark.parametrize("goarch", [goarch for goarch in targets() if goarch == "arm64"])
def test_plugins_of_another_architecture(goarch: str, folder: Path) -> None:
    """arm64 takes gold where GNU's linker is too old."""
    program = f"plugin-{goarch}"
    need(table()[program].missing_compiler())
    name = "p.so"
    theirs = linked(oracle.link_oracle, program, folder / "theirs", name)
    assert linked(oracle.link_linkpipe, program, folder / "ours", name) == theirs


# What each calls itself in the files that it writes.
LINKERS = {"ld.gold": b"gold 1.", "ld.lld": b"LLD ", "mold": b"mold "}


@pytest.mark.parametrize("linker", LINKERS)
def test_a_plugin_and_its_host(linker: str, folder: Path) -> None:
    """The same bytes as by the oracle with that linker, and the host opens the plugin."""
    need(missing(linker))
    programs = table()
    flag = f"-extldflags=-fuse-ld={linker.removeprefix('ld.')}"
    host, plugin = (both(programs[name], "w", folder / name, flag) for name in ("host", "plugin"))
    for ours, theirs in (host, plugin):
        assert oracle.differences(ours, theirs) == []
        assert LINKERS[linker] in ours.output.read_bytes(), "another linker did it"
    pairs = zip(host, plugin, strict=True)
    good, printed = oracle.opens(programs["host"], *pairs)
    assert good == oracle.TIMES, printed
