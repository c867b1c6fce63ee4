"""The symbol records of all objects, read at once: what symbol resolution works on.

One row for each record, in the order in which the oracle meets them: object by object,
within an object by local index. Source: cmd/internal/goobj/objfile.go (Sym).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

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


PACKAGE, HASHED64, HASHED, NONPKG, REF = range(5)


_ROOTING = Flag.REFLECT_METHOD | Flag.WASM_EXPORT
"""Flags that make a symbol a root of the reachability analysis, or make it keep all methods."""


def read_records(objects: Objects, regabi: bool, *, with_dwarf: bool) -> Records:
    """Read the symbol records of all objects. Debug symbols are passed over in a link that
    writes no DWARF: nothing but each other refers to them, and only the order of ids matters.

    Raises InputError where a debug symbol has flags that are for functions: the oracle heeds them,
    also when it writes no DWARF."""
    classes = np.stack(
        (objects.ndef, objects.nhashed64, objects.nhashed, objects.nnonpkg, objects.nref), axis=1
    )
    columns, root = records.symbols(
        objects.arena.bytes,
        objects.blocks.ravel(),
        objects.base,
        objects.local_base,
        classes.ravel(),
        objects.version,
        _object_flags(objects),
        objects.format.kinds,
        objects.format.flag2,
        is_dwarf(objects.format.kinds).view(np.uint8),
        objects.faulty[objects.fault == records.DATA],
        _ROOTING,
        Flag.CONTENT_HASHED,
        regabi,
        with_dwarf,
    )
    if root >= 0:
        owner = int(np.searchsorted(objects.local_base, root, "right")) - 1
        local = root - int(objects.local_base[owner])
        raise InputError(
            f"corrupt object file: symbol {local} is debug information and has flags of a function",
            file=objects.names[owner],
            remedy="rebuild the package; the file is damaged",
        )
    return Records(*columns)


def _object_flags(objects: Objects) -> U32:
    shared = np.where(objects.flags & goobj.FLAG_SHARED, int(Flag.SHARED), 0)
    assembly = np.where(objects.flags & goobj.FLAG_FROM_ASSEMBLY, int(Flag.FROM_ASSEMBLY), 0)
    return (shared | assembly).astype(np.uint32)
