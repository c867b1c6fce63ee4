"""textaddress: give every function its address.

Functions are laid out in text order, each aligned to the function alignment or its own if that
is larger, and at least 16 bytes apart (the index from addresses to functions counts on it).
Before that they are sorted by kind, stably, so that those of the FIPS module lie between its
markers. Code of an executable starts at its final address; code for a host linker at zero.

Provides `sections` with the first of them, ``.text``; sets `value` and `section` of functions
and of runtime.text and runtime.etext, and `text_order` as it is in memory.
Source: cmd/link/internal/ld/data.go:2671-2960 (textaddress, assignAddress).
"""

from __future__ import annotations

import numpy as np

from linkpipe.pass_api import Link, linkpass
from linkpipe.placing import check_alignments, place, round_up, text_base
from linkpipe.ragged import frozen
from linkpipe.symkind import SymKind
from linkpipe.tables.sections import Section, Sections
from linkpipe.tables.symbols import Flag

_MIN_SIZE = 16
"""Least distance between the starts of functions (internal/abi/symtab.go, MINFUNC)."""


@linkpass(
    requires=("symbols", "text_order", "mode"), provides=("symbols", "text_order", "sections")
)
def textaddress(link: Link) -> Link:
    """Sort functions by kind and lay them out."""
    symbols, arch = link.symbols.edit(), link.arch
    order = link.text_order[np.argsort(symbols.kind[link.text_order], kind="stable")]
    check_alignments(link.symbols, order)
    text = symbols.lookup_or_create("runtime.text")
    etext = symbols.lookup_or_create("runtime.etext")
    symbols.set(text, kind=SymKind.STEXT)
    symbols.set(etext, kind=SymKind.STEXTEND)
    markers = [text, etext]
    symbols.add_flags(markers, Flag.REACHABLE | Flag.SPECIAL | Flag.LOCAL)

    func_align = link.options.funcalign or arch.func_align
    start = round_up(text_base(link), func_align)
    align = np.maximum(symbols.align[order], func_align)
    addresses, end = place(start, np.maximum(symbols.size[order], _MIN_SIZE), align)
    symbols.set(order, value=addresses, section=0)
    symbols.set(markers, value=[start, end], section=0)
    section = Section(
        name=".text",
        segment="text",
        rwx=0o5,
        symbols=frozen(order.astype(np.int32)),
        align=int(align.max(initial=func_align)),
        vaddr=start,
        # Some room after the last function, so that runtime.etext lies within the section.
        size=end - start + arch.pc_quantum,
    )
    return link.evolve(
        symbols=symbols.freeze(),
        text_order=section.symbols,
        sections=Sections(items=(section,), segments=()),
    )
