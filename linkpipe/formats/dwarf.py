"""DWARF as Go writes it: constants, the abbreviations, and what differs between versions.

All objects of a Go program share one fixed table of abbreviations, which compiler and linker both
know. It is of version 5, or of version 4 where the experiment dwarf5 is off; the two differ in how
addresses are written, in headers, and in the sections of lists (``DwarfForm``).

Sources: the DWARF standards, versions 2 (line tables), 4 and 5, section 7;
cmd/internal/dwarf/dwarf_defs.go, dwarf.go (abbrevs, expandPseudoForm) and putvarabbrevgen.go;
cmd/link/internal/ld/dwarf.go.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple

from linkpipe.formats.leb128 import uleb

UT_COMPILE = 1
LANG_GO = 0x16
LNCT_PATH, LNCT_DIRECTORY_INDEX = 1, 2


class Tag(IntEnum):
    """What a debugging information entry describes (DW_TAG_…)."""

    ARRAY_TYPE = 0x01
    FORMAL_PARAMETER = 0x05
    LEXICAL_BLOCK = 0x0B
    MEMBER = 0x0D
    POINTER_TYPE = 0x0F
    COMPILE_UNIT = 0x11
    STRUCTURE_TYPE = 0x13
    SUBROUTINE_TYPE = 0x15
    TYPEDEF = 0x16
    UNSPECIFIED_PARAMETERS = 0x18
    INLINED_SUBROUTINE = 0x1D
    SUBRANGE_TYPE = 0x21
    BASE_TYPE = 0x24
    CONSTANT = 0x27
    SUBPROGRAM = 0x2E
    VARIABLE = 0x34
    UNSPECIFIED_TYPE = 0x3B


class At(IntEnum):
    """Attributes (DW_AT_…); those from GO_KIND on are Go's own."""

    LOCATION = 0x02
    NAME = 0x03
    BYTE_SIZE = 0x0B
    STMT_LIST = 0x10
    LOW_PC = 0x11
    HIGH_PC = 0x12
    LANGUAGE = 0x13
    COMP_DIR = 0x1B
    CONST_VALUE = 0x1C
    INLINE = 0x20
    PRODUCER = 0x25
    ABSTRACT_ORIGIN = 0x31
    COUNT = 0x37
    DATA_MEMBER_LOCATION = 0x38
    DECL_FILE = 0x3A
    DECL_LINE = 0x3B
    ENCODING = 0x3E
    EXTERNAL = 0x3F
    FRAME_BASE = 0x40
    TYPE = 0x49
    VARIABLE_PARAMETER = 0x4B
    RANGES = 0x55
    TRAMPOLINE = 0x56
    CALL_FILE = 0x58
    CALL_LINE = 0x59
    ADDR_BASE = 0x73
    GO_KIND = 0x2900
    GO_KEY = 0x2901
    GO_ELEM = 0x2902
    GO_EMBEDDED_FIELD = 0x2903
    GO_RUNTIME_TYPE = 0x2904
    GO_PACKAGE_NAME = 0x2905
    GO_DICT_INDEX = 0x2906
    GO_CLOSURE_OFFSET = 0x2907


class Form(IntEnum):
    """How an attribute's value is stored (DW_FORM_…)."""

    ADDR = 0x01
    DATA4 = 0x06
    STRING = 0x08
    BLOCK1 = 0x0A
    DATA1 = 0x0B
    FLAG = 0x0C
    SDATA = 0x0D
    UDATA = 0x0F
    REF_ADDR = 0x10
    SEC_OFFSET = 0x17
    ADDRX = 0x1B


class Encoding(IntEnum):
    """Encodings of base types (DW_ATE_…)."""

    BOOLEAN = 0x02
    COMPLEX_FLOAT = 0x03
    FLOAT = 0x04
    SIGNED = 0x05
    UNSIGNED = 0x07


