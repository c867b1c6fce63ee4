"""Names that passes make for themselves, where a C object has them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from linkpipe.engine.pass_api import Link, Pass, linkpass
from linkpipe.errors import InputError
from linkpipe.layout.datawords import go_string
from linkpipe.passes.debugscripts import debugscripts
from linkpipe.passes.dwarf import dwarf
from linkpipe.passes.linksetup import linksetup
from linkpipe.passes.moduledata import moduledata
from linkpipe.passes.strdata import strdata
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag
from tests.inserted import link_with_pass
from tests.reallink import stages
from tests.tiny import no_symbols


@pytest.mark.parametrize(
    ("pass_", "name"),
    [
        (debugscripts, ".debug_gdb_scripts"),
        (dwarf, ".debug_info"),
        (linksetup, "runtime.firstmoduledata"),
        (linksetup, "runtime.disableMemoryProfiling"),
        (linksetup, "runtime.tlsg"),
        (moduledata, "runtime.lastmoduledatap"),
        (strdata, "runtime.buildVersion"),
        (strdata, "runtime.buildVersion.str"),
    ],
)
def test_they_are_refused(pass_: Pass, name: str) -> None:
    """What the linker writes there would take the place of what C has there."""
    link = stages().before[pass_.name]
    edit = link.symbols.edit()
    sym = edit.lookup_or_create(name)
    edit.set(sym, kind=SymKind.SNOPTRDATA, size=8)
    edit.add_flags(sym, Flag.OF_C | Flag.REACHABLE)
    with pytest.raises(InputError, match="the linker makes it itself") as error:
        pass_.run(link.evolve(symbols=edit.freeze()))
    assert error.value.symbol == name


def test_so_are_those_of_strings() -> None:
    edit = no_symbols().edit()
    edit.add_flags(edit.lookup_or_create("text"), Flag.OF_C)
    with pytest.raises(InputError, match="the linker makes it itself"):
        go_string(edit, "text", b"")


def test_the_error_names_the_object(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By the file that it is in, beside the section in that."""

    @linkpass(requires=("symbols",), provides=("symbols",), name="takes.total")
    def takes_total(link: Link) -> Link:
        """Make a symbol that the program's C code has."""
        edit = link.symbols.edit()
        edit.own("total")
        return link.evolve(symbols=edit.freeze())

    with pytest.raises(InputError, match="the linker makes it itself") as error:
        link_with_pass(
            monkeypatch,
            takes_total,
            "reachability",
            tmp_path / "out",
            program="ownc",
            until="text-final",
        )
    assert (error.value.symbol, error.value.found) == ("total", "a part of main(.text)")
    assert re.fullmatch(r".*/main\.a\(_x\d+\.o\)", error.value.file)
