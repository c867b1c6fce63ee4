"""textaddress: give every function its address.

Functions are laid out in text order, each aligned to the function alignment or its own if that
is larger, and at least 16 bytes apart (the index from addresses to functions counts on it).
Before that they are sorted by kind, stably, so that those of the FIPS module lie between its
markers. Code of an executable starts at its final address; code for a host linker at zero.

Where the architecture's calls cannot reach all of the code, trampolines are put between functions
(linkpipe.layout.trampolines). Code for a host linker that would put trampolines of its own in such
places is parted in sections within a call's reach, which begin at runtime.text.1 and so on.

`sections` has the first of them, ``.text``, once or several times; functions, runtime.text and
runtime.etext get `value` and `section`; `text_order` is as it is in memory; `trampolines` say for
each what it leads to.
Source: cmd/link/internal/ld/data.go:2671-2960 (textaddress, assignAddress).
Reads `symbols`, `relocs`, `packages`, `objects`, `text_order`, `mode`, `host_files` if it is there;
provides `symbols`, `relocs`, `text_order`, `sections`, `trampolines`.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from linkpipe.arch import Trampolines
from linkpipe.arrays.align import round_up
from linkpipe.arrays.columns import frozen
from linkpipe.arrays.types import I32, I64
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError
from linkpipe.layout.assign import (
    LARGEST,
    check_alignments,
    largest_symbols,
    place,
    text_base,
)
from linkpipe.layout.trampolines import home_packages, lay_out
from linkpipe.symkind import SymKind
from linkpipe.tables.contents import check_sizes
from linkpipe.tables.sections import Section, Sections
from linkpipe.tables.symbols import Flag, SymbolsEdit

_MIN_SIZE = 16
"""Least distance between the starts of functions (internal/abi/symtab.go, MINFUNC)."""


@linkpass(
    requires=("symbols", "relocs", "packages", "objects", "text_order", "mode"),
    optional=("host_files",),
    provides=("symbols", "relocs", "text_order", "sections", "trampolines"),
)
def textaddress(link: Link) -> Link:
    """Sort functions by kind and lay them out."""
    symbols, arch = link.symbols.edit(), link.arch
    order = link.text_order[np.argsort(symbols.kind[link.text_order], kind="stable")]
    check_alignments(link.symbols, order, link.host_files if link.has("host_files") else {})
    check_sizes(link.symbols, link.objects, order)
    text = symbols.own("runtime.text")
    etext = symbols.own("runtime.etext")
    symbols.set(text, kind=SymKind.STEXT)
    symbols.set(etext, kind=SymKind.STEXTEND)
    markers = [text, etext]
    symbols.add_flags(markers, Flag.REACHABLE | Flag.SPECIAL | Flag.LOCAL)

    func_align = link.options.funcalign or arch.func_align
    start = round_up(text_base(link.options, link.arch, link.mode), func_align)
    inside = link.symbols.has(order, Flag.INTERIOR)
    order, parts = order[~inside], order[inside]
    align = symbols.align[order]
    least = func_align if link.release.least_text_align else 0
    align = np.maximum(np.where(align == 0, func_align, align), least)
    addresses, end = place(start, np.maximum(symbols.size[order], _MIN_SIZE), align)
    _check_size(link, order, end - start)
    relocs, targets = link.relocs, dict[int, int]()
    starts = [(start, int(align.max(initial=func_align)))]
    if arch.trampolines and _may_be_too_far(link, arch.trampolines, end - start):
        edit = relocs.edit()
        made = lay_out(
            arch,
            link.mode,
            home_packages(link.packages, link.objects, link.symbols),
            relocs,
            symbols,
            edit,
            order.astype(np.int64),
            parts.astype(np.int64),
            start,
            func_align,
            _MIN_SIZE,
            is_runtime=link.release.is_runtime,
            debug=link.options.debugtramp > 1,
            shuffled=link.options.randlayout != 0,
            exact=not link.release.least_text_align,
            limit=_section_limit(link, arch.trampolines),
        )
        order, addresses = made.order.astype(np.int32), made.addresses
        end, targets, starts = made.end, made.targets, made.sections
        relocs = edit.freeze()
    if len(parts):
        stub = np.isin(order, list(targets))
        stubs, at = order[stub], addresses[stub]
        order, addresses = _with_parts(symbols, order[~stub], addresses[~stub], parts)
        if len(stubs):
            order, addresses = _with_trampolines(link, order, addresses, stubs, at)
    # Some room after the last function, so that runtime.etext lies within the section.
    bounds = [*(at for at, _ in starts), end + arch.pc_quantum]
    cuts = np.searchsorted(addresses, bounds[1:-1])
    sections = tuple(
        Section(
            name=".text",
            segment="text",
            rwx=0o5,
            symbols=some.astype(np.int32),
            align=align,
            vaddr=at,
            size=beyond - at,
        )
        for (at, align), beyond, some in zip(starts, bounds[1:], np.split(order, cuts), strict=True)
    )
    for row, section in enumerate(sections):
        symbols.set(section.symbols, value=addresses[: len(section.symbols)], section=row)
        addresses = addresses[len(section.symbols) :]
    symbols.set(markers, value=[start, end], section=[0, len(sections) - 1])
    for row, section in enumerate(sections[1:], 1):
        marker = symbols.own(f"runtime.text.{row}")
        symbols.set(marker, kind=SymKind.STEXT, value=section.vaddr, section=row)
        symbols.add_flags(marker, Flag.REACHABLE | Flag.SPECIAL | Flag.LOCAL)
    return link.evolve(
        symbols=symbols.freeze(),
        relocs=relocs,
        text_order=frozen(order.astype(np.int32)),
        sections=Sections(items=sections, segments=()),
        trampolines=MappingProxyType(targets),
    )


def _check_size(link: Link, order: I32, size: int) -> None:
    """Refuse more code than any call reaches; the image would take as much memory."""
    if size <= LARGEST:
        return
    between = size - int(link.symbols.size[order].sum())
    raise InputError(
        f"too much code ({size}, over 2e+09 bytes)",
        label="",
        found=f"{between} bytes of it between functions",
        remedy=largest_symbols(link.symbols, order)
        if between < size // 2
        else "align functions less, or sections of C objects",
    )


def _with_parts(symbols: SymbolsEdit, order: I32, addresses: I64, parts: I32) -> tuple[I32, I64]:
    """The functions with the parts of C objects' sections, each behind its section by address
    wherever a pass has put it, and their addresses."""
    place = np.zeros(len(symbols), np.int64)
    place[order] = np.arange(len(order))
    parts = parts[np.lexsort((symbols.value[parts], place[symbols.container[parts]]))]
    home = place[symbols.container[parts]]
    inside = addresses[home] + symbols.value[parts]
    return np.insert(order, home + 1, parts), np.insert(addresses, home + 1, inside)


def _with_trampolines(
    link: Link, order: I32, addresses: I64, stubs: I32, at: I64
) -> tuple[I32, I64]:
    """The functions with the trampolines, each in front of the first that lies behind it, as the
    oracle puts them. Before a part that a damaged object has far behind its section stand those of
    functions to come, which the oracle notices when it writes them."""
    place = np.maximum.accumulate(np.searchsorted(at, addresses))
    before = np.searchsorted(place, np.arange(len(at)), side="right")
    symbols, part = link.symbols, link.symbols.has(order, Flag.INTERIOR)
    early = np.flatnonzero((np.append(at, 0)[place - 1] > addresses) & (place > 0) & ~part)
    if len(early):
        behind = np.flatnonzero(part[: early[0]])
        sym = int(order[behind[np.argmax(addresses[behind])]])
        section = int(symbols.container[sym])
        raise InputError(
            f"the symbol lies outside of its section {symbols.name(section)}",
            symbol=symbols.name(sym),
            file=link.host_files.get(section, "") if link.has("host_files") else "",
            expected=f"an offset within {int(symbols.size[section])} bytes",
            found=str(int(symbols.value[sym])),
            remedy="rebuild the package; its C object is damaged",
        )
    return np.insert(order, before, stubs), np.insert(addresses, before, at)


def _may_be_too_far(link: Link, rules: Trampolines, size: int) -> bool:
    """Whether there may be calls that do not reach, for tests already in less code
    (-debugtextsize); -debugtramp=2 takes it for granted."""
    limit = link.options.debugtextsize % (1 << 64) or rules.limit
    return size >= limit or link.options.debugtramp > 1


def _section_limit(link: Link, rules: Trampolines) -> int:
    """The most bytes of a section of code, 0: there is one section."""
    if not (rules.sections and link.mode.external):
        return 0
    return link.options.debugtextsize % (1 << 64) or rules.limit
