"""addresses: give sections and symbols their addresses, and segments their place in the file.

The text's address is given; each further segment starts at the next page, in memory as in the
file. Sections follow each other within a segment, symbols within a section; what the runtime
finds its data by (runtime.data, runtime.edata …) gets the addresses where sections begin and end.
For a host linker all addresses count from zero: they say where a thing lies in the object, and
code and read-only data are one segment, for the host linker parts them itself.

In the file the headers come first. A segment's bytes end where nothing but zeros follow (.bss).

From here on a symbol's `value` is its address.
Source: cmd/link/internal/ld/data.go:2998-3345 (address, layout).
Reads `symbols`, `sections`, `section_groups`, `mode`, `abihash` if it is there; provides `symbols`,
`sections`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from linkpipe.arrays.align import round_up
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError, OptionError, UserError
from linkpipe.flags.options import Options, misaligned_data
from linkpipe.layout.assign import (
    LARGEST,
    Placed,
    largest_symbols,
    layout_kinds,
    place_sections,
    segment_quantum,
    text_base,
)
from linkpipe.symkind import SymKind, is_text
from linkpipe.tables.sections import Section, Sections, Segment
from linkpipe.tables.symbols import Flag, SymbolsEdit
from linkpipe.values import evolve

_SEGMENTS = (("text", 0o5), ("rodata", 0o4), ("relro", 0o6), ("data", 0o6), ("dwarf", 0o6))
_NEEDED = ("text", "data", "dwarf")
"""Segments that are there even without sections."""


class _Marks(NamedTuple):
    """The markers at the two ends of a section, and the kinds that they get."""

    section: str
    start: str
    start_kind: SymKind
    end: str
    end_kind: SymKind


_MARKERS = (
    _Marks(".rodata", "runtime.rodata", SymKind.SRODATA, "runtime.erodata", SymKind.SRODATA),
    _Marks("", "runtime.types", SymKind.SRODATA, "runtime.etypes", SymKind.SRODATA),
    _Marks(".gopclntab", "runtime.pclntab", SymKind.SRODATA, "runtime.epclntab", SymKind.SRODATA),
    _Marks(
        ".noptrdata",
        "runtime.noptrdata",
        SymKind.SNOPTRDATA,
        "runtime.enoptrdata",
        SymKind.SNOPTRDATAEND,
    ),
    _Marks(".bss", "runtime.bss", SymKind.SBSS, "runtime.ebss", SymKind.SBSS),
    _Marks(".data", "runtime.data", SymKind.SDATA, "runtime.edata", SymKind.SDATAEND),
    _Marks(
        ".noptrbss",
        "runtime.noptrbss",
        SymKind.SNOPTRBSS,
        "runtime.enoptrbss",
        SymKind.SNOPTRBSS,
    ),
)
_FUNCTION_TABLES = (
    "runtime.pcheader",
    "runtime.funcnametab",
    "runtime.cutab",
    "runtime.filetab",
    "runtime.pctab",
    "runtime.functab",
)
_FUZZING = ".go.fuzzcntrs"
_FUZZ_COUNTERS = (
    ("runtime.__start___sancov_cntrs", "start"),
    ("runtime.__stop___sancov_cntrs", "end"),
    ("internal/fuzz._counters", "start"),
    ("internal/fuzz._ecounters", "end"),
)


@linkpass(
    requires=("symbols", "sections", "section_groups", "mode"),
    optional=("abihash",),
    provides=("symbols", "sections"),
)
def addresses(link: Link) -> Link:
    """Assign addresses and file offsets."""
    edit = link.symbols.edit()
    placed = _place(link)
    items, segments = _assign(link, placed)
    if link.options.asan:
        # Its runtime wants the end of these counters at a multiple of eight bytes.
        items = [evolve(s, size=round_up(s.size, 8)) if s.name == _FUZZING else s for s in items]
    sections = Sections(items=tuple(items), segments=tuple(_in_file(link, segments)))
    rows = [row for row in placed if len(items[row].symbols)]
    if rows:
        ids = np.concatenate([items[row].symbols for row in rows])
        value = np.concatenate([placed[row].offsets + items[row].vaddr for row in rows])
        edit.set(ids, value=value)
    _place_parts(edit)
    if link.has("abihash"):
        made = link.abihash
        edit.set(made.content, section=edit.section[made.note])
        edit.set(made.content, value=edit.value[made.note] + made.at)
    _mark(link, edit, sections)
    _mark_counters(link, edit, sections, placed)
    return link.evolve(symbols=edit.freeze(), sections=sections)


def _place_parts(edit: SymbolsEdit) -> None:
    """Give the parts of C objects' sections their addresses; those of code have theirs."""
    parts = np.flatnonzero((edit.flags & int(Flag.INTERIOR)) != 0)
    outer = edit.container[parts]
    laid = (edit.section[outer] >= 0) & ~is_text(edit.kind[outer])
    parts, outer = parts[laid], outer[laid]
    edit.set(parts, value=edit.value[parts] + edit.value[outer], section=edit.section[outer])


