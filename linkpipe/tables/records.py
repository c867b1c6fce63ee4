"""The symbol records of all objects, read at once: what symbol resolution works on.

One row for each record, in the order in which the oracle meets them: object by object,
within an object by local index. Source: cmd/internal/goobj/objfile.go (Sym).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from linkpipe.arrays.ragged import offsets
from linkpipe.arrays.threads import each, pieces, shares
from linkpipe.arrays.types import I32, I64, U8, U32
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.kernels import records
from linkpipe.symkind import is_dwarf
from linkpipe.tables.objects import Objects
from linkpipe.tables.symbols import Flag


class Records(NamedTuple):
    """The symbol records that take part, in id order of appearance, one row each: what tells which
    are one symbol, and whose definition wins.

    ``place`` int32 is the row among all records: Objects.local_base[object] + local index.
    ``cls`` uint8 is the class of the reference that finds it (PACKAGE … REF). The others are as in
    the table of symbols, but that ``size`` is uint32.
    """

    place: I32
    cls: U8
    name_at: I64
    name_size: I32
    version: I32
    flags: U32
    size: U32
    align: I32


_DTYPES = "iBliiIIi"
"""The elements of the columns, as numpy abbreviates them."""
PACKAGE, HASHED64, HASHED, NONPKG, REF = range(5)


ROOTING = Flag.REFLECT_METHOD | Flag.WASM_EXPORT
"""Flags that make a symbol a root of the reachability analysis, or make it keep all methods."""
DESCRIBED = "object local version kind size align flags name_at name_size data_at data_size".split()
"""Columns of the table of symbols that records say."""


def read_records(
    objects: Objects, regabi: bool, *, with_dwarf: bool, left_out: U8 | None = None
) -> Records:
    """Read the symbol records of all objects but those that are ``left_out``, uint8, one for each.
    Debug symbols are passed over in a link that writes no DWARF: nothing but each other refers to
    them, and only the order of ids matters.

    Raises InputError where a debug symbol has flags that are for functions: the oracle heeds them,
    also when it writes no DWARF."""
    classes, form = objects.classes, objects.format
    debug = is_dwarf(form.kinds).view(np.uint8)
    left = np.zeros(int(objects.local_base[-1]), np.uint8) if left_out is None else left_out

    def given(share: slice) -> tuple[I64, I64, I64, U8]:
        local = objects.local_base[share.start : share.stop + 1]
        return objects.blocks[share].ravel(), local, classes[share].ravel(), left

    def count(share: slice) -> tuple[int, int]:
        data = objects.arena.bytes
        return records.count_symbols(data, *given(share), form.flag2, debug, ROOTING, with_dwarf)

    def read(part: tuple[slice, int, int]) -> None:
        share, start, end = part
        blocks, local, cls, _ = given(share)
        rows: list[Any] = [column[start:end] for column in columns]
        data, base, version = objects.arena.bytes, objects.base[share], objects.version[share]
        of = version, form.flag2, debug, regabi, with_dwarf
        records.symbols(data, blocks, base, local, cls, left, *of, *rows)

    parts = shares(objects.local_base)
    counted = each(count, parts)
    root = next((root for _, root in counted if root >= 0), -1)
    if root >= 0:
        owner, local = objects.located(np.array([root]))
        raise InputError(
            f"corrupt object file: symbol {int(local[0])} is debug information and has flags of a "
            "function",
            file=objects.names[int(owner[0])],
            remedy="rebuild the package; the file is damaged",
        )
    starts = offsets(np.array([rows for rows, _ in counted]))
    columns = Records(*(np.empty(int(starts[-1]), dtype) for dtype in _DTYPES))
    each(read, list(zip(parts, starts[:-1].tolist(), starts[1:].tolist(), strict=True)))
    return columns


def describe(objects: Objects, regabi: bool, places: I32, columns: Mapping[str, Any]) -> None:
    """Read the symbol records at ``places`` into ``columns``, those that are DESCRIBED and of as
    many rows. Damaged contents are none."""
    classes, form, own = objects.classes.ravel(), objects.format, _object_flags(objects)

    def read(part: slice) -> None:
        records.describe(
            objects.arena.bytes,
            objects.blocks.ravel(),
            objects.base,
            objects.local_base,
            classes,
            objects.version,
            form.flag2,
            form.kinds,
            own,
            Flag.CONTENT_HASHED,
            regabi,
            places[part],
            *(columns[name][part] for name in DESCRIBED),
        )

    each(read, pieces(len(places), 1))
    empty = objects.faulty[objects.fault == records.DATA]
    if len(empty):
        damaged = np.isin(places, empty)
        columns["data_at"][damaged], columns["data_size"][damaged] = -1, 0


def _object_flags(objects: Objects) -> U32:
    shared = np.where(objects.flags & goobj.FLAG_SHARED, int(Flag.SHARED), 0)
    assembly = np.where(objects.flags & goobj.FLAG_FROM_ASSEMBLY, int(Flag.FROM_ASSEMBLY), 0)
    return (shared | assembly).astype(np.uint32)
