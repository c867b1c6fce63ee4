"""The names of sections in the order in which some releases list them all.

Before Go 1.26 .shstrtab holds every name that a link of its kind might need, whether there is such
a section or not, in the order in which the oracle adds them.
Source: cmd/link/internal/ld/elf.go, doelf; dwarf.go, dwarfaddshstrings (Go 1.25).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from linkpipe.flags.options import Options

if TYPE_CHECKING:
    from linkpipe.tables.elfprep import ElfPrep
    from linkpipe.tables.mode import Mode


def every_name(
    options: Options, mode: Mode, prep: ElfPrep, rel: str, debug: Sequence[str]
) -> list[str]:
    """All of them; ``rel`` starts the name of a section with relocations, ``debug`` are what the
    names of debug sections end in."""
    external, relro = mode.external, ".data.rel.ro" if options.relocatable else ""
    tables = [f"{relro}{name}" for name in (".typelink", ".itablink", ".gosymtab", ".gopclntab")]
    names = ["", ".text", ".noptrdata", ".data", ".bss", ".noptrbss", ".go.fuzzcntrs"]
    names += [".go.buildinfo", ".go.fipsinfo"]
    names += [".tbss"] if external or mode.dynamic else []
    names += [".note.gnu.build-id"] if prep.build_note else []
    names += [".note.go.buildid"] if prep.go_note else []
    names += [".elfdata", ".rodata"]
    names += [relro] if relro else []
    names += tables
    if external:
        moved = [".text", ".rodata", *tables, ".noptrdata", ".data"]
        moved += [relro] if relro else []
        names += [f"{rel}{name}" for name in (*moved, ".go.buildinfo", ".go.fipsinfo")]
        names.append(".note.GNU-stack")
        if options.buildmode == "shared":
            names += [".note.go.abihash", ".note.go.pkg-list", ".note.go.deps"]
    if options.buildmode in ("c-archive", "c-shared", "shared", "plugin") or options.linkshared:
        names += [".init_array", f"{rel}.init_array"]
    # The host linker strips, so its object has all symbols.
    names += [".symtab", ".strtab"] if external or not options.s else []
    if not options.w:
        for end in debug:
            names.append(f".debug_{end}")
            names += [f"{rel}.debug_{end}"] if external else []
    names.append(".shstrtab")
    if mode.dynamic:
        names += [".interp", ".hash", ".got", ".got.plt", ".dynamic", ".dynsym", ".dynstr"]
        names += [rel, f"{rel}.plt", ".plt", ".gnu.version", ".gnu.version_r"]
    return names
