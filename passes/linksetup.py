"""linksetup: what the runtime is told about this link, and the order of functions.

Some runtime variables are set by the linker: whether this is a library, how large
thread-local storage is, whether memory profiling can be dropped because nothing reaches it.
The module data symbol is chosen: the runtime's own in a program, a local one in a module
that has no runtime or, being a plugin, brings a second copy of it.

Packages are put into dependency order, and functions into package order: first the
packages that the runtime is made of, then the others; within a package its own functions,
then those that other packages may define too (DUPOK), which belong to the first package
that lays them out, and those that the linker has changed.

`moduledata` and `tlsg` are symbol ids; `packages` get their `postorder`.
Source: cmd/link/internal/ld/lib.go:807-954 (linksetup), loader.go:2792-2886
(AssignTextSymbolOrder), cmd/internal/objabi/pkgspecial.go.
Reads `symbols`, `objects`, `packages`, `mode`, `host_text` if it is there; provides `symbols`,
`packages`, `moduledata`, `tlsg`, `text_order`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.columns import frozen
from linkpipe.arrays.types import I32, I64
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.kernels.spans import where
from linkpipe.layout.ownvariables import own_variable
from linkpipe.symkind import SymKind, is_data, is_text
from linkpipe.tables.packages import Packages
from linkpipe.tables.symbols import Flag, SymbolsEdit
from linkpipe.values import evolve

_LIBRARY_FLAGS = {
    "c-archive": "runtime.isarchive",
    "c-shared": "runtime.islibrary",
    "plugin": "runtime.islibrary",
}
"""By which variable the runtime learns that it is in a library, by build mode."""


@linkpass(
    requires=("symbols", "objects", "packages", "mode"),
    optional=("host_text",),
    provides=("symbols", "packages", "moduledata", "tlsg", "text_order"),
)
def linksetup(link: Link) -> Link:
    """Set up linker-defined runtime variables and the order of functions."""
    edit = link.symbols.edit()
    flag = _LIBRARY_FLAGS.get(link.options.buildmode)
    if flag:
        _append_true(edit, edit.own(flag))
    tlsg = _tlsg(link, edit)
    moduledata = _moduledata(link, edit)
    if link.arch.table_import and link.mode.pic:
        table = edit.own(link.arch.table_import)
        edit.set(table, kind=SymKind.SDYNIMPORT)
        edit.add_flags(table, Flag.REACHABLE)
    packages = evolve(link.packages, postorder=_postorder(link.packages))
    order, moved = _text_order(link, packages)
    for sym, path in moved.items():
        edit.set_package(sym, path)
    return link.evolve(
        symbols=edit.freeze(),
        packages=packages,
        moduledata=moduledata,
        tlsg=tlsg,
        text_order=order,
    )


def _append_true(edit: SymbolsEdit, sym: int) -> None:
    """Append a byte 1 to a variable's content, and one to its size. The runtime declares these
    variables without content, so the byte comes first and is the one that the runtime reads;
    the size grows beyond what it declared."""
    size = int(edit.size[sym])
    edit.set_content(sym, bytes(edit.data(sym)) + b"\1")
    edit.set(sym, kind=SymKind.SNOPTRDATA, size=size + 1)


def _tlsg(link: Link, edit: SymbolsEdit) -> int:
    """The thread-local word that holds the running goroutine, for host linkers."""
    tlsg = edit.own("runtime.tlsg")
    kind = int(edit.kind[tlsg])
    if kind == SymKind.Sxxx:
        edit.set(tlsg, kind=SymKind.STLSBSS, size=link.arch.ptrsize)
    elif kind != SymKind.SDYNIMPORT:
        raise InputError(
            f"runtime declared tlsg variable {SymKind(kind).name}",
            symbol="runtime.tlsg",
            status=2,
            remedy="the linker defines this symbol; remove its definition",
        )
    edit.add_flags(tlsg, Flag.REACHABLE)
    return tlsg


def _moduledata(link: Link, edit: SymbolsEdit) -> int:
    plugin = link.options.buildmode == "plugin"
    name = "local.pluginmoduledata" if plugin else "runtime.firstmoduledata"
    sym = own_variable(edit, name, link.objects.names)
    if plugin:
        edit.add_flags(sym, Flag.LOCAL)
    if int(edit.kind[sym]) not in (SymKind.Sxxx, SymKind.SDYNIMPORT):
        # The module contains the runtime, which declares the variable: its content is made here.
        edit.set_content(sym, b"")
        _runtime_variables(link, edit)
        _disable_memory_profiling(link, edit)
    else:
        sym = edit.own("local.moduledata")
        edit.add_flags(sym, Flag.LOCAL)
    edit.set(sym, kind=link.release.module_kind)
    edit.add_flags(sym, Flag.REACHABLE)
    return sym


def _runtime_variables(link: Link, edit: SymbolsEdit) -> None:
    """Tell the runtime which variant of the architecture this is for."""
    arch = link.arch
    if arch.setting and arch.runtime_variables:
        setting = arch.setting.value(link.options.environment.variables)
        for name, content in arch.runtime_variables(setting).items():
            sym = edit.own(name)
            edit.set_content(sym, content)
            edit.set(sym, kind=SymKind.SNOPTRDATA)


def _disable_memory_profiling(link: Link, edit: SymbolsEdit) -> None:
    """Tell the runtime not to sample allocations when nothing can ask for the samples."""
    profile = edit.lookup("runtime.memProfileInternal", link.arch.abi_internal)
    if profile and not int(edit.flags[profile]) & Flag.REACHABLE and not link.mode.dynlink:
        sym = edit.own("runtime.disableMemoryProfiling")
        edit.set_content(sym, b"\1")
        edit.set(sym, kind=SymKind.SNOPTRDATA)


def _postorder(packages: Packages) -> tuple[int, ...]:
    """Rows in dependency order: imports before importers, roots in load order."""
    order: list[int] = []
    state = [0] * len(packages.items)  # 0 new, 1 on the path, 2 done
    for root in range(len(packages.items)):
        stack = [] if state[root] else [(root, iter(packages.items[root].imports))]
        state[root] = state[root] or 1
        while stack:
            row, imports = stack[-1]
            for imported in imports:
                if state[imported] == 1:
                    path = packages.items[imported].path
                    raise InputError(
                        f"found import cycle while visiting {path}",
                        file=packages.items[imported].file,
                        remedy="packages cannot import each other; rebuild them from one source",
                    )
                if not state[imported]:
                    state[imported] = 1
                    stack.append((imported, iter(packages.items[imported].imports)))
                    break
            else:
                state[row] = 2
                order.append(row)
                stack.pop()
    return tuple(order)


def _text_order(link: Link, packages: Packages) -> tuple[I32, dict[int, str]]:
    """Reachable functions in layout order, those that the linker made first, and the packages
    of those that move to another package's room."""
    objects, symbols = link.objects, link.symbols
    ids = objects.local_to_id
    reachable = symbols.marked(Flag.REACHABLE)
    wanted = is_text(symbols.kind) & reachable
    # A variable wins over a function that others may define, too.
    variables = is_data(symbols.kind) & reachable & ~symbols.marked(Flag.DUPOK)
    rows = where(ids, (wanted | variables).view(np.uint8))
    owner = np.searchsorted(objects.local_base, rows, side="right") - 1
    local = rows - objects.local_base[owner]
    # Definitions only, and only records that are code themselves (a variable of the same name
    # may have lost to the function).
    at = objects.blocks[owner, goobj.SYMDEF] + local * goobj.SYM.itemsize
    record = objects.arena.records(at, goobj.SYM)
    keep = (local < objects.defined[owner]) & is_text(objects.format.kinds[record["type"]])
    rows, owner, local, record = rows[keep], owner[keep], local[keep], record[keep]
    syms = ids[rows]
    _refuse_variables(link, syms, owner)
    shared = (
        (symbols.object[syms] != owner)
        | (symbols.local[syms] != local)
        | ((record["flag"] & np.uint8(Flag.DUPOK)) != 0)
        | symbols.has(syms, Flag.REPLACED)
    )
    rank = np.zeros(len(packages.items), np.int64)
    for place, row in enumerate(packages.postorder):
        late = not link.release.is_runtime(packages.items[row].path)
        rank[row] = place + late * len(rank)
    package = objects.package[owner]
    order = np.lexsort((rows, shared, rank[package]))
    syms, package, shared = syms[order], package[order], shared[order]
    first = np.sort(np.unique(syms, return_index=True)[1])
    syms, package, shared = syms[first], package[first], shared[first]
    home = objects.package[symbols.object[syms]]
    moved = np.flatnonzero(shared & (home != package))
    paths = {int(syms[i]): packages.items[int(package[i])].path for i in moved.tolist()}
    made = np.arange(symbols.made, len(symbols))
    made = made[wanted[symbols.made :]]
    if link.has("host_text"):
        host = link.host_text
        made = np.concatenate((host[wanted[host]], made[~np.isin(made, host)]))
    syms = np.concatenate((made, syms))
    return frozen(syms.astype(np.int32)), paths


def _refuse_variables(link: Link, syms: I32, owner: I64) -> None:
    """Refuse reachable functions, each defined by the object ``owner``, in whose place there is a
    variable: who calls one would run data. The oracle ends with an error about itself there."""
    symbols, objects = link.symbols, link.objects
    for row in np.flatnonzero(~is_text(symbols.kind[syms]))[:1].tolist():
        name, home = symbols.name(int(syms[row])), int(symbols.object[syms[row]])
        function, variable = (
            link.packages.items[int(objects.package[obj])].path for obj in (owner[row], home)
        )
        raise InputError(
            f"{variable}: {name} is a variable, and a function in {function}",
            file=objects.names[home],
            status=1,
            remedy="declare it as a function without a body, or give it another name",
        )
