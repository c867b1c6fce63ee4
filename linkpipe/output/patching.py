"""Plain relocations: addresses and distances that an architecture only adds up, applied at once.

Most of a link's relocations are such. What is not plain, or cannot be applied, is left to the pass
`relocate`, which knows the rules and what to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from linkpipe.arrays.threads import each, shares
from linkpipe.arrays.types import I32, I64, U8
from linkpipe.kernels import spans
from linkpipe.output.contents import Laid
from linkpipe.relockind import Index, Range, RelocKind, Sum
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag

if TYPE_CHECKING:
    from linkpipe.engine.context import Link

_ODD = (SymKind.Sxxx, SymKind.SXREF, SymKind.SDYNIMPORT, SymKind.SHOSTOBJ, SymKind.SUNDEFEXT)
"""Kinds of targets that are elsewhere, or nowhere."""


def patch_plain(link: Link, laid: Laid, image: U8, index: I32) -> tuple[I64, I64]:
    """Apply the plain relocations of the symbols laid out; ``index`` is that of each symbol, -1:
    none, and of those behind its end there is none. Returns the others, in file order: their rows
    in the fact `relocs`, and the symbol of each, as a row of ``laid``: int64[k] both."""
    symbols, relocs, sections = link.symbols, link.relocs, link.sections
    first, count = relocs.spans_of(laid.ids)
    odd = np.zeros(256, np.uint8)
    odd[list(_ODD)] = 1
    forms = _forms(link.arch.relocs, external=link.mode.external, wide=link.arch.ptrsize > 4)
    bases = sections.bases()[:-1]

    def patch(share: slice) -> tuple[I64, I64]:
        ids, most = laid.ids[share], int(count[share].sum())
        generated = symbols.has(ids, Flag.GENERATED)
        room = np.where(generated, symbols.size[ids], symbols.data_size[ids])
        # C objects may have several relocations at one place, which are applied in their order.
        room[symbols.has(ids, Flag.OF_C)] = -1
        rows, owner = np.empty(most, np.int64), np.empty(most, np.int64)
        left = spans.patch(
            image,
            link.arch.endian == ">",
            first[share],
            count[share],
            laid.at[share],
            laid.address[share],
            room,
            relocs.offset,
            relocs.size,
            relocs.type,
            relocs.add,
            relocs.target,
            symbols.value,
            symbols.flags,
            symbols.section,
            symbols.kind,
            index,
            Flag.REACHABLE,
            odd,
            forms,
            bases,
            rows,
            owner,
        )
        return rows[:left].copy(), owner[:left] + share.start

    none = np.zeros(0, np.int64)
    parts = [(none, none), *each(patch, shares(np.append(0, np.cumsum(count))))]
    rows, owner = map(np.concatenate, zip(*parts, strict=True))
    return rows, owner


def _forms(kinds: Mapping[int, RelocKind], *, external: bool, wide: bool) -> U8:
    """What `spans.patch` is told of each type of relocation."""
    forms = np.zeros(1 << 16, np.uint8)
    for number, kind in kinds.items():
        value = kind.value
        if not kind.plain or (external and kind.elf is not None):
            continue
        if isinstance(value, Index):
            forms[number] = spans.PLAIN | spans.INDEX
        if not isinstance(value, Sum):
            continue
        form = spans.PLAIN | spans.LESS_PLACE * value.place | spans.LESS_BASE * value.base
        form |= spans.SIGNED * (kind.range is Range.SIGNED)
        form |= spans.BELOW_2_GIB * (kind.range is Range.ADDRESS and wide)
        forms[number] = form
    return forms
