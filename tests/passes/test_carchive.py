"""carchive: which tool packs Go code for C programs, what it gets, and its failures."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import attrs
import numpy as np
import pytest

from linkpipe.arches.amd64 import ARCH
from linkpipe.engine.pass_api import Link
from linkpipe.errors import HostLinkError
from linkpipe.flags.options import Options
from linkpipe.formats.arena import MappedFiles
from linkpipe.hostlinker.hosttools import ARCHIVER
from linkpipe.passes.carchive import carchive
from linkpipe.passes.hostprobe import hostprobe
from linkpipe.tables.cgo import CgoFacts
from linkpipe.tables.packages import HostObject
from linkpipe.testing.links import release
from tests.passes.test_hostlink import GO_O
from tests.tiny import EXTERNAL

# Says where the archive tool is, unless it is to know no such question; logs its arguments.
COMPILER = """#!/bin/sh
printf '%s\\n' "$*" >> "$LOG"
case "$*" in
    *--print-prog-name=ar*) [ -n "$REFUSED" ] && { echo unknown >&2; exit 1; };;
    *"--print-prog-name ar") [ -n "$BROKEN" ] && { echo no; exit 4; }; echo "$TOOL";;
esac
exit 0
"""
TOOL = """#!/bin/sh
printf 'tool %s\\n' "$*" >> "$LOG"
[ -n "$WRONG" ] && { echo no room; exit 3; }
exec ar "$@"
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A C compiler and an archive tool, which obey the environment."""
    for name, script in (("cc", COMPILER), ("tool", TOOL)):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    monkeypatch.setenv("TOOL", str(tmp_path / "tool"))
    monkeypatch.setenv("LINKPIPE_PROBE_CACHE", "off")
    return tmp_path


def packed(folder: Path, **flags: Any) -> Link:
    """The link of an archive of go.o and one C object."""
    content = folder / "content"
    content.write_bytes(b"C object")
    mapped = MappedFiles([8])
    mapped.map(0, str(content))
    host = HostObject("p", "x.o", "x.a", 0, 8, "elf")
    packages: Any = SimpleNamespace(host_objects=(host,))
    given = {"o": str(folder / "lib.a"), "extld": (str(folder / "cc"),), **flags}
    link = Link(
        {
            "options": Options(buildmode="c-archive", **given),
            "arch": ARCH,
            "release": release(),
            "mode": attrs.evolve(EXTERNAL, pic=True),
            "objects": SimpleNamespace(arena=mapped.arena),
            "packages": packages,
            "cgo": CgoFacts(ldflags=(), libraries=(), imports={}, interpreter="", dynamic=False),
            "image": np.frombuffer(GO_O, np.uint8),
        }
    )
    return carchive.run(hostprobe.run(link))


def log(folder: Path, link: Link) -> list[str]:
    """Who was called with what; the folder is D, that of the objects T."""
    objects = Path(link.hostlink.objects[0]).parent
    text = (folder / "log").read_text().replace(str(objects), "T").replace(str(folder), "D")
    return [line for line in text.splitlines() if "trivial.c" not in line]


def members(path: Path) -> list[str]:
    done = subprocess.run(["ar", "tv", path], text=True, capture_output=True, check=True)
    return done.stdout.splitlines()


def test_the_compiler_says_which_tool(tools: Path) -> None:
    """Members have no times; what the archive had before is gone."""
    (tools / "lib.a").write_bytes(b"!<arch>\n")
    link = packed(tools)
    assert log(tools, link) == [
        "-m64 --print-prog-name ar",
        "tool -q -c -s D/lib.a T/go.o T/000000.o",
    ]
    assert (link.output, link.hostlink.answers) == (str(tools / "lib.a"), ((ARCHIVER, True),))
    first, second = members(tools / "lib.a")
    assert (first.split()[-1], second.split()[-1]) == ("go.o", "000000.o")
    assert "1970" in first
    assert "1970" in second


def test_a_compiler_that_knows_no_such_question(
    tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFUSED", "yes")
    link = packed(tools)
    assert link.hostlink.command[0] == "ar"
    assert log(tools, link) == []
    assert len(members(tools / "lib.a")) == 2


def test_a_tool_that_is_named(tools: Path) -> None:
    """The compiler is not asked."""
    link = packed(tools, extar=str(tools / "tool"), tmpdir=str(tools))
    assert log(tools, link) == ["tool -q -c -s T/lib.a T/go.o T/000000.o"]
    assert (tools / "go.o").read_bytes() == GO_O


def test_a_tool_that_fails(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there before stays."""
    (tools / "lib.a").write_bytes(b"old")
    monkeypatch.setenv("WRONG", "yes")
    with pytest.raises(HostLinkError) as error:
        packed(tools)
    assert str(error.value) == f"running {tools}/tool failed: exit status 3\nno room\n"
    assert (error.value.exit_status, (tools / "lib.a").read_bytes()) == (2, b"old")
    with pytest.raises(HostLinkError, match=r'running noar failed: exec: "noar": executable file'):
        packed(tools, extar="noar")


def test_a_compiler_that_does_not_say(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROKEN", "yes")
    with pytest.raises(HostLinkError) as error:
        packed(tools)
    assert str(error.value) == "finding ar failed: exit status 4\nno\n"
    assert not (tools / "lib.a").exists()
