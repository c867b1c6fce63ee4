"""amd64: constants and relocation types against what others say of them."""

from __future__ import annotations

import numpy as np
from elftools.elf import enums
from hypothesis import given
from hypothesis import strategies as st

from linkpipe import reloctype as rt
from linkpipe.arches.amd64 import ARCH, RELOCS
from linkpipe.relockind import Kernel, Places
from tests.arches.gosource import has, said

WORD = st.integers(0, 2**46)


def places(P: list[int], S: list[int], A: list[int], base: list[int]) -> Places:
    """Places of width 4, with these letters of the psABI."""
    p, s, a, b = (np.array(x, np.int64) for x in (P, S, A, base))
    return Places(np.zeros(0, np.uint8), p, p, s, a, b, s, 4, -8, 0)


@given(st.lists(st.tuples(WORD, WORD, st.integers(-(2**31), 2**31), WORD)))
def test_kernels_are_their_formulas(rows: list[tuple[int, int, int, int]]) -> None:
    """Each kernel gives what the formula that stands beside it gives, place by place."""
    columns = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    given_places = places(*columns)
    for number in (rt.R_ADDR, rt.R_PCREL, rt.R_CALL, rt.R_ADDROFF, rt.R_CONST, rt.R_TLS_LE):
        kind = RELOCS[number]
        kernel: Kernel | None = kind.value
        assert kernel is not None
        names = ("P", "S", "A", "base")
        want = [
            eval(kind.formula, {"w": 4, "TLS": -8, **dict(zip(names, row, strict=True))})
            for row in rows
        ]
        assert kernel(given_places).tolist() == want


def test_elf_types_have_their_names() -> None:
    """The numbers are the psABI's, as pyelftools knows them."""
    known = enums.ENUM_RELOC_TYPE_x64
    expected = {
        (rt.R_ADDR, 8): "R_X86_64_64",
        (rt.R_ADDR, 4): "R_X86_64_32",
        (rt.R_CALL, 4): "R_X86_64_PC32",
        (rt.R_PCREL, 4): "R_X86_64_PC32",
        (rt.R_GOTPCREL, 4): "R_X86_64_GOTPCREL",
        (rt.R_TLS_LE, 4): "R_X86_64_TPOFF32",
        (rt.R_TLS_IE, 4): "R_X86_64_GOTTPOFF",
    }
    for (number, width), name in expected.items():
        rule = RELOCS[number].elf
        assert rule is not None
        assert [part.type for part in rule.types[width]] == [known[name]]
    call = RELOCS[rt.R_CALL].elf
    assert call is not None
    assert call.types[4][0].imported == known["R_X86_64_PLT32"]


def test_addmoduledata_stub_is_well_formed() -> None:
    """lea, call, ret; the relocations patch the two operands."""
    stub = ARCH.addmoduledata
    assert stub is not None
    assert stub.code.hex(" ") == "48 8d 3d 00 00 00 00 e8 00 00 00 00 c3"
    assert [(r.offset, r.size, r.target) for r in stub.relocs] == [
        (3, 4, "moduledata"),
        (8, 4, "addmoduledata"),
    ]


def test_constants() -> None:
    """Class, byte order and machine as ELF numbers them; ABI as the compiler has it."""
    machine = enums.ENUM_E_MACHINE["EM_X86_64"]
    assert (ARCH.elf_class, ARCH.endian, ARCH.elf_machine) == (2, "<", machine)
    assert ARCH.text_base == 0x401000
    assert ARCH.abi_internal == 1
    assert ARCH.tls_offset == -8


def test_numbers_are_those_of_the_toolchains_source() -> None:
    assert has(ARCH) == said("amd64", "amd64")
