"""s390x: constants, relocation types and code against what others say of them."""

from __future__ import annotations

import numpy as np
import pytest
from elftools.elf import enums
from hypothesis import given
from hypothesis import strategies as st

from linkpipe import reloctype as rt
from linkpipe.arches.s390x import ADDMODULEDATA, ARCH, R_PCRELDBL, RELOCS
from linkpipe.errors import LinkErrors
from linkpipe.passes.relocate import relocate
from linkpipe.relockind import Places
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from tests.arches.gosource import has, said
from tests.tiny import EXTERNAL, INTERNAL, Tiny

WORD = st.integers(0, 2**46)


@given(st.lists(st.tuples(WORD, WORD, st.integers(-(2**31), 2**31 - 1)), min_size=1))
def test_kernels_are_their_formulas(rows: list[tuple[int, int, int]]) -> None:
    """Each kernel gives, in units of the field, what the formula beside it gives."""
    p, s, a = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    places = Places(np.zeros(0, np.uint8), p, p, s, a, s, s, 4, ARCH.tls_offset, 0)
    for number in (rt.R_ADDR, rt.R_PCREL, R_PCRELDBL, rt.R_CALL, rt.R_CONST, rt.R_TLS_LE):
        kind = RELOCS[number]
        assert kind.value is not None
        formula = kind.formula.replace("/", "//")
        want = [eval(formula, {"w": 4, "TLS": -8, "P": P, "S": S, "A": A}) for P, S, A in rows]
        assert (kind.value(places) // kind.unit).tolist() == want


def test_elf_types_have_their_names() -> None:
    """The numbers are the psABI's, as pyelftools knows them."""
    known = enums.ENUM_RELOC_TYPE_S390X
    expected = {
        (rt.R_ADDR, 4): "R_390_32",
        (rt.R_ADDR, 8): "R_390_64",
        (rt.R_CALL, 2): "R_390_PC16DBL",
        (rt.R_CALL, 4): "R_390_PC32DBL",
        (R_PCRELDBL, 2): "R_390_PC16DBL",
        (R_PCRELDBL, 4): "R_390_PC32DBL",
        (rt.R_PCREL, 2): "R_390_PC16",
        (rt.R_PCREL, 4): "R_390_PC32",
        (rt.R_PCREL, 8): "R_390_PC64",
        (rt.R_GOTPCREL, 4): "R_390_GOTENT",
        (rt.R_TLS_LE, 8): "R_390_TLS_LE64",
        (rt.R_TLS_IE, 4): "R_390_TLS_IEENT",
    }
    for (number, width), name in expected.items():
        rule = RELOCS[number].elf
        assert rule is not None
        assert rule.stored
        assert [part.type for part in rule.types[width]] == [known[name]]
    thread = RELOCS[rt.R_TLS_LE].elf
    # pyelftools has only those of 64-bit programs in general; Go's fields are of 4 bytes there too.
    assert thread is not None
    assert thread.types[4][0].type == known["R_390_TLS_IEENT"] + 1
    call = RELOCS[rt.R_CALL].elf
    assert call is not None
    assert call.types[2][0].imported == known["R_390_PLT16DBL"]
    assert call.types[4][0].imported == known["R_390_PLT32DBL"]


def test_constants() -> None:
    """Class, byte order and machine as ELF numbers them; ABI as the compiler has it."""
    machine = enums.ENUM_E_MACHINE["EM_S390"]
    assert (ARCH.elf_class, ARCH.endian, ARCH.elf_machine) == (2, ">", machine)
    assert (ARCH.text_base, ARCH.abi_internal, ARCH.rela) == (0x11000, 1, True)


def test_addmoduledata_stub_is_well_formed() -> None:
    """larl, jg; both count from their own first byte, which is what an addend of 6 makes of the
    distance from the end of the field."""
    assert ADDMODULEDATA.code.hex(" ") == "c0 20 00 00 00 00 c0 f4 00 00 00 00 00 00 00 00"
    for r in ADDMODULEDATA.relocs:
        assert ADDMODULEDATA.code[r.offset : r.offset + r.size] == bytes(4)
        assert r.add - (r.offset + r.size) == -(r.offset - 2)


def program(mode: Mode) -> Tiny:
    """A function that refers to a variable, by a distance in units of two bytes."""
    p = Tiny(mode, ARCH)
    f = p.symbol("main.f", kind=SymKind.STEXT, content=bytes(24))
    v = p.symbol("main.v", kind=SymKind.SDATA, content=bytes(8))
    p.section(".text", 0x1000, [f], rwx=5)
    p.section(".data", 0x2000, [v], rwx=6)
    p.reloc(f, R_PCRELDBL, v, offset=2, add=6)
    p.reloc(f, rt.R_PCREL, v, offset=8, add=1)
    p.reloc(f, rt.R_CALL, f, offset=14, add=6)
    p.reloc(f, rt.R_ADDR, v, offset=18, add=3)
    return p


def test_distances_are_halved() -> None:
    """Big-endian; in instructions, not in data."""
    image = relocate(program(INTERNAL).link()).image
    words = [image[at:][:4].view(">i4")[0] for at in (4096 + 2, 4096 + 8, 4096 + 14, 4096 + 18)]
    assert words == [0x1000 // 2, 0x1000 + 1 - 12, -12 // 2, 0x2003]


def test_addends_stand_in_the_place_too() -> None:
    """The ELF relocation has the addend in bytes, the place has it as the field counts."""
    link = relocate(program(EXTERNAL).link())
    out = link.external_relocs
    assert out.type.tolist() == [19, 5, 4]
    assert out.addend.tolist() == [2, -3, 3]
    words = [link.image[at:][:4].view(">i4")[0] for at in (4096 + 2, 4096 + 8, 4096 + 18)]
    assert words == [1, -3, 3]


@pytest.mark.parametrize("mode", [INTERNAL, EXTERNAL], ids=["internal", "external"])
def test_odd_distances_are_refused(mode: Mode) -> None:
    """No instruction can have them (cmd/link/internal/s390x/asm.go, archrelocvariant)."""
    p = program(mode)
    p.reloc(p.text[0], R_PCRELDBL, p.symbols.lookup_or_create("main.v"), offset=2, add=7)
    with pytest.raises(LinkErrors) as raised:
        relocate(p.link())
    told = [error.headline() for error in raised.value.errors]
    assert len(told) == 1
    assert "main.v+8192 is not 2-byte aligned" in told[0]


def test_numbers_are_those_of_the_toolchains_source() -> None:
    assert has(ARCH) == said("s390x", "s390x")
