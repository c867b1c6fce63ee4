"""mangle: shorten the names of type symbols that other modules can see.

When Go is linked dynamically, type descriptors stay in the symbol table, so that the dynamic
linker can make those of several modules one. Their names spell out the type and can run to
kilobytes; each is replaced by a hash of it. Names of functions instantiated over local types
hold such a name in brackets, and that part alone is replaced.

Only names in the output change (`symbols.extnames`); symbols are still found by their own.
Source: cmd/link/internal/ld/lib.go:960-1045 (mangleTypeSym, typeSymbolMangle).
Reads `symbols`; provides `symbols`.
"""

from __future__ import annotations

from binascii import b2a_base64

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.release import Release

_KEPT = (b"type:runtime.", b"go:string.")
_SHORT = 14


@linkpass(requires=("symbols",), provides=("symbols",))
def mangle(link: Link) -> Link:
    """Replace long type names by hashes when other modules can see them."""
    edit = link.symbols.edit()
    ids = link.symbols.reachable()
    ids = ids[link.symbols.starts_with(ids, b"type:") | link.symbols.contains(ids, ord("@"))]
    for sym, name in zip(ids.tolist(), link.symbols.names(ids), strict=True):
        mangled = mangled_name(name, link.release)
        if mangled != name:
            edit.set_extname(sym, mangled)
    return link.evolve(symbols=edit.freeze())


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
