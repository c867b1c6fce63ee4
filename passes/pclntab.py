"""pclntab: what the runtime knows about functions.

For tracebacks, garbage collection and stack growth the runtime finds by address: the function
and its name, the file and line, the depth of the stack, and which words hold pointers. The
compiler wrote this for each function; here it is put together, in tables that lie one after
the other in .gopclntab:

    runtime.pcheader     sizes and places of the others
    runtime.funcnametab  names of functions, also of those that only live on inlined
    runtime.cutab        for each object file, where the names of its source files are
    runtime.filetab      names of source files
    runtime.pctab        pc-value tables, each once
    runtime.functab      address -> record, and the records: one for each function

and `function_data` says which data the records point to; funcblock or funcsymbols, as the release
wants it, place these.

Everything is one array operation over all functions. Where the oracle keeps a map of what it
has seen, here a sequence of keys is laid out in the order in which the oracle would visit them,
and `first_seen` numbers them.

The header and entry addresses (in functab) are left to pclnbytes; in the releases whose header has
the address of the text, that is a relocation.

Source: cmd/link/internal/ld/pcln.go; runtime/symtab.go, runtime/runtime2.go (_func).
Reads `symbols`, `objects`, `relocs`, `text_order`, `trampolines`, `mode`; provides `symbols`,
`relocs`, `pclntab`, `function_data`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.align import round_up
from linkpipe.arrays.columns import frozen
from linkpipe.arrays.ragged import distinct, expand, first_seen
from linkpipe.arrays.types import I32, I64, U8
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError, PipelineError
from linkpipe.functab.funcdata import create_trees, funcdata_lists, inlined_calls
from linkpipe.functab.place import RECORD, function_table
from linkpipe.functab.sourcefiles import file_tables
from linkpipe.kernels.spans import copy_spans
from linkpipe.reloctype import R_ADDR
from linkpipe.symkind import SymKind
from linkpipe.tables.contents import check_sizes
from linkpipe.tables.functions import Functions, read_functions
from linkpipe.tables.objects import Objects
from linkpipe.tables.pclntab import Functab, FunctionData, Pclntab
from linkpipe.tables.symbols import Flag, Symbols

_PCDATA_INLTREE = 2
"""internal/abi/symtab.go, PCDATA_InlTreeIndex."""


@linkpass(
    requires=("symbols", "objects", "relocs", "text_order", "trampolines", "mode"),
    provides=("symbols", "relocs", "pclntab", "function_data"),
)
def pclntab(link: Link) -> Link:
    """Put together the runtime's tables about functions."""
    symbols, arch = link.symbols, link.arch
    ids = _functions(link)
    fns = read_functions(link.objects, symbols, ids)
    visit = _with_inlined(ids, fns)
    edit = symbols.edit()
    carrier = edit.own("runtime.pclntab")
    edit.set(carrier, kind=SymKind.SPCLNTAB)
    edit.add_flags(carrier, Flag.REACHABLE)

    def table(name: str, content: U8, align: int) -> int:
        return function_table(link.release, arch, edit, carrier, name, len(content), align, content)

    header = function_table(
        link.release, arch, edit, carrier, "runtime.pcheader", 8 + 8 * arch.ptrsize, arch.ptrsize
    )
    names, name_at = _funcnametab(symbols, visit)
    funcnametab = table("runtime.funcnametab", names, 1)
    files = file_tables(link.objects, symbols.object[ids], fns, link.options.environment.goroot)
    words = files.cutab.astype(f"{arch.endian}u4").view(np.uint8)
    cutab = table("runtime.cutab", words, 4)
    filetab = table("runtime.filetab", files.filetab, 1)
    pctab_bytes, pc_at = _pctab(symbols, link.objects, fns)
    pctab = table("runtime.pctab", pctab_bytes, 1)
    imports = link.mode.imports
    inlined = inlined_calls(link.objects, symbols, fns, name_at, arch.endian, imports=imports)
    trees = create_trees(edit, fns)
    counts, data = funcdata_lists(link.objects, symbols, fns, trees)
    _check(symbols, link.objects, distinct(data[data < len(symbols)]))
    records, record_at = _functab(link, ids, fns, counts, name_at, files.unit_at, pc_at)
    functab = function_table(link.release, arch, edit, carrier, "runtime.functab", len(records), 4)
    relocs = link.relocs.edit()
    if link.release.header_text:
        text = edit.lookup("runtime.text")
        place = 8 + 2 * arch.ptrsize
        relocs.add(header, offset=place, size=arch.ptrsize, type=R_ADDR, target=text)
    made = Pclntab(
        carrier=carrier,
        pcheader=header,
        funcnametab=funcnametab,
        cutab=cutab,
        filetab=filetab,
        pctab=pctab,
        functab=functab,
        functions=ids,
        nfiles=files.nfiles,
        functab_data=Functab(records, record_at),
    )
    return link.evolve(
        symbols=edit.freeze(),
        relocs=relocs.freeze(),
        pclntab=made,
        function_data=FunctionData(record_at[fns.rows], counts, data, trees, inlined),
    )


