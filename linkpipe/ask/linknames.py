"""Which code refers to other packages' symbols around the language, by ``//go:linkname``.

The compiler marks such a reference in the object that has it (cmd/internal/goobj, the second flags
of a symbol). Which references the standard library allows is another question, and the link's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from linkpipe.arrays.ragged import expand
from linkpipe.arrays.types import I64, Bool, Ints
from linkpipe.ask.modules import Modules
from linkpipe.ask.names import graph_of
from linkpipe.engine.context import Link
from linkpipe.formats import goobj
from linkpipe.tables.symbols import Flag
from linkpipe.values import Value, record

if TYPE_CHECKING:
    from linkpipe.tables.objects import Objects

_PUSHED = Flag.LINKNAME | Flag.LINKNAME_STD


@record
class Linkname(Value):
    """A reference by linkname, in the output.

    Attributes:
        package: the package that refers.
        source: a symbol of it that does.
        target: the symbol of another package that is meant.
    """

    package: str
    source: str
    target: str


def linknames(link: Link) -> tuple[Linkname, ...]:
    """The references by linkname from one package to another's symbols, of what is in the output;
    sorted, one for each package and symbol. In code that was inlined into another package the
    compiler leaves the mark out, and the reference is not found.

    ``link`` has run up to the fact ``graph``, or further. Raises UserError when it has not.
    """
    graph = graph_of(link)
    source, target, _, _ = graph.arcs
    symbols, package = graph.symbols, link.objects.package
    at, home = symbols.object[source], symbols.object[target]
    rows = np.flatnonzero((at != 0) & (home != 0) & is_pulled(pulled(link.objects), at, target))
    # Of two variables without content either may stand for both: the name says whose it is.
    modules, own = Modules(link), package[at[rows]]
    named = np.array([modules.named(name) for name in symbols.names(target[rows])], np.int64)
    rows = rows[(named != own) & ((named >= 0) | (package[home[rows]] != own))]
    found: dict[tuple[str, str], str] = {}
    for one, other in zip(source[rows].tolist(), target[rows].tolist(), strict=True):
        path = link.packages.items[int(package[symbols.object[one]])].path
        key, name = (path, symbols.name(other)), graph.label(one)
        found[key] = min(found.get(key, name), name)
    return tuple(Linkname(path, found[path, name], name) for path, name in sorted(found))


def pulled(objects: Objects) -> I64:
    """The references that are marked: int64[k], ascending, object << 32 | symbol. A variable that
    is declared without content is one, too: it is listed as if it were defined there."""
    count = objects.nnonpkg + objects.nref
    owner = np.repeat(np.arange(len(objects)), count)
    local = expand(objects.defined - objects.nnonpkg, count)
    at = objects.blocks[owner, goobj.SYMDEF] + local * goobj.SYM.itemsize
    record = objects.arena.records(at, goobj.SYM)
    flags = objects.format.flag2[record["flag2"]].astype(np.uint32) << 8
    rows = np.flatnonzero(flags & _PUSHED)
    filled = objects.data(owner[rows], local[rows])[1] != 0
    rows = rows[(local[rows] >= objects.defined[owner[rows]]) | ~filled]
    ids = objects.local_to_id[objects.local_base[owner[rows]] + local[rows]]
    return np.unique(owner[rows] << 32 | ids)


def is_pulled(marked: I64, objects: Ints, targets: Ints) -> Bool:
    """Which references, by the object that refers and the symbol, are among ``marked``, what
    ``pulled`` gives: bool[len(objects)]."""
    if not len(marked):
        return np.zeros(len(objects), np.bool_)
    keys = objects.astype(np.int64) << 32 | targets
    place = np.minimum(np.searchsorted(marked, keys), len(marked) - 1)
    return marked[place] == keys
