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

from linkpipe.errors import UserError
from linkpipe.output.outfile import replacing, write_output

NEW = np.frombuffer(b"new" * 1000, np.uint8)


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
    with small_files(1000), pytest.raises(UserError, match="mapping output file failed"):
        write_output(str(out), NEW)
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

    def fail(path: str, *more: Any) -> Any:
        if applies(path):
            raise OSError(code, os.strerror(code))
        return real(path, *more)

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
