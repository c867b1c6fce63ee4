"""datalayout: every data symbol is in the section of its kind, in the oracle's order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.arrays.columns import frozen
from linkpipe.engine.context import Link
from linkpipe.errors import InputError, LinkErrors
from linkpipe.gotypes.layout import TFLAG_EXTRA_STAR, Kind
from linkpipe.layout.assign import layout_kinds
from linkpipe.symkind import SymKind
from linkpipe.tables.dwarf import DebugSection
from linkpipe.tables.mode import Mode
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
from tests.tiny import EXTERNAL, INTERNAL, PLUGIN

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


def of_every_kind(tmp_path: Path, mode: Mode = INTERNAL, **flags: Any) -> Link:
    """A symbol of each kind that has a section, of four bytes; those that come second in a section
    ask for a larger alignment."""
    link = data_link(tmp_path, [], mode=mode, **flags)
    edit = link.symbols.edit()
    for kind in SymKind:
        if not SymKind.STEXTEND < kind < SymKind.SFirstUnallocated or kind == SymKind.SMODULEDATA:
            continue
        named = {SymKind.SELFROSECT: ".note.x", SymKind.SBUILDINFO: "go:buildinfo"}
        sym = edit.lookup_or_create(named.get(kind, f"k.{kind.name}"))
        wide = kind in (SymKind.SDATAFIPS, SymKind.SGCBITS, SymKind.SGCMASK)
        edit.set(sym, kind=kind, size=4, align=64 if wide else 0)
        edit.add_flags(sym, Flag.REACHABLE)
    return lay_out(link.evolve(symbols=edit.freeze()), upto="datalayout")


def described(link: Link) -> list[tuple[str, str, int, int, bool, int]]:
    """Name, segment, permissions, alignment, whether it has no bytes in the file, and lead."""
    return [(s.name, s.segment, s.rwx, s.align, s.zeros, s.lead) for s in link.sections.items[1:]]


WRITABLE = [
    (".go.buildinfo", "data", 6, 4, False, 0),
    ("k.SFIPSINFO", "data", 6, 4, False, 0),
    ("k.SELFSECT", "data", 6, 4, False, 0),
    (".go.module", "data", 6, 32, False, 0),
    (".got", "data", 6, 4, False, 0),
    (".noptrdata", "data", 6, 4, False, 0),
    (".init_array", "data", 6, 4, False, 0),
    (".data", "data", 6, 4, False, 0),
    (".bss", "data", 6, 4, True, 0),
    (".noptrbss", "data", 6, 4, True, 0),
    (".go.fuzzcntrs", "data", 6, 4, True, 0),
]


def test_every_kind_has_its_section(tmp_path: Path) -> None:
    """In order, with all that a section is. The first kind of a section says how it is aligned,
    but in .rodata all do, and at least a pointer; no type is at offset zero."""
    link = of_every_kind(tmp_path)
    assert described(link) == [
        *WRITABLE,
        ("k.SELFRXSECT", "text", 5, 4, False, 0),
        (".rodata", "rodata", 4, 64, False, 0),
        (".gopclntab", "rodata", 4, 4, False, 0),
        (".note.x", "rodata", 4, 4, False, 0),
        (".rodata", "rodata", 4, 4, False, 0),
        (".go.type", "rodata", 4, 8, False, 8),
        (".go.func", "rodata", 4, 8, False, 0),
        ("k.SELFRELROSECT", "rodata", 4, 4, False, 0),
    ]
    assert not any(section.packed for section in link.sections.items)
    for row, section in enumerate(link.sections.items[1:], 1):
        assert (link.symbols.section[section.symbols] == row).all()


def test_every_kind_has_its_section_in_a_plugin(tmp_path: Path) -> None:
    """Thread-local data too, which is aligned to a pointer whatever it asks for."""
    link = of_every_kind(tmp_path, PLUGIN, buildmode="plugin")
    assert described(link) == [
        *WRITABLE,
        (".tbss", "data", 6, 8, True, 0),
        ("k.SELFRXSECT", "text", 5, 4, False, 0),
        (".rodata", "text", 4, 64, False, 0),
        (".gopclntab", "text", 4, 4, False, 0),
        (".note.x", "text", 4, 4, False, 0),
        (".data.rel.ro", "text", 6, 4, False, 0),
        (".data.rel.ro.go.type", "text", 6, 8, False, 8),
        (".data.rel.ro.go.func", "text", 6, 8, False, 0),
        ("k.SELFRELROSECT", "text", 6, 4, False, 0),
    ]


def test_sections_without_symbols(tmp_path: Path) -> None:
    """Some are there all the same, and ask for no alignment; .rodata for a pointer's."""
    link = lay_out(data_link(tmp_path, [], dead=frozenset()), upto="datalayout")
    aligns = {name: align for name, _, _, align, _, _ in described(link)}
    assert (aligns[".noptrdata"], aligns[".data"], aligns[".rodata"]) == (0, 0, 8)
    edit = link.symbols.edit()
    edit.set(link.moduledata, kind=SymKind.SDATA)
    again = data_link(tmp_path, []).evolve(symbols=edit.freeze())
    assert ".go.module" not in sections(lay_out(again, upto="datalayout"))


