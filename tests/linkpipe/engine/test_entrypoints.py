from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from linkpipe.engine.entrypoints import scan


def dist(folder: Path, name: str, version: str, text: str) -> None:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text(text)


def test_the_same_entry_points_as_importlib_finds() -> None:
    """The fast reader against the standard library's, on what is installed here."""
    theirs = {
        (e.group, e.name, e.value, e.dist.name.replace("_", "-") if e.dist else "")
        for group in importlib.metadata.entry_points().groups
        if group.startswith("linkpipe.")
        for e in importlib.metadata.entry_points(group=group)
    }
    assert theirs
    assert {(e.group, e.name, e.value, e.dist) for e in scan()} == theirs


def test_groups_comments_and_extras(tmp_path: Path) -> None:
    dist(
        tmp_path,
        "acme_pack",
        "1.2",
        "[console_scripts]\nx = y:z\n\n# note\n[linkpipe.passes]\nacme.a = m.n:o [extra]\nb=m:p\n",
    )
    found = scan([str(tmp_path)])
    assert [(e.group, e.name, e.value, e.owner) for e in found] == [
        ("linkpipe.passes", "acme.a", "m.n:o", "acme-pack 1.2"),
        ("linkpipe.passes", "b", "m:p", "acme-pack 1.2"),
    ]


def test_the_first_on_the_path_counts(tmp_path: Path) -> None:
    dist(tmp_path / "a", "acme", "1", "[linkpipe.passes]\nx = one:x\n")
    dist(tmp_path / "b", "Acme", "2", "[linkpipe.passes]\nx = two:x\n")
    found = scan([str(tmp_path / "a"), str(tmp_path / "b"), str(tmp_path / "missing")])
    assert [e.value for e in found] == ["one:x"]


def test_load(tmp_path: Path) -> None:
    dist(tmp_path, "acme", "1", "[linkpipe.x]\na = os:path.join\nb = json\nc = os:nothing\n")
    a, b, c = scan([str(tmp_path)])
    import json
    import os

    assert a.load() is os.path.join
    assert b.load() is json
    with pytest.raises(AttributeError):
        c.load()
