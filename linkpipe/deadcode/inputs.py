"""What dead code elimination starts from: the roots, and all that could take part.

Source: cmd/link/internal/ld/deadcode.go:36-131 (init).
"""

from __future__ import annotations

import numpy as np

from linkpipe.arch import Architecture
from linkpipe.arrays.types import I64
from linkpipe.flags.options import Options
from linkpipe.formats.importpath import path_to_prefix
from linkpipe.symkind import is_dwarf
from linkpipe.tables.mode import Mode
from linkpipe.tables.objects import Objects, RelocColumns
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.symbols import Flag, Symbols


def candidates(
    symbols: Symbols, objects: Objects, made: Relocs, *, debug: bool = False
) -> tuple[Relocs, I64]:
    """The relocations of every symbol that may take part, and the ids of those symbols in the
    order of its rows: int64[k].

    Symbols that the linker made or changed have theirs in ``made``, damaged ones have none. Debug
    information takes part with ``debug`` only.
    """
    own = np.zeros(len(symbols), np.bool_)
    own[np.flatnonzero(made.count)] = True
    own[list(symbols.contents)] = True
    wanted = (symbols.object != 0) & ~own
    if not debug:
        wanted &= ~is_dwarf(symbols.kind)
    ids, others = np.flatnonzero(wanted), np.flatnonzero(own)
    read = objects.relocs(symbols.object[ids], symbols.local[ids], needed=False)
    rows, counts = made.rows_of_many(others)
    pairs = [(getattr(read, name), getattr(made, name)[rows]) for name in RelocColumns._fields[1:]]
    columns = RelocColumns(*(np.concatenate(pair) for pair in [(read.counts, counts), *pairs]))
    ids = np.concatenate((ids, others))
    return Relocs.gather(len(symbols), ids, columns), ids


def find_roots(
    symbols: Symbols,
    objects: Objects,
    arch: Architecture,
    options: Options,
    mode: Mode,
    inittasks: int,
) -> list[tuple[int, str]]:
    """Where the analysis starts: symbols, each with the reason, in the order of the oracle.

    ``inittasks`` is the list of initialisers to run, 0 for none.
    """
    external = mode.external and options.buildmode == "exe"
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
            found = objects.relocs(symbols.object[id_], symbols.local[id_])
            roots += [(int(target), "plugin export") for target in found.target]
    for name, why in names:
        for version in sorted({0, arch.abi_internal}):
            roots.append((symbols.lookup(name, version), why))
    exported = Flag.CGO_EXPORT_STATIC if mode.external else Flag.CGO_EXPORT_DYNAMIC
    marked = np.flatnonzero(symbols.flags & (exported | Flag.WASM_EXPORT)).tolist()
    # An export has a name there, given in the order of the directives.
    named = {sym: i for i, sym in enumerate(symbols.extnames)}
    marked.sort(key=lambda sym: named.get(sym, len(named)))
    roots += [(sym, "exported to C") for sym in marked]
    roots.append((inittasks, "initialisers of packages"))
    return [(sym, why) for sym, why in roots if sym]
