"""Timing, dumps, checks and logs, over a run of made-up passes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Any

import attrs
import networkx as nx
import numpy as np
import pytest

from linkpipe.engine.entrypoints import scan
from linkpipe.engine.pass_api import Link, Pass
from linkpipe.engine.plugins import Catalog
from linkpipe.engine.runner import Observer, run_plan
from linkpipe.errors import PassError, UserError
from linkpipe.flags.options import Options
from linkpipe.observe.check import Check
from linkpipe.observe.dump import Dump, DumpOptions
from linkpipe.observe.log import Log, LogOptions
from linkpipe.observe.timing import Timing, TimingOptions
from tests.linkpipe.synthetic import plan_of, setter, steps


@attrs.frozen(eq=False)
class Table:
    """A table as passes make them."""

    names: tuple[str, ...]
    values: np.ndarray[Any, Any]

    def rows(self) -> Any:
        for name, value in zip(self.names, self.values.tolist(), strict=True):
            yield {"name": name, "value": value}

    def check(self) -> list[str]:
        return ["a value is negative"] if (self.values < 0).any() else []


def table(*values: int, frozen: bool = True) -> Table:
    array = np.array(values)
    array.setflags(write=not frozen)
    return Table(tuple("abcdefgh"[: len(values)]), array)


def maker(name: str, value: Any, requires: tuple[str, ...] = ()) -> Pass:
    return Pass(name, lambda link: link.evolve({"t": value}), requires, ["t"])


def watch(tmp_path: Path, observer: Observer, *passes: Pass) -> Link:
    options = Options(o="out", main="m.a", args=("-o", "out", "m.a"))
    plan = plan_of(tmp_path, steps(*(p.name for p in passes)), *passes)
    return run_plan(plan, Link({"options": options}), [observer])


def dump(tmp_path: Path, *passes: Pass, **options: Any) -> Path:
    """The folder of the link in the dump."""
    catalog = Catalog([e for e in scan() if e.group == "linkpipe.dumpers"])
    observer = Dump(DumpOptions(str(tmp_path / "dump"), **options), catalog)
    watch(tmp_path, observer, *passes)
    return Path(observer.folder)


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_dump_has_a_numbered_file_for_each_change(tmp_path: Path) -> None:
    folder = dump(
        tmp_path,
        maker("first", table(1, 2)),
        setter("looks", ["t"]),
        maker("second", table(3), ("t",)),
    )
    assert sorted(p.name for p in folder.iterdir()) == [
        "00.plan.json",
        "01.first.t.jsonl",
        "03.second.t.jsonl",
        "manifest",
    ]
    header, *rows = lines(folder / "01.first.t.jsonl")
    assert header["header"]["fact"] == "t"
    assert header["header"]["after"] == "first"
    assert header["header"]["again"] == (
        f"linkpipe link -observe dump:dir={folder.parent} -o out m.a"
    )
    assert rows == [{"name": "a", "value": 1}, {"name": "b", "value": 2}]
    plan = json.loads((folder / "00.plan.json").read_text())
    assert [p["name"] for p in plan["passes"]] == ["first", "looks", "second"]
    assert plan["passes"][1]["requires"] == ["t"]


def test_a_dump_is_the_same_every_time(tmp_path: Path) -> None:
    passes = (maker("first", table(1, 2)),)
    before = {p.name: p.read_bytes() for p in dump(tmp_path, *passes).iterdir()}
    assert {p.name: p.read_bytes() for p in dump(tmp_path, *passes).iterdir()} == before


def test_a_dump_can_be_restricted(tmp_path: Path) -> None:
    folder = dump(tmp_path, maker("first", table(1, 2, 3)), match="^b$")
    header, *rows = lines(folder / "01.first.t.jsonl")
    assert rows == [{"name": "b", "value": 2}]
    assert header["header"]["match"] == "^b$"


def test_facts_can_be_chosen(tmp_path: Path) -> None:
    passes = (maker("first", table(1)), setter("second", ["t"], ["u", "v"]))
    folder = dump(tmp_path, *passes, facts=("u",))
    assert {p.name for p in folder.iterdir()} == {"00.plan.json", "02.second.u.jsonl", "manifest"}


def test_a_wrong_pattern_and_a_wrong_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no regular expression"):
        DumpOptions("d", match="(")
    (tmp_path / "dump").write_text("a file")
    with pytest.raises(UserError, match="cannot write to"):
        dump(tmp_path, maker("first", 1))


@pytest.mark.parametrize(
    ("value", "rows"),
    [
        (7, [{"value": 7}]),
        (np.array([5, 6], np.int32), [{"row": 0, "value": 5}, {"row": 1, "value": 6}]),
        (("x", b"\xff"), [{"row": 0, "value": "x"}, {"row": 1, "value": "\\xff"}]),
        ({"k": [1]}, [{"key": "k", "value": [1]}]),
    ],
)
def test_facts_that_are_no_tables(tmp_path: Path, value: Any, rows: list[Any]) -> None:
    folder = dump(tmp_path, maker("first", value))
    assert lines(folder / "01.first.t.jsonl")[1:] == rows


def test_an_image_is_dumped_as_its_hash(tmp_path: Path) -> None:
    folder = dump(tmp_path, maker("first", np.zeros(3, np.uint8)))
    (row,) = lines(folder / "01.first.t.jsonl")[1:]
    assert row["bytes"] == 3
    assert row["sha256"].startswith("709e80c884")


def graph() -> Any:
    made = nx.DiGraph()
    for node, name in enumerate(["main.main", "main.helper", "fmt.Println", "os.Exit"]):
        made.add_node(node, name=name)
    made.add_edge(0, 1, reason="call")
    made.add_edge(1, 2, reason="call")
    made.add_edge(2, 3, reason='say "bye"')
    return made


def test_graphs_are_written_as_graphml_and_dot(tmp_path: Path) -> None:
    folder = dump(tmp_path, maker("first", graph()))
    assert {p.name for p in folder.iterdir()} == {
        "00.plan.json",
        "01.first.t.dot",
        "01.first.t.graphml",
        "manifest",
    }
    back = nx.read_graphml(folder / "01.first.t.graphml", node_type=int)
    assert dict(back.nodes(data="name")) == dict(graph().nodes(data="name"))
    assert set(back.edges) == set(graph().edges)
    assert back.graph["after"] == "first"
    dot = (folder / "01.first.t.dot").read_text()
    assert dot.startswith("// schema: linkpipe.table/1\n// linkpipe:")
    assert '"0" -> "1" [label="call"];' in dot
    assert r"say \"bye\"" in dot


def test_a_graph_is_restricted_to_what_matches_and_its_neighbours(tmp_path: Path) -> None:
    folder = dump(tmp_path, maker("first", graph()), match=r"^main\.")
    back = nx.read_graphml(folder / "01.first.t.graphml", node_type=int)
    assert set(back.nodes) == {0, 1, 2}
    assert set(back.edges) == {(0, 1), (1, 2)}


def test_a_third_party_format(tmp_path: Path) -> None:
    from linkpipe.engine.hookspecs import Offer, hookimpl
    from linkpipe.observe.dump import Dumper

    def exclaim(value: object, file: IO[str], header: object, match: object) -> None:
        file.write("!")

    class Plugin:
        @hookimpl
        def linkpipe_dumpers(self) -> list[Offer]:
            write = Dumper("txt", lambda value: True, exclaim)
            return [Offer("txt", "acme", lambda: write)]

    options = DumpOptions(str(tmp_path / "dump"), format=("txt",))
    observer = Dump(options, Catalog((), {"acme": Plugin()}))
    watch(tmp_path, observer, maker("first", 1))
    assert (Path(observer.folder) / "01.first.t.txt").read_text() == "!"


def test_a_dump_replaces_what_a_dump_wrote(tmp_path: Path) -> None:
    """Also one that was cut short, and nothing else."""
    folder = dump(tmp_path, maker("first", table(1)), maker("second", table(2), ("t",)))
    (folder / "02.second.t.jsonl").unlink()
    assert dump(tmp_path, maker("first", table(1))) == folder
    assert {p.name for p in folder.iterdir()} == {"00.plan.json", "01.first.t.jsonl", "manifest"}


@pytest.mark.parametrize("manifest", ["", "00.plan.json\n"])
def test_a_folder_with_anything_else_is_refused(tmp_path: Path, manifest: str) -> None:
    """However much it looks like a dump's."""
    folder = dump(tmp_path, maker("first", table(1)))
    (folder / "01.track.mp3").write_text("music")
    (folder / "manifest").write_text(manifest)
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with pytest.raises(UserError, match=f"^{folder} holds what no dump has written there: 0"):
        dump(tmp_path, maker("first", table(1)))
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_timing_that_cannot_be_written_is_told_before_the_link(tmp_path: Path) -> None:
    file = tmp_path / "none" / "t.json"
    ran: list[str] = []

    def run(link: Link) -> Link:
        ran.append("first")
        return link

    first = Pass("first", run)
    with pytest.raises(UserError, match="timing: cannot write to .* no such file or directory"):
        watch(tmp_path, Timing(TimingOptions(str(file))), first)
    assert ran == []


