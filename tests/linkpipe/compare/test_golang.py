"""Names of fields are those of the release that wrote the file."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from linkpipe.compare.contents import _in_moduledata
from linkpipe.compare.golang import moduledata_field, release_of_file
from linkpipe.testing.links import release


def file(version: str, name: str = ".go.buildinfo") -> Any:
    text = version.encode()
    data = np.frombuffer(bytes(32) + bytes([len(text)]) + text + b"...", np.uint8)
    index = {name: 1}.get
    return SimpleNamespace(index=index, content=lambda section: data)


@pytest.mark.parametrize(
    ("version", "name"),
    [("go1.25.5", "1.25"), ("go1.26rc1 X:arenas", "1.26"), ("go1.99", ""), ("strange", "")],
)
def test_the_release_of_a_file(version: str, name: str) -> None:
    """The newest where it is not known, or not said."""
    assert release_of_file(file(version)).name == release(name).name
    assert release_of_file(file(version, ".text")).name == release().name


@pytest.mark.parametrize(
    ("name", "field", "after"),
    [
        ("1.25", "textsectmap", "gofunc"),
        ("1.26", "epclntab", "gofunc"),
        ("1.27", "ptab", "textsectmap (capacity)"),
    ],
)
def test_fields_follow_each_other_as_in_the_release(name: str, field: str, after: str) -> None:
    fields = [moduledata_field(release(name), 8 * i, 8) for i in range(120)]
    at = fields.index(f"moduledata.{after}") + 1
    assert fields[at].split()[0] == f"moduledata.{field}"
    assert fields[-1] == "past the module data's end"


@pytest.mark.parametrize(
    ("place", "inside"),
    [
        ("runtime.firstmoduledata+0x88", 0x88),
        ("local.moduledata+0x0", 0),
        (".go.module+0x10", 0x10),
        ("runtime.firstmoduledata+0x300 (past its end)", 0x300),
        ("runtime.lastmoduledatap+0x0", -1),
    ],
)
def test_places_in_the_module_data(place: str, inside: int) -> None:
    assert _in_moduledata(place) == inside