class Cfa(IntEnum):
    """Instructions of call frames (DW_CFA_…)."""

    ADVANCE_LOC1 = 0x02
    ADVANCE_LOC2 = 0x03
    ADVANCE_LOC4 = 0x04
    OFFSET_EXTENDED = 0x05
    UNDEFINED = 0x07
    SAME_VALUE = 0x08
    DEF_CFA = 0x0C
    OFFSET_EXTENDED_SF = 0x11
    DEF_CFA_OFFSET_SF = 0x13
    VAL_OFFSET = 0x14
    ADVANCE_LOC = 0x40


class Rle(IntEnum):
    """Entries of range lists (DW_RLE_…)."""

    END_OF_LIST = 0
    BASE_ADDRESSX = 1
    OFFSET_PAIR = 4


Attributes = tuple[tuple[At, Form], ...]


class Abbrev(NamedTuple):
    """An abbreviation: the shape of all entries that use its number."""

    tag: Tag
    children: bool
    attributes: Attributes


class Code(IntEnum):
    """Numbers of the abbreviations that the linker itself uses (DW_ABRV_…)."""

    COMPUNIT = 1
    COMPUNIT_TEXTLESS = 2
    STRUCTFIELD = 14
    FUNCTYPEPARAM = 15
    FUNCTYPEOUTPARAM = 16
    DOTDOTDOT = 17
    ARRAYRANGE = 18
    NULLTYPE = 19
    BASETYPE = 20
    ARRAYTYPE = 21
    CHANTYPE = 22
    FUNCTYPE = 23
    IFACETYPE = 24
    MAPTYPE = 25
    PTRTYPE = 26
    BARE_PTRTYPE = 27
    SLICETYPE = 28
    STRINGTYPE = 29
    STRUCTTYPE = 30
    TYPEDECL = 31


def _named(tag: Tag, children: bool, *more: tuple[At, Form]) -> Abbrev:
    return Abbrev(tag, children, ((At.NAME, Form.STRING), *more))


_KIND = (At.GO_KIND, Form.DATA1)
_RUNTIME_TYPE = (At.GO_RUNTIME_TYPE, Form.ADDR)
_TYPE = (At.TYPE, Form.REF_ADDR)
_ELEM = (At.GO_ELEM, Form.REF_ADDR)
_SIZE = (At.BYTE_SIZE, Form.UDATA)
_ORIGIN = (At.ABSTRACT_ORIGIN, Form.REF_ADDR)
_FRAME = (At.FRAME_BASE, Form.BLOCK1)
_EXTERNAL = (At.EXTERNAL, Form.FLAG)
_LINE = (At.DECL_LINE, Form.UDATA)
_RANGES = (At.RANGES, Form.SEC_OFFSET)
_TRAMPOLINE = (At.TRAMPOLINE, Form.FLAG)
_CALL = ((At.CALL_FILE, Form.DATA4), (At.CALL_LINE, Form.UDATA))
_BLOCK = (At.LOCATION, Form.BLOCK1)
_LIST = (At.LOCATION, Form.SEC_OFFSET)
_RESULT = (At.VARIABLE_PARAMETER, Form.FLAG)
_CLOSURE = (At.GO_CLOSURE_OFFSET, Form.UDATA)
_STRINGS = (
    (At.COMP_DIR, Form.STRING),
    (At.PRODUCER, Form.STRING),
    (At.GO_PACKAGE_NAME, Form.STRING),
)


def _variables() -> tuple[Abbrev, ...]:
    """Local variables and parameters: abstract, concrete, plain, each by a list or a block."""
    out = [
        _named(Tag.VARIABLE, False, _LINE, _TYPE),
        _named(Tag.FORMAL_PARAMETER, False, _RESULT, _TYPE),
    ]
    places = (_LIST, _BLOCK)
    for tag, own in ((Tag.VARIABLE, ()), (Tag.FORMAL_PARAMETER, (_RESULT,))):
        out += [Abbrev(tag, False, (_ORIGIN, where)) for where in places]
        out += [_named(tag, False, *own, _LINE, _TYPE, _CLOSURE, where) for where in places]
        out += [_named(tag, False, *own, _LINE, _TYPE, where) for where in places]
    return tuple(out)


