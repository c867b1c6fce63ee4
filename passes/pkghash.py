"""pkghash: publish the fingerprint of every package, for plugins to be checked against.

A plugin works only with the very packages that its host was built with. Both sides carry
each package's fingerprint as a string in a symbol of the package's name; the dynamic linker
makes the two one, the host's, and the runtime compares it with the fingerprint that the
plugin was linked with (`ptab` records that).

Source: cmd/link/internal/ld/symtab.go:559-570, runtime/plugin.go:54.
Reads `symbols`, `relocs`, `packages`; provides `symbols`, `relocs`.
"""

from __future__ import annotations

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.reloctype import R_ADDR
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag


@linkpass(requires=("symbols", "relocs", "packages"), provides=("symbols", "relocs"))
def pkghash(link: Link) -> Link:
    """Publish package fingerprints in plugins and in programs that may load some."""
    symbols, relocs, ptrsize = link.symbols.edit(), link.relocs.edit(), link.arch.ptrsize
    for row in link.packages.postorder:
        package = link.packages.items[row]
        length = len(package.fingerprint).to_bytes(ptrsize, link.arch.byteorder)
        content = symbols.lookup_or_create(f"go:link.pkghashbytes.{package.path}")
        symbols.set_content(content, package.fingerprint)
        text = symbols.lookup_or_create(f"go:link.pkghash.{package.path}")
        symbols.set_content(text, bytes(ptrsize) + length)
        relocs.add(text, offset=0, size=ptrsize, type=R_ADDR, target=content)
        symbols.set([content, text], kind=SymKind.SRODATA)
        symbols.add_flags([content, text], Flag.REACHABLE)
    return link.evolve(symbols=symbols.freeze(), relocs=relocs.freeze())
