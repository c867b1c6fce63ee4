"""The arena: how many addresses are asked for, what is said when there are too few, and what a
process holds of the files."""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from linkpipe.errors import InputError
from linkpipe.formats.arena import MappedFiles
from tests.conformance.programs import TINY, inputs
from tests.conformance.toolchain import environment

SPARSE = [64 << 30, 1 << 40, 2**63 - 1]


def test_files_that_nobody_needs_may_be_of_any_size(tmp_path: Path) -> None:
    """Addresses are no memory; where they do not suffice the largest files are left out."""
    (tmp_path / "a").write_bytes(b"content")
    mapped = MappedFiles([*SPARSE, 7, *SPARSE])
    assert mapped.map(3, str(tmp_path / "a")) == 7
    assert bytes(mapped.arena.view(int(mapped.bases[3]), 7)) == b"content"


def test_a_file_that_was_left_out_is_named_when_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content")
    with pytest.raises(InputError, match="there is no address space for its 7 bytes") as caught:
        MappedFiles([2**63 - 1]).map(0, str(tmp_path / "a"))
    assert caught.value.file == str(tmp_path / "a")


@pytest.mark.parametrize(("name", "reason"), [("a\0b", "invalid argument"), ("x", "no such file")])
def test_a_file_that_cannot_be_opened(name: str, reason: str) -> None:
    with pytest.raises(InputError, match=f"cannot open file {name}: open {name}: {reason}"):
        MappedFiles([1]).map(0, name)


LIMITED = """
import resource, sys
from linkpipe.formats.arena import MappedFiles
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (32 << 20),) * 2)
mapped = MappedFiles([1 << 20, 1 << 30, 2 << 20])
put = mapped.arena.put(memoryview(b"made"))
print(mapped.map(0, sys.argv[1]), mapped.map(2, sys.argv[1]), put)
resource.setrlimit(resource.RLIMIT_AS, (used, resource.getrlimit(resource.RLIMIT_AS)[1]))
try:
    MappedFiles([1 << 30])
except Exception as e:
    print(type(e).__name__, e)
"""


def test_a_limit_on_addresses(tmp_path: Path) -> None:
    """What fits is mapped, with no room for made contents; an error says so when not even files fit
    (ulimit -v)."""
    (tmp_path / "a").write_bytes(b"content")
    assert resource.getrlimit(resource.RLIMIT_AS)[1] == resource.RLIM_INFINITY
    done = subprocess.run(
        [sys.executable, "-P", "-c", LIMITED, str(tmp_path / "a")],
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.stdout.splitlines()[0] == "7 7 -1", done.stderr
    assert done.stdout.splitlines()[1].startswith("UserError cannot reserve ")


def resident(path: Path) -> int:
    """KiB of a file that this process is counted to hold."""
    lines = Path("/proc/self/smaps").read_text().splitlines()
    first = next(i for i, line in enumerate(lines) if line.endswith(str(path)))
    return next(int(line.split()[1]) for line in lines[first:] if line.startswith("Rss:"))


def test_pages_that_were_read_are_let_go(tmp_path: Path) -> None:
    file, content = tmp_path / "a", bytes(range(1, 256)) * 1000
    file.write_bytes(content)
    mapped = MappedFiles([7, len(content)])
    mapped.map(1, str(file))
    place = mapped.arena.view(int(mapped.bases[1]), len(content))
    assert bytes(place) == content
    assert resident(file) >= len(content) // 1024
    mapped.arena.let_go()
    assert resident(file) == 0
    assert bytes(place) == content


def test_what_could_not_be_mapped_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"content")
    monkeypatch.setattr(MappedFiles, "_mapped", lambda *_: False)
    mapped = MappedFiles([7])
    mapped.map(0, str(tmp_path / "a"))
    mapped.arena.let_go()
    assert bytes(mapped.arena.view(0, 7)) == b"content"


def test_made_contents_lie_behind_the_files(tmp_path: Path) -> None:
    """They are read as files are, and stay when the files' pages are let go."""
    (tmp_path / "a").write_bytes(b"content")
    mapped = MappedFiles([7])
    mapped.map(0, str(tmp_path / "a"))
    arena = mapped.arena
    at = [arena.put(memoryview(content)) for content in (b"made", b"", b"after")]
    arena.let_go()
    assert at == [arena.made, arena.made + 4, arena.made + 4]
    assert arena.u32(np.array(at)).tobytes() == b"madeafteafte"
    assert bytes(arena.view(int(mapped.bases[0]), 7)) == b"content"


def test_made_contents_that_find_no_room() -> None:
    """Nothing is put in the way of a word that is read at the last content's end."""
    arena = MappedFiles([]).arena
    room = len(arena.bytes) - arena.made
    assert arena.put(memoryview(bytes(room - 7))) == -1
    assert arena.put(memoryview(bytes(room - 8))) == arena.made
    assert arena.put(memoryview(b"x")) == -1
    assert arena.u64(np.array([len(arena.bytes) - 9])) == 0


def test_a_span_goes_with_the_last_who_holds_it(tmp_path: Path) -> None:
    """No cycle keeps it: a link collects none."""
    (tmp_path / "a").write_bytes(b"content")
    gc.disable()
    try:
        mapped = MappedFiles([7])
        mapped.map(0, str(tmp_path / "a"))
        gone = weakref.ref(mapped), weakref.ref(mapped.arena)
        del mapped
        assert [one() for one in gone] == [None, None]
    finally:
        gc.enable()


HELD = """
import os, sys
from linkpipe.engine.session import options_for, run_link
link = run_link(options_for(sys.argv[2:], os.environ), until=sys.argv[1])
held = 0
for line in open("/proc/self/smaps"):
    if line[0] in "0123456789abcdef" and "-" in line.split()[0]:
        archive = line.rstrip().endswith(".a")
    elif line.startswith("Rss:") and archive:
        held += int(line.split()[1])
print(held)
"""


@pytest.mark.parametrize("name", ["reachability", "relocate"])
def test_a_link_lets_go_of_archives_when_it_has_read_them(name: str) -> None:
    given = inputs(TINY)
    argv = [*given.flags, "-s", "-w", "-o", "/dev/null", str(given.main)]
    done = subprocess.run(
        [sys.executable, "-P", "-c", HELD, name, *argv],
        env=given.environment() | environment(LINKPIPE_CHECK=""),
        text=True,
        capture_output=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("0\n", "")
