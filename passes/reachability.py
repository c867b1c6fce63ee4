"""reachability: find out what the program needs, and drop the rest.

From the roots (the entry point, exports, the list of init tasks, a plugin's tables, and the
`extra_roots` that an earlier pass may set) the analysis follows relocations and auxiliary symbols.
Taken plainly that would keep every method of every type, because a type descriptor refers to all
its methods. So methods are kept one by one, and only when somebody could call them:

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

A shared library keeps all that it has. Where a link uses some (-linkshared) nobody knows which
methods they call, so all that interface tables refer to stays.

All rules only add, so the result does not depend on the order in which they are applied.
That allows a columnar design. A flood over the records of the objects, where they lie, applies the
plain rule, which does almost all the work; then each special rule runs over the few relocations
it is about; what they add is flooded again, until nothing is added. Then the relocations of what
was reached are read at once.

Of `relocs` those of symbols that the linker made are read; those of all that is reachable are left.
Symbols get the flags REACHABLE and USED_IN_IFACE, and `graph` explains the result.
Source: cmd/link/internal/ld/deadcode.go.
Reads `symbols`, `objects`, `relocs`, `mode`, `inittasks`, `extra_roots` if it is there; provides
`symbols`, `relocs`, `graph`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.ragged import distinct, expand
from linkpipe.arrays.types import I64, Bool
from linkpipe.deadcode.flood import Flood
from linkpipe.deadcode.inputs import Inputs, find_roots, own_inputs
from linkpipe.deadcode.ofobjects import FloodOfObjects
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError
from linkpipe.graphs.graph import Graph
from linkpipe.symkind import is_dwarf
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.symbols import Flag


@linkpass(
    requires=("symbols", "objects", "relocs", "mode", "inittasks"),
    optional=("extra_roots",),
    provides=("symbols", "relocs", "graph"),
)
def reachability(link: Link) -> Link:
    """Mark what the program needs, and read its relocations."""
    roots = find_roots(link)
    # What earlier passes marked stays, and is not looked into.
    roots += [(sym, "made by the linker") for sym in link.symbols.reachable().tolist()]
    inputs = own_inputs(link)
    flood = FloodOfObjects(inputs)
    flood.run(np.array([sym for sym, _ in roots], np.int64))
    flood.reached[0] = flood.used[0] = False
    reached = np.flatnonzero(flood.reached)
    link.objects.refuse(link.symbols.object[reached], link.symbols.local[reached])
    _refuse_debug(link, reached)
    relocs = _read(link, inputs, flood.reached)
    none = np.zeros(0, np.int64)
    dropped = none, none
    if link.options.pruneweakmap:
        dropped = _drop_map_inits(link, flood.reached, relocs)
    noop = np.array([_noop(link)])
    if len(dropped[0]) and not flood.reached[noop].all():
        flood.reached[noop] = True
        of = link.symbols.object[noop], link.symbols.local[noop]
        relocs = relocs.extended(noop, link.objects.relocs(*of))
    link.objects.arena.let_go()  # few of the pages that tell of symbols are asked for again
    return _result(link, flood, roots, relocs, *dropped)


def _read(link: Link, inputs: Inputs, reached: Bool) -> Relocs:
    """The relocations of what is reachable."""
    symbols, own = link.symbols, inputs.relocs
    from_objects = reached & (symbols.object != 0)
    from_objects[inputs.known] = False
    ids, kept = np.flatnonzero(from_objects), inputs.known[reached[inputs.known]]
    of = symbols.object[ids], symbols.local[ids]
    columns = link.objects.relocs(*of, own.columns_of(kept))
    return Relocs.gather(len(symbols), np.concatenate((ids, kept)), columns)


def _refuse_debug(link: Link, reached: I64) -> None:
    """Debug information is gathered later, for what was kept. The program itself must not refer to
    it: it has no address there."""
    debug = reached[is_dwarf(link.symbols.kind[reached])]
    if len(debug):
        sym = int(debug[0])
        raise InputError(
            "corrupt object file: code or data refers to debug information",
            symbol=link.symbols.name(sym) or f"sym {sym}",
            file=link.objects.names[int(link.symbols.object[sym])],
            remedy="rebuild the package; the file is damaged",
        )


def _noop(link: Link) -> int:
    """The function that does nothing, 0 if there is none."""
    return link.symbols.lookup("runtime.mapinitnoop", link.arch.abi_internal)


def _drop_map_inits(link: Link, reached: Bool, relocs: Relocs) -> tuple[I64, I64]:
    """Rows of the table that call the initialiser of a map variable that nothing needs, and the
    functions that they belong to.

    A package's initialiser calls those of large map variables by weak relocations; the ones
    that were not reached will call a function that does nothing, which becomes reachable.
    """
    symbols = link.symbols
    if not _noop(link):
        raise InputError(
            "could not look up runtime.mapinitnoop", remedy="the runtime is of another Go version"
        )
    inits = np.flatnonzero(reached & symbols.marked(Flag.PKG_INIT))
    rows, counts = relocs.rows_of_many(inits)
    dead = relocs.weak[rows] & np.isin(relocs.type[rows], list(link.arch.calls))
    dead &= ~reached[relocs.target[rows]]
    owners, rows = distinct(np.repeat(inits, counts)[dead]), rows[dead]
    for target in distinct(relocs.target[rows]).tolist():
        if b"map.init" not in symbols.name_bytes(target):
            raise InputError(
                f"expected map.init sym for weak call reloc, got {symbols.name(target)}",
                symbol=symbols.name(target),
                remedy="rebuild the package with the Go version that links it",
            )
    return rows, owners


def _result(
    link: Link,
    flood: Flood,
    roots: list[tuple[int, str]],
    relocs: Relocs,
    retargeted: I64,
    changed: I64,
) -> Link:
    """The tables of what is reachable."""
    symbols = link.symbols
    if len(retargeted):
        calls = relocs.edit()
        calls.set(retargeted, target=_noop(link))
        relocs = calls.freeze()
    special = np.zeros(len(relocs), np.bool_)
    special[retargeted] = True
    owner, nth = flood.kept()
    methods = relocs.spans_of(owner)[0] + nth
    special[expand(methods, np.full(len(methods), 3))] = True
    edit = symbols.edit()
    edit.add_flags(np.flatnonzero(flood.reached), Flag.REACHABLE)
    edit.add_flags(np.flatnonzero(flood.used), Flag.USED_IN_IFACE)
    edit.add_flags(changed, Flag.REPLACED)
    symbols = edit.freeze()
    graph = Graph(
        symbols=symbols,
        objects=link.objects,
        relocs=relocs,
        arch=link.arch,
        roots=tuple(roots),
        special=special,
        given=link.symbols,
        weak_calls=link.mode.can_use_plugins,
        imports=link.mode.imports,
    )
    return link.evolve(symbols=symbols, relocs=relocs, graph=graph)
