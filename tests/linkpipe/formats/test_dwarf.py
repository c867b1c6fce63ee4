"""DWARF: constants of the standard, abbreviations as the compiler knows them."""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Literal

import pytest

from linkpipe.formats.dwarf import (
    DWARF4,
    DWARF5,
    At,
    Code,
    DwarfForm,
    Encoding,
    Form,
    Tag,
    abbrev_section,
)
from tests.conformance.toolchain import goroot
from tests.linkpipe.formats.test_leb128 import read_uleb

FORMS, IDS = (DWARF4, DWARF5), ("4", "5")


def constants(name: str) -> dict[str, int]:
    """DW_… constants of the toolchain's own list."""
    text = (goroot() / "src/cmd/internal/dwarf/dwarf_defs.go").read_text()
    found = re.findall(rf"^\tDW_{name}_(\w+)\s*=\s*(0x[0-9a-f]+|\d+)", text, re.MULTILINE)
    return {key.upper(): int(value, 0) for key, value in found}


@pytest.mark.parametrize(
    ("enum", "name"), [(Tag, "TAG"), (Form, "FORM"), (Encoding, "ATE"), (At, "AT")]
)
def test_constants_are_the_standards(enum: type[IntEnum], name: str) -> None:
    known = constants(name)
    missing = {member.name for member in enum} - set(known)
    assert all(member.startswith("GO_") for member in missing)
    for member in enum:
        if member.name in known:
            assert int(member) == known[member.name], member


@pytest.mark.parametrize("form", FORMS, ids=IDS)
def test_codes_are_the_compilers(form: DwarfForm) -> None:
    """The numbers of abbreviations follow from their order in the toolchain's list."""
    text = (goroot() / "src/cmd/internal/dwarf/dwarf.go").read_text()
    block = text[text.index("DW_ABRV_NULL = iota") :].partition(")")[0]
    names = re.findall(r"^\s*DW_ABRV_(\w+)", block, re.MULTILINE)
    for code in Code:
        assert names[code] == code.name
    assert names[-1] == "PUTVAR_START"
    assert len(form.abbrevs) == names.index("PUTVAR_START") - 1 + 14


@pytest.mark.parametrize("form", FORMS, ids=IDS)
def test_the_section_can_be_read_back(form: DwarfForm) -> None:
    """By the rules of section 7.5.3: number, tag, children, pairs up to a pair of zeros."""
    data, at = abbrev_section(form.abbrevs), 0

    def number() -> int:
        nonlocal at
        value, at = read_uleb(data, at)
        return value

    for code, abbrev in enumerate(form.abbrevs, 1):
        assert (number(), number(), data[at]) == (code, abbrev.tag, abbrev.children)
        at += 1
        pairs = []
        while (pair := (number(), number())) != (0, 0):
            pairs.append(pair)
        assert pairs == list(abbrev.attributes)
    assert data[at:] == b"\0"


def test_versions_differ_in_how_functions_are_found() -> None:
    """By address and end in version 4, by index and length in version 5, whose units say where the
    addresses are (expandPseudoForm); all else is the same."""
    differ = []
    for old, new in zip(DWARF4.abbrevs, DWARF5.abbrevs, strict=True):
        assert old[:2] == new[:2]
        if old != new:
            differ.append((set(old.attributes) - set(new.attributes),
                           set(new.attributes) - set(old.attributes)))  # fmt: skip
    unit = (set[object](), {(At.ADDR_BASE, Form.SEC_OFFSET)})
    pc = (
        {(At.LOW_PC, Form.ADDR), (At.HIGH_PC, Form.ADDR)},
        {(At.LOW_PC, Form.ADDRX), (At.HIGH_PC, Form.UDATA)},
    )
    assert differ == [unit, pc, pc, pc, pc, pc]


WIDTH = {"I": 4, "H": 2, "B": 1, "b": 1}


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("form", FORMS, ids=IDS)
def test_headers_have_no_gaps(form: DwarfForm, endian: str) -> None:
    """Each field begins where the one before ends, and holds its value there."""
    order: Literal["little", "big"] = "little" if endian == "<" else "big"
    for header in (form.unit_header, form.line_header):
        fields = dict(zip(header.names, header.codes, strict=True))
        values = {name: -i if fields[name] == "b" else i for i, name in enumerate(fields, 1)}
        data, at = header.pack(values | {"other": 0}, endian), 0
        for name, code in fields.items():
            assert header.places[name] == at
            part = data[at : at + WIDTH[code]]
            assert int.from_bytes(part, order, signed=code == "b") == values[name]
            at += len(part)
        assert at == len(data)


def test_units_have_headers_of_the_standards() -> None:
    """Section 7.5.1 of version 4 and 7.5.1.1 of version 5: 11 and 12 bytes."""
    values = {"length": 0x11223344, "kind": 1, "address_size": 8, "abbrevs": 0x55}
    old, new = ({**values, "version": form.version} for form in FORMS)
    assert DWARF4.unit_header.pack(old, ">") == bytes.fromhex("11223344 0004 00000055 08")
    assert DWARF5.unit_header.pack(new, ">") == bytes.fromhex("11223344 0005 01 08 00000055")
