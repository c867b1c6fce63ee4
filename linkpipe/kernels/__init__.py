"""Loops over every symbol, relocation or byte: functions from arrays to arrays, compiled.

A kernel is plain Python with C types declared, and is compiled by the ordinary build (setup.py);
docs/kernels.md says how one is written and tested. There is one implementation of each: what is
not compiled, or compiled from an older source, is an error and no slow link.
"""

from __future__ import annotations

import os
from importlib.machinery import EXTENSION_SUFFIXES

from linkpipe.errors import LinkpipeError

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_REMEDY = "compile it: `make kernels` in linkpipe's source tree, `pip install linkpipe` elsewhere"


def _require_compiled() -> None:
    names = set(os.listdir(_FOLDER))
    for name in sorted(names - {"__init__.py"}):
        stem = name.removesuffix(".py")
        if stem != name and not any(stem + suffix in names for suffix in EXTENSION_SUFFIXES):
            raise LinkpipeError(
                f"the kernel {stem} is not compiled for this Python",
                label="linkpipe",
                remedy=_REMEDY,
            )


def made_of(module: str, crc: int) -> None:
    """What a compiled kernel says of itself when it is imported: the CRC-32 of its source. Raises
    LinkpipeError when the source is another by now."""
    import zlib

    stem = module.rpartition(".")[2]
    with open(os.path.join(_FOLDER, f"{stem}.py"), "rb") as file:
        current = zlib.crc32(file.read())
    if current != crc:
        raise LinkpipeError(
            f"the kernel {stem} was compiled from another source than {file.name}",
            label="linkpipe",
            remedy=_REMEDY,
        )


_require_compiled()
