"""fieldtrack: with GOEXPERIMENT=fieldtrack, find which fields are used, and what keeps each.

The compiler refers from each function to a symbol `go:track.TYPE.FIELD` for every field with the
tag `go:"track"` that it touches. Such a symbol has no content and is nowhere in the output. What -k
names, a string variable, is told of those that are reached: a line for each, in the order of their
ids, with the field and behind it what keeps it, and what keeps that, up to a root (strdata sets the
variable).

Who keeps a symbol is who came to it first, as in what -dumpdep prints; so it stands before
`reachability`, which finds the same out in another order.

Source: cmd/link/internal/ld/go.go:379 (fieldtrack), deadcode.go:361 (mark).
Reads `symbols`, `objects`, `relocs`, `mode`, `inittasks`, `extra_roots` if it is there; provides
`symbols`, `tracked`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.deadcode.inputs import find_roots, read_inputs
from linkpipe.deadcode.walk import Walk
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.tables.symbols import Flag

_PREFIX = b"go:track."


@linkpass(
    requires=("symbols", "objects", "relocs", "mode", "inittasks"),
    optional=("extra_roots",),
    provides=("symbols", "tracked"),
)
def fieldtrack(link: Link) -> Link:
    """Find which fields are used, and what keeps each."""
    symbols = link.symbols
    inputs, roots = read_inputs(link), find_roots(link, debug=True)
    keeper: dict[int, int] = {}
    for step in Walk(inputs).run([root for root, _ in roots]):
        keeper[step.symbol] = keeper.get(step.symbol) or step.keeper
    ids = np.flatnonzero(symbols.starts_with(np.arange(len(symbols)), _PREFIX))
    fields = [field for field in ids.tolist() if field in keeper]
    lines = []
    for field in fields:
        chain = {field: b""}  # a type that gets another turn may be what keeps its keeper
        while (above := keeper[next(reversed(chain))]) and above not in chain:
            chain[above] = b"\t" + symbols.name_bytes(above)
        lines.append(symbols.name_bytes(field)[len(_PREFIX) :] + b"".join(chain.values()) + b"\n")
    edit = symbols.edit()
    edit.add_flags(np.array(fields, np.int32), Flag.SPECIAL | Flag.NOT_IN_SYMTAB)
    return link.evolve(symbols=edit.freeze(), tracked=b"".join(lines))
