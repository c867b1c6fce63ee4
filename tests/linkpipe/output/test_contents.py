"""The image before relocation: contents, and what fills the gaps between functions."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.arrays import threads
from linkpipe.arrays.columns import frozen
from linkpipe.formats.arena import Arena
from linkpipe.output.contents import fill_image, laid_out
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag
from tests.tiny import Tiny

PADS = st.sampled_from([b"\xcc", b"\0", b"\1\2", b"\1\2\3\4"])
# Content, bytes of the symbol after it, bytes to the next symbol.
FUNCTIONS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)), min_size=1)


def slow(functions: list[tuple[int, int, int]], pad: bytes) -> bytes:
    """Symbol by symbol, as cmd/link does it (ld/data.go, writeBlock): each gap on its own."""
    out = b""
    for content, more, gap in functions:
        for part, length in ((b"\xee", content), (pad, more), (pad, gap)):
            out += (part * length)[:length]
    return out


def filled(
    functions: list[tuple[int, int, int]], pad: bytes, *, more: int = 0, size: int = 4
) -> bytes:
    """The section of code as `fill_image` leaves it; a symbol that is part of the first one says
    that it lies ``more`` bytes behind it, if any, and has ``size`` of them."""
    p, at = Tiny(), 0x1000
    ids = [
        p.symbol(f"f{i}", kind=SymKind.STEXT, content=b"\xee" * f[0])
        for i, f in enumerate(functions)
    ]
    p.section(".text", at, ids, rwx=5)
    for sym, (content, rest, gap) in zip(ids, functions, strict=True):
        p.symbols.set(sym, size=content + rest, value=at)
        at += content + rest + gap
    if more:
        p.symbols.set(ids[-1], value=0x1000 + more, size=size)
        p.symbols.add_flags(ids[-1], Flag.INTERIOR)
    p.sections[0] = attrs.evolve(p.sections[0], size=at - 0x1000)
    link = p.link()
    image = fill_image(link.sections, link.symbols, laid_out(link.sections, link.symbols), pad)
    segment = link.sections.segments[0]
    start = segment.fileoff + 0x1000 - segment.vaddr
    return image[start : start + at - 0x1000].tobytes()


@given(FUNCTIONS, PADS)
def test_gaps_are_filled_one_by_one(functions: list[tuple[int, int, int]], pad: bytes) -> None:
    """The pattern starts anew where a content ends and where a symbol ends, also when that is no
    multiple of its length."""
    assert filled(functions, pad) == slow(functions, pad)


@pytest.mark.parametrize("count", ["1", "2", "8"])
@pytest.mark.parametrize("pad", [b"\xcc", b"\1\2\3\4"])
def test_threads_share_the_gaps(count: str, pad: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_MANY", 0)
    monkeypatch.setenv("LINKPIPE_THREADS", count)
    functions = [(i % 9, i % 5, i % 7) for i in range(200)]
    assert filled(functions, pad) == slow(functions, pad)


@pytest.mark.parametrize("more", [-0x2000, 10, 0x100000, 1 << 40])
@pytest.mark.parametrize("size", [4, -1, -(1 << 63)])
def test_a_part_of_a_symbol_may_say_that_it_lies_anywhere(more: int, size: int) -> None:
    """Nobody looks where names in C objects lie, nor at their sizes: they have no bytes of their
    own, and the pattern does not start anew there."""
    functions = [(8, 0, 8), (0, 4, 0)]
    there = filled(functions, b"\1\2\3\4", more=more, size=size)
    assert there == b"\xee" * 8 + b"\1\2\3\4" * 3


@pytest.mark.parametrize("count", ["1", "2", "8"])
def test_threads_share_the_contents(count: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its own stretch, and together they copy all."""
    monkeypatch.setattr(threads, "_MANY", 0)
    monkeypatch.setenv("LINKPIPE_THREADS", count)
    p, sizes = Tiny(), [i % 5 * 16 for i in range(40)]
    ids = [p.symbol(f"c{i}", kind=SymKind.SRODATA, size=size) for i, size in enumerate(sizes)]
    p.section(".rodata", 0x1000, ids, rwx=4)
    content = np.arange(sum(sizes)) % 251 + 1
    p.symbols.set(ids, data_at=np.cumsum(sizes) - sizes, data_size=sizes)
    link = p.link()
    symbols = attrs.evolve(link.symbols, arena=Arena(frozen(content.astype(np.uint8))))
    image = fill_image(link.sections, symbols, laid_out(link.sections, symbols), b"\0")
    start = link.sections.segments[0].fileoff
    assert image[start:][image[start:] != 0].tolist() == content.tolist()
