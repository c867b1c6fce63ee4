"""sample: how many functions of each package can be reached.

A pass that only looks: it reads the symbol table after `reachability` and provides a fact of its
own, `sample.functions`, a mapping from import path to number of functions, largest first. Dump it
with -dump, or read it in another pass.

A function's package is that of the object that defines it; functions made by the linker
itself come from no object and are counted under "(linker)".
"""

from __future__ import annotations

from types import MappingProxyType

import attrs
import numpy as np

from linkpipe.api import Flag, Link, is_text, linkpass


@attrs.frozen
class CountOptions:
    """Attributes:
    least: packages with fewer functions are left out.
    """

    least: int = 1


@linkpass(
    name="sample",
    requires=("symbols", "objects", "packages"),
    provides=("sample.functions",),
    options=CountOptions,
)
def count(link: Link, options: CountOptions) -> Link:
    """Count the reachable functions of each package."""
    symbols, objects, packages = link.symbols, link.objects, link.packages
    functions = np.flatnonzero(is_text(symbols.kind) & ((symbols.flags & Flag.REACHABLE) != 0))
    owners = symbols.object[functions]  # 0: made by the linker
    counts = {"(linker)": int((owners == 0).sum())}
    per_package = np.bincount(
        objects.package[owners[owners != 0]], minlength=len(packages.items)
    ).tolist()
    for package, number in zip(packages.items, per_package, strict=True):
        counts[package.path] = number
    told = {path: number for path, number in counts.items() if number >= max(options.least, 1)}
    ordered = dict(sorted(told.items(), key=lambda item: (-item[1], item[0])))
    return link.evolve({"sample.functions": MappingProxyType(ordered)})
