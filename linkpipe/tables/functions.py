"""What the objects say about functions, in columns: the records of all functions at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from linkpipe.arrays.types import I32, I64, Ints
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.formats.funcinfo import FuncInfos, read_funcinfos
from linkpipe.kernels import functions as kernel
from linkpipe.tables.faults import rows_of
from linkpipe.tables.records import ROOTING
from linkpipe.values import Shown, record

if TYPE_CHECKING:
    from linkpipe.tables.objects import Objects
    from linkpipe.tables.symbols import Symbols


_TYPES = (
    goobj.AUX_FUNCINFO,
    goobj.AUX_FUNCDATA,
    goobj.AUX_PCSP,
    goobj.AUX_PCFILE,
    goobj.AUX_PCLINE,
    goobj.AUX_PCINLINE,
    goobj.AUX_PCDATA,
)


@record
class Functions(Shown):
    """The n functions of a list that have function information (assembled ones have it too; code
    that the linker made has not), in the order of that list.

    Attributes:
        rows: int64[n], their places in the list.
        ids: int64[n], symbols. objects: int64[n], rows in Objects.
        info: their records.
        inlined: int32[sum(info.ninlined)], the functions that calls were inlined of.
        pcsp, pcfile, pcline, pcinline: int32[n], symbols that hold pc-value tables, 0: none.
        npcdata: int64[n], pcdata: int32[sum(npcdata)], further such symbols.
        nfuncdata: int64[n], funcdata: int32[sum(nfuncdata)], symbols with data, 0: none.
    """

    rows: I64
    ids: I64
    objects: I64
    info: FuncInfos
    inlined: I32
    pcsp: I32
    pcfile: I32
    pcline: I32
    pcinline: I32
    npcdata: I64
    pcdata: I32
    nfuncdata: I64
    funcdata: I32


def read_functions(objects: Objects, symbols: Symbols, functions: Ints) -> Functions:
    """Read what the objects say about ``functions`` (symbol ids).

    Raises InputError when a record is damaged.
    """
    auxs = objects.auxs(symbols.object[functions], symbols.local[functions], _TYPES)
    _refer_to_nothing(objects, symbols, auxs.target[auxs.type != goobj.AUX_FUNCDATA])
    ones, npcdata, nfuncdata, pcdata, funcdata = kernel.tables(*auxs)
    record, *tables = ones.reshape(5, -1)
    rows = np.flatnonzero(record)
    pcsp, pcfile, pcline, pcinline = (table[rows] for table in tables)
    record = record[rows]
    with rows_of(objects, symbols, functions[rows]):
        info = read_funcinfos(symbols.arena, symbols.data_at[record], symbols.data_size[record])
    home = symbols.object[functions[rows]].astype(np.int64)
    tree = info.inlined
    return Functions(
        rows=rows,
        ids=functions[rows].astype(np.int64),
        objects=home,
        info=info,
        inlined=objects.resolve(np.repeat(home, info.ninlined), tree["pkg"], tree["sym"]),
        pcsp=pcsp,
        pcfile=pcfile,
        pcline=pcline,
        pcinline=pcinline,
        npcdata=npcdata[rows],
        pcdata=pcdata,
        nfuncdata=nfuncdata[rows],
        funcdata=funcdata,
    )


def _refer_to_nothing(objects: Objects, symbols: Symbols, records: I32) -> None:
    """Raise InputError when a record or table about a function has a name, relocations, or flags
    that let a function keep more. As the oracle sees it, it would then be a part of the program."""
    place = kernel.burdened(
        objects.arena.bytes,
        np.ascontiguousarray(objects.blocks[:, goobj.RELOCIDX]),
        symbols.object,
        symbols.local,
        symbols.flags,
        symbols.name_size,
        records,
        ROOTING,
    )
    if place >= 0:
        sym = int(records[place])
        flagged = int(symbols.flags[sym]) & ROOTING
        raise InputError(
            "a table about a function has a name, or relocations, or flags of a function",
            file=objects.names[int(symbols.object[sym])],
            found=symbols.name(sym) or ("flags" if flagged else "relocations"),
            remedy="rebuild the package; the file is damaged",
        )
