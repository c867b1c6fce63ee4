"""elfsymtab: order, binding and names of the ELF symbol table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from linkpipe.engine.context import Link
from linkpipe.errors import LinkpipeError
from linkpipe.passes.elfsymtab import elfsymtab
from linkpipe.symkind import SymKind
from linkpipe.tables.elfsymtab import UNDEFINED, ElfSymtab
from linkpipe.tables.mode import Mode
from linkpipe.tables.sections import Section, Sections, Segment
from linkpipe.tables.symbols import STATIC, Flag
from tests.goobj_writer import Obj, Sym
from tests.objlink import resolved
from tests.tiny import EXTERNAL, INTERNAL, PLUGIN, Tiny

FUNC, OBJECT, FILE, NOTYPE, SECTION, TLS = 2, 1, 4, 0, 3, 6


class Program(Tiny):
    """Functions of both ABIs, data of every binding, an undefined function."""

    def __init__(self, mode: Mode = INTERNAL, **flags: Any) -> None:
        super().__init__(mode, **flags)
        code: dict[str, Any] = {"kind": SymKind.STEXT, "content": bytes(8)}
        self.start = self.symbol("runtime.text", kind=SymKind.STEXT)
        self.f = self.symbol("main.f", 1, **code)
        self.wrapper = self.symbol("main.f", 0, **code)
        self.hashed = self.symbol("main.gen", 1, flags=Flag.CONTENT_HASHED, **code)
        self.end = self.symbol("runtime.etext", kind=SymKind.STEXT)
        data: dict[str, Any] = {"kind": SymKind.SDATA, "content": bytes(8)}
        self.v = self.symbol("main.dot·v", **data)
        self.static = self.symbol("main.static", STATIC, **data)
        self.temporary = self.symbol("main..stmp_1", STATIC + 1, **data)
        self.local = self.symbol("main.local", flags=Flag.LOCAL, **data)
        self.no = self.symbol("main.no", flags=Flag.NOT_IN_SYMTAB, **data)
        self.symbol("main.dead", reachable=False, **data)
        self.c = self.symbol("puts", kind=SymKind.SUNDEFEXT)
        self.section(".text", 0x1000, [self.f, self.wrapper, self.hashed], rwx=5)
        self.symbols.set([self.start, self.end], section=0, value=[0x1000, 0x1018])
        ids = [self.v, self.static, self.temporary, self.local, self.no]
        self.section(".data", 0x2000, ids)
        self.section(".tbss", 0x2028, [self.tlsg], zeros=True)

    def table(self) -> tuple[Link, ElfSymtab]:
        """The link and its table."""
        link = elfsymtab(self.link())
        return link, link.elf_symtab


def rows(table: ElfSymtab) -> list[tuple[str, int, int]]:
    """Name, binding and type of each row."""
    out = []
    for name, info in zip(table.name.tolist(), table.info.tolist(), strict=True):
        end = table.strings.index(b"\0", name)
        out.append((table.strings[name:end].decode(), info >> 4, info & 15))
    return out


def test_table_of_an_executable() -> None:
    """Locals, then globals; functions before data; `·` as `.`; the ABI0 twin is renamed."""
    p = Program()
    _, table = p.table()
    assert rows(table) == [
        ("", 0, 0),
        ("go.go", 0, FILE),
        ("main.gen", 0, FUNC),
        ("main.static", 0, OBJECT),
        ("main.local", 0, OBJECT),
        ("runtime.text", 1, FUNC),
        ("main.f", 1, FUNC),
        ("main.f.abi0", 1, FUNC),
        ("runtime.etext", 1, FUNC),
        ("main.dot.v", 1, OBJECT),
        ("main..stmp_1", 1, OBJECT),
        ("puts", 1, NOTYPE),
    ]
    assert table.first_global == 5
    assert table.value[6] == 0x1000
    assert (table.section[1], table.section[6], table.section[11]) == (-2, 0, -1)


def test_object_hides_what_c_does_not_call() -> None:
    """Values count from the section; everything defined is local but what is exported to C."""
    p = Program(EXTERNAL)
    p.symbols.add_flags(p.v, Flag.CGO_EXPORT_STATIC)
    link, table = p.table()
    names = rows(table)
    assert [name for name, binding, _ in names if binding] == ["main.dot.v", "puts"]
    assert ("runtime.tlsg", 0, TLS) in names
    assert table.value[table.index[p.v]] == 0
    assert table.value[table.index[p.wrapper]] == 8
    assert table.size[table.index[p.c]] == 0
    assert len(table.index) == len(link.symbols)


def test_what_nobody_here_defines_has_no_size() -> None:
    """Whatever it was declared with."""
    p = Program(EXTERNAL)
    p.symbols.set(p.c, size=8)
    _, table = p.table()
    assert table.size[table.index[p.c]] == 0
    assert table.size[table.index[p.v]] == 8


def test_which_kinds_are_data_of_the_table() -> None:
    """From code that the linker made to the last that takes up memory; without a name, or with a
    dot in front of it, none."""
    p = Program()
    data: dict[str, Any] = {"content": bytes(8)}
    kinds = (SymKind.SELFRXSECT, SymKind.SMACHOPLT, SymKind.SFirstUnallocated, SymKind.SXREF)
    made = [p.symbol(f"main.k{kind}", kind=kind, **data) for kind in kinds]
    made += [p.symbol(name, kind=SymKind.SDATA, **data) for name in (".hidden", "")]
    p.section(".more", 0x3000, made)
    found = [name for name, _, _ in rows(p.table()[1]) if name.startswith(("main.k", ".hidden"))]
    assert found == [f"main.k{kind}" for kind in kinds[:2]]


def test_shared_go_code_has_local_twins() -> None:
    """Each global function also has a local name, which relocations use; `·` stays."""
    p = Program(PLUGIN, buildmode="plugin")
    _, table = p.table()
    names = rows(table)
    assert ("local.main.f", 0, FUNC) in names
    assert ("main.f", 1, FUNC) in names
    assert ("local.main.gen", 0, FUNC) not in names
    assert names[table.index[p.f]] == ("local.main.f", 0, FUNC)
    assert names[table.index[p.v]] == ("main.dot·v", 1, OBJECT)


@pytest.mark.parametrize("mode", [INTERNAL, EXTERNAL, PLUGIN])
def test_row_0_is_for_no_symbol(mode: Mode) -> None:
    """As the class says: then the debug sections and the file, before the linker's symbols."""
    _, table = Program(mode).table()
    columns = (table.name, table.info, table.other, table.section, table.value, table.size)
    assert [int(column[0]) for column in columns] == [0, 0, 0, UNDEFINED, 0, 0]
    names = [name for name, _, _ in rows(table)]
    head = names.index("go.go") + 1
    assert not any(names[: head - 1])
    assert 0 < head <= table.index[table.index > 0].min() <= table.first_global


