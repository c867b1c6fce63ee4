"""sample.count: how many functions of each package can be reached.

A pass that only looks: it reads the symbol table after `reachability` and provides a fact of its
own, `sample.counts`, a mapping from import path to number of functions, largest first. Dump it
with -dump, or read it in a pass of yours.

A function's package is that of the object that defines it; functions made by the linker
itself come from no object and are counted under "(linker)".
"""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from linkpipe.api import Flag, Link, is_text, linkpass


@linkpass(
    name="sample.count",
    requires=("symbols", "objects", "packages"),
    provides=("sample.counts",),
)
def count(link: Link) -> Link:
    """Count the reachable functions of each package."""
    symbols, objects, packages = link.symbols, link.objects, link.packages
    functions = np.flatnonzero(is_text(symbols.kind) & ((symbols.flags & Flag.REACHABLE) != 0))
    owners = symbols.object[functions]
    made_by_linker = int((owners == 0).sum())
    per_package = np.bincount(
        objects.package[owners[owners != 0]], minlength=len(packages.items)
    ).tolist()
    counts = {
        package.path: number
        for package, number in zip(packages.items, per_package, strict=True)
        if number
    }
    if made_by_linker:
        counts["(linker)"] = made_by_linker
    ordered = dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
    return link.evolve({"sample.counts": MappingProxyType(ordered)})
