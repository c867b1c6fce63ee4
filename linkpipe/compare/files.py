"""Two linked files: where they part, in words, the causes before their consequences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from linkpipe.compare import contents, headers
from linkpipe.compare.expand import expanded, same
from linkpipe.formats import elfread


def differences(
    a: Path, b: Path, symbols: Path | None = None, *, exact: bool = False
) -> Iterator[str]:
    """The differences of two linked files, one a line. ``a`` is the reference ("first"); the
    symbol table of ``symbols`` names places when ``a`` has none.

    Nothing for the same bytes, whatever they are, nor, unless it must be ``exact``, for files that
    differ in the compression of debug sections alone. Raises OSError for a file that cannot be
    read, InputError for one that differs and is no ELF file, or a damaged one.
    """
    left, right = a.read_bytes(), b.read_bytes()
    if left == right:
        return
    # Not read anew: what comes through a pipe can be read once.
    one, other = (
        elfread.parse(str(path), np.frombuffer(content, np.uint8))
        for path, content in ((a, left), (b, right))
    )
    names = elfread.read(symbols).symbols if symbols else None
    if not exact:
        one, other = expanded(one), expanded(other)
        if same(one, other):
            return
    shorter = min(len(left), len(right))
    first = next(
        (at for at in range(0, shorter, 4096) if left[at : at + 4096] != right[at : at + 4096]),
        shorter,
    )
    while first < shorter and left[first] == right[first]:
        first += 1
    yield f"{a} and {b} differ: {len(left)} bytes, then {len(right)}, first at {first:#x}"
    for part in (headers.elf_header, headers.segments, headers.sections, headers.symbol_sets):
        yield from part(one, other)
    for _, i, j in headers.common_sections(one, other):
        yield from contents.section(one, other, i, j, names)
    yield from contents.gaps(one, other)
