"""The symbol records of all objects, read at once: what symbol resolution works on.

One row for each record, in the order in which the oracle meets them: object by object,
within an object by local index. Source: cmd/internal/goobj/objfile.go (Sym).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from linkpipe.arrays.types import I32, I64, U8, U32, Bool, Structs
from linkpipe.errors import InputError
from linkpipe.formats import goobj
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


def read_records(objects: Objects, regabi: bool, *, with_dwarf: bool) -> Records:
    """Read the symbol records of all objects. Debug symbols are passed over in a link that
    writes no DWARF: nothing but each other refers to them, and only the order of ids matters."""
    classes = np.stack(
        (objects.ndef, objects.nhashed64, objects.nhashed, objects.nnonpkg, objects.nref), axis=1
    )
    record = concatenate(objects, goobj.SYMDEF, goobj.REFFLAGS).view(goobj.SYM)
    kind = objects.format.kinds[record["type"]]
    _no_roots_in_debug_symbols(objects, record, kind)
    owner = np.repeat(np.arange(len(objects), dtype=np.int32), np.diff(objects.local_base))
    cls = np.repeat(np.tile(np.arange(5, dtype=np.uint8), len(objects)), classes.ravel())
    if with_dwarf:
        place = np.arange(len(record))
    else:
        place = np.flatnonzero(~is_dwarf(kind))
        opaque = record.view(f"V{goobj.SYM.itemsize}")  # picking rows with fields is far slower
        record = opaque[place].view(goobj.SYM)
        owner, cls, kind = owner[place], cls[place], kind[place]
    local = (place - objects.local_base[owner]).astype(np.int32)
    data_at, data_size = _contents(objects, owner, local, cls != REF)
    abi = record["abi"].astype(np.int32)
    static = abi == goobj.ABI_STATIC
    version = abi if regabi else np.zeros_like(abi)
    version[static] = objects.version[owner[static]]
    flags: U32 = record["flag"].astype(np.uint32)
    flags |= objects.format.flag2[record["flag2"]].astype(np.uint32) << np.uint32(8)
    flags |= _object_flags(objects)[owner]
    flags |= np.where(cls == HASHED, int(Flag.CONTENT_HASHED), 0).astype(np.uint32)
    return Records(
        place=place,
        object=owner,
        local=local,
        cls=cls,
        name_at=objects.base[owner] + record["name_at"],
        name_size=record["name_size"].astype(np.int32),
        version=version,
        kind=kind,
        flags=flags,
        size=record["size"].astype(np.int64),
        align=np.maximum(record["align"].astype(np.int32), 0),
        data_at=data_at,
        data_size=data_size,
    )


def _no_roots_in_debug_symbols(objects: Objects, record: Structs, kind: U8) -> None:
    """Flags that make a symbol a root of the reachability analysis, or make it keep all methods,
    are for functions. On debug symbols the oracle heeds them, also when it writes no DWARF."""
    reflects, exported = np.uint8(Flag.REFLECT_METHOD), np.uint8(Flag.WASM_EXPORT >> 8)
    rooting = (record["flag"] & reflects) | (record["flag2"] & exported)
    rows = np.flatnonzero(rooting)
    rows = rows[is_dwarf(kind[rows])]
    if len(rows):
        place = int(rows[0])
        owner = int(np.searchsorted(objects.local_base, place, "right")) - 1
        local = place - int(objects.local_base[owner])
        raise InputError(
            f"corrupt object file: symbol {local} is debug information and has flags of a function",
            file=objects.names[owner],
            remedy="rebuild the package; the file is damaged",
        )


def concatenate(objects: Objects, first: int, end: int) -> U8:
    """The blocks [first, end) of all objects, end to end. Records of an object lie together,
    so copying blocks is much cheaper than gathering records."""
    bounds = objects.blocks[:, [first, end]].tolist()
    return np.concatenate([objects.arena.bytes[a:b] for a, b in bounds])


def _contents(
    objects: Objects,
    owner: I32,
    local: I32,
    defined: Bool,
) -> tuple[I64, I32]:
    """Where the content of each row's symbol lies, and its size: zero for references and where it
    is damaged."""
    # An object's index has one entry more than it has definitions.
    counts = objects.defined + 1
    counts[0] = 0
    start = objects.blocks[:, goobj.DATAIDX]
    bounds = np.stack((start, start + 4 * counts), axis=1).tolist()
    # Two entries more, which references may look at.
    index = np.concatenate([*(objects.arena.bytes[a:b] for a, b in bounds), np.zeros(8, np.uint8)])
    index = index.view("<u4")
    base = (np.cumsum(counts) - counts).astype(np.int32)
    entry = base[owner] + local
    entry[~defined] = 0
    first = index[entry].astype(np.int64)
    size = (index[1:] - index[:-1])[entry]
    size[~defined | objects.damaged(owner, local, content=True)] = 0
    return objects.blocks[owner, goobj.DATA] + first, size.astype(np.int32)


def _object_flags(objects: Objects) -> U32:
    shared = np.where(objects.flags & goobj.FLAG_SHARED, int(Flag.SHARED), 0)
    assembly = np.where(objects.flags & goobj.FLAG_FROM_ASSEMBLY, int(Flag.FROM_ASSEMBLY), 0)
    return (shared | assembly).astype(np.uint32)
