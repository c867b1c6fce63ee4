"""What the runtime's tables call functions and source files, read, and written with other names of
any length.

A function's record says where its name is in runtime.funcnametab; so does each record of a call
that was inlined. Which files a function comes from its pcfile table says, by number; runtime.cutab
has the place in runtime.filetab for each number of each object.

Layout: runtime/symtab.go (funcname, funcfile), runtime/symtabinl.go (inlinedCall).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from linkpipe.arrays.align import round_up
from linkpipe.arrays.columns import frozen, table
from linkpipe.arrays.types import I64, U32, Ints
from linkpipe.formats.leb128 import ulebs_at, zigzag
from linkpipe.functab.records import read_function_records, with_function_records
from linkpipe.tables.pclntab import FunctionData, Pclntab
from linkpipe.tables.symbols import Symbols, SymbolsEdit
from linkpipe.values import Shown, evolve

if TYPE_CHECKING:
    from linkpipe.arch import Architecture

_NONE = 0xFFFFFFFF


@table
class FunctionNames(Shown):
    """Names of n functions in order of address, as ``link.pclntab.functions`` has them, of the m
    calls that were inlined into them, and of source files.

    Attributes:
        names: names of functions, one a row. The runtime takes the first one's place, 0, for none:
            a function of that row has no name in tracebacks.
        function: int64[n], the row of each function's name.
        inlined: int64[m], the row of the name of the function that each inlined call is of.
        files: names of source files, one a row.
        listed: int64[k], the row of each file that an object lists, -1: nothing uses it.
        unit: int64[n], where the files of the function's object begin in ``listed``, -1: it has
            none.
        file: int64[n], the row of the file in which the function begins, -1: none.
    """

    names: tuple[bytes, ...]
    function: I64
    inlined: I64
    files: tuple[bytes, ...]
    listed: I64
    unit: I64
    file: I64


def read_function_names(
    symbols: Symbols, tables: Pclntab, data: FunctionData, arch: Architecture
) -> FunctionNames:
    """The names in the facts ``pclntab`` and ``function_data``, behind the pass pclntab."""
    records = read_function_records(tables.functab_data, arch.endian)
    names, name_at = _texts(symbols.data(tables.funcnametab))
    files, file_at = _texts(symbols.data(tables.filetab))
    places = np.frombuffer(symbols.data(tables.cutab), f"{arch.endian}u4").astype(np.int64)
    used = places != _NONE
    listed = np.full(len(places), -1, np.int64)
    listed[used] = np.searchsorted(file_at, places[used])
    unit = np.where(records.unit == _NONE, -1, records.unit.astype(np.int64))
    pctab = np.frombuffer(symbols.data(tables.pctab), np.uint8)
    some = np.flatnonzero((records.pcfile != 0) & (unit >= 0))
    at = records.pcfile[some].astype(np.int64)
    # A table starts from -1; its first number is the change to the value at the entry.
    change, _ = ulebs_at(pctab, at, np.full_like(at, len(pctab)))
    file = np.full(len(unit), -1, np.int64)
    file[some] = listed[unit[some] + zigzag(change.astype(np.uint64)) - 1]
    return FunctionNames(
        names=names,
        function=np.searchsorted(name_at, records.name),
        inlined=np.searchsorted(name_at, _inlined(data, arch)[:, 1]),
        files=files,
        listed=listed,
        unit=unit,
        file=file,
    )


def with_function_names(
    edit: SymbolsEdit, tables: Pclntab, data: FunctionData, names: FunctionNames, arch: Architecture
) -> tuple[Pclntab, FunctionData]:
    """The facts ``pclntab`` and ``function_data`` with these names, for a pass that stands directly
    behind pclntab; the tables that hold them get their content, and their size, in ``edit``.

    ``names``, ``function``, ``inlined``, ``files`` and ``listed`` count; the others are where they
    were. Each row is written once; one that no function and no inlined call has is left out, but
    for the first, and so is a file that no object lists.
    Raises ValueError for a name with a zero byte, for a row that there is not, for other numbers of
    functions, calls or listed files than before, and where the data of functions have their places
    already.
    """
    records = read_function_records(tables.functab_data, arch.endian)
    words = _inlined(data, arch).copy()
    before = len(bytes(edit.data(tables.cutab))) // 4
    for column, count, rows, what in (
        (names.function, len(records.name), len(names.names), "functions"),
        (names.inlined, len(words), len(names.names), "inlined calls"),
        (names.listed, before, len(names.files), "listed files"),
    ):
        if len(column) != count:
            raise ValueError(f"there are {count} {what}, not {len(column)}")
        least = -1 if what == "listed files" else 0
        if count and not least <= int(column.min()) <= int(column.max()) < rows:
            raise ValueError(f"{what} have a row that is none of the {rows} names")
    trees = data.trees[data.trees != 0]
    if edit.data_size[trees].any() or edit.value[trees].any():
        raise ValueError("data of functions have their places already: too late for other names")
    text, at = _table(names.names, np.append(names.function, names.inlined), first=True)
    words[:, 1] = at[names.inlined]
    records = evolve(records, name=frozen(at[names.function].astype(np.uint32)))
    file_text, file_at = _table(names.files, names.listed[names.listed >= 0], first=False)
    places = np.append(file_at, _NONE)[names.listed].astype(f"{arch.endian}u4")
    for sym, content in (
        (tables.funcnametab, text),
        (tables.filetab, file_text),
        (tables.cutab, places.tobytes()),
    ):
        edit.set_content(sym, content)
        edit.set(sym, size=round_up(len(content), arch.ptrsize))
    functab = with_function_records(tables.functab_data, records, arch.endian)
    inlined = frozen(words.view(np.uint8).reshape(-1))
    nfiles = file_text.count(b"\0")
    return (
        evolve(tables, functab_data=functab, nfiles=nfiles),
        evolve(data, inlined=inlined),
    )


def _inlined(data: FunctionData, arch: Architecture) -> U32:
    """The records runtime.inlinedCall: uint32[m, 4], in the architecture's order of bytes; the
    second word is where the name is."""
    return data.inlined.view(f"{arch.endian}u4").reshape(-1, 4)


def _texts(content: bytes | memoryview) -> tuple[tuple[bytes, ...], I64]:
    """The texts of a table, each of which ends with a zero byte, and where they begin."""
    texts = bytes(content).split(b"\0")[:-1]
    sizes = np.array([len(text) + 1 for text in texts], np.int64)
    return tuple(texts), np.cumsum(sizes) - sizes


def _table(texts: Sequence[bytes], used: Ints, *, first: bool) -> tuple[bytes, I64]:
    """The ``used`` rows as a table, and where each is: int64[len(texts)], 0 for others. With
    ``first`` the first one is among them."""
    wanted = np.zeros(len(texts), np.bool_)
    wanted[used] = True
    at = np.zeros(len(texts), np.int64)
    wanted[:1] |= first
    rows = np.flatnonzero(wanted)
    kept = [texts[row] + b"\0" for row in rows.tolist()]
    sizes = np.array([len(text) for text in kept], np.int64)
    at[rows] = np.cumsum(sizes) - sizes
    content = b"".join(kept)
    if content.count(b"\0") != len(kept):
        raise ValueError("a name has a zero byte in it")
    return content, at
