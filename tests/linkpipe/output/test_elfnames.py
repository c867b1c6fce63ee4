"""Names of sections where a release lists them all."""

from __future__ import annotations

from linkpipe.flags.options import Options
from linkpipe.formats.elf import listed_table
from linkpipe.output.elfnames import every_name
from linkpipe.tables.elfprep import ElfPrep
from linkpipe.testing.links import release
from tests.tiny import INTERNAL, PLUGIN


def test_names_of_an_executable() -> None:
    """As go1.25's linker writes them for a program without symbol table."""
    options = Options(E="_rt0", buildmode="exe", s=True, w=True)
    prep = ElfPrep(b"note", b"go", 0, 0)
    assert every_name(options, INTERNAL, prep, ".rela", ()) == (
        " .text .noptrdata .data .bss .noptrbss .go.fuzzcntrs .go.buildinfo .go.fipsinfo "
        ".note.gnu.build-id .note.go.buildid .elfdata .rodata .typelink .itablink .gosymtab "
        ".gopclntab .shstrtab"
    ).split(" ")


def test_names_of_a_plugins_object() -> None:
    """Those of relocations too, and each debug section's beside it; -s is the host linker's."""
    options = Options(E="_rt0", buildmode="plugin", s=True, w=False)
    prep = ElfPrep(b"", b"go", 0, 0)
    debug = release("1.25").debug_names[True]
    names = every_name(options, PLUGIN, prep, ".rela", debug)
    assert names[names.index(".init_array") :] == [
        *(".init_array", ".rela.init_array", ".symtab", ".strtab"),
        *(name for end in debug for name in (f".debug_{end}", f".rela.debug_{end}")),
        ".shstrtab",
    ]
    assert [name for name in names if name.endswith(".gopclntab")] == [
        ".data.rel.ro.gopclntab",
        ".rela.data.rel.ro.gopclntab",
    ]


def test_a_table_keeps_what_is_listed_twice_and_adds_what_is_not() -> None:
    blob, at = listed_table(["", ".a", ".b", ".a"], [".b", ".own", ".a", ""])
    assert blob == b"\0.a\0.b\0.a\0.own\0"
    assert at == [4, 10, 1, 0]
