"""What is in the output, held to what others read in the file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from linkpipe import api
from linkpipe.errors import MissingFact
from tests.conformance.programs import table
from tests.conformance.targets import native
from tests.conformance.tools import need
from tests.linkpipe.ask.links import DEEP, QUIET, linked, whole
from tests.samples import ROOT

WITH_C = [name for name, program in table().items() if program.base == "ownc"]


def with_c(name: str) -> api.Link:
    """The link of a program with C code, for this machine's architecture or another."""
    program = table()[name]
    need(program.missing_compiler())
    return linked(program, "addresses-final")


def test_every_symbol_of_the_file_is_there() -> None:
    """With its address, its size and its section, but for the names of places, which are empty."""
    with whole(QUIET, "-compressdwarf=false") as link:
        found = {(row["address"], row["size"], row["section"]) for row in api.laid_out(link).rows()}
        with Path(link.output).open("rb") as stream:
            file = ELFFile(stream)
            names = [section.name for section in file.iter_sections()]
            symtab = file.get_section_by_name(".symtab")
            assert isinstance(symtab, SymbolTableSection)
            table = {
                (each["st_value"], each["st_size"], names[each["st_shndx"]])
                for each in symtab.iter_symbols()
                if each["st_size"] and each["st_info"]["type"] in ("STT_FUNC", "STT_OBJECT")
            }
    assert len(table) > 1000
    assert table <= found


def test_nothing_overlaps_and_sections_are_full() -> None:
    """What is left of a section is padding, less than what its symbols are aligned to."""
    link = linked(QUIET, "addresses-final")
    found = api.laid_out(link)
    assert len(np.unique(found.symbol)) == len(found)
    for row, section in enumerate(link.sections.items):
        here = found.section == row
        start, size = found.address[here], found.size[here]
        end = start + size
        assert (start[1:] >= end[:-1]).all(), section.name
        assert start[0] >= section.vaddr
        assert end[-1] <= section.vaddr + section.size
        assert section.size - size.sum() < (len(size) + 1) * max(section.align, 64), section.name


def test_reachable_is_not_laid_out() -> None:
    """Both ways."""
    link = linked(QUIET, "addresses-final")
    laid, symbols = set(api.laid_out(link).symbol.tolist()), link.symbols
    assert symbols.lookup("runtime.etext", 0) not in laid
    reachable = set(link.graph.symbols.reachable().tolist())
    assert laid - reachable
    assert reachable - laid


def test_whose_it_is() -> None:
    found = api.laid_out(linked(QUIET, "addresses-final"))
    of = {row["name"]: row["package"] for row in found.rows()}
    assert of["main.main"] == "main"
    assert of["runtime.mallocgc"] == "runtime"
    assert of["runtime.pcheader"] == "(made by the linker)"


def test_function_literals_are_of_the_package_that_they_stand_in() -> None:
    """Though they are merged by content in some releases."""
    found = api.laid_out(linked(DEEP, "addresses-final"))
    of = {row["name"]: row["package"] for row in found.rows()}
    assert of["internal/cpu.doinit.func1"] == "internal/cpu"


def test_functions_that_are_nobodys() -> None:
    """docs/api.md says which: those that the compiler writes to compare or hash a type. (And
    literals outside of functions, in initialisers of variables "_".)"""
    link = linked(DEEP, "addresses-final")
    found, symbols = api.laid_out(link), link.symbols
    shared = found.package == found.packages.index("(shared by packages)")
    functions = shared & api.is_text(symbols.kind[found.symbol])
    names = [found.names[at] for at in np.flatnonzero(functions)]
    assert names
    assert [name for name in names if not name.startswith(("type:.eq.", "type:.hash.", "_."))] == []
    # Each has a copy that was taken, whose package is that of an object.
    home = symbols.object[found.symbol[functions]]
    assert (home > 0).all()
    assert {link.packages.items[row].path for row in link.objects.package[home]}


def test_before_there_are_addresses() -> None:
    """Not even sections, only those of the text, all of them without addresses of data."""
    with pytest.raises(MissingFact, match="sections"):
        api.laid_out(linked(QUIET))
    for early in ("text-final", "layout-final"):
        with pytest.raises(MissingFact, match="where symbols lie is not known yet"):
            api.laid_out(linked(QUIET, early))


@pytest.mark.parametrize("name", WITH_C)
def test_sections_of_c_objects_are_not_counted_beside_what_is_in_them(name: str) -> None:
    """Labels of C code have no bytes and lie anywhere."""
    found = api.laid_out(with_c(name))
    assert {"total", "goAdd", "x_cgo_init"} <= set(found.names)
    assert not {"main(.text)", "runtime/cgo(.text)"} & set(found.names)
    text = (found.section == found.sections.index(".text")) & (found.size > 0)
    start, size = found.address[text], found.size[text]
    assert (start[1:] >= (start + size)[:-1]).all()


@pytest.mark.parametrize("name", WITH_C)
def test_c_code_is_of_the_package_that_it_was_built_with(name: str) -> None:
    """What is of no package, as variables that several may declare, is nobody's alone."""
    of = {row["name"]: row["package"] for row in api.laid_out(with_c(name)).rows()}
    assert (of["total"], of["x_cgo_init"]) == ("main", "runtime/cgo")
    assert (of["main(.data)"], of["goAdd"]) == ("main", "main")
    assert of["shared_counter"] == "(shared by packages)"
    arch = table()[name].goarch or native()
    # The compiler's own library: which function divides differs, and on arm none does.
    divides = {of[function] for function in ("__udivti3", "__udivdi3") if function in of}
    assert divides == ({"(shared by packages)"} if arch != "arm" else set())
    assert of["runtime.pcheader"] == "(made by the linker)"


def test_the_example_on_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "docs/api.md").read_text()
    (code,) = re.findall(r"```python\n((?:(?!```).)*laid_out.*?)```", text, re.DOTALL)
    link = linked(QUIET, "addresses-final")
    asked = 'api.link("./cmd/prog", until="addresses-final")'
    assert asked in code
    exec(code.replace(asked, "given"), {"given": link})
    assert re.search(
        r"^\.text 0x[0-9a-f]+ \d+ main main\.main$", capsys.readouterr().out, re.MULTILINE
    )
