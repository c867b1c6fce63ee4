"""elfprep: what the ELF format wants of the symbol table before layout.

An object for the host linker carries the Go build id in a section of its own; an executable
gets it as a note among the headers, later.

The tables of dynamic linking (.dynsym, .got, .plt …) get their symbol ids here in any case,
for ids are given in a fixed order; only a dynamically linked executable will fill them, which
linkpipe does not write itself yet.

Source: cmd/link/internal/ld/elf.go (doelf, addgonote), lib.go:148 (setArchSyms).
Reads `symbols`, `mode`; provides `symbols`, `elf`.
"""

from __future__ import annotations

from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.formats import elf
from linkpipe.symkind import SymKind
from linkpipe.tables.elfprep import ElfPrep
from linkpipe.tables.symbols import Flag, SymbolsEdit

GO_NOTE, GO_BUILD_ID = b"Go\0\0", 4


@linkpass(requires=("symbols", "mode"), provides=("symbols", "elf"))
def elfprep(link: Link) -> Link:
    """Create the symbols that the ELF format needs, and settle the notes."""
    edit = link.symbols.edit()
    go_note = link.options.buildid.encode("utf-8", "surrogateescape")
    if link.mode.external and go_note:
        _note_section(edit, ".note.go.buildid", go_note, link.arch.endian)
    got = edit.lookup_or_create(".got")
    for name in (".plt", ".got.plt", ".dynamic", ".dynsym", ".dynstr"):
        edit.lookup_or_create(name)
    method = edit.lookup_or_create("runtime.unreachableMethod", link.arch.abi_internal)
    for name in (".rel", ".rela", ".rel.plt", ".rela.plt"):
        edit.lookup_or_create(name)
    prep = ElfPrep(link.options.build_note(link.release.hash), go_note, method, got)
    return link.evolve(symbols=edit.freeze(), elf=prep)


def _note_section(edit: SymbolsEdit, name: str, description: bytes, endian: str) -> None:
    sym = edit.lookup_or_create(name)
    edit.add_flags(sym, Flag.REACHABLE)
    edit.set(sym, kind=SymKind.SELFROSECT, align=4)
    edit.set_content(sym, elf.note_record(GO_NOTE, GO_BUILD_ID, description, endian))
