"""debuginfo: the section of debugging information entries, .debug_info, unit by unit.

Its parts are there already; here they get their order.

Source: cmd/link/internal/ld/dwarf.go (dwarfGenerateDebugSyms).
Reads `dwarf`, `debug_sections`; provides `debug_sections`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.ragged import expand
from linkpipe.debuginfo.sections import with_debug_section
from linkpipe.engine.pass_api import Link, linkpass


@linkpass(requires=("dwarf", "debug_sections"), provides=("debug_sections",))
def debuginfo(link: Link) -> Link:
    """Lay out the entries."""
    dwarf = link.dwarf
    rows = expand(dwarf.entries_first[dwarf.order], np.diff(dwarf.entries_first)[dwarf.order])
    sections = with_debug_section(link.debug_sections, dwarf, "info", dwarf.entries[rows])
    return link.evolve(debug_sections=sections)
