"""datalayout: every data symbol is in the section of its kind, in the oracle's order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.engine.context import Link
from linkpipe.errors import InputError, LinkErrors
from linkpipe.gotypes.layout import TFLAG_EXTRA_STAR, Kind
from linkpipe.layout.assign import layout_kinds
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag
from tests.datalink import (
    BSS,
    DATA,
    NOPTRBSS,
    NOPTRDATA,
    RODATA,
    data_link,
    descriptor,
    lay_out,
    names_in,
    word,
)
from tests.goobj_writer import Sym
from tests.tiny import EXTERNAL, PLUGIN

ITAB = 1 << 1
"""In the second byte of flags of objects."""

INTERNAL_SECTIONS = [
    ".text", ".go.module", ".noptrdata", ".data", ".bss", ".noptrbss",
    ".rodata", ".gopclntab", ".go.type", ".go.func",
]  # fmt: skip


def sections(link: Link) -> list[str]:
    return [section.name for section in link.sections.items]


def test_sections_of_an_executable(tmp_path: Path) -> None:
    link = lay_out(data_link(tmp_path, [Sym(name="x", type=NOPTRDATA, size=8)]))
    assert sections(link) == INTERNAL_SECTIONS
    segments = {section.name: section.segment for section in link.sections.items}
    assert segments[".rodata"] == segments[".go.type"] == "rodata"
    assert segments[".go.module"] == segments[".noptrbss"] == "data"


def test_sections_for_a_host_linker(tmp_path: Path) -> None:
    """Read-only data stays with the code; the thread-local word has a section."""
    link = data_link(tmp_path, [], mode=EXTERNAL)
    edit = link.symbols.edit()
    tls = edit.lookup_or_create("runtime.tlsg")
    edit.set(tls, kind=SymKind.STLSBSS, size=8)
    edit.add_flags(tls, Flag.REACHABLE)
    link = lay_out(link.evolve(symbols=edit.freeze()))
    assert sections(link) == [*INTERNAL_SECTIONS[:6], ".tbss", *INTERNAL_SECTIONS[6:]]
    assert {s.segment for s in link.sections.items} == {"text", "data"}


def test_sections_of_a_plugin(tmp_path: Path) -> None:
    """Data with addresses is apart, and writable until the dynamic linker is done."""
    target = descriptor("p.table", Kind.INT, refs=[(0, 0)])
    link = lay_out(data_link(tmp_path, [target], mode=PLUGIN, buildmode="plugin"))
    assert sections(link)[6:] == [
        ".rodata", ".gopclntab", ".data.rel.ro", ".data.rel.ro.go.type", ".data.rel.ro.go.func",
    ]  # fmt: skip
    assert names_in(link, ".data.rel.ro") == ["p.table"]
    assert [s.rwx for s in link.sections.items][6:] == [4, 4, 6, 6, 6]


def test_a_symbol_can_be_a_section(tmp_path: Path) -> None:
    link = data_link(tmp_path, [])
    edit = link.symbols.edit()
    for name, kind, align in (
        ("go:buildinfo", SymKind.SBUILDINFO, 16),
        (".note.x", SymKind.SELFROSECT, 4),
    ):
        sym = edit.lookup_or_create(name)
        edit.set_content(sym, bytes(5))
        edit.set(sym, kind=kind, align=align)
        edit.add_flags(sym, Flag.REACHABLE)
    link = lay_out(link.evolve(symbols=edit.freeze()))
    found = {s.name: (s.segment, s.align, s.size, s.rwx) for s in link.sections.items}
    assert found[".go.buildinfo"] == ("data", 16, 5, 6)
    assert found[".note.x"] == ("rodata", 4, 5, 4)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([RODATA, NOPTRDATA, NOPTRBSS]),
            st.sampled_from([0, 0, 1, 2, 3, 8, 8, 24, 100]),
            st.sampled_from([0, 0, 1, 8, 32]),
        ),
        max_size=20,
    ),
    st.booleans(),
)
def test_by_size_then_in_order_of_making(
    tmp_path: Path, rows: list[tuple[int, int, int]], zerobase: bool
) -> None:
    """Within a kind, and zero-size variables just before runtime.zerobase; nothing overlaps,
    everything is aligned, nothing is lost."""
    syms = [Sym(name=f"s{i}", type=k, size=n, align=a) for i, (k, n, a) in enumerate(rows)]
    if zerobase:
        syms.insert(0, Sym(name="runtime.zerobase", type=NOPTRBSS, size=8))
    link = lay_out(data_link(tmp_path, syms))
    table = link.symbols
    base = table.lookup("runtime.zerobase")
    kinds = layout_kinds(table, link.section_groups)
    seen = []
    for section in link.sections.items[1:]:
        ids = section.symbols.tolist()
        seen += ids
        # GC programs get their content only when they have their place.
        size = {i: 0 if table.name(i).startswith("runtime.gc") else int(table.size[i]) for i in ids}
        order = [(int(kinds[i]), 1 if i == base else 2 * size[i], i) for i in ids]
        assert order == sorted(order)
        at = section.vaddr
        for i in ids:
            assert table.value[i] >= at
            assert table.value[i] % table.align[i] == 0
            at = int(table.value[i] + table.size[i])
        assert at <= section.vaddr + section.size
        assert (table.section[ids] == link.sections.find(section.name)).all()
    assert {table.name(i) for i in seen} >= {sym.name for sym in syms}
    assert len(seen) == len(set(seen))


def typed(name: str, text: str, at: int, *, link: bool = True, star: bool = False) -> list[Sym]:
    """A string, the symbol number ``at``, and the descriptor of the type of that name."""
    raw = text.encode()
    return [
        Sym(name=f"str.{name}", type=RODATA, data=bytes([0, len(raw)]) + raw, size=len(raw) + 2),
        descriptor(
            name,
            Kind.INT,
            tflag=TFLAG_EXTRA_STAR if star else 0,
            flag=Flag.TYPELINK if link else 0,
            refs=[(40, at)],
        ),
    ]


def test_types_lie_in_the_order_that_the_runtime_walks_them(tmp_path: Path) -> None:
    """Typelinks by string, other types, interface tables, each by size; a star that is not the
    type's does not count."""
    itab = Sym(name="go:itab.x", type=RODATA, flag2=ITAB, size=24, data=bytes(24), align=8)
    syms = [
        itab,
        *typed("type:plain", "a", 1, link=False),
        *typed("type:z", "*zz", 3, star=True),
        *typed("type:b", "b", 5),
        *typed("type:y", "*y", 7),
    ]
    link = lay_out(data_link(tmp_path, syms), upto="datalayout")
    assert names_in(link, ".go.type") == [
        "type:*", "type:y", "type:b", "type:z", "type:plain", "go:itab.x",
    ]  # fmt: skip
    # What the module data says of the three stretches.
    content = bytes(link.symbols.data(link.moduledata))
    assert content == word(8 + 3 * 48) + word(8 + 4 * 48) + word(24) + word(0)


