"""pkghash: publish fingerprints that modules are checked against when they are loaded.

A plugin works only with the very packages that its host was built with. Both sides carry
each package's fingerprint as a string in a symbol of the package's name; the dynamic linker
makes the two one, the host's, and the runtime compares it with the fingerprint that the
plugin was linked with (`ptab` records that). A shared library publishes the hash over all of its
packages (`abihash`) in the same way, under its file's name.

Source: cmd/link/internal/ld/symtab.go:552-570, runtime/plugin.go:54.
Reads `symbols`, `relocs`, `packages`, `mode`, `abihash` if it is there; provides `symbols`,
`relocs`.
"""

from __future__ import annotations

import os

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.reloctype import R_ADDR
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag


@linkpass(
    requires=("symbols", "relocs", "packages", "mode"),
    optional=("abihash",),
    provides=("symbols", "relocs"),
)
def pkghash(link: Link) -> Link:
    """Publish package fingerprints in plugins and in programs that may load some."""
    symbols, relocs, ptrsize = link.symbols.edit(), link.relocs.edit(), link.arch.ptrsize

    def publish(name: str, content: int) -> None:
        length = int(symbols.size[content]).to_bytes(ptrsize, link.arch.byteorder)
        text = symbols.lookup_or_create(name)
        symbols.set_content(text, bytes(ptrsize) + length)
        relocs.add(text, offset=0, size=ptrsize, type=R_ADDR, target=content)
        symbols.set(text, kind=SymKind.SRODATA)
        symbols.add_flags(text, Flag.REACHABLE)

    if link.has("abihash"):
        publish(f"go:link.abihash.{os.path.basename(link.options.o)}", link.abihash.content)
    for row in link.packages.postorder if link.mode.plugins else ():
        package = link.packages.items[row]
        content = symbols.lookup_or_create(f"go:link.pkghashbytes.{package.path}")
        symbols.set_content(content, package.fingerprint)
        symbols.set(content, kind=SymKind.SRODATA)
        symbols.add_flags(content, Flag.REACHABLE)
        publish(f"go:link.pkghash.{package.path}", content)
    return link.evolve(symbols=symbols.freeze(), relocs=relocs.freeze())
