"""A text beside the output: what a pass has to say in a file of its own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from linkpipe.errors import UserError


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a text into a file, which is whole or as it was. It stays when the link fails.

    Raises UserError when it cannot be written.
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():  # /dev/stdout, say
            path.write_text(text, "utf-8", "surrogateescape")
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:32]}-")
        try:
            with open(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text)
                os.fchmod(file.fileno(), 0o666 & ~_umask())
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as e:
        raise UserError(
            f"cannot write {path}: {e.strerror or e}", remedy="name a file that can be written"
        ) from e


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