def _abbreviations(pc: Attributes, of_unit: Attributes = ()) -> tuple[Abbrev, ...]:
    """All abbreviations: ``pc`` are the first address of a function and its end, ``of_unit`` more
    attributes of units with functions."""
    return (
        _named(
            Tag.COMPILE_UNIT,
            True,
            (At.LANGUAGE, Form.DATA1),
            (At.STMT_LIST, Form.SEC_OFFSET),
            (At.LOW_PC, Form.ADDR),
            _RANGES,
            *_STRINGS,
            *of_unit,
        ),
        _named(Tag.COMPILE_UNIT, True, (At.LANGUAGE, Form.DATA1), *_STRINGS),
        _named(Tag.SUBPROGRAM, True, *pc, _FRAME, (At.DECL_FILE, Form.DATA4), _LINE, _EXTERNAL),
        _named(Tag.SUBPROGRAM, True, *pc, _FRAME, _TRAMPOLINE),
        _named(Tag.SUBPROGRAM, True, (At.INLINE, Form.DATA1), _LINE, _EXTERNAL),
        Abbrev(Tag.SUBPROGRAM, True, (_ORIGIN, *pc, _FRAME)),
        Abbrev(Tag.SUBPROGRAM, True, (_ORIGIN, *pc, _FRAME, _TRAMPOLINE)),
        Abbrev(Tag.INLINED_SUBROUTINE, True, (_ORIGIN, *pc, *_CALL)),
        Abbrev(Tag.INLINED_SUBROUTINE, True, (_ORIGIN, _RANGES, *_CALL)),
        _named(Tag.VARIABLE, False, _BLOCK, _TYPE, _EXTERNAL),
        _named(Tag.CONSTANT, False, _TYPE, (At.CONST_VALUE, Form.SDATA)),
        Abbrev(Tag.LEXICAL_BLOCK, True, (_RANGES,)),
        Abbrev(Tag.LEXICAL_BLOCK, True, ((At.LOW_PC, Form.ADDR), (At.HIGH_PC, Form.ADDR))),
        _named(
            Tag.MEMBER,
            False,
            (At.DATA_MEMBER_LOCATION, Form.UDATA),
            _TYPE,
            (At.GO_EMBEDDED_FIELD, Form.FLAG),
        ),
        Abbrev(Tag.FORMAL_PARAMETER, False, (_TYPE,)),
        Abbrev(Tag.FORMAL_PARAMETER, False, (_RESULT, _TYPE)),
        Abbrev(Tag.UNSPECIFIED_PARAMETERS, False, ()),
        Abbrev(Tag.SUBRANGE_TYPE, False, (_TYPE, (At.COUNT, Form.UDATA))),
        _named(Tag.UNSPECIFIED_TYPE, False),
        _named(
            Tag.BASE_TYPE,
            False,
            (At.ENCODING, Form.DATA1),
            (At.BYTE_SIZE, Form.DATA1),
            _KIND,
            _RUNTIME_TYPE,
        ),
        _named(Tag.ARRAY_TYPE, True, _TYPE, _SIZE, _KIND, _RUNTIME_TYPE),
        _named(Tag.TYPEDEF, False, _TYPE, _KIND, _RUNTIME_TYPE, _ELEM),
        _named(Tag.SUBROUTINE_TYPE, True, _SIZE, _KIND, _RUNTIME_TYPE),
        _named(Tag.TYPEDEF, True, _TYPE, _KIND, _RUNTIME_TYPE),
        _named(Tag.TYPEDEF, False, _TYPE, _KIND, _RUNTIME_TYPE, (At.GO_KEY, Form.REF_ADDR), _ELEM),
        _named(Tag.POINTER_TYPE, False, _TYPE, _KIND, _RUNTIME_TYPE),
        _named(Tag.POINTER_TYPE, False, _RUNTIME_TYPE),
        _named(Tag.STRUCTURE_TYPE, True, _SIZE, _KIND, _RUNTIME_TYPE, _ELEM),
        _named(Tag.STRUCTURE_TYPE, True, _SIZE, _KIND, _RUNTIME_TYPE),
        _named(Tag.STRUCTURE_TYPE, True, _SIZE, _KIND, _RUNTIME_TYPE),
        _named(Tag.TYPEDEF, False, _TYPE),
        _named(Tag.TYPEDEF, False, _TYPE, (At.GO_DICT_INDEX, Form.UDATA)),
        *_variables(),
    )


