"""Dumps that hold what changed, read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkpipe.compare.dumps import last_tables, links, read
from linkpipe.engine.entrypoints import scan
from linkpipe.engine.pass_api import Link, Pass
from linkpipe.engine.plugins import Catalog
from linkpipe.engine.runner import run_plan
from linkpipe.errors import InputError, UserError
from linkpipe.flags.options import Options
from linkpipe.observe.dump import Dump, DumpOptions
from linkpipe.tables.listing import Listing
from tests.linkpipe.synthetic import plan_of, steps

CATALOG = Catalog([e for e in scan() if e.group == "linkpipe.dumpers"])
Rows = list[tuple[int, int, bool]]


@attrs.frozen(eq=False)
class Big:
    """A large table: rows of (key, value, whether it is shown), by key."""

    told: Rows

    def listing(self) -> Listing:
        key, value, shown = (np.array(column, np.int64) for column in zip(*self.told, strict=True))
        return Listing(
            key="id",
            columns={"id": key, "value": value},
            words={"name": lambda at: [f"n{self.told[i][0]}" for i in at.tolist()]},
            shown=shown != 0,
            names=("name",),
        )

    def rows(self, *, everything: bool = False) -> list[dict[str, Any]]:
        return [
            {"id": key, "name": f"n{key}", "value": value}
            for key, value, shown in self.told
            if shown or everything
        ]


TABLES = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 2), st.booleans()), min_size=1, max_size=9
).map(lambda rows: sorted(rows, key=lambda row: row[0]))


def dump(folder: Path, *tables: Rows, **options: Any) -> Path:
    """Dump a link whose passes p0, p1 … set the fact `t`."""
    folder.mkdir(exist_ok=True)
    passes = [
        Pass(f"p{n}", lambda link, t=table: link.evolve(t=Big(t)), (), ["t"])
        for n, table in enumerate(tables)
    ]
    observer = Dump(DumpOptions(str(folder / "dump"), **options), CATALOG)
    plan = plan_of(folder, steps(*(p.name for p in passes)), *passes)
    run_plan(plan, Link({"options": Options(o="out", main="m.a")}), [observer])
    return Path(observer.folder)


@given(st.lists(TABLES, min_size=1, max_size=4), st.booleans())
@settings(max_examples=60)
def test_what_is_read_back_is_the_table(tmp_path: Path, tables: list[Rows], all_: bool) -> None:
    """After every pass, though all files but the first hold changes alone; with rows that share a
    key, come, go, change and are shown or not."""
    folder = dump(tmp_path, *tables, all=all_)
    for n, rows in enumerate(tables):
        table = read(str(folder / f"{n + 1:02}.p{n}.t.jsonl"))
        assert table.rows == Big(rows).rows(everything=all_)


ONE: Rows = [(1, 1, True), (2, 2, True), (3, 3, False)]
TWO: Rows = [(1, 1, True), (2, 9, True), (4, 4, True)]


def test_a_change_is_all_that_is_written(tmp_path: Path) -> None:
    folder = dump(tmp_path, ONE, TWO, ONE)
    lines = [json.loads(line) for line in (folder / "02.p1.t.jsonl").read_text().splitlines()]
    header = lines[0]["header"]
    assert (header["key"], header["since"], header["gone"]) == ("id", "01.p0.t.jsonl", [])
    assert [row["id"] for row in lines[1:]] == [2, 4]
    lines = [json.loads(line) for line in (folder / "03.p2.t.jsonl").read_text().splitlines()]
    assert lines[0]["header"]["gone"] == [4]
    assert [row["id"] for row in lines[1:]] == [2]


def test_facts_and_passes_can_be_chosen(tmp_path: Path) -> None:
    folder = dump(tmp_path, ONE, TWO, after=("p1",))
    assert sorted(f.name for f in folder.iterdir()) == [
        "00.plan.json",
        "02.p1.t.jsonl",
        "manifest",
    ]
    assert read(str(folder / "02.p1.t.jsonl")).rows == Big(TWO).rows()
    for wrong, message in (
        ({"facts": ("u",)}, "no pass provides the fact u\n\tthere are: t"),
        ({"after": ("q",)}, "no such pass: q\n\tthere are: p0, p1"),
    ):
        with pytest.raises(UserError) as caught:
            dump(tmp_path, ONE, TWO, **wrong)
        assert message in caught.value.render()


def test_a_pattern_is_found_in_the_name(tmp_path: Path) -> None:
    folder = dump(tmp_path, ONE, TWO, match="n[24]")
    assert [row["id"] for row in read(str(folder / "02.p1.t.jsonl")).rows] == [2, 4]


def test_two_links_have_two_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a link that is done again takes its own."""
    monkeypatch.setenv("TOOLEXEC_IMPORTPATH", "example.com/a/tool")
    first = dump(tmp_path, ONE)
    monkeypatch.setenv("TOOLEXEC_IMPORTPATH", "example.com/b/tool")
    assert dump(tmp_path, TWO) != first
    assert dump(tmp_path, TWO).name.startswith("tool-")
    assert len(links(str(tmp_path / "dump"))) == 2
    header = json.loads((first / "01.p0.t.jsonl").read_text().splitlines()[0])["header"]
    assert header["package"] == "example.com/a/tool"
    assert "again" not in header, "what go gave to the link is gone"


def test_the_last_table_of_each_fact(tmp_path: Path) -> None:
    folder = dump(tmp_path, ONE, TWO)
    assert last_tables(str(folder)) == {"t": str(folder / "02.p1.t.jsonl")}


@pytest.mark.parametrize(
    "text",
    ["", "x", "7", "{}", '{"header": 7}', '{"header": {"fact": 1, "after": "p"}}', "\x7fELF",
     '{"header": {"fact": "t", "after": "p"}}\n7', '{"header": {"fact": "t", "after": "p"}}\n{',
     '{"header": {"fact": "t", "after": "p", "since": "gone"}}', "[" * 99999,
     '{"header": {"fact": "t", "after": "p", "since": "n", "key": "id", "gone": []}}',
     '{"header": {"fact": "t", "after": "p", "since": "f", "key": "id", "gone": []}}',
     '{"header": {"fact": "t", "after": "p", "since": "o", "key": "id", "gone": []}}'],
)  # fmt: skip
def test_what_is_no_table(tmp_path: Path, text: str) -> None:
    """Said in words, not by a decoder."""
    (tmp_path / "f").write_text(text)
    (tmp_path / "o").write_text('{"header": {"fact": "t", "after": "o"}}\n{"v": 1}\n')
    with pytest.raises(InputError, match="is not a table that linkpipe dumped: ") as caught:
        read(str(tmp_path / "f"))
    assert "Expecting" not in caught.value.render()


def test_a_folder_without_a_dump(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no dumped link in"):
        links(str(tmp_path))
