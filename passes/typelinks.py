"""typelinks: tables of the types that reflection looks up, and of the interface tables.

`runtime.typelink` has a 4-byte offset for each type that reflection can be asked for by its
string, sorted by it; `runtime.itablink` has the address of each interface table, in the order of
symbol ids.
Source: cmd/link/internal/ld/typelink.go, data.go (Go 1.26).
Reads `symbols`, `relocs`, `objects`; provides `symbols`, `relocs`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.gotypes.order import by_string
from linkpipe.reloctype import R_ADDR, R_ADDROFF
from linkpipe.symkind import SymKind
from linkpipe.tables.relocs import single_relocs
from linkpipe.tables.symbols import Flag


@linkpass(requires=("symbols", "relocs", "objects"), provides=("symbols", "relocs"))
def typelinks(link: Link) -> Link:
    """List typelinks and interface tables."""
    ids = np.flatnonzero((link.symbols.flags & Flag.REACHABLE) != 0)
    flags = link.symbols.flags[ids]
    is_link = (flags & Flag.TYPELINK) != 0
    types = by_string(link.symbols, link.objects, link.relocs, link.arch, ids[is_link])
    itabs = ids[((flags & Flag.ITAB) != 0) & ~is_link]
    symbols, ptrsize = link.symbols.edit(), link.arch.ptrsize
    tables, relocs = [], []
    for name, kind, targets, size, reloc in (
        ("runtime.typelink", SymKind.STYPELINK, types, 4, R_ADDROFF),
        ("runtime.itablink", SymKind.SITABLINK, itabs, ptrsize, R_ADDR),
    ):
        sym = symbols.own(name)
        symbols.set_content(sym, bytes(size * len(targets)))
        symbols.set(sym, kind=kind)
        symbols.add_flags(sym, Flag.REACHABLE | Flag.LOCAL)
        tables.append(sym)
        own = single_relocs(size * np.arange(len(targets)), size, reloc, targets)
        relocs.append(own._replace(counts=np.array([len(targets)])))
    return link.evolve(
        symbols=symbols.freeze(), relocs=link.relocs.extended(np.array(tables), *relocs)
    )
