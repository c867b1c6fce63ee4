"""Relocatable objects of C compilers: what is read of them, and what is refused."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.errors import InputError
from linkpipe.formats import elf
from linkpipe.formats.elf import SectionType
from linkpipe.formats.hostobject import Relocatable, read
from linkpipe.formats.hostobject import _names as _names_of
from tests.hostelf import AMD64, CODE, DATA, HostElf

WIDTHS = {1: 8, 2: 4, 4: 4, 12: 2}


def loaded(made: HostElf | bytes) -> Relocatable:
    data = made if isinstance(made, bytes) else made.to_bytes()
    return read(np.frombuffer(data, np.uint8), "p.a(x.o)", AMD64)


def sample() -> HostElf:
    made = HostElf()
    text = made.section(".text", CODE, bytes(range(32)), align=16)
    made.section(".bss", DATA, type=SectionType.NOBITS, size=64)
    f = made.symbol("f", text, 4, 8)
    puts = made.symbol("puts", type=elf.STT_NOTYPE)
    made.reloc(text, 20, 4, puts, -4)
    made.reloc(text, 8, 2, f, 1)
    made.reloc(text, 0, 0, f)
    made.reloc(text, 8, 1, 0, -2)
    return made


def test_sections_symbols_and_relocations() -> None:
    """Relocations come by offset, those at one offset as they stood; "none" is left out."""
    found = loaded(sample())
    assert found.names[1:3] == (b".text", b".bss")
    assert found.content(1).tobytes() == bytes(range(32))
    table = found.symbols
    assert table is not None
    assert table.name == (b"", b"f", b"puts")
    assert table.section.tolist() == [0, 1, 0]
    assert (table.value[1], table.size[1], table.type[1]) == (4, 8, elf.STT_FUNC)
    assert table.binding.tolist() == [0, elf.STB_GLOBAL, elf.STB_GLOBAL]
    rows = found.relocs(1, WIDTHS)
    assert rows is not None
    assert rows.offset.tolist() == [8, 8, 20]
    assert rows.type.tolist() == [2, 1, 4]
    assert rows.symbol.tolist() == [1, 0, 2]
    assert rows.addend.tolist() == [1, -2, -4]
    assert found.relocs(2, WIDTHS) is None


def test_addends_that_stand_in_the_places() -> None:
    target = attrs.evolve(AMD64, elf_class=elf.CLASS32)
    made = HostElf(target, rela=False)
    text = made.section(".text", CODE, (-4 & 0xFFFFFFFF).to_bytes(4, "little") + bytes(4))
    made.reloc(text, 0, 2, made.symbol("f"))
    found = read(np.frombuffer(made.to_bytes(), np.uint8), "x.o", target)
    rows = found.relocs(text, WIDTHS)
    assert rows is not None
    assert (rows.addend.tolist(), rows.symbol.tolist()) == ([-4], [1])
    made.reloc(text, 5, 2, 1)
    found = read(np.frombuffer(made.to_bytes(), np.uint8), "x.o", target)
    with pytest.raises(InputError, match=r"5\+4 not in \[0,8\)"):
        found.relocs(text, WIDTHS)
    made.relocs[text][1] = (2, 12, 1, 0)
    found = read(np.frombuffer(made.to_bytes(), np.uint8), "x.o", target)
    with pytest.raises(InputError, match="invalid rela size 2"):
        found.relocs(text, WIDTHS)


def test_types_of_relocations_have_16_bits() -> None:
    """As the oracle reads them, but for none at all, which is none of 32."""
    made = sample()
    for offset, type_ in (0, 0xFFFF0002), (4, 0x10004):
        made.reloc(1, offset, type_, 1)
    rows = loaded(made.to_bytes()).relocs(1, WIDTHS)
    assert rows is not None
    assert rows.type.tolist() == [2, 4, 2, 1, 4]
    made.reloc(1, 0, 0x70000, 1)
    with pytest.raises(InputError, match="unknown relocation type 458752;"):
        loaded(made.to_bytes()).relocs(1, WIDTHS)


@pytest.mark.parametrize("name", [b".strtab", b".symtab", b".shstrtab"])
def test_tables_are_read_whatever_their_type_says(name: bytes) -> None:
    data = bytearray(sample().to_bytes())
    before = loaded(bytes(data))
    headers = np.frombuffer(data, before.sections.dtype, offset=before.elf.header["shoff"])
    headers["type"][before.names.index(name)] = SectionType.NOBITS
    after = loaded(bytes(data))
    assert before.symbols is not None
    assert after.symbols is not None
    assert after.symbols.name == before.symbols.name


def test_a_name_at_the_end_of_its_table_is_none() -> None:
    """One behind it is refused."""
    data = bytearray(sample().to_bytes())
    before = loaded(bytes(data))
    table, names = (before.sections[before.names.index(n)] for n in (b".symtab", b".strtab"))
    records = np.frombuffer(data, "<u4", int(table["size"]) // 4, int(table["offset"]))
    records[6] = names["size"]
    assert before.symbols is not None
    after = loaded(bytes(data)).symbols
    assert after is not None
    assert after.name == (b"", b"", b"puts")
    records[6] += 1
    with pytest.raises(InputError, match="the name of symbol #1 lies outside of its table"):
        _ = loaded(bytes(data)).symbols


def test_an_object_without_symbols_has_none() -> None:
    made = HostElf()
    data = made.to_bytes().replace(b".symtab\0", b".nothing")
    assert loaded(data).symbols is None


def test_the_table_of_symbols_is_found_by_its_name() -> None:
    """Also where the section that is none should be."""
    data = bytearray(sample().to_bytes())
    before = loaded(bytes(data))
    headers = np.frombuffer(data, before.sections.dtype, offset=before.elf.header["shoff"])
    headers[[0, before.names.index(b".symtab")]] = headers[[before.names.index(b".symtab"), 0]]
    after = loaded(bytes(data))
    assert after.names[0] == b".symtab"
    assert before.symbols is not None
    assert after.symbols is not None
    assert after.symbols.name == before.symbols.name


def _type(made: HostElf) -> None:
    made.type = 2


def _names(made: HostElf) -> None:
    made.names_at = 99


def _unknown(made: HostElf) -> None:
    made.reloc(1, 0, 99, 1)


def _nobody(made: HostElf) -> None:
    made.reloc(1, 0, 2, 77)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_type, "loadelf: p.a(x.o): elf but not elf relocatable object"),
        (_names, "shstrndx out of range 99 >= "),
        (_unknown, "p.a(x.o): unknown relocation type 99; compiled without -fpic?"),
        (_nobody, "invalid elf symbol index"),
    ],
)
def test_what_is_refused(damage: Callable[[HostElf], None], said: str) -> None:
    """In the oracle's words, with the file's name; relocations only when they are asked for."""
    made = sample()
    damage(made)
    with pytest.raises(InputError) as error:
        _everything(made.to_bytes())
    assert said in error.value.render()
    assert "p.a(x.o)" in error.value.render()


def test_what_nobody_looks_at_may_be_anything() -> None:
    """The size of what lies in a section, a table of segments, the upper half of an offset; and an
    offset itself, in code that nobody needs: the rest is checked where it is patched."""
    made = sample()
    made.symbol("g", 1, 0, (1 << 64) - 1)
    made.reloc(1, 4 | 1 << 63, 2, 1)
    made.reloc(1, 29, 2, 1)
    data = bytearray(made.to_bytes())
    header = np.frombuffer(data, elf.file_dtype(elf.CLASS64, "<"), 1, 16)
    header["phoff"], header["phnum"] = 1, 0xFFFF
    found = loaded(bytes(data))
    assert found.symbols is not None
    assert found.symbols.size[-1] == -1
    rows = found.relocs(1, WIDTHS)
    assert rows is not None
    assert {4, 29} < {*rows.offset.tolist()}


def test_names_that_lie_in_one_another_are_no_more_than_fit() -> None:
    """Half a megabyte of them would fill the memory; that one ends another is usual, also by the
    thousand."""
    table = b"\0" + b"a" * 5000 + b"\0"
    assert _names_of("x.o", table, [0, 1, 5000, 1]) == (b"", b"a" * 5000, b"a", b"a" * 5000)
    assert len(_names_of("x.o", table, [1] * 100_000)) == 100_000
    assert len(_names_of("x.o", table, range(5000))[1]) == 5000
    with pytest.raises(InputError, match="names lie in one another"):
        _names_of("x.o", b"a" * 10_000, range(10_000))


def test_another_machine_is_refused() -> None:
    made = HostElf(attrs.evolve(AMD64, machine=183))
    with pytest.raises(InputError, match="elf object but not amd64"):
        loaded(made)


def _everything(data: bytes) -> None:
    found = loaded(data)
    _ = found.symbols
    for section in range(len(found.sections)):
        if found.sections["type"][section] == SectionType.PROGBITS:
            found.content(section)
            found.relocs(section, WIDTHS)


SAMPLE = sample().to_bytes()


@given(st.integers(0, len(SAMPLE) - 1), st.integers(0, 255), st.integers(0, len(SAMPLE)))
def test_damaged_objects_are_read_or_refused(at: int, value: int, end: int) -> None:
    """One byte is another, or the end is missing: an InputError at the most."""
    for data in (SAMPLE[:at] + bytes([value]) + SAMPLE[at + 1 :], SAMPLE[:end]):
        try:
            _everything(data)
        except InputError as error:
            assert error.file == "p.a(x.o)"  # noqa: PT017 - it need not be raised
