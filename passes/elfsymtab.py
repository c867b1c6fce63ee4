"""elfsymtab: the ELF symbol table.

Locals come first, then globals; within each, functions in text order with the labels between them,
then data in the order of symbol ids. Which symbol is global depends on the link: a program that is
finished here keeps all of Go's names; one for a host linker hides them all but what C calls; one
that shares Go code with other modules shows them, and then every global function gets a second,
local name (`local.NAME`), which relocations use: calls within a module stay within it.

Names are rewritten a little: `·` becomes `.` (but not where other modules look names up), and a
function that exists under both calling conventions is known by its Go one; the other gets
`.abi0`.

The table has no rows when -s leaves it out.
Source: cmd/link/internal/ld/symtab.go:46-293, 826-859.
Reads `symbols`, `sections`, `text_order`, `mode`, `labels` if it is there, `shlibs` if it is there;
provides `elf_symtab`.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from linkpipe.arrays.types import I32, I64, Bool
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError, checkpoint
from linkpipe.formats import elf
from linkpipe.symkind import SymKind, is_text
from linkpipe.tables.elfsymtab import ABSOLUTE, UNDEFINED, ElfSymtab
from linkpipe.tables.symbols import ABI0, STATIC, Flag

G = TypeVar("G", bound=np.generic)

_FILE_NAME = b"go.go"
_ELSEWHERE = [SymKind.SHOSTOBJ, SymKind.SDYNIMPORT, SymKind.SUNDEFEXT]


class _Rows(NamedTuple):
    """Candidates in table order: symbol ids and ELF types."""

    ids: I64
    type: I64


@linkpass(
    requires=("symbols", "sections", "text_order", "mode"),
    optional=("labels", "shlibs"),
    provides=("elf_symtab",),
    concurrent=True,
)
def elfsymtab(link: Link) -> Link:
    """Make the ELF symbol table."""
    if link.options.s and not link.mode.external:
        return link.evolve(elf_symtab=_empty(len(link.symbols)))
    symbols = link.symbols
    rows = _candidates(link)
    ids = rows.ids
    outer = np.where(symbols.container[ids] != 0, symbols.container[ids], ids)
    undefined = np.isin(symbols.kind[outer], _ELSEWHERE)
    section = np.where(undefined, UNDEFINED, symbols.section[outer])
    checkpoint(
        InputError(
            "missing section in putelfsym",
            symbol=symbols.name(sym),
            remedy="a pass has made this symbol reachable after layout",
            status=2,
        )
        for sym in ids[(section < 0) & ~undefined].tolist()
    )
    names = _names(link, ids)
    local = _is_local(link, ids, names, undefined)
    # Every global function of a module that others can interpose has a local twin.
    twin = ~local & is_text(symbols.kind[ids]) if link.mode.dynlink else np.zeros_like(local)
    first, second = np.flatnonzero(local | twin), np.flatnonzero(~local)
    order = np.concatenate((first, second))
    table = [names[i] for i in order.tolist()]
    for place in np.flatnonzero(twin[first]).tolist():
        table[place] = b"local." + table[place]
    opening = b"\0" + _FILE_NAME + b"\0"
    strings, at = elf.string_table(table, start=len(opening))
    value = symbols.value[ids]
    if link.mode.external:
        value = value - np.append(link.sections.vaddrs(), 0)[section]
    size = np.where(undefined, 0, symbols.size[ids])
    binding = np.repeat([elf.STB_LOCAL, elf.STB_GLOBAL], [len(first), len(second)])
    info = rows.type[order] | (binding << 4)
    hidden = np.where(symbols.has(ids, Flag.HIDDEN), elf.STV_HIDDEN, elf.STV_DEFAULT)
    debug = _debug_sections(link)
    head = 1 + len(debug) + 1
    index = np.zeros(len(symbols), np.int32)
    places = np.arange(head, head + len(order))
    # Twins last: they are what relocations use.
    index[ids[second]] = places[len(first) :]
    index[ids[first]] = places[: len(first)]
    for place, (_, sym) in enumerate(debug):
        index[sym] = 1 + place
    rows_before = [(0, 0, UNDEFINED)]
    rows_before += [(0, elf.STT_SECTION, row) for row, _ in debug]
    rows_before.append((1, elf.STT_FILE, ABSOLUTE))
    before = np.array(rows_before, np.int64)
    zeros = np.zeros(head, np.int64)
    return link.evolve(
        elf_symtab=ElfSymtab(
            name=_column(before[:, 0], at, np.uint32),
            info=_column(before[:, 1], info, np.uint8),
            other=_column(zeros, hidden[order], np.uint8),
            section=_column(before[:, 2], section[order], np.int32),
            value=_column(zeros, value[order], np.int64),
            size=_column(zeros, size[order], np.int64),
            strings=opening + strings,
            first_global=head + len(first),
            index=index,
        )
    )


def _column(before: I64, rows: I64, dtype: type[G]) -> npt.NDArray[G]:
    return np.concatenate((before, rows)).astype(dtype)


def _empty(nsyms: int) -> ElfSymtab:
    none = np.zeros(0, np.int64)
    index = np.zeros(nsyms, np.int32)
    narrow = none.astype(np.uint32), none.astype(np.uint8)
    return ElfSymtab(
        name=narrow[0],
        info=narrow[1],
        other=narrow[1],
        section=none.astype(np.int32),
        value=none,
        size=none,
        strings=b"",
        first_global=0,
        index=index,
    )


def _debug_sections(link: Link) -> list[tuple[int, int]]:
    """The debug sections of an object, and the symbol that stands for each."""
    if not link.mode.external:
        return []
    sections = link.sections
    rows = [row for segment in sections.segments for row in segment.sections]
    return [
        (row, int(sections[row].symbols[0]))
        for row in rows
        if sections[row].segment == "dwarf" and len(sections[row].symbols)
    ]


def _candidates(link: Link) -> _Rows:
    """All symbols that may stand in the table, in its order."""
    symbols = link.symbols
    parts = sum(s.name == ".text" for s in link.sections.items)
    text = [symbols.lookup("runtime.text")]
    text += [symbols.lookup(f"runtime.text.{n}") for n in range(1, parts)]
    end = symbols.lookup("runtime.etext")
    tail = [end] if is_text(symbols.kind[[end]])[0] else []
    functions = np.concatenate((text, _text(link), tail)).astype(np.int64)

    ids = symbols.reachable()
    kind = symbols.kind[ids]
    data = (kind >= SymKind.SELFRXSECT) & (kind < SymKind.SFirstUnallocated)
    data &= ~symbols.has(ids, Flag.NOT_IN_SYMTAB)
    if not link.mode.external:
        data &= kind != SymKind.STLSBSS
    some = np.flatnonzero(data)
    # Sections and the like have a name with a dot in front, or none.
    dotted = symbols.starts_with(ids[some], b".")
    data[some] = ~dotted & (symbols.name_size[ids[some]] != 0)
    elsewhere = np.isin(kind, _ELSEWHERE)
    keep = data | elsewhere
    ids, kind, elsewhere = ids[keep], kind[keep], elsewhere[keep]
    type_ = np.where(kind == SymKind.STLSBSS, elf.STT_TLS, elf.STT_OBJECT)
    type_ = np.where(elsewhere, elf.STT_NOTYPE, type_)
    known = link.shlibs.types if link.has("shlibs") else {}
    for row in np.flatnonzero(elsewhere).tolist() if known else ():
        type_[row] = known.get(int(ids[row]), elf.STT_NOTYPE)
    return _Rows(
        np.concatenate((functions, ids)),
        np.concatenate((np.full(len(functions), elf.STT_FUNC), type_)),
    )


def _text(link: Link) -> I32:
    """Functions and labels, by address: int32[n]."""
    if not link.has("labels") or not len(link.labels):
        return link.text_order
    both = np.concatenate((link.text_order, link.labels))
    return both[np.argsort(link.symbols.value[both], kind="stable")]


def _names(link: Link, ids: I64) -> list[bytes]:
    """The names that the table uses."""
    symbols = link.symbols
    names = symbols.names(ids)
    others = np.zeros(len(symbols), np.bool_)
    others[list(symbols.extnames)] = True
    for row in np.flatnonzero(others[ids]).tolist():
        names[row] = symbols.extnames[int(ids[row])]
    if link.arch.abi_internal != ABI0:
        version = symbols.version[ids]
        rows = np.flatnonzero(is_text(symbols.kind[ids]) & (version == ABI0))
        twins = symbols.lookup_others(ids[rows], link.arch.abi_internal)
        for row in rows[(twins != 0) & is_text(symbols.kind[twins])].tolist():
            names[row] += b".abi0"
        if link.options.buildmode == "shared":
            # Who reads the library has to know which convention a function has.
            exported = Flag.CGO_EXPORT_STATIC | Flag.CGO_EXPORT_DYNAMIC
            other = is_text(symbols.kind[ids]) & (version == link.arch.abi_internal)
            other &= (symbols.flags[ids] & exported) == 0
            for row in np.flatnonzero(other).tolist():
                if not names[row].startswith(b"type:"):
                    names[row] += b".abiinternal"
    if not link.mode.dynlink:
        dot = "·".encode()
        for row in np.flatnonzero(others[ids] | symbols.contains(ids, dot[0])).tolist():
            names[row] = names[row].replace(dot, b".")
    return names


def _is_local(link: Link, ids: I64, names: list[bytes], undefined: Bool) -> Bool:
    """Whether each symbol is bound locally: bool[n]."""
    symbols = link.symbols
    local = symbols.version[ids] >= STATIC
    # A static temporary of a package is one and the same variable in all modules.
    for row in np.flatnonzero(local).tolist():
        local[row] = b".stmp_" not in names[row]
    local |= symbols.has(ids, Flag.HIDDEN) | symbols.has(ids, Flag.LOCAL)
    local |= symbols.has(ids, Flag.CONTENT_HASHED) & is_text(symbols.kind[ids])
    if link.mode.external and not link.mode.dynlink:
        local |= ~symbols.has(ids, Flag.CGO_EXPORT_STATIC) & ~undefined
    return local
