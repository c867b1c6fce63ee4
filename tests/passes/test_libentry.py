"""libentry: a library starts the runtime when it is loaded."""

from __future__ import annotations

import attrs

from linkpipe import reloctype as rt
from linkpipe.arches.x86 import ARCH as X86
from linkpipe.passes.libentry import libentry
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag
from tests.tiny import EXTERNAL, Tiny

MODE = attrs.evolve(EXTERNAL, pic=True)


def test_the_list_of_what_is_called_first_has_the_entry() -> None:
    """One pointer, of the architecture's size."""
    tiny = Tiny(MODE, X86, buildmode="c-shared", E="_rt0_lib")
    entry = tiny.symbol("_rt0_lib", kind=SymKind.STEXT, content=bytes(8))
    link = libentry(tiny.link())
    pointer = link.symbols.lookup("_rt0_lib.ptr")
    assert link.symbols.kind[pointer] == SymKind.SINITARR
    assert bytes(link.symbols.data(pointer)) == bytes(4)
    assert link.symbols.has(pointer, Flag.REACHABLE)
    rows = link.relocs.rows_of(pointer)
    assert link.relocs.target[rows].tolist() == [entry]
    assert (link.relocs.type[rows].tolist(), link.relocs.size[rows].tolist()) == ([rt.R_ADDR], [4])
    assert link.symbols.check() == link.relocs.check() == []


def test_an_entry_that_is_not_there() -> None:
    """As in the oracle nothing is said: -E may name what the program has not."""
    link = Tiny(MODE, buildmode="c-shared", E="nothing").link()
    assert len(libentry(link).symbols) == len(link.symbols)
