"""A Go that is newer than linkpipe: refused in one line, and linked by known rules where asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from tests.conformance import oracle
from tests.conformance.programs import Inputs, inputs, table
from tests.conformance.toolchain import goroot

NEWER = b"go1.99.7"


@pytest.fixture
def newer(folder: Path) -> Inputs:
    """hello, as if a newer Go had compiled it: the version in all objects is another."""
    given = inputs(table()["hello"])
    version = (goroot() / "VERSION").read_bytes().split()[0]
    lines = []
    for number, (package, file) in enumerate(given.archives().items()):
        copy = folder / f"{number}.a"
        objects = file.read_bytes().replace(b" " + version + b" ", b" " + NEWER + b" ")
        assert len(version) == len(NEWER), "objects' places would move"
        copy.write_bytes(objects)
        lines.append(f"packagefile {package}={copy}\n")
    folder.joinpath("importcfg").write_text("".join(lines))
    root = folder / "goroot"
    root.mkdir()
    (root / "VERSION").write_bytes(NEWER + b"\n")
    flags = [
        f"{folder}/importcfg" if before == "-importcfg" else word
        for before, word in zip(("", *given.argv), given.argv[:-1], strict=False)
    ]
    return evolve(
        given,
        folder=folder,
        argv=(*flags, str(folder / f"{number}.a")),
        env={**given.env, "GOROOT": str(root)},
    )


def test_it_is_refused_in_one_line(newer: Inputs, folder: Path) -> None:
    linked = oracle.link_linkpipe(newer, ["-w"], folder / "out")
    assert linked.status == 2
    said, remedy = linked.stderr.splitlines()
    assert said.startswith("linkpipe: Go 1.99 is newer than this linkpipe: linkpipe knows Go 1.")
    assert "--release=" in remedy
    assert not linked.output.exists()


def test_it_is_linked_where_asked(newer: Inputs, folder: Path) -> None:
    """By the rules of the release that it is in truth: it runs."""
    release = ".".join((goroot() / "VERSION").read_text().split()[0][2:].split(".")[:2])
    linked = oracle.link_linkpipe(newer, [f"--release={release}"], folder / "out")
    assert (linked.status, linked.stderr) == (0, "")
    stock = oracle.link_oracle(inputs(table()["hello"]), ["-w"], folder / "stock")
    assert oracle.run(linked.output) == oracle.run(stock.output)
