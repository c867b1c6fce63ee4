"""An array in the memory of a file, which is written once, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from linkpipe.arrays import reuse
from linkpipe.arrays.columns import frozen, read_only
from linkpipe.arrays.filememory import FileMemory, file_of
from linkpipe.arrays.types import U8

MODE = 0o775


def image(folder: Path, size: int) -> U8:
    array: U8 = np.asarray(FileMemory(str(folder), size, MODE))[:size]
    return array


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.fixture(autouse=True)
def nothing_open() -> Iterator[None]:
    before = descriptors()
    yield
    assert descriptors() == before


def test_what_is_written_is_the_file(tmp_path: Path) -> None:
    array = image(tmp_path, 5000)
    assert not array.any()
    array[:] = 7
    array[4000] = 8
    memory = file_of(reuse.sealed(array))
    assert memory is not None
    before = os.umask(0o027)
    try:
        made = image(tmp_path, 10)
        other = file_of(made)
        assert other is not None
        other.name(str(tmp_path / "other"), 10)
    finally:
        os.umask(before)
    memory.name(str(tmp_path / "out"), 4500)
    assert (tmp_path / "out").read_bytes() == bytes([7] * 4000 + [8] + [7] * 499)
    about = (tmp_path / "out").stat()
    assert (about.st_mode & 0o777, about.st_nlink) == (MODE & ~before, 1)
    assert (tmp_path / "other").stat().st_mode & 0o777 == MODE & ~0o027
    assert array[4000] == 8, "it can be read afterwards"


def test_a_program_can_be_run_while_its_memory_is_there(tmp_path: Path) -> None:
    """The kernel runs none that somebody may still write to; a server's child may outlast the
    link that its client has waited for."""
    program = Path(shutil.which("true") or "").read_bytes()
    array = image(tmp_path, len(program))
    array[:] = np.frombuffer(program, np.uint8)
    memory = file_of(array)
    assert memory is not None
    memory.name(str(tmp_path / "run"), len(program))
    assert subprocess.run([tmp_path / "run"], check=False).returncode == 0
    assert array.tobytes() == program


def test_without_a_name_nothing_is_left(tmp_path: Path) -> None:
    array = image(tmp_path, 5000)
    array[:] = 1
    assert os.listdir(tmp_path) == []
    del array


def test_a_name_that_cannot_be_given_leaves_the_memory(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"old")
    array = image(tmp_path, 5)
    array[:] = 1
    memory = file_of(array)
    assert memory is not None
    with pytest.raises(FileExistsError):
        memory.name(str(tmp_path / "out"), 5)
    assert ((tmp_path / "out").read_bytes(), array.tolist()) == (b"old", [1] * 5)


def test_its_arrays_are_frozen_for_good_and_not_copied(tmp_path: Path) -> None:
    array = reuse.sealed(image(tmp_path, 9))
    assert read_only(array)
    assert np.shares_memory(frozen(array), array)
    with pytest.raises(ValueError, match="WRITEABLE"):
        array.setflags(write=True)


def test_room_is_behind_and_is_taken_from_the_file_system(tmp_path: Path) -> None:
    array = image(tmp_path, 9000)
    array[:] = 5
    shorter = reuse.sealed(array)[:8000]
    assert not reuse.has_room(shorter, 18001)
    assert reuse.has_room(shorter, 18000)
    with reuse.reused(shorter, 18000) as longer:
        assert longer[:8000].all()
        assert not longer[8000:].any(), "what lay behind is not seen"
        longer[-1] = 6
    assert read_only(longer)
    memory = file_of(longer)
    assert memory is not None
    memory.name(str(tmp_path / "out"), 18000)
    assert (tmp_path / "out").read_bytes() == b"\5" * 8000 + bytes(9999) + b"\6"


def test_what_is_the_beginning_of_a_file_is_known(tmp_path: Path) -> None:
    array = image(tmp_path, 9)
    assert file_of(array) is not None
    for other in (array[1:], array[::2], array.copy(), np.zeros(9, np.uint8)[:5]):
        assert file_of(other) is None


FULL = """
import resource, sys
import numpy as np
from linkpipe.arrays import reuse
from linkpipe.arrays.filememory import FileMemory
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (10000, hard))
try:
    FileMemory(sys.argv[1], 10001, 0o775)
except OSError as e:
    print(e.strerror)
array = np.asarray(FileMemory(sys.argv[1], 6000, 0o775))[:6000]
print(reuse.has_room(array, 10000), reuse.has_room(array, 10001))
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))  # what measures coverage writes at the end
"""


def test_where_no_file_may_be_so_long_there_is_no_such_memory(tmp_path: Path) -> None:
    """As on a full disk: a fault of memory would end the process."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", FULL, str(tmp_path)],
        text=True,
        capture_output=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("File too large\nTrue False\n", "")


def test_there_is_none_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        image(tmp_path / "none", 9)
