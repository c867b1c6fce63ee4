"""addexport: what is left to the host linker, and what a module leaves to the program."""

from __future__ import annotations

import pytest

from linkpipe import reloctype as rt
from linkpipe.passes.addexport import addexport
from linkpipe.symkind import SymKind
from tests.tiny import PLUGIN, Tiny


def kinds(buildmode: str) -> dict[str, SymKind]:
    """The kinds of some symbols that nobody defines, after the pass."""
    p = Tiny(PLUGIN, buildmode=buildmode)
    f = p.symbol("f", kind=SymKind.STEXT, content=bytes(16))
    var = p.symbol("var", content=bytes(32))
    p.section(".text", 0x1000, [f])
    names = ("called", "main.main", "main..inittask", "p.v")
    ids = {name: p.symbol(name, kind=SymKind.Sxxx) for name in names}
    p.reloc(f, rt.R_CALL, ids["called"])
    for name in names[1:]:
        p.reloc(var, rt.R_ADDR, ids[name], size=8)
    ids["main.main<1>"] = p.symbol("main.main", 1, kind=SymKind.Sxxx)
    p.reloc(var, rt.R_INITORDER, ids["main.main<1>"], size=0)
    symbols = addexport.run(p.link()).symbols
    return {name: SymKind(int(symbols.kind[sym])) for name, sym in ids.items()}


@pytest.mark.parametrize("buildmode", ["exe", "plugin", "shared"])
def test_functions_that_nobody_defines(buildmode: str) -> None:
    """What code refers to is the host linker's; of data only a program's main package may be
    missing in a module, where it is referred to in earnest."""
    found = kinds(buildmode)
    assert found["called"] == SymKind.SUNDEFEXT
    assert found["p.v"] == found["main.main<1>"] == SymKind.Sxxx
    main = SymKind.Sxxx if buildmode == "exe" else SymKind.SDYNIMPORT
    assert found["main.main"] == main
    task = SymKind.SDYNIMPORT if buildmode == "shared" else SymKind.Sxxx
    assert found["main..inittask"] == task
