"""linkname: refuse references to symbols of the standard library that do not allow them.

``//go:linkname`` and assembly can name any symbol. The standard library allows it symbol by
symbol: a definition that is itself marked with linkname ("push") may be pulled by anybody,
one marked linknamestd by the standard library alone, and some names only by the packages in
a list, whatever their marks. References to what other packages define are not checked.

Off with -checklinkname=0.
Source: cmd/link/internal/loader/loader.go:2429-2596 (blockedLinknames, checkLinkname).
Reads `symbols`, `objects`, `packages`; provides nothing.
"""

from __future__ import annotations

import numpy as np

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.kernels import records
from linkpipe.tables.symbols import ABI0, ABI_INTERNAL, Flag

_FROZEN_FIPS = "crypto/internal/fips140/v"


@linkpass(requires=("symbols", "objects", "packages"), checks=True)
def linkname(link: Link) -> Link:
    """Check that references by linkname or from assembly are allowed."""
    objects = link.objects
    for obj, sym in _pulls(link):
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


def _pulls(link: Link) -> list[tuple[int, int]]:
    """(object, symbol) of each reference to check: linknamed variables without
    content first, as definitions come before references."""
    objects = link.objects
    marks = (objects.format.flag2.astype(np.uint32) << 8 & _pushed(link)) != 0
    assembly = (objects.flags & goobj.FLAG_FROM_ASSEMBLY) != 0
    assembly &= link.release.assembly_linknames
    places = records.marked(
        objects.arena.bytes,
        objects.blocks.ravel(),
        objects.local_base,
        objects.classes.ravel(),
        marks.view(np.uint8),
        assembly.view(np.uint8),
    )
    owner, local = objects.located(places)
    at = objects.blocks[owner, goobj.SYMDEF] + local * goobj.SYM.itemsize
    pushed = marks[objects.arena.field(at, goobj.SYM, "flag2")]
    is_ref, assembly = local >= objects.defined[owner], assembly[owner]
    ids = objects.local_to_id[places]
    # Only names in the list, and what the standard library defines, are guarded.
    symbols = link.symbols
    home = np.where(ids < symbols.made, symbols.object[ids], 0)
    foreign = objects.package[home] != objects.package[owner]
    guarded = ((objects.flags[home] & goobj.FLAG_STD) != 0) & foreign & (home != 0)
    # What its own package lets be pulled needs no look, unless it is in the list.
    guarded &= (symbols.flags[ids] & Flag.LINKNAME) == 0
    names = [name.encode() for name in link.release.blocked_linknames]
    listed = np.zeros(len(symbols), np.bool_)
    for version in (ABI0, ABI_INTERNAL):
        listed[symbols.lookup_many(names, [version] * len(names))] = True
    listed[0] = False
    guarded |= listed[ids]

    variables = np.flatnonzero(pushed & ~is_ref & guarded)
    variables = variables[objects.data(owner[variables], local[variables])[1] == 0]
    found = [row for row in variables.tolist() if "." in symbols.name(int(ids[row]))]
    found += np.flatnonzero(is_ref & (pushed | assembly) & guarded).tolist()
    return [(int(owner[row]), int(ids[row])) for row in found]


def _pushed(link: Link) -> int:
    """The flags that mark a definition or a reference as made by linkname."""
    return Flag.LINKNAME | (Flag.LINKNAME_STD if link.release.assembly_linknames else 0)


def _allowed(link: Link, obj: int, package: str, name: str, sym: int) -> bool:
    listed = link.release.blocked_linknames.get(name)
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
    if not link.release.assembly_linknames:
        return bool(flags & (Flag.LINKNAME | Flag.ABI_WRAPPER))
    if objects.flags[home] & goobj.FLAG_FROM_ASSEMBLY and not flags & _pushed(link):
        if name.startswith(package) or "." not in name or not link.arch.regabi:
            return True
        # The mark of an assembly function stands on the wrapper of its other ABI.
        wrapper = symbols.lookup(name, 1 - int(symbols.version[sym]))
        if wrapper:
            flags = int(symbols.flags[wrapper])
    if flags & Flag.LINKNAME_STD and objects.flags[obj] & goobj.FLAG_STD:
        return True
    return bool(flags & Flag.LINKNAME)
