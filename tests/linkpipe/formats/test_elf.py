"""What the ELF writers write, read by somebody else."""

from __future__ import annotations

import io

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.formats import elf
from linkpipe.formats.elf import ProgramHeader, SectionHeader, SectionType, SegmentType

BOTH = pytest.mark.parametrize(("elf_class", "endian"), [(1, "<"), (1, ">"), (2, "<"), (2, ">")])


@BOTH
def test_headers_are_read_back(elf_class: int, endian: str) -> None:
    """Every field stands where pyelftools looks for it, in both classes and byte orders."""
    names, at = elf.shared_suffix_table(["", ".rela.text", ".text", ".shstrtab"], ".rela")
    entsize = elf.reloc_dtype(elf_class, endian, rela=True).itemsize
    load = ProgramHeader(SegmentType.LOAD, elf.PF_R | elf.PF_X, 4096, 0x11000, 100, 200, 4096)
    head = elf.header_size(elf_class)
    program = elf.program_headers([load], elf_class, endian)
    headers = [
        SectionHeader(""),
        SectionHeader(".rela.text", SectionType.RELA, link=3, info=2, entsize=entsize),
        SectionHeader(".text", SectionType.PROGBITS, elf.SHF_ALLOC, 0x11000, 4096, 100, align=16),
        SectionHeader(".shstrtab", SectionType.STRTAB, offset=2000, size=len(names), align=1),
    ]
    section = elf.section_headers(headers, at, elf_class, endian)
    file = elf.FileHeader(
        elf_class, endian, elf.FileType.EXEC, 62, 7, 0x11010, head, 1, head + len(program), 4, 3
    )
    blob = elf.join(
        [
            (0, file.to_bytes()),
            (head, program),
            (head + len(program), section),
            (2000, names),
        ],
        4096,
    )
    seen = ELFFile(io.BytesIO(blob))
    assert seen.elfclass == 32 * elf_class
    assert seen.little_endian == (endian == "<")
    assert (seen["e_entry"], seen["e_flags"], seen["e_machine"]) == (0x11010, 7, "EM_X86_64")
    segment = seen.get_segment(0)
    assert (segment["p_vaddr"], segment["p_filesz"], segment["p_memsz"]) == (0x11000, 100, 200)
    assert [s.name for s in seen.iter_sections()] == ["", ".rela.text", ".text", ".shstrtab"]
    text = seen.get_section_by_name(".text")
    assert text is not None
    assert (text["sh_addr"], text["sh_offset"], text["sh_addralign"]) == (0x11000, 4096, 16)
    assert seen.get_section(1)["sh_info"] == 2


@BOTH
def test_record_sizes(elf_class: int, endian: str) -> None:
    """The sizes that the specification gives."""
    wide = elf_class == 2
    assert elf.symbol_dtype(elf_class, endian).itemsize == (24 if wide else 16)
    assert elf.reloc_dtype(elf_class, endian, rela=True).itemsize == (24 if wide else 12)
    assert elf.reloc_dtype(elf_class, endian, rela=False).itemsize == (16 if wide else 8)
    assert elf.section_dtype(elf_class, endian).itemsize == (64 if wide else 40)
    assert elf.segment_dtype(elf_class, endian).itemsize == (56 if wide else 32)


def test_reloc_info() -> None:
    """Symbol and type are packed by class."""
    symbol, type_ = np.array([5]), np.array([2])
    assert elf.reloc_info(2, symbol, type_).tolist() == [5 << 32 | 2]
    assert elf.reloc_info(1, symbol, type_).tolist() == [5 << 8 | 2]


@given(st.lists(st.binary(max_size=5).map(lambda b: b.replace(b"\0", b"x"))))
def test_string_table_finds_every_name(names: list[bytes]) -> None:
    """Each offset leads to its name, closed by a zero byte."""
    blob, at = elf.string_table(names)
    whole = b"\0" + blob
    for name, start in zip(names, at.tolist(), strict=True):
        assert whole[start : whole.index(b"\0", start)] == name


def test_section_names_share_tails() -> None:
    """ ".text" is the tail of ".rela.text", whatever their order."""
    blob, at = elf.shared_suffix_table(["", ".text", ".rela.text", ".bss"], ".rela")
    assert blob == b"\0.rela.text\0.bss\0"
    assert at == [0, 6, 1, 12]


def test_program_header_begins_with_its_page() -> None:
    """Loaders map whole pages, so the header says so."""
    h = ProgramHeader(SegmentType.LOAD, 4, 64, 0x400040, 100, 200, 4096).from_page_start()
    assert (h.offset, h.vaddr, h.filesize, h.memsize) == (0, 0x400000, 164, 264)


def test_note() -> None:
    """Lengths, tag, name and description, padded to four bytes."""
    text = elf.note_record(b"Go\0\0", 4, b"abcde", "<")
    assert text == bytes.fromhex("04000000 05000000 04000000") + b"Go\0\0abcde\0\0\0"


@BOTH
def test_program_headers_wrap_around(elf_class: int, endian: str) -> None:
    """An offset below zero, as rounding down to a large page gives it, is its complement."""
    load = ProgramHeader(SegmentType.LOAD, elf.PF_R, -0xF000, 0x11000)
    table = elf.program_headers([load], elf_class, endian)
    row = np.frombuffer(table, elf.segment_dtype(elf_class, endian))[0]
    bits = 8 * row["offset"].itemsize
    assert bits == (32 if elf_class == 1 else 64)
    assert int(row["offset"]) == (1 << bits) - 0xF000
    assert int(row["vaddr"]) == 0x11000


@BOTH
def test_section_headers_wrap_around(elf_class: int, endian: str) -> None:
    """What lies before a text at address 0 (flag -T) has an address below zero."""
    table = elf.section_headers([SectionHeader(".note", addr=-136)], [1], elf_class, endian)
    row = np.frombuffer(table, elf.section_dtype(elf_class, endian))[0]
    assert int(row["addr"]) == (1 << 8 * row["addr"].itemsize) - 136
