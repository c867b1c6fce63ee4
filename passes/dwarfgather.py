"""dwarfgather: find what debug information there is, and the types that it mentions.

The compiler leaves an entry (a symbol with bytes and relocations) for every function, for every
function that was inlined, for every global variable, and for the constants of each package. What
it leaves to the linker are types, which are shared by all packages: entries mention them as
`go:info.T`, and what T is made of is written in its run-time descriptor, `type:T`.

A unit is a Go object. Functions are visited unit by unit; the order in which they mention types
is the order of the types' entries (see linkpipe.debuginfo.typewalk).

Runs before names are mangled. It only reads, beside the passes behind it, and leaves to dwarf to
make symbols of what it finds.

Source: cmd/link/internal/ld/dwarf.go (dwarfGenerateDebugInfo).
Reads `symbols`, `relocs`, `packages`, `objects`, `text_order`; provides `dwarf_gathered`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.ragged import first_seen
from linkpipe.arrays.types import I64
from linkpipe.debuginfo.gathered import Gathered
from linkpipe.debuginfo.mentions import gather_units, read_mentions, read_variables
from linkpipe.debuginfo.typedies import TypeParts, type_parts
from linkpipe.debuginfo.typegraph import read_types
from linkpipe.debuginfo.typewalk import PROTOTYPES, TypeWalk, need_type
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.gotypes.data import TypeData


@linkpass(
    requires=("symbols", "relocs", "packages", "objects", "text_order"),
    provides=("dwarf_gathered",),
    concurrent=True,
)
def dwarfgather(link: Link) -> Link:
    """Find what debug information there is, and the types that it mentions."""
    units = gather_units(link.packages, link.objects, link.symbols, link.text_order)
    mentions = read_mentions(link.packages, link.objects, link.symbols, units)
    variables = read_variables(link.objects, link.symbols, link.relocs)
    types = _types(link, np.concatenate((mentions.types, variables.types)))
    return link.evolve(dwarf_gathered=Gathered(units, mentions, variables, types))


def _types(link: Link, mentioned: I64) -> TypeParts:
    """All types that are mentioned, in the order of their entries, and what these consist of."""
    symbols, arch = link.symbols, link.arch
    interfaces = [need_type(symbols, f"type:runtime.{name}") for name in ("eface", "iface")]
    # Where the runtime is in a shared library (-linkshared with -w=false) there are no such types.
    basic = [need_type(symbols, f"type:{name}") for name in ("unsafe.Pointer", "uintptr")]
    pretty = [need_type(symbols, f"type:internal/abi.{name}") for name in link.release.pretty_types]
    models = [need_type(symbols, name) for name in PROTOTYPES]
    data = TypeData(symbols, link.objects, arch.ptrsize, arch.byteorder)
    graph = read_types(data, np.concatenate((mentioned, models, pretty)), *interfaces)
    walk = TypeWalk(symbols, graph, arch.ptrsize, *basic)
    walk.visit(pretty)
    walk.visit(mentioned[first_seen(mentioned, len(symbols))])
    walk.spell_out()
    return type_parts(walk)
