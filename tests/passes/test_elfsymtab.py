"""elfsymtab: order, binding and names of the ELF symbol table."""

from __future__ import annotations

from typing import Any

from linkpipe.engine.context import Link
from linkpipe.passes.elfsymtab import elfsymtab
from linkpipe.symkind import SymKind
from linkpipe.tables.elfsymtab import ElfSymtab
from linkpipe.tables.mode import Mode
from linkpipe.tables.symbols import STATIC, Flag
from tests.tiny import EXTERNAL, INTERNAL, PLUGIN, Tiny

FUNC, OBJECT, FILE, NOTYPE, TLS = 2, 1, 4, 0, 6


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


def test_stripped() -> None:
    """-s leaves the table out of an executable, but an object always has it."""
    assert len(Program(s=True).table()[1]) == 0
    assert len(Program(EXTERNAL, s=True).table()[1]) > 0


def test_names_in_the_output() -> None:
    """A symbol's name in the output wins over its own."""
    p = Program(PLUGIN)
    p.symbols.set_extname(p.v, b"type:abcd")
    assert "type:abcd" in [name for name, _, _ in rows(p.table()[1])]
