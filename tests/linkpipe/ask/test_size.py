"""What the bytes of a file are: to the last one, and each where another reader sees it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from linkpipe import api
from linkpipe.ask.size import BY, Row, Size, size
from linkpipe.errors import UserError
from tests.conformance.programs import Program, table
from tests.linkpipe.ask.links import DEEP, QUIET, WITH_PLUGIN, whole

PROGRAMS = (DEEP, WITH_PLUGIN, table()["plugin"], table()["hello-386"], table()["hello-s390x"])


def named(found: Size) -> dict[str, Row]:
    return {row.name: row for row in found.rows}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda each: each.name)
def test_the_sum_is_the_size_of_the_file(program: Program) -> None:
    """However it is added up, who ever finishes the link, and for all columns."""
    with whole(program) as link:
        total = Path(link.output).stat().st_size
        for by in BY:
            found = size(link, by)
            assert found.total == total
            assert sum(row.size for row in found.rows) == total
            for row in found.rows:
                assert row.size == row.code + row.data + row.pclntab + row.debug + row.other
                assert row.size > 0
            few = size(link, by, top=3)
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


def test_a_way_that_there_is_not() -> None:
    with whole(QUIET) as link, pytest.raises(UserError, match="cannot add up by 'modules'"):
        size(link, "modules")


def test_it_is_promised() -> None:
    assert api.size is size
    assert api.Size is Size
