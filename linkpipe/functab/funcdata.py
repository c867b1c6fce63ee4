"""Data about functions that their records point to, each once.

It is what the compiler wrote (which words of the stack hold pointers, objects on the stack, open
defers …) and, made here, the tree of calls that were inlined into each function. In one block,
go:func.*, widest alignment comes first, so that little is lost in gaps.
Source: cmd/link/internal/ld/pcln.go (genInlTreeSym, generateFuncdata), runtime/symtabinl.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from linkpipe.arrays.align import round_up
from linkpipe.arrays.ragged import distinct, expand, first_seen, owners
from linkpipe.arrays.types import I64, U8
from linkpipe.errors import InputError
from linkpipe.formats import goobj
from linkpipe.formats.funcinfo import read_headers
from linkpipe.kernels.spans import copy_spans
from linkpipe.symkind import SymKind
from linkpipe.tables.faults import rows_of
from linkpipe.tables.functions import Functions
from linkpipe.tables.pclntab import Funcdata, FunctionData
from linkpipe.tables.symbols import Flag, Symbols, SymbolsEdit

if TYPE_CHECKING:
    from linkpipe.arch import Architecture
    from linkpipe.tables.objects import Objects


# internal/abi/symtab.go
_ARGS_POINTER_MAPS = 0
_INLTREE = 3
_ARG_INFO = 5

_INLINED_CALL = 16
"""Bytes of runtime.inlinedCall."""


def create_trees(edit: SymbolsEdit, fns: Functions) -> I64:
    """A symbol for each function that has calls inlined: int64[len(fns.rows)], 0: none."""
    trees = np.zeros(len(fns.rows), np.int64)
    rows = np.flatnonzero(fns.info.ninlined)
    trees[rows] = edit.create_many(
        len(rows),
        kind=SymKind.SPCLNTAB,
        size=fns.info.ninlined[rows] * _INLINED_CALL,
        align=4,
        flags=np.uint32(Flag.REACHABLE),
    )
    return trees


def inlined_calls(
    objects: Objects,
    symbols: Symbols,
    fns: Functions,
    name_at: I64,
    endian: str,
    *,
    imports: bool = False,
) -> U8:
    """The records runtime.inlinedCall of all functions, end to end: id of the function that was
    inlined (3 bytes pad), its name, the call's address in the function, its first line.

    With ``imports`` the function may be one of a shared library; id and line are 0 then."""
    unique = fns.inlined[first_seen(fns.inlined, len(symbols))]
    auxs = objects.auxs(symbols.object[unique], symbols.local[unique], (goobj.AUX_FUNCINFO,))
    found = auxs.counts == 1
    missing = np.flatnonzero(auxs.counts > 1 if imports else ~found)
    if len(missing):
        inlined = int(unique[missing[0]])
        caller = int(owners(fns.info.ninlined)[np.flatnonzero(fns.inlined == inlined)[0]])
        raise InputError(
            "a function that is inlined has no function information",
            symbol=symbols.name(int(fns.ids[caller])),
            file=objects.names[int(fns.objects[caller])],
            expected="a function in each place of its tree of inlined calls",
            found=symbols.name(inlined) or "a symbol without a name",
            remedy="rebuild all packages with one Go version",
        )
    at, size = symbols.data_at[auxs.target], symbols.data_size[auxs.target]
    with rows_of(objects, symbols, unique[found]):
        header = read_headers(symbols.arena, at, size)
    func_id, start_line = np.zeros(len(unique), np.uint8), np.zeros(len(unique), np.int32)
    func_id[found], start_line[found] = header["func_id"], header["start_line"]
    # Few symbols are asked for, so nothing is written for the others.
    place = np.empty(len(symbols), np.int32)
    place[unique] = np.arange(len(unique))
    row = place[fns.inlined]
    out = np.zeros((len(row), 4), f"{endian}u4")
    out.view(np.uint8)[:, 0] = func_id[row]
    out[:, 1] = name_at[fns.inlined]
    out[:, 2] = fns.info.inlined["parent_pc"].view(np.uint32)
    out[:, 3] = start_line[row].view(np.uint32)
    return out.view(np.uint8).reshape(-1)


def funcdata_lists(
    objects: Objects, symbols: Symbols, fns: Functions, trees: I64
) -> tuple[I64, I64]:
    """The funcdata of each function, its tree of inlined calls put in its place: how many entries,
    int64[n]; their symbols, int64[sum], 0 where there is none or where it does not count."""
    has_tree = trees != 0
    counts = np.where(has_tree, np.maximum(fns.nfuncdata, _INLTREE + 1), fns.nfuncdata)
    first = np.cumsum(counts) - counts
    out = np.zeros(int(counts.sum()), np.int64)
    out[expand(first, fns.nfuncdata)] = fns.funcdata
    out[first[has_tree] + _INLTREE] = trees[has_tree]
    # The assembler asks for argument maps of every function, hoping that the compiler makes them
    # from a Go declaration. Where there is none, it was in vain.
    assembled = (objects.flags[fns.objects] & goobj.FLAG_FROM_ASSEMBLY) != 0
    for kind in (_ARGS_POINTER_MAPS, _ARG_INFO):
        at = first[assembled & (counts > kind)] + kind
        made = out[at] >= len(symbols)
        empty = symbols.data_size[np.where(made, 0, out[at])] == 0
        out[at[empty & ~made]] = 0
    return counts, out


def lay_out_funcdata(
    symbols: Symbols, edit: SymbolsEdit, arch: Architecture, data: FunctionData
) -> Funcdata:
    """Give the data its places in go:func.* (as values of the symbols), and copy it there.

    ``edit`` is an edit of ``symbols``. Raises InputError for data of size zero.
    """
    new = first_seen(data.symbols, len(edit))
    unique = data.symbols[new & (data.symbols != 0)]
    align = _alignment(edit, unique, arch.min_align, arch.max_align)
    order = np.argsort(-align, kind="stable")
    unique, align = unique[order], align[order]
    size = edit.size[unique]
    empty = np.flatnonzero(size == 0)
    if len(empty):
        raise InputError(
            "zero size funcdata",
            symbol=symbols.name(int(unique[empty[0]])),
            remedy="rebuild the package; the compiler never writes that",
        )
    at = np.zeros(len(unique), np.int64)
    end = 0
    for step in distinct(align)[::-1].tolist():
        rows = np.flatnonzero(align == step)
        padded = size[rows] + -size[rows] % step
        at[rows] = round_up(end, step) + np.cumsum(padded) - padded
        end = int(at[rows[-1]] + size[rows[-1]])
    edit.set(unique, value=at)
    edit.add_flags(unique, Flag.NOT_IN_SYMTAB | Flag.SPECIAL)
    out = np.zeros(end, np.uint8)
    read = np.flatnonzero(edit.data_at[unique] >= 0)
    ids = unique[read]
    stored = np.minimum(edit.data_size[ids], size[read])
    copy_spans(out, at[read], symbols.arena.bytes, edit.data_at[ids], stored)
    for row in np.flatnonzero(np.isin(unique, list(symbols.contents))).tolist():
        text = np.frombuffer(symbols.contents[int(unique[row])], np.uint8)
        out[at[row] : at[row] + len(text)] = text
    made = data.trees[data.trees != 0]
    counts = edit.size[made]
    copy_spans(out, edit.value[made], data.inlined, np.cumsum(counts) - counts, counts)
    # The oracle looks at alignments while it compares them, so a single one goes unseen.
    widest = int(align[0]) if len(align) > 1 else 0
    return Funcdata(unique, at, widest, out)


def _alignment(edit: SymbolsEdit, ids: I64, least: int, most: int) -> I64:
    """The alignment of symbols: as stated, or else by size (which is then stated)."""
    stated = edit.align[ids].astype(np.int64)
    size, guess = edit.size[ids], np.full(len(ids), most, np.int64)
    step = most
    while step > least:
        guess[(guess > size) & (guess > least)] >>= 1
        step >>= 1
    open_ = stated == 0
    edit.set(ids[open_], align=guess[open_])
    return np.where(open_, guess, np.maximum(stated, least))
