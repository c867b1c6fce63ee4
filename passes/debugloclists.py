"""debugloclists: where variables are at which time, .debug_loclists of DWARF 5.

The lists are the compiler's, one symbol for each function that has any; the linker adds a header.

Source: cmd/link/internal/ld/dwarf.go (collectUnitLocs, writeDebugLocListsHdr).
Reads `dwarf`, `symbols`, `debug_sections`; provides `symbols`, `debug_sections`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.debuginfo.sections import by_unit, list_header, with_debug_section
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.symkind import SymKind


@linkpass(requires=("dwarf", "symbols", "debug_sections"), provides=("symbols", "debug_sections"))
def debugloclists(link: Link) -> Link:
    """Lay out location lists."""
    edit = link.symbols.edit()
    lists = by_unit(link.dwarf, np.zeros(len(link.dwarf), np.int64), link.dwarf.locs)
    header = list_header(edit, SymKind.SDWARFLOC, link.arch, lists, offsets=True)
    sections = with_debug_section(
        link.debug_sections, link.dwarf, "loclists", np.append(header, lists)
    )
    return link.evolve(symbols=edit.freeze(), debug_sections=sections)
