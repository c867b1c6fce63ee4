"""relro: decide which read-only data the dynamic linker has to write to first.

Code that may be loaded anywhere holds addresses that are known only when it is loaded. Data
with such addresses cannot lie in a section that is mapped read-only: it goes into sections
named ``.data.rel.ro…``, which are writable at first and made read-only when the dynamic linker
is done. Type descriptors and function values always hold addresses and have sections of their
own; of the other read-only data, whatever has relocations is moved.

A program at a fixed address needs none of that: its addresses are known now.

`section_groups` has the moved symbols in it.
Source: cmd/link/internal/ld/target.go (UseRelro), data.go:1571-1620, 2170-2200.
Reads `symbols`, `relocs`, `mode`, `section_groups`; provides `relro`, `section_groups`.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from linkpipe.arrays.columns import frozen
from linkpipe.arrays.ragged import owners
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.layout.assign import layout_kinds
from linkpipe.reloctype import R_HOST
from linkpipe.symkind import SymKind
from linkpipe.tables.relro import Relro


@linkpass(
    requires=("symbols", "relocs", "mode", "section_groups"),
    provides=("relro", "section_groups"),
)
def relro(link: Link) -> Link:
    """Decide on relro, and part read-only data with relocations from that without."""
    buildmode, external = link.options.buildmode, link.mode.external
    active = link.options.relocatable
    kinds = layout_kinds(link.symbols, link.section_groups)
    groups = np.zeros(len(kinds), np.uint8)
    groups[: len(link.section_groups)] = link.section_groups
    moved = np.zeros(0, np.int64)
    if active:
        read_only = np.flatnonzero(kinds == SymKind.SRODATA)
        rows, counts = link.relocs.rows_of_many(read_only)
        real = owners(counts)[link.relocs.type[rows] != R_HOST]
        moved = read_only[np.bincount(real, minlength=len(read_only)) > 0]
        groups[moved] = kinds[moved] = SymKind.SRODATARELRO
        for kind, relro_kind in link.release.relro_moves.items():
            ids = np.flatnonzero(kinds == kind)
            groups[ids] = kinds[ids] = relro_kind

    def count(*some: SymKind) -> int:
        return sum(int(np.count_nonzero(kinds == int(kind))) for kind in some)

    decision = Relro(
        active=active,
        reason=(
            f"buildmode {buildmode}: addresses are final only when the module is loaded"
            if active
            else f"buildmode {buildmode}: addresses are final now"
        ),
        # A host linker makes a segment of its own of these sections; given one ready-made, it
        # may move data away from where the module data says it is.
        segment="text" if external else "relro" if active else "rodata",
        prefix=".data.rel.ro" if active else "",
        rwx=0o6 if active else 0o4,
        groups=MappingProxyType(
            {
                "": count(SymKind.SRODATARELRO),
                ".go.type": count(SymKind.STYPE, SymKind.STYPERELRO),
                ".go.func": count(SymKind.SGOFUNC, SymKind.SGOFUNCRELRO),
            }
        ),
        moved=moved.astype(np.int32),
    )
    return link.evolve(relro=decision, section_groups=frozen(groups))
