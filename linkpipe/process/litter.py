"""Temporary files and folders, and what is left of them when a process dies.

Every temporary thing is named after the process that made it, so that the next link can tell what
nobody uses any more:

    .out.linkpipe-3f2a91c0-4711-8c1d52e0   a new output, beside the old one
    .out.linkpipe-…-….old                  an old output that was set aside
    /tmp/linkpipe-3f2a91c0-4711-8c1d52e0   a folder for temporary files

The first number stands for the machine (or container), the second is the process. What belongs to
this user is removed when its process is gone; where that cannot be known, because the machine is
another one, when it is a day old. An old output goes back if nothing has taken its place.
"""

from __future__ import annotations

import os
import re
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from linkpipe.errors import UserError
from linkpipe.process import ledger

OLD = ".old"
"""The end of the name of an old output that was set aside."""

_DAY = 86400
_NAME = r"linkpipe-([0-9a-f]{8})-(\d+)-[0-9a-f]{8}(?:\.old)?$"


def own_name() -> str:
    """A new name for something temporary of this process."""
    return f"linkpipe-{_machine()}-{os.getpid()}-{os.urandom(4).hex()}"


@contextmanager
def folder() -> Iterator[str]:
    """A folder for temporary files, private to the user, that goes when the block ends. Raises
    UserError when there can be none."""
    import tempfile

    path = ""
    try:
        where = tempfile.gettempdir()
        sweep(where, "")
        path = os.path.join(where, own_name())
        ledger.making(path)
        os.mkdir(path, 0o700)
    except OSError as e:
        raise UserError(
            f"cannot create a temporary folder{path and ' '}{path}: {(e.strerror or '').lower()}",
            status=2,
            remedy="make room where TMPDIR says, or name another place in it",
        ) from e
    try:
        yield path
    finally:
        remove(path)


def remove(path: str) -> None:
    """Remove a file or a folder with all that it holds, if it is there. Best effort."""
    with suppress(FileNotFoundError):
        if os.path.isdir(path) and not os.path.islink(path):
            import shutil

            shutil.rmtree(path, ignore_errors=True)
        else:
            os.unlink(path)


def put_back(path: str, kept: str) -> None:
    """Put what was set aside back to where it was, in place of whatever is there. Raises
    OSError."""
    if not os.path.lexists(kept):
        return
    if os.path.isdir(path) and not os.path.islink(path):
        remove(path)
    try:
        os.replace(kept, path)
    except OSError:  # a mount point, or in a folder that takes no other files
        import shutil

        shutil.copyfile(kept, path)


def sweep(where: str, prefix: str, path: str = "") -> None:
    """Remove what dead processes left in a folder under names that begin with ``prefix``.
    ``path`` is where an old output belongs that was set aside."""
    try:
        names = [name for name in os.listdir(where or ".") if name.startswith(f"{prefix}linkpipe-")]
    except OSError:
        return
    for name in names:
        left = os.path.join(where, name)
        with suppress(OSError):
            if _dead(name[len(prefix) :], left):
                if name.endswith(OLD) and path and not os.path.lexists(path):
                    os.rename(left, path)
                else:
                    remove(left)


def _dead(name: str, path: str) -> bool:
    found = re.match(_NAME, name)
    about = os.lstat(path)
    if not found or about.st_uid != os.geteuid():
        return False
    if found[1] == _machine() and not _runs(int(found[2])):
        return True
    return time.time() - about.st_ctime > _DAY


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # somebody else's
        return True
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            # Dead, and nobody has waited for it: the first process of some containers never does.
            return file.read().rpartition(b")")[2].split()[0] != b"Z"
    except (OSError, IndexError):
        return True


def _machine() -> str:
    """What numbers of processes mean something on: this machine, or this container on it."""
    try:
        names = os.readlink("/proc/self/ns/pid")
    except OSError:
        names = ""
    return f"{zlib.crc32(f'{os.uname().nodename} {names}'.encode()):08x}"
