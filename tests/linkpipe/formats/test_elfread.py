"""Reading ELF files: of both classes and byte orders, and damaged ones."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.errors import InputError
from linkpipe.formats import elf, elfread
from linkpipe.formats.elf import ProgramHeader, SectionHeader, SectionType

KINDS = [(cls, endian) for cls in (elf.CLASS32, elf.CLASS64) for endian in "<>"]
BASE = 0x1000


def elf_file(
    sections: Mapping[str, bytes], elf_class: int = elf.CLASS64, endian: str = "<"
) -> bytes:
    """A file with these sections; all of it is loaded at BASE."""
    names, name_at = elf.shared_suffix_table(["", *sections, ".shstrtab"], ".rel")
    program_size = elf.segment_dtype(elf_class, endian).itemsize
    at = elf.header_size(elf_class) + program_size
    headers, body = [SectionHeader("")], b""
    for name, content in (*sections.items(), (".shstrtab", names)):
        kind = SectionType.STRTAB if name == ".shstrtab" else SectionType.PROGBITS
        headers.append(SectionHeader(name, kind, offset=at, addr=BASE + at, size=len(content)))
        body, at = body + content, at + len(content)
    header = elf.FileHeader(
        elf_class, endian, elf.FileType.DYN, 62, 0, 0,
        elf.header_size(elf_class), 1, at, len(headers), len(headers) - 1,
    )  # fmt: skip
    load = ProgramHeader(elf.SegmentType.LOAD, elf.PF_R, 0, BASE, at, at, 0x1000)
    return b"".join(
        (
            header.to_bytes(),
            elf.program_headers([load], elf_class, endian),
            body,
            elf.section_headers(headers, name_at, elf_class, endian),
        )
    )


@pytest.mark.parametrize(("elf_class", "endian"), KINDS)
def test_what_somebody_elses_reader_finds_is_found(
    elf_class: int, endian: str, tmp_path: Path
) -> None:
    path = tmp_path / "f"
    path.write_bytes(elf_file({".comment": b"GCC\0", ".data": b"1234"}, elf_class, endian))
    found, other = elfread.read(path), ELFFile(BytesIO(path.read_bytes()))
    assert (found.elf_class, found.endian) == (elf_class, endian)
    assert list(found.names) == [section.name for section in other.iter_sections()]
    for name in (".comment", ".data"):
        index = found.index(name)
        assert index is not None
        section = other.get_section_by_name(name)
        assert section is not None
        assert found.content(index).tobytes() == section.data()
    assert found.index(".comm") is None
    assert found.segments["vaddr"].tolist() == [s["p_vaddr"] for s in other.iter_segments()]


@given(kind=st.sampled_from(KINDS), draw=st.data())
def test_damaged_files_are_refused_or_read(
    kind: tuple[int, str], draw: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Cut off anywhere, or with other bytes: nothing but InputError comes of it."""
    data = bytearray(elf_file({".a": b"A" * 8, ".symtab": bytes(48)}, *kind))
    for _ in range(draw.draw(st.integers(0, 4))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("elf") / "f"
    path.write_bytes(data[: draw.draw(st.integers(0, len(data)))])
    with suppress(InputError):
        file = elfread.read(path)
        for section in range(len(file.sections)):
            file.content(section)
        _ = file.symbols.names


def test_an_empty_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(InputError, match="not an ELF file"):
        elfread.read(tmp_path / "f")
