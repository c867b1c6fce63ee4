"""Where a server is, and whom it is for.

A server is for one user, one Python and one linkpipe, and for processes that would see the same
files: all that decides this is one text, the identity. A folder that belongs to the user alone has
for each identity, named after it:

    NAME.socket   where the server listens
    NAME.lock     locked by the server as long as it lives, and by the client that starts it
    NAME.log      what the server had to say, which is nothing, unless it could not start
"""

from __future__ import annotations

import os
import sys
from zlib import crc32

FOLDER = "linkpipe"
"""The folder's name in $XDG_RUNTIME_DIR; in the temporary folder, which is everybody's, the user's
number follows."""

PREFIXES = ("PYTHON", "LD_", "LC_", "MALLOC_", "GLIBC_", "OPENBLAS_", "NPY_")
NAMES = ("LANG", "HOME", "LINKPIPE_SERVER_IDLE")
"""Variables that are read when Python starts or numpy is imported, so they are the server's; and
one that is about the server."""

_NAMESPACES = ("mnt", "pid", "user", "net")


class Unusable(Exception):
    """There can be no server: ``str`` says why, in words."""


def identity() -> bytes:
    """Whom a server is for that serves this process. Raises Unusable where there is none."""
    if not sys.executable or sys.flags.optimize or sys.warnoptions or sys._xoptions:
        raise Unusable("Python was started with options of its own")
    for part in os.environ.get("PYTHONPATH", "").split(os.pathsep):
        if part and not os.path.isabs(part):
            raise Unusable("PYTHONPATH depends on the working directory")
    python, root = os.stat(sys.executable), os.stat("/")
    parts = [
        *map(str, (os.geteuid(), os.getegid(), os.getuid(), os.getgid(), sorted(os.getgroups()))),
        f"{sys.executable} {python.st_dev} {python.st_ino} {python.st_size} {python.st_ctime_ns}",
        sys.version,
        f"{root.st_dev} {root.st_ino}",
        *(_namespace(name) for name in _NAMESPACES),
        *sorted(
            f"{name}={value}"
            for name, value in os.environ.items()
            if name in NAMES or name.startswith(PREFIXES)
        ),
    ]
    return "\0".join(parts).encode("utf-8", "surrogateescape")


def _namespace(name: str) -> str:
    try:
        return os.readlink(f"/proc/self/ns/{name}")
    except OSError:
        return ""


def name_of(identity: bytes) -> str:
    """The name by which files of an identity begin. Two may share it: a server compares."""
    return f"{crc32(identity):08x}{len(identity):04x}"


def open_folder(*, make: bool = False) -> int:
    """The user's folder, opened; made when there is none and ``make`` says so.

    Raises Unusable when there is none, or when it is another's, a link, or open to others; OSError.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime:
        path = os.path.join(runtime, FOLDER)
    else:
        path = os.path.join(os.environ.get("TMPDIR") or "/tmp", f"{FOLDER}-server-{os.geteuid()}")
    if make:
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            pass
        except OSError as e:
            raise Unusable(f"cannot make {path}: {(e.strerror or '').lower()}") from e
    try:
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError as e:
        raise Unusable("there is none") from e
    except OSError as e:
        raise Unusable(f"cannot open {path}: {(e.strerror or '').lower()}") from e
    about = os.fstat(folder)
    if about.st_uid != os.geteuid() or about.st_mode & 0o077:
        os.close(folder)
        raise Unusable(f"{path} is not this user's alone")
    return folder


def address(folder: int, name: str) -> str:
    """What to bind or connect a socket to: a path that is short enough for one, whatever the
    folder's, and means the very folder that was opened and looked at."""
    return f"/proc/self/fd/{folder}/{name}"


def holder(folder: int, name: str) -> int:
    """The process of the server that holds the lock of that name; 0 when nobody does."""
    import fcntl

    lock = os.open(f"{name}.lock", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        said = os.pread(lock, 20, 0)
        return int(said) if said.isdigit() else 0
    else:
        return 0
    finally:
        os.close(lock)
