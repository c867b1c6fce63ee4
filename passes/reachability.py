"""reachability: find out what the program needs, and drop the rest.

From the roots (the entry point, exports, the list of init tasks, a plugin's tables) the
analysis follows relocations and auxiliary symbols. Taken plainly that would keep every
method of every type, because a type descriptor refers to all its methods. So methods are
kept one by one, and only when somebody could call them:

- A method can be called directly; then it is the target of an ordinary relocation.
- Through an interface: the compiler leaves a note (R_USEIFACEMETHOD) at each interface
  call, and a note (R_USEIFACE, or a flag) for each type that is put in an interface. A
  method is kept when its type is in an interface and an interface method of that name and
  type is called. Types made of such a type (its element, its fields …) can get into an
  interface too, by reflection.
- By reflection: a function that looks methods up by a name that is not known now is
  flagged, and once it is reachable, every exported method of every type in an interface
  is. When the name is a constant the compiler leaves a note (R_USENAMEDMETHOD).

When other modules may be loaded beside this one (plugins) types and methods may be used
from there: every reachable type counts as being in an interface, and all their methods stay.

All rules only add, so the result does not depend on the order in which they are applied.
That allows a columnar design. The relocations of everything that could take part are read
at once: that is cheaper, per relocation, than finding out first which are needed. A flood
over these columns, wave by wave, applies the plain rule, which does almost all the work;
then each special rule runs over the few rows it is about; what they add is flooded again,
until nothing is added.

Reads `objects`, `mode`, `inittasks`, and from `relocs` those of symbols that the linker
made. Provides `symbols` (flags REACHABLE, USED_IN_IFACE), `relocs` (of what is reachable,
in the order of ids) and `graph`, which explains the result.
Source: cmd/link/internal/ld/deadcode.go.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from linkpipe.edges import MARKERS, followed, followed_auxs
from linkpipe.errors import InputError
from linkpipe.graph import Graph
from linkpipe.loading import path_to_prefix
from linkpipe.methods import MethodReader, Methods
from linkpipe.pass_api import Link, linkpass
from linkpipe.reloctype import R_USEIFACE, R_USEIFACEMETHOD, R_USENAMEDMETHOD
from linkpipe.symkind import is_dwarf
from linkpipe.tables.objects import RelocColumns
from linkpipe.tables.ragged import expand, frozen
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.symbols import Flag
from linkpipe.typedata import TypeData

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

_NOOP = "runtime.mapinitnoop"


@linkpass(
    requires=("symbols", "objects", "relocs", "mode", "inittasks"),
    provides=("symbols", "relocs", "graph"),
)
def reachability(link: Link) -> Link:
    """Mark what the program needs, and read its relocations."""
    table, known = _read(link)
    flood = _Flood(link, table, known)
    roots = _roots(link)
    # What earlier passes marked stays, and is not looked into.
    roots += [(sym, "made by the linker") for sym in link.symbols.reachable().tolist()]
    flood.run(np.array([sym for sym, _ in roots], np.int64))
    dropped = _drop_map_inits(link, flood) if link.options.pruneweakmap else (known[:0], known[:0])
    flood.reached[0] = flood.used[0] = False
    kept = np.flatnonzero(flood.reached & (table.count > 0))
    return _result(link, flood, roots, kept, *dropped)


def _read(link: Link) -> tuple[Relocs, I64]:
    """The relocations of every symbol that may take part, and those symbols, ascending."""
    symbols, made = link.symbols, link.relocs
    own = np.zeros(len(symbols), np.bool_)
    own[np.flatnonzero(made.count)] = True
    own[list(symbols.contents)] = True
    wanted = (symbols.object != 0) & ~own
    if link.options.w:
        wanted &= ~is_dwarf(symbols.kind)
    ids, others = np.flatnonzero(wanted), np.flatnonzero(own)
    read = link.objects.relocs(symbols.object[ids], symbols.local[ids])
    rows, counts = made.rows_of_many(others)
    pairs = [(getattr(read, name), getattr(made, name)[rows]) for name in RelocColumns._fields[1:]]
    columns = RelocColumns(*(np.concatenate(pair) for pair in [(read.counts, counts), *pairs]))
    ids = np.concatenate((ids, others))
    return Relocs.gather(len(symbols), ids, columns), ids


def _roots(link: Link) -> list[tuple[int, str]]:
    """Where the analysis starts: symbols, each with the reason."""
    symbols, options = link.symbols, link.options
    external = link.mode.external and options.buildmode == "exe"
    names = [("main" if external else options.E, "entry point")]
    names.append(("runtime.unreachableMethod", "stands in for dropped methods"))
    roots = []
    if options.buildmode == "plugin":
        path = path_to_prefix(options.pluginpath)
        names.append((f"{path}..inittask", "plugin"))
        names.append((f"{path}.main", "plugin"))
        names.append(("go:plugin.tabs", "plugin"))
        exports = symbols.lookup("go:plugin.exports")
        if exports:
            # The symbol itself is not kept: the table of exports is made anew.
            id_ = np.array([exports])
            found = link.objects.relocs(symbols.object[id_], symbols.local[id_])
            roots += [(int(target), "plugin export") for target in found.target]
    for name, why in names:
        for version in sorted({0, link.arch.abi_internal}):
            roots.append((symbols.lookup(name, version), why))
    exported = Flag.CGO_EXPORT_STATIC if link.mode.external else Flag.CGO_EXPORT_DYNAMIC
    marked = np.flatnonzero(symbols.flags & (exported | Flag.WASM_EXPORT))
    roots += [(int(sym), "exported to C") for sym in marked]
    roots.append((link.inittasks[0], "initialisers of packages"))
    return [(sym, why) for sym, why in roots if sym]


class _Flood:
    """The state of the analysis.

    Attributes:
        reached: bool[n], what is needed so far (entry 0 is set: "no symbol" is never new).
        used: bool[n], types that can be in an interface.
    """

    def __init__(self, link: Link, table: Relocs, known: I64) -> None:
        symbols = link.symbols
        self.link, self.table = link, table
        self.reached = (symbols.flags & Flag.REACHABLE) != 0
        self.reached[0] = True
        self.used = (symbols.flags & Flag.USED_IN_IFACE) != 0
        self.gotype = (symbols.flags & Flag.GO_TYPE) != 0
        self._kept: list[I64] = []
        self._slot = np.zeros(len(symbols), np.int64)
        weak_calls = link.mode.can_use_plugins
        follow = followed(table.type, table.weak, link.arch.calls, weak_calls)
        self._follow = np.where(follow, table.target, 0)

        owner = np.repeat(known.astype(np.int32), table.count[known])
        types = TypeData(symbols, link.objects, link.arch.ptrsize, link.arch.byteorder)
        self._reader = MethodReader(types, table, owner)
        self._types = types
        self._new_methods = np.arange(len(self._reader.row))
        self._methods: Methods | None = None
        self._signatures: Any = np.zeros(0, np.uint64)
        self._names: Any = np.zeros(0, np.uint64)
        self._reflecting = np.flatnonzero(symbols.flags & Flag.REFLECT_METHOD)
        self._reflection = link.mode.dynlink

        notes = np.flatnonzero(np.isin(table.type, MARKERS) & ~table.weak)
        self._notes, self._note_owner = notes, owner[notes]
        rows = np.flatnonzero(self.gotype[owner] & self.gotype[self._follow])
        # A method's type is a part of its receiver's, though the plain rule does not keep it.
        self._part_of = np.concatenate((owner[rows], self._reader.owner))
        self._part = np.concatenate((self._follow[rows], table.target[self._reader.row]))
        self._aux_of, self._aux = self._read_auxs(known)

    def _read_auxs(self, known: I64) -> tuple[I32, I32]:
        symbols = self.link.symbols
        # Symbols that the linker has given new content have lost their auxiliary ones.
        ids = known[symbols.object[known] != 0]
        ids = ids[~np.isin(ids, list(symbols.contents))] if symbols.contents else ids
        kinds = followed_auxs(dwarf=not self.link.options.w)
        auxs = self.link.objects.auxs(symbols.object[ids], symbols.local[ids], kinds)
        some = np.flatnonzero(auxs.target)
        return np.repeat(ids.astype(np.int32), auxs.counts)[some], auxs.target[some]

    def run(self, roots: I64) -> None:
        """Apply all rules until nothing is added."""
        wave = self._mark(roots)
        while len(wave):
            self._flood(wave)
            self._read_notes()
            self._spread_used()
            self._collect_methods()
            wave = self._mark(np.concatenate((self._reached_auxs(), self._called_methods())))

    def _mark(self, ids: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Mark symbols; return those that were not marked, each once.

        ``sorted(set(ids) - reached)``, in some order
        """
        ids = ids[~self.reached[ids]]
        self.reached[ids] = True
        # Of several equal ids the last one's place stays in the slot.
        places = np.arange(len(ids))
        self._slot[ids] = places
        last: Bools = self._slot[ids] == places
        return ids[last]

    def _flood(self, wave: npt.NDArray[Any]) -> None:
        """The plain rule: what a reachable symbol refers to is reachable."""
        first, count, follow = self.table.first, self.table.count, self._follow
        while len(wave):
            wave = self._mark(follow[expand(first[wave], count[wave])])

    def _read_notes(self) -> None:
        """Carry out the compiler's notes to the analysis in what was reached."""
        hit = self.reached[self._note_owner]
        rows = self._notes[hit]
        self._notes, self._note_owner = self._notes[~hit], self._note_owner[~hit]
        kind, target = self.table.type[rows], self.table.target[rows]
        symbols = self.link.symbols

        put = target[kind == R_USEIFACE]
        itab = symbols.has(put, Flag.ITAB)
        word = np.full(int(itab.sum()), self._types.layout.itab_type, np.int64)
        put[itab] = self._reader.targets(put[itab], word)
        wrong = np.flatnonzero(~self.gotype[put])
        if len(wrong):
            raise InputError(
                f"R_USEIFACE references {symbols.name(int(put[wrong[0]]))} "
                "which is not a type or itab",
                remedy="rebuild the package with the Go version that links it",
            )
        self.used[put] = True

        calls = kind == R_USEIFACEMETHOD
        # Interface type and offset in it, as one number, since the same ones are called often.
        add = self.table.add[rows[calls]] & 0xFFFFFFFF
        pairs = np.unique((target[calls].astype(np.int64) << 32) | add)
        iface, offset = (pairs >> 32).astype(np.int32), pairs & 0xFFFFFFFF
        called = self._reader.interface_methods(iface, offset)
        self._signatures = np.union1d(self._signatures, called)

        named = np.unique(target[kind == R_USENAMEDMETHOD])
        at, size = symbols.data_at[named], symbols.data_size[named]
        self._names = np.union1d(self._names, self._reader.hashes(at, size))

    def _spread_used(self) -> None:
        """Parts of a reachable type that can be in an interface can be too."""
        if self.link.mode.dynlink:
            self.used |= self.gotype & self.reached
        while True:
            hit = self.reached[self._part_of] & self.used[self._part_of]
            if not hit.any():
                return
            self.used[self._part[hit]] = True
            self._part_of, self._part = self._part_of[~hit], self._part[~hit]

    def _collect_methods(self) -> None:
        """Add the methods of types that can be in an interface since last time."""
        owner = self._reader.owner[self._new_methods]
        hit = self.reached[owner] & self.used[owner]
        chosen, self._new_methods = self._new_methods[hit], self._new_methods[~hit]
        found = self._reader.read(chosen)
        if self._methods is None:
            self._methods = found
        elif len(chosen):
            self._methods = self._methods.joined(found)

    def _called_methods(self) -> I32:
        """Methods that can be called: what their relocations refer to."""
        methods = self._methods
        if methods is None:
            return np.zeros(0, np.int32)
        if not self._reflection:
            self._reflection = bool(self.reached[self._reflecting].any())
        called = np.isin(methods.signature, self._signatures) | np.isin(methods.name, self._names)
        if self._reflection:
            called |= methods.exported | self.link.mode.dynlink
        rows = methods.row[called]
        self._methods = methods.take(~called)
        self._kept.append(rows)
        return self.table.target[expand(rows, np.full(len(rows), 3))]

    def kept_rows(self) -> I64:
        """The first of the three relocations of each method that is kept."""
        return np.concatenate(self._kept) if self._kept else np.zeros(0, np.int64)

    def _reached_auxs(self) -> I32:
        hit = self.reached[self._aux_of]
        found = self._aux[hit]
        self._aux_of, self._aux = self._aux_of[~hit], self._aux[~hit]
        return found


