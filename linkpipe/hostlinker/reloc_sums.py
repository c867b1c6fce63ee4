"""Relocations of one place that are right only when the host linker adds them up.

GNU's linkers do that. Some others keep the last one, without a word, and what they write crashes
when it comes to that place. They sign their work in the section .comment, so the finished file
tells whether one of them made it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from linkpipe.arch import Architecture
from linkpipe.errors import HostLinkError, InputError
from linkpipe.formats import elfread
from linkpipe.tables.extrelocs import ExternalRelocs

# LLD signs "Linker: LLD 19.1.7", mold "mold 2.4.0 (compatible with GNU ld)".
_KEEP_THE_LAST = rb"(?:^|\0)(?:Linker: )?(LLD|mold)\b([^\0(]*)"


def stacked(relocs: ExternalRelocs) -> bool:
    """Whether two relocations have the same place."""
    same = (np.diff(relocs.offset) == 0) & (np.diff(relocs.section) == 0)
    return bool(same.any())


def check_sums(
    arch: Architecture, relocs: ExternalRelocs, path: str, command: Sequence[str]
) -> None:
    """Raise HostLinkError if the finished file ``path`` needed sums and was written by a linker
    that does not add up."""
    if not arch.sums or not stacked(relocs):
        return
    found = re.search(_KEEP_THE_LAST, _comment(path))
    if found:
        linker = b"".join(found.groups()).decode("utf-8", "replace").strip()
        raise HostLinkError(
            f"the host linker, {linker}, keeps one of two relocations of the same place; "
            f"position-independent Go code for {arch.name} needs their sum and would crash",
            command=tuple(command),
            status=2,
            remedy="link with a linker of GNU's: -extld (the go command: CC) with GCC for "
            f"{arch.name}, or -extldflags=-fuse-ld=bfd",
        )


def _comment(path: str) -> bytes:
    """What the linkers of a file say of themselves; flags can have made something else of it."""
    try:
        file = elfread.read(path)
        section = file.index(".comment")
        return b"" if section is None else file.content(section).tobytes()
    except InputError:
        return b""
