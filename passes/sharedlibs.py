"""sharedlibs: take in what shared libraries of Go define, of packages that are not linked here.

With -linkshared the importcfg may say of a package that a shared library has it. Then its archive
is not loaded; functions and variables are found in the library's dynamic symbols, by name: they
become imports, which the host linker and the dynamic linker settle. A function's name tells which
calling convention it has (`passes/elfsymtab.py` writes it so). What an archive defines goes before
what a library does. Type descriptors come with their content, for the linker reads types.

Symbols are made in the order in which the libraries have them. The fact `shlibs` has each library
once.
Source: cmd/link/internal/ld/lib.go:2722-2918 (ldshlibsyms).
Reads `symbols`, `packages`; provides `symbols`, `shlibs`.
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from linkpipe.arrays.ragged import offsets
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.formats.sharedlib import (
    FUNCTION,
    NO_SYMBOLS,
    SharedLibrary,
    find_library,
    read_library,
)
from linkpipe.packages.places import library_folders
from linkpipe.reloctype import R_ADDR
from linkpipe.symkind import SymKind
from linkpipe.tables.shlibs import Shlibs
from linkpipe.tables.symbols import ABI0, SymbolsEdit

_TYPE, _HIDDEN_TYPE = b"type:", b"type:."


@linkpass(requires=("symbols", "packages"), provides=("symbols", "shlibs"))
def sharedlibs(link: Link) -> Link:
    """Make imports of what shared libraries define."""
    rule = link.arch.relocs[R_ADDR].elf
    types = rule.types.get(link.arch.ptrsize, ()) if rule else ()
    absolute = tuple(part.type for part in types)
    folders = library_folders(link.options)
    libraries: dict[str, SharedLibrary] = {}
    for package in link.packages.items:
        if package.shlib:
            path = find_library(package.shlib, folders)
            if path not in libraries:
                arch = link.arch
                libraries[path] = read_library(path, absolute, arch.elf_class, arch.elf_machine)
    edit, elf_types = link.symbols.edit(), {}
    for library in libraries.values():
        elf_types.update(_take_in(link, edit, library))
    fact = Shlibs(tuple(libraries.values()), MappingProxyType(elf_types))
    return link.evolve(symbols=edit.freeze(), shlibs=fact)


def _take_in(link: Link, edit: SymbolsEdit, library: SharedLibrary) -> dict[int, int]:
    """Make imports of one library's symbols; their ELF types."""
    found = library.symbols
    rows = np.flatnonzero(~np.isin(found.type, NO_SYMBOLS))
    abi = link.arch.abi_internal
    names = [found.names[row] for row in rows.tolist()]
    keys = [
        _convention(name, abi) if kind == FUNCTION else (name, ABI0)
        for name, kind in zip(names, found.type[rows].tolist(), strict=True)
    ]
    ids = edit.lookup_or_create_many(keys)
    free = np.flatnonzero(np.isin(edit.kind[ids], (SymKind.Sxxx, SymKind.SDYNIMPORT)))
    rows, ids = rows[free], ids[free]
    edit.set(ids, kind=SymKind.SDYNIMPORT, size=found.size[rows])
    own = [keys[at][0] for at in free.tolist()]
    for sym, at, name in zip(ids.tolist(), free.tolist(), own, strict=True):
        if name != names[at]:
            edit.set_extname(sym, names[at])
    types = [name.startswith(_TYPE) and not name.startswith(_HIDDEN_TYPE) for name in own]
    typed = np.flatnonzero(np.array(types, np.bool_) & (found.section[rows] != 0))
    contents = library.contents(rows[typed])
    starts = offsets(np.array([len(content) for content in contents], np.int64))
    edit.set_contents(ids[typed], b"".join(contents), starts)
    return dict(zip(ids.tolist(), found.type[rows].tolist(), strict=True))


def _convention(name: bytes, abi: int) -> tuple[bytes, int]:
    """A function's own name and its version, from its name in the library."""
    if name.startswith(_TYPE):
        return name, abi
    if abi != ABI0 and name.endswith(b".abiinternal"):
        return name.removesuffix(b".abiinternal"), abi
    if abi != ABI0 and name.endswith(b".abi0"):
        return name.removesuffix(b".abi0"), ABI0
    return name, ABI0
