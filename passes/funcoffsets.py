"""funcoffsets: tell the records of functions where their data is.

Data of functions lie among other read-only data (funcsymbols); their addresses are final now, and
each record says how far behind go:func.* they are.

Source: cmd/link/internal/ld/pcln.go (Go 1.25: writeFuncData).
Reads `symbols`, `pclntab`, `function_data`; provides `pclntab`.
"""

from __future__ import annotations

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.functab.place import with_funcdata
from linkpipe.values import evolve


@linkpass(requires=("symbols", "pclntab", "function_data"), provides=("pclntab",))
def funcoffsets(link: Link) -> Link:
    """Enter the offsets of data into the records of functions."""
    value, tables = link.symbols.value, link.pclntab
    offset = value - value[link.symbols.lookup("go:func.*")]
    functab = with_funcdata(tables.functab_data, link.function_data, offset, link.arch.endian)
    return link.evolve(pclntab=evolve(tables, functab_data=functab))
