"""addresses: segments start at pages, in memory as in the file, and markers mark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from linkpipe.engine.context import Link
from linkpipe.errors import UserError
from linkpipe.gotypes.layout import Kind
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from linkpipe.tables.symbols import Flag
from tests.datalink import BSS, NOPTRBSS, NOPTRDATA, RODATA, data_link, descriptor, lay_out
from tests.goobj_writer import Sym
from tests.tiny import EXTERNAL, INTERNAL, PLUGIN

SYMS = [
    Sym(name="p.r", type=RODATA, size=5000),
    Sym(name="p.d", type=NOPTRDATA, size=5000),
    Sym(name="p.b", type=NOPTRBSS, size=100_000),
]


def linked(folder: Path, mode: Mode = INTERNAL, **flags: Any) -> Link:
    return lay_out(data_link(folder, SYMS, mode=mode, **flags))


def value(link: Link, name: str) -> int:
    return int(link.symbols.value[link.symbols.lookup(name)])


def ranges(link: Link) -> dict[str, tuple[int, int, int]]:
    return {s.name: (s.vaddr, s.fileoff, s.filesize) for s in link.sections.segments}


def test_segments_of_an_executable(tmp_path: Path) -> None:
    """The header page, then text, read-only data and data, each from a page on."""
    link = linked(tmp_path)
    found = ranges(link)
    assert list(found) == ["text", "rodata", "data", "dwarf"]
    assert found["text"] == (0x401000, 0x1000, 100)
    assert found["rodata"][:2] == (0x402000, 0x2000)
    assert found["data"][:2] == (0x404000, 0x4000)
    # .bss takes room in memory, not in the file.
    data = link.sections.segment("data")
    assert 5000 <= data.filesize < 6000
    assert data.size >= 105_000
    assert found["dwarf"] == (0x404000 + data.size + -data.size % 4096, 0x6000, 0)


def test_segments_of_an_object(tmp_path: Path) -> None:
    """Addresses count from zero, code and read-only data are one."""
    found = ranges(linked(tmp_path, EXTERNAL))
    assert list(found) == ["text", "data", "dwarf"]
    assert found["text"][:2] == (0, 0x1000)
    assert found["data"][:2] == (0x2000, 0x3000)


def test_sections_follow_each_other(tmp_path: Path) -> None:
    link = linked(tmp_path)
    for segment in link.sections.segments:
        at = segment.vaddr
        for row in segment.sections:
            section = link.sections[row]
            assert at <= section.vaddr < at + max(section.align, 1)
            at = section.vaddr + section.size
        assert at == segment.vaddr + segment.size


@pytest.mark.parametrize(
    ("flags", "text", "data"),
    [
        ({"T": 0x10001000}, 0x10001000, 0x10004000),
        ({"D": 0x700000}, 0x401000, 0x700000),
        ({"R": 0x10000}, 0x401000, 0x420000),
    ],
)
def test_addresses_can_be_chosen(
    tmp_path: Path, flags: dict[str, Any], text: int, data: int
) -> None:
    found = ranges(linked(tmp_path, **flags))
    assert (found["text"][0], found["data"][0]) == (text, data)


def test_addresses_have_to_agree_with_the_file(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match="invalid -D value 0x700010: not aligned to rounding quantum"
    ):
        linked(tmp_path, D=0x700010)


def test_markers_are_where_sections_begin_and_end(tmp_path: Path) -> None:
    link = linked(tmp_path)
    for name, start, end in (
        (".rodata", "runtime.rodata", "runtime.erodata"),
        (".go.type", "runtime.types", "runtime.etypes"),
        (".gopclntab", "runtime.pclntab", "runtime.epclntab"),
        (".noptrdata", "runtime.noptrdata", "runtime.enoptrdata"),
        (".data", "runtime.data", "runtime.edata"),
        (".bss", "runtime.bss", "runtime.ebss"),
        (".noptrbss", "runtime.noptrbss", "runtime.enoptrbss"),
    ):
        row = link.sections.find(name)
        section = link.sections[row]
        assert value(link, start) == section.vaddr
        assert value(link, end) == section.vaddr + section.size
        ids = [link.symbols.lookup(start), link.symbols.lookup(end)]
        assert link.symbols.section[ids].tolist() == [row, row]
        assert link.symbols.has(ids, Flag.SPECIAL | Flag.LOCAL | Flag.REACHABLE).all()
    data = link.sections.segment("data")
    assert value(link, "runtime.end") == data.vaddr + data.size
    for name in ("gcdata", "gcbss"):
        sym = link.symbols.lookup(f"runtime.{name}")
        assert value(link, f"runtime.e{name}") == value(link, f"runtime.{name}") + int(
            link.symbols.size[sym]
        )


def test_markers_find_relro_sections(tmp_path: Path) -> None:
    syms = [descriptor("type:T", Kind.INT, refs=[(0, 0)])]
    link = lay_out(data_link(tmp_path, syms, mode=PLUGIN, buildmode="plugin"))
    section = link.sections[link.sections.find(".data.rel.ro.go.type")]
    assert value(link, "runtime.types") == section.vaddr
    assert value(link, "runtime.etypes") == section.vaddr + section.size


def test_pointer_masks_and_counters_lie_behind_other_bss(tmp_path: Path) -> None:
    """In .noptrbss: variables, masks of types, coverage counters, each marked."""
    link = data_link(
        tmp_path,
        [
            Sym(name="p.x", type=NOPTRBSS, size=3, align=1),
            Sym(name="type:.gcmask.T", type=NOPTRBSS, size=8, align=8),
        ],
    )
    edit = link.symbols.edit()
    counter = edit.lookup_or_create("p.counter")
    edit.set(counter, kind=SymKind.SCOVERAGE_COUNTER, size=12, align=4)
    edit.add_flags(counter, Flag.REACHABLE)
    link = lay_out(link.evolve(symbols=edit.freeze()))
    start = value(link, "runtime.noptrbss")
    assert value(link, "runtime.gcmask.*") == start + 3
    assert value(link, "type:.gcmask.T") == start + 8
    assert value(link, "runtime.covctrs") == value(link, "p.counter") == start + 16
    assert value(link, "runtime.ecovctrs") == start + 28


def test_the_start_of_counters_is_the_first_counter(tmp_path: Path) -> None:
    """What alignment takes before the first counter is left out (Go issue 58936)."""
    link = data_link(tmp_path, [Sym(name="p.x", type=NOPTRBSS, size=3, align=1)])
    edit = link.symbols.edit()
    counter = edit.lookup_or_create("p.counter")
    edit.set(counter, kind=SymKind.SCOVERAGE_COUNTER, size=8, align=4)
    edit.add_flags(counter, Flag.REACHABLE)
    link = lay_out(link.evolve(symbols=edit.freeze()))
    assert value(link, "runtime.covctrs") == value(link, "p.counter")
    assert value(link, "runtime.ecovctrs") == value(link, "p.counter") + 8


def test_counters_of_fuzzing_are_marked(tmp_path: Path) -> None:
    link = data_link(tmp_path, [])
    edit = link.symbols.edit()
    counter = edit.lookup_or_create("p.fuzz")
    edit.set(counter, kind=SymKind.SLIBFUZZER_8BIT_COUNTER, size=5)
    edit.add_flags(counter, Flag.REACHABLE)
    link = lay_out(link.evolve(symbols=edit.freeze()))
    start = value(link, "p.fuzz")
    names = ("runtime.__start___sancov_cntrs", "runtime.__stop___sancov_cntrs")
    assert [value(link, name) for name in names] == [start, start + 5]
    assert value(link, "internal/fuzz._counters") == start
    assert value(link, "internal/fuzz._ecounters") == start + 5


def test_the_end_of_fuzzings_counters_under_asan(tmp_path: Path) -> None:
    """Its runtime wants a multiple of eight bytes; the memory of the segment ends where it did."""
    sizes = []
    for asan in (False, True):
        link = data_link(tmp_path, [])
        edit = link.symbols.edit()
        counter = edit.lookup_or_create("p.fuzz")
        edit.set(counter, kind=SymKind.SLIBFUZZER_8BIT_COUNTER, size=5)
        edit.add_flags(counter, Flag.REACHABLE)
        options = attrs.evolve(link.options, asan=asan)
        link = lay_out(link.evolve(symbols=edit.freeze(), options=options))
        section = link.sections[link.sections.find(".go.fuzzcntrs")]
        assert value(link, "internal/fuzz._ecounters") == section.vaddr + section.size
        sizes.append((section.size, value(link, "runtime.end") - section.vaddr))
    assert sizes == [(5, 5), (8, 5)]


def test_thread_local_data_counts_from_zero(tmp_path: Path) -> None:
    link = data_link(tmp_path, [Sym(name="p.b", type=NOPTRBSS, size=100)], mode=EXTERNAL)
    edit = link.symbols.edit()
    tls = edit.lookup_or_create("runtime.tlsg")
    edit.set(tls, kind=SymKind.STLSBSS, size=8)
    edit.add_flags(tls, Flag.REACHABLE)
    link = lay_out(link.evolve(symbols=edit.freeze()))
    section = link.sections[link.sections.find(".tbss")]
    assert (section.vaddr, section.size) == (0, 8)
    assert value(link, "runtime.tlsg") == 0
    # It is no part of the segment's memory.
    data = link.sections.segment("data")
    assert value(link, "runtime.end") == value(link, "p.b") + 100 == data.vaddr + data.size


def test_a_link_without_data(tmp_path: Path) -> None:
    link = lay_out(
        data_link(tmp_path, [Sym(name="p.b", type=BSS, size=8)], dead=frozenset(["p.b"]))
    )
    assert value(link, "runtime.bss") == value(link, "runtime.ebss")


def test_a_text_address_that_no_loader_could_map_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="invalid -T value 0x700010"):
        linked(tmp_path, T=0x700010)


@pytest.mark.parametrize("address", [0x400000, 0x500000])
def test_data_inside_of_text_or_below_it_is_refused(tmp_path: Path, address: int) -> None:
    """The oracle writes such a file without what the data holds."""
    with pytest.raises(UserError, match=f"invalid -D value {address:#x}: text and read-only data"):
        linked(tmp_path, T=0x500000, D=address)
