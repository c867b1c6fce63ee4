"""The order of type descriptors in memory.

First the typelinks, the types that reflection looks up by their string, sorted by it: the runtime
walks them as one array. Then the other types, then the interface tables, each by size. Strings
repeat, and equal ones lie in the order in which the oracle's sort leaves them
(linkpipe.kernels.gosort). Source: cmd/link/internal/ld/data.go:2445-2511.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from linkpipe.arch import Architecture
from linkpipe.arrays.types import I64
from linkpipe.gotypes.data import TypeData
from linkpipe.kernels import gosort
from linkpipe.tables.objects import Objects
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.symbols import Flag, Symbols


class TypeOrder(NamedTuple):
    """``order``: int64[n], the permutation that sorts the symbols. The first ``links`` are the
    carrier ``type:*`` and the typelinks, the first ``types`` all but interface tables."""

    order: I64
    links: int
    types: int


def order_types(
    symbols: Symbols, objects: Objects, relocs: Relocs, arch: Architecture, by_size: I64
) -> TypeOrder:
    """Sort the symbols of the section of types, given by size and id; ``relocs`` are theirs.

    Raises InputError for a typelink whose string cannot be read.
    """
    # The oracle's sort starts from the order of ids, which decides among equal strings.
    place = np.argsort(by_size)
    ids = by_size[place]
    flags = symbols.flags[ids]
    carrier = ids == symbols.lookup("type:*")
    itab = ((flags & Flag.ITAB) != 0) & ~carrier
    typelink = ((flags & Flag.TYPELINK) != 0) & ~itab & ~carrier
    types = TypeData(symbols, objects, arch.ptrsize, arch.byteorder)
    rank = gosort.ranks(*types.strings(ids[typelink], relocs))
    # One number says it all: carrier, typelinks by string, other types, interface tables.
    key = place + len(ids) + 1 + itab * len(ids)
    key[carrier] = 0
    key[typelink] = 1 + rank
    order = place[gosort.order(key)]
    return TypeOrder(order, int((typelink | carrier).sum()), len(ids) - int(itab.sum()))


def by_string(
    symbols: Symbols, objects: Objects, relocs: Relocs, arch: Architecture, ids: I64
) -> I64:
    """Types (ids, ascending) sorted by their string as the oracle's sort leaves them.

    Raises InputError for one whose string cannot be read.
    """
    types = TypeData(symbols, objects, arch.ptrsize, arch.byteorder)
    return ids[gosort.order(gosort.ranks(*types.strings(ids, relocs)))]
