"""Symbols that are found by their content: which are one, and whether they are alike indeed.

An object says for each of them what its content hashes to: 8 bytes that are the content itself,
or the first 16 of SHA-256 over size, content and relocations. Equal hashes are one symbol, the
largest of them. An object can lie, or be damaged; then every reference to a symbol of that hash
would get another's content, in silence. So what hashes alike is compared.

Source: cmd/link/internal/loader/loader.go (addSym), cmd/internal/obj/objfile.go (contentHash).
"""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np

from linkpipe.arrays.ragged import owners
from linkpipe.arrays.threads import each, worth
from linkpipe.arrays.types import I32, U8, Ints
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.kernels import contents
from linkpipe.symkind import SymKind, is_dwarf
from linkpipe.tables.faults import symbol_name
from linkpipe.tables.objects import Objects
from linkpipe.tables.symbols import Symbols

# What hashes are looked for with in this process. Nobody can know it who writes an input.
_FACTORS = (
    int.from_bytes(os.urandom(8)) | 1,
    int.from_bytes(os.urandom(8)) | 1,
    int.from_bytes(os.urandom(8)) | 1,
)


class Contents(NamedTuple):
    """What is found of symbols by their content, a row for each record of all objects
    (Objects.local_base): ``first`` int32, the row of the first with the same hash, its own where it
    has none, or is debug information that is passed over; ``noted`` uint8, bits of
    linkpipe.kernels.contents. ``differing`` and ``miscounted``: the first row that has the
    hash of another whose content, or number of relocations, differs; -1: none.
    """

    first: I32
    noted: U8
    differing: int
    miscounted: int


def group_contents(objects: Objects, sticky: int, *, with_dwarf: bool) -> Contents:
    """Find the records with equal hashes. One is noted as left out when the first with its hash is
    as large and aligned at least, and has those ``sticky`` flags that it has."""
    rows = int(objects.local_base[-1])
    first, noted = np.arange(rows, dtype=np.int32), np.zeros(rows, np.uint8)
    parts = 1 << (worth(rows).bit_length() - 1)

    def part(number: int) -> tuple[int, int]:
        return contents.group(
            objects.arena.bytes,
            objects.blocks.reshape(-1),
            objects.local_base,
            objects.classes.reshape(-1),
            objects.format.flag2,
            is_dwarf(objects.format.kinds).view(np.uint8),
            objects.faulty,
            with_dwarf,
            sticky,
            *_FACTORS,
            number,
            parts,
            first,
            noted,
        )

    found = [
        [row for row in told if row >= 0] for told in zip(*each(part, range(parts)), strict=True)
    ]
    return Contents(first, noted, *(min(rows, default=-1) for rows in found))


def check_contents(objects: Objects, found: Contents) -> None:
    """Raise InputError where symbols with the same hash differ: in relocations, or in bytes other
    than zeros at the end. ``objects`` must be resolved. What is damaged is like all.

    The kind is no part of the hash, and compilers do give one content two kinds: constants of the
    FIPS module have one of their own. As in the oracle the first one's counts."""
    if found.differing >= 0:
        _fail(objects, found, found.differing, "content")
    if found.miscounted >= 0:
        _fail(objects, found, found.miscounted, "number of relocations")
    rows = np.flatnonzero((found.noted & contents.WITH_RELOCS) != 0)
    mine, theirs = (objects.relocs(*objects.located(of)) for of in (rows, found.first[rows]))
    for a, b, what in (
        (mine.offset, theirs.offset, "offset"),
        (mine.size, theirs.size, "size"),
        (mine.type, theirs.type, "type"),
        (mine.weak, theirs.weak, "type"),
        (mine.add, theirs.add, "addend"),
        (mine.target, theirs.target, "symbol"),
    ):
        wrong = np.flatnonzero(a != b)
        if len(wrong):
            row = int(rows[owners(mine.counts)[wrong[0]]])
            _fail(objects, found, row, f"{what} of a relocation")


def _fail(objects: Objects, found: Contents, row: int, what: str) -> None:
    rows = np.array([row, found.first[row]])
    (obj, other), (local, theirs) = (part.tolist() for part in objects.located(rows))

    def told(obj: int, local: int) -> str:
        at = objects.blocks[[obj], goobj.SYMDEF] + goobj.SYM.itemsize * local
        record = objects.arena.records(at, goobj.SYM)[0]
        kind = SymKind(int(objects.format.kinds[record["type"]])).name
        return f"{kind} of {record['size']} bytes, symbol {local} of {objects.names[obj]}"

    raise InputError(
        f"corrupt object file: {symbol_name(objects, obj, local)} has the content hash of another "
        f"that differs from it in {what}",
        file=objects.names[obj],
        expected=told(other, theirs),
        found=told(obj, local),
        remedy="rebuild both packages; one of the files is damaged",
    )


_UNBACKED = 1 << 26
"""Most bytes that a list of symbols may be larger than its contents."""


def check_sizes(symbols: Symbols, objects: Objects, ids: Ints) -> None:
    """Raise InputError when the symbols ``ids``, of a kind that compilers write in full, are much
    larger than their contents: such sizes are not believed, nor memory taken for them. Those that
    the linker made may be among them."""
    ids = ids[symbols.object[ids] != 0]
    lacking = np.maximum(symbols.size[ids] - symbols.data_size[ids], 0)
    if lacking.sum() > _UNBACKED:
        sym = int(ids[np.argmax(lacking)])
        raise InputError(
            f"symbol too large ({int(symbols.size[sym])} bytes)",
            symbol=symbols.name(sym) or f"sym {sym}",
            file=objects.names[int(symbols.object[sym])],
            expected=f"the size of its content, {int(symbols.data_size[sym])} bytes",
            found=f"{int(symbols.size[sym])} bytes",
            status=2,
            remedy="rebuild the package; the file is damaged",
        )
