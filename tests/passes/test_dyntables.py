"""dyntables: the tables that the dynamic linker reads."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np

from linkpipe import reloctype as rt
from linkpipe.arches import s390x
from linkpipe.engine.context import Link
from linkpipe.formats.elfdynamic import DF_1_NOW, DF_BIND_NOW, Tag
from linkpipe.passes.dynreloc import dynreloc
from linkpipe.passes.dyntables import dyntables
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag
from tests.dynlink import Importing


def linked(*, libraries: tuple[str, ...] = ("libz",), **flags: Any) -> tuple[Importing, Link]:
    """A program that exports main.f, which calls two functions and asks for the address of a
    third."""
    p = Importing(**flags)
    puts, gets = p.imported("puts", "libc", "V2"), p.imported("gets", "libc", "V1")
    abs_ = p.imported("abs", "libm")
    f = p.function("main.f", {0: gets, 8: puts}, rt.R_CALL)
    p.function("main.g", {0: abs_}, rt.R_ADDR, size=8)
    p.symbols.set(f, object=1)
    p.symbols.add_flags(f, Flag.CGO_EXPORT_DYNAMIC)
    p.symbols.set_extname(f, b"exported")
    p.exports = {f: "main.a"}
    return p, dyntables(dynreloc(p.prepared(libraries)))


def content(link: Link, name: str) -> bytes:
    return bytes(link.symbols.data(link.symbols.lookup(name)))


def relocs(link: Link, name: str) -> dict[int, tuple[str, int]]:
    """Offset -> target and addend."""
    table, of = link.relocs, link.relocs.rows_of(link.symbols.lookup(name))
    found = zip(table.offset[of], table.target[of], table.add[of], strict=True)
    return {int(at): (link.symbols.name(int(to)), int(add)) for at, to, add in found}


def dynamic(link: Link) -> list[tuple[int, int | tuple[str, int]]]:
    """Tags and values, relocated ones by what they refer to."""
    words, where = np.frombuffer(content(link, ".dynamic"), "<i8"), relocs(link, ".dynamic")
    return [
        (int(words[i]), where.get(8 * (i + 1), int(words[i + 1]))) for i in range(0, len(words), 2)
    ]


def test_names_and_libraries_in_the_order_of_their_use() -> None:
    """The export, the library that is wanted for its own sake, then each symbol and its library."""
    _, link = linked()
    words = [b"", b"exported", b"libz", b"gets", b"libc", b"puts", b"abs", b"libm"]
    # What must have a version: by symbol, puts is older, and the last one stands first.
    words += [b"libc", b"V1", b"V2"]
    assert content(link, ".dynstr").split(b"\0")[:-1] == words


def test_one_table_may_have_all_slots() -> None:
    """As on s390x before Go 1.27: in the order in which they are asked for."""
    p = Importing(s390x.ARCH.at("1.26"))
    puts, gets, stdout = (p.imported(name) for name in ("puts", "gets", "stdout"))
    f = p.symbol("p(.text)", kind=SymKind.STEXT, content=bytes(32))
    p.text.append(f)
    for at, (type_, target) in enumerate(((20, puts), (26, stdout), (20, gets))):
        p.reloc(f, rt.R_HOST + type_, target, offset=8 * at + 2, size=4, add=2)
    link = p.prepared()
    mode = attrs.evolve(link.mode, host_objects=True)
    link = dyntables(dynreloc(link.evolve(mode=mode, host_files={})))
    first = len(s390x.LINKAGE.first.code)
    assert link.dynamic.slot.tolist() == [24, 40]
    assert relocs(link, "p(.text)")[8 + 2] == (".got", 32 + 6)
    assert len(content(link, ".got")) == 6 * 8
    assert relocs(link, ".got") == {
        0: (".dynamic", 0),
        24: (".plt", first + 14),
        40: (".plt", first + 32 + 14),
    }
    assert content(link, ".got.plt") == b""
    assert relocs(link, ".plt")[first + 32 + 2] == (".got", 40 + 6)
    assert relocs(link, ".rela.plt") == {0: (".got", 24), 24: (".got", 40)}
    assert relocs(link, ".rela") == {0: (".got", 32)}
    assert (".got", 0) in relocs(link, ".dynamic").values()


def test_the_table_of_addresses_in_itself_has_the_size_of_then() -> None:
    """As the oracle has it, which writes the symbol before the slot."""
    p = Importing(s390x.ARCH)
    stdout, got = p.imported("stdout"), p.symbol(".got", kind=SymKind.SXREF)
    last = p.imported("last")
    f = p.symbol("p(.text)", kind=SymKind.STEXT, content=bytes(32))
    p.text.append(f)
    for at, target in enumerate((stdout, got, last)):
        p.reloc(f, rt.R_HOST + 26, target, offset=8 * at + 2, size=4, add=2)
    link = p.prepared()
    mode = attrs.evolve(link.mode, host_objects=True)
    link = dyntables(dynreloc(link.evolve(mode=mode, host_files={})))
    table = np.frombuffer(content(link, ".dynsym"), ">u4,u1,u1,>u2,>u8,>u8").tolist()
    assert [row[5] for row in table] == [0, 0, 8, 0]
    assert len(content(link, ".got")) == 24


def test_symbols() -> None:
    """name, GLOBAL FUNC or OBJECT, section, value, size."""
    _, link = linked()
    table = np.frombuffer(content(link, ".dynsym"), "<u4,u1,u1,u2,u8,u8").tolist()
    assert table[0] == (0, 0, 0, 0, 0, 0)
    assert [row[1:4] for row in table[1:]] == [(0x12, 0, 1), *[(0x11, 0, 0)] * 3]
    assert [row[5] for row in table[1:]] == [64, 0, 0, 0]
    assert relocs(link, ".dynsym") == {24 + 8: ("main.f", 0)}


def test_entries_and_their_slots() -> None:
    _, link = linked()
    code = content(link, ".plt")
    assert len(code) == 3 * 16
    assert code[16 + 7 : 16 + 11] == bytes(4)
    assert code[32 + 7 : 32 + 11] == b"\1\0\0\0"
    assert relocs(link, ".plt")[16 + 2] == (".got.plt", 24)
    assert relocs(link, ".plt")[32 + 2] == (".got.plt", 32)
    assert relocs(link, ".got.plt") == {
        0: (".dynamic", 0),
        24: (".plt", 16 + 6),
        32: (".plt", 32 + 6),
    }
    assert len(content(link, ".got.plt")) == 5 * 8
    assert relocs(link, ".rela.plt") == {0: (".got.plt", 24), 24: (".got.plt", 32)}
    info = np.frombuffer(content(link, ".rela.plt"), "<u8")[1::3]
    assert info.tolist() == [2 << 32 | 7, 3 << 32 | 7]
    assert content(link, ".got") == bytes(8)
    assert relocs(link, ".rela") == {0: (".got", 0)}


def test_the_list_of_it_all() -> None:
    _, link = linked()
    strings = content(link, ".dynstr")
    found = dynamic(link)
    tags = [tag for tag, _ in found]
    assert tags == [
        *(Tag.HASH, Tag.SYMTAB, Tag.SYMENT, Tag.STRTAB, Tag.STRSZ),
        *(Tag.RELA, Tag.RELASZ, Tag.RELAENT, Tag.PLTGOT, Tag.DEBUG),
        *(Tag.NEEDED, Tag.NEEDED, Tag.NEEDED, Tag.FLAGS_1),
        *(Tag.VERNEED, Tag.VERNEEDNUM, Tag.VERSYM),
        *(Tag.PLTREL, Tag.PLTRELSZ, Tag.JMPREL, Tag.NULL),
    ]
    by_tag = dict(found)
    assert by_tag[Tag.STRSZ] == len(strings)
    assert (by_tag[Tag.RELASZ], by_tag[Tag.PLTRELSZ]) == (24, 48)
    assert by_tag[Tag.PLTGOT] == (".got.plt", 0)
    needed = [
        strings[at:].split(b"\0")[0] for tag, at in found if tag == Tag.NEEDED and type(at) is int
    ]
    assert needed == [b"libz", b"libc", b"libm"]


def test_flags_are_said_in_the_list() -> None:
    _, link = linked(bindnow=True, r="/lib:/x")
    found = dict(dynamic(link))
    assert found[Tag.FLAGS] == DF_BIND_NOW
    assert found[Tag.FLAGS_1] == DF_1_NOW
    at = found[Tag.RUNPATH]
    assert at == 1
    assert content(link, ".dynstr").startswith(b"\0/lib:/x\0")


def test_versions_are_numbered_by_library() -> None:
    """0 for no symbol, 1 for any version, then those that are wanted."""
    _, link = linked()
    numbers = np.frombuffer(content(link, ".gnu.version"), "<u2").tolist()
    assert numbers == [0, 1, 2, 3, 1]


def test_exports_are_told_of_as_they_were_before_the_link_made_tables() -> None:
    """What is marked later is an object of no size, whoever declares it; what -X has written has
    its size, though no package has it."""
    p = Importing()
    end = p.symbol("runtime.etext", kind=SymKind.Sxxx)
    module = p.symbol("runtime.firstmoduledata", kind=SymKind.SNOPTRDATA)
    p.symbols.set(module, object=1)
    text = p.symbol("main.version.str", kind=SymKind.SRODATA, content=bytes(9))
    p.exports = dict.fromkeys((end, module, text), "main.a")
    link = p.prepared()
    edit = link.symbols.edit()
    edit.set(end, kind=SymKind.STEXT)
    edit.set_content(end, bytes(64))
    edit.set_content(module, bytes(513))
    link = dyntables(dynreloc(link.evolve(symbols=edit.freeze())))
    table = np.frombuffer(content(link, ".dynsym"), "<u4,u1,u1,u2,u8,u8").tolist()
    assert [row[1:] for row in table[1:]] == [(0x11, 0, 1, 0, size) for size in (0, 0, 9)]
