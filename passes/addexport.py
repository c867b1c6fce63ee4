"""addexport: leave to the host linker what code refers to and nobody here defines.

A function in C is an undefined symbol of the object that the host linker gets. Which ones they
are is known when all code of the link is: every target of its relocations that has no
definition. In a link that linkpipe finishes itself such a target is an error, found when
relocations are applied.

Source: cmd/link/internal/ld/go.go:409-434 (addexport).
Reads `symbols`, `relocs`, `text_order`; provides `symbols`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag


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
    return link.evolve(symbols=edit.freeze())
