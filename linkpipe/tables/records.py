"""The symbol records of all objects, read at once: what symbol resolution works on.

One row for each record, in the order in which the oracle meets them: object by object,
within an object by local index. Source: cmd/internal/goobj/objfile.go (Sym).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from linkpipe.arrays.ragged import offsets
from linkpipe.arrays.threads import each, shares
from linkpipe.arrays.types import I32, I64, U8, U32
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.kernels import records
from linkpipe.symkind import is_dwarf
from linkpipe.tables.objects import Objects
from linkpipe.tables.symbols import Flag


class Records(NamedTuple):
    """The symbol records that take part, in id order of appearance, one row each.

    ``place`` int64 is the row among all records: Objects.local_base[object] + local index.
    ``cls`` uint8 is the class of the reference that finds it (PACKAGE … REF); ``data_at`` is
    the offset of its content in the arena.
    """

    place: I64
    object: I32
    local: I32
    cls: U8
    name_at: I64
    name_size: I32
    version: I32
    kind: U8
    flags: U32
    size: I64
    align: I32
    data_at: I64
    data_size: I32


_DTYPES = "liiBliiBIlili"
"""The elements of the columns, as numpy abbreviates them."""
PACKAGE, HASHED64, HASHED, NONPKG, REF = range(5)


ROOTING = Flag.REFLECT_METHOD | Flag.WASM_EXPORT
"""Flags that make a symbol a root of the reachability analysis, or make it keep all methods."""


def read_records(
    objects: Objects, regabi: bool, *, with_dwarf: bool, left_out: U8 | None = None
) -> Records:
    """Read the symbol records of all objects but those that are ``left_out``, uint8, one for each.
    Debug symbols are passed over in a link that writes no DWARF: nothing but each other refers to
    them, and only the order of ids matters.

    Raises InputError where a debug symbol has flags that are for functions: the oracle heeds them,
    also when it writes no DWARF."""
    classes = objects.classes
    own, form = _object_flags(objects), objects.format
    debug = is_dwarf(form.kinds).view(np.uint8)
    empty = objects.faulty[objects.fault == records.DATA]

    left = np.zeros(int(objects.local_base[-1]), np.uint8) if left_out is None else left_out

    def given(share: slice) -> tuple[U8, I64, I64, I64, U8]:
        local = objects.local_base[share.start : share.stop + 1]
        blocks, cls = objects.blocks[share].ravel(), classes[share].ravel()
        return objects.arena.bytes, blocks, local, cls, left

    def count(share: slice) -> tuple[int, int]:
        return records.count_symbols(*given(share), form.flag2, debug, ROOTING, with_dwarf)

    def read(part: tuple[slice, int, int]) -> None:
        share, start, end = part
        data, blocks, local, cls, _ = given(share)
        rows: list[Any] = [column[start:end] for column in columns]
        records.symbols(
            data,
            blocks,
            objects.base[share],
            local,
            cls,
            left,
            objects.version[share],
            own[share],
            form.kinds,
            form.flag2,
            debug,
            empty,
            Flag.CONTENT_HASHED,
            regabi,
            with_dwarf,
            share.start,
            *rows,
        )

    parts = shares(objects.local_base)
    counted = each(count, parts)
    root = next((root for _, root in counted if root >= 0), -1)
    if root >= 0:
        owner = int(np.searchsorted(objects.local_base, root, "right")) - 1
        local = root - int(objects.local_base[owner])
        raise InputError(
            f"corrupt object file: symbol {local} is debug information and has flags of a function",
            file=objects.names[owner],
            remedy="rebuild the package; the file is damaged",
        )
    starts = offsets(np.array([rows for rows, _ in counted]))
    columns = Records(*(np.empty(int(starts[-1]), dtype) for dtype in _DTYPES))
    each(read, list(zip(parts, starts[:-1].tolist(), starts[1:].tolist(), strict=True)))
    return columns


def _object_flags(objects: Objects) -> U32:
    shared = np.where(objects.flags & goobj.FLAG_SHARED, int(Flag.SHARED), 0)
    assembly = np.where(objects.flags & goobj.FLAG_FROM_ASSEMBLY, int(Flag.FROM_ASSEMBLY), 0)
    return (shared | assembly).astype(np.uint32)
