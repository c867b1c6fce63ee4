"""dumpdep: with -dumpdep, print what keeps each symbol in the output, one line for each.

A line says that the first symbol keeps the second, ``_`` that the second is a root. Of all that
keep a symbol one is named, which is itself kept by an earlier line: read backwards, the lines
explain any symbol. A dump of the graph tells more; this is the form that other tools read. The
oracle names whichever it met first, linkpipe one that is nearest to a root; and the oracle goes
through debug information in the same sweep, linkpipe elsewhere, so it is not shown here.

Source: cmd/link/internal/ld/deadcode.go (mark, dumpDepAddFlags).
Reads `graph`, `symbols`; provides nothing.
"""

from __future__ import annotations

import numpy as np

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.graphs.graph import ROOT
from linkpipe.output.stdout import say
from linkpipe.tables.symbols import Flag

_MARKS = {Flag.USED_IN_IFACE: b"<UsedInIface>", Flag.REFLECT_METHOD: b"<ReflectMethod>"}


@linkpass(requires=("graph", "symbols"), provides=())
def dumpdep(link: Link) -> Link:
    """Print what keeps each symbol."""
    say(b"".join(_lines(link)))
    return link


def _lines(link: Link) -> list[bytes]:
    """A line for each symbol that has a name, after the one of what keeps it."""
    parent, distance = link.graph.tree
    ids = np.argsort(distance, kind="stable")
    ids = ids[distance[ids] >= 0]
    shown = {ROOT: b"_"}
    flags = link.symbols.flags[ids].tolist()
    for sym, name, have in zip(ids.tolist(), link.symbols.names(ids), flags, strict=True):
        marks = b"".join(mark for flag, mark in _MARKS.items() if have & flag)
        if sym != ROOT:
            shown[sym] = name + b" " + marks if marks else name
    return [
        b"%b -> %b\n" % (shown[before], shown[sym])
        for sym, before in zip(ids.tolist(), parent[ids].tolist(), strict=True)
        if sym != ROOT and shown[sym]
    ]
