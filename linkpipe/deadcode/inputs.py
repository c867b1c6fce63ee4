"""What dead code elimination starts from: the roots, and all that could take part.

Source: cmd/link/internal/ld/deadcode.go:36-131 (init).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import numpy as np

from linkpipe.arch import Architecture
from linkpipe.arrays.types import I32, I64, Bool, Ints
from linkpipe.errors import UserError
from linkpipe.formats.importpath import path_to_prefix
from linkpipe.graphs.edges import are
from linkpipe.symkind import SymKind, is_dwarf, is_text
from linkpipe.tables.mode import Mode
from linkpipe.tables.objects import AuxColumns, Objects, RelocColumns, UndefinedBuiltins
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.symbols import ABI0, ABI_INTERNAL, Flag, Symbols
from linkpipe.values import Shown, record

if TYPE_CHECKING:
    from linkpipe.engine.context import Link

STAND_IN = "stands in for dropped methods"
"""Why a symbol is a root that no program starts from."""


@record
class Inputs(Shown):
    """What the analysis reads.

    Attributes:
        symbols: the symbol table, with descriptors and auxiliary symbols in ``objects``.
        objects: what was loaded.
        arch, mode: what the link is for.
        relocs: the relocations that are known from the start.
        known: int64[k], the symbols that they belong to, in the order of its rows.
    """

    symbols: Symbols
    objects: Objects
    arch: Architecture
    mode: Mode
    relocs: Relocs
    known: I64

    @property
    def elsewhere(self) -> Bool:
        """What is defined in shared libraries, or may be under another name: bool[n]."""
        kinds = (SymKind.SDYNIMPORT, SymKind.Sxxx) if self.mode.imports else ()
        return are(self.symbols.kind, kinds)

    @property
    def owner(self) -> I32:
        """The symbol of each relocation: int32[n]."""
        return np.repeat(self.relocs.symbol, self.relocs.count)

    def auxs(self, types: Collection[int]) -> tuple[I64, AuxColumns]:
        """The auxiliary symbols of these types, and whose they are: int64[m]. Symbols that the
        linker has given new content have lost theirs."""
        symbols = self.symbols
        own = (symbols.object != 0) & ~symbols.made_contents()
        ids = self.known[own[self.known]]
        objects, locals_ = symbols.object[ids], symbols.local[ids]
        return ids, self.objects.auxs(objects, locals_, types, needed=False)


def own_inputs(link: Link) -> Inputs:
    """The relocations of symbols that the linker made or changed, which are not in objects."""
    others, theirs = _own(link)
    relocs = Relocs.gather(len(link.symbols), others, theirs)
    return Inputs(link.symbols, link.objects, link.arch, link.mode, relocs, others)


def _own(link: Link) -> tuple[I64, RelocColumns]:
    made = link.relocs
    own = link.symbols.made_contents()
    own[made.having()] = True
    others = np.flatnonzero(own)
    return others, made.columns_of(others)


def read_inputs(link: Link) -> Inputs:
    """Read the relocations of every symbol, debug information among them. Of damaged ones some, or
    all, are missing."""
    symbols, objects = link.symbols, link.objects
    others, theirs = _own(link)
    wanted = symbols.object != 0
    wanted[others] = False
    ids = np.flatnonzero(wanted)
    columns = read_relocs(objects, symbols, ids, theirs)
    ids = np.concatenate((ids, others))
    relocs = Relocs.gather(len(symbols), ids, columns)
    return Inputs(symbols, objects, link.arch, link.mode, relocs, ids)


def read_relocs(objects: Objects, symbols: Symbols, ids: Ints, *more: RelocColumns) -> RelocColumns:
    """The relocations of symbols that may turn out to be needed; ``more`` follow. What refers to
    nothing is refused if it does."""
    of = symbols.object[ids], symbols.local[ids]
    try:
        columns = objects.relocs_singly(*of, *more, needed=False)
    except UndefinedBuiltins as found:
        columns = objects.with_undefined(found).relocs_singly(*of, *more, needed=False)
    if columns.target.min(initial=0) < 0:
        columns = columns._replace(target=np.maximum(columns.target, 0))
    return columns


def extra_roots(symbols: Symbols, names: Iterable[str], why: str) -> tuple[tuple[int, str], ...]:
    """The symbols of these names, each with the reason ``why``: what a pass before ``reachability``
    sets the fact ``extra_roots`` to (or appends to it), so that they stay, with all that they need.
    Of a function that has a symbol for each ABI both stay.

    Raises UserError for a name that no symbol has.
    """
    found = []
    for name in names:
        ids = [sym for version in (ABI0, ABI_INTERNAL) if (sym := symbols.lookup(name, version))]
        if not ids:
            raise UserError(
                f"{name} is to be kept ({why}), and there is no such symbol",
                remedy="names are those of `go tool nm`; the program must import the package",
            )
        found += [(sym, why) for sym in ids]
    return tuple(found)


def find_roots(link: Link, *, debug: bool = False) -> list[tuple[int, str]]:
    """Where the analysis starts, which debug information takes part in with ``debug``: symbols,
    each with the reason, in the order of the oracle; then what other passes want to be kept."""
    symbols, objects, arch, mode = link.symbols, link.objects, link.arch, link.mode
    options, inittasks = link.options, link.inittasks[0]
    more = link.extra_roots if link.has("extra_roots") else ()
    roots: list[tuple[int, str]] = []
    if options.buildmode == "shared":
        # Nobody knows what programs will use. Code without a size was dropped by the compiler;
        # debug information is gathered later.
        defined = np.arange(1, symbols.made)
        kind = symbols.kind[defined]
        none = (is_dwarf(kind) & (not debug)) | (is_text(kind) & (symbols.size[defined] == 0))
        roots += [(sym, "part of the library") for sym in defined[~none].tolist()]
        roots.append((inittasks, "initialisers of packages"))
        return [(sym, why) for sym, why in (*roots, *more) if sym]
    program = options.buildmode in ("exe", "pie")
    names = [("main" if mode.external and program else options.E, "entry point")]
    if options.linkshared and program:
        names = [("main.main", "entry point"), ("main..inittask", "entry point")]
    names.append(("runtime.unreachableMethod", STAND_IN))
    if options.buildmode == "plugin":
        path = path_to_prefix(options.pluginpath)
        names.append((f"{path}..inittask", "plugin"))
        names.append((f"{path}.main", "plugin"))
        names.append(("go:plugin.tabs", "plugin"))
        exports = symbols.lookup("go:plugin.exports")
        if exports:
            # The symbol itself is not kept: the table of exports is made anew.
            id_ = np.array([exports])
            found = objects.relocs(symbols.object[id_], symbols.local[id_])
            roots += [(int(target), "plugin export") for target in found.target]
    for name, why in names:
        for version in sorted({0, arch.abi_internal}):
            roots.append((symbols.lookup(name, version), why))
    exported = Flag.CGO_EXPORT_STATIC if mode.external else Flag.CGO_EXPORT_DYNAMIC
    marked = np.flatnonzero(symbols.marked(exported | Flag.WASM_EXPORT)).tolist()
    # An export has a name there, given in the order of the directives.
    named = {sym: i for i, sym in enumerate(symbols.extnames)}
    marked.sort(key=lambda sym: named.get(sym, len(named)))
    roots += [(sym, "exported to C") for sym in marked]
    roots.append((inittasks, "initialisers of packages"))
    roots += more
    return [(sym, why) for sym, why in roots if sym]