def test_stripped() -> None:
    """-s leaves the table out of an executable, but an object always has it."""
    link, table = Program(s=True).table()
    assert len(table) == 0
    assert (table.strings, table.first_global) == (b"", 0)
    assert table.index.tolist() == [0] * len(link.symbols)
    for name in ("name", "info", "other", "section", "value", "size"):
        assert getattr(table, name).tolist() == [], name
    assert len(Program(EXTERNAL, s=True).table()[1]) > 0


def test_names_in_the_output() -> None:
    """A symbol's name in the output wins over its own."""
    p = Program(PLUGIN)
    p.symbols.set_extname(p.v, b"type:abcd")
    assert "type:abcd" in [name for name, _, _ in rows(p.table()[1])]


def columns(table: ElfSymtab) -> list[tuple[str, int, int, int, int, int]]:
    """Name, binding, visibility, section, value and size of each row."""
    names = rows(table)
    others = (table.other, table.section, table.value, table.size)
    return [
        (name, binding, *fields)
        for (name, binding, _), fields in zip(
            names, zip(*(column.tolist() for column in others), strict=True), strict=True
        )
    ]


class Whole(Program):
    """With hidden symbols, a container, text in two parts and debug sections."""

    def __init__(self, mode: Mode = INTERNAL, **flags: Any) -> None:
        super().__init__(mode, **flags)
        self.part = self.symbol("runtime.text.1", kind=SymKind.STEXT)
        code: dict[str, Any] = {"kind": SymKind.STEXT, "content": bytes(8)}
        self.g = self.symbol("main.g", 1, flags=Flag.HIDDEN, **code)
        self.section(".text", 0x1100, [self.g], rwx=5)
        self.symbols.set(self.part, section=len(self.sections) - 1, value=0x1100)
        self.carrier = self.symbol("type:*", kind=SymKind.SRODATA, content=bytes(40))
        self.carried = self.symbol("type:int", kind=SymKind.SRODATA, size=24)
        self.section(".rodata", 0x3000, [self.carrier], rwx=4)
        self.symbols.set(self.carried, container=self.carrier, value=0x3008)
        self.debug = [self.symbol(f".debug_{n}", kind=SymKind.SDWARFSECT, size=4) for n in "ab"]

    def link(self) -> Link:
        """With the debug symbols in sections of their own, and one section of none."""
        link = super().link()
        first = len(link.sections.items)
        none = np.zeros(0, np.int32)
        none.setflags(write=False)
        made = [Section(".debug_none", "dwarf", 0, none, 1)]
        for sym in self.debug:
            ids = np.array([sym], np.int32)
            ids.setflags(write=False)
            made.append(Section(link.symbols.name(sym), "dwarf", 0, ids, 1, size=4))
        text, data, _ = link.sections.segments
        dwarf = Segment("dwarf", 0, (first, first + 1, first + 2))
        items = (*link.sections.items, *made)
        return link.evolve(sections=Sections(items, (text, data, dwarf)))


