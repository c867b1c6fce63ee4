"""The output image before relocation: every laid-out symbol's bytes at their place in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from linkpipe.arrays.ragged import sorting
from linkpipe.arrays.reuse import roomy
from linkpipe.arrays.threads import each, shares
from linkpipe.arrays.types import I64, U8
from linkpipe.errors import UserError
from linkpipe.kernels.spans import copy_spans
from linkpipe.output.outfile import in_file
from linkpipe.tables.symbols import Flag
from linkpipe.values import Shown, record

if TYPE_CHECKING:
    from linkpipe.tables.sections import Sections
    from linkpipe.tables.symbols import Symbols


_BYTES = 16
"""How many are copied in the time that a row of other work takes."""
_RANGES = 8
"""For each thread: memory that is touched for the first time takes long, and nobody knows which."""


@record
class Laid(Shown):
    """The symbols that have bytes in the file, by section in file order, by address within one.

    Attributes:
        ids: int64[n]. section: int64[n], row in Sections.
        address: int64[n]. at: int64[n], offset in the file.
    """

    ids: I64
    section: I64
    address: I64
    at: I64

    def of(self, row: int) -> tuple[I64, I64]:
        """The symbols of one section and their offsets in the file."""
        mine = self.section == row
        return self.ids[mine], self.at[mine]


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


def fill_image(
    sections: Sections, symbols: Symbols, laid: Laid, code_pad: bytes, path: str = ""
) -> U8:
    """The file's bytes up to the end of its last segment: uint8[n], writable, with room behind;
    in memory of a file where the image becomes the one at ``path``, and there can be such.

    Code sections are filled with ``code_pad`` where no symbol's content lies, the rest with zero.
    The pattern starts anew where a content ends and where a symbol ends. Raises UserError for
    more bytes than there is memory.
    """
    end = max((s.fileoff + s.filesize for s in sections.segments), default=0)
    try:
        image = in_file(path, end) if path else None
        if image is None:
            image = roomy(np.uint8, end)
    except MemoryError as e:
        raise UserError(
            f"mapping output file failed: cannot allocate {end} bytes",
            status=2,
            remedy="choose smaller values for -R, -T, -D and -funcalign, where they are given",
        ) from e
    for segment in sections.segments:
        for row in segment.sections:
            section = sections[row]
            if section.name == ".text":
                start = segment.fileoff + section.vaddr - segment.vaddr
                _fill_gaps(image, start, start + section.size, code_pad, symbols, laid.of(row))

    def copy(some: slice) -> None:
        ids, at = laid.ids[some], laid.at[some]
        source, sizes = symbols.data_at[ids], symbols.data_size[ids]
        read = np.flatnonzero((source >= 0) & (sizes > 0))
        copy_spans(image, at[read], symbols.arena.bytes, source[read], sizes[read])

    each(copy, shares(np.maximum.accumulate(np.append(laid.at, end)) // _BYTES, _RANGES))
    _fill_made(image, symbols, laid)
    return image


def _fill_gaps(
    image: U8, start: int, end: int, pad: bytes, symbols: Symbols, laid: tuple[I64, I64]
) -> None:
    """Fill what no content covers of a section from ``start`` to ``end``, and some of what is
    copied over later. A part of another symbol is only a name, wherever it is said to lie."""
    ids, at = laid
    whole = np.flatnonzero(~symbols.has(ids, Flag.INTERIOR))
    whole = whole[sorting(at[whole])]
    ids, at = ids[whole], at[whole]
    content, size = at + symbols.data_size[ids], at + symbols.size[ids]
    behind = np.append(at, end)
    begins = np.append(start, np.stack((content, size), axis=1))
    ends = np.append(behind[0], np.stack((np.minimum(size, behind[1:]), behind[1:]), axis=1))
    some = np.flatnonzero(ends > begins)
    begins, sizes = begins[some], ends[some] - begins[some]
    most = int(sizes.max(initial=0))
    source = np.frombuffer((pad * (most // len(pad) + 1))[:most], np.uint8)

    def fill(some: slice) -> None:
        copy_spans(image, begins[some], source, np.zeros_like(begins[some]), sizes[some])

    each(fill, shares(np.append(begins, end) // _BYTES, _RANGES))


def _fill_made(image: U8, symbols: Symbols, laid: Laid) -> None:
    """Contents that the linker made."""
    place = np.full(len(symbols), -1, np.int64)
    place[laid.ids] = laid.at
    at = place[np.fromiter(symbols.contents, np.int64, len(symbols.contents))].tolist()
    made = [
        (start, content)
        for start, content in zip(at, symbols.contents.values(), strict=True)
        if start >= 0
    ]

    def copy(some: slice) -> None:
        for start, content in made[some]:
            image[start : start + len(content)] = np.frombuffer(content, np.uint8)

    each(copy, shares(np.cumsum([0, *(len(content) for _, content in made)]) // _BYTES, _RANGES))
