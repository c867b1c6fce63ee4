"""fipsload: the record of the FIPS module lists its own address and those of eight markers."""

from __future__ import annotations

from pathlib import Path

import pytest

from linkpipe.errors import InputError
from linkpipe.output.fips import MAGIC
from linkpipe.passes.fipsload import fipsload
from linkpipe.reloctype import R_ADDR
from linkpipe.symkind import SymKind
from linkpipe.tables.symbols import Flag
from tests.goobj_writer import Obj, Sym
from tests.objlink import resolved
from tests.tiny import Tiny

MARKERS = [
    f"go:{kind}fips{end}"
    for kind in ("text", "rodata", "noptrdata", "data")
    for end in ("start", "end")
]


def test_record_and_markers() -> None:
    before = Tiny().link()
    link = fipsload(before)
    made = list(range(len(before.symbols), len(link.symbols)))
    assert [link.symbols.name(i) for i in made] == ["go:fipsinfo", *MARKERS]
    info = made[0]
    assert link.symbols.kind[info] == SymKind.SFIPSINFO
    assert bytes(link.symbols.data(info)) == MAGIC + bytes(32 + 9 * 8)
    rows = link.relocs.rows_of(info)
    assert link.relocs.target[rows].tolist() == made
    assert link.relocs.offset[rows].tolist() == [48 + 8 * i for i in range(9)]
    assert (link.relocs.type[rows] == R_ADDR).all()
    # A byte each: no marker may share its address with what it delimits.
    assert (link.symbols.size[made[1:]] == 1).all()
    assert link.symbols.has(made, Flag.REACHABLE).all()
    assert link.symbols.has(made[1:], Flag.LOCAL).all()


def test_markers_sort_around_what_they_mark() -> None:
    """Layout goes by kind, and the module's own kinds lie between those of its markers."""
    link = fipsload(Tiny().link())
    kind = {name: int(link.symbols.kind[link.symbols.lookup(name)]) for name in MARKERS}
    for name, inside in (
        ("text", SymKind.STEXTFIPS),
        ("rodata", SymKind.SRODATAFIPS),
        ("noptrdata", SymKind.SNOPTRDATAFIPS),
        ("data", SymKind.SDATAFIPS),
    ):
        assert kind[f"go:{name}fipsstart"] < inside < kind[f"go:{name}fipsend"]


def test_a_package_declares_the_record_and_does_not_fill_it(tmp_path: Path) -> None:
    """The oracle would keep what the content refers to in the record, but not in the program."""
    size, kind = 16 + 32 + 9 * 8, 10  # no pointers, zeros
    declared = Sym(name="go:fipsinfo", type=kind, size=size)
    link = fipsload(resolved(tmp_path, [Obj("p", nonpkg=(declared,))]))
    assert bytes(link.symbols.data(link.symbols.lookup("go:fipsinfo")))[:16] == MAGIC
    filled = Sym(name="go:fipsinfo", type=kind, size=size, data=bytes(8))
    with pytest.raises(InputError, match="a package defines it with content") as error:
        fipsload(resolved(tmp_path, [Obj("p", nonpkg=(filled,))]))
    assert error.value.file.endswith("0.a(_go_.o)")