def _place(link: Link) -> dict[int, Placed]:
    """Where each section lies in its segment, by row of Sections; text is laid out already.

    Read-only data counts from its own beginning, wherever it comes to lie.
    """
    items = link.sections.items
    # Read-only sections of the text segment go on from one another as those of a segment of
    # their own do.
    runs: dict[str, list[int]] = {}
    for row, section in enumerate(items):
        if section.name == ".tbss":
            runs[section.name] = [row]
        elif section.name != ".text":
            runs.setdefault(section.segment, []).append(row)
    out: dict[int, Placed] = {}
    for rows in runs.values():
        some = place_sections([items[row] for row in rows], link.symbols, link.arch)
        out.update(zip(rows, some, strict=True))
        _check_size(link, [items[row] for row in rows], some)
    return out


def _check_size(link: Link, sections: list[Section], placed: list[Placed]) -> None:
    """Refuse too much data: a segment's in all, but of debug information a section's."""
    debug = sections[0].segment == "dwarf"
    big = [p.size if debug else p.start + p.size for p in placed]
    if max(big) <= LARGEST:
        return
    i = next(i for i, size in enumerate(big) if size > LARGEST)
    ids, where, size = sections[i].symbols, f" in section {sections[i].name}", big[i]
    if not debug:
        # The oracle counts after each kind of symbol, and a section may have several.
        ends = placed[i].start + placed[i].offsets + link.symbols.size[ids]
        kinds = layout_kinds(link.symbols, link.section_groups)[ids]
        last = kinds[np.argmax(ends > LARGEST)]
        where, size = f", last section {SymKind(last).name}", int(ends[kinds == last].max())
        ids = np.concatenate([section.symbols for section in sections])
    raise InputError(
        f"too much data{where} ({size}, over 2e+09 bytes)",
        label="",
        remedy=largest_symbols(link.symbols, ids),
    )


def _assign(link: Link, placed: dict[int, Placed]) -> tuple[list[Section], list[Segment]]:
    """Addresses of sections and segments."""
    page = segment_quantum(link.options, link.arch)
    _check_flags(link.options, page)
    data = link.options.D
    items = [
        evolve(section, size=placed[row].size) if row in placed else section
        for row, section in enumerate(link.sections.items)
    ]
    at = text_base(link.options, link.arch, link.mode)
    segments: list[Segment] = []
    for name, rwx in _SEGMENTS:
        rows = [row for row, section in enumerate(items) if section.segment == name]
        if not rows and name not in _NEEDED:
            continue
        if name != "text":
            at = round_up(at, page)
        if name == "data" and data != -1:
            if data < at:
                raise OptionError(
                    f"invalid -D value {data:#x}: text and read-only data end at {at:#x}",
                    flag="D",
                    remedy="choose an address from there on, or a lower one for the text with -T",
                )
            at = data
        start = at
        first = next((placed[row].start for row in rows if row in placed), 0)
        for row in rows:
            if items[row].name == ".tbss":
                continue  # thread-local: its addresses count from zero
            if name == "data":
                # Writable sections keep their distances.
                at = start + placed[row].start - first
            else:
                at = round_up(at, items[row].align)
            items[row] = evolve(items[row], vaddr=at)
            at += items[row].size
        zeros = (items[row].vaddr for row in rows if items[row].zeros)
        segments.append(
            Segment(
                name=name,
                rwx=rwx,
                sections=tuple(rows),
                vaddr=start,
                size=at - start,
                filesize=next(zeros, at) - start,
            )
        )
    return items, segments


def _check_flags(options: Options, page: int) -> None:
    """Refuse start addresses that no loader could map (docs/oracle-faults.md)."""
    if options.D != -1 and options.D % page:
        raise misaligned_data(options.D, page)
    if options.T != -1 and options.T % page:
        raise OptionError(
            f"invalid -T value {options.T:#x}: not aligned to rounding quantum {page:#x}",
            flag="T",
            remedy="choose a multiple of the quantum, or another quantum with -R",
        )


