"""elfimage: whole files, read by pyelftools."""

from __future__ import annotations

import io
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import NoteSection, SymbolTableSection

from linkpipe import reloctype as rt
from linkpipe.engine.context import Link
from linkpipe.errors import InputError
from linkpipe.passes.elfimage import elfimage
from linkpipe.passes.elfsymtab import elfsymtab
from linkpipe.passes.relocate import relocate
from linkpipe.symkind import SymKind
from linkpipe.tables.elfprep import ElfPrep
from linkpipe.tables.mode import Mode
from tests.tiny import EXTERNAL, INTERNAL, Tiny


def program(mode: Mode = INTERNAL, **flags: Any) -> Tiny:
    """An entry point, a constant, a variable, and some zeros."""
    p = Tiny(mode, **flags)
    start = p.symbol("_rt0", kind=SymKind.STEXT, content=bytes(16))
    text = p.symbol("runtime.text", kind=SymKind.STEXT)
    const = p.symbol("main.c", kind=SymKind.SRODATA, content=b"constant")
    var = p.symbol("main.v", kind=SymKind.SDATA, content=bytes(16))
    zero = p.symbol("main.z", kind=SymKind.SBSS, size=64)
    p.reloc(start, rt.R_PCREL, var, offset=4)
    p.reloc(var, rt.R_ADDR, const, size=8)
    p.section(".text", 0x401000, [text, start], rwx=5)
    p.section(".rodata", 0x402000, [const], rwx=4)
    p.section(".data", 0x403000, [var])
    p.section(".bss", 0x403010, [zero], zeros=True)
    if mode.external:
        p.section(".tbss", 0x403050, [p.tlsg], zeros=True)
    return p


def whole(link: Link) -> tuple[Link, ELFFile]:
    """The link with its whole file, and the file read back."""
    notes = ElfPrep(b"\x01" * 20, b"id", link.elf.unreachable_method, link.elf.got)
    link = elfimage(elfsymtab(relocate(link.evolve(elf=notes))))
    return link, ELFFile(io.BytesIO(link.image.tobytes()))


def test_executable() -> None:
    """Headers, notes, sorted sections and symbols of a static executable."""
    link, file = whole(program().link())
    assert file["e_type"] == "ET_EXEC"
    assert file["e_entry"] == 0x401000
    assert [s.name for s in file.iter_sections()] == [
        "",
        ".note.go.buildid",
        ".note.gnu.build-id",
        ".text",
        ".rodata",
        ".data",
        ".bss",
        ".symtab",
        ".strtab",
        ".shstrtab",
    ]
    notes = file.get_section_by_name(".note.gnu.build-id")
    assert isinstance(notes, NoteSection)
    note = next(iter(notes.iter_notes()))
    assert (note["n_name"], note["n_type"]) == ("GNU", "NT_GNU_BUILD_ID")
    loads = [s for s in file.iter_segments() if s["p_type"] == "PT_LOAD"]
    assert loads[0]["p_vaddr"] == 0x400000
    assert loads[0]["p_offset"] == 0
    assert loads[1]["p_memsz"] - loads[1]["p_filesz"] == 64
    for segment in loads:
        assert segment["p_offset"] % 4096 == segment["p_vaddr"] % 4096
    symbols = file.get_section_by_name(".symtab")
    assert isinstance(symbols, SymbolTableSection)
    found = symbols.get_symbol_by_name("_rt0")
    assert found is not None
    entry = found[0]
    assert entry["st_value"] == 0x401000
    assert file.get_section(entry["st_shndx"]).name == ".text"
    rodata = file.get_section_by_name(".rodata")
    assert rodata is not None
    assert rodata.data() == b"constant"
    assert not link.image.flags.writeable


def test_stripped_executable() -> None:
    """-s: no symbol table, and the file ends with the section names."""
    link, file = whole(program(s=True).link())
    names = file.get_section_by_name(".shstrtab")
    assert names is not None
    assert file.get_section_by_name(".symtab") is None
    assert names["sh_offset"] + names["sh_size"] == len(link.image)


def test_object() -> None:
    """Sections in order of creation, relocations against symbols, a non-executable stack."""
    _, file = whole(program(EXTERNAL).link())
    assert file["e_type"] == "ET_REL"
    assert file.num_segments() == 0
    assert [s.name for s in file.iter_sections()] == [
        "",
        ".text",
        ".rodata",
        ".data",
        ".bss",
        ".tbss",
        ".symtab",
        ".strtab",
        ".shstrtab",
        ".rela.text",
        ".rela.rodata",
        ".rela.data",
        ".note.GNU-stack",
    ]
    table = file.get_section_by_name(".symtab")
    assert isinstance(table, SymbolTableSection)
    found = {}
    for section in file.iter_sections():
        if isinstance(section, RelocationSection):
            target = file.get_section(section["sh_info"])
            assert section.name == f".rela{target.name}"
            for r in section.iter_relocations():
                name = table.get_symbol(r["r_info_sym"]).name
                found[section.name, r["r_offset"]] = (name, r["r_info_type"], r["r_addend"])
    assert found == {
        (".rela.text", 4): ("main.v", 2, -4),
        (".rela.data", 0): ("main.c", 1, 0),
    }


@pytest.mark.parametrize(
    ("entry", "address"),
    [("0x10", 16), ("0777", 0o777), ("1_000", 1000), ("9" * 5000, 2**63 - 1), ("09", 0), ("0x", 0)],
)
def test_entry_by_number(entry: str, address: int) -> None:
    """As Go reads numbers: what is none is 0, what is too large the largest."""
    assert whole(program(E=entry).link())[1]["e_entry"] == address


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("nowhere", 'missing entry symbol "nowhere"'),
        ("\udcff", r'missing entry symbol "\\xff"'),
        ("main.v", "main.v: entry not text"),
    ],
)
def test_wrong_entry(entry: str, message: str) -> None:
    """-E with the name of nothing, or of no function."""
    with pytest.raises(InputError, match=message):
        whole(program(E=entry).link())


def test_entry_may_be_an_address() -> None:
    """-E 0x401234."""
    _, file = whole(program(E="0x401234").link())
    assert file["e_entry"] == 0x401234
