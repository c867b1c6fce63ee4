"""elfprep, addexport, addmoduledata: symbols that the link itself makes before layout."""

from __future__ import annotations

import attrs
import pytest

from linkpipe import reloctype as rt
from linkpipe.engine.context import Link
from linkpipe.errors import InputError
from linkpipe.passes.addexport import addexport
from linkpipe.passes.addmoduledata import addmoduledata
from linkpipe.passes.elfprep import elfprep
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from linkpipe.tables.symbols import Flag
from tests.tiny import EXTERNAL, INTERNAL, PLUGIN, Tiny

TABLES = [".got", ".plt", ".got.plt", ".dynamic", ".dynsym", ".dynstr"]
RELOCS = [".rel", ".rela", ".rel.plt", ".rela.plt"]


def created(before: Link, after: Link) -> list[str]:
    """The names of symbols that a pass made, in order."""
    return [after.symbols.name(i) for i in range(len(before.symbols), len(after.symbols))]


@pytest.mark.parametrize("mode", [INTERNAL, EXTERNAL])
def test_elfprep_makes_symbols_in_the_order_of_the_oracle(mode: Mode) -> None:
    """Ids show in the output, so their order is part of the format."""
    p = Tiny(mode, buildid="abc", B="0x0102")
    before = p.link()
    after = elfprep(before)
    note = [".note.go.buildid"] if mode.external else []
    assert created(before, after) == [*note, *TABLES[1:], *RELOCS]
    assert after.elf.build_note == b"\x01\x02"
    assert after.elf.go_note == b"abc"
    assert after.elf.unreachable_method == p.method


def test_names_of_tables_in_c_objects() -> None:
    """They are refused where the linker makes the tables; elsewhere they are names like others."""
    p = Tiny()
    sym = p.symbol(".dynamic", kind=SymKind.SNOPTRDATA, size=8)
    p.symbols.add_flags(sym, Flag.OF_C)
    link = p.link()
    assert ".dynamic" not in created(link, elfprep(link))
    with pytest.raises(InputError, match="the linker makes it itself"):
        elfprep(link.evolve(mode=attrs.evolve(link.mode, dynamic=True)))


def test_a_c_object_has_no_table_of_addresses_where_that_is_protected() -> None:
    """Else the linker's table and the object's are one section."""
    for buildmode in "exe", "pie":
        p = Tiny(buildmode=buildmode)
        sym = p.symbol("p(.got)", kind=SymKind.SELFGOT, content=bytes(8))
        link = p.link()
        link = link.evolve(mode=attrs.evolve(link.mode, dynamic=True), host_files={sym: "x.o"})
        if buildmode == "exe":
            assert ".plt" in created(link, elfprep(link))
            continue
        with pytest.raises(InputError, match="the linker makes it itself") as error:
            elfprep(link)
        assert "x.o" in error.value.render()


def test_common_variables_with_names_of_tables_are_kept() -> None:
    """Whether they are reached or not; parts of sections are kept by their sections."""
    p = Tiny()
    common, part = (
        p.symbol(name, kind=SymKind.SNOPTRBSS, size=8, reachable=False)
        for name in (".got.plt", ".plt")
    )
    p.symbols.add_flags([common, part], Flag.OF_C)
    p.symbols.add_flags(part, Flag.INTERIOR)
    symbols = elfprep(p.link()).symbols
    assert symbols.has(common, Flag.REACHABLE)
    assert not symbols.has(part, Flag.REACHABLE)


def test_note_section_of_an_object() -> None:
    """name size 4, description size 3, type 4, "Go", padded."""
    after = elfprep(Tiny(EXTERNAL, buildid="abc").link())
    sym = after.symbols.lookup(".note.go.buildid")
    assert after.symbols.kind[sym] == SymKind.SELFROSECT
    assert after.symbols.align[sym] == 4
    content = bytes(after.symbols.data(sym)).hex(" ", 4)
    assert content == "04000000 03000000 04000000 476f0000 61626300"


def test_addexport_marks_what_code_refers_to() -> None:
    """Undefined targets of code become the host linker's; those of data, and local ones, not."""
    p = Tiny(EXTERNAL)
    f = p.symbol("main.f", 1, kind=SymKind.STEXT, content=bytes(16))
    v = p.symbol("main.v", content=bytes(16))
    c, d = (p.symbol(name, kind=SymKind.Sxxx) for name in ("c", "d"))
    local = p.symbol("local", kind=SymKind.Sxxx, flags=Flag.LOCAL)
    p.reloc(f, rt.R_CALL, c)
    p.reloc(f, rt.R_CALL, local, offset=4)
    p.reloc(f, rt.R_PCREL, v, offset=8)
    p.reloc(v, rt.R_ADDR, d, size=8)
    p.section(".text", 0x1000, [f], rwx=5)
    symbols = addexport(p.link()).symbols
    kinds = [SymKind(int(symbols.kind[sym])).name for sym in (c, d, local, v)]
    assert kinds == ["SUNDEFEXT", "Sxxx", "Sxxx", "SDATA"]


def plugin() -> tuple[Tiny, Link]:
    """A plugin that contains runtime.addmoduledata, before and after."""
    p = Tiny(PLUGIN, buildmode="plugin")
    f = p.symbol("main.f", 1, kind=SymKind.STEXT, content=bytes(16))
    p.symbol("runtime.addmoduledata", kind=SymKind.STEXT, content=bytes(8), reachable=False)
    data = p.symbol("local.moduledata", kind=SymKind.SMODULEDATA, size=8)
    p.section(".text", 0x1000, [f], rwx=5)
    link = p.link().evolve(moduledata=data, objects=None)
    return p, addmoduledata(link)


def test_where_there_are_no_plugins_there_is_no_initialiser() -> None:
    _, link = plugin()
    without = link.evolve(arch=attrs.evolve(link.arch, addmoduledata=None))
    after = addmoduledata(without)
    assert after.symbols is without.symbols
    assert after.text_order is without.text_order


def test_addmoduledata_stub() -> None:
    """The initialiser's code and relocations, its pointer in .init_array, and the text order."""
    _, link = plugin()
    symbols = link.symbols
    callee = symbols.lookup("runtime.addmoduledata")
    stub = symbols.lookup("go:link.addmoduledata")
    entry = symbols.lookup("go:link.addmoduledatainit")
    assert [symbols.name(i) for i in link.text_order.tolist()] == [
        "main.f",
        "runtime.addmoduledata",
        "go:link.addmoduledata",
    ]
    writer = link.arch.addmoduledata
    assert writer is not None
    assert bytes(symbols.data(stub)) == writer.code
    rows = link.relocs.rows_of(stub)
    assert link.relocs.target[rows].tolist() == [link.moduledata, callee]
    assert link.relocs.type[rows].tolist() == [rt.R_PCREL, rt.R_CALL]
    assert symbols.kind[entry] == SymKind.SINITARR
    assert link.relocs.target[link.relocs.rows_of(entry)].tolist() == [stub]
    for sym in (stub, entry):
        assert symbols.has(sym, Flag.REACHABLE | Flag.LOCAL)
    assert symbols.has(callee, Flag.REACHABLE)


def test_host_with_a_runtime_needs_no_initialiser() -> None:
    """A module that contains the runtime and is not a plugin is the head of the list itself."""
    p = Tiny(PLUGIN)
    p.symbol("runtime.addmoduledata", kind=SymKind.STEXT, content=bytes(8))
    before = p.link().evolve(moduledata=0, objects=None)
    after = addmoduledata(before)
    assert created(before, after) == []
    assert after.text_order.tolist() == before.text_order.tolist()