def _functions(link: Link) -> I32:
    """The functions in order of address, without those that only hold others, and labels."""
    order, symbols, linkage = link.text_order, link.symbols, link.arch.linkage
    left = np.zeros(len(symbols), np.bool_)
    left[symbols.container[order]] = True
    left[0] = False
    if linkage and linkage.labels:
        for sym in order[symbols.has(order, Flag.OF_C)].tolist():
            name = symbols.name_bytes(sym)
            left[sym] |= not name or name.startswith(linkage.labels)
    ids = order[~left[order]]
    if not len(ids):
        raise InputError(
            "no functions to link", remedy="link a main package that imports the runtime"
        )
    value = link.symbols.value[ids]
    for at in np.flatnonzero(value[1:] < value[:-1])[:1].tolist():
        raise PipelineError(
            f"text_order has {link.symbols.name(int(ids[at]))} before "
            f"{link.symbols.name(int(ids[at + 1]))}, which has a lower address",
            file=link.options.settings.pipeline,
            remedy="the runtime searches for functions by address: let what changes text_order "
            "stand where they have none yet",
        )
    return frozen(ids)


def _with_inlined(ids: I32, fns: Functions) -> I64:
    """Each function, followed by the functions inlined into it: int64[…]."""
    ninlined = np.zeros(len(ids), np.int64)
    ninlined[fns.rows] = fns.info.ninlined
    ends = np.cumsum(ninlined + 1)
    out = np.empty(int(ends[-1]), np.int64)
    at = ends - ninlined - 1
    out[at] = ids
    out[expand(at + 1, ninlined)] = fns.inlined
    return out


def _funcnametab(symbols: Symbols, visit: I64) -> tuple[U8, I64]:
    """The table of names, and where each symbol's name is in it (-1: nowhere)."""
    unique = visit[first_seen(visit, len(symbols))]
    size = symbols.name_size[unique].astype(np.int64)
    start = np.cumsum(size + 1) - size - 1
    out = np.zeros(int((size + 1).sum()), np.uint8)
    at = symbols.name_at[unique]
    read = np.flatnonzero(at >= 0)
    copy_spans(out, start[read], symbols.arena.bytes, at[read], size[read])
    for row in np.flatnonzero(at < 0).tolist():
        text = np.frombuffer(symbols.created_names[-1 - int(at[row])], np.uint8)
        out[start[row] : start[row] + len(text)] = text
    place = np.full(len(symbols), -1, np.int64)
    place[unique] = start
    return out, place


def _pctab(symbols: Symbols, objects: Objects, fns: Functions) -> tuple[U8, I64]:
    """The pc-value tables, and where each symbol's is (0: empty, or none)."""
    has_tree = fns.info.ninlined > 0
    counts = 3 + fns.npcdata + has_tree
    at = np.cumsum(counts) - counts
    keys = np.zeros(int(counts.sum()), np.int64)
    keys[at], keys[at + 1], keys[at + 2] = fns.pcsp, fns.pcfile, fns.pcline
    keys[expand(at + 3, fns.npcdata)] = fns.pcdata
    keys[(at + 3 + fns.npcdata)[has_tree]] = fns.pcinline[has_tree]
    unique = keys[first_seen(keys, len(symbols))]
    _check(symbols, objects, unique)
    size = symbols.size[unique]
    # The first byte stays free: the runtime takes offset 0 for "no table".
    start = 1 + np.cumsum(size) - size
    out = np.zeros(1 + int(size.sum()), np.uint8)
    stored = symbols.data_size[unique]
    copy_spans(out, start, symbols.arena.bytes, np.maximum(symbols.data_at[unique], 0), stored)
    place = np.zeros(len(symbols), np.int64)
    place[unique] = np.where(size > 0, start, 0)
    return out, place


