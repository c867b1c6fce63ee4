"""pclnbytes: the parts of the runtime's function tables that need addresses.

The pass pclntab left open: the header (distances between the tables) and the entry addresses in
runtime.functab. findfunctab only made room. All addresses are final now, so this writes them.

Source: cmd/link/internal/ld/pcln.go (generatePCHeader, writePCToFunc, findfunctab).
Reads `symbols`, `text_order`, `pclntab`; provides `symbols`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.types import I64, U8
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError
from linkpipe.tables.pclntab import BUCKET, PART, PARTS

_MAGIC = 0xFFFFFFF1
"""internal/abi/symtab.go, CurrentPCLnTabMagic."""


@linkpass(
    requires=("symbols", "text_order", "pclntab"),
    provides=("symbols",),
    changes=("symbols.contents", "symbols.data_at", "symbols.data_size"),
)
def pclnbytes(link: Link) -> Link:
    """Write what of the function tables depends on addresses."""
    tables, edit = link.pclntab, link.symbols.edit()
    for sym, content in (
        (tables.pcheader, _header(link)),
        (tables.functab, _functab(link).tobytes()),
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
