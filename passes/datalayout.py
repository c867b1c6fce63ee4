"""datalayout: sort data into sections.

Every reachable data symbol has a kind, its own or the one it is grouped under; the kind says
which section it goes to, and the tables below say which sections there are, in which order.
Within a section symbols are sorted by size, so that little is lost to alignment; symbols of
equal size keep the order in which they were made.

Type descriptors have an order of their own (linkpipe.gotypes.order): those that reflection looks
up, other types, interface tables. Where each of the three stretches ends goes into the module data.

In a link that a host linker finishes, and in a static executable, no dynamic relocations have to
be made here (data.go, dynreloc, returns at once for both).

Symbols get `align` and `section`; sections have no addresses yet.
Source: cmd/link/internal/ld/data.go:1664-1822 (dodata), 1925-2292 (allocateDataSections), 2354-2595
(dodataSect).
Reads `symbols`, `objects`, `mode`, `sections`, `section_groups`, `relro`, `moduledata`,
`moduledata_fields`, `debug_sections` if it is there; provides `symbols`, `sections`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from linkpipe.arrays.align import round_up
from linkpipe.arrays.types import I64, Bool
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError, checkpoint
from linkpipe.gotypes.order import order_types
from linkpipe.layout.assign import alignments, check_alignments, layout_kinds, place
from linkpipe.symkind import SymKind
from linkpipe.tables.sections import Section, Sections
from linkpipe.tables.symbols import Symbols, SymbolsEdit

_LARGEST = 2_000_000_000
"""Most bytes in one symbol or segment (data.go, cutoff)."""


class _Rule(NamedTuple):
    """One section, or one for each symbol where there is no name.

    ``kinds`` are laid out one after the other; the section's alignment is the largest of the
    first ``aligned`` of them. ``optional`` sections are left out when they would be empty.
    """

    name: str
    kinds: tuple[SymKind, ...]
    optional: bool = False
    zeros: bool = False
    aligned: int = 1


_NOPTRDATA = (
    SymKind.SNOPTRDATA,
    SymKind.SNOPTRDATAFIPSSTART,
    SymKind.SNOPTRDATAFIPS,
    SymKind.SNOPTRDATAFIPSEND,
    SymKind.SNOPTRDATAEND,
)
_DATA = (
    SymKind.SDATA,
    SymKind.SDATAFIPSSTART,
    SymKind.SDATAFIPS,
    SymKind.SDATAFIPSEND,
    SymKind.SDATAEND,
)
_READ_ONLY = (
    SymKind.SSTRING,
    SymKind.SGOSTRING,
    SymKind.SGCBITS,
    SymKind.SRODATA,
    SymKind.SRODATAFIPSSTART,
    SymKind.SRODATAFIPS,
    SymKind.SRODATAFIPSEND,
    SymKind.SRODATAEND,
)

_WRITABLE = (
    _Rule("", (SymKind.SBUILDINFO,)),
    _Rule("", (SymKind.SFIPSINFO,)),
    _Rule("", (SymKind.SELFSECT,)),
    _Rule(".go.module", (SymKind.SMODULEDATA,), optional=True),
    _Rule(".got", (SymKind.SELFGOT,), optional=True),
    _Rule(".noptrdata", _NOPTRDATA),
    _Rule(".init_array", (SymKind.SINITARR,), optional=True),
    _Rule(".data", _DATA),
    _Rule(".bss", (SymKind.SBSS,), zeros=True),
    _Rule(
        ".noptrbss",
        (SymKind.SNOPTRBSS, SymKind.SGCMASK, SymKind.SCOVERAGE_COUNTER),
        zeros=True,
    ),
    _Rule(".go.fuzzcntrs", (SymKind.SLIBFUZZER_8BIT_COUNTER,), optional=True, zeros=True),
)
_THREAD_LOCAL = _Rule(".tbss", (SymKind.STLSBSS,), optional=True, zeros=True)
_EXECUTABLE = _Rule("", (SymKind.SELFRXSECT,))
_CONSTANT = (
    _Rule(".rodata", _READ_ONLY, aligned=len(_READ_ONLY)),
    _Rule(".gopclntab", (SymKind.SPCLNTAB,)),
    _Rule("", (SymKind.SELFROSECT,)),
)
# Sections of data with addresses in it; their names get the relro prefix.
_RELOCATED = (
    _Rule("", (SymKind.SRODATARELRO,), optional=True),
    _Rule(".go.type", (SymKind.STYPE,)),
    _Rule(".go.func", (SymKind.SGOFUNC,)),
)
_RELOCATED_OWN = _Rule("", (SymKind.SELFRELROSECT,))


@linkpass(
    requires=(
        "symbols",
        "objects",
        "mode",
        "sections",
        "section_groups",
        "relro",
        "moduledata",
        "moduledata_fields",
    ),
    optional=("debug_sections",),
    provides=("symbols", "sections"),
)
def datalayout(link: Link) -> Link:
    """Sort data into sections."""
    edit = link.symbols.edit()
    data = _Data(link, edit)
    builder = _Builder(link, edit, data)
    for rule in _WRITABLE:
        builder.add(rule, "data", 0o6)
    if link.mode.external:
        builder.add(_THREAD_LOCAL, "data", 0o6)
    builder.add(_EXECUTABLE, "text", 0o5)
    for rule in _CONSTANT:
        builder.add(rule, "text" if link.mode.external else "rodata", 0o4)
    relro = link.relro
    for rule in _RELOCATED:
        name = (relro.prefix + rule.name) or ".rodata"
        builder.add(rule._replace(name=name), relro.segment, relro.rwx)
    builder.add(_RELOCATED_OWN, relro.segment, relro.rwx)
    for section in link.debug_sections if link.has("debug_sections") else ():
        builder.add_debug(section.name, section.symbols)
    _fill_moduledata(link, edit, data)
    sections = Sections(items=(*link.sections.items, *builder.sections), segments=())
    return link.evolve(symbols=edit.freeze(), sections=sections)


class _Data:
    """Data symbols by kind, in order, with their alignments."""

    def __init__(self, link: Link, edit: SymbolsEdit) -> None:
        symbols = link.symbols
        kinds = layout_kinds(symbols, link.section_groups)
        ids = np.flatnonzero(kinds)
        size = symbols.size[ids]
        _check_sizes(symbols, ids, size)
        check_alignments(symbols, ids)
        self.align = alignments(symbols.align[ids], size, link.arch)
        unstated = symbols.align[ids] == 0
        edit.set(ids[unstated], align=self.align[unstated])
        key = 2 * size
        # Zero-size variables share their address with runtime.zerobase, which comes after them.
        key[ids == symbols.lookup("runtime.zerobase")] = 1
        kind = kinds[ids]
        key[kind == SymKind.SPCLNTAB] = 0  # made in its proper order
        order = np.lexsort((key, kind))
        self.ids, self.align, kind = ids[order], self.align[order], kind[order]
        self.edges = np.searchsorted(kind, np.arange(257))
        rows = self.of(SymKind.STYPE)
        self.types = order_types(symbols, link.objects, link.arch, self.ids[rows])
        self.ids[rows] = self.ids[rows][self.types.order]
        self.align[rows] = self.align[rows][self.types.order]

    def of(self, kind: SymKind) -> slice:
        """The rows of one kind."""
        return slice(int(self.edges[kind]), int(self.edges[kind + 1]))


def _check_sizes(symbols: Symbols, ids: I64, size: I64) -> None:
    def refuse(bad: Bool, words: str, remedy: str) -> list[InputError]:
        return [
            InputError(
                words.format(size=int(symbols.size[sym]), data=int(symbols.data_size[sym])),
                symbol=symbols.name(sym),
                remedy=remedy,
                status=2,
            )
            for sym in ids[bad].tolist()
        ]

    checkpoint(
        refuse(
            symbols.data_size[ids] > size,
            "initialize bounds ({size} < {data})",
            "its content is longer than its size; rebuild the package",
        )
        + refuse(size > _LARGEST, "symbol too large ({size} bytes)", "use less static data")
    )


class _Builder:
    """Collects sections."""

    def __init__(self, link: Link, edit: SymbolsEdit, data: _Data) -> None:
        self.ptrsize, self.edit, self.data = link.arch.ptrsize, edit, data
        self.symbols = link.symbols
        self.sections: list[Section] = []
        self.first = len(link.sections)

    def add(self, rule: _Rule, segment: str, rwx: int) -> None:
        """Make the section of a rule, or those of its symbols."""
        parts = [self.data.of(kind) for kind in rule.kinds]
        ids = np.concatenate([self.data.ids[part] for part in parts])
        if not rule.name:
            for row in range(parts[0].start, parts[0].stop):
                sym = self.data.ids[row : row + 1]
                name = self.symbols.name(int(sym[0]))
                if name.startswith("go:"):
                    name = f".go.{name[3:]}"
                self._append(name, segment, rwx, sym, int(self.data.align[row]))
        elif len(ids) or not rule.optional:
            aligns = [self.data.align[part].max(initial=0) for part in parts[: rule.aligned]]
            least = 0 if len(aligns) == 1 else self.ptrsize
            align = int(max([*aligns, least]))
            if rule is _THREAD_LOCAL:
                align = self.ptrsize
            # No reference to a type is zero, the runtime counts on it.
            lead = self.ptrsize if SymKind.STYPE in rule.kinds else 0
            self._append(rule.name, segment, rwx, ids, align, zeros=rule.zeros, lead=lead)

    def add_debug(self, name: str, ids: I64) -> None:
        """Make a debug section, whose symbols stay in their order and follow without gaps."""
        self._append(name, "dwarf", 0o4, ids, 1, packed=True)

    def _append(
        self,
        name: str,
        segment: str,
        rwx: int,
        ids: I64,
        align: int,
        *,
        zeros: bool = False,
        lead: int = 0,
        packed: bool = False,
    ) -> None:
        self.edit.set(ids, section=self.first + len(self.sections))
        self.sections.append(
            Section(
                name,
                segment,
                rwx,
                ids.astype(np.int32),
                align,
                zeros=zeros,
                lead=lead,
                packed=packed,
            )
        )


def _fill_moduledata(link: Link, edit: SymbolsEdit, data: _Data) -> None:
    """Tell the runtime where typelinks, other types and interface tables end."""
    rows = data.of(SymKind.STYPE)
    size, align = link.symbols.size[data.ids[rows]], data.align[rows]
    ptrsize, types = link.arch.ptrsize, data.types
    _, links_end = place(ptrsize, size[: types.links], align[: types.links])
    middle = slice(types.links, types.types)
    _, types_end = place(links_end, size[middle], align[middle])
    if types.types < len(size):
        types_end = round_up(types_end, int(align[types.types]))
    _, itabs_size = place(0, size[types.types :], align[types.types :])
    values: Mapping[str, int] = {
        "typedesclen": links_end,
        "itaboffset": types_end,
        "itabsize": itabs_size,
    }
    content = bytearray(edit.data(link.moduledata))
    for name, value in values.items():
        at = link.moduledata_fields[name]
        content[at : at + ptrsize] = value.to_bytes(ptrsize, link.arch.byteorder)
    edit.set_content(link.moduledata, bytes(content), grow=False)