def test_whole_rows_of_an_executable() -> None:
    """Every column; what is carried stands in its carrier's section, sections have no row."""
    p = Whole()
    link, table = p.table()
    assert columns(table) == [
        ("", 0, 0, -1, 0, 0),
        ("go.go", 0, 0, -2, 0, 0),
        ("main.gen", 0, 0, 0, 0x1010, 8),
        ("main.g", 0, 2, 3, 0x1100, 8),
        ("main.static", 0, 0, 1, 0x2008, 8),
        ("main.local", 0, 0, 1, 0x2018, 8),
        ("runtime.text", 1, 0, 0, 0x1000, 0),
        ("runtime.text.1", 1, 0, 3, 0x1100, 0),
        ("main.f", 1, 0, 0, 0x1000, 8),
        ("main.f.abi0", 1, 0, 0, 0x1008, 8),
        ("runtime.etext", 1, 0, 0, 0x1018, 0),
        ("main.dot.v", 1, 0, 1, 0x2000, 8),
        ("main..stmp_1", 1, 0, 1, 0x2010, 8),
        ("puts", 1, 0, -1, 0, 0),
        ("type:*", 1, 0, 4, 0x3000, 40),
        ("type:int", 1, 0, 4, 0x3008, 24),
    ]
    assert table.first_global == 6
    by_name = {name: place for place, (name, *_) in enumerate(columns(table))}
    placed = {link.symbols.name(sym): int(i) for sym, i in enumerate(table.index) if i}
    placed |= {"main.dot.v": placed.pop("main.dot·v")}
    index = {table.index[p.f]: "main.f", table.index[p.wrapper]: "main.f.abi0"}
    assert {by_name[name]: name for name in index.values()} == index
    del placed["main.f"], by_name["main.f"], by_name["main.f.abi0"], by_name[""], by_name["go.go"]
    assert placed == by_name


def test_whole_rows_of_an_object() -> None:
    """Addresses from the section on; debug sections have symbols, which stand for them."""
    p = Whole(EXTERNAL)
    p.symbols.add_flags(p.f, Flag.CGO_EXPORT_STATIC)
    _, table = p.table()
    assert columns(table) == [
        ("", 0, 0, -1, 0, 0),
        ("", 0, 0, 6, 0, 0),
        ("", 0, 0, 7, 0, 0),
        ("go.go", 0, 0, -2, 0, 0),
        ("runtime.text", 0, 0, 0, 0, 0),
        ("runtime.text.1", 0, 0, 3, 0, 0),
        ("main.f.abi0", 0, 0, 0, 8, 8),
        ("main.gen", 0, 0, 0, 0x10, 8),
        ("main.g", 0, 2, 3, 0, 8),
        ("runtime.etext", 0, 0, 0, 0x18, 0),
        ("runtime.tlsg", 0, 0, 2, 0, 8),
        ("main.dot.v", 0, 0, 1, 0, 8),
        ("main.static", 0, 0, 1, 8, 8),
        ("main..stmp_1", 0, 0, 1, 0x10, 8),
        ("main.local", 0, 0, 1, 0x18, 8),
        ("type:*", 0, 0, 4, 0, 40),
        ("type:int", 0, 0, 4, 8, 24),
        ("main.f", 1, 0, 0, 0, 8),
        ("puts", 1, 0, -1, 0, 0),
    ]
    assert table.first_global == 17
    assert [info & 15 for info in table.info.tolist()[:4]] == [NOTYPE, SECTION, SECTION, FILE]
    assert [int(table.index[sym]) for sym in (*p.debug, p.f, p.c)] == [1, 2, 17, 18]


