"""Writing a file so that it is whole or not there at all."""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from linkpipe.arrays.filememory import FileMemory, file_of
from linkpipe.arrays.types import U8
from linkpipe.errors import UserError
from linkpipe.process import ledger, litter

_MODE = 0o775
"""Permissions of a linked file before the umask (cmd/link/internal/ld/outbuf.go)."""

_LONG = 32
"""Characters of an output's name that the name of a temporary file beside it has."""

_DESCRIPTOR = r"/(?:dev|proc/(?:self|thread-self|\d+))/fd/(\d+)"
_LINKS = 40
"""Symbolic links that Linux follows in a path."""

_MANY = 4 << 20
"""Bytes for which memory of a file pays."""

_NOT_OPENED = (errno.ETXTBSY, errno.EACCES, errno.EPERM, errno.EROFS)

_NO_NEIGHBOUR = (errno.EACCES, errno.EPERM, errno.EROFS)
"""Why a folder may take no new file, though a file in it may be written to."""


def in_file(path: str, size: int) -> U8 | None:
    """``size`` zeros with room behind (linkpipe.arrays.reuse) in the memory of a file that
    `new_output` can put at ``path``; None where they are few, or there can be no such file."""
    if size < _MANY or is_special(path):
        return None
    folder = os.path.dirname(os.path.realpath(path))
    try:
        return np.asarray(FileMemory(folder, size, _MODE))[:size]
    except (OSError, OverflowError):
        return None


@contextmanager
def new_output(path: str, content: U8) -> Iterator[None]:
    """An executable file of that content, which is whole before the block begins and takes the
    place of what is at ``path`` when the block ends well.

    A symbolic link is followed; what is no regular file (/dev/null) is written to at the end.
    Raises UserError in the oracle's words.
    """
    if is_special(path):
        yield
        _write(path, path, content)
        return
    with replacing(path) as file:
        if file != path and not _named(file, path, content):
            _write(file, path, content)
        yield
        if file == path:
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
    ledger.making(temporary)
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
        litter.remove(temporary)


@contextmanager
def made_elsewhere(path: str, folder: str) -> Iterator[str]:
    """The path to give to another program that makes what is to be at ``path``: that very path,
    with nothing there, for some write the name into the file; ``folder`` takes it for a stream.

    What was there before comes back when the block fails or is interrupted, and goes when it ends
    well. A symbolic link is set aside as such. What cannot be moved (a mount point, a file in a
    folder that takes no others) is copied, and left for the writer to overwrite.
    """
    stream = _descriptor(path)
    if stream is not None:
        made = os.path.join(folder, litter.own_name())
        yield made
        if os.path.exists(made):
            _write(path, path, np.fromfile(made, np.uint8))
            litter.remove(made)
    elif is_special(path):
        yield path
    else:
        with _set_aside(path, folder):
            yield path


@contextmanager
def _set_aside(path: str, folder: str) -> Iterator[None]:
    aside = f"{_neighbour(path)}{litter.OLD}"
    movable = _make(aside, path)
    if movable:
        os.unlink(aside)
    if not os.path.lexists(path):
        aside = ""
        ledger.making(path)
    elif not (movable and _moved(path, aside)):
        import shutil

        aside = os.path.join(folder, f"{litter.own_name()}{litter.OLD}")
        shutil.copyfile(path, aside)
        ledger.aside(path, aside)
    try:
        yield
    except BaseException:
        if aside:
            litter.put_back(path, aside)
        else:
            litter.remove(path)
        raise
    finally:
        if aside:
            litter.remove(aside)


def _moved(path: str, aside: str) -> bool:
    ledger.aside(path, aside)
    try:
        os.rename(path, aside)
    except OSError as e:
        if e.errno != errno.EBUSY:
            raise _cannot("create", path, e) from e
        return False
    return True


def _neighbour(path: str) -> str:
    """A new name beside ``path``, where links that died may have left some. The whole name could
    be too long with more beside it."""
    folder, name = os.path.split(path)
    if len(name) > _LONG:
        name = f"{name[: _LONG - 9]}-{zlib.crc32(os.fsencode(name)):08x}"
    litter.sweep(folder, f".{name}.", path)
    return os.path.join(folder, f".{name}.{litter.own_name()}")


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
        _overwrite(target, memoryview(np.fromfile(temporary, np.uint8)))


def _named(file: str, path: str, content: U8) -> bool:
    """Whether the content lies in a file's memory, and this file is now the one at ``file``."""
    memory = file_of(content)
    if memory is None:
        return False
    other = _neighbour(os.path.realpath(path))
    ledger.making(other)
    try:
        memory.name(other, len(content))
        os.replace(other, file)
    except OSError:
        litter.remove(other)
        return False
    return True


def _write(file: str, path: str, content: U8) -> None:
    special = file == path and is_special(path)
    try:
        if file == path and not special:
            _overwrite(path, memoryview(content))
            return
        with _opened(file) as f:
            _write_all(f, memoryview(content))
    except OSError as e:
        if special or e.errno in _NOT_OPENED:
            raise _cannot("create", path, e) from e
        raise UserError(
            f"mapping output file failed: {_reason(e)}",
            status=2,
            remedy=f"make room for {len(content)} bytes where -o {path} is written; "
            "what was there before is left as it was",
        ) from e


def _overwrite(path: str, content: memoryview) -> None:
    """Put a content in the place of a file's own, which stays when there is no room for it."""
    with io.FileIO(path, "r+") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            os.posix_fallocate(file.fileno(), 0, max(len(content), 1))
        except OSError as e:
            file.truncate(size)
            # There are file systems that promise nothing, and such without an end.
            if e.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                raise
        _write_all(file, content)
        file.truncate(len(content))


def _write_all(file: io.FileIO, data: memoryview) -> None:
    while data:
        data = data[file.write(data) :]


def _opened(path: str) -> io.FileIO:
    """A file to write to; one that is open already as it is, wherever it stands."""
    stream = _descriptor(path)
    return io.FileIO(path, "w") if stream is None else io.FileIO(os.dup(stream), "w")


def is_special(path: str) -> bool:
    """Whether ``path`` is a device, a stream or the like, to be written to and never replaced.

    Raises UserError when it is a folder, or symbolic links that lead nowhere but to themselves.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError as e:
        if e.errno == errno.ELOOP:
            raise _cannot("create", path, e) from e
        return False
    if stat.S_ISDIR(mode):
        raise _cannot("create", path, IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)))
    return not stat.S_ISREG(mode) or _descriptor(path) is not None


def _descriptor(path: str) -> int | None:
    """The number of the open file that a path stands for (/dev/stdout, /dev/fd/3), None if it is
    another path. Where that file is a regular one, it is yet not to be replaced: what stands in it
    already and its permissions are its owner's."""
    for _ in range(_LINKS):
        found = re.fullmatch(_DESCRIPTOR, path)
        if found:
            return int(found[1])
        try:
            target = os.readlink(path)
        except OSError:
            return None
        path = os.path.normpath(os.path.join(os.path.dirname(path), target))
    return None


def _cannot(verb: str, path: str, e: OSError) -> UserError:
    return UserError(
        f"cannot {verb} {path}: open {path}: {_reason(e)}",
        status=2,
        remedy="choose another output with -o, or mend the permissions of its directory",
    )


def _reason(e: OSError) -> str:
    return (e.strerror or str(e)).lower()
