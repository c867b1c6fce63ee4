"""mangle: shorten the names of type symbols that other modules can see.

When Go is linked dynamically, type descriptors stay in the symbol table, so that the dynamic
linker can make those of several modules one. Their names spell out the type and can run to
kilobytes; each is replaced by a hash of it. Names of functions instantiated over local types
hold such a name in brackets, and that part alone is replaced.

Only names in the output change (`symbols.extnames`); symbols are still found by their own. A shared
library knows the types in it by the short names. So where the link uses some, a type that nobody
here defines gets what the library says of the short name, its content for one; and types that are
not reachable are renamed as well, for the layout of a variable may be asked of them.
Source: cmd/link/internal/ld/lib.go:960-1045 (mangleTypeSym, typeSymbolMangle).
Reads `symbols`, `mode`; provides `symbols`.
"""

from __future__ import annotations

from binascii import b2a_base64

import numpy as np

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.release import Release
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import SymbolsEdit

_KEPT = (b"type:runtime.", b"go:string.")
_SHORT = 14


@linkpass(requires=("symbols", "mode"), provides=("symbols",))
def mangle(link: Link) -> Link:
    """Replace long type names by hashes when other modules can see them."""
    edit = link.symbols.edit()
    ids = np.arange(1, len(link.symbols)) if link.mode.imports else link.symbols.reachable()
    ids = ids[link.symbols.starts_with(ids, b"type:") | link.symbols.contains(ids, ord("@"))]
    release, imports = link.release, link.mode.imports
    unknown = (link.symbols.kind[ids] == SymKind.Sxxx).tolist()
    for sym, name, nobodys in zip(ids.tolist(), link.symbols.names(ids), unknown, strict=True):
        mangled = mangled_name(name, release)
        if mangled != name:
            edit.set_extname(sym, mangled)
            if imports and nobodys:
                _resolve(edit, sym, edit.lookup(mangled, int(edit.version[sym])))
    return link.evolve(symbols=edit.freeze())


def _resolve(edit: SymbolsEdit, sym: int, known: int) -> None:
    """Make a symbol what a shared library says of its short name, with that name."""
    if known and edit.kind[known] != SymKind.Sxxx:
        taken = ("kind", "size", "name_at", "name_size", "version", "object", "local")
        edit.set(sym, **{name: getattr(edit, name)[known] for name in taken})
        edit.set_content(sym, bytes(edit.data(known)), grow=False)


def mangled_name(name: bytes, release: Release) -> bytes:
    """The shorter name, or ``name`` itself where the rule keeps it."""
    is_type = name.startswith(b"type:")
    local = b"@" in name
    if not is_type and not local:
        return name
    if name.startswith(_KEPT) or (len(name) <= _SHORT and not local):
        return name
    if is_type:
        prefix = b"type:." if name[5:6] == b"." else b"type:"
        return prefix + _digest(name[5:], release)
    start, end = name.find(b"[") + 1, name.rfind(b"]")
    if end < start:
        end = len(name)
    return name[:start] + _digest(name[start:end], release) + name[end:]


def _digest(text: bytes, release: Release) -> bytes:
    """Eight characters for a name: six bytes of the linker's hash, in base64."""
    at = release.name_at
    return b2a_base64(release.hash(text)[at : at + 6], newline=False)
