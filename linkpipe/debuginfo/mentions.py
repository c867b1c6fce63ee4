"""What objects say: units with their functions, and the types that debug information mentions.

Source: cmd/link/internal/ld/dwarf.go (dwarfGenerateDebugInfo, dwarfVisitFunction,
importInfoSymbol).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from linkpipe.arrays.ragged import distinct, first_seen, offsets, owners
from linkpipe.arrays.types import I32, I64, Ints
from linkpipe.formats import goobj
from linkpipe.reloctype import R_DWARFSECREF, R_USEIFACE, R_USETYPE
from linkpipe.symkind import SymKind, is_data, is_rodata, is_text
from linkpipe.tables.names import Names, as_bytes
from linkpipe.tables.objects import Objects, RelocColumns
from linkpipe.tables.symbols import STATIC, Flag

if TYPE_CHECKING:
    from linkpipe.tables.packages import Packages
    from linkpipe.tables.relocs import Relocs
    from linkpipe.tables.symbols import Symbols


INFO_PREFIX = b"go:info."
"""Before the name of a type, the name of the symbol of its entry."""
TYPE_PREFIX = b"type:"

_FUNCTION_AUXS = (goobj.AUX_DWARF_INFO, goobj.AUX_DWARF_RANGES, goobj.AUX_DWARF_LINES)
_VARIABLES = (SymKind.STYPE, SymKind.STLSBSS, SymKind.SMODULEDATA)
"""Kinds of global variables besides data and read-only data."""


class Units(NamedTuple):
    """k objects, in the order in which their packages are laid out, and their n functions.

    Objects of a C compiler are units too; there is nothing to say of them, but they take part when
    units are sorted. Their row of Objects is 0.

    ``objects`` and ``packages`` int64[k] (rows); ``first`` int64[k + 1], ``functions`` int64[n];
    ``auxs``: for each kind of auxiliary symbol, that of each function, int32[n], 0: none.
    """

    objects: I64
    packages: I64
    first: I64
    functions: I64
    auxs: Mapping[int, I32]

    @property
    def owner(self) -> I64:
        """The unit of each function: int64[n]."""
        return owners(np.diff(self.first))


def gather_units(packages: Packages, objects: Objects, symbols: Symbols, text_order: Ints) -> Units:
    """All units, and the functions that the link keeps of them: those of ``text_order`` that an
    object defines."""
    foreign: dict[str, list[tuple[int, int]]] = {}
    for host in packages.host_objects:
        foreign.setdefault(host.package, []).append((host.at, 0))
    pairs = []
    for row in packages.postorder:
        package = packages.items[row]
        members = [(int(objects.base[o]), o) for o in package.objects]
        members += foreign.get(package.path, [])
        pairs += [(o, row) for _, o in sorted(members)]
    defined, rows = np.array(pairs, np.int64).reshape(-1, 2).T
    unit = np.zeros(len(objects), np.int64)
    unit[defined] = np.arange(len(defined))
    # A function in C may have a variable of Go's object that stands for it there.
    ours = (symbols.object[text_order] != 0) & ~symbols.has(text_order, Flag.INTERIOR)
    functions = text_order[ours].astype(np.int64)
    home = unit[symbols.object[functions]]
    functions = functions[np.argsort(home, kind="stable")]
    first = offsets(np.bincount(home, minlength=len(defined)))
    auxs = auxs_by_kind(objects, symbols, functions, _FUNCTION_AUXS)
    return Units(defined, rows, first, functions, auxs)


def auxs_by_kind(
    objects: Objects, symbols: Symbols, ids: Ints, kinds: tuple[int, ...]
) -> dict[int, I32]:
    """For each kind of auxiliary symbol that of each symbol, int32[n], 0: none. Of several the
    oracle takes a function's last one, and a variable's first."""
    found = objects.auxs(symbols.object[ids], symbols.local[ids], kinds)
    owner = owners(found.counts)
    order = np.arange(len(owner))
    is_variable = ~is_text(symbols.kind[ids])[owner]
    order[is_variable] = order[is_variable][::-1]
    out = {}
    for kind in kinds:
        out[kind] = np.zeros(len(ids), np.int32)
        some = order[found.type[order] == kind]
        out[kind][owner[some]] = found.target[some]
    return out


class Mentions(NamedTuple):
    """What the entries of functions and constants mention, in order.

    ``types`` int64[…], type symbols, with repetitions; ``inlined`` int64[m], the entries of
    functions that were inlined, each once, and ``inlined_unit`` int64[m], the unit that mentions
    each first; ``constants`` int64[k], the entry with each unit's constants, 0: none; ``locs``
    int32[n], the location lists of each function, 0: none. ``relocs``: those of all entries
    visited, which are ``entries`` int64[…], in several lists.
    """

    types: I64
    inlined: I64
    inlined_unit: I64
    constants: I64
    locs: I32
    entries: I64
    relocs: tuple[RelocColumns, ...]


def read_mentions(packages: Packages, objects: Objects, symbols: Symbols, units: Units) -> Mentions:
    """Read the relocations of the entries of all functions."""
    constants = _constants(packages, symbols, units)
    info, owner = units.auxs[goobj.AUX_DWARF_INFO], units.owner
    described = np.flatnonzero(info)
    having = np.flatnonzero(constants)
    # Each unit's constants come before its functions.
    unit = np.concatenate((having, owner[described]))
    order = np.argsort(unit, kind="stable")
    visited = np.concatenate((constants[having], info[described]))[order]
    unit = unit[order]
    function = np.concatenate((np.full(len(having), -1), described))[order]
    relocs = objects.relocs(symbols.object[visited], symbols.local[visited])
    by, type_, to = owners(relocs.counts), relocs.type, relocs.target
    kind = symbols.kind[to]
    refers = type_ == R_DWARFSECREF
    to_inlined = np.flatnonzero(refers & (kind == int(SymKind.SDWARFABSFCN)) & (function[by] >= 0))
    new = first_seen(to[to_inlined], len(symbols))
    place = to_inlined[new]
    inlined = to[place].astype(np.int64)
    theirs = objects.relocs(symbols.object[inlined], symbols.local[inlined])

    typed = refers & ((kind == int(SymKind.SDWARFTYPE)) | (kind == int(SymKind.Sxxx)))
    own = np.flatnonzero(typed | (type_ == R_USETYPE))
    inner = np.flatnonzero(theirs.type == R_DWARFSECREF)
    at = np.concatenate((own, place[owners(theirs.counts)[inner]]))
    target = np.concatenate((to[own], theirs.target[inner]))
    is_entry = np.concatenate((typed[own], np.ones(len(inner), np.bool_)))
    order = np.argsort(at, kind="stable")
    target, is_entry = target[order], is_entry[order]
    types = np.where(is_entry, _type_of_entry(symbols, target[is_entry])[target], target)

    locs = np.zeros(len(units.functions), np.int32)
    lists = np.flatnonzero(refers & (kind == int(SymKind.SDWARFLOC)))[::-1]
    lists = lists[function[by[lists]] >= 0]
    locs[function[by[lists]]] = to[lists]  # backwards: the first one is written last
    return Mentions(
        types.astype(np.int64),
        inlined,
        unit[by[place]],
        constants,
        locs,
        np.concatenate((visited, inlined)),
        (relocs, theirs),
    )


def _constants(packages: Packages, symbols: Symbols, units: Units) -> I64:
    """A package's constants go into its first unit."""
    out = np.zeros(len(units.objects), np.int64)
    first = np.flatnonzero(np.diff(units.packages, prepend=-1))
    paths = [packages.items[package].path for package in units.packages[first].tolist()]
    names = [as_bytes(f"go:constinfo.{path}") for path in paths]
    out[first] = symbols.lookup_many(names, [0] * len(names))
    return out


