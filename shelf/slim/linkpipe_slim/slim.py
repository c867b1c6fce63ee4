"""slim: leave out of the runtime's tables what only people read.

`-ldflags="-s -w"` drops the symbol table and debug information. What is left of names and places is
in the pclntab, which the runtime itself needs to walk stacks: so no flag drops it. But the names of
source files and the numbers of lines are read for tracebacks, runtime.Caller and logs alone. The
runtime finds them through three tables:

    pcfile    for each function, address -> number of a file; in runtime.pctab
    cutab     number of a file -> place of its name, for each object
    filetab   the names

Without `files` each function gets the same pcfile, which says file 0 for any address, and cutab and
filetab are one entry: the name "?". Without `lines` functions have neither pcfile nor the table of
lines, for which the runtime says "?" and line 0 (runtime/symtab.go, funcline1). The tables of pctab
that no function refers to any more are left out, and the others move together.

Names of functions stay, and with them panics that can be told apart.

It stands directly behind pclntab, before symtab takes the tables for what they are.
Reads `symbols`, `pclntab`; provides `symbols`, `pclntab`.
"""

from __future__ import annotations

import attrs
import numpy as np

from linkpipe.api import (
    U8,
    U32,
    FunctionRecords,
    Link,
    SymbolsEdit,
    UserError,
    frozen,
    linkpass,
    read_function_records,
    round_up,
    with_function_records,
)

_NONE = 0xFFFFFFFF


@attrs.frozen
class SlimOptions:
    """Attributes:
    files: keep the names of source files.
    lines: keep the numbers of lines; without them there are no files either.
    """

    files: bool = False
    lines: bool = True


@linkpass(
    name="slim",
    requires=("symbols", "pclntab"),
    optional=("section_groups",),
    provides=("symbols", "pclntab"),
    options=SlimOptions,
)
def slim(link: Link, options: SlimOptions) -> Link:
    """Leave out names of files, and numbers of lines."""
    if link.has("section_groups"):
        raise UserError(
            "slim: others have read the runtime's tables already",
            remedy='let it stand directly behind pclntab: after = "pclntab"',
            status=2,
            label="linkpipe",
        )
    if options.files and options.lines:
        return link
    tables, edit, arch = link.pclntab, link.symbols.edit(), link.arch
    records = read_function_records(tables.functab_data, arch.endian)
    pctab = np.frombuffer(link.symbols.contents[tables.pctab], np.uint8)
    none = np.zeros_like(records.pcfile)
    kept = attrs.evolve(records, pcfile=none, pcline=records.pcline if options.lines else none)
    made, kept = _compacted(pctab, records, kept)
    # What tells no lines is not asked for files either.
    if options.lines:
        any_file = np.where(records.pcfile != 0, len(made), 0).astype(np.uint32)
        kept = attrs.evolve(kept, pcfile=frozen(any_file))
        longest = int(link.symbols.size[tables.functions].max())
        made = np.concatenate((made, _any_file(-(-longest // arch.pc_quantum))))
    unit = np.where(records.unit != _NONE, 0, _NONE).astype(np.uint32)
    kept = attrs.evolve(kept, unit=frozen(unit))
    for sym, content in (
        (tables.pctab, made.tobytes()),
        (tables.cutab, bytes(4)),
        (tables.filetab, b"?\0"),
    ):
        _set(edit, sym, content, arch.ptrsize)
    functab = with_function_records(tables.functab_data, kept, arch.endian)
    return link.evolve(
        symbols=edit.freeze(), pclntab=attrs.evolve(tables, functab_data=functab, nfiles=1)
    )


def _any_file(length: int) -> U8:
    """A pc-value table: the value goes up by one, from -1, for ``length`` units of code; the end.
    It must not be longer than need be: on machines of 32 bits addresses would wrap around."""
    table = [2]
    while length > 0x7F:
        table.append(length & 0x7F | 0x80)
        length >>= 7
    return np.array([*table, length, 0], np.uint8)


def _compacted(
    pctab: U8, before: FunctionRecords, kept: FunctionRecords
) -> tuple[U8, FunctionRecords]:
    """runtime.pctab without the tables that ``kept`` does not refer to, and the records that refer
    to the others where they are now. Each table ends where the next one begins."""
    starts = np.unique(np.concatenate([*_places(before), np.zeros(1, np.uint32)]))
    ends = np.append(starts[1:], len(pctab))
    wanted = np.isin(starts, np.concatenate(_places(kept)))
    wanted[0] = True  # offset 0 says that there is no table: the first byte is nobody's
    sizes = np.where(wanted, ends - starts, 0)
    moved = np.cumsum(sizes) - sizes
    marks = np.zeros(len(pctab) + 1, np.int8)
    marks[starts[wanted]] += 1
    marks[ends[wanted]] -= 1
    inside = np.cumsum(marks[:-1]) > 0

    def at(column: U32) -> U32:
        return frozen(moved[np.searchsorted(starts, column)].astype(np.uint32))

    moved_to = attrs.evolve(
        kept, pcsp=at(kept.pcsp), pcline=at(kept.pcline), pcdata=at(kept.pcdata)
    )
    return pctab[inside], moved_to


def _places(records: FunctionRecords) -> list[U32]:
    """Where tables begin."""
    return [records.pcsp, records.pcfile, records.pcline, records.pcdata]


def _set(edit: SymbolsEdit, sym: int, content: bytes, align: int) -> None:
    """Give a table other bytes; its size stays a multiple of the word size."""
    edit.set_content(sym, content)
    edit.set(sym, size=round_up(len(content), align))
