"""Symbols that are found by their content: which are one, and whether they are alike indeed.

An object says for each of them what its content hashes to: 8 bytes that are the content itself,
or the first 16 of SHA-256 over size, content and relocations. Equal hashes are one symbol, the
largest of them. An object can lie, or be damaged; then every reference to a symbol of that hash
would get another's content, in silence. So what hashes alike is compared.

Source: cmd/link/internal/loader/loader.go (addSym), cmd/internal/obj/objfile.go (contentHash).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from linkpipe.arrays.ragged import owners
from linkpipe.arrays.threads import both
from linkpipe.arrays.types import I32, I64, Bool, Ints
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.kernels.names import differing
from linkpipe.symkind import SymKind
from linkpipe.tables.names import Names
from linkpipe.tables.objects import Objects
from linkpipe.tables.records import HASHED, HASHED64, Records
from linkpipe.tables.symbols import Symbols


class Contents(NamedTuple):
    """The records that are found by content: ``rows`` int64[n], their rows among all, ascending;
    ``first`` int64[n], for each the place in ``rows`` of the first with the same hash."""

    rows: I64
    first: I64


def group_contents(objects: Objects, records: Records) -> Contents:
    """Find the records with equal hashes."""
    rows = np.flatnonzero((records.cls == HASHED64) | (records.cls == HASHED))
    obj, long = records.object[rows], records.cls[rows] == HASHED
    index = records.local[rows] - objects.ndef[obj]
    index[long] -= objects.nhashed64[obj[long]]
    size = np.where(long, np.int32(16), np.int32(8))
    at = np.where(long, objects.blocks[obj, goobj.HASH], objects.blocks[obj, goobj.HASH64])
    first, _ = Names(objects.arena.bytes, at + size * index, size, np.zeros_like(size)).group()
    return Contents(rows, first)


def check_contents(objects: Objects, records: Records, contents: Contents) -> None:
    """Raise InputError where symbols with the same hash differ: in relocations, or in bytes other
    than zeros at the end. ``objects`` must be resolved. What is damaged is like all.

    The kind is no part of the hash, and compilers do give one content two kinds: constants of the
    FIPS module have one of their own. As in the oracle the first one's counts."""
    rows, first = contents
    obj, local = records.object[rows], records.local[rows]
    sound = ~objects.damaged(obj, local)
    first = np.where(sound & sound[first], first, np.arange(len(rows)))
    bad, wrong = both(
        lambda: differing(
            objects.arena.bytes, records.data_at[rows], records.data_size[rows], first
        ),
        lambda: _other_relocations(objects, obj, local, sound, first),
    )
    if bad >= 0:
        _fail(objects, records, contents, bad, "content")
    if wrong is not None:
        _fail(objects, records, contents, *wrong)


def _other_relocations(
    objects: Objects, obj: I32, local: I32, sound: Bool, first: I64
) -> tuple[int, str] | None:
    """The first that has other relocations than the one that is its first, and in what."""
    at = objects.blocks[obj, goobj.RELOCIDX] + 4 * local
    counts = objects.arena.u32(at + 4) - objects.arena.u32(at)
    counts[~sound] = 0
    wrong = np.flatnonzero(counts != counts[first])
    if len(wrong):
        return int(wrong[0]), "number of relocations"
    some = np.flatnonzero((counts > 0) & (first != np.arange(len(obj))))
    mine = objects.relocs(obj[some], local[some])
    theirs = objects.relocs(obj[first[some]], local[first[some]])
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
            row = int(some[owners(mine.counts)[wrong[0]]])
            return row, f"{what} of a relocation"
    return None


def _fail(objects: Objects, records: Records, contents: Contents, place: int, what: str) -> None:
    row, other = (int(contents.rows[i]) for i in (place, contents.first[place]))
    at, size = int(records.name_at[row]), int(records.name_size[row])
    name = objects.arena.view(at, size).tobytes().decode("utf-8", "replace")

    def told(row: int) -> str:
        kind = SymKind(int(records.kind[row])).name
        return (
            f"{kind} of {int(records.size[row])} bytes, symbol {int(records.local[row])} of "
            f"{objects.names[int(records.object[row])]}"
        )

    raise InputError(
        f"corrupt object file: symbol {name or '(without a name)'} has the content hash of another "
        f"that differs from it in {what}",
        file=objects.names[int(records.object[row])],
        expected=told(other),
        found=told(row),
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
