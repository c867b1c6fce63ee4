"""addexport: leave to the host linker what code refers to and nobody here defines.

A function in C is an undefined symbol of the object that the host linker gets. Which ones they
are is known when all code of the link is: every target of its relocations that has no
definition. In a link that linkpipe finishes itself such a target is an error, found when
relocations are applied.

A module that programs load may refer to the program's main package; that is an import too, whatever
refers to it.

Source: cmd/link/internal/ld/go.go:409-434 (addexport), data.go:227-240 (relocsym).
Reads `symbols`, `relocs`, `text_order`; provides `symbols`.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag

_LEFT = {"plugin": ("main.main",), "shared": ("main.main", "main..inittask")}
"""What modules refer to and the program defines, by build mode."""


@linkpass(requires=("symbols", "relocs", "text_order"), provides=("symbols",))
def addexport(link: Link) -> Link:
    """Mark functions that the host linker has to find."""
    symbols = link.symbols
    text = link.text_order[~symbols.has(link.text_order, Flag.SPECIAL)]
    rows, _ = link.relocs.rows_of_many(text)
    wanted = np.zeros(len(symbols), np.bool_)
    wanted[link.relocs.target[rows]] = True
    wanted[0] = False
    wanted &= (symbols.kind == SymKind.Sxxx) & ((symbols.flags & Flag.LOCAL) == 0)
    edit = symbols.edit()
    edit.set(np.flatnonzero(wanted), kind=SymKind.SUNDEFEXT)
    for name, version in product(
        _LEFT.get(link.options.buildmode, ()), {0, link.arch.abi_internal}
    ):
        sym = symbols.lookup(name, version)
        used = (link.relocs.size[link.relocs.target == sym] != 0).any()
        if sym and used and edit.kind[sym] == SymKind.Sxxx:
            edit.set(sym, kind=SymKind.SDYNIMPORT)
    return link.evolve(symbols=edit.freeze())
