"""modulehashes: record against which shared libraries of Go this module was linked.

Each library carries a hash over its packages. The module data lists the libraries, with the hash
that each had when this module was linked, and the address of the string through which the runtime
sees the hash that the loaded library has (`abihash`); it compares the two when the program starts.

Source: cmd/link/internal/ld/symtab.go:738-770.
Reads `symbols`, `relocs`, `shlibs`; provides `symbols`, `relocs`, `modulehashes`.
"""

from __future__ import annotations

import os

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.layout.datawords import go_slice, go_string, write_words
from linkpipe.symkind import SymKind
from linkpipe.tables.shlibs import ModuleHashes
from linkpipe.tables.symbols import Flag
from linkpipe.tables.words import Address, Word


@linkpass(requires=("symbols", "relocs", "shlibs"), provides=("symbols", "relocs", "modulehashes"))
def modulehashes(link: Link) -> Link:
    """List the libraries of Go that this module needs, for the runtime."""
    libraries = link.shlibs.items
    if not libraries:
        return link.evolve(modulehashes=ModuleHashes((0, 0), (0, 0, 0)))
    symbols, relocs = link.symbols.edit(), link.relocs.edit()
    own = os.path.basename(link.options.o)
    if link.options.buildmode in ("exe", "pie"):
        own = "the executable"  # the go command links into a.out
    name = go_string(symbols, "go:link.thismodulename", os.fsencode(own))
    table = symbols.own("go:link.abihashes")
    symbols.set(table, kind=SymKind.SRODATA)
    symbols.add_flags(table, Flag.REACHABLE | Flag.LOCAL)
    words: list[Word] = []
    for i, library in enumerate(libraries):
        file = os.fsencode(os.path.basename(library.path))
        words += go_string(symbols, f"go:link.libname.{i}", file)
        words += go_string(symbols, f"go:link.linkhash.{i}", library.hash)
        seen = symbols.lookup_or_create(b"go:link.abihash." + file)
        symbols.add_flags(seen, Flag.REACHABLE)
        words.append(Address(seen))
    write_words(symbols, relocs, link.arch, table, words)
    fact = ModuleHashes(name, go_slice(table, len(libraries)))
    return link.evolve(symbols=symbols.freeze(), relocs=relocs.freeze(), modulehashes=fact)
