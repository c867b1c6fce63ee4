"""Where the output cannot go, and what stands there before."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
from functools import partial
from pathlib import Path

import pytest

from linkpipe.output import outfile
from tests.faults import links
from tests.faults.links import OLD, files, link, start


def in_files() -> None:
    """As a large program, whose image lies in the memory of a file (linkpipe.arrays.filememory)."""
    outfile._MANY = 0


@pytest.fixture(params=[links.as_it_is, in_files], autouse=True)
def image(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "before", [request.param])


def untouched(folder: Path) -> bool:
    return files(folder) == {"out"} and (folder / "out").read_text() == OLD


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def short_files(size: int) -> None:
    """As a disk that is full: no file grows beyond this."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("-timing", "none/t.json"), "timing: cannot write to none/t.json: open none/t.json: no "),
        (("-timing", "/dev/full"), "timing: cannot write to /dev/full: no space left on device"),
        (
            ("-observe", "changes:format=json,file=/dev/full"),
            "changes: cannot write to /dev/full: no space left on device",
        ),
        (("-dump", "out"), "cannot write to out/"),
        (("-dump", "/dev/full"), "cannot write to /dev/full/"),
    ],
)
def test_observers_that_cannot_write(folder: Path, flags: tuple[str, ...], message: str) -> None:
    """No link, or none that counts: the old output stays."""
    done = link(folder, "-w", *flags)
    assert done.status == 2
    assert done.err.startswith(f"linkpipe: {message}"), done.err
    assert len(done.err.splitlines()) == 2
    assert untouched(folder)


@pytest.mark.parametrize("size", [0, 4096, 1 << 20])
def test_no_room(folder: Path, size: int) -> None:
    done = link(folder, "-w", conditions=partial(short_files, size))
    assert done.status == 2
    # What is printed goes into a file here, too.
    assert "mapping output file failed: file too large\n" in done.err or size == 0
    assert untouched(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts file systems")
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("size=64k", "mapping output file failed: no space left on device"),
        ("nr_inodes=2", "cannot create disk/out: open disk/out: no space left on device"),
        ("ro", "cannot create disk/out: open disk/out: read-only file system"),
    ],
)
def test_a_disk_that_takes_nothing(tmp_path: Path, options: str, reason: str) -> None:
    """With room for the old output alone, for no other file, or not to be written to at all."""
    disk = tmp_path / "disk"
    disk.mkdir()
    first = "size=1m" if options == "ro" else options
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", first, "none", disk], check=False)
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        (disk / "out").write_text(OLD)
        if options == "ro":
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        done = link(tmp_path, "-w", "-o", "disk/out")
        assert done.status == 2
        assert reason in done.err
        assert untouched(disk)
    finally:
        subprocess.run(["umount", disk], check=True)


def test_an_output_that_runs(folder: Path) -> None:
    """It goes on running as it is; the new one is another file."""
    out = folder / "out"
    out.write_bytes(Path("/bin/sleep").read_bytes())
    out.chmod(0o755)
    with subprocess.Popen([out, "60"]) as running:
        done = link(folder, "-w")
        assert running.poll() is None
        running.kill()
    assert done.status == 0, done.err
    assert subprocess.run([out], check=False).returncode == 0
    assert files(folder) == {"out"}


def test_a_longer_old_output(folder: Path) -> None:
    assert link(folder, "-w").status == 0
    new = (folder / "out").read_bytes()
    (folder / "out").write_bytes(new + b"old" * 10000)
    assert link(folder, "-w").status == 0
    assert (folder / "out").read_bytes() == new
    assert files(folder) == {"out"}


@pytest.mark.parametrize(("umask", "expected"), [(0, 0o775), (0o077, 0o700), (0o777, 0)])
def test_permissions_are_within_the_umask(folder: Path, umask: int, expected: int) -> None:
    (folder / "out").unlink()
    done = link(folder, "-w", conditions=partial(set_umask, umask))
    assert done.status == 0, done.err
    assert mode(folder / "out") == expected
    assert files(folder) == {"out"}


def set_umask(umask: int) -> None:
    os.umask(umask)


def test_symbolic_links_in_a_loop(folder: Path) -> None:
    """Lead nowhere, and are not replaced."""
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to("one")
    done = link(folder, "-w", "-o", "one")
    assert done.status == 2
    assert "cannot create one: open one: too many levels of symbolic links\n" in done.err
    assert os.readlink(folder / "one") == "two"
    assert files(folder) == {"out", "one", "two"}


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_is_written_to_as_it_is(folder: Path, name: str) -> None:
    """A file that the shell has opened keeps its permissions, its place, and what stands in it."""
    (folder / "stdout").write_text("before")
    (folder / "stdout").chmod(0o640)
    inode = (folder / "stdout").stat().st_ino
    done = link(folder, "-w", "-o", name)
    assert done.status == 0, done.err
    written = (folder / "stdout").read_bytes()
    assert written.startswith(b"before\x7fELF")
    assert len(written) > 1 << 16
    assert mode(folder / "stdout") == 0o640
    assert (folder / "stdout").stat().st_ino == inode
    assert untouched(folder)


def test_links_of_one_output_at_once(folder: Path) -> None:
    """Each replaces it as a whole; none leaves anything."""
    assert link(folder, "-w").status == 0
    expected = (folder / "out").read_bytes()
    links = [start(folder, "-w") for _ in range(4)]
    assert [one.ended().status for one in links] == [0] * 4
    assert (folder / "out").read_bytes() == expected
    assert files(folder) == {"out"}
