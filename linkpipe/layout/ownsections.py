"""Sections that a pass brings: each is one symbol, whose name is the section's.

The layout gives every symbol of two kinds a section of its own (cmd/link/internal/ld/data.go,
allocateDataSections), in an executable and in an object for the host linker alike. What is not
loaded lies behind all that is, among the debug sections, with -w too.
"""

from __future__ import annotations

import numpy as np

from linkpipe.errors import InputError
from linkpipe.formats.elf import note_record
from linkpipe.symkind import SymKind
from linkpipe.tables.dwarf import DebugSection
from linkpipe.tables.symbols import Flag, SymbolsEdit


def own_section(
    edit: SymbolsEdit, name: str, content: bytes, *, writable: bool = False, align: int = 1
) -> int:
    """A section that is loaded with the program, read-only or ``writable``, at a multiple of
    ``align`` bytes; the symbol that is in it. Relocations and references to it are as to any
    symbol. For a pass before ``symbols-final``; a second call replaces the content.

    Raises ValueError for an ``align`` that is no power of two and for a name that does not begin
    with a dot, InputError where the symbol is something else, a package's or the linker's. A name
    that the link gives a section anyhow is refused when the file is written.
    """
    if align < 1 or align & (align - 1):
        raise ValueError(f"{align} is no power of two")
    kind = SymKind.SELFSECT if writable else SymKind.SELFROSECT
    sym = _own(edit, name, content)
    edit.set(sym, kind=kind, align=align)
    return sym


def note_section(
    edit: SymbolsEdit, name: str, owner: bytes, tag: int, description: bytes, endian: str
) -> int:
    """A section ``name``, ".note.acme", with one ELF note, which `readelf -n` shows; its symbol.
    ``owner`` ends with a zero byte, ``tag`` says what of the owner's it is, and ``endian`` is the
    architecture's. There is no program header for it: what is looked for at run time is found by
    section. For a pass before ``symbols-final``, as with ``own_section``. Raises ValueError for a
    name that does not begin with ".note", InputError as ``own_section`` does."""
    if not name.startswith(".note"):
        raise ValueError(f'"{name}" is no name of a note section: it begins with ".note"')
    return own_section(edit, name, note_record(owner, tag, description, endian), align=4)


def unloaded_section(
    sections: tuple[DebugSection, ...], edit: SymbolsEdit, name: str, content: bytes
) -> tuple[DebugSection, ...]:
    """The fact ``debug_sections`` (or (), where it is not there: -w) with one more section, which
    is in the file but not in memory, and compressed as the others are. For a pass before
    ``datalayout``, behind those that make debug information. Raises ValueError for a name that a
    section has already, InputError where a package defines the symbol."""
    if any(section.name == name for section in sections):
        raise ValueError(f"there is a section {name} already")
    sym = _own(edit, name, content)
    edit.set(sym, kind=SymKind.SDWARFSECT)
    return (*sections, DebugSection(name, np.array([sym])))


_OWN = (SymKind.Sxxx, SymKind.SELFROSECT, SymKind.SELFSECT, SymKind.SDWARFSECT)


def _own(edit: SymbolsEdit, name: str, content: bytes) -> int:
    if not name.startswith(".") or "\0" in name:
        raise ValueError(f"{name!r} is no name of a section: it begins with a dot")
    sym = edit.lookup_or_create(name)
    if edit.object[sym]:
        raise InputError(
            f"{name} is to be a section of the linker's, and a package defines that symbol",
            symbol=name,
            remedy="give one of them another name",
        )
    if edit.kind[sym] not in _OWN:
        raise InputError(
            f"{name} is to be a section of the linker's, and is something else already",
            symbol=name,
            remedy="give it another name",
        )
    edit.set_content(sym, content)
    edit.add_flags(sym, Flag.REACHABLE)
    return sym
