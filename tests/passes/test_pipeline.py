"""The default pipeline: which links a pass takes part in."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from linkpipe.engine.pipeline import load_pipeline
from linkpipe.engine.plan import make_plan
from linkpipe.engine.plugins import Catalog
from linkpipe.flags.options import Options
from linkpipe.tables.mode import Mode

INTERNAL = Mode(external=False, iscgo=False, can_use_plugins=False, dynlink=False)
DYNAMIC = attrs.evolve(INTERNAL, dynamic=True)
FORCED = Mode(external=True, iscgo=False, can_use_plugins=False, dynlink=False)
CGO = Mode(external=True, iscgo=True, can_use_plugins=False, dynlink=False)
HOST = Mode(external=True, iscgo=True, can_use_plugins=True, dynlink=True)
PLUGIN = HOST
ANYWHERE = attrs.evolve(CGO, pic=True)


@pytest.mark.parametrize(
    ("name", "modes"),
    [
        ("addexport", {"forced", "cgo", "host", "plugin", "pie", "c-shared", "c-archive"}),
        ("addmoduledata", {"host", "plugin"}),
        ("dynreloc", {"dynamic"}),
        ("dyntables", {"dynamic"}),
        ("fips", {"internal", "dynamic"}),  # the host linker still moves what is hashed
        ("carchive", {"c-archive"}),
        ("forcecgo", {"forced"}),
        ("hostlink", {"forced", "cgo", "host", "plugin", "pie", "c-shared"}),
        ("libentry", {"c-shared", "c-archive"}),
        ("mangle", {"host", "plugin"}),
        ("pkghash", {"host", "plugin"}),
        ("ptab", {"plugin"}),
        ("picthunks", {"host", "plugin", "pie", "c-shared", "c-archive"}),
    ],
)
def test_what_the_mode_decides(name: str, modes: set[str]) -> None:
    links: dict[str, tuple[Mode, str]] = {
        "internal": (INTERNAL, "exe"),
        "dynamic": (DYNAMIC, "exe"),
        "forced": (FORCED, "exe"),
        "cgo": (CGO, "exe"),
        "host": (HOST, "exe"),
        "plugin": (PLUGIN, "plugin"),
        **{name: (ANYWHERE, name) for name in ("pie", "c-shared", "c-archive")},
    }
    assert {key for key, link in links.items() if name in running(*link)} == modes


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("linkname", {"checklinkname": False}),
        ("dwarf", {"w": True}),
        ("dumpdep", {"dumpdep": False}),
    ],
)
def test_flags_that_leave_a_pass_out(name: str, flags: dict[str, Any]) -> None:
    opposite: dict[str, Any] = {flag: not value for flag, value in flags.items()}
    assert name not in running(INTERNAL, **flags)
    assert name in running(INTERNAL, **opposite)


def test_which_sections_a_version_of_dwarf_has() -> None:
    """Lists have other forms; version 4 has no table of addresses."""
    new, old = (running(attrs.evolve(INTERNAL, dwarf5=dwarf5), w=False) for dwarf5 in (True, False))
    assert new - old == {"debugloclists", "debugrnglists", "debugaddr"}
    assert old - new == {"debugloc", "debugranges"}


def running(mode: Mode, buildmode: str = "exe", **flags: Any) -> set[str]:
    """Names of the passes that run."""
    plan = make_plan(load_pipeline(), Catalog(), Options(buildmode=buildmode, **flags))
    return {
        planned.name
        for planned in plan.passes
        if all(getattr(mode, key) in wanted for key, wanted in planned.when.items())
    }
