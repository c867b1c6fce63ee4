"""When an image lies in the memory of its file. (What becomes of files: tests/faults.)"""

from __future__ import annotations

import os
from pathlib import Path

from linkpipe.arrays.filememory import file_of
from linkpipe.arrays.reuse import has_room
from linkpipe.output.outfile import in_file

MANY = 4 << 20


def test_many_bytes_lie_beside_the_output(tmp_path: Path) -> None:
    """A symbolic link's target is what is replaced, so its folder counts."""
    (tmp_path / "link").symlink_to(tmp_path / "folder" / "out")
    (tmp_path / "folder").mkdir()
    array = in_file(str(tmp_path / "link"), MANY)
    assert array is not None
    assert len(array) == MANY
    assert has_room(array, 2 * MANY)
    assert any(
        os.readlink(f"/proc/self/fd/{number}").startswith(str(tmp_path / "folder"))
        for number in os.listdir("/proc/self/fd")
        if os.path.islink(f"/proc/self/fd/{number}")
    )
    memory = file_of(array)
    assert memory is not None
    memory.name(str(tmp_path / "folder" / "new"), 5)
    assert (tmp_path / "folder" / "new").read_bytes() == bytes(5)


def test_others_do_not(tmp_path: Path) -> None:
    """Few; what goes to a device or into a stream; what has no folder, or is more than there can
    be in a file."""
    out = str(tmp_path / "out")
    read, write = os.pipe()
    for path, size in (
        (out, MANY - 1),
        ("/dev/null", MANY),
        (f"/dev/fd/{write}", MANY),
        (str(tmp_path / "none" / "out"), MANY),
        (out, 1 << 45),
        (out, 1 << 62),
    ):
        assert in_file(path, size) is None, (path, size)
    os.close(read)
    os.close(write)
