"""dwarf: write the entries of units and types, and put all entries into order.

The entries of a unit are its own, those of functions that were inlined and that it is the first to
mention, those of its functions, and its constants; global variables come last. Entries of types
belong to package runtime.

What needs addresses is left to dwarfunits and the passes that make the debug sections.

Source: cmd/link/internal/ld/dwarf.go (dwarfGenerateDebugInfo, writeUnitInfo).
Reads `mode`, `symbols`, `relocs`, `packages`, `objects`, `dwarf_gathered`; provides `symbols`,
`relocs`, `dwarf`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.image import put_words
from linkpipe.arrays.ragged import offsets
from linkpipe.arrays.types import I64
from linkpipe.debuginfo.entries import Encoded, encode
from linkpipe.debuginfo.mentions import Mentions, Units, Variables
from linkpipe.debuginfo.typedies import TypeParts, type_entries
from linkpipe.debuginfo.units import UnitParts, unit_entries
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.formats.dwarf import DWARF4, DWARF5, DwarfForm
from linkpipe.symkind import SymKind
from linkpipe.tables.contents import check_sizes
from linkpipe.tables.dwarf import Dwarf
from linkpipe.tables.objects import RelocColumns
from linkpipe.tables.symbols import Flag, SymbolsEdit

_RUNTIME = "runtime"


@linkpass(
    requires=("mode", "symbols", "relocs", "packages", "objects", "dwarf_gathered"),
    provides=("symbols", "relocs", "dwarf"),
)
def dwarf(link: Link) -> Link:
    """Write the entries of units and types."""
    # What is read from here on comes on top of what objects say of code, and that is known now.
    link.objects.arena.let_go()
    form = DWARF5 if link.mode.dwarf5 else DWARF4
    edit = link.symbols.edit()
    section = {name: _section_symbol(edit, name) for name in form.sections}
    gathered = link.dwarf_gathered
    units, mentions, variables = gathered.units, gathered.mentions, gathered.variables
    types, type_symbols = _types(link, form, edit, gathered.types)
    parts = _unit_parts(edit, form, units)
    version = link.options.environment.version
    heads = unit_entries(
        link.packages, link.symbols, link.arch, form, version, units, parts, section["abbrev"]
    )
    edit.set_contents(parts.entry, heads.content, heads.starts)

    first, entries = _entries(link, units, mentions, variables, parts, type_symbols)
    _refuse_doubles(link, entries)
    _close(link, edit, heads, parts, first, entries)
    info, ranges = units.auxs[goobj.AUX_DWARF_INFO], units.auxs[goobj.AUX_DWARF_RANGES]
    ranges, lines = np.where(info != 0, ranges, 0), units.auxs[goobj.AUX_DWARF_LINES]
    others = np.concatenate((variables.entries, mentions.locs, ranges, lines))
    others = others[others != 0]
    check_sizes(link.symbols, link.objects, np.concatenate((mentions.entries, others)))
    edit.add_flags(entries, Flag.REACHABLE | Flag.NOT_IN_SYMTAB)
    edit.add_flags(others, Flag.REACHABLE | Flag.NOT_IN_SYMTAB)
    read = link.objects.relocs(link.symbols.object[others], link.symbols.local[others])
    relocs = link.relocs.extended(
        np.concatenate((mentions.entries, others, parts.entry, type_symbols)),
        *mentions.relocs,
        read,
        _columns(heads, heads.starts),
        types,
    )
    made = Dwarf(
        objects=units.objects,
        packages=units.packages,
        first=units.first,
        functions=units.functions,
        info=info,
        locs=mentions.locs,
        ranges=ranges,
        lines=lines,
        entries_first=first,
        entries=entries,
        line_table=parts.line_table,
        range_list=parts.range_list,
        addresses=parts.addresses,
        section=section,
        order=np.arange(len(units.objects)),
        text=None,
        index=np.full(len(link.symbols), -1, np.int32),
        form=form,
    )
    return link.evolve(symbols=edit.freeze(), relocs=relocs, dwarf=made)


def _entries(
    link: Link,
    units: Units,
    mentions: Mentions,
    variables: Variables,
    parts: UnitParts,
    types: I64,
) -> tuple[I64, I64]:
    """The entries of each unit in order, and where each unit's start (and the end of the last)."""
    unit_of = np.zeros(len(link.objects), np.int64)
    unit_of[units.objects] = np.arange(len(units.objects))
    runtime, home = _runtime_unit(link, units), unit_of[variables.objects]
    info = units.auxs[goobj.AUX_DWARF_INFO]
    described, having = np.flatnonzero(info), np.flatnonzero(mentions.constants)
    every = np.arange(len(units.objects))
    # In the order within a unit.
    lists = (
        (every, parts.entry),
        (mentions.inlined_unit, mentions.inlined),
        (units.owner[described], info[described]),
        (having, mentions.constants[having]),
        (home, variables.entries),
        (np.full(len(types), runtime), types),
        (every, parts.end),
    )
    owner = np.concatenate([unit for unit, _ in lists])
    entries = np.concatenate([symbols for _, symbols in lists]).astype(np.int64)
    worth = np.diff(units.first) > 0
    worth[home] = worth[runtime] = True
    order = np.argsort(owner, kind="stable")
    order = order[worth[owner[order]]]
    return offsets(np.bincount(owner[order], minlength=len(worth))), entries[order]


