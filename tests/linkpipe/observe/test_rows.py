"""Facts as a script or a notebook sees them."""

from __future__ import annotations

import pytest

from linkpipe.api import MissingFact, SymKind, reloctype, rows
from linkpipe.engine.context import Link
from tests.tiny import Tiny


@pytest.fixture
def link() -> Link:
    tiny = Tiny()
    f = tiny.symbol("main.<f>", kind=SymKind.STEXT, content=bytes(8))
    tiny.symbol("main.dead", kind=SymKind.STEXT, reachable=False)
    data = tiny.symbol("main.x", kind=SymKind.SDATA, content=bytes(8))
    tiny.section(".text", 0x401000, [f])
    tiny.section(".data", 0x402000, [data])
    tiny.reloc(f, reloctype.R_ADDR, data, size=8)
    return tiny.link()


def test_numbers_become_names(link: Link) -> None:
    (row,) = rows(link, "relocs")
    assert (row["name"], row["target"], row["type"]) == ("main.<f>", "main.x", "R_ADDR")
    (symbol,) = rows(link, "symbols", match="main.x")
    assert (symbol["kind"], symbol["section"]) == ("SDATA", ".data")


def test_only_the_output_unless_all_is_asked_for(link: Link) -> None:
    assert not rows(link, "symbols", match="main.dead")
    assert len(rows(link, "symbols", match="main.dead", all=True)) == 1


def test_facts_that_are_no_large_table_have_rows_too(link: Link) -> None:
    assert [row["name"] for row in rows(link, "sections")] == [".text", ".data"]
    assert [row["name"] for row in rows(link, "sections", match="data")] == [".data"]


def test_a_fact_that_is_not_there_is_named(link: Link) -> None:
    with pytest.raises(MissingFact, match="image"):
        rows(link, "image")


def test_notebooks_show_tables(link: Link) -> None:
    """Names are text, whatever they hold; one look at a table makes no row of each symbol."""
    shown = rows(link, "symbols")._repr_html_()
    assert "<td>main.&lt;f&gt;</td>" in shown
    for table in (link.symbols, link.relocs, link.sections):
        assert table._repr_html_().startswith("<table><thead><tr><th>")
    assert "<td>sections</td><td>Sections</td><td>2</td>" in link._repr_html_()
    assert "1 of 1 rows" in link.relocs._repr_html_()
