"""debugloc: where variables are at which time, .debug_loc of DWARF 4.

The lists are the compiler's, one symbol for each function that has any. There is no section when
there is no list.

Source: cmd/link/internal/ld/dwarf.go (collectUnitLocs, dwarfGenerateDebugSyms).
Reads `dwarf`, `debug_sections`; provides `debug_sections`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.debuginfo.sections import by_unit, with_debug_section
from linkpipe.engine.pass_api import Link, linkpass


@linkpass(requires=("dwarf", "debug_sections"), provides=("debug_sections",))
def debugloc(link: Link) -> Link:
    """Lay out location lists."""
    lists = by_unit(link.dwarf, np.zeros(len(link.dwarf), np.int64), link.dwarf.locs)
    if not len(lists):
        return link
    sections = with_debug_section(link.debug_sections, link.dwarf, "loc", lists)
    return link.evolve(debug_sections=sections)
