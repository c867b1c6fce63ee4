"""dumpdep: with -dumpdep, print what keeps each symbol in the output, one line for each.

A line says that the first symbol keeps the second, ``_`` that the second is a root. Of all that
keep a symbol that one is named that came to it first, and is itself kept by an earlier line: read
backwards, the lines explain any symbol. Other tools read them (the first ``<ReflectMethod>`` tells
why no method is dropped), so they are the oracle's, in its order, which is that of its analysis:
what a cause keeps stands after it. A dump of the graph tells more.

It stands before `reachability`, which finds the same out in another order: what that one marks
must not be known yet.

Source: cmd/link/internal/ld/deadcode.go (mark, dumpDepAddFlags).
Reads `symbols`, `objects`, `relocs`, `mode`, `inittasks`, `extra_roots` if it is there; provides
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from linkpipe.deadcode.inputs import find_roots, read_inputs
from linkpipe.deadcode.walk import Walk
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.output.stdout import say
from linkpipe.tables.symbols import Flag


@linkpass(
    requires=("symbols", "objects", "relocs", "mode", "inittasks"),
    optional=("extra_roots",),
    provides=(),
)
def dumpdep(link: Link) -> Link:
    """Print what keeps each symbol."""
    say(b"".join(_lines(link)))
    return link


def _lines(link: Link) -> Iterator[bytes]:
    """A line for each symbol that has a name, after the one of what keeps it."""
    symbols = link.symbols
    inputs, roots = read_inputs(link), find_roots(link, debug=True)
    reflecting = ((symbols.flags & Flag.REFLECT_METHOD) != 0).tobytes()

    def shown(symbol: int, used: bool) -> bytes:
        marks = b"<UsedInIface>" * used + b"<ReflectMethod>" * reflecting[symbol]
        return symbols.name_bytes(symbol) + b" " * bool(marks) + marks

    for keeper, keeper_used, symbol, used in Walk(inputs).run([root for root, _ in roots]):
        if symbols.name_bytes(symbol):
            source = shown(keeper, keeper_used) if keeper else b"_"
            yield b"%b -> %b\n" % (source, shown(symbol, used))