def _type_of_entry(symbols: Symbols, entries: Ints) -> I64:
    """The type that each symbol ``go:info.T`` describes: int64[number of symbols], 0: none."""
    out = np.zeros(len(symbols), np.int64)
    every = distinct(entries)
    out[every] = renamed(symbols, every, INFO_PREFIX, TYPE_PREFIX)
    return out


def renamed(symbols: Symbols, ids: Ints, prefix: bytes, other: bytes) -> I32:
    """The symbols whose names begin with ``other`` where those of ``ids`` begin with ``prefix``,
    0 where there is none: int32[n]."""
    texts = symbols.names(ids, len(prefix))
    size = np.fromiter(map(len, texts), np.int32, len(texts)) + len(other)
    text = np.frombuffer(other + other.join(texts), np.uint8)
    at = np.cumsum(size, dtype=np.int64) - size
    return symbols.find(Names(text, at, size.astype(np.int32), np.zeros(len(texts), np.int32)))


class Variables(NamedTuple):
    """Entries of global variables: ``entries`` int64[m] and ``objects`` int64[m], the objects that
    define them; ``types`` int64[…], the types of variables, and those that dictionaries of
    generic functions mention, in order."""

    entries: I64
    objects: I64
    types: I64


def read_variables(objects: Objects, symbols: Symbols, relocs: Relocs) -> Variables:
    """All reachable global variables of Go."""
    kind = symbols.kind[: symbols.made]
    wanted = is_data(kind) | is_rodata(kind) | np.isin(kind, _VARIABLES)
    asked, live = int(Flag.REACHABLE | Flag.NOT_IN_SYMTAB), int(Flag.REACHABLE)
    wanted &= (symbols.flags[: symbols.made] & asked) == live
    wanted &= symbols.version[: symbols.made] < STATIC
    ids = np.flatnonzero(wanted)
    auxs = auxs_by_kind(objects, symbols, ids, (goobj.AUX_GOTYPE, goobj.AUX_DWARF_INFO))
    gotype, entry = auxs[goobj.AUX_GOTYPE], auxs[goobj.AUX_DWARF_INFO].astype(np.int64)
    variables = np.flatnonzero((gotype != 0) & (entry != 0))
    untyped = (gotype == 0) & (symbols.kind[ids] == SymKind.SRODATA)
    dictionaries = np.flatnonzero(untyped & symbols.has(ids, Flag.DICT))
    rows, counts = relocs.rows_of_many(ids[dictionaries])
    used = relocs.type[rows] == R_USEIFACE
    at = np.concatenate((variables, np.repeat(dictionaries, counts)[used]))
    types = np.concatenate((gotype[variables], relocs.target[rows[used]]))
    return Variables(
        entry[variables],
        symbols.object[ids[variables]].astype(np.int64),
        types[np.argsort(at, kind="stable")],
    )