def test_debug_sections_come_last_and_as_they_are(tmp_path: Path) -> None:
    link = data_link(tmp_path, [])
    edit = link.symbols.edit()
    syms = [edit.lookup_or_create(name) for name in (".debug_b", "go:info.b", ".debug_a")]
    edit.set(syms, kind=SymKind.SDWARFSECT, size=[9, 3, 1])
    edit.add_flags(syms, Flag.REACHABLE)
    given = (
        DebugSection(".debug_b", frozen(np.array(syms[:2]))),
        DebugSection(".debug_a", frozen(np.array(syms[2:]))),
    )
    link = link.evolve(symbols=edit.freeze(), debug_sections=given)
    link = lay_out(link, upto="datalayout")
    assert described(link)[-2:] == [
        (".debug_b", "dwarf", 4, 1, False, 0),
        (".debug_a", "dwarf", 4, 1, False, 0),
    ]
    assert [s.packed for s in link.sections.items[-3:]] == [False, True, True]
    assert [s.symbols.tolist() for s in link.sections.items[-2:]] == [syms[:2], syms[2:]]


def test_the_module_data_is_told_in_its_fields(tmp_path: Path) -> None:
    """Wherever these are; the rest of it stays as it is."""
    itab = Sym(name="go:itab.x", type=RODATA, flag2=ITAB, size=24, data=bytes(24), align=8)
    link = data_link(tmp_path, [itab, *typed("type:plain", "a", 1, link=False)])
    fields = {"typedesclen": 24, "itaboffset": 4, "itabsize": 14}
    edit = link.symbols.edit()
    edit.set_content(link.moduledata, bytes(range(40)))
    edit.set(link.moduledata, size=100)
    link = link.evolve(symbols=edit.freeze(), moduledata_fields=fields)
    symbols = lay_out(link, upto="datalayout").symbols
    assert symbols.size[link.moduledata] == 100
    content = bytes(symbols.data(link.moduledata))
    want = bytearray(range(40))
    for name, value in (("typedesclen", 8), ("itaboffset", 8 + 48), ("itabsize", 24)):
        want[fields[name] : fields[name] + 8] = word(value)
    assert content == bytes(want)


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
        (Sym(name="p.x", type=NOPTRBSS, size=8, align=1 << 30), "bad alignment value"),
    ],
)
def test_sizes_and_alignments_are_checked(tmp_path: Path, sym: Sym, words: str) -> None:
    with pytest.raises((InputError, LinkErrors)) as caught:
        lay_out(data_link(tmp_path, [sym]))
    assert words in caught.value.render()
    assert "p.x" in caught.value.render()


def test_the_largest_symbol(tmp_path: Path) -> None:
    """Two thousand million bytes are not too many yet."""
    sym = Sym(name="p.x", type=NOPTRBSS, size=2_000_000_000)
    assert names_in(lay_out(data_link(tmp_path, [sym]), upto="datalayout"), ".noptrbss") == ["p.x"]


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
