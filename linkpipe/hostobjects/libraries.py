"""Archives of C objects: which member defines a symbol, and what the C compiler has of them.

What code needs that processors cannot do (a division of 128 bits) compilers leave to a library of
their own, libgcc; a little of the C library is linked into each program, too.

Source: cmd/link/internal/ld/ar.go (hostArchive, readArmap), lib.go:502-524 (findLibPath).
"""

from __future__ import annotations

import mmap
import os

import numpy as np

from linkpipe.arch import Architecture
from linkpipe.arrays.types import U8
from linkpipe.errors import COMMAND, InputError, UserError, os_error
from linkpipe.flags.options import NOT_RUN, Options
from linkpipe.formats.archive import AR_MAGIC, Member, member_at, symbol_map
from linkpipe.formats.importpath import path_to_prefix
from linkpipe.hostlinker.hosttools import answer, compiler
from linkpipe.values import Shown, record

NONE = "none"
"""Instead of a path: there is no such file, or it is not wanted."""


def compilers_file(options: Options, arch: Architecture, question: str) -> str:
    """The path that the C compiler answers with; NONE where it has no answer. Raises UserError
    where none may be asked: then what is missing may be in its libraries, or not."""
    if compiler(options)[:1] == (NOT_RUN,):
        raise UserError(
            "C code of this link needs a library of the C compiler's, and a saved link runs none",
            label="linkpipe",
            status=2,
            remedy="set LINKPIPE_RUN_COMPILER=1 if you trust who made the file, where the same C "
            "compiler is installed; or add -libgcc=none when it is saved",
        )
    return answer((*compiler(options), *arch.host_flags, question)) or NONE


@record
class Library(Shown):
    """An archive: ``data`` uint8[n]; ``where``: symbol -> where the member's header is that
    defines it."""

    path: str
    data: U8
    where: dict[bytes, int]

    @property
    def package(self) -> str:
        """What stands for a package in the names of its sections."""
        name = os.path.basename(self.path)
        return path_to_prefix(name[: name.rindex(".a")] if ".a" in name else name)

    def member(self, at: int) -> Member:
        """The member whose header is there. Raises InputError."""
        return member_at(self.data.data, at, self.path)


def open_library(path: str) -> Library | None:
    """Read an archive's map of symbols; None where there is no such file. Raises InputError."""
    try:
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as f:
            size = os.fstat(f.fileno()).st_size
            content = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as e:
        why = os_error(e) if isinstance(e, OSError) else f"open {path}: invalid argument"
        raise _wrong(f"cannot open file {path}: {why}", path) from e
    data = np.frombuffer(content, np.uint8)
    if len(data) < len(AR_MAGIC):
        raise _wrong(f"file {path} too short", path)
    if data[: len(AR_MAGIC)].tobytes() != AR_MAGIC:
        raise _wrong(f"{path} is not an archive file", path)
    return Library(path, data, symbol_map(data.data, path))


def _wrong(message: str, path: str) -> InputError:
    return InputError(
        message,
        file=path,
        label=COMMAND,
        remedy="name the C compiler's library with -libgcc, or pass -libgcc=none",
    )
