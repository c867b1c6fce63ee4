"""labels: name the places that relocations of an object refer to.

Where an instruction takes the lower half of an address that another one began, its ELF relocation
names the place of that other one, not the target (`ElfType.label`), so the object needs a symbol
there. Each relocation that becomes such a pair gets a label of its own; at a function's start the
function is one. Labels are all of one name, the one by which binutils knows them, and nothing
else sees them: they come when every relocation is there and only stand in the symbol table.

`labels` is int32[n], by address. Architectures whose relocations need none have none.
Source: cmd/link/internal/ARCH/asm.go (genSymsLate, findHI20Symbol).
Reads `symbols`, `relocs`, `text_order`; provides `symbols`, `labels`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.columns import frozen
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.relockind import RelocKind
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag

NAME = ".L0 "


@linkpass(requires=("symbols", "relocs", "text_order"), provides=("symbols", "labels"))
def labels(link: Link) -> Link:
    """Make a symbol for each place that needs one."""
    symbols, relocs = link.symbols, link.relocs
    wanted = [number for number, kind in link.arch.relocs.items() if _refers_to_a_place(kind)]
    rows, counts = relocs.rows_of_many(link.text_order)
    owner = np.repeat(link.text_order, counts)
    needs = np.isin(relocs.type[rows], wanted) & (relocs.offset[rows] != 0)
    rows, owner = rows[needs], owner[needs]
    address = symbols.value[owner] + relocs.offset[rows]
    edit = symbols.edit()
    made = edit.create_many(
        len(rows),
        NAME,
        kind=SymKind.STEXT,
        value=address,
        section=symbols.section[owner],
        flags=Flag.REACHABLE | Flag.SPECIAL | Flag.LOCAL | Flag.HIDDEN,
    )
    order = made[np.argsort(address, kind="stable")].astype(np.int32)
    return link.evolve(symbols=edit.freeze(), labels=frozen(order))


def _refers_to_a_place(kind: RelocKind) -> bool:
    rule = kind.elf
    return rule is not None and any(part.label for parts in rule.types.values() for part in parts)
