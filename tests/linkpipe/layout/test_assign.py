"""Symbols are laid out without overlap, each where its alignment lets it, by the slow rule."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.arches.amd64 import ARCH
from linkpipe.layout.assign import (
    alignments,
    layout_kinds,
    place,
    segment_quantum,
    text_base,
)
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag
from tests.tiny import EXTERNAL, Tiny

ALIGN = st.sampled_from([1, 2, 4, 8, 16, 32])


@given(st.integers(0, 100), st.lists(st.tuples(st.integers(0, 50), ALIGN)))
def test_place(start: int, things: list[tuple[int, int]]) -> None:
    sizes = np.array([size for size, _ in things], np.int64)
    aligns = np.array([align for _, align in things], np.int32)
    at, expected = start, []
    for size, align in things:
        at += -at % align
        expected.append(at)
        at += size
    places, end = place(start, sizes, aligns)
    assert places.tolist() == expected
    assert end == at


@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 2, 8, 64]), st.integers(0, 1 << 40))),
    st.sampled_from([1, 2]),
)
def test_alignments(rows: list[tuple[int, int]], least: int) -> None:
    """symalign in cmd/link/internal/ld/data.go."""
    arch = attrs.evolve(ARCH, min_align=least)

    def slow(align: int, size: int) -> int:
        if align:
            return max(align, least)
        align = arch.max_align
        while align > size and align > least:
            align //= 2
        return align

    found = alignments(
        np.array([a for a, _ in rows], np.int32), np.array([s for _, s in rows], np.int64), arch
    )
    assert found.tolist() == [slow(*row) for row in rows]


def test_what_is_laid_out_as_data() -> None:
    """Reachable data that has a name and is not placed by whoever made it."""
    p = Tiny()
    data = p.symbol("d", kind=SymKind.SDATA)
    grouped = p.symbol("s", kind=SymKind.SRODATA)
    p.symbol("dead", reachable=False)
    p.symbol("marker", flags=Flag.SPECIAL)
    p.symbol("code", kind=SymKind.STEXT)
    p.symbol("elsewhere", kind=SymKind.SDYNIMPORT)
    p.symbol("", kind=SymKind.SRODATA)
    closure = p.symbol("", 2, kind=SymKind.SGOFUNC)
    groups = np.zeros(grouped + 1, np.uint8)  # shorter than the table
    groups[grouped] = SymKind.SGOSTRING
    kinds = layout_kinds(p.link().symbols, groups)
    found = {int(i): int(kinds[i]) for i in np.flatnonzero(kinds)}
    assert found == {
        p.tlsg: SymKind.STLSBSS,
        data: SymKind.SDATA,
        grouped: SymKind.SGOSTRING,
        closure: SymKind.SGOFUNC,
    }


@pytest.mark.parametrize(
    ("flags", "base"),
    [
        ({}, 0x401000),
        ({"T": 0x800000}, 0x800000),
        ({"R": 0x1000000}, 0x1001000),  # the headers' page comes after the rounded base
        ({"R": 0x10000}, 0x401000),
    ],
)
def test_where_the_text_starts(flags: dict[str, Any], base: int) -> None:
    link, external = Tiny(**flags).link(), Tiny(EXTERNAL, **flags).link()
    assert text_base(link.options, link.arch, link.mode) == base
    assert text_base(external.options, external.arch, external.mode) == 0
    assert segment_quantum(link.options, link.arch) == flags.get("R", 4096)
