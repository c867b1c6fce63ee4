"""callgraph: print which function calls which, directly, a line for each call (-c).

Source: cmd/link/internal/ld/lib.go:2995 (callgraph).
Reads `symbols`, `relocs`, `text_order`; provides nothing.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.ragged import owners
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.output.stdout import say
from linkpipe.symkind import is_text


@linkpass(requires=("symbols", "relocs", "text_order"), provides=())
def callgraph(link: Link) -> Link:
    """Print all calls, function by function."""
    symbols, relocs = link.symbols, link.relocs
    rows, counts = relocs.rows_of_many(link.text_order)
    caller = link.text_order[owners(counts)]
    callee = relocs.target[rows]
    call = np.isin(relocs.type[rows], list(link.arch.calls)) & is_text(symbols.kind[callee])
    names = zip(symbols.names(caller[call]), symbols.names(callee[call]), strict=True)
    say(b"".join(b"%b calls %b\n" % both for both in names))
    return link
