"""elfprep: what the ELF format wants of the symbol table before layout.

An object for the host linker carries the Go build id in a section of its own; an executable
gets it as a note among the headers, later.

The tables of dynamic linking (.dynsym, .got, .plt …) get their symbol ids here in any case,
for ids are given in a fixed order; a dynamically linked executable gets more of them, and fills
them later. What it exports is noted as it is now, which is when the oracle writes it there.

Source: cmd/link/internal/ld/elf.go (doelf, addgonote, elfadddynsym), go.go (addexport), lib.go:148
(setArchSyms).
Reads `symbols`, `objects`, `mode`, `cgo` if it is there, `host_files` if it is there; provides
`symbols`, `elf`.
"""

from __future__ import annotations

from types import MappingProxyType

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError
from linkpipe.layout.ownsections import note_section
from linkpipe.symkind import SymKind
from linkpipe.tables.elfprep import ElfPrep
from linkpipe.tables.symbols import Flag, SymbolsEdit

GO_NOTE, GO_BUILD_ID = b"Go\0\0", 4

_TABLES = {
    ".dynsym": SymKind.SELFROSECT,
    ".dynstr": SymKind.SELFROSECT,
    ".rel": SymKind.SELFROSECT,
    ".got": SymKind.SELFGOT,
    ".hash": SymKind.SELFROSECT,
    ".got.plt": SymKind.SELFSECT,
    ".plt": SymKind.SELFRXSECT,
    ".rel.plt": SymKind.SELFROSECT,
    ".gnu.version": SymKind.SELFROSECT,
    ".gnu.version_r": SymKind.SELFROSECT,
    ".dynamic": SymKind.SELFSECT,
}
"""The tables of a dynamically linked executable, and the kinds that they have where it is bound to
an address."""


@linkpass(
    requires=("symbols", "objects", "mode"),
    optional=("cgo", "host_files"),
    provides=("symbols", "elf"),
)
def elfprep(link: Link) -> Link:
    """Create the symbols that the ELF format needs, and settle the notes."""
    edit = link.symbols.edit()
    if link.mode.dynamic:
        _dynamic_tables(link, edit)
    go_note = link.options.buildid.encode("utf-8", "surrogateescape")
    if link.mode.external and go_note:
        note_section(edit, ".note.go.buildid", GO_NOTE, GO_BUILD_ID, go_note, link.arch.endian)
    got = _reserve(link, edit, ".got")
    for name in (".plt", ".got.plt", ".dynamic", ".dynsym", ".dynstr"):
        _reserve(link, edit, name)
    method = edit.lookup_or_create("runtime.unreachableMethod", link.arch.abi_internal)
    edit.add_flags(method, Flag.REACHABLE)
    for name in (".rel", ".rela", ".rel.plt", ".rela.plt"):
        _reserve(link, edit, name)
    note, symbols = link.options.build_note(link.release.hash), edit.freeze()
    exported = {
        sym: (SymKind(int(symbols.kind[sym])), int(symbols.data_size[sym]))
        for sym in (link.cgo.exports if link.has("cgo") else ())
    }
    prep = ElfPrep(note, go_note, method, got, MappingProxyType(exported))
    return link.evolve(symbols=symbols, elf=prep)


def _dynamic_tables(link: Link, edit: SymbolsEdit) -> None:
    """Make the tables that the dynamic linker reads, or writes to and then protects."""
    protected = {".got", ".dynamic"} if link.options.relocatable else set()
    if protected:
        _refuse_another(link)
    if protected and link.options.bindnow:
        protected.add(".got.plt")
    for name, kind in _TABLES.items():
        if link.arch.rela:
            name = name.replace(".rel", ".rela")
        edit.own(name)
        sym = _reserve(link, edit, name)
        edit.set(sym, kind=SymKind.SELFRELROSECT if name in protected else kind)
        edit.add_flags(sym, Flag.REACHABLE)


def _refuse_another(link: Link) -> None:
    """Refuse a second table of addresses, which would not be protected: the oracle makes two
    sections of one name."""
    symbols, files = link.symbols, link.host_files if link.has("host_files") else {}
    for sym in symbols.of_kind(SymKind.SELFGOT).tolist():
        if sym in files:
            raise InputError(
                f"{symbols.name(sym)}: a C object defines it, and the linker makes it itself",
                file=files[sym],
                remedy="link with -buildmode=exe, or with -ldflags=-linkmode=external",
            )


def _reserve(link: Link, edit: SymbolsEdit, name: str) -> int:
    """The symbol of this name, which need not be the linker's own: what C objects call so is left
    to them where no table is made, and common variables are kept. The oracle keeps one that a Go
    package defines without what it refers to."""
    sym = edit.lookup_or_create(name)
    if sym < len(link.symbols) and link.symbols.object[sym]:
        raise InputError(
            f"{name} is a table of the linker's own, and a package defines it",
            symbol=name,
            file=link.objects.names[int(link.symbols.object[sym])],
            remedy="give the symbol another name",
        )
    if int(edit.flags[sym]) & (Flag.OF_C | Flag.INTERIOR) == Flag.OF_C:
        edit.add_flags(sym, Flag.REACHABLE)
    return sym
