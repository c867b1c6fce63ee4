"""The records of functions in runtime.functab as columns, to be read and changed before addresses
are known: which tables each function has, and where in runtime.pctab, runtime.cutab and
runtime.funcnametab they are.

Layout: runtime/runtime2.go (_func); the words of a record are counted from its start.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.columns import table
from linkpipe.arrays.ragged import expand
from linkpipe.arrays.types import I64, U8, U32
from linkpipe.functab.place import RECORD
from linkpipe.tables.pclntab import Functab
from linkpipe.values import Shown

_FIELDS = {"name": 1, "pcsp": 4, "pcfile": 5, "pcline": 6, "unit": 8}
_NPCDATA = 7


@table
class FunctionRecords(Shown):
    """One row for each function, in order of address.

    Attributes:
        name: uint32[n], where its name begins in runtime.funcnametab, bytes.
        pcsp, pcfile, pcline: uint32[n], where its tables of stack depths, files and lines begin in
            runtime.pctab, bytes; 0: it has none.
        unit: uint32[n], where the files of its object begin in runtime.cutab, in words;
            0xFFFFFFFF: none.
        npcdata: int64[n], how many further tables it has; pcdata: uint32[sum(npcdata)], where
            these begin in runtime.pctab, 0: none.
    """

    name: U32
    pcsp: U32
    pcfile: U32
    pcline: U32
    unit: U32
    npcdata: I64
    pcdata: U32


def read_function_records(table: Functab, endian: str) -> FunctionRecords:
    """The records of a table; ``endian`` is the architecture's, "<" or ">"."""
    words = table.words.view(f"{endian}u4")
    at = table.records // 4
    npcdata = words[at + _NPCDATA].astype(np.int64)
    fields = {name: words[at + place].astype(np.uint32) for name, place in _FIELDS.items()}
    pcdata = words[expand(at + RECORD, npcdata)].astype(np.uint32)
    return FunctionRecords(**fields, npcdata=npcdata, pcdata=pcdata)


def with_function_records(table: Functab, records: FunctionRecords, endian: str) -> Functab:
    """The table with these records, of as many functions and tables as before. Raises ValueError
    for others."""
    changed: U8 = table.words.copy()
    words = changed.view(f"{endian}u4")
    at = table.records // 4
    if not np.array_equal(words[at + _NPCDATA], records.npcdata):
        raise ValueError("the functions have other numbers of tables than before")
    for name, place in _FIELDS.items():
        words[at + place] = getattr(records, name)
    words[expand(at + RECORD, records.npcdata)] = records.pcdata
    return Functab(changed, table.records)
