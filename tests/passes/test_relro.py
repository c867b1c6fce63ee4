"""relro: read-only data with addresses is parted from that without, where addresses move."""

from __future__ import annotations

from pathlib import Path

import pytest

from linkpipe.gotypes.layout import Kind
from linkpipe.passes.relro import relro
from linkpipe.passes.symtab import symtab
from linkpipe.symkind import SymKind
from linkpipe.tables.mode import Mode
from tests.datalink import NOPTRDATA, RODATA, data_link, descriptor
from tests.goobj_writer import Sym
from tests.tiny import EXTERNAL, INTERNAL, PLUGIN

SYMS = [
    Sym(name="p.plain", type=RODATA, size=8),
    descriptor("p.table", Kind.INT, refs=[(0, 0)]),
    descriptor("type:T", Kind.INT, refs=[(0, 0)]),
    Sym(name="p.f·f", type=RODATA, size=8),
    Sym(
        name="p.data", type=NOPTRDATA, size=8, relocs=descriptor("", Kind.INT, refs=[(0, 0)]).relocs
    ),
]


@pytest.mark.parametrize("mode", [INTERNAL, EXTERNAL])
def test_a_program_at_a_fixed_address_needs_none(tmp_path: Path, mode: Mode) -> None:
    link = relro(symtab(data_link(tmp_path, SYMS, mode=mode)))
    decision = link.relro
    assert not decision.active
    assert "exe" in decision.reason
    assert (decision.prefix, decision.rwx) == ("", 4)
    assert decision.segment == ("text" if mode.external else "rodata")
    assert len(decision.moved) == 0
    assert dict(decision.groups) == {"": 0, ".go.type": 2, ".go.func": 2}  # with the carriers


def test_a_plugin_has_some(tmp_path: Path) -> None:
    """Only read-only data with relocations moves; types and functions have sections anyway."""
    link = relro(symtab(data_link(tmp_path, SYMS, mode=PLUGIN, buildmode="plugin")))
    decision = link.relro
    assert decision.active
    assert "plugin" in decision.reason
    assert (decision.prefix, decision.rwx, decision.segment) == (".data.rel.ro", 6, "text")
    assert [link.symbols.name(sym) for sym in decision.moved.tolist()] == ["p.table"]
    assert dict(decision.groups) == {"": 1, ".go.type": 2, ".go.func": 2}
    moved = link.section_groups == SymKind.SRODATARELRO
    assert moved.nonzero()[0].tolist() == decision.moved.tolist()


def test_an_executable_of_our_own_has_a_segment_for_it(tmp_path: Path) -> None:
    link = relro(symtab(data_link(tmp_path, SYMS, buildmode="pie")))
    assert (link.relro.active, link.relro.segment) == (True, "relro")
