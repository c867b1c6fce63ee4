"""Laying out data: which symbols, how they are aligned, and where they come to lie.

Offsets follow from sizes and alignments alone, so they are computed whenever they are needed,
for a whole section at a time. Source: cmd/link/internal/ld/data.go (symalign, dodata,
assignDsymsToSection).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from linkpipe.arch import Architecture
from linkpipe.arrays.align import round_up
from linkpipe.arrays.types import I32, I64, U8, Ints
from linkpipe.errors import InputError, checkpoint
from linkpipe.kernels import spans
from linkpipe.symkind import SymKind
from linkpipe.tables.sections import Section
from linkpipe.tables.symbols import Flag, Symbols, SymbolsEdit

if TYPE_CHECKING:
    from linkpipe.flags.options import Options
    from linkpipe.tables.mode import Mode


LARGEST = 2_000_000_000
"""Most bytes in one symbol or segment (data.go, cutoff), or of code."""

_LARGEST_ALIGN, _LARGEST_HOST_ALIGN = 1 << 20, 1 << 26
"""Bytes; nothing of a Go program asks for more, a C compiler's object does for huge pages; and a
damaged number could for gigabytes."""


def segment_quantum(options: Options, arch: Architecture) -> int:
    """What segments start at a multiple of, in memory as in the file: flag -R, or a page."""
    return options.R if options.R != -1 else arch.round


def text_base(options: Options, arch: Architecture, mode: Mode) -> int:
    """The address of the text segment: flag -T, or the architecture's; zero for a host linker
    (ARCH/obj.go, archinit)."""
    if mode.external:
        return 0
    if options.T != -1:
        return options.T
    room = arch.header_room
    return round_up(arch.text_base - room, segment_quantum(options, arch)) + room


def layout_kinds(symbols: Symbols, groups: U8) -> U8:
    """The kind under which each symbol is laid out as data, 0: it is not. uint8[len(symbols)].

    ``groups`` (the fact `section_groups`) overrides a symbol's own kind; it may be shorter than
    the table. Symbols without a name are parts of others, and so are those of C objects.
    """
    kind = symbols.kind.copy()
    np.copyto(kind[: len(groups)], groups, where=groups != 0)
    # With members of an enumeration numpy would go on in 64 bits.
    asked, live = int(Flag.REACHABLE | Flag.SPECIAL | Flag.INTERIOR), int(Flag.REACHABLE)
    laid = (symbols.flags & asked) == live
    laid &= (kind > int(SymKind.STEXTEND)) & (kind < int(SymKind.SFirstUnallocated))
    laid &= (symbols.name_size != 0) | (symbols.kind == int(SymKind.SGOFUNC))
    kind *= laid
    return kind


def alignments(align: Ints, size: I64, arch: Architecture) -> I32:
    """The alignment of each symbol in bytes: int32[n].

    A stated one counts, but for the machine's least; else it is the largest power of two that
    is not above the size, between the machine's least and its largest.
    """
    out = np.array(align, np.int64)
    unstated = np.flatnonzero(out == 0)
    if len(unstated):
        exponent = np.frexp(np.maximum(size[unstated], 1).astype(np.float64))[1] - 1
        out[unstated] = np.left_shift(1, np.minimum(exponent, arch.max_align.bit_length() - 1))
    return np.maximum(out, arch.min_align).astype(np.int32)


def check_alignments(
    symbols: Symbols, ids: Ints, files: Mapping[int, str] = MappingProxyType({})
) -> None:
    """Refuse stated alignments that are absurd: InputError. ``files`` are the names of C objects by
    the symbols of their sections."""
    of_c = symbols.has(ids, Flag.OF_C)
    made = symbols.object[ids] == 0
    most = np.where(made, _LARGEST_HOST_ALIGN, _LARGEST_ALIGN)
    damaged = "rebuild the package that defines it; the file is damaged"
    by_a_pass = "a pass has made it; mend that, or leave the pass out"
    external = "align less in C, or link with -ldflags=-linkmode=external"
    checkpoint(
        InputError(
            "bad alignment value",
            symbol=symbols.name(int(ids[row])),
            file=files.get(int(ids[row]), ""),
            expected=f"a power of two up to {most[row]}",
            found=str(int(symbols.align[ids[row]])),
            remedy=external if of_c[row] else by_a_pass if made[row] else damaged,
            status=2,
        )
        for row in np.flatnonzero(symbols.align[ids] > most).tolist()
    )


def largest_symbols(symbols: Symbols, ids: Ints) -> str:
    """A remedy for what is too large: the ten largest of some symbols, with their sizes."""
    size = symbols.size[ids]
    order = np.argsort(-size, kind="stable")[:10]
    lines = [f"{int(size[row]):>10} bytes {symbols.name(int(ids[row]))}" for row in order.tolist()]
    return "\n\t".join(["make the largest smaller:", *lines])


def place(start: int, sizes: Ints, aligns: Ints) -> tuple[I64, int]:
    """Where things come to lie that are laid out one after the other from ``start`` on: int64[n],
    and the end of the last one.

    ``for size, align in zip(sizes, aligns): at = round_up(at, align); out.append(at); at += size``
    """
    return spans.place(
        start, np.ascontiguousarray(sizes, np.int64), np.ascontiguousarray(aligns, np.int32)
    )


class Placed(NamedTuple):
    """A section with its place in its segment: ``start`` and ``size`` in bytes, and for each of
    its symbols the offset from the section's start."""

    start: int
    size: int
    offsets: I64


def place_sections(
    sections: Iterable[Section], symbols: Symbols | SymbolsEdit, arch: Architecture
) -> list[Placed]:
    """Lay out sections one after the other, each from a multiple of its alignment on."""
    out, at = [], 0
    for section in sections:
        ids = section.symbols
        start = round_up(at, section.align)
        sizes = symbols.size[ids]
        aligns = np.ones(len(ids), np.int32)
        if not section.packed:
            aligns = alignments(symbols.align[ids], sizes, arch)
        places, at = place(start + section.lead, sizes, aligns)
        out.append(Placed(start, at - start, places - start))
    return out
