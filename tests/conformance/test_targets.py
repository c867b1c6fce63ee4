"""The table of architectures, and what happens where a compiler or an emulator is missing."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from linkpipe.engine.plugins import Catalog
from tests.conformance import targets
from tests.conformance.programs import EVERYWHERE, WITH_C, table
from tests.conformance.targets import TABLE, Target, native, packages
from tests.conformance.toolchain import ROOT
from tests.conformance.tools import HINT, need

NOWHERE = Target("toy", "toy-linux-gnu", ("gcc-toy",), "qemu-toy")


RACED = {"arm64", "s390x", "riscv64"}
"""For these and this machine's the toolchain has a race detector (README)."""


def test_every_architecture_is_compared() -> None:
    """Whoever adds an architecture adds a row, and with it all its programs."""
    known = set(Catalog().offers("arches"))
    assert known - {native()} <= {row.goarch for row in TABLE}
    programs = table()
    for goarch in known - {native()}:
        arch = Catalog().load("arches", goarch)
        left = set() if arch.internal_pie else {"ownpie", "dynpie", "netuserpie", "owncpie"}
        left |= set() if arch.linkage and arch.linkage.host else set(WITH_C)
        left |= set() if goarch in RACED else {"race"}
        left |= set() if "shared" in arch.build_modes else {"sharedlib", "linkshared"}
        names = [name for name in EVERYWHERE if name not in left]
        assert {f"{name}-{goarch}" for name in names} <= set(programs)
        assert programs[f"plugin-{goarch}"].base == "plugin"


def test_rows_are_of_one_piece() -> None:
    """The packages bring what the row names: a compiler, a C library, and for what this processor
    does not run an emulator."""
    for row in TABLE:
        compiler, libc = row.packages
        assert compiler == f"gcc-{row.triple}"
        assert re.fullmatch(r"libc6-dev-[a-z0-9]+-cross", libc)
        assert row.emulator.startswith("qemu-") or row.loader
    assert "qemu-user" in packages()


@pytest.mark.parametrize("cgo", [False, True])
def test_what_is_missing_is_named(cgo: bool) -> None:
    assert NOWHERE.missing_compiler() == f"no toy-linux-gnu-gcc: {HINT}"
    assert NOWHERE.missing_runner(cgo=cgo) == f"no qemu-toy: {HINT}"


def test_a_loader_is_for_programs_with_c_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A static program runs as it is; one that is linked with the C library needs its own."""
    row = Target("toy", "toy", (), loader="ld.so")
    monkeypatch.setattr(Target, "root", str(tmp_path))
    assert row.runner(cgo=False) == ()
    assert row.missing_runner(cgo=False) == ""
    loader = f"{tmp_path}/lib/ld.so"
    assert row.runner(cgo=True) == (loader, "--library-path", f"{tmp_path}/lib")
    assert row.missing_runner(cgo=True) == f"no {loader}: {HINT}"


def test_another_compiler_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for Go's own make, with its flags."""
    monkeypatch.setenv("CC_FOR_linux_toy", "sh -target toy")
    assert NOWHERE.missing_compiler() == ""
    assert NOWHERE.environment(cgo=True) == {"GOARCH": "toy", "CC": "sh -target toy"}
    assert NOWHERE.environment(cgo=False) == {"GOARCH": "toy"}


def test_missing_tools_skip_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LINKPIPE_TOOLS", raising=False)
    need("")
    with pytest.raises(pytest.skip.Exception, match="make cross-tools"):
        need(NOWHERE.missing_compiler())


def test_missing_tools_fail_where_they_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    """Continuous integration sets the variable, so that no skip goes unseen there."""
    monkeypatch.setenv("LINKPIPE_TOOLS", "required")
    need("")
    with pytest.raises(pytest.fail.Exception, match="make cross-tools"):
        need(NOWHERE.missing_compiler())


def test_ci_installs_the_tools_and_requires_them() -> None:
    """Before anything that could skip."""
    steps = (ROOT / ".ci" / "run").read_text().splitlines()
    first = next(i for i, step in enumerate(steps) if step.startswith("step "))
    assert steps[first].split()[1:3] == ["make", "cross-tools"]
    assert "export LINKPIPE_TOOLS=required" in steps[:first]


def test_the_table_of_conformance_fails_where_tools_are_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There nothing is skipped by pytest; the row itself is wrong."""
    from tests.conformance.__main__ import NONE, Row

    def wrong() -> bool:
        return Row(table()["hello"], "w", NONE, NONE, NOWHERE.missing_compiler()).wrong

    monkeypatch.delenv("LINKPIPE_TOOLS", raising=False)
    assert not wrong()
    monkeypatch.setenv("LINKPIPE_TOOLS", "required")
    assert wrong()
    assert os.environ["LINKPIPE_TOOLS"] in (targets.__doc__ or "")
