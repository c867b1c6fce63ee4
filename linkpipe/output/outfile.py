"""Writing a file so that it is whole or not there at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from linkpipe.arrays.types import U8
from linkpipe.errors import UserError

_MODE = 0o775
"""Permissions of a linked file before the umask (cmd/link/internal/ld/outbuf.go)."""

_NO_NEIGHBOUR = (errno.EACCES, errno.EPERM, errno.EROFS)
"""Why a folder may take no new file, though a file in it may be written to."""


def write_output(path: str, content: U8) -> None:
    """Write an executable file. What was there before stays until the new file is whole.

    A symbolic link is followed; what is no regular file (/dev/null) is written to directly.
    Raises UserError in the oracle's words.
    """
    if not is_special(path):
        with replacing(path) as temporary:
            _write(temporary, path, content)
        return
    _write(path, path, content)


@contextmanager
def replacing(path: str) -> Iterator[str]:
    """The path of a new, empty file beside ``path`` that takes its place when the block ends
    well. The file has the permissions of a linked one, within the umask.

    Where the folder takes no new files but the file may be written to, it is ``path`` itself;
    and a file that cannot be replaced (a mount point) is overwritten with the whole new one.
    """
    target = os.path.realpath(path)
    temporary = _neighbour(target)
    if not _make(temporary, path):
        yield path
        return
    try:
        yield temporary
        try:
            _settle(temporary, target)
        except OSError as e:
            raise _cannot("create", path, e) from e
    finally:
        # After a success the name is gone already.
        with suppress(FileNotFoundError):
            os.unlink(temporary)


@contextmanager
def set_aside(path: str) -> Iterator[None]:
    """Nothing is at ``path`` while the block runs, for a writer that has to be given this very
    path; what was there comes back when the block fails or is interrupted, and else is removed.

    A symbolic link is set aside as such. What cannot be moved (a mount point, a file in a folder
    that takes no others) is copied, and left for the writer to overwrite.
    """
    aside, there = _neighbour(path), os.path.lexists(path)
    movable = _make(aside, path)
    if movable:
        os.unlink(aside)
    try:
        if there and not (movable and _moved(path, aside)):
            with _copied(path):
                yield
        else:
            yield
        with suppress(FileNotFoundError):
            os.unlink(aside)
    except BaseException:
        if os.path.lexists(aside):
            os.replace(aside, path)
        elif not there:
            with suppress(FileNotFoundError):
                os.unlink(path)
        raise


def _moved(path: str, aside: str) -> bool:
    try:
        os.rename(path, aside)
    except OSError as e:
        if e.errno != errno.EBUSY:
            raise _cannot("create", path, e) from e
        return False
    return True


@contextmanager
def _copied(path: str) -> Iterator[None]:
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory(prefix="go-link-") as folder:
        copy = os.path.join(folder, "old")
        shutil.copyfile(path, copy)
        try:
            yield
        except BaseException:
            shutil.copyfile(copy, path)
            raise


def _neighbour(path: str) -> str:
    """A new name beside ``path``. The whole name could be too long with more beside it."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name[:32]}.{os.urandom(6).hex()}")


def _make(neighbour: str, path: str) -> bool:
    """Make an empty file beside ``path``; False where the folder takes none but ``path`` may be
    written to."""
    try:
        os.close(os.open(neighbour, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, _MODE))
    except OSError as e:
        if e.errno in _NO_NEIGHBOUR and os.path.isfile(path) and os.access(path, os.W_OK):
            return False
        raise _cannot("create", path, e) from e
    return True


def _settle(temporary: str, target: str) -> None:
    try:
        os.replace(temporary, target)
    except OSError as e:
        if e.errno != errno.EBUSY:
            raise
        import shutil

        shutil.copyfile(temporary, target)


def _write(file: str, path: str, content: U8) -> None:
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


def is_special(path: str) -> bool:
    """Whether ``path`` is a device or the like, to be written to and never replaced.

    Raises UserError when it is a folder.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    if stat.S_ISDIR(mode):
        raise _cannot("create", path, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
    return not stat.S_ISREG(mode)


def _cannot(verb: str, path: str, e: OSError) -> UserError:
    return UserError(
        f"cannot {verb} {path}: open {path}: {_reason(e)}",
        status=2,
        remedy="choose another output with -o, or mend the permissions of its directory",
    )


def _reason(e: OSError) -> str:
    return (e.strerror or str(e)).lower()
