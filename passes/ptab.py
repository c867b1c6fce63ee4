"""ptab: what a plugin tells the runtime about itself.

The compiler lists a plugin's exported functions and variables in ``go:plugin.tabs``, eight
bytes each: where the name is and where the type is, as offsets that relocations fill in.
With the plugin's path and the packages it was linked with, that goes into the module data;
``plugin.Open`` then looks each name up with the dynamic linker.

Each package's entry holds its name, the fingerprint it had when the plugin was linked, and
the address of the string through which the runtime sees the fingerprint that the host has
(`pkghash`).

Source: cmd/link/internal/ld/symtab.go:684-718, cmd/compile reflectdata (WritePluginTable).
Reads `symbols`, `relocs`, `packages`; provides `symbols`, `relocs`, `ptab`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError
from linkpipe.formats.importpath import path_to_prefix
from linkpipe.formats.leb128 import ulebs_at
from linkpipe.layout.datawords import go_slice, go_string, write_words
from linkpipe.symkind import SymKind
from linkpipe.tables.ptab import Export, Ptab
from linkpipe.tables.symbols import Flag
from linkpipe.tables.words import Address, Word

_ENTRY = 8
"""Bytes of a ptab entry: two 32-bit offsets (runtime/symtab.go, ptabEntry)."""


@linkpass(requires=("symbols", "relocs", "packages"), provides=("symbols", "relocs", "ptab"))
def ptab(link: Link) -> Link:
    """Collect a plugin's exports, its path and its packages."""
    symbols, relocs = link.symbols.edit(), link.relocs.edit()
    table = symbols.lookup("go:plugin.tabs")
    if table and not link.symbols.has(table, Flag.REACHABLE):
        table = 0
    if table:
        symbols.add_flags(table, Flag.LOCAL)
        if link.symbols.kind[table] != SymKind.SRODATA:
            kind = SymKind(int(link.symbols.kind[table])).name
            raise InputError(
                f"go:plugin.tabs is {kind}, not SRODATA",
                symbol="go:plugin.tabs",
                remedy="rebuild the plugin with the Go version that links it",
            )
    path = path_to_prefix(link.options.pluginpath)
    path_words = go_string(symbols, "go:link.thispluginpath", path.encode())
    hashes = symbols.lookup_or_create("go:link.pkghashes")
    symbols.set(hashes, kind=SymKind.SRODATA)
    symbols.add_flags(hashes, Flag.REACHABLE | Flag.LOCAL)
    words: list[Word] = []
    packages = [link.packages.items[row] for row in link.packages.postorder]
    for i, package in enumerate(packages):
        name = package.path.encode("utf-8", "surrogateescape")
        words += go_string(symbols, f"go:link.pkgname.{i}", name)
        words += go_string(symbols, f"go:link.pkglinkhash.{i}", package.fingerprint)
        words.append(Address(symbols.lookup(f"go:link.pkghash.{package.path}")))
    write_words(symbols, relocs, link.arch, hashes, words)
    fact = Ptab(
        exports=_exports(link, table),
        table=go_slice(table, len(link.symbols.data(table)) // _ENTRY) if table else (0, 0, 0),
        path=path_words,
        hashes=go_slice(hashes, len(packages)),
    )
    return link.evolve(symbols=symbols.freeze(), relocs=relocs.freeze(), ptab=fact)


def _exports(link: Link, table: int) -> tuple[Export, ...]:
    """The entries of the table, by the symbols that their offsets refer to."""
    if not table:
        return ()
    targets = link.relocs.target[link.relocs.rows_of(table)]
    size = len(link.symbols.data(table))
    if size % _ENTRY or len(targets) * _ENTRY != 2 * size:
        raise InputError(
            "go:plugin.tabs is damaged",
            symbol="go:plugin.tabs",
            expected=f"two relocations for each {_ENTRY} bytes",
            found=f"{len(targets)} relocations and {size} bytes",
            remedy="rebuild the plugin with the Go version that links it",
        )
    return tuple(
        Export(name=_name(link.symbols.data(name)), type=link.symbols.name(type_))
        for name, type_ in zip(targets[::2].tolist(), targets[1::2].tolist(), strict=True)
    )


def _name(encoded: bytes | memoryview) -> str:
    """The text of an encoded name: flags, length, text (internal/abi/type.go, Name)."""
    data = np.frombuffer(encoded, np.uint8)
    length, at = ulebs_at(data, np.array([1]), np.array([len(data)]))
    return data[at[0] : at[0] + length[0]].tobytes().decode("utf-8", "replace")
