"""output: the file is written whole or not at all."""

from __future__ import annotations

import errno
import os
import resource
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linkpipe.arrays.types import U8
from linkpipe.errors import UserError
from linkpipe.output.outfile import made_elsewhere, new_output, replacing

NEW = np.frombuffer(b"new" * 1000, np.uint8)


def write_output(path: str, content: U8) -> None:
    """As the pass does in a link that ends well."""
    with new_output(path, content):
        pass


def test_a_file_is_executable_within_the_umask(tmp_path: Path) -> None:
    out = tmp_path / "a.out"
    old = os.umask(0o027)
    try:
        write_output(str(out), NEW)
    finally:
        os.umask(old)
    assert out.read_bytes() == NEW.tobytes()
    assert stat.S_IMODE(out.stat().st_mode) == 0o750
    assert [p.name for p in tmp_path.iterdir()] == ["a.out"]


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_output(str(tmp_path / "link"), NEW)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == NEW.tobytes()


def test_devices_are_written_to(tmp_path: Path) -> None:
    write_output("/dev/null", NEW)
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@contextmanager
def small_files(limit: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk."""
    out = tmp_path / "a.out"
    out.write_bytes(b"old")
    with small_files(1000), pytest.raises(UserError, match="mapping output file failed") as error:
        write_output(str(out), NEW)
    assert f"-o {out}" in str(error.value.remedy)
    assert out.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.out"]


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    missing = str(tmp_path / "none" / "a.out")
    with pytest.raises(UserError) as error:
        write_output(missing, NEW)
    assert str(error.value) == (
        f"cannot create {missing}: open {missing}: no such file or directory"
    )
    assert error.value.exit_status == 2
    with pytest.raises(UserError, match=r"open .*: is a directory"):
        write_output(str(tmp_path), NEW)


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    out = tmp_path / ("ü" * 127)
    write_output(str(out), NEW)
    assert out.read_bytes() == NEW.tobytes()


def refuse(
    monkeypatch: pytest.MonkeyPatch, call: str, code: int, applies: Callable[[str], bool]
) -> None:
    """Let a call of the os module fail for paths that the predicate names."""
    real = getattr(os, call)

    def fail(path: str, *more: Any, **named: Any) -> Any:
        if applies(path):
            raise OSError(code, os.strerror(code))
        return real(path, *more, **named)

    monkeypatch.setattr(f"linkpipe.output.outfile.os.{call}", fail)


def test_a_mount_point_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "a.out"
    out.write_bytes(b"old" * 9999)
    refuse(monkeypatch, "replace", errno.EBUSY, lambda path: True)
    write_output(str(out), NEW)
    assert out.read_bytes() == NEW.tobytes()
    assert [p.name for p in tmp_path.iterdir()] == ["a.out"]


def test_a_file_in_a_folder_that_takes_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "a.out"
    refuse(monkeypatch, "open", errno.EACCES, lambda path: "/.a.out." in str(path))
    with pytest.raises(UserError, match="permission denied"):
        write_output(str(out), NEW)
    out.write_bytes(b"old")
    with small_files(1000), pytest.raises(UserError, match="mapping output file failed"):
        write_output(str(out), NEW)
    assert out.read_bytes() == b"old"
    out.write_bytes(b"old" * 9999)
    write_output(str(out), NEW)
    assert out.read_bytes() == NEW.tobytes()


def test_a_failure_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    out = tmp_path / "a.out"
    out.write_bytes(b"old")

    def fail() -> None:
        with replacing(str(out)) as temporary:
            Path(temporary).write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert out.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.out"]


def overwrite(out: Path, *, fail: bool) -> None:
    """What a host linker does, in place of what was set aside."""
    with made_elsewhere(str(out), str(out.parent)):
        out.write_bytes(b"half")
        if fail:
            raise KeyboardInterrupt


def test_what_is_set_aside_comes_back_when_the_block_fails(tmp_path: Path) -> None:
    """The same file, whether it is one or a link to one."""
    (tmp_path / "real").write_bytes(b"old")
    for name in ("real", "link"):
        out = tmp_path / name
        if name == "link":
            out.symlink_to("real")
        before = out.lstat()
        with pytest.raises(KeyboardInterrupt):
            overwrite(out, fail=True)
        assert out.lstat().st_ino == before.st_ino
        assert out.read_bytes() == b"old"
    overwrite(tmp_path / "link", fail=False)
    assert (tmp_path / "link").read_bytes() == b"half"
    assert (tmp_path / "real").read_bytes() == b"old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "real"]


@pytest.mark.parametrize(
    ("call", "code"), [("rename", errno.EBUSY), ("open", errno.EACCES)], ids=["mount", "folder"]
)
def test_what_cannot_be_moved_comes_back_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    out = tmp_path / "a.out"
    out.write_bytes(b"old")
    refuse(monkeypatch, call, code, lambda path: call == "rename" or "/.a.out." in str(path))
    with pytest.raises(KeyboardInterrupt):
        overwrite(out, fail=True)
    assert out.read_bytes() == b"old"
    overwrite(out, fail=False)
    assert out.read_bytes() == b"half"


def test_a_folder_that_is_not_there_is_told_before_the_block(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file or directory"):
        overwrite(tmp_path / "none" / "a.out", fail=False)
