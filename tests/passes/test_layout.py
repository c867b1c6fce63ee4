"""relro, datalayout and addresses together lay data out as the sequential rules say."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkpipe.arches.amd64 import ARCH
from linkpipe.engine.context import Link
from linkpipe.errors import InputError, LinkErrors, UserError
from linkpipe.formats import goobj
from linkpipe.packages.loading import PackageLoader
from linkpipe.packages.places import Places
from linkpipe.passes.addresses import addresses
from linkpipe.passes.datalayout import datalayout
from linkpipe.passes.relro import relro
from linkpipe.passes.resolve import resolve
from linkpipe.passes.symtab import symtab
from linkpipe.passes.typeorder import typeorder
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from linkpipe.tables.relocs import Relocs
from linkpipe.tables.sections import Section, Sections
from linkpipe.tables.symbols import Flag
from linkpipe.testing.links import object_format, release
from tests.goobj_writer import Obj, Reloc, Sym, write_archive
from tests.passes.slow_layout import slow_layout
from tests.tiny import EXTERNAL, INTERNAL, PLUGIN

R_ADDR = 1
RODATA, RODATAFIPS, NOPTRDATA, NOPTRDATAFIPS, DATA, DATAFIPS, BSS, NOPTRBSS = range(3, 11)
COVERAGE, FUZZ = 23, 22
TYPELINK, ITAB = 4, 2
REF = goobj.PKG_NONE

MODES = {
    "exe": (INTERNAL, "exe"),
    "host": (EXTERNAL, "exe"),
    "plugin": (PLUGIN, "plugin"),
    "pie": (INTERNAL, "pie"),
}


def made(folder: Path, syms: list[Sym], mode: Mode, buildmode: str, **flags: Any) -> Link:
    """A link that is ready for layout: these symbols, all reachable, 100 bytes of text."""
    main = write_archive(folder / "p.a", Obj(package="main", nonpkg=tuple(syms)), main=True)
    loader = PackageLoader(Places({"main": main}), main)
    loader.add("main", main, "test")
    loader.load()
    packages, objects = loader.freeze(None, object_format())
    options: Any = SimpleNamespace(
        dumpdep=False,
        **{"w": True, "e": False, "buildmode": buildmode, "relocatable": buildmode != "exe"}
        | {"asan": False}
        | {"R": -1, "T": -1, "D": -1, "funcalign": 0}
        | flags,
    )
    facts = {"packages": packages, "objects": objects, "arch": ARCH, "release": release()}
    link = resolve.run(Link({**facts, "options": options, "mode": mode}))
    edit = link.symbols.edit()
    ids = np.arange(1, len(edit))
    edit.add_flags(ids, Flag.REACHABLE)
    moduledata = edit.lookup_or_create("runtime.moduledata")
    edit.set(moduledata, kind=SymKind.SMODULEDATA)
    edit.set_content(moduledata, bytes(100))
    edit.add_flags(moduledata, Flag.REACHABLE)
    for name in ("runtime.pclntab", "runtime.pcheader", "go:func.*"):
        sym = edit.lookup_or_create(name)
        edit.set(sym, kind=SymKind.SPCLNTAB, size=8)
        edit.add_flags(sym, Flag.REACHABLE)
    columns = link.objects.relocs(link.symbols.object[ids], link.symbols.local[ids])
    base = 0 if mode.external else ARCH.text_base
    text = Section(".text", "text", 5, np.zeros(0, np.int32), 32, base, 100)
    fields = {"typedesclen": 16, "itaboffset": 24, "itabsize": 32}
    link = link.evolve(
        relocs=Relocs.gather(len(edit), ids, columns),
        symbols=edit.freeze(),
        moduledata=moduledata,
        moduledata_fields=fields,
        sections=Sections((text,), ()),
    )
    return symtab.run(link)


def laid_out(link: Link) -> Link:
    for step in (relro, typeorder, datalayout, addresses):
        link = step.run(link)
    return link


@st.composite
def symbols(draw: st.DrawFn) -> list[Sym]:
    """Variables of all kinds and sizes, types with different strings, interface tables."""
    out: list[Sym] = []
    kinds = (RODATA, RODATAFIPS, NOPTRDATA, NOPTRDATAFIPS, DATA, DATAFIPS, BSS, NOPTRBSS)
    names = ("v", "go:string.", "runtime.gcbits.", "type:.gcmask.", "go:itab.x,", "type:plain")
    count = draw(st.integers(0, 25))
    for i in range(count):
        kind = draw(st.sampled_from((*kinds, COVERAGE, FUZZ)))
        prefix = draw(st.sampled_from(names)) if kind in (RODATA, NOPTRBSS) else "v"
        size = draw(st.sampled_from([0, 1, 2, 3, 8, 9, 24, 100]))
        zeros = kind in (BSS, NOPTRBSS, COVERAGE, FUZZ)
        relocs: tuple[Reloc, ...] = ()
        if size >= 8 and not zeros and draw(st.booleans()):
            relocs = (Reloc(0, 8, R_ADDR, (REF, draw(st.integers(0, count - 1)))),)
        out.append(
            Sym(
                name=f"{prefix}{i}",
                type=kind,
                size=size,
                align=draw(st.sampled_from([0, 0, 1, 4, 16, 64])),
                data=b"" if zeros else bytes(size),
                relocs=relocs,
                flag2=ITAB if prefix.startswith("go:itab.") else 0,
            )
        )
    for i in draw(st.permutations(range(draw(st.integers(0, 4))))):
        text = f"T{i}".encode()
        name = len(out)
        data = bytes([0, len(text)]) + text
        out.append(Sym(name=f"type:.namedata.{i}", type=RODATA, size=len(data), data=data))
        string = (Reloc(40, 4, R_ADDR, (REF, name)),)
        size = draw(st.sampled_from([48, 72]))
        out.append(
            Sym(
                name=f"type:T{i}",
                type=RODATA,
                size=size,
                align=8,
                flag=TYPELINK,
                data=bytes(size),
                relocs=string,
            )
        )
    if draw(st.booleans()):
        out.append(Sym(name="runtime.zerobase", type=NOPTRBSS, size=8, align=8))
    return out


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=60)
@given(syms=symbols())
def test_layout_is_the_sequential_one(mode: str, syms: list[Sym]) -> None:
    """Sections (names, order, sizes, alignments, addresses), the address of every symbol, and
    what the module data is told about types, in executables, objects and plugins."""
    with tempfile.TemporaryDirectory() as folder:
        before = made(Path(folder), syms, *MODES[mode])
        want = slow_layout(before)
        link = laid_out(before)
    got = link.sections.items[1:]
    assert [
        (s.name, s.segment, s.rwx, s.align, s.vaddr, s.size, s.symbols.tolist()) for s in got
    ] == [(s.name, s.segment, s.rwx, s.align, s.vaddr, s.size, s.symbols) for s in want.sections]
    value = {sym: int(link.symbols.value[sym]) for sym in want.value}
    assert value == want.value
    content = bytes(link.symbols.data(link.moduledata))
    for name, number in want.fields.items():
        at = link.moduledata_fields[name]
        assert int.from_bytes(content[at : at + 8], "little") == number, name
    for row, section in enumerate(link.sections.items):
        assert (link.symbols.section[section.symbols] == row).all()


def marks(link: Link, *names: str) -> list[int]:
    return [int(link.symbols.value[link.symbols.lookup(f"runtime.{name}")]) for name in names]


@pytest.mark.parametrize("mode", MODES)
def test_markers_stand_at_the_ends_of_sections(tmp_path: Path, mode: str) -> None:
    """The runtime finds data by them; runtime.end is after everything."""
    syms = [Sym(name=f"v{kind}", type=kind, size=40) for kind in (DATA, BSS, NOPTRDATA, NOPTRBSS)]
    syms += [Sym(name=f"type:.gcmask.{i}", type=NOPTRBSS, size=3) for i in range(2)]
    syms += [Sym(name="counters", type=COVERAGE, size=12, align=4)]
    link = laid_out(made(tmp_path, syms, *MODES[mode]))
    for first, last, name in (
        ("noptrdata", "enoptrdata", ".noptrdata"),
        ("data", "edata", ".data"),
        ("bss", "ebss", ".bss"),
        ("noptrbss", "enoptrbss", ".noptrbss"),
        ("rodata", "erodata", ".rodata"),
        ("types", "etypes", ".data.rel.ro.go.type" if mode in ("plugin", "pie") else ".go.type"),
        ("pclntab", "epclntab", ".gopclntab"),
    ):
        section = link.sections[link.sections.find(name)]
        assert marks(link, first, last) == [section.vaddr, section.vaddr + section.size]
    data = link.sections.segment("data")
    assert marks(link, "end") == [data.vaddr + data.size]
    # The variable, then two masks of three bytes, then counters at a multiple of four.
    start = link.sections[link.sections.find(".noptrbss")].vaddr
    assert marks(link, "gcmask.*", "ecovctrs") == [start + 40, start + 60]


@pytest.mark.parametrize("mode", MODES)
def test_segments_lie_in_the_file_as_in_memory(tmp_path: Path, mode: str) -> None:
    """Addresses and offsets agree modulo the page; what is zero takes no room."""
    syms = [Sym(name=f"v{kind}", type=kind, size=5000) for kind in (DATA, BSS, NOPTRDATA)]
    syms.append(Sym(name="r", type=RODATA, size=3000, data=bytes(3000)))
    link = laid_out(made(tmp_path, syms, *MODES[mode]))
    at, end = ARCH.header_room, 0
    for segment in link.sections.segments:
        assert segment.vaddr >= end
        assert segment.fileoff == -(-at // ARCH.round) * ARCH.round
        assert segment.fileoff % ARCH.round == segment.vaddr % ARCH.round
        at, end = segment.fileoff + segment.filesize, segment.vaddr + segment.size
    data = link.sections.segment("data")
    assert data.filesize <= data.size - 5000


def test_data_can_be_put_elsewhere(tmp_path: Path) -> None:
    """-D gives the address of data; one that does not agree with the file is refused."""
    syms = [Sym(name="v", type=DATA, size=8)]
    link = laid_out(made(tmp_path, syms, *MODES["exe"], D=0x900000))
    assert link.sections.segment("data").vaddr == 0x900000
    with pytest.raises(UserError, match="invalid -D value"):
        laid_out(made(tmp_path, syms, *MODES["exe"], D=0x900010))


def test_relro_says_what_it_decided(tmp_path: Path) -> None:
    """Data with addresses moves in a plugin, stays in an executable, and the reason is given."""
    syms = [
        Sym(name="plain", type=RODATA, size=8, data=bytes(8)),
        Sym(
            name="refers",
            type=RODATA,
            size=8,
            data=bytes(8),
            relocs=(Reloc(0, 8, R_ADDR, (REF, 0)),),
        ),
    ]
    exe = laid_out(made(tmp_path, syms, *MODES["exe"]))
    assert not exe.relro.active
    assert not len(exe.relro.moved)
    plugin = laid_out(made(tmp_path, syms, *MODES["plugin"]))
    assert plugin.relro.active
    assert "plugin" in plugin.relro.reason
    assert [plugin.symbols.name(sym) for sym in plugin.relro.moved.tolist()] == ["refers"]
    section = plugin.sections[int(plugin.symbols.section[plugin.symbols.lookup("refers")])]
    assert (section.name, section.rwx) == (".data.rel.ro", 6)


def test_content_beyond_the_size_is_refused(tmp_path: Path) -> None:
    """It would be written over the next symbol."""
    syms = [Sym(name="v", type=DATA, size=4, data=bytes(8))]
    with pytest.raises(LinkErrors) as caught:
        laid_out(made(tmp_path, syms, *MODES["exe"]))
    assert [error.message for error in caught.value.errors] == ["initialize bounds (4 < 8)"]


def test_a_type_without_a_name_is_refused(tmp_path: Path) -> None:
    """A damaged descriptor is an error in words, not a traceback."""
    syms = [Sym(name="type:T", type=RODATA, size=48, flag=TYPELINK, data=bytes(48))]
    with pytest.raises(InputError, match="type:T"):
        laid_out(made(tmp_path, syms, *MODES["exe"]))