class Header(NamedTuple):
    """The fields of a header, without gaps: ``names`` in order, ``codes``, a format character of
    the module struct for each, and ``places``, where each begins."""

    names: tuple[str, ...]
    codes: str
    places: Mapping[str, int]

    @classmethod
    def of(cls, text: str) -> Header:
        """From "name:code name:code …"."""
        pairs = [pair.split(":") for pair in text.split()]
        codes = "".join(code for _, code in pairs)
        places = {name: struct.calcsize("=" + codes[:i]) for i, (name, _) in enumerate(pairs)}
        return cls(tuple(places), codes, MappingProxyType(places))

    def pack(self, values: Mapping[str, int], endian: str) -> bytes:
        """A header with these values, of which there may be more than fields."""
        return struct.pack(endian + self.codes, *map(values.__getitem__, self.names))


class DwarfForm(NamedTuple):
    """What differs between versions of DWARF.

    Attributes:
        version: as units state it.
        abbrevs: abbreviation n is ``abbrevs[n - 1]``.
        sections: what the sections are called that the linker makes, without ".debug_".
        unit_header: before a unit's entry.
        line_version: as line tables state it.
        line_header: before the lengths of opcodes in a line table.
        described_files: whether a line table's lists of directories and files say of what they
            consist and how long they are, and begin with number 0. Else each ends with a zero, 0
            goes without saying, and a file has a time and a length.
        indexed: whether functions are referred to by an index into .debug_addr.
    """

    version: int
    abbrevs: tuple[Abbrev, ...]
    sections: tuple[str, ...]
    unit_header: Header
    line_version: int
    line_header: Header
    described_files: bool
    indexed: bool


_PROGRAM = "default_is_stmt:B line_base:b line_range:B opcode_base:B"

DWARF4 = DwarfForm(
    version=4,
    abbrevs=_abbreviations(((At.LOW_PC, Form.ADDR), (At.HIGH_PC, Form.ADDR))),
    sections=("abbrev", "line", "frame", "info", "loc", "ranges"),
    unit_header=Header.of("length:I version:H abbrevs:I address_size:B"),
    line_version=2,
    line_header=Header.of(f"length:I version:H header_length:I instruction_length:B {_PROGRAM}"),
    described_files=False,
    indexed=False,
)
DWARF5 = DwarfForm(
    version=5,
    abbrevs=_abbreviations(
        ((At.LOW_PC, Form.ADDRX), (At.HIGH_PC, Form.UDATA)), ((At.ADDR_BASE, Form.SEC_OFFSET),)
    ),
    sections=("abbrev", "line", "frame", "info", "loclists", "rnglists", "addr"),
    unit_header=Header.of("length:I version:H kind:B address_size:B abbrevs:I"),
    line_version=5,
    line_header=Header.of(
        "length:I version:H address_size:B segment_size:B header_length:I instruction_length:B "
        f"operations:B {_PROGRAM}"
    ),
    described_files=True,
    indexed=True,
)


def abbrev_section(abbrevs: tuple[Abbrev, ...]) -> bytes:
    """The content of .debug_abbrev."""
    out = bytearray()
    for number, abbrev in enumerate(abbrevs, 1):
        out += uleb(number) + uleb(abbrev.tag) + bytes((abbrev.children,))
        for attribute, form in abbrev.attributes:
            out += uleb(attribute) + uleb(form)
        out += b"\0\0"
    return bytes(out + b"\0")
