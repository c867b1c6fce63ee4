"""Debug information of a real program as somebody else's reader sees it (pyelftools)."""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import Any

import pytest
from elftools.dwarf.descriptions import describe_form_class
from elftools.elf.elffile import ELFFile

from tests.conformance.programs import TINY
from tests.reallink import NODWARF5, stages

PROGRAMS = {5: TINY, 4: NODWARF5}


@pytest.fixture(params=PROGRAMS)
def version(request: pytest.FixtureRequest) -> int:
    """The version of DWARF."""
    return int(request.param)


@cache
def read(version: int) -> Any:
    """The program's debug information."""
    image = stages(PROGRAMS[version]).after["elfimage"].image
    return ELFFile(BytesIO(image.tobytes())).get_dwarf_info()


@cache
def dies(version: int) -> list[Any]:
    return [die for unit in read(version).iter_CUs() for die in unit.iter_DIEs()]


def named(tag: str, version: int) -> dict[str, Any]:
    found = (die for die in dies(version) if die.tag == tag and "DW_AT_name" in die.attributes)
    return {die.attributes["DW_AT_name"].value.decode(): die for die in found}


def test_units_are_of_the_version_and_fill_their_section(version: int) -> None:
    info = read(version)
    end = 0
    for unit in info.iter_CUs():
        assert unit["version"] == version
        if version == 5:
            assert unit["unit_type"] == "DW_UT_compile"
        assert unit.cu_offset == end, "no gap between units"
        end += unit["unit_length"] + 4
    assert end == info.debug_info_sec.size


def test_every_function_has_its_entry(version: int) -> None:
    """With the address that the symbol table has for it."""
    link = stages(PROGRAMS[version]).after["symtab"]
    functions = named("DW_TAG_subprogram", version)
    assert {"main.main", "runtime.main", "runtime.mallocgc"} <= set(functions)
    described = link.dwarf.functions[link.dwarf.info != 0]
    concrete = [
        die
        for die in dies(version)
        if die.tag == "DW_TAG_subprogram" and "DW_AT_low_pc" in die.attributes
    ]
    assert len(concrete) == len(described)
    final = stages(PROGRAMS[version]).after["addresses"].symbols
    low, size = final.value[described], final.data_size[described]
    if version == 4:
        found = {tuple(die.attributes[f"DW_AT_{end}_pc"].value for end in ("low", "high"))
                 for die in concrete}  # fmt: skip
        assert found == set(zip(low.tolist(), (low + size).tolist(), strict=True))
        return
    base = {}
    addresses = set()
    for die in concrete:
        unit = die.cu
        if unit not in base:
            base[unit] = unit.get_top_DIE().attributes["DW_AT_addr_base"].value
        index = die.attributes["DW_AT_low_pc"].raw_value
        stream = read(version).debug_addr_sec.stream
        stream.seek(base[unit] + 8 * index)
        addresses.add(int.from_bytes(stream.read(8), "little"))
    assert addresses == set(low.tolist())


def test_references_lead_to_entries(version: int) -> None:
    """Types, origins: at every offset that one names there is an entry of a fitting tag."""
    at = {die.offset: die for die in dies(version)}
    for die in dies(version):
        for name in ("DW_AT_type", "DW_AT_abstract_origin", 0x2901, 0x2902):
            attribute = die.attributes.get(name)
            if attribute is not None:
                assert describe_form_class(attribute.form) == "reference"
                assert at[attribute.value].tag is not None


def test_types_say_what_they_are(version: int) -> None:
    """A struct's fields at their offsets, a map's and a slice's insides."""
    structs = named("DW_TAG_structure_type", version)
    header = structs["runtime.slice"]
    fields = {
        child.attributes["DW_AT_name"].value: child.attributes["DW_AT_data_member_location"].value
        for child in header.iter_children()
    }
    assert fields == {b"array": 0, b"len": 8, b"cap": 16}
    assert {c.attributes["DW_AT_name"].value for c in structs["[]uint8"].iter_children()} == set(
        fields
    )
    assert [c.attributes["DW_AT_name"].value for c in structs["string"].iter_children()] == [
        b"str",
        b"len",
    ]
    assert any(name.startswith("map<") for name in structs)
    assert named("DW_TAG_base_type", version)["uint16"].attributes["DW_AT_byte_size"].value == 2


def test_global_variables_have_their_types(version: int) -> None:
    variables = named("DW_TAG_variable", version)
    at = {die.offset: die for die in dies(version)}
    kind = at[variables["runtime.firstmoduledata"].attributes["DW_AT_type"].value]
    assert kind.attributes["DW_AT_name"].value == b"runtime.moduledata"


def test_line_programs_name_the_source(version: int) -> None:
    """main.main's first line is in main.go, under its own directory."""
    info, found = read(version), set()
    for unit in info.iter_CUs():
        program = info.line_program_for_CU(unit)
        if program is None:
            continue
        files = program["file_entry"]
        folders = program["include_directory"]
        # Version 2 counts from 1, and what has the number 0 goes without saying.
        if version == 5:
            assert files[0].name == b"?"
        for entry in program.get_entries():
            state = entry.state
            if state is not None and not state.end_sequence:
                file = files[state.file - (version == 4)]
                place = file.dir_index - (version == 4)
                found.add((folders[place] if place >= 0 else b".", file.name))
    assert any(name == b"proc.go" and folder.endswith(b"runtime") for folder, name in found)
    assert any(name == b"main.go" for _, name in found)


def test_frames_cover_every_function(version: int) -> None:
    """One record for each function that has information, at its address and of its size."""
    link = stages(PROGRAMS[version]).after["addresses"]
    records = [e for e in read(version).CFI_entries() if type(e).__name__ == "FDE"]
    found = {(e["initial_location"], e["address_range"]) for e in records}
    text = link.dwarf.final_text.functions
    symbols = link.symbols
    assert found == set(
        zip(symbols.value[text].tolist(), symbols.data_size[text].tolist(), strict=True)
    )
    for entry in records[:500]:
        assert all(line["cfa"].reg == 7 for line in entry.get_decoded().table)


def test_ranges_of_units_cover_their_functions(version: int) -> None:
    link = stages(PROGRAMS[version]).after["addresses"]
    info = read(version)
    lists = info.range_lists()
    covered = 0
    for unit in info.iter_CUs():
        top = unit.get_top_DIE()
        if "DW_AT_ranges" not in top.attributes:
            continue
        entries = lists.get_range_list_at_offset(top.attributes["DW_AT_ranges"].value, cu=unit)
        covered += sum(e.end_offset - e.begin_offset for e in entries if hasattr(e, "end_offset"))
    sizes = link.symbols.data_size[link.dwarf.final_text.functions]
    assert covered >= int(sizes.sum())


def test_sections_end_where_their_headers_say() -> None:
    """.debug_addr, .debug_rnglists, .debug_loclists: one table each, of the whole section."""
    info = read(5)
    for section in (info.debug_addr_sec, info.debug_rnglists_sec, info.debug_loclists_sec):
        section.stream.seek(0)
        head = section.stream.read(8)
        assert int.from_bytes(head[:4], "little") + 4 == section.size
        assert head[4:] == bytes((5, 0, 8, 0))
