"""What holds between tables: rules that no table can check alone.

``RULES`` lists them, each with the facts that it is about. Each gives what is wrong in words,
nothing when all is well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from linkpipe.arrays.types import I64, Bool, Ints
from linkpipe.symkind import is_text
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.sections import Sections
from linkpipe.tables.symbols import Flag, Symbols


def text_is_ordered(symbols: Symbols, order: Ints) -> Iterator[str]:
    """``text_order`` has every reachable function once and nothing else; markers (runtime.text)
    are no functions."""
    yield from ids_are_sound(symbols, "text_order", order)
    if len(order) and not _inside(order, len(symbols)).all():
        return
    live = symbols.marked(Flag.REACHABLE)
    wanted = is_text(symbols.kind) & live & ~symbols.marked(Flag.SPECIAL)
    there = np.zeros(len(symbols), np.bool_)
    there[order] = True
    yield from _some(symbols, wanted & ~there, "text_order lacks {}, which can be reached")
    yield from _some(symbols, there & ~wanted, "text_order has {}, which is no reachable function")


def relocs_lie_inside(symbols: Symbols, relocs: Relocs) -> Iterator[str]:
    """A relocation patches bytes of its own symbol, and refers to a symbol."""
    if len(relocs.entry) > len(symbols):
        yield f"relocs has rows for symbol {len(symbols)}, which there is not"
        return
    owner = relocs.owner()
    end = relocs.offset.astype(np.int64) + relocs.size
    outside = ((relocs.offset < 0) | (end > symbols.size[owner])) & (owner != 0)
    for row in np.flatnonzero(outside)[:1].tolist():
        sym = int(owner[row])
        yield (
            f"a relocation of {_name(symbols, sym)} lies outside of it: bytes "
            f"[{int(relocs.offset[row])}, {int(end[row])}) of {int(symbols.size[sym])}"
        )
    lost = ~_inside(relocs.target, len(symbols)) & (owner != 0)
    for row in np.flatnonzero(lost)[:1].tolist():
        yield (
            f"a relocation of {_name(symbols, int(owner[row]))} refers to symbol "
            f"{int(relocs.target[row])}, which there is not"
        )


def symbols_do_not_overlap(symbols: Symbols, sections: Sections) -> Iterator[str]:
    """A symbol is laid out in one section, which its column names; once the section has a size,
    its symbols lie in it, one behind the other."""
    every = [section.symbols for section in sections.items]
    ids = np.concatenate(every) if every else np.zeros(0, np.int32)
    wrong = list(ids_are_sound(symbols, "sections", ids))
    yield from wrong
    if wrong:
        return
    rows = np.repeat(np.arange(len(every)), [len(some) for some in every])
    for place in np.flatnonzero(symbols.section[ids] != rows)[:1].tolist():
        yield (
            f"{_name(symbols, int(ids[place]))} is laid out in section {int(rows[place])}, its "
            f"column says {int(symbols.section[ids[place]])}"
        )
    # Carriers have no bytes of their own, and lie where what they carry does. Sections of C objects
    # have, and several names in them may be one function's.
    inside = symbols.marked(Flag.INTERIOR)
    bare = inside.copy()
    bare[symbols.container[~inside]] = True
    # Where contents are compressed, symbols have no places any more.
    moved = {section.segment for section in sections.items if section.compressed}
    for section in sections.items:
        some = section.symbols[~bare[section.symbols] & (symbols.size[section.symbols] > 0)]
        if section.size and section.segment not in moved and len(some):
            yield from _side_by_side(symbols, some, section.name, section.vaddr, section.size)


def _side_by_side(
    symbols: Symbols, ids: Ints, section: str, vaddr: int, size: int
) -> Iterator[str]:
    ids = ids[np.argsort(symbols.value[ids], kind="stable")]
    start: I64 = symbols.value[ids]
    end: I64 = start + symbols.size[ids]
    for row in np.flatnonzero(end[:-1] > start[1:])[:1].tolist():
        one, other = (_name(symbols, int(ids[i])) for i in (row, row + 1))
        yield (
            f"{one} and {other} overlap in {section}: [{int(start[row]):#x}, {int(end[row]):#x}) "
            f"and [{int(start[row + 1]):#x}, {int(end[row + 1]):#x})"
        )
    for row in np.flatnonzero((start < vaddr) | (end > vaddr + size))[:1].tolist():
        yield (
            f"{_name(symbols, int(ids[row]))} lies outside of {section}: "
            f"[{int(start[row]):#x}, {int(end[row]):#x}), section "
            f"[{vaddr:#x}, {vaddr + size:#x})"
        )


def ids_are_sound(symbols: Symbols, where: str, ids: Ints) -> Iterator[str]:
    """Ids name symbols that there are, each once."""
    inside = _inside(ids, len(symbols)) & (ids != 0)
    for row in np.flatnonzero(~inside)[:1].tolist():
        yield f"{where} names symbol {int(ids[row])}; there are 1 to {len(symbols) - 1}"
    count = np.bincount(ids[inside], minlength=len(symbols))
    yield from _some(symbols, count > 1, f"{where} has {{}} more than once")


def _inside(ids: Ints, n: int) -> Bool:
    return (ids >= 0) & (ids < n)


def _some(symbols: Symbols, wrong: Bool, words: str) -> Iterator[str]:
    found = np.flatnonzero(wrong)
    if len(found):
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        yield words.format(_name(symbols, int(found[0]))) + more


def _name(symbols: Symbols, sym: int) -> str:
    name = symbols.name(sym) if 0 <= sym < len(symbols) else ""
    return f"{name} (symbol {sym})" if name else f"symbol {sym}"


RULES: tuple[tuple[tuple[str, ...], Callable[..., Iterator[str]]], ...] = (
    (("symbols", "text_order"), text_is_ordered),
    (("symbols", "relocs"), relocs_lie_inside),
    (("symbols", "sections"), symbols_do_not_overlap),
)
"""Facts, and the rule that holds between them."""
