"""funcblock: lay out data of functions in one block among the function tables.

The records of functions in runtime.functab point to data that the compiler made, and to trees of
inlined calls; `function_data` says which. Here each of these gets its place in go:func.*, widest
alignment first, and the records say where. Their references to other sections (a stack object's
pointer mask is named by its offset from the start of read-only data) are left to funcbytes.

Releases that leave the data among read-only data have the pass funcsymbols instead.

Source: cmd/link/internal/ld/pcln.go (generateFuncdata).
Reads `symbols`, `pclntab`, `function_data`; provides `symbols`, `pclntab`, `funcdata`.
"""

from __future__ import annotations

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.functab.funcdata import lay_out_funcdata
from linkpipe.functab.place import function_table, with_funcdata
from linkpipe.tables.symbols import Flag
from linkpipe.values import evolve


@linkpass(
    requires=("symbols", "pclntab", "function_data"), provides=("symbols", "pclntab", "funcdata")
)
def funcblock(link: Link) -> Link:
    """Place data of functions in go:func.*."""
    edit, arch, tables = link.symbols.edit(), link.arch, link.pclntab
    data = lay_out_funcdata(link.symbols, edit, arch, link.function_data)
    block = function_table(
        link.release, arch, edit, tables.carrier, "go:func.*", len(data.content), data.align
    )
    # Funcdata was once visible by this symbol, and tools still look for it.
    edit.clear_flags(block, Flag.NOT_IN_SYMTAB)
    functab = with_funcdata(tables.functab_data, link.function_data, edit.value, arch.endian)
    return link.evolve(
        symbols=edit.freeze(), pclntab=evolve(tables, functab_data=functab), funcdata=data
    )