def _refuse_doubles(link: Link, entries: I64) -> None:
    """Nothing is described twice."""
    described = np.zeros(int(entries.max(initial=0)) + 1, np.bool_)
    described[entries] = True
    if np.count_nonzero(described) < len(entries):
        sym = int(np.flatnonzero(np.bincount(entries) > 1)[0])
        raise InputError(
            "dwarf symbol listed multiple times",
            symbol=link.symbols.name(sym) or f"sym {sym}",
            file=link.objects.names[int(link.symbols.object[sym])],
            remedy="rebuild the package; the file is damaged",
        )


def _section_symbol(edit: SymbolsEdit, name: str) -> int:
    sym = edit.own(f".debug_{name}")
    edit.set(sym, kind=SymKind.SDWARFSECT)
    edit.add_flags(sym, Flag.REACHABLE)
    return sym


def _types(
    link: Link, form: DwarfForm, edit: SymbolsEdit, parts: TypeParts
) -> tuple[RelocColumns, I64]:
    """Write the entries of all types that are mentioned: their relocations, and their symbols."""
    made = type_entries(edit, link.symbols.arena.bytes, parts)
    encoded = encode(made.codes, made.columns, form.abbrevs, link.arch.ptrsize, link.arch.endian)
    starts = np.append(encoded.starts[made.tops], encoded.starts[-1])
    edit.set_contents(made.symbols, encoded.content, starts)
    return _columns(encoded, starts), made.symbols


def _columns(encoded: Encoded, starts: I64) -> RelocColumns:
    """The relocations of symbols whose contents begin at ``starts``."""
    owner = np.searchsorted(starts, encoded.place, side="right") - 1
    zeros = np.zeros(len(owner), np.int64)
    return RelocColumns(
        np.bincount(owner, minlength=len(starts) - 1),
        (encoded.place - starts[owner]).astype(np.int32),
        encoded.size,
        encoded.type,
        zeros.astype(np.bool_),
        zeros,
        encoded.target,
    )


def _unit_parts(edit: SymbolsEdit, form: DwarfForm, units: Units) -> UnitParts:
    """Make the symbols of what the linker writes for each unit."""
    k = len(units.objects)
    flags = Flag.REACHABLE | Flag.NOT_IN_SYMTAB

    def make(kind: SymKind, some: I64) -> I64:
        out = np.zeros(k, np.int64)
        out[some] = edit.create_many(len(some), kind=kind, flags=flags)
        return out

    every, with_text = np.arange(k), np.flatnonzero(np.diff(units.first))
    return UnitParts(
        entry=make(SymKind.SDWARFCUINFO, every),
        end=make(SymKind.SDWARFFCN, every),
        line_table=make(SymKind.SDWARFLINES, with_text),
        range_list=make(SymKind.SDWARFRANGE, with_text),
        addresses=make(SymKind.SDWARFADDR, with_text if form.indexed else with_text[:0]),
    )


def _runtime_unit(link: Link, units: Units) -> int:
    """The unit that holds the entries of types: the last one of package runtime."""
    for unit in range(len(units.objects) - 1, -1, -1):
        if link.packages.items[int(units.packages[unit])].path == _RUNTIME:
            return unit
    raise InputError(
        "dwarf: there is no package runtime",
        remedy="link a program with its runtime, or leave debug information out with -w",
    )


def _close(
    link: Link, edit: SymbolsEdit, heads: Encoded, parts: UnitParts, first: I64, entries: I64
) -> None:
    """Write the ends of units, and their lengths into their headers."""
    k = len(parts.end)
    edit.set_contents(parts.end, bytes(k), np.arange(k + 1))
    edit.set(parts.entry, data_size=np.diff(heads.starts))
    total = np.append(0, np.cumsum(edit.data_size[entries]))
    content = heads.content.copy()
    # The length does not count itself.
    put_words(content, heads.starts[:-1], np.diff(total[first]) - 4, 4, link.arch.endian)
    edit.set_contents(parts.entry, content, heads.starts)
