"""FuncInfo records: what the compiler says about one function beyond its code.

A record is the content of a function's AUX_FUNCINFO symbol: five words (args, locals, id and
flags, first line, number of files), the files it uses (indexes into its object's file table),
and the tree of calls inlined into it. Source: cmd/internal/goobj/funcinfo.go.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from linkpipe.arrays.types import I64, U32, Structs
from linkpipe.errors import BadRow
from linkpipe.formats.arena import Arena
from linkpipe.kernels.spans import copy_spans

HEADER = np.dtype(
    [
        ("args", "<u4"),
        ("locals", "<u4"),
        ("func_id", "u1"),
        ("flag", "u1"),
        ("pad", "<u2"),
        ("start_line", "<i4"),
        ("nfiles", "<u4"),
    ]
)
INLINED = np.dtype(
    [
        ("parent", "<i4"),
        ("file", "<u4"),
        ("line", "<i4"),
        ("pkg", "<u4"),
        ("sym", "<u4"),
        ("parent_pc", "<i4"),
    ]
)


class FuncInfos(NamedTuple):
    """Records of n functions.

    ``header`` HEADER[n]; ``nfiles``, ``ninlined`` int64[n]; ``files`` uint32[sum(nfiles)] and
    ``inlined`` INLINED[sum(ninlined)], function by function.
    """

    header: Structs
    nfiles: I64
    files: U32
    ninlined: I64
    inlined: Structs


def read_headers(arena: Arena, at: I64, size: I64) -> Structs:
    """The fixed part of the records at the arena offsets ``at``, of ``size`` bytes: HEADER[n].

    Raises BadRow when a record is cut short.
    """
    _check(size, np.full(len(at), HEADER.itemsize + 4))
    return arena.records(at, HEADER)


def read_funcinfos(arena: Arena, at: I64, size: I64) -> FuncInfos:
    """The records at the arena offsets ``at``, of ``size`` bytes.

    Raises BadRow when a record is cut short.
    """
    header = read_headers(arena, at, size)
    nfiles = header["nfiles"].astype(np.int64)
    tree = HEADER.itemsize + 4 * nfiles
    _check(size, tree + 4)
    ninlined = arena.u32(at + tree).astype(np.int64)
    tree += 4
    _check(size, tree + ninlined * INLINED.itemsize)
    files = _rows(arena, at + HEADER.itemsize, nfiles, np.dtype("<u4"))
    inlined = _rows(arena, at + tree, ninlined, INLINED)
    return FuncInfos(header, nfiles, files, ninlined, inlined)


def _rows(arena: Arena, at: I64, counts: I64, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The rows that start at ``at``, ``counts`` of each, end to end."""
    sizes = counts * dtype.itemsize
    ends = np.cumsum(sizes)
    out = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    copy_spans(out, ends - sizes, arena.bytes, at, sizes)
    return out.view(dtype)


def _check(size: I64, needed: I64) -> None:
    short = np.flatnonzero(size < needed)
    if len(short):
        row = int(short[0])
        raise BadRow(
            row,
            "corrupt object file: function information is cut short",
            expected=f"at least {int(needed[row])} bytes",
            found=f"{int(size[row])} bytes",
        )
