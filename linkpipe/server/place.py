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
import resource
import sys
from zlib import crc32

from linkpipe import __path__
from linkpipe.server import handover

TYPE_CHECKING = False  # typing's takes longer to import than all of these
if TYPE_CHECKING:
    from collections.abc import Iterator

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
    for option in sys.orig_argv[1:]:
        if option in ("-m", "-c") or not option.startswith("-"):
            break
        if option != "-P":
            raise Unusable("Python was started with options of its own")
    if not sys.executable:
        raise Unusable("Python does not know where it is")
    for part in os.environ.get("PYTHONPATH", "").split(os.pathsep):
        if part and not os.path.isabs(part):
            raise Unusable("PYTHONPATH depends on the working directory")
    python, root = os.stat(sys.executable), os.stat("/")
    parts = [
        *map(str, (os.geteuid(), os.getegid(), os.getuid(), os.getgid(), sorted(os.getgroups()))),
        f"{sys.executable} {python.st_dev} {python.st_ino} {python.st_size} {python.st_ctime_ns}",
        sys.version,
        *__path__,
        f"{root.st_dev} {root.st_ino}",
        *(_namespace(name) for name in _NAMESPACES),
        *_rights(),
        f"{os.getpriority(os.PRIO_PROCESS, 0)} {os.sched_getscheduler(0)}",
        *(f"{limit} {resource.getrlimit(limit)[1]}" for limit in handover.LIMITS),
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


def _rights() -> Iterator[str]:
    """What a process may do, beside its user; and how soon it is killed when memory runs out."""
    for name in ("status", "attr/current", "oom_score_adj"):
        try:
            with open(f"/proc/self/{name}", encoding="utf-8", errors="surrogateescape") as file:
                for line in file:
                    if name != "status" or line.startswith(("Cap", "NoNewPrivs", "Seccomp")):
                        yield line
        except OSError:
            yield ""


def written(process: int) -> bytes:
    """What stands in the lock of a server."""
    return f"{process} {_namespace('pid')}".encode()


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
    """The process of the server that holds the lock of that name; 0 when nobody does, or one to
    whom numbers of processes mean others."""
    import fcntl

    lock = os.open(f"{name}.lock", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        said = os.pread(lock, 100, 0)
        process = said.partition(b" ")[0]
        return int(process) if process.isdigit() and said == written(int(process)) else 0
    else:
        return 0
    finally:
        os.close(lock)
