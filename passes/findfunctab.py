"""findfunctab: the runtime's index from an address to its function.

The text is cut into buckets of 4096 bytes, these into 16 of 256. A bucket's entry is the number
of the first function that reaches into it (4 bytes) and, for each of the 16 parts, how many
further on the first function of that part is (1 byte each). The runtime starts its search there.

The table's size follows from the text's, so the symbol is made here; pclnbytes writes it.

Source: cmd/link/internal/ld/pcln.go:1010 (findfunctab), runtime/symtab.go (findfunc).
Reads `symbols`, `text_order`, `pclntab`; provides `symbols`, `pclntab`.
"""

from __future__ import annotations

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.tables.pclntab import findfunc_size
from linkpipe.tables.symbols import Flag
from linkpipe.values import evolve


@linkpass(requires=("symbols", "text_order", "pclntab"), provides=("symbols", "pclntab"))
def findfunctab(link: Link) -> Link:
    """Make room for the index from addresses to functions."""
    edit = link.symbols.edit()
    first, last = int(link.text_order[0]), int(link.text_order[-1])
    value = link.symbols.value
    text = int(value[last] + link.symbols.size[last] - value[first])
    sym = edit.own("runtime.findfunctab")
    align = 4 if link.release.stated_tables else 0
    edit.set(sym, kind=link.release.findfunctab_kind, size=findfunc_size(text), align=align)
    edit.add_flags(sym, Flag.REACHABLE | Flag.LOCAL | Flag.GENERATED)
    return link.evolve(symbols=edit.freeze(), pclntab=evolve(link.pclntab, findfunctab=sym))
