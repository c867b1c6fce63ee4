"""The image before relocation: contents, and what fills the gaps between functions."""

from __future__ import annotations

import attrs
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.output.contents import fill_image, laid_out
from linkpipe.symkind import SymKind
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


@given(FUNCTIONS, PADS)
def test_gaps_are_filled_one_by_one(functions: list[tuple[int, int, int]], pad: bytes) -> None:
    """The pattern starts anew where a content ends and where a symbol ends, also when that is no
    multiple of its length."""
    p, at = Tiny(), 0x1000
    ids = [
        p.symbol(f"f{i}", kind=SymKind.STEXT, content=b"\xee" * f[0])
        for i, f in enumerate(functions)
    ]
    p.section(".text", at, ids, rwx=5)
    for sym, (content, more, gap) in zip(ids, functions, strict=True):
        p.symbols.set(sym, size=content + more, value=at)
        at += content + more + gap
    p.sections[0] = attrs.evolve(p.sections[0], size=at - 0x1000)
    link = p.link()
    image = fill_image(link.sections, link.symbols, laid_out(link.sections, link.symbols), pad)
    segment = link.sections.segments[0]
    start = segment.fileoff + 0x1000 - segment.vaddr
    want = slow(functions, pad)
    assert image[start : start + len(want)].tobytes() == want
