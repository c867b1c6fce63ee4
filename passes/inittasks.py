"""inittasks: the order in which packages are initialised.

A package that has something to initialise has a symbol ``p..inittask``, the list of its
initialisers; relocations of type R_INITORDER lead from it to those of the packages it
imports, which must run first. The runtime wants a flat list in a valid order. Of all
valid orders the oracle takes the lexicographic one: at every step the first package, by
name, whose imports are all done. So the order does not depend on how tasks were found.

Two lists are made: the main one, from the main package (or, for a plugin, from its package, for a
shared library from each of its packages), and the runtime's own, which runs before the rest and is
stored in the variable ``runtime.runtime_inittasks``. A task without initialisers (a header of 8
bytes and no more) takes part in the ordering and is left out of the list.

`inittasks` are the ids of the two lists, 0 for none; `relocs` has so far only those of symbols that
the linker makes.
Source: cmd/link/internal/ld/inittask.go.
Reads `symbols`, `objects`, `packages`, `relocs` if it is there; provides `symbols`, `relocs`,
`inittasks`.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

import numpy as np

from linkpipe.arrays.ragged import owners
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError
from linkpipe.formats.importpath import path_to_prefix
from linkpipe.reloctype import R_ADDR, R_INITORDER
from linkpipe.symkind import SymKind
from linkpipe.tables.relocs import Relocs, RelocsEdit
from linkpipe.tables.symbols import Flag, Symbols, SymbolsEdit

_HEADER = 8
_MAIN = ("main",)


@linkpass(
    requires=("symbols", "objects", "packages"),
    optional=("relocs",),
    provides=("symbols", "relocs", "inittasks"),
)
def inittasks(link: Link) -> Link:
    """Put the packages' initialisers into order."""
    symbols = link.symbols.edit()
    relocs = (link.relocs if link.has("relocs") else Relocs.empty(len(link.symbols))).edit()
    roots: tuple[str, ...] = _MAIN
    name = "go:main.inittasks"
    if link.options.buildmode == "plugin":
        roots, name = (link.options.pluginpath,), "go:plugin.inittasks"
    elif link.options.buildmode == "shared":
        roots = tuple(package.path for package in link.packages.items)
        name = "go:shlib.inittasks"
    main = _make_list(link, symbols, relocs, roots, name)
    if roots is not _MAIN and main:
        # Every plugin has such a list; they must not replace one another.
        symbols.add_flags(main, Flag.LOCAL)
    runtime = 0
    variable = link.symbols.lookup("runtime.runtime_inittasks")
    if variable:
        runtime = _make_list(link, symbols, relocs, ("runtime",), "go:runtime.inittasks")
        _set_slice(link, symbols, relocs, variable, runtime)
    return link.evolve(symbols=symbols.freeze(), relocs=relocs.freeze(), inittasks=(main, runtime))


def schedule(names: Mapping[int, bytes], imports: Mapping[int, Sequence[int]]) -> list[int]:
    """The lexicographic order of tasks in which imports come first.

    ``names``: the sort key of each task; ``imports``: the tasks that must precede it. Tasks on
    a cycle are left out, and so is what depends on them.

    Of all topological orders, the one whose sequence of names is smallest.
    """
    missing = {task: len(before) for task, before in imports.items()}
    importers: dict[int, list[int]] = {task: [] for task in imports}
    for task, before in imports.items():
        for other in before:
            importers[other].append(task)
    ready = [(names[task], task) for task, count in missing.items() if not count]
    heapq.heapify(ready)
    order = []
    while ready:
        _, task = heapq.heappop(ready)
        order.append(task)
        for other in importers[task]:
            missing[other] -= 1
            if not missing[other]:
                heapq.heappush(ready, (names[other], other))
    return order


def _make_list(
    link: Link, symbols: SymbolsEdit, relocs: RelocsEdit, packages: Sequence[str], name: str
) -> int:
    """A new symbol that points to the tasks to run for the packages, 0 when they have none."""
    found = [link.symbols.lookup(f"{path_to_prefix(path)}..inittask") for path in packages]
    roots = [root for root in found if root]
    if not roots:
        return 0
    imports = _imports(link, roots)
    names = dict(zip(imports, link.symbols.names(list(imports)), strict=True))
    order = schedule(names, imports)
    if len(order) < len(imports):
        stuck = min(names[task] for task in imports.keys() - set(order))
        raise InputError(
            f"inittask for {stuck.decode('utf-8', 'replace')} is not schedulable",
            remedy="packages import each other in a cycle; rebuild them from one source",
        )
    tasks = [task for task in order if link.symbols.size[task] > _HEADER]
    size = link.arch.ptrsize
    made = symbols.create_static(name)
    symbols.set_content(made, bytes(size * len(tasks)))
    symbols.set(made, kind=SymKind.SNOPTRDATA)
    for i, task in enumerate(tasks):
        relocs.add(made, offset=i * size, size=size, type=R_ADDR, target=task)
    return made


def _imports(link: Link, roots: list[int]) -> dict[int, list[int]]:
    """For each task that the roots need, they included, the tasks that must precede it."""
    symbols: Symbols = link.symbols
    imports: dict[int, list[int]] = {root: [] for root in roots}
    wave = list(imports)
    while wave:
        ids = np.array(wave)
        found = link.objects.relocs(symbols.object[ids], symbols.local[ids])
        rows = np.flatnonzero((found.type == R_INITORDER) & (found.target != 0))
        owner = ids[owners(found.counts)[rows]].tolist()
        wave = []
        for task, before in zip(owner, found.target[rows].tolist(), strict=True):
            imports[task].append(before)
            if before not in imports:
                imports[before] = []
                wave.append(before)
    return imports


def _set_slice(
    link: Link, symbols: SymbolsEdit, relocs: RelocsEdit, variable: int, items: int
) -> None:
    """Make a variable the slice of all words of ``items``."""
    word = link.arch.ptrsize
    count = (int(symbols.size[items]) // word).to_bytes(word, link.arch.byteorder)
    symbols.set_content(variable, bytes(word) + count + count)
    symbols.set(variable, kind=SymKind.SNOPTRDATA)
    relocs.clear(variable)
    relocs.add(variable, offset=0, size=word, type=R_ADDR, target=items)
