"""typeorder: the order of type descriptors, and where its stretches end.

Type descriptors are laid out in an order of their own (linkpipe.gotypes.order): those that
reflection looks up, other types, interface tables. The runtime walks the first and the last as
arrays; where each of the three stretches ends goes into the module data.

`type_order` is int32[types and interface tables], symbol ids.
Source: cmd/link/internal/ld/data.go:2445-2595.
Reads `symbols`, `objects`, `relocs`, `section_groups`, `moduledata`, `moduledata_fields`; provides
`symbols`, `type_order`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from linkpipe.arrays.align import round_up
from linkpipe.arrays.columns import frozen
from linkpipe.arrays.ragged import sorting
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.gotypes.order import order_types
from linkpipe.layout.assign import alignments, check_alignments, layout_kinds, place
from linkpipe.symkind import SymKind


@linkpass(
    requires=("symbols", "objects", "relocs", "section_groups", "moduledata", "moduledata_fields"),
    provides=("symbols", "type_order"),
)
def typeorder(link: Link) -> Link:
    """Sort type descriptors, and tell the runtime where which of them end."""
    symbols, ptrsize = link.symbols, link.arch.ptrsize
    ids = np.flatnonzero(layout_kinds(symbols, link.section_groups) == SymKind.STYPE)
    check_alignments(symbols, ids)
    ids = ids[sorting(symbols.size[ids])]
    types = order_types(symbols, link.objects, link.relocs, link.arch, ids)
    ids = ids[types.order]
    size = symbols.size[ids]
    align = alignments(symbols.align[ids], size, link.arch)
    _, links_end = place(ptrsize, size[: types.links], align[: types.links])
    middle = slice(types.links, types.types)
    _, types_end = place(links_end, size[middle], align[middle])
    if types.types < len(size):
        types_end = round_up(types_end, int(align[types.types]))
    _, itabs_size = place(0, size[types.types :], align[types.types :])
    values: Mapping[str, int] = {
        "typedesclen": links_end,
        "itaboffset": types_end,
        "itabsize": itabs_size,
    }
    edit = symbols.edit()
    content = bytearray(edit.data(link.moduledata))
    for name, value in values.items():
        at = link.moduledata_fields[name]
        content[at : at + ptrsize] = value.to_bytes(ptrsize, link.arch.byteorder)
    edit.set_content(link.moduledata, bytes(content), grow=False)
    return link.evolve(symbols=edit.freeze(), type_order=frozen(ids.astype(np.int32)))
