"""Symbol kinds: what a symbol is, and so which section it goes to.

The order is the order of sections in the output (text, read-only, relro, data, bss,
unallocated, DWARF); those of all releases of Go are here. Source: cmd/link/internal/sym/symkind.go;
the kinds in object files are numbered otherwise (linkpipe.release, ObjectFormat).
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from linkpipe.arrays.types import U8, Bool


class SymKind(IntEnum):
    """The kind of a symbol; stored as uint8."""

    @staticmethod
    def _generate_next_value_(name: str, start: int, count: int, last: list[int]) -> int:
        return count

    Sxxx = auto()
    STEXT = auto()
    STEXTFIPSSTART = auto()
    STEXTFIPS = auto()
    STEXTFIPSEND = auto()
    STEXTEND = auto()
    SELFRXSECT = auto()
    SMACHOPLT = auto()
    SSTRING = auto()
    SGOSTRING = auto()
    SGCBITS = auto()
    SRODATA = auto()
    SRODATAFIPSSTART = auto()
    SRODATAFIPS = auto()
    SRODATAFIPSEND = auto()
    SRODATAEND = auto()
    SPCLNTAB = auto()
    SELFROSECT = auto()
    SRODATARELRO = auto()
    STYPE = auto()
    SGOFUNC = auto()
    STYPERELRO = auto()
    SGOFUNCRELRO = auto()
    STYPELINK = auto()
    SITABLINK = auto()
    SSYMTAB = auto()
    SELFRELROSECT = auto()
    SMACHORELROSECT = auto()
    SFirstWritable = auto()
    SBUILDINFO = auto()
    SFIPSINFO = auto()
    SELFSECT = auto()
    SMACHO = auto()
    SWINDOWS = auto()
    SMODULEDATA = auto()
    SELFGOT = auto()
    SMACHOGOT = auto()
    SNOPTRDATA = auto()
    SNOPTRDATAFIPSSTART = auto()
    SNOPTRDATAFIPS = auto()
    SNOPTRDATAFIPSEND = auto()
    SNOPTRDATAEND = auto()
    SINITARR = auto()
    SDATA = auto()
    SDATAFIPSSTART = auto()
    SDATAFIPS = auto()
    SDATAFIPSEND = auto()
    SDATAEND = auto()
    SXCOFFTOC = auto()
    SBSS = auto()
    SNOPTRBSS = auto()
    SGCMASK = auto()
    SLIBFUZZER_8BIT_COUNTER = auto()
    SCOVERAGE_COUNTER = auto()
    SCOVERAGE_AUXVAR = auto()
    STLSBSS = auto()
    SFirstUnallocated = auto()
    SXREF = auto()
    SMACHOSYMSTR = auto()
    SMACHOSYMTAB = auto()
    SMACHOINDIRECTPLT = auto()
    SMACHOINDIRECTGOT = auto()
    SDYNIMPORT = auto()
    SHOSTOBJ = auto()
    SUNDEFEXT = auto()
    SDWARFSECT = auto()
    SDWARFCUINFO = auto()
    SDWARFCONST = auto()
    SDWARFFCN = auto()
    SDWARFABSFCN = auto()
    SDWARFTYPE = auto()
    SDWARFVAR = auto()
    SDWARFRANGE = auto()
    SDWARFLOC = auto()
    SDWARFLINES = auto()
    SDWARFADDR = auto()
    SSEHUNWINDINFO = auto()
    SSEHSECT = auto()


def _between(kind: U8, first: SymKind, last: SymKind) -> Bool:
    # With an enumeration's member numpy would go on in 64 bits.
    return (kind >= int(first)) & (kind <= int(last))


def is_text(kind: U8) -> Bool:
    """Whether each kind is code: bool[n]."""
    return _between(kind, SymKind.STEXT, SymKind.STEXTEND)


def is_data(kind: U8) -> Bool:
    """Whether each kind is writable data or bss: bool[n]."""
    return _between(kind, SymKind.SNOPTRDATA, SymKind.SNOPTRBSS)


def is_rodata(kind: U8) -> Bool:
    """Whether each kind is general read-only data, FIPS markers included: bool[n]."""
    return _between(kind, SymKind.SRODATA, SymKind.SRODATAEND)


def is_dwarf(kind: U8) -> Bool:
    """Whether each kind is debug information: bool[n]."""
    return _between(kind, SymKind.SDWARFSECT, SymKind.SDWARFADDR)
