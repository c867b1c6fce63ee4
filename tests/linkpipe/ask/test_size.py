"""What the bytes of a file are: to the last one, and each where another reader sees it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from linkpipe import api
from linkpipe.ask.size import BY, Row, Size, size, size_of_file
from linkpipe.ask.whatif import whatif
from linkpipe.errors import UserError
from linkpipe.graphs.graph import ROOT
from tests.conformance.programs import Program, table
from tests.linkpipe.ask.links import DEEP, MODULE, QUIET, WITH_PLUGIN, whole

MORE = ("plugin", "host", "httpserver", "hello-386", "hello-s390x")
PROGRAMS = (
    *(pytest.param(each, id=each.name) for each in (DEEP, WITH_PLUGIN)),
    *(pytest.param(table()[name], id=name) for name in MORE),
    pytest.param(table()["go"], id="go", marks=pytest.mark.big),
)


def named(found: Size) -> dict[str, Row]:
    return {row.name: row for row in found.rows}


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_sum_is_the_size_of_the_file(program: Program) -> None:
    """However it is added up, who ever finishes the link, and for all columns."""
    with whole(program) as link:
        total = Path(link.output).stat().st_size
        for by in BY:
            found = size(link, by, exact=False)
            assert found.total == total
            assert sum(row.size for row in found.rows) == total
            for row in found.rows:
                assert row.size == row.code + row.data + row.pclntab + row.debug + row.other
                assert row.size > 0
            few = size(link, by, top=3, exact=False)
            assert few.rows[:3] == found.rows[:3]
            assert sum(row.size for row in few.rows) == total


@pytest.mark.parametrize("flags", [(), ("-s", "-w"), ("-compressdwarf=false",)])
def test_sections_are_as_large_as_another_reader_says(flags: tuple[str, ...]) -> None:
    with whole(QUIET, *flags) as link:
        rows = named(size(link, "section"))
        with Path(link.output).open("rb") as file:
            for section in ELFFile(file).iter_sections():
                if section["sh_type"] not in ("SHT_NULL", "SHT_NOBITS"):
                    found = rows.pop(section.name).size if section["sh_size"] else 0
                    assert found == section["sh_size"], section.name
        assert set(rows) <= {"(headers)", "(padding)"}


def test_symbols_are_as_large_as_the_symbol_table_says() -> None:
    """All functions, and data that is not laid out inside of something else."""
    with whole(QUIET) as link:
        found = size(link, "symbol")
        rows = named(found)
        with Path(link.output).open("rb") as file:
            listed = ELFFile(file).get_section_by_name(".symtab")
            assert isinstance(listed, SymbolTableSection)
            symbols = list(listed.iter_symbols())
    # A function may have two forms, by ABI, which the symbol table gives different names.
    count = Counter(row.name for row in found.rows)
    functions = {s.name: s["st_size"] for s in symbols if s["st_info"]["type"] == "STT_FUNC"}
    seen = {n: value for n, value in functions.items() if n in rows and count[n] == 1 and value}
    assert len(seen) > 1000
    assert [name for name, value in seen.items() if rows[name].code != value] == []
    data = {s.name: s["st_size"] for s in symbols if s.name.startswith(("os.", "unicode."))}
    checked = [name for name in data if name in rows and not rows[name].code]
    assert checked
    assert [name for name in checked if rows[name].data != data[name]] == []


def test_kinds_and_columns() -> None:
    """Code, line tables and debug information apart, and none where there is none."""
    with whole(QUIET) as link:
        rows = named(size(link, "kind"))
        text = named(size(link, "section"))[".text"]
    assert rows["code"].code == text.code > rows["code"].data == 0
    assert rows["types"].data > 10_000
    assert rows["strings"].data > 1_000
    assert rows["pclntab"].pclntab > 100_000
    assert rows["debug information"].debug > 100_000
    assert rows["headers"].other > 64
    with whole(QUIET, "-s", "-w") as link:
        stripped = named(size(link, "kind"))
    assert "debug information" not in stripped
    assert stripped["code"] == rows["code"]


def test_packages() -> None:
    """A package has what it alone defines; what others may define is shared, and what the linker
    makes is its own."""
    with whole(QUIET) as link:
        rows = named(size(link))
        symbols = named(size(link, "symbol"))
    assert {"main", "runtime", "fmt", "(made by the linker)", "(shared by packages)"} <= set(rows)
    mine = [row for name, row in symbols.items() if name.startswith("main.")]
    assert rows["main"].code == sum(row.code for row in mine)
    assert rows["(debug information)"].debug == rows["(debug information)"].size


def test_modules() -> None:
    """Each has what its packages have."""
    with whole(DEEP) as link:
        packages, modules = named(size(link, exact=False)), named(size(link, "module"))
    own = [row.size for name, row in packages.items() if name.split("/")[0] in ("main", MODULE)]
    assert modules[MODULE].size == sum(own)
    assert modules["(debug information)"] == packages["(debug information)"]
    inside = sum(row.size for row in packages.values())
    assert sum(row.size for row in modules.values()) == inside


def test_what_is_retained_is_what_would_leave() -> None:
    """Exactly where it is asked for; by dominators it is never above that, nor below what the thing
    has itself."""
    with whole(DEEP) as link:
        near, exact = (named(size(link, exact=each)) for each in (False, True))
        assert near.keys() == exact.keys()
        for name, row in near.items():
            if name.startswith("("):
                assert row.retained is None
                continue
            found = exact[name].retained
            assert row.retained is not None
            assert found is not None
            assert row.code + row.data <= row.retained <= found, name
            assert (row.exact, exact[name].exact) == (False, True)
        # What leaves in numbers of memory is what leaves in the file, but for what has no bytes.
        helper = exact["looking.test/deep/helper"].retained
        leaving = whatif(link, "looking.test/deep/helper")
        assert helper is not None
        assert 0 <= leaving.size - helper < 40_000
        # It is what switches pruning off, which no graph says.
        assert helper > 100 * (near["looking.test/deep/helper"].retained or 0)


def test_few_rows_are_exact() -> None:
    with whole(QUIET) as link:
        rows = size(link, top=9).rows
        assert {row.exact for row in rows if row.retained is not None} == {True}
        assert not any(row.exact for row in size(link).rows)
        assert not any(row.exact for row in size(link, top=9, exact=False).rows)


def test_by_dominators_symbols_retain_what_the_graph_has_by_them_alone() -> None:
    """What networkx cannot reach when the symbol is taken out of the graph."""
    with whole(QUIET) as link:
        found = size(link, "symbol", exact=False)
        graph: Any = nx.DiGraph(link.graph.nx)
        bytes_of = {row.name: row.code + row.data for row in found.rows}
        count = Counter(row.name for row in found.rows)
        reached = nx.descendants(graph, ROOT)
        for name in ("fmt.Fprintln", "main.measure", "reflect.Value.MethodByName"):
            less = graph.copy()
            less.remove_node(link.graph.find(name))
            gone = [link.graph.label(node) for node in reached - nx.descendants(less, ROOT)]
            (row,) = (row for row in found.rows if row.name == name)
            assert all(count[each] <= 1 for each in gone)
            assert row.retained == sum(bytes_of.get(each, 0) for each in gone)


def test_what_the_linker_makes_later_retains_nothing_that_is_known() -> None:
    with whole(QUIET) as link:
        assert named(size(link, "symbol", exact=False))["runtime.pctab"].retained is None


def test_a_tree() -> None:
    """Each is behind the row that every way to it comes by, which retains no less; those that are
    shown retain most."""
    with whole(DEEP) as link:
        all_rows = size(link, tree=True, exact=False).rows
        few = size(link, tree=True, top=10, exact=False).rows
    above: list[Row] = []
    for row in all_rows:
        del above[row.depth :]
        assert row.parent == (above[-1].name if above else "")
        if above:
            assert (row.retained or 0) <= (above[-1].retained or 0)
        above.append(row)
    assert max(row.depth for row in all_rows) > 0
    assert sum(row.size for row in few) == sum(row.size for row in all_rows)
    shown = {row.name for row in few[:-1]}
    assert len(shown) == 10
    assert {row.parent for row in few} <= shown | {""}
    least = min(row.retained or 0 for row in few[:-1])
    assert all((row.retained or 0) <= least for row in all_rows if row.name not in shown)


def test_a_way_that_there_is_not() -> None:
    with whole(QUIET) as link, pytest.raises(UserError, match="cannot add up by 'modules'"):
        size(link, "modules")
    with whole(QUIET) as link, pytest.raises(UserError, match="no tree of 'kind'"):
        size(link, "kind", tree=True)


def test_it_is_promised() -> None:
    assert api.size is size
    assert api.Size is Size
    assert api.size_of_file is size_of_file
