"""DWARF: constants of the standard, abbreviations as the compiler knows them."""

from __future__ import annotations

import re
from enum import IntEnum

import pytest

from linkpipe.formats.dwarf import ABBREVS, At, Code, Encoding, Form, Tag, abbrev_section
from tests.conformance.toolchain import goroot
from tests.linkpipe.formats.test_leb128 import read_uleb


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


def test_codes_are_the_compilers() -> None:
    """The numbers of abbreviations follow from their order in the toolchain's list."""
    text = (goroot() / "src/cmd/internal/dwarf/dwarf.go").read_text()
    block = text[text.index("DW_ABRV_NULL = iota") :].partition(")")[0]
    names = re.findall(r"^\s*DW_ABRV_(\w+)", block, re.MULTILINE)
    for code in Code:
        assert names[code] == code.name
    assert names[-1] == "PUTVAR_START"
    assert len(ABBREVS) == names.index("PUTVAR_START") - 1 + 14


def test_the_section_can_be_read_back() -> None:
    """By the rules of section 7.5.3: number, tag, children, pairs up to a pair of zeros."""
    data, at = abbrev_section(), 0

    def number() -> int:
        nonlocal at
        value, at = read_uleb(data, at)
        return value

    for code, abbrev in enumerate(ABBREVS, 1):
        assert (number(), number(), data[at]) == (code, abbrev.tag, abbrev.children)
        at += 1
        pairs = []
        while (pair := (number(), number())) != (0, 0):
            pairs.append(pair)
        assert pairs == list(abbrev.attributes)
    assert data[at:] == b"\0"
