"""What C compilers were found to be able to do, kept for the next link.

A wrong answer that is kept would give all later links other arguments than the oracle's. So an
answer is kept only if it can be had again: that a flag works, or that the compiler or its linker
refused the flag by name. A compiler that was killed, or that had no room for its files, has not
answered. And answers are kept only where it is known what they depend on: for programs, by the
identity of their files. A script may run anything, by any rule, and is always asked anew.

Who could write a wrong answer could change all later links as well. So folders and files are
believed only if they are this user's own and nobody else may write to them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence

from linkpipe.formats import elf

# Variables and flags by which a compiler finds its linker elsewhere than on the PATH.
_ELSEWHERE = ("COMPILER_PATH", "GCC_EXEC_PREFIX")
_ELSEWHERE_FLAGS = ("-B", "-fuse-ld=/", "--ld-path")
_LINKERS = ("ld", "ld.bfd", "ld.gold", "ld.lld", "ld.mold")
_FOLDERS = ("linkpipe", "probes")
"""Below the user's cache folder: ours, and closed to others whatever the umask is."""
_LIMIT = 1 << 16
"""Bytes; what is longer was not written here."""


def cache_file(compiler: Sequence[str], base: Sequence[str]) -> str:
    """Where answers of this very compiler and linker, asked with these flags, are kept; "" when
    they are not. The name is a hash of all that the answers depend on."""
    if os.environ.get("LINKPIPE_PROBE_CACHE") == "off":
        return ""
    if any(map(os.environ.get, _ELSEWHERE)):
        return ""
    if any(flag.startswith(_ELSEWHERE_FLAGS) for flag in base):
        return ""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    tools = list(_identities(compiler[0]))
    if not os.path.isabs(home) or not tools:
        return ""
    import hashlib

    told = [*compiler[:1], "\0", *base, "\0", *tools]
    told += [os.environ.get(name, "") for name in ("LIBRARY_PATH", "PATH")]
    digest = hashlib.sha256("\0".join(told).encode("utf-8", "surrogateescape")).hexdigest()
    return os.path.join(home, *_FOLDERS, f"{digest[:32]}.json")


def _identities(compiler: str) -> Iterator[str]:
    """The files of the compiler and of the linkers that it may run, with size, time and inode.
    Nothing, if the compiler is not a program."""
    import shutil

    found = shutil.which(compiler)
    if not found or not is_program(found):
        return
    # A cross compiler's linker is named as it is: TARGET-gcc, TARGET-ld.
    prefix = os.path.basename(compiler).rpartition("-")[0]
    prefixes = ("", f"{prefix}-") if prefix else ("",)
    for tool in (compiler, *(p + linker for p in prefixes for linker in _LINKERS)):
        path = shutil.which(tool)
        try:
            real = os.path.realpath(path or "")
            about = os.stat(real)
        except OSError:
            continue
        if path:
            yield f"{tool} {real} {about.st_size} {about.st_mtime_ns} {about.st_ino}"


def is_program(path: str) -> bool:
    """Whether a file is machine code (ELF), not a script."""
    try:
        with open(path, "rb") as file:
            return file.read(4) == elf.MAGIC
    except OSError:
        return False


def lasts(flag: str, status: int, output: bytes) -> bool:
    """Whether what a compiler said about a flag will be so the next time."""
    if flag.startswith("@"):
        # A file of this link.
        return False
    if status == 0 and not refused(output):
        return True
    name = flag.removeprefix("-Wl,").split("=")[0].encode("utf-8", "surrogateescape")
    return status >= 0 and refused(output) and name in output


def refused(output: bytes) -> bool:
    """Whether a compiler complains of a flag. GCC and bfd say "unrecognized", clang and the other
    linkers "unknown", and some exit with status 0 all the same."""
    return b"unrecognized" in output or b"unknown" in output


def read_answers(path: str) -> dict[str, bool]:
    """The kept answers; none, when there is no such file, or a damaged one, or somebody else may
    have written it."""
    if not path or not all(map(_is_own, _folders(path))):
        return {}
    import json

    try:
        # What was put in its place must neither be followed nor waited for.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, encoding="utf-8") as file:
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode) or not _closed(about) or about.st_size > _LIMIT:
                return {}
            found = json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or not all(isinstance(v, bool) for v in found.values()):
        return {}
    return dict(found)


def keep_answers(path: str, answers: Mapping[str, bool]) -> None:
    """Keep answers, whole or not at all. Best effort: a cache that cannot be written is none."""
    if not path:
        return
    import json
    from contextlib import suppress

    temporary = f"{path}.{os.urandom(6).hex()}"
    try:
        folders = _folders(path)
        os.makedirs(os.path.dirname(folders[0]), exist_ok=True)
        for folder in folders:
            with suppress(FileExistsError):
                os.mkdir(folder, 0o700)
            if not _is_own(folder):
                return
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with open(os.open(temporary, flags, 0o600), "w", encoding="utf-8") as file:
            json.dump(answers, file, sort_keys=True)
        os.replace(temporary, path)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary)


def _folders(path: str) -> list[str]:
    """The folders of ``_FOLDERS``, the outer one first."""
    inner = os.path.dirname(path)
    return [os.path.dirname(inner), inner]


def _is_own(folder: str) -> bool:
    """Whether it is a folder (no link to one) that others cannot write to."""
    try:
        about = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(about.st_mode) and _closed(about)


def _closed(about: os.stat_result) -> bool:
    return about.st_uid == os.geteuid() and not about.st_mode & 0o022