def _drop_map_inits(link: Link, flood: _Flood) -> tuple[I64, I64]:
    """Rows of the table that call the initialiser of a map variable that nothing needs, and the
    functions that they belong to.

    A package's initialiser calls those of large map variables by weak relocations; the ones
    that were not reached will call a function that does nothing, which becomes reachable.
    """
    symbols, table = link.symbols, flood.table
    noop = symbols.lookup(_NOOP, link.arch.abi_internal)
    if not noop:
        raise InputError(
            f"could not look up {_NOOP}", remedy="the runtime is of another Go version"
        )
    inits = np.flatnonzero(flood.reached & ((symbols.flags & Flag.PKG_INIT) != 0))
    rows, counts = table.rows_of_many(inits)
    dead = table.weak[rows] & np.isin(table.type[rows], list(link.arch.calls))
    dead &= ~flood.reached[table.target[rows]]
    owners, rows = np.unique(np.repeat(inits, counts)[dead]), rows[dead]
    for target in np.unique(table.target[rows]).tolist():
        if b"map.init" not in symbols.name_bytes(target):
            raise InputError(
                f"expected map.init sym for weak call reloc, got {symbols.name(target)}",
                remedy="rebuild the package with the Go version that links it",
            )
    if len(rows):
        flood.reached[noop] = True
    return rows, owners