def _check(symbols: Symbols, objects: Objects, ids: I64) -> None:
    """Raise InputError for tables of functions whose size is not that of their content. The oracle
    writes one that is longer over others, pc-value tables in no certain order."""
    check_sizes(symbols, objects, ids)
    over = np.flatnonzero(symbols.data_size[ids] > symbols.size[ids])
    if len(over):
        sym = int(ids[over[0]])
        raise InputError(
            "table of a function is longer than its symbol",
            symbol=symbols.name(sym) or f"sym {sym}",
            file=objects.names[int(symbols.object[sym])],
            expected=f"at most {int(symbols.size[sym])} bytes",
            found=f"{int(symbols.data_size[sym])} bytes",
            remedy="rebuild the package; the file is damaged",
            status=2,
        )


def _functab(
    link: Link,
    ids: I32,
    fns: Functions,
    counts: I64,
    name_at: I64,
    unit_at: I64,
    pc_at: I64,
) -> tuple[U8, I64]:
    """The table, and where each record in it starts; offsets of entries and of funcdata, of which
    functions with information have ``counts``, are not known yet."""
    arch, n = link.arch, len(ids)
    has_tree = fns.info.ninlined > 0
    npcdata, nfuncdata = np.zeros(n, np.int64), np.zeros(n, np.int64)
    npcdata[fns.rows] = np.where(
        has_tree, np.maximum(fns.npcdata, _PCDATA_INLTREE + 1), fns.npcdata
    )
    nfuncdata[fns.rows] = counts
    size = round_up(4 * (RECORD + npcdata + nfuncdata), arch.ptrsize)
    start = round_up(8 * n + 4, arch.ptrsize)
    at = start + np.cumsum(size) - size
    out = np.zeros(start + int(size.sum()), np.uint8)
    words = out.view(f"{arch.endian}u4")
    words[1 : 2 * n : 2] = at
    w = at // 4
    words[w + 1] = name_at[ids]
    words[w + 3] = _deferreturn(link, ids) & 0xFFFFFFFF
    words[w + 7] = npcdata
    words[w + 8] = unit_at
    small = out.reshape(-1, 4)
    small[w + 10, 3] = nfuncdata
    v, header = w[fns.rows], fns.info.header
    words[v + 2] = header["args"]
    words[v + 4], words[v + 5], words[v + 6] = pc_at[fns.pcsp], pc_at[fns.pcfile], pc_at[fns.pcline]
    words[v + 9] = header["start_line"].view(np.uint32)
    small[v + 10, 0], small[v + 10, 1] = header["func_id"], header["flag"]
    v = v + RECORD
    words[expand(v, fns.npcdata)] = pc_at[fns.pcdata]
    words[v[has_tree] + _PCDATA_INLTREE] = pc_at[fns.pcinline[has_tree]]
    return out, at


def _deferreturn(link: Link, ids: I32) -> I64:
    """Where each function calls runtime.deferreturn, from its entry; 0: nowhere."""
    arch, relocs = link.arch, link.relocs
    out = np.zeros(len(ids), np.int64)
    target = link.symbols.lookup("runtime.deferreturn", arch.abi_internal)
    if not target:
        return out
    ways = [target, *(way for way, to in link.trampolines.items() if to == target)]
    hit = relocs.target == ways[0]
    for way in ways[1:]:
        hit |= relocs.target == way
    rows = np.flatnonzero(hit)
    rows = rows[np.isin(relocs.type[rows], list(arch.calls))]
    first, count = relocs.spans_of(ids)
    having = np.flatnonzero(count)
    first = first[having]
    order = np.argsort(first, kind="stable")
    place = np.searchsorted(first[order], rows, side="right") - 1
    owner = having[order[place]]
    belongs = rows < first[order[place]] + count[owner]
    back = arch.deferreturn
    if link.options.modular and arch.deferreturn_dynamic is not None:
        back = arch.deferreturn_dynamic
    found = np.flatnonzero(belongs & (place >= 0))[::-1]  # the first call counts
    out[owner[found]] = relocs.offset[rows[found]].astype(np.int64) + back
    return out
