"""What a link prints although nothing is wrong: with -v, -dumpdep, and warnings."""

from __future__ import annotations

import os
from contextlib import suppress


def say(text: str | bytes, stream: int = 1) -> None:
    """Print a text as it is, at once, on standard output or standard error (2).

    That nobody reads it any more, or that it finds no room, does not fail the link. Bytes are for
    names, which need not be valid text.
    """
    rest = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    with suppress(OSError):
        while rest:
            rest = rest[os.write(stream, rest) :]