def _result(
    link: Link,
    flood: _Flood,
    roots: list[tuple[int, str]],
    kept: I64,
    retargeted: I64,
    changed: I64,
) -> Link:
    """The tables of what is reachable."""
    symbols, table = link.symbols, flood.table
    rows, counts = table.rows_of_many(kept)
    target = table.target
    if len(retargeted):
        target = target.copy()
        target[retargeted] = symbols.lookup(_NOOP, link.arch.abi_internal)
    columns = (getattr(table, name)[rows] for name in RelocColumns._fields[1:-1])
    found = RelocColumns._make((counts, *columns, target[rows]))
    relocs = Relocs.gather(len(symbols), kept, found)
    edit = symbols.edit()
    edit.add_flags(np.flatnonzero(flood.reached), Flag.REACHABLE)
    edit.add_flags(np.flatnonzero(flood.used), Flag.USED_IN_IFACE)
    edit.add_flags(changed, Flag.REPLACED)
    symbols = edit.freeze()
    special = np.zeros(len(table), np.bool_)
    special[retargeted] = True
    special[expand(methods := flood.kept_rows(), np.full(len(methods), 3))] = True
    graph = Graph(
        symbols=symbols,
        objects=link.objects,
        relocs=relocs,
        arch=link.arch,
        roots=tuple(roots),
        special=frozen(special[rows]),
        weak_calls=link.mode.can_use_plugins,
        dwarf=not link.options.w,
    )
    return link.evolve(symbols=symbols, relocs=relocs, graph=graph)
