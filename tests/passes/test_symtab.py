"""symtab: markers in the oracle's order, and symbols of one sort together."""

from __future__ import annotations

from pathlib import Path

import pytest

from linkpipe.errors import InputError
from linkpipe.passes.symtab import symtab
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from linkpipe.tables.symbols import STATIC, Flag
from linkpipe.testing.links import release
from tests.datalink import NOPTRBSS, RODATA, data_link
from tests.goobj_writer import Sym
from tests.tiny import EXTERNAL, INTERNAL, PLUGIN, Tiny

# Created in just this order: ids show in the output.
CREATED = """
    runtime.rodata runtime.erodata runtime.types runtime.etypes runtime.noptrdata
    runtime.enoptrdata runtime.data runtime.edata runtime.bss runtime.ebss runtime.noptrbss
    runtime.enoptrbss runtime.gcmask.* runtime.covctrs runtime.ecovctrs runtime.end
    runtime.epclntab runtime.gcdata runtime.egcdata runtime.gcbss runtime.egcbss
    type:* go:string.* go:funcdesc runtime.gcbits.*
""".split()

GROUPS = {
    'go:string."x"': SymKind.SGOSTRING,
    "runtime.gcbits.01": SymKind.SGCBITS,
    "p.f·f": SymKind.SGOFUNC,
    "type:int": SymKind.STYPE,
    "go:itab.x": SymKind.STYPE,
    "p.plain": SymKind.Sxxx,
    # Of two groups the first one counts, whether a name or a mark says so.
    "go:string.x·f": SymKind.SGOSTRING,
    "go:string.itab": SymKind.SGOSTRING,
}
CARRIERS = {
    SymKind.SGOSTRING: "go:string.*",
    SymKind.SGCBITS: "runtime.gcbits.*",
    SymKind.SGOFUNC: "go:funcdesc",
    SymKind.STYPE: "type:*",
    SymKind.SGCMASK: "runtime.gcmask.*",
}


def test_symbols_are_made_in_the_order_of_the_oracle() -> None:
    before = Tiny().link()
    after = symtab(before).symbols
    made = range(len(before.symbols), len(after))
    assert [after.name(i) for i in made] == CREATED
    # The programs for the garbage collector are data, the others are only marks.
    real = [after.name(i) for i in made if not after.has(i, Flag.SPECIAL)]
    assert real == ["runtime.gcdata", "runtime.gcbss", *CREATED[-4:]]


def symbols() -> list[Sym]:
    out = [Sym(name=name, type=RODATA, size=8, flag2=2 if "itab" in name else 0) for name in GROUPS]
    return [*out, Sym(name="type:.gcmask.T", type=NOPTRBSS, size=8)]


@pytest.mark.parametrize("mode", [INTERNAL, EXTERNAL, PLUGIN])
def test_symbols_of_one_sort_are_grouped(tmp_path: Path, mode: Mode) -> None:
    """They are hidden behind their carrier, except from other modules that look for them."""
    link = symtab(data_link(tmp_path, symbols(), mode=mode))
    table = link.symbols
    for name, kind in {**GROUPS, "type:.gcmask.T": SymKind.SGCMASK}.items():
        sym = table.lookup(name)
        assert link.section_groups[sym] == kind
        visible = not kind or (mode.dynlink and kind in (SymKind.SGOFUNC, SymKind.STYPE))
        carrier = 0 if visible else table.lookup(CARRIERS[kind])
        assert int(table.container[sym]) == carrier
        assert bool(table.has(sym, Flag.NOT_IN_SYMTAB)) == (not visible)


def test_what_is_not_reachable_is_in_no_group(tmp_path: Path) -> None:
    link = symtab(data_link(tmp_path, symbols(), dead=frozenset(GROUPS)))
    assert [link.section_groups[link.symbols.lookup(name)] for name in GROUPS] == [0] * len(GROUPS)


@pytest.mark.parametrize(("mode", "hidden"), [(INTERNAL, True), (EXTERNAL, False)])
def test_private_symbols_stay_out_of_an_executable(
    tmp_path: Path, mode: Mode, hidden: bool
) -> None:
    """But those of assembly code, which somebody wrote, are kept."""
    link = data_link(
        tmp_path, [Sym(name=n, type=RODATA, size=8) for n in ("p.s", "p.a")], mode=mode
    )
    edit = link.symbols.edit()
    ids = [edit.lookup("p.s"), edit.lookup("p.a")]
    edit.set(ids, version=STATIC)
    edit.add_flags(ids[1], Flag.FROM_ASSEMBLY)
    found = symtab(link.evolve(symbols=edit.freeze())).symbols.has(ids, Flag.NOT_IN_SYMTAB)
    assert found.tolist() == [hidden, False]


def test_earlier_releases_carry_data_of_functions(tmp_path: Path) -> None:
    """By their names, and all that is of their kind; but the carrier itself carries nothing."""
    names = ["gclocals·1", "p.f.arginfo1", "type:.eq.T.arginfo1", "p.f.stkobj", "p.f·f"]
    link = data_link(tmp_path, [Sym(name=name, type=RODATA, size=8) for name in (*names, "p.x")])
    edit = link.symbols.edit()
    tree = edit.lookup_or_create("tree")
    edit.set(tree, kind=SymKind.SGOFUNC, size=16)
    edit.add_flags(tree, Flag.REACHABLE)
    link = symtab(link.evolve(symbols=edit.freeze(), release=release("1.25")))
    table, carrier = link.symbols, link.symbols.lookup("go:func.*")
    for sym in (*(table.lookup(name) for name in names), tree):
        assert int(table.container[sym]) == carrier
        assert link.section_groups[sym] == SymKind.SGOFUNC
    for sym in (carrier, table.lookup("p.x")):
        assert int(table.container[sym]) == link.section_groups[sym] == 0
    assert table.kind[table.lookup("runtime.symtab")] == SymKind.SSYMTAB


@pytest.mark.parametrize("name", ["runtime.rodata", "runtime.end", "go:string.*"])
def test_marks_that_a_c_object_defines(name: str) -> None:
    """The oracle has no section for them, and stops."""
    p = Tiny()
    p.symbols.add_flags(p.symbol(name, kind=SymKind.SNOPTRDATA, size=8), Flag.OF_C)
    with pytest.raises(InputError, match="the linker makes it itself"):
        symtab(p.link())
