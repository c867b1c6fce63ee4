"""abihash: say in a shared library which packages it has, and by which hash they are known.

A program that is linked against a shared library of Go works with that very library only, so both
hold a hash over the fingerprints of all packages in it, and the runtime compares them. The library
carries it as a note, and so do the names of its packages (as they were given) and those of the
libraries that it needs, for the linker and for the go command to read. The hash in the note is what
the symbol ``go:link.abihashbytes`` names; its address follows from the note's.

Packages are put into the order of their paths for that, and they stay so.

Source: cmd/link/internal/ld/elf.go:1590-1615 (doelf), main.go:350-359, cmd/internal/hash (New32).
Reads `symbols`, `packages`, `shlibs` if it is there; provides `symbols`, `packages`, `abihash`.
"""

from __future__ import annotations

import os

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.formats.sharedlib import ABI_HASH, DEPENDENCIES, OWNER, PACKAGES
from linkpipe.layout.ownsections import note_section
from linkpipe.symkind import SymKind
from linkpipe.tables.shlibs import AbiHash
from linkpipe.tables.symbols import Flag
from linkpipe.values import evolve

_HEAD = 12 + len(OWNER)


@linkpass(
    requires=("symbols", "packages"),
    optional=("shlibs",),
    provides=("symbols", "packages", "abihash"),
)
def abihash(link: Link) -> Link:
    """Write a shared library's notes."""
    from hashlib import sha256

    edit, items = link.symbols.edit(), link.packages.items
    order = sorted(link.packages.postorder, key=lambda row: os.fsencode(items[row].path))
    whole = sha256(b"\1" + b"".join(items[row].fingerprint for row in order)).digest()
    digest = whole[: link.release.abihash_size]
    content = edit.own("go:link.abihashbytes")
    edit.set(content, kind=SymKind.SRODATA, size=len(digest))
    edit.add_flags(content, Flag.LOCAL | Flag.SPECIAL | Flag.REACHABLE)

    named = "".join(f"{path}\n" for path, _ in link.options.roots)
    needed = [os.path.basename(lib.path) for lib in link.shlibs.items] if link.has("shlibs") else []
    notes = [
        note_section(edit, f".note.go.{name}", OWNER, tag, text, link.arch.endian)
        for name, tag, text in (
            ("abihash", ABI_HASH, digest),
            ("pkg-list", PACKAGES, os.fsencode(named)),
            ("deps", DEPENDENCIES, os.fsencode("\n".join(needed))),
        )
    ]
    return link.evolve(
        symbols=edit.freeze(),
        packages=evolve(link.packages, postorder=tuple(order)),
        abihash=AbiHash(notes[0], content, _HEAD),
    )
