"""Writing a file so that it is whole or not there at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np
import numpy.typing as npt

from linkpipe.errors import UserError

_MODE = 0o775
"""Permissions of a linked file before the umask (cmd/link/internal/ld/outbuf.go)."""


def write_output(path: str, content: npt.NDArray[np.uint8]) -> None:
    """Write an executable file. What was there before stays until the new file is whole.

    A symbolic link is followed; what is no regular file (/dev/null) is written to directly.
    Raises UserError in the oracle's words.
    """
    if not _is_special(path):
        with replacing(path) as temporary:
            _write(temporary, path, content)
        return
    _write(path, path, content)


@contextmanager
def replacing(path: str) -> Iterator[str]:
    """The path of a new, empty file beside ``path`` that takes its place when the block ends
    well. The file has the permissions of a linked one, within the umask."""
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{name}.{os.urandom(6).hex()}")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, _MODE))
    except OSError as e:
        raise _cannot("create", path, e) from e
    try:
        yield temporary
        try:
            os.replace(temporary, target)
        except OSError as e:
            raise _cannot("create", path, e) from e
    finally:
        # After a success the name is gone already.
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def _write(file: str, path: str, content: npt.NDArray[np.uint8]) -> None:
    try:
        with open(file, "wb", buffering=0) as f:
            data = memoryview(content)
            while data:
                data = data[f.write(data) :]
    except OSError as e:
        if file == path:
            raise _cannot("create", path, e) from e
        raise UserError(
            f"mapping output file failed: {_reason(e)}",
            status=2,
            remedy=f"make room for {len(content)} bytes where {path} is written; "
            "what was there before is left as it was",
        ) from e


def _is_special(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode)


def _cannot(verb: str, path: str, e: OSError) -> UserError:
    return UserError(
        f"cannot {verb} {path}: open {path}: {_reason(e)}",
        status=2,
        remedy="choose another output with -o, or mend the permissions of its directory",
    )


def _reason(e: OSError) -> str:
    return (e.strerror or str(e)).lower()
