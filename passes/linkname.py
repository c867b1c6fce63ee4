"""linkname: refuse references to symbols of the standard library that do not allow them.

``//go:linkname`` and assembly can name any symbol. The standard library allows it symbol by
symbol: a definition that is itself marked with linkname ("push") may be pulled by anybody,
one marked linknamestd by the standard library alone, and some names only by the packages in
a list, whatever their marks. References to what other packages define are not checked.

Reads `symbols`, `objects`, `packages`; provides nothing. Off with -checklinkname=0.
Source: cmd/link/internal/loader/loader.go:2429-2596 (blockedLinknames, checkLinkname).
"""

from __future__ import annotations

import numpy as np

from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.formats.blocklist import BLOCKED_LINKNAMES
from linkpipe.pass_api import Link, linkpass
from linkpipe.tables.symbols import Flag

_PUSHED = Flag.LINKNAME | Flag.LINKNAME_STD
_FROZEN_FIPS = "crypto/internal/fips140/v"


@linkpass(requires=("symbols", "objects", "packages"))
def linkname(link: Link) -> Link:
    """Check that references by linkname or from assembly are allowed."""
    if not link.options.checklinkname:
        return link
    objects = link.objects
    for obj, local, sym in _pulls(link):
        package = link.packages.items[int(objects.package[obj])].path
        name = link.symbols.name(sym)
        if not _allowed(link, obj, package, name, sym):
            raise InputError(
                f"{package}: invalid reference to {name}",
                file=objects.names[obj],
                status=1,
                remedy=f"{name} is not meant to be used from outside; use a public function, "
                "or pass -checklinkname=0 to link anyway",
            )
    return link


def _pulls(link: Link) -> list[tuple[int, int, int]]:
    """(object, local index, symbol) of each reference to check: linknamed variables without
    content first, as definitions come before references."""
    objects = link.objects
    found = []
    owner = np.repeat(np.arange(len(objects)), np.diff(objects.local_base))
    local = np.arange(len(owner)) - objects.local_base[owner]
    end = objects.defined[owner]
    named = local >= end - objects.nnonpkg[owner]
    rows = np.flatnonzero(named)
    at = objects.blocks[owner[rows], goobj.SYMDEF] + local[rows] * goobj.SYM.itemsize
    record = objects.arena.records(at, goobj.SYM)
    flags = record["flag"].astype(np.uint32) | (record["flag2"].astype(np.uint32) << 8)
    pushed = (flags & _PUSHED) != 0
    is_ref = local[rows] >= end[rows]
    assembly = (objects.flags[owner[rows]] & goobj.FLAG_FROM_ASSEMBLY) != 0

    variables = rows[pushed & ~is_ref]
    size = objects.data(owner[variables], local[variables])[1]
    for row in variables[size == 0].tolist():
        sym = int(objects.local_to_id[row])
        if "." in link.symbols.name(sym):
            found.append((int(owner[row]), int(local[row]), sym))
    for row in rows[is_ref & (pushed | assembly)].tolist():
        found.append((int(owner[row]), int(local[row]), int(objects.local_to_id[row])))
    return found


def _allowed(link: Link, obj: int, package: str, name: str, sym: int) -> bool:
    listed = BLOCKED_LINKNAMES.get(name)
    if listed is not None:
        if package.startswith(_FROZEN_FIPS):
            # A frozen version of crypto/internal/fips140/... may do what the current one may.
            parts = package.split("/")
            return package in listed or "/".join(parts[:3] + parts[4:]) in listed
        return package in listed
    objects, symbols = link.objects, link.symbols
    home = int(symbols.object[sym]) if sym < symbols.made else 0
    if not home or not objects.flags[home] & goobj.FLAG_STD:
        return True
    if link.packages.items[int(objects.package[home])].path == package:
        return True
    flags = int(symbols.flags[sym])
    if objects.flags[home] & goobj.FLAG_FROM_ASSEMBLY and not flags & _PUSHED:
        if name.startswith(package) or "." not in name or not link.arch.regabi:
            return True
        # The mark of an assembly function stands on the wrapper of its other ABI.
        wrapper = symbols.lookup(name, 1 - int(symbols.version[sym]))
        if wrapper:
            flags = int(symbols.flags[wrapper])
    if flags & Flag.LINKNAME_STD and objects.flags[obj] & goobj.FLAG_STD:
        return True
    return bool(flags & Flag.LINKNAME)
