"""The objects of linkpipe.testing, as the pinned compiler heads them for amd64."""

from __future__ import annotations

from pathlib import Path

from linkpipe import testing
from linkpipe.testing import Obj, Reloc, Sym, write_object

__all__ = ["HEADER", "Obj", "Reloc", "Sym", "write_archive", "write_object"]

HEADER = "go object linux amd64 go1.27.3 GOAMD64=v1 X:"


def write_archive(path: Path, *objects: Obj, main: bool = False, header: str = HEADER) -> str:
    """Write an archive of these objects; its path."""
    return testing.write_archive(path, *objects, main=main, header=header)