def test_twins_are_what_relocations_use() -> None:
    """Each twin is its function again; functions that C does not define have none."""
    p = Whole(PLUGIN, buildmode="plugin")
    _, table = p.table()
    found = columns(table)
    twins = [row for row in found if row[0].startswith("local.")]
    originals = {name: fields for name, *fields in found}
    assert [name for name, *_ in twins] == [
        "local.runtime.text",
        "local.runtime.text.1",
        "local.main.f",
        "local.main.f.abi0",
        "local.runtime.etext",
    ]
    for name, binding, *fields in twins:
        assert binding == 0
        assert originals[name.removeprefix("local.")] == [1, *fields]
    assert found[table.index[p.wrapper]][0] == "local.main.f.abi0"
    assert found[table.index[p.carried]][0] == "type:int"


def test_what_has_no_section_is_refused() -> None:
    """A symbol that a pass reached too late; one that others define has none, rightly."""
    p = Program()
    p.symbol("main.late", kind=SymKind.SDATA, size=8)
    with pytest.raises(LinkpipeError) as error:
        p.table()
    assert "main.late: missing section in putelfsym" in error.value.render()
    assert "puts" not in error.value.render()
    assert error.value.exit_status == 2


def test_what_has_no_name_has_no_row(tmp_path: Path) -> None:
    """Nor what is named like a section; names from an object file and names made here alike."""
    names = ("", ".hidden", "p.dot.ted", "p.v")
    link = resolved(tmp_path, [Obj("p", nonpkg=tuple(Sym(name=n, type=7, size=8) for n in names))])
    edit = link.symbols.edit()
    made = [edit.lookup_or_create(name) for name in (".made", "p.made")]
    ids = np.arange(1, len(edit.kind))
    edit.add_flags(ids, Flag.REACHABLE)
    edit.set(made, kind=SymKind.SDATA)
    edit.set(ids, section=1)
    for name in ("runtime.text", "runtime.etext"):
        edit.set(edit.lookup_or_create(name), kind=SymKind.STEXT, section=0)
    tiny = Program().link()
    facts = {name: getattr(tiny, name) for name in ("sections", "text_order", "mode")}
    facts["text_order"] = facts["text_order"][:0]
    link = elfsymtab(link.evolve(**facts, symbols=edit.freeze()))
    found = [name for name, _, _ in rows(link.elf_symtab)]
    assert found == ["", "go.go", "runtime.text", "runtime.etext", "p.dot.ted", "p.v", "p.made"]


def test_a_function_of_one_form_keeps_its_name() -> None:
    """`.abi0` tells two functions apart: not where the other is none, or not there."""
    p = Program()
    code: dict[str, Any] = {"kind": SymKind.STEXT, "content": bytes(8)}
    single = p.symbol("main.asm", 0, **code)
    beside = p.symbol("main.beside", 0, **code)
    data = p.symbol("main.beside", 1, kind=SymKind.SDATA, size=8)
    p.section(".more", 0x1200, [single, beside], rwx=5)
    p.text += [single, beside]
    p.section(".data", 0x2200, [data])
    names = [name for name, _, _ in rows(p.table()[1])]
    assert "main.asm" in names
    assert names.count("main.beside") == 2
    assert "main.f.abi0" in names


def test_the_end_of_text_may_be_no_function() -> None:
    """Where the host linker provides it."""
    p = Program(EXTERNAL)
    p.symbols.set(p.end, kind=SymKind.SUNDEFEXT, section=-1)
    found = [row for row in columns(p.table()[1]) if row[0] == "runtime.etext"]
    assert found == [("runtime.etext", 1, 0, -1, 0x1018, 0)]