def test_a_typelink_has_a_string(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="type descriptor without a name"):
        lay_out(data_link(tmp_path, [descriptor("type:T", Kind.INT, flag=Flag.TYPELINK)]))


def test_no_type_is_at_offset_zero(tmp_path: Path) -> None:
    """A reference of 0 is no reference."""
    link = lay_out(data_link(tmp_path, [Sym(name="type:T", type=RODATA, size=48, align=8)]))
    section = link.sections[link.sections.find(".go.type")]
    assert link.symbols.value[link.symbols.lookup("type:T")] == section.vaddr + 8


@pytest.mark.parametrize(
    ("sym", "words"),
    [
        (Sym(name="p.x", type=NOPTRDATA, size=2, data=b"abc"), "initialize bounds (2 < 3)"),
        (Sym(name="p.x", type=NOPTRBSS, size=2_000_000_001), "symbol too large"),
        (Sym(name="p.x", type=NOPTRBSS, size=8, align=3), "bad alignment value"),
        (Sym(name="p.x", type=NOPTRBSS, size=8, align=1 << 31), "bad alignment value"),
        (Sym(name="p.x", type=NOPTRBSS, size=8, align=1 << 30), "bad alignment value"),
    ],
)
def test_sizes_and_alignments_are_checked(tmp_path: Path, sym: Sym, words: str) -> None:
    with pytest.raises(LinkErrors) as caught:
        lay_out(data_link(tmp_path, [sym]))
    assert words in caught.value.render()
    assert "p.x" in caught.value.render()


def test_too_much_data_is_refused(tmp_path: Path) -> None:
    """In the oracle's words, followed by what the data is: the ten largest, largest first."""
    syms = [Sym(name=f"p.x{i}", type=NOPTRBSS, size=1_000_000_000 + i) for i in range(2)]
    syms += [Sym(name=f"p.y{i}", type=NOPTRDATA, size=1_000 + i, data=b"") for i in range(12)]
    with pytest.raises(InputError) as caught:
        lay_out(data_link(tmp_path, syms))
    first, remedy, *largest = caught.value.shown("link").splitlines()
    assert re.fullmatch(
        r"too much data, last section SNOPTRBSS \(2\d{9}, over 2e\+09 bytes\)", first
    )
    assert "smaller" in remedy
    assert [line.split() for line in largest] == [
        [str(size), "bytes", name]
        for size, name in [
            (1_000_000_001, "p.x1"),
            (1_000_000_000, "p.x0"),
            *((1_000 + i, f"p.y{i}") for i in range(11, 3, -1)),
        ]
    ]


def test_what_is_not_reachable_is_not_laid_out(tmp_path: Path) -> None:
    syms = [Sym(name="p.x", type=DATA, size=8), Sym(name="p.y", type=BSS, size=8)]
    link = lay_out(data_link(tmp_path, syms, dead=frozenset({"p.x", "p.y"})))
    assert names_in(link, ".data") == names_in(link, ".bss") == []