def test_timing_writes_a_line_for_each_link(tmp_path: Path) -> None:
    file = tmp_path / "t.json"
    for _ in range(2):
        watch(
            tmp_path, Timing(TimingOptions(str(file))), maker("first", 1), setter("second", ["t"])
        )
    one, two = lines(file)
    assert [row["name"] for row in one["passes"]] == ["first", "second"]
    assert one["output"] == two["output"] == "out"
    assert one["total"] >= max(row["seconds"] for row in one["passes"])
    assert one["peak_rss"] > 1 << 20


def test_timing_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watch(tmp_path, Timing(TimingOptions()), maker("first", 1))
    printed = capsys.readouterr()
    assert printed.out == ""
    assert [line.split()[0] for line in printed.err.splitlines()] == [
        "pass",
        "before",
        "first",
        "total",
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (table(-1), "a value is negative"),
        (table(1, frozen=False), "t.values is writable"),
        (np.zeros(2), "t is writable"),
    ],
)
def test_a_broken_table_names_the_pass_that_left_it(
    tmp_path: Path, value: Any, message: str
) -> None:
    with pytest.raises(PassError, match="pass first: left the fact `t` broken: ") as caught:
        watch(tmp_path, Check(), maker("first", value))
    assert message in str(caught.value)


def test_a_sound_table_passes(tmp_path: Path) -> None:
    watch(tmp_path, Check(), maker("first", table(1)))


def test_logs_bind_the_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watch(tmp_path, Log(LogOptions("json")), maker("first", table(1, 2)))
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [e["event"] for e in events] == ["plan", "start", "done"]
    assert {e["schema"] for e in events} == {"linkpipe.log/1"}
    assert events[2]["pass"] == "first"
    assert events[2]["changed"] == ["t"]
