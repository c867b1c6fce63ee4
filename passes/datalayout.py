"""datalayout: sort data into sections.

Every reachable data symbol has a kind, its own or the one it is grouped under; the kind says
which section it goes to, and the release's rules say which sections there are, in which order.
Within a section symbols are sorted by size, so that little is lost to alignment; symbols of
equal size keep the order in which they were made.

Where `type_order` is there, type descriptors have that order.

In a link that a host linker finishes, and in a static executable, no dynamic relocations have to
be made here (data.go, dynreloc, returns at once for both).

Symbols get `align` and `section`; sections have no addresses yet.
Source: cmd/link/internal/ld/data.go:1664-1822 (dodata), 1925-2292 (allocateDataSections), 2354-2595
(dodataSect).
Reads `symbols`, `mode`, `sections`, `section_groups`, `relro`, `type_order` if it is there,
`debug_sections` if it is there, `host_files` if it is there; provides `symbols`, `sections`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.ragged import sorting
from linkpipe.arrays.types import I64, Bool
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError, checkpoint
from linkpipe.layout.assign import LARGEST, alignments, check_alignments, layout_kinds
from linkpipe.release import SectionRule
from linkpipe.symkind import SymKind
from linkpipe.tables.sections import Section, Sections
from linkpipe.tables.symbols import Symbols, SymbolsEdit

_THREAD_LOCAL = SectionRule(".tbss", (SymKind.STLSBSS,), optional=True, zeros=True)
_EXECUTABLE = SectionRule("", (SymKind.SELFRXSECT,))
_RELOCATED_OWN = SectionRule("", (SymKind.SELFRELROSECT,))


@linkpass(
    requires=(
        "symbols",
        "mode",
        "sections",
        "section_groups",
        "relro",
    ),
    optional=("type_order", "debug_sections", "host_files"),
    provides=("symbols", "sections"),
)
def datalayout(link: Link) -> Link:
    """Sort data into sections."""
    edit = link.symbols.edit()
    data = _Data(link, edit)
    builder = _Builder(link, edit, data)
    for rule in link.release.writable:
        builder.add(rule, "data", 0o6)
    if link.mode.external or link.mode.dynamic:
        builder.add(_THREAD_LOCAL, "data", 0o6)
    builder.add(_EXECUTABLE, "text", 0o5)
    for rule in link.release.constant:
        builder.add(rule, "text" if link.mode.external else "rodata", 0o4)
    relro = link.relro
    for rule in link.release.relocated:
        name = (relro.prefix + rule.name) or ".rodata"
        builder.add(rule._replace(name=name), relro.segment, relro.rwx)
    builder.add(_RELOCATED_OWN, relro.segment, relro.rwx)
    for rule in link.release.last:
        builder.add(rule._replace(name=relro.prefix + rule.name), relro.segment, relro.rwx)
    for section in link.debug_sections if link.has("debug_sections") else ():
        builder.add_debug(section.name, section.symbols)
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
        check_alignments(symbols, ids, link.host_files if link.has("host_files") else {})
        self.align = alignments(symbols.align[ids], size, link.arch)
        unstated = symbols.align[ids] == 0
        edit.set(ids[unstated], align=self.align[unstated])
        key = 2 * size  # which is below 4 GiB
        # Zero-size variables share their address with runtime.zerobase, which comes after them.
        key[ids == symbols.lookup("runtime.zerobase")] = 1
        kind = kinds[ids]
        key[kind == SymKind.SPCLNTAB] = 0  # made in its proper order
        order = sorting(np.left_shift(kind, 32, dtype=np.int64) + key)
        self.ids, self.align, kind = ids[order], self.align[order], kind[order]
        self.edges = np.searchsorted(kind, np.arange(257))
        if link.mode.dynamic:
            self._join(symbols, edit, link.arch.ptrsize)
        if link.has("type_order"):
            # They fill the same rows, in another order.
            rows = self.of(SymKind.STYPE)
            places = np.zeros(len(symbols), np.int64)
            places[self.ids[rows]] = np.arange(rows.start, rows.stop)
            order = places[link.type_order]
            self.ids[rows], self.align[rows] = self.ids[order], self.align[order]

    def _join(self, symbols: Symbols, edit: SymbolsEdit, ptrsize: int) -> None:
        """Lay the relocations of .plt out right behind the other dynamic ones, as ELF asks for,
        where the first of the two was."""
        rows = self.of(SymKind.SELFROSECT)
        names = symbols.names(self.ids[rows])
        two = [names.index(name) for name in names if name in (b".rel", b".rela")]
        two += [names.index(name) for name in names if name in (b".rel.plt", b".rela.plt")]
        if two[1] != two[0] + 1:
            rest = [at for at in range(len(names)) if at not in two]
            first = min(two)
            order = rows.start + np.array([*rest[:first], *two, *rest[first:]])
            self.ids[rows], self.align[rows] = self.ids[order], self.align[order]
            joined = slice(rows.start + first, rows.start + first + 2)
            self.align[joined] = ptrsize
            edit.set(self.ids[joined], align=ptrsize)

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
        + refuse(size > LARGEST, "symbol too large ({size} bytes)", "use less static data")
    )


class _Builder:
    """Collects sections."""

    def __init__(self, link: Link, edit: SymbolsEdit, data: _Data) -> None:
        self.ptrsize, self.edit, self.data = link.arch.ptrsize, edit, data
        self.symbols = link.symbols
        self.sections: list[Section] = []
        self.first = len(link.sections)

    def add(self, rule: SectionRule, segment: str, rwx: int) -> None:
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
            lead = {"": 0, "byte": 1, "word": self.ptrsize}[rule.lead]
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
