"""libentry: start the runtime when a library of Go code is loaded.

A C program that uses a Go library has a main function of its own, and nothing calls the runtime's
entry. So `.init_array`, the list of functions that the dynamic linker (or, for an archive, C's
start-up code) calls before main, gets its address: `_rt0_…_lib` starts the runtime in a new thread.

Source: cmd/link/internal/ld/symtab.go:424, data.go:1311 (addinitarrdata).
Reads `symbols`, `relocs`; provides `symbols`, `relocs`.
"""

from __future__ import annotations

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.reloctype import R_ADDR
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag


@linkpass(requires=("symbols", "relocs"), provides=("symbols", "relocs"))
def libentry(link: Link) -> Link:
    """Let the library's entry be called when it is loaded."""
    entry = link.symbols.lookup(link.options.E)
    if not entry:
        return link
    symbols, relocs = link.symbols.edit(), link.relocs.edit()
    size = link.arch.ptrsize
    pointer = symbols.lookup_or_create(f"{link.options.E}.ptr")
    symbols.set_content(pointer, bytes(size))
    symbols.set(pointer, kind=SymKind.SINITARR)
    symbols.add_flags(pointer, Flag.REACHABLE)
    relocs.add(pointer, offset=0, size=size, type=R_ADDR, target=entry)
    return link.evolve(symbols=symbols.freeze(), relocs=relocs.freeze())
