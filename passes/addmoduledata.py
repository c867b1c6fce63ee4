"""addmoduledata: let a module that is loaded later make itself known to the runtime.

The runtime finds functions, types and stack maps through a list of module data. A program's
own is the head of the list. That of a plugin is appended when the plugin is loaded: its
`.init_array` holds a pointer to a few instructions that pass the address of the module data
to `runtime.addmoduledata`. A module that contains the runtime and is not a plugin (a plugin's
host) needs none of it.

The instructions are the architecture's (`Architecture.addmoduledata`). A plugin's own copy of
runtime.addmoduledata, which nothing else reaches, is laid out before the initialiser.

Source: cmd/link/internal/ld/ld.go:219-254 (PrepareAddmoduledata), each architecture's gentext.
Reads `symbols`, `relocs`, `text_order`, `moduledata`, `objects`; provides `symbols`, `relocs`,
`text_order`.
"""

from __future__ import annotations

import numpy as np

from linkpipe import reloctype as rt
from linkpipe.arrays.columns import frozen
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.symkind import SymKind, is_text
from linkpipe.tables.relocs import RelocsEdit
from linkpipe.tables.symbols import Flag


@linkpass(
    requires=("symbols", "relocs", "text_order", "moduledata", "objects"),
    provides=("symbols", "relocs", "text_order"),
)
def addmoduledata(link: Link) -> Link:
    """Inject the initialiser that registers a plugin's module data."""
    writer = link.arch.addmoduledata
    if writer is None:
        return link
    plugin = link.options.buildmode == "plugin"
    edit, relocs = link.symbols.edit(), link.relocs.edit()
    callee = edit.lookup_or_create("runtime.addmoduledata")
    if bool(is_text(edit.kind[callee : callee + 1])[0]) and not plugin:
        return link.evolve(symbols=edit.freeze())
    edit.add_flags(callee, Flag.REACHABLE)
    _read_relocs(link, callee, relocs)

    stub = edit.lookup_or_create("go:link.addmoduledata")
    edit.add_flags(stub, Flag.REACHABLE | Flag.LOCAL)
    edit.set(stub, kind=SymKind.STEXT)
    added = [callee, stub] if plugin else [stub]

    entry = edit.lookup_or_create("go:link.addmoduledatainit")
    edit.add_flags(entry, Flag.REACHABLE | Flag.LOCAL)
    edit.set(entry, kind=SymKind.SINITARR)
    ptrsize = link.arch.ptrsize
    edit.set_content(entry, bytes(ptrsize))
    relocs.add(entry, offset=0, size=ptrsize, type=rt.R_ADDR, target=stub)

    edit.set_content(stub, writer.code)
    targets = {"moduledata": link.moduledata, "addmoduledata": callee}
    for r in writer.relocs:
        target = targets.get(r.target) or edit.lookup_or_create(r.target)
        relocs.add(stub, offset=r.offset, size=r.size, type=r.type, target=target, add=r.add)
    order = np.concatenate((link.text_order, np.array(added, np.int32)))
    return link.evolve(symbols=edit.freeze(), relocs=relocs.freeze(), text_order=frozen(order))


def _read_relocs(link: Link, sym: int, relocs: RelocsEdit) -> None:
    """Read the relocations of a function that reachability has not come to."""
    owner = link.symbols.object[sym : sym + 1] if sym < len(link.symbols) else np.zeros(1, int)
    if not int(owner[0]) or link.relocs.rows_of(sym) != slice(0, 0):
        return
    read = link.objects.relocs(owner, link.symbols.local[sym : sym + 1])
    for row in zip(*(column.tolist() for column in read[1:]), strict=True):
        offset, size, type_, weak, add, target = row
        relocs.add(sym, offset=offset, size=size, type=type_, weak=weak, add=add, target=target)
