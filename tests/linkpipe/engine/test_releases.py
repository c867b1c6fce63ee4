"""Which release a link is by: the toolchain's, or the one that is asked for."""

from __future__ import annotations

import pytest

from linkpipe.engine.entrypoints import EntryPoint
from linkpipe.engine.plugins import Catalog
from linkpipe.engine.releases import patch_of, release_of
from linkpipe.errors import UserError

KNOWN = Catalog(
    [
        EntryPoint("linkpipe.releases", name, f"json:{what}", "acme", "1.0", "/acme-1.0.dist-info")
        for name, what in (("1.9", "dumps"), ("1.10", "loads"), ("1.11", "load"))
    ]
)


@pytest.mark.parametrize(
    ("version", "asked", "name"),
    [
        ("go1.9", "", "dumps"),
        ("go1.10.3", "", "loads"),
        ("go1.11rc1", "", "load"),
        ("go1.10.3-vendor X:arenas", "", "loads"),
        ("devel go1.11-2a1b3c Mon Jan 2", "", "load"),
        ("", "", "load"),
        ("go1.12", "1.11", "load"),
        ("strange", "1.9", "dumps"),
    ],
)
def test_the_release_of_a_version(version: str, asked: str, name: str) -> None:
    """Its patch does not matter, nor what a vendor adds; without a version it is the newest."""
    found = release_of(KNOWN, version, asked)
    assert found.__name__ == name  # type: ignore[attr-defined]  # a function stands for it


@pytest.mark.parametrize("version", ["", "go1.9"])
def test_without_entry_points_no_release_is_known(version: str) -> None:
    with pytest.raises(UserError, match="no release of Go is installed"):
        release_of(Catalog([]), version)


@pytest.mark.parametrize(
    ("version", "said", "near"),
    [
        ("go1.12.1", "Go 1.12 is newer than this linkpipe", "1.11"),
        ("go2.0", "Go 2.0 is newer than this linkpipe", "1.11"),
        ("go1.8", "Go 1.8 is too old", "1.9"),
        ("strange", "cannot tell which Go 'strange' is", "1.11"),
    ],
)
def test_one_that_is_not_known_is_refused_in_one_line(version: str, said: str, near: str) -> None:
    with pytest.raises(UserError) as caught:
        release_of(KNOWN, version)
    assert caught.value.message == f"{said}: linkpipe knows Go 1.9 to 1.11"
    assert f"try --release={near}" in caught.value.remedy


def test_one_that_is_asked_for_must_be_there() -> None:
    with pytest.raises(UserError, match='unknown release "1.12"') as caught:
        release_of(KNOWN, "go1.11", "1.12")
    assert "1.11" in caught.value.remedy


@pytest.mark.parametrize(
    ("version", "name", "patch"),
    [
        ("go1.26.2", "1.26", 2),
        ("go1.26.13-vendor", "1.26", 13),
        ("go1.26", "1.26", 0),
        ("go1.26rc1", "1.26", 0),
        ("go1.27.1", "1.26", None),
        ("", "1.26", None),
    ],
)
def test_the_patch_of_a_version(version: str, name: str, patch: int | None) -> None:
    """None where the link is by another release's rules: the newest is meant."""
    assert patch_of(version, name) == patch
