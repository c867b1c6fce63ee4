"""The output image before relocation: every laid-out symbol's bytes at their place in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np
import numpy.typing as npt

from linkpipe.image import copy_spans

if TYPE_CHECKING:
    from linkpipe.tables.sections import Sections
    from linkpipe.tables.symbols import Symbols

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]


@attrs.frozen(eq=False)
class Laid:
    """The symbols that have bytes in the file, by section in file order, by address within one.

    Attributes:
        ids: int64[n]. section: int64[n], row in Sections.
        address: int64[n]. at: int64[n], offset in the file.
    """

    ids: I64
    section: I64
    address: I64
    at: I64


def laid_out(sections: Sections, symbols: Symbols) -> Laid:
    """The symbols of all sections that occupy bytes in the file."""
    ids, rows, delta = [], [], np.zeros(len(sections), np.int64)
    for segment in sections.segments:
        for row in segment.sections:
            section = sections[row]
            delta[row] = segment.fileoff - segment.vaddr
            if not section.zeros:
                ids.append(section.symbols.astype(np.int64))
                rows.append(np.full(len(section.symbols), row, np.int64))
    every = np.concatenate(ids) if ids else np.zeros(0, np.int64)
    row_of = np.concatenate(rows) if rows else np.zeros(0, np.int64)
    address = symbols.value[every]
    return Laid(every, row_of, address, address + delta[row_of])


def fill_image(sections: Sections, symbols: Symbols, laid: Laid, code_pad: bytes) -> U8:
    """The file's bytes up to the end of its last segment: uint8[n], writable.

    Code sections are filled with ``code_pad`` where no symbol's content lies, the rest with zero.
    """
    end = max((s.fileoff + s.filesize for s in sections.segments), default=0)
    image = np.zeros(end, np.uint8)
    pad = np.frombuffer(code_pad, np.uint8)
    for segment in sections.segments:
        for section in (sections[row] for row in segment.sections):
            if section.name == ".text":
                start = segment.fileoff + section.vaddr - segment.vaddr
                _repeat(image[start : start + section.size], pad)
    source = symbols.data_at[laid.ids]
    sizes = symbols.data_size[laid.ids]
    read = np.flatnonzero((source >= 0) & (sizes > 0))
    copy_spans(image, laid.at[read], symbols.arena.bytes, source[read], sizes[read])
    _fill_made(image, symbols, laid)
    return image


def _repeat(to: U8, pattern: U8) -> None:
    """Fill ``to`` with ``pattern``, again and again, the last time perhaps in part."""
    whole = len(to) // len(pattern) * len(pattern)
    to[:whole].reshape(-1, len(pattern))[:] = pattern
    to[whole:] = pattern[: len(to) - whole]


def _fill_made(image: U8, symbols: Symbols, laid: Laid) -> None:
    """Contents that the linker made."""
    place = np.full(len(symbols), -1, np.int64)
    place[laid.ids] = laid.at
    out = memoryview(image)
    for sym, content in symbols.contents.items():
        at = int(place[sym])
        if at >= 0:
            out[at : at + len(content)] = content
