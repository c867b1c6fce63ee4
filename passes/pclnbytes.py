"""pclnbytes: the parts of the runtime's function tables that need addresses.

The pass pclntab left open: the header (distances between the tables), the entry addresses in
runtime.functab, and the references out of go:func.* into other sections (a stack object's
pointer mask is named by its offset from the start of read-only data). findfunctab only made
room. All addresses are final now, so this writes them, and resolves those references for good:
they never become relocations of an object file.

Source: cmd/link/internal/ld/pcln.go (generatePCHeader, writePCToFunc, generateFuncdata,
findfunctab).
Reads `symbols`, `relocs`, `sections`, `text_order`, `pclntab`; provides `symbols`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.image import put_words
from linkpipe.arrays.ragged import owners
from linkpipe.arrays.types import I16, I64, U8, Bool
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError, LinkpipeError, checkpoint
from linkpipe.reloctype import R_ADDROFF
from linkpipe.tables.pclntab import BUCKET, PART, PARTS
from linkpipe.tables.symbols import Flag

_MAGIC = 0xFFFFFFF1
"""internal/abi/symtab.go, CurrentPCLnTabMagic."""


@linkpass(
    requires=("symbols", "relocs", "sections", "text_order", "pclntab"), provides=("symbols",)
)
def pclnbytes(link: Link) -> Link:
    """Write what of the function tables depends on addresses."""
    tables, edit = link.pclntab, link.symbols.edit()
    for sym, content in (
        (tables.pcheader, _header(link)),
        (tables.functab, _functab(link).tobytes()),
        (tables.funcdata, _funcdata(link).tobytes()),
        (tables.findfunctab, _findfunctab(link).tobytes()),
    ):
        edit.set_content(sym, content, grow=False)
    return link.evolve(symbols=edit.freeze())


def _header(link: Link) -> bytes:
    """runtime.pcHeader."""
    tables, arch, value = link.pclntab, link.arch, link.symbols.value
    others = (tables.funcnametab, tables.cutab, tables.filetab, tables.pctab, tables.functab)
    words = [tables.nfunc, tables.nfiles, 0]
    words += [int(value[sym] - value[tables.pcheader]) for sym in others]
    return b"".join(
        (
            _MAGIC.to_bytes(4, arch.byteorder),
            bytes((0, 0, arch.pc_quantum, arch.ptrsize)),
            *(word.to_bytes(arch.ptrsize, arch.byteorder) for word in words),
        )
    )


def _entries(link: Link) -> I64:
    """Where each function starts, from the start of the text."""
    value = link.symbols.value
    return value[link.pclntab.functions] - value[link.symbols.lookup("runtime.text")]


def _functab(link: Link) -> U8:
    """Enter the functions' addresses into the table and into their records."""
    tables, data = link.pclntab, link.pclntab.functab_data
    out = data.words.copy()
    words = out.view(f"{link.arch.endian}u4")
    entries, n = _entries(link), tables.nfunc
    words[0 : 2 * n : 2] = entries
    words[2 * n] = entries[-1] + link.symbols.size[tables.last]
    words[data.records // 4] = entries
    return out


def _funcdata(link: Link) -> U8:
    """Resolve the references of go:func.*."""
    symbols, relocs, data = link.symbols, link.relocs, link.pclntab.funcdata_data
    rows, counts = relocs.rows_of_many(data.symbols)
    target = relocs.target[rows]
    owner = owners(counts)
    # The oracle stops at a weak reference to what is not there, and leaves the rest as it is.
    dropped = np.flatnonzero(relocs.weak[rows] & ~symbols.has(target, Flag.REACHABLE))[::-1]
    stop = np.full(len(counts), len(rows))
    stop[owner[dropped]] = dropped
    live = np.arange(len(rows)) < stop[owner]
    owner, rows, target = owner[live], rows[live], target[live]
    section = symbols.section[target]
    base = link.sections.vaddrs()
    value = symbols.value[target] - base[np.maximum(section, 0)] + relocs.add[rows]
    _check(link, data.symbols[owner], rows, section, value)
    out = data.content.copy()
    place = data.offsets[owner] + relocs.offset[rows]
    put_words(out, place, value, 4, link.arch.endian)
    return out


def _check(link: Link, ids: I64, rows: I64, section: I16, value: I64) -> None:
    """Only four-byte offsets into sections are allowed."""
    symbols, relocs = link.symbols, link.relocs
    errors: list[LinkpipeError] = []

    def refuse(bad: Bool, why: str) -> None:
        errors.extend(
            InputError(why, symbol=symbols.name(int(ids[i])), remedy="rebuild the package")
            for i in np.flatnonzero(bad).tolist()
        )

    kind, size, offset = relocs.type[rows], relocs.size[rows], relocs.offset[rows]
    refuse(kind != R_ADDROFF, "unsupported relocation for funcdata symbol")
    refuse(size != 4, "unsupported ADDROFF relocation size for funcdata symbol")
    refuse((offset < 0) | (offset + 4 > symbols.size[ids]), "relocation outside of funcdata symbol")
    refuse(section < 0, "missing section for relocation target of funcdata symbol")
    outside = (value < -(2**31)) | (value >= 2**32)
    refuse(outside, "ADDROFF relocation out of range for funcdata symbol")
    checkpoint(errors)


def _findfunctab(link: Link) -> U8:
    """For each 256 bytes of text, the number of the first function that reaches into them."""
    symbols, tables = link.symbols, link.pclntab
    first, last = int(link.text_order[0]), int(link.text_order[-1])
    low = int(symbols.value[first])
    high = int(symbols.value[last] + symbols.size[last])
    ends = np.append(symbols.value[tables.functions[1:]], high) - low
    parts, buckets = -(-(high - low) // PART), -(-(high - low) // BUCKET)
    index = np.searchsorted(ends, np.arange(parts) * PART, side="right")
    index[:1] = 0
    index = np.append(index, np.zeros(buckets * PARTS - parts, np.int64)).reshape(-1, PARTS)
    step = index - index[:, :1]
    if (step >= 256).any():
        bucket = int(np.flatnonzero((step >= 256).any(axis=1))[0])
        raise InputError(
            f"too many functions in a findfunc bucket! {bucket}/{buckets}",
            expected="less than 256 functions in 4096 bytes of text",
            found=str(int(step[bucket].max())),
            remedy="align functions to more bytes (-funcalign)",
        )
    out = np.zeros((buckets, 4 + PARTS), np.uint8)
    base = np.ascontiguousarray(index[:, 0].astype(f"{link.arch.endian}u4"))
    out[:, :4] = base.view(np.uint8).reshape(-1, 4)
    out[:, 4:] = step
    return out.reshape(-1)[: int(symbols.size[tables.findfunctab])]
