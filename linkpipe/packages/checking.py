"""Objects are checked here, once, when they are loaded: what passes then take for granted.

Input is not trusted. What is read later, by arrays and by kernels, is only read where it was found
here to lie, and says only what was found to be possible. This has been proved of every object when
`checked` returns:

- The header's blocks lie within it, in order, each of whole records, with an entry in each
  index for each definition and one for the end, and a hash for each symbol that has one (see
  check_blocks in formats/goobj.py).
- Names, of packages, files and symbols, lie within it. Each package that it refers to is loaded and
  has an object. All symbols have an ABI that there is, definitions an alignment that is a power of
  two (or above 2**31, which counts as none).
- The relocations, auxiliary symbols and contents of each definition lie within it, each of their
  references is to a symbol that there is, only functions have tables about functions, and none is
  larger than the oracle lets symbols be; but for definitions in the column ``faulty``. Those are
  refused when they are needed (Objects.refuse), as in the oracle: it looks at nothing else.

A link without debug information passes over the symbols of that: they are never read.

Other fields may contradict each other, and this is what becomes of it:

- A content that is longer than its symbol's size: `relocate` refuses it among what is written
  ("phase error"), `datalayout` among data, `pclntab` in tables of functions. Descriptors of
  types, names and function information are read by their content alone.
- A size beyond the content stands for zeros, which data may have many of. In what compilers write
  in full (code, data of functions, debug information) it is not believed: check_sizes in
  tables/contents.py.
- A relocation outside of its symbol: the pass `relocate` refuses it among what is written, in the
  oracle's words, `pclnbytes` in data of functions. Elsewhere its offset is only compared.
- Function information: its parts are within it and name files that there are, or functab/ says so.
  What a table says of addresses beyond its function matters to nobody: it is copied as it is, and
  the runtime looks up only addresses in the function.
- A symbol's kind, an auxiliary symbol's kind, a relocation's type and flags are numbers that choose
  among rules. Kinds that there are not stand for "undefined"; auxiliary kinds, and bits of flags,
  that there are not are passed over; relocation types are refused where they are applied. An
  auxiliary symbol that is of another kind than it should be is read as what it should be.
- Two definitions under one content hash that are not alike: tables/contents.py.

Source: cmd/link/internal/loader/loader.go (Preload, preloadSyms, loadObjRefs, resolve).
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.columns import frozen
from linkpipe.arrays.ragged import expand
from linkpipe.arrays.threads import each, shares
from linkpipe.arrays.types import I32, I64, U8, Structs
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.formats.importpath import path_to_prefix
from linkpipe.kernels import records
from linkpipe.symkind import is_dwarf, is_text
from linkpipe.tables.faults import fault
from linkpipe.tables.names import Names
from linkpipe.tables.objects import Objects
from linkpipe.tables.packages import Packages
from linkpipe.values import evolve

_AT_ONCE = (records.NAME, records.ABI, records.ALIGN)


def checked(objects: Objects, packages: Packages, *, debug: bool) -> Objects:
    """The objects, with the packages that they refer to and their damaged symbols noted.

    ``debug``: whether the link reads the symbols of debug information. Raises InputError for what
    is wrong whatever the link needs.
    """
    _check_files(objects)
    base, target = _package_references(objects, packages)
    objects = evolve(objects, package_base=base, package_object=target)
    table = objects.references
    passed = is_dwarf(objects.format.kinds) & (not debug)

    def faults(share: slice) -> U8:
        # Its first object is the one before: the kernel takes it for the row that is none.
        share = slice(share.start - 1, share.stop)
        local = objects.local_base[share.start : share.stop + 1] - objects.local_base[share.start]
        found = records.faults(
            objects.arena.bytes,
            objects.blocks[share].reshape(-1),
            objects.base[share],
            objects.end[share],
            local,
            objects.defined[share],
            table.first[share],
            table.counts[share],
            table.limit,
            passed.view(np.uint8),
            is_text(objects.format.kinds).view(np.uint8),
        )
        return found[local[1] :]

    parts = [slice(s.start + 1, s.stop + 1) for s in shares(objects.local_base[1:])]
    found = np.concatenate((np.zeros(0, np.uint8), *each(faults, parts)))
    faulty = np.flatnonzero(found)
    at_once = faulty[np.isin(found[faulty], _AT_ONCE)]
    if len(at_once):
        place = int(at_once[0])
        obj = int(np.searchsorted(objects.local_base, place, side="right")) - 1
        raise fault(objects, obj, place - int(objects.local_base[obj]), int(found[place]))
    return evolve(objects, faulty=faulty, fault=found[faulty])


def _check_files(objects: Objects) -> None:
    """The names of source files lie in their objects."""
    owner, record = _strings(objects, goobj.FILE)
    outside = np.flatnonzero(
        objects.base[owner] + record["at"] + record["size"] > objects.end[owner]
    )
    if len(outside):
        row = int(outside[0])
        raise InputError(
            "corrupt object file: the name of a source file lies outside of the object",
            file=objects.names[int(owner[row])],
            expected=f"an end within {int((objects.end - objects.base)[owner[row]])} bytes",
            found=str(int(record["at"][row]) + int(record["size"][row])),
            remedy="rebuild the package; the file is damaged",
        )


def _strings(objects: Objects, block: int) -> tuple[I64, Structs]:
    """The references to strings that stand in a block of every object: object and record."""
    start = objects.blocks[:, block]
    counts = (objects.blocks[:, block + 1] - start) // goobj.STRING_RECORD.itemsize
    owner = np.repeat(np.arange(len(objects)), counts)
    index = expand(np.zeros(len(counts), np.int64), counts)
    at = start[owner] + goobj.STRING_RECORD.itemsize * index
    return owner, objects.arena.records(at, goobj.STRING_RECORD)


def _package_references(objects: Objects, packages: Packages) -> tuple[I64, I32]:
    """Where each object's package indexes start, and for each the row of the package's first
    object."""
    owner, refs = _strings(objects, goobj.PKGIDX)
    counts = np.bincount(owner, minlength=len(objects))
    index = expand(np.zeros(len(counts), np.int64), counts)
    at, size = objects.base[owner] + refs["at"], refs["size"].astype(np.int64)
    outside = (at + size > objects.end[owner]) & (index > 0)
    size[outside | (index == 0)] = 0
    having = [p for p in packages.items if p.objects]
    known = Names.of([path_to_prefix(p.path).encode() for p in having], [0] * len(having))
    _, slots = known.group()
    no_tag = np.zeros(len(at), np.int32)
    spot = Names(objects.arena.bytes, at, size.astype(np.int32), no_tag).find(known, slots)
    first = np.array([p.objects[0] for p in having], np.int32)
    missing = np.flatnonzero(((index > 0) & (spot < 0)) | outside)
    if len(missing):
        row = int(missing[0])
        path = objects.arena.view(int(at[row]), int(size[row])).tobytes().decode("utf-8", "replace")
        importer = packages.items[int(objects.package[owner[row]])].path
        remedy = f"rebuild {importer}; it does not say that it imports {path}"
        if path in packages.by_path:
            empty = packages.items[packages.by_path[path]]
            remedy = f"rebuild {path}; there is no Go object in {empty.file}"
        raise InputError(
            f"{importer}: reference to nonexistent package {path}",
            file=objects.names[int(owner[row])],
            status=1,
            remedy=remedy,
        )
    target = np.where(index > 0, first[spot], 0).astype(np.int32)
    base = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return frozen(base), frozen(target)