def _in_file(link: Link, segments: Sequence[Segment]) -> list[Segment]:
    """Segments with their places in the file."""
    page = segment_quantum(link.options, link.arch)
    out: list[Segment] = []
    at = link.arch.header_room
    for segment in segments:
        if out:
            at = round_up(at, page)
            if segment.vaddr % page != at % page:
                raise UserError(
                    f"bad segment rounding (Vaddr={segment.vaddr:#x} Fileoff={at:#x} "
                    f"FlagRound={page:#x})",
                    status=2,
                    remedy="the addresses given with -T and -D have to agree with -R",
                )
        out.append(evolve(segment, fileoff=at))
        at += segment.filesize
    return out


def _define(
    edit: SymbolsEdit, name: str, kind: SymKind, value: int | None = None, section: int = -1
) -> None:
    """Make a symbol a marker; ``value`` and ``section`` only if they are given."""
    sym = edit.own(name)
    edit.set(sym, kind=kind)
    edit.add_flags(sym, Flag.REACHABLE | Flag.SPECIAL | Flag.LOCAL)
    if value is not None:
        edit.set(sym, value=value)
    if section >= 0:
        edit.set(sym, section=section)


def _mark(link: Link, edit: SymbolsEdit, sections: Sections) -> None:
    """Give the markers of sections their addresses."""
    # Types have a section of their own, or lie somewhere among other data.
    among = ".data.rel.ro" if link.options.relocatable else ".rodata"
    types = link.release.types_section or among
    more = (
        _Marks(section, start, SymKind.SRODATA, end, SymKind.SRODATA)
        for section, start, end in link.release.end_markers
    )
    for marks in (*_MARKERS, *more):
        row = _find(link, sections, marks.section or types)
        start, end = sections[row].vaddr, sections[row].vaddr + sections[row].size
        _define(edit, marks.start, marks.start_kind, start, row)
        _define(edit, marks.end, marks.end_kind, end, row)
    block = () if link.release.own_funcdata else ("go:func.*",)
    for name in (*_FUNCTION_TABLES, *block):
        _define(edit, name, SymKind.SRODATA)
    for name in ("gcdata", "gcbss"):
        program = edit.lookup(f"runtime.{name}")
        edit.add_flags(program, Flag.LOCAL)
        end = int(edit.value[program] + edit.size[program])
        row = int(edit.section[program])
        _define(edit, f"runtime.e{name}", SymKind.SRODATA, end, row)
    data = sections.segment("data")
    last = [row for row in data.sections if sections[row].name != ".tbss"][-1]
    _define(edit, "runtime.end", SymKind.SBSS, data.vaddr + data.size, last)


def _mark_counters(
    link: Link, edit: SymbolsEdit, sections: Sections, placed: dict[int, Placed]
) -> None:
    """Mark where pointer masks and the counters of coverage and of fuzzing lie."""
    row = sections.find(".noptrbss")
    ids, start = sections[row].symbols, sections[row].vaddr
    groups = np.zeros(len(link.symbols), np.uint8)
    groups[: len(link.section_groups)] = link.section_groups
    kind = np.where(groups[ids] != 0, groups[ids], link.symbols.kind[ids])
    ends = placed[row].offsets + link.symbols.size[ids]
    plain = int(ends[kind == SymKind.SNOPTRBSS].max(initial=0))
    masks = int(ends[kind == SymKind.SGCMASK].max(initial=plain))
    counters = int(ends[kind == SymKind.SCOVERAGE_COUNTER].max(initial=masks)) - masks
    # Counters have four bytes each; what is left over was lost to alignment before the first.
    odd = counters % 4 if link.release.aligned_counters else 0
    first, end = start + masks + odd, start + masks + counters
    if edit.lookup("runtime.gcmask.*"):
        _define(edit, "runtime.gcmask.*", SymKind.SGCMASK, start + plain, row)
    _define(edit, "runtime.covctrs", SymKind.SCOVERAGE_COUNTER, first, row)
    _define(edit, "runtime.ecovctrs", SymKind.SCOVERAGE_COUNTER, end, row)
    row = sections.find(_FUZZING)
    if row >= 0:
        start, size = sections[row].vaddr, sections[row].size
        for name, side in _FUZZ_COUNTERS:
            value = start if side == "start" else start + size
            _define(edit, name, SymKind.SLIBFUZZER_8BIT_COUNTER, value, row)


def _find(link: Link, sections: Sections, name: str) -> int:
    """The row of a section that every link has; relro may have given it a prefix."""
    for row, section in enumerate(sections.items):
        if section.name == name or section.name == f".data.rel.ro{name}":
            return row
    raise InputError(
        f"there is no section {name}", remedy="it is made by the pass datalayout; see the pipeline"
    )
