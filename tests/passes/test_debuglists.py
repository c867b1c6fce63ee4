"""debugrnglists, debugranges, debugloclists, debugloc, debugaddr, debuginfo, dwarfunits,
debugscripts: what is where."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkpipe.debuginfo.sections import UnitRanges, by_unit
from linkpipe.errors import InputError
from linkpipe.formats.leb128 import uleb
from linkpipe.passes.debugaddr import debugaddr
from linkpipe.passes.debugloc import debugloc
from linkpipe.passes.debugranges import _pairs
from linkpipe.passes.debugrnglists import _lists
from linkpipe.passes.debugscripts import debugscripts
from linkpipe.reloctype import DWTXTADDR, R_ADDR
from tests.conformance.programs import TINY, Program
from tests.conformance.toolchain import goroot
from tests.reallink import NODWARF5, stages

RANGE = st.tuples(st.integers(0, 7), st.integers(0, 2**40), st.integers(0, 2**40))


@given(st.lists(RANGE, max_size=20), st.sets(st.integers(0, 7)))
def test_range_lists_equal_those_of_the_loop(
    rows: list[tuple[int, int, int]], more: set[int]
) -> None:
    """Base by index, pairs of distances, an end (DWARF 5, section 7.25)."""
    units = sorted({unit for unit, _, _ in rows} | more)
    columns = [np.array([row[i] for row in rows], np.int64) for i in range(3)]
    content, starts = _lists(UnitRanges(*columns), np.array(units, np.int64), 8)
    want, places = b"", []
    for unit in units:
        places.append(len(want))
        want += b"\x01" + bytes(4)
        want += b"".join(b"\x04" + uleb(a) + uleb(b) for u, a, b in rows if u == unit) + b"\x00"
    assert content.tobytes() == want
    assert starts.tolist() == [*places, len(want)]


@given(st.lists(RANGE, max_size=20), st.sets(st.integers(0, 7)))
def test_pairs_equal_those_of_the_loop(rows: list[tuple[int, int, int]], more: set[int]) -> None:
    """Pairs of distances, and a pair of zeros (DWARF 4, section 2.17.3)."""
    units = sorted({unit for unit, _, _ in rows} | more)
    columns = [np.array([row[i] for row in rows], np.int64) for i in range(3)]
    pairs, starts = _pairs(UnitRanges(*columns), np.array(units, np.int64))
    want: list[list[int]] = []
    places = []
    for unit in units:
        places.append(len(want))
        want += [[a, b] for u, a, b in rows if u == unit]
        want.append([0, 0])
    assert pairs.tolist() == want
    assert starts.tolist() == [*places, len(want)]


def test_without_location_lists_there_is_no_section_for_them() -> None:
    """In version 4, which has no header for it; version 5 has its section always."""
    link = stages(NODWARF5).before["debugloc"]
    dwarf = attrs.evolve(link.dwarf, locs=np.zeros_like(link.dwarf.locs))
    after = debugloc.run(link.evolve(dwarf=dwarf))
    assert after.debug_sections is link.debug_sections


def test_heads_come_before_what_they_are_of() -> None:
    """Units in their order; in each the head, if there is one, then its functions' members."""
    dwarf = stages().after["dwarfunits"].dwarf
    found = by_unit(dwarf, dwarf.line_table, dwarf.lines).tolist()
    want = []
    for unit in dwarf.order.tolist():
        want += [int(dwarf.line_table[unit])]
        want += dwarf.lines[dwarf.first[unit] : dwarf.first[unit + 1]].tolist()
    assert found == [sym for sym in want if sym]


def test_units_with_functions_come_first() -> None:
    """And those without by their packages' paths."""
    link = stages().after["dwarfunits"]
    dwarf = link.dwarf
    size = np.diff(dwarf.first)[dwarf.order]
    assert (np.diff((size == 0).astype(int)) >= 0).all()
    empty = dwarf.order[size == 0]
    paths = [link.packages.items[row].path for row in dwarf.packages[empty].tolist()]
    assert paths == sorted(paths)


def test_each_function_has_its_index_once() -> None:
    """In a unit indexes count from zero; the table has the functions' addresses at them."""
    link = stages().after["debugaddr"]
    dwarf, relocs = link.dwarf, link.relocs
    checked = 0
    for unit in range(len(dwarf)):
        table = int(dwarf.addresses[unit])
        functions = dwarf.functions[dwarf.first[unit] : dwarf.first[unit + 1]]
        index = dwarf.index[functions]
        used = sorted(index[index >= 0].tolist())
        assert used == list(range(len(used)))
        if table:
            rows = relocs.rows_of(table)
            assert set(relocs.type[rows].tolist()) == {R_ADDR}
            order = relocs.target[rows][np.argsort(relocs.offset[rows])]
            assert dwarf.index[order].tolist() == list(range(len(order)))
            checked += len(order)
    assert checked > 500


def test_a_function_of_another_unit_is_refused() -> None:
    """An index means something in its own unit only."""
    link = stages().before["debugaddr"]
    rows = np.flatnonzero(np.isin(link.relocs.type, DWTXTADDR))
    mine = link.relocs.owner()[rows]
    row = rows[np.isin(mine, link.dwarf.info)][0]
    last = link.dwarf.functions[-1]
    edit = link.relocs.edit()
    edit.set(row, target=last)
    with pytest.raises(InputError, match="function of another unit"):
        debugaddr.run(link.evolve(relocs=edit.freeze()))


def test_the_script_is_the_runtimes() -> None:
    link = stages().after["debugscripts"]
    section = next(s for s in link.debug_sections if s.name == ".debug_gdb_scripts")
    (sym,) = section.symbols.tolist()
    root = link.options.environment.goroot
    assert (
        bytes(link.symbols.data(sym))
        == b"\1" + f"{root}/src/runtime/runtime-gdb.py".encode() + b"\0"
    )
    assert (goroot() / "src/runtime/runtime-gdb.py").exists()


def test_without_a_runtime_there_is_no_script() -> None:
    """It could not be told where it is."""
    link = stages().before["debugscripts"]
    dwarf = attrs.evolve(link.dwarf, line_table=np.zeros_like(link.dwarf.line_table))
    after = debugscripts.run(link.evolve(dwarf=dwarf))
    assert after.debug_sections is link.debug_sections


@pytest.mark.parametrize(
    ("program", "names"),
    [
        (TINY, "abbrev line frame gdb_scripts info loclists rnglists addr"),
        (NODWARF5, "abbrev line frame gdb_scripts info loc ranges"),
    ],
    ids=["5", "4"],
)
def test_debug_sections_stand_in_the_oracles_order(program: Program, names: str) -> None:
    found = [section.name for section in stages(program).after["symtab"].debug_sections]
    assert found == [f".debug_{name}" for name in names.split()]


@pytest.mark.parametrize("program", [TINY, NODWARF5], ids=["5", "4"])
def test_nothing_is_laid_out_twice(program: Program) -> None:
    link = stages(program).after["symtab"]
    every = np.concatenate([section.symbols for section in link.debug_sections])
    assert len(set(every.tolist())) == len(every)
