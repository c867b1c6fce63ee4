"""moduledata: the runtime's map of this module.

``runtime.moduledata`` tells the runtime where everything else is: function tables, text,
data and bss, types, initialisers, and what a plugin exports. The fields below are in the
order of the structure; each is one or more words, most of them addresses. What depends on
the layout of types is filled in by `typeorder`, which knows the offsets from the fact
`moduledata_fields`.

`moduledata_fields` says at which offset a field lies, in bytes.
Source: runtime/symtab.go (moduledata), cmd/link/internal/ld/symtab.go:574-796.
Reads `symbols`, `relocs`, `pclntab`, `moduledata`, `textsectmap`, `inittasks`, `ptab` if it is
there, `modulehashes` if it is there; provides `symbols`, `relocs`, `moduledata_fields`.
"""

from __future__ import annotations

from types import MappingProxyType

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError
from linkpipe.layout.datawords import go_slice, write_words
from linkpipe.symkind import SymKind
from linkpipe.tables.ptab import Ptab
from linkpipe.tables.shlibs import ModuleHashes
from linkpipe.tables.symbols import Flag, SymbolsEdit
from linkpipe.tables.words import Address, Word

_NONE = Ptab(exports=(), table=(0, 0, 0), path=(0, 0), hashes=(0, 0, 0))
_ALONE = ModuleHashes(name=(0, 0), hashes=(0, 0, 0))

_MARKERS = (
    "text etext noptrdata enoptrdata data edata bss ebss noptrbss enoptrbss covctrs ecovctrs "
    "end gcdata gcbss types"
).split()


@linkpass(
    requires=("symbols", "relocs", "pclntab", "moduledata", "textsectmap", "inittasks"),
    optional=("ptab", "modulehashes"),
    provides=("symbols", "relocs", "moduledata_fields"),
)
def moduledata(link: Link) -> Link:
    """Write the module data and point the runtime at it."""
    symbols, relocs, arch = link.symbols.edit(), link.relocs.edit(), link.arch
    fields = _fields(link, symbols)
    offsets, at = {}, 0
    for name, words in fields.items():
        offsets[name] = at
        at += len(words) * arch.ptrsize
    sym = link.moduledata
    write_words(symbols, relocs, arch, sym, [word for words in fields.values() for word in words])
    size = _size(link)
    if size < at:
        raise InputError(
            "the runtime's moduledata is too small",
            symbol="type:runtime.moduledata",
            expected=f"{at} bytes or more",
            found=f"{size} bytes",
            remedy="the runtime is of another Go version; rebuild it",
        )
    hasmain = link.options.buildmode in ("exe", "pie")
    symbols.set_content(sym, bytes(symbols.data(sym)) + bytes([hasmain]))
    symbols.set(sym, size=size)

    last = symbols.own("runtime.lastmoduledatap")
    symbols.add_flags(last, Flag.REACHABLE)
    if symbols.kind[last] != SymKind.SDYNIMPORT:
        symbols.set(last, kind=SymKind.SNOPTRDATA)
        write_words(symbols, relocs, arch, last, [Address(sym)])
    return link.evolve(
        symbols=symbols.freeze(),
        relocs=relocs.freeze(),
        moduledata_fields=MappingProxyType(offsets),
    )


def _fields(link: Link, symbols: SymbolsEdit) -> dict[str, tuple[Word, ...]]:
    """Every field up to ``hasmain``, in order; the rest of the structure is zero."""
    tables = link.pclntab
    size = symbols.size
    plugin = link.ptab if link.has("ptab") else _NONE
    tasks = link.inittasks[0]
    needs = link.modulehashes if link.has("modulehashes") else _ALONE

    def whole(sym: int, unit: int = 1) -> tuple[Word, ...]:
        return go_slice(sym, int(size[sym]) // unit)

    def marker(name: str) -> tuple[Word, ...]:
        return (Address(symbols.lookup(name)),)

    def table(name: str, unit: int) -> tuple[Word, ...]:
        sym = symbols.lookup(name)
        return whole(sym, unit) if sym else (0, 0, 0)

    values = {
        "pcHeader": (Address(tables.pcheader),),
        "funcnametab": whole(tables.funcnametab),
        "cutab": whole(tables.cutab, 4 if link.release.unit_words else 1),
        "filetab": whole(tables.filetab),
        "pctab": whole(tables.pctab),
        "pclntable": whole(tables.functab),
        "ftab": go_slice(tables.functab, tables.nfunc + 1),
        "findfunctab": (Address(tables.findfunctab),),
        "minpc": (Address(tables.first),),
        "maxpc": (Address(tables.last, int(size[tables.last])),),
        **{name: marker(f"runtime.{name}") for name in _MARKERS},
        "typedesclen": (0,),
        "etypes": marker("runtime.etypes"),
        "itaboffset": (0,),
        "itabsize": (0,),
        "rodata": marker("runtime.rodata"),
        "gofunc": marker("go:func.*"),
        "epclntab": marker("runtime.epclntab"),
        "textsectmap": go_slice(*link.textsectmap),
        "typelinks": table("runtime.typelink", 4),
        "itablinks": table("runtime.itablink", link.arch.ptrsize),
        "ptab": plugin.table,
        "pluginpath": plugin.path,
        "pkghashes": plugin.hashes,
        "inittasks": whole(tasks, link.arch.ptrsize) if tasks else (0, 0, 0),
        "modulename": needs.name,
        "modulehashes": needs.hashes,
    }
    return {name: values[name] for name in link.release.module_fields}


def _size(link: Link) -> int:
    """The size of the structure, which its type descriptor knows: a module without the
    runtime has no variable whose size could be taken."""
    type_ = link.symbols.lookup("type:runtime.moduledata")
    if not type_:
        raise InputError(
            "cannot find type:runtime.moduledata",
            remedy="the package runtime is missing or of another Go version",
        )
    data = bytes(link.symbols.data(type_)[: link.arch.ptrsize])
    return int.from_bytes(data, link.arch.byteorder)
