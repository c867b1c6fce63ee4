"""moduledata, textsectmap, ptab, pkghash: what the module tells the runtime."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from linkpipe import reloctype as rt
from linkpipe.engine.context import Link
from linkpipe.errors import InputError
from linkpipe.passes.moduledata import moduledata
from linkpipe.passes.pkghash import pkghash
from linkpipe.passes.ptab import ptab
from linkpipe.passes.textsectmap import textsectmap
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from linkpipe.tables.packages import Package, Packages
from linkpipe.tables.ptab import Export
from linkpipe.tables.symbols import Flag
from tests.tiny import EXTERNAL, INTERNAL, PLUGIN, Tiny, with_arch

# Offsets of fields on a 64-bit machine (runtime/symtab.go, moduledata).
OFFSETS = {
    "pcHeader": 0x0, "funcnametab": 0x8, "cutab": 0x20, "filetab": 0x38, "pctab": 0x50,
    "pclntable": 0x68, "ftab": 0x80, "findfunctab": 0x98, "minpc": 0xA0, "maxpc": 0xA8,
    "text": 0xB0, "etext": 0xB8, "noptrdata": 0xC0, "end": 0x110, "gcdata": 0x118,
    "types": 0x128, "typedesclen": 0x130, "etypes": 0x138, "itaboffset": 0x140,
    "itabsize": 0x148, "rodata": 0x150, "gofunc": 0x158, "epclntab": 0x160,
    "textsectmap": 0x168, "ptab": 0x180, "pluginpath": 0x198, "pkghashes": 0x1A8,
    "inittasks": 0x1C0, "modulename": 0x1D8, "modulehashes": 0x1E8,
}  # fmt: skip
HASMAIN = 0x200


def module(size: int = 568, mode: Mode = INTERNAL, **flags: Any) -> Link:
    """What moduledata reads, one symbol each."""
    p = Tiny(mode, **{"buildmode": "exe", **flags})
    ids = {name: p.symbol(f"runtime.{name}", size=8) for name in OFFSETS}
    for name in "edata data enoptrdata bss ebss noptrbss enoptrbss covctrs ecovctrs gcbss".split():
        p.symbol(f"runtime.{name}")
    p.symbol("go:func.*")
    p.symbol("type:runtime.moduledata", content=size.to_bytes(8, "little"), reachable=False)
    tables: Any = SimpleNamespace(
        first=ids["minpc"], last=ids["maxpc"], nfunc=3, functab=ids["pclntable"],
        findfunctab=ids["findfunctab"], pcheader=ids["pcHeader"], cutab=ids["cutab"],
        funcnametab=ids["funcnametab"], filetab=ids["filetab"], pctab=ids["pctab"],
    )  # fmt: skip
    tasks = p.symbol("go:main.inittasks", size=24)
    sym = p.symbol("runtime.firstmoduledata", content=b"", kind=SymKind.SMODULEDATA)
    return p.link().evolve(
        pclntab=tables,
        moduledata=sym,
        textsectmap=(ids["textsectmap"], 1),
        inittasks=(tasks, 0),
    )


def words(link: Link, sym: int) -> dict[int, int | str]:
    """The words of a symbol that are not zero, by offset: numbers, or the name (and addend) of
    what they are the address of."""
    data = bytes(link.symbols.data(sym))
    out: dict[int, int | str] = {}
    for at in range(0, len(data), 8):
        if value := int.from_bytes(data[at : at + 8], "little"):
            out[at] = value
    relocs, rows = link.relocs, link.relocs.rows_of(sym)
    for row in range(rows.start, rows.stop):
        assert (relocs.type[row], relocs.size[row]) == (rt.R_ADDR, 8)
        add = int(relocs.add[row])
        name = link.symbols.name(int(relocs.target[row]))
        out[int(relocs.offset[row])] = f"{name}+{add}" if add else name
    return out


def test_fields_are_where_the_runtime_looks_for_them() -> None:
    link = moduledata(module())
    found = words(link, link.moduledata)
    assert {name: link.moduledata_fields[name] for name in OFFSETS} == OFFSETS
    assert found[0] == "runtime.pcHeader"
    assert [found[0x20 + at] for at in (0, 8, 16)] == ["runtime.cutab", 2, 2]
    assert [found[0x80 + at] for at in (0, 8, 16)] == ["runtime.pclntable", 4, 4]
    assert (found[0xA0], found[0xA8]) == ("runtime.minpc", "runtime.maxpc+8")
    assert [found[0x1C0 + at] for at in (0, 8, 16)] == ["go:main.inittasks", 3, 3]
    assert not {0x180, 0x198, 0x1A8} & set(found)
    assert found[HASMAIN] == 1
    assert int(link.symbols.size[link.moduledata]) == 568


def test_relocations_are_in_order() -> None:
    """An object for the host linker lists them so."""
    link = moduledata(module())
    offsets = link.relocs.offset[link.relocs.rows_of(link.moduledata)].tolist()
    assert offsets == sorted(offsets)


def test_the_runtime_is_pointed_at_the_last_module() -> None:
    link = moduledata(module())
    last = link.symbols.lookup("runtime.lastmoduledatap")
    assert words(link, last) == {0: "runtime.firstmoduledata"}
    assert link.symbols.kind[last] == SymKind.SNOPTRDATA
    assert link.symbols.has(last, Flag.REACHABLE)


def test_a_plugin_has_no_main() -> None:
    link = moduledata(module(mode=PLUGIN, buildmode="plugin"))
    assert HASMAIN not in words(link, link.moduledata)


def test_a_runtime_of_another_version_is_refused() -> None:
    with pytest.raises(InputError, match="runtime's moduledata is too small"):
        moduledata(module(size=400))
    link = module()
    edit = link.symbols.edit()
    with pytest.raises(InputError, match="cannot find type:runtime.moduledata"):
        moduledata(_without(link, "type:runtime.moduledata", edit.freeze()))


def _without(link: Link, name: str, symbols: Any) -> Link:
    created = {key: sym for key, sym in symbols.created.items() if key[0] != name.encode()}
    return link.evolve(symbols=attrs.evolve(symbols, created=created))


def test_text_sections_are_listed() -> None:
    p = Tiny()
    p.symbol("runtime.text", kind=SymKind.STEXT)
    f, g = (p.symbol(name, kind=SymKind.STEXT, size=64) for name in "fg")
    p.section(".text", 0x1000, [f], rwx=5)
    link = textsectmap(p.link())
    sym, rows = link.textsectmap
    assert rows == 1
    assert words(link, sym) == {8: 64, 16: "runtime.text"}
    p = Tiny()
    p.symbol("runtime.text", kind=SymKind.STEXT)
    p.symbol("runtime.text.1", kind=SymKind.STEXT)
    f, g = (p.symbol(name, kind=SymKind.STEXT, size=64) for name in "fg")
    p.section(".text", 0x1000, [f], rwx=5)
    p.section(".text", 0x2000, [g], rwx=5)
    link = textsectmap(p.link())
    sym, rows = link.textsectmap
    assert rows == 2
    assert words(link, sym) == {
        8: 64, 16: "runtime.text", 24: 0x1000, 32: 0x1040, 40: "runtime.text.1",
    }  # fmt: skip


def test_a_text_section_without_a_name_is_refused() -> None:
    p = Tiny()
    p.section(".text", 0x1000, [p.symbol("f", kind=SymKind.STEXT, size=64)], rwx=5)
    with pytest.raises(InputError, match="Unable to find symbol runtime.text"):
        textsectmap(p.link())


def packages(*paths: str) -> Packages:
    items = tuple(
        Package(path, f"{path}.a", "test", bytes([i + 1] * 8), (), (), i == 0)
        for i, path in enumerate(paths)
    )
    order = tuple(reversed(range(len(items))))
    return Packages(items, None, {p.path: i for i, p in enumerate(items)}, order, (), (), {})


@pytest.mark.parametrize(
    ("mode", "buildmode"),
    [(attrs.evolve(EXTERNAL, can_use_plugins=True, plugins=True), "exe"), (PLUGIN, "plugin")],
)
def test_fingerprints_are_published_to_plugins(mode: Mode, buildmode: str) -> None:
    """Host and plugin both have them, in dependency order."""
    before = Tiny(mode, buildmode=buildmode).link().evolve(packages=packages("main", "a/b"))
    link = pkghash(before)
    made = [link.symbols.name(i) for i in range(len(before.symbols), len(link.symbols))]
    assert made == [
        "go:link.pkghashbytes.a/b", "go:link.pkghash.a/b",
        "go:link.pkghashbytes.main", "go:link.pkghash.main",
    ]  # fmt: skip
    text = link.symbols.lookup("go:link.pkghash.a/b")
    assert words(link, text) == {0: "go:link.pkghashbytes.a/b", 8: 8}
    assert bytes(link.symbols.data(link.symbols.lookup("go:link.pkghashbytes.a/b"))) == b"\2" * 8
    # Visible to the dynamic linker, which makes the plugin's and the host's one.
    assert not link.symbols.has(text, Flag.LOCAL)


def plugin(change: Callable[[Tiny], None] = lambda p: None) -> Link:
    p = Tiny(PLUGIN, buildmode="plugin", pluginpath="example.org/my.plug")
    table = p.symbol("go:plugin.tabs", kind=SymKind.SRODATA, content=bytes(16))
    long = b"L" * 200
    names = [
        p.symbol("n0", content=b"\1\3Run"),
        p.symbol("n1", content=b"\1\xc8\1" + long),
    ]
    for i, name in enumerate(names):
        type_ = p.symbol(f"type:T{i}")
        p.reloc(table, rt.R_ADDROFF, name, offset=8 * i)
        p.reloc(table, rt.R_ADDROFF, type_, offset=8 * i + 4)
    change(p)
    return ptab(pkghash(p.link().evolve(packages=packages("main", "a"))))


def test_a_plugin_lists_its_exports_and_packages() -> None:
    link = plugin()
    fact = link.ptab
    assert fact.exports == (Export("Run", "type:T0"), Export("L" * 200, "type:T1"))
    assert [link.symbols.name(fact.table[0].target), *fact.table[1:]] == [  # type: ignore[union-attr]
        "go:plugin.tabs", 2, 2,
    ]  # fmt: skip
    path = link.symbols.lookup("go:link.thispluginpath")
    assert bytes(link.symbols.data(path)) == b"example.org/my%2eplug"
    hashes = link.symbols.lookup("go:link.pkghashes")
    assert words(link, hashes) == {
        0: "go:link.pkgname.0", 8: 1, 16: "go:link.pkglinkhash.0", 24: 8, 32: "go:link.pkghash.a",
        40: "go:link.pkgname.1", 48: 4, 56: "go:link.pkglinkhash.1", 64: 8,
        72: "go:link.pkghash.main",
    }  # fmt: skip
    table = link.symbols.lookup("go:plugin.tabs")
    assert link.symbols.has([table, path, hashes], Flag.LOCAL).all()


def test_a_plugin_without_exports() -> None:
    link = plugin(
        lambda p: p.symbols.clear_flags(p.symbols.lookup("go:plugin.tabs"), Flag.REACHABLE)
    )
    assert link.ptab.exports == ()
    assert link.ptab.table == (0, 0, 0)


def test_a_table_of_another_kind_is_refused() -> None:
    def change(p: Tiny) -> None:
        p.symbols.set(p.symbols.lookup("go:plugin.tabs"), kind=SymKind.SDATA)

    with pytest.raises(InputError, match="go:plugin.tabs is SDATA, not SRODATA"):
        plugin(change)


def test_a_damaged_table_of_exports_is_refused() -> None:
    """One relocation of a pair is missing: no traceback."""

    def change(p: Tiny) -> None:
        table = p.symbols.lookup("go:plugin.tabs")
        p.reloc(table, rt.R_ADDROFF, p.symbol("n2", content=b"\1\1R"), offset=12)

    with pytest.raises(InputError, match="go:plugin.tabs is damaged") as raised:
        plugin(change)
    assert raised.value.found == "5 relocations and 16 bytes"


def test_half_an_export_is_refused() -> None:
    """As many relocations as the bytes ask for, but no pairs."""

    def change(p: Tiny) -> None:
        p.symbols.set_content(p.symbols.lookup("go:plugin.tabs"), bytes(20))
        table = p.symbols.lookup("go:plugin.tabs")
        p.reloc(table, rt.R_ADDROFF, p.symbol("n2", content=b"\1\1R"), offset=16)

    with pytest.raises(InputError, match="go:plugin.tabs is damaged") as raised:
        plugin(change)
    assert raised.value.found == "5 relocations and 20 bytes"


def test_the_module_data_of_a_plugin_has_them() -> None:
    known = plugin()
    link = module(mode=PLUGIN, buildmode="plugin")
    # The same ids mean other symbols here; numbers and order are what counts.
    link = moduledata(link.evolve(ptab=known.ptab))
    found = words(link, link.moduledata)
    assert [found[0x180 + at] for at in (8, 16)] == [2, 2]
    assert found[0x198 + 8] == len("example.org/my%2eplug")
    assert [found[0x1A8 + at] for at in (8, 16)] == [2, 2]


def test_words_have_the_size_of_a_pointer() -> None:
    """32-bit, big-endian."""
    p = Tiny(arch=with_arch(Tiny().arch, ptrsize=4, byteorder="big"))
    p.symbol("runtime.text", kind=SymKind.STEXT)
    p.section(".text", 0x1000, [p.symbol("f", kind=SymKind.STEXT, size=64)], rwx=5)
    link = textsectmap(p.link())
    sym, _ = link.textsectmap
    assert bytes(link.symbols.data(sym)) == bytes(4) + b"\0\0\0\x40" + bytes(4)
