"""What a link prints on standard output: with -v, -dumpdep, and warnings of the host linker."""

from __future__ import annotations

import os
from contextlib import suppress


def say(text: str | bytes) -> None:
    """Print a text as it is, at once.

    That nobody reads it any more, or that it finds no room, does not fail the link. Bytes are for
    names, which need not be valid text.
    """
    rest = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    with suppress(OSError):
        while rest:
            rest = rest[os.write(1, rest) :]
