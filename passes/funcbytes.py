"""funcbytes: write go:func.*, now that addresses are final.

The references out of it into other sections (a stack object's pointer mask is named by its offset
from the start of read-only data) are resolved here for good: they never become relocations of an
object file.

Source: cmd/link/internal/ld/pcln.go (generateFuncdata).
Reads `symbols`, `relocs`, `sections`, `funcdata`; provides `symbols`.
"""

from __future__ import annotations

import numpy as np

from linkpipe.arrays.image import put_words
from linkpipe.arrays.ragged import owners
from linkpipe.arrays.types import I16, I64, U8, Bool
from linkpipe.engine.pass_api import Link, linkpass
from linkpipe.errors import InputError, LinkpipeError, checkpoint
from linkpipe.reloctype import R_ADDROFF
from linkpipe.tables.symbols import Flag


@linkpass(
    requires=("symbols", "relocs", "sections", "funcdata"),
    provides=("symbols",),
    changes=("symbols.contents", "symbols.data_at", "symbols.data_size"),
)
def funcbytes(link: Link) -> Link:
    """Write data of functions."""
    edit = link.symbols.edit()
    block = edit.lookup("go:func.*")
    edit.set_content(block, _funcdata(link).tobytes(), grow=False)
    return link.evolve(symbols=edit.freeze())


def _funcdata(link: Link) -> U8:
    """Resolve the references of go:func.*."""
    symbols, relocs, data = link.symbols, link.relocs, link.funcdata
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
    base = link.sections.bases()
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
