"""The campaign's own tools: what is decided by a seed, what an edit does, which class is which."""

from __future__ import annotations

import mmap
import os
import re
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import attrs
import pytest

from linkpipe.cli import link as command
from linkpipe.formats.archive import member_at, symbol_map
from tests.conformance.programs import scratch
from tests.conformance.targets import native
from tests.fuzz import programs, server, verdicts
from tests.fuzz.__main__ import Figures, Ran, main
from tests.fuzz.archives import OWNED, objects
from tests.fuzz.bases import LIBGCC, LIBRARY
from tests.fuzz.cases import Case, Files, case, elf_targets, files, known, targets
from tests.fuzz.edits import ARCHIVE_KINDS, apply, draw, draw_splice
from tests.fuzz.elfs import KINDS, draw_around, draw_elf, elf_files
from tests.fuzz.record import Edit
from tests.fuzz.server import OLD, Outcome, Server
from tests.fuzz.smaller import named, smaller
from tests.fuzz.texts import TEXTS
from tests.fuzz.verdicts import BAD, FINE, Verdict, judge

SMALL = "small-amd64"


def test_a_case_is_decided_by_seed_and_number() -> None:
    cases = [case(7, number) for number in range(12)]
    assert cases == [case(7, number) for number in range(12)]
    assert len({repr(one) for one in cases}) == 12
    assert cases != [case(8, number) for number in range(12)]
    for one in cases:
        assert Case.of(one.as_data()) == one
        assert files(one).files == files(one).files


@pytest.mark.parametrize("text", TEXTS)
def test_texts_are_decided_by_chance_alone(text: str) -> None:
    target = targets(SMALL)[0]
    for seed in range(20):
        first, second = (TEXTS[text](Random(seed), known(SMALL), target) for _ in range(2))
        assert first == second
        files(Case(SMALL, "w", (first,)))  # can be written


def test_every_kind_of_record_can_be_changed() -> None:
    """Each is drawn a few times, and changes the archive."""
    for target in targets(SMALL):
        whole = bytes(target.object.data)
        assert {"SymbolDefs", "Relocs", "Aux", "header"} <= {*target.kinds, "SymbolDefs"}
        for kind in target.kinds:
            edits = [draw(Random(seed), target, kind) for seed in range(12)]
            assert any(apply(whole, [edit]) != whole for edit in edits), kind
        for kind in ARCHIVE_KINDS:
            edits = [draw_splice(Random(seed), target, kind) for seed in range(5)]
            assert any(apply(whole, [edit]) != whole for edit in edits), kind


@pytest.mark.parametrize("block", OWNED)
@pytest.mark.parametrize("by", [-1, 1, 2])
def test_what_a_symbol_owns_grows_and_shrinks(block: str, by: int) -> None:
    """And only that: all other symbols have what they had, and the archive's members stay whole."""
    target = next(t for t in targets(SMALL) if t.file == "fuzz/lib")
    before = target.object
    local = before.names.index("fuzz/lib.Total")
    edit = Edit("fuzz/lib", block, "resize", symbol="fuzz/lib.Total", value=by)
    after = objects(bytearray(apply(bytes(before.data), [edit])))[0]
    assert after.names == before.names
    for other in range(before.defined):
        begin, end = before.owned(block, other)
        grown = by if other == local else 0
        new_begin, new_end = after.owned(block, other)
        assert new_end - new_begin == end - begin + grown
    assert sum(len(o.data) for o in objects(after.data)) > 0


def test_a_field_is_set_and_a_symbol_renamed() -> None:
    target = next(t for t in targets(SMALL) if t.file == "fuzz/lib")
    size = Edit("fuzz/lib", "SymbolDefs", "set", symbol="fuzz/lib.Total", field="size", value=-1)
    local = target.object.names.index("fuzz/lib.Local")
    name = Edit("fuzz/lib", "name", "name", row=local, text="go:x")
    after = objects(bytearray(apply(bytes(target.object.data), [name, size])))[0]
    row = target.object.where(target.object.names.index("fuzz/lib.Total"))[1]
    assert after.table("SymbolDefs")["size"][row] == 0xFFFFFFFF
    assert after.names[local] == "go:x"


C_SMALL, SO = f"c-{native()}", f"so-{native()}"


def test_every_kind_of_place_in_an_elf_file_can_be_changed() -> None:
    """Each is drawn a few times, and changes the file; two find their places all the same."""
    assert {target.file for target in elf_targets(C_SMALL)} == {"fuzz/c", LIBGCC}
    assert [target.file for target in elf_targets(SO)] == [LIBRARY]
    for target in (*elf_targets(C_SMALL), *elf_targets(SO)):
        whole = bytes(target.elf.data)
        for kind in KINDS:
            edits = [draw_elf(Random(seed), target, kind) for seed in range(12)]
            assert any(apply(whole, [edit]) != whole for edit in edits), kind
            for edit in edits:
                apply(whole, [draw_elf(Random(edit.row), target), edit])
        if target.file == LIBRARY:
            continue
        edits = [draw_around(Random(seed), target.file, whole) for seed in range(12)]
        assert sum(apply(whole, [edit]) != whole for edit in edits) > 5


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_member_grows_and_its_archive_stays_whole(number: int) -> None:
    """All members, and what the map says of where they are, are as before but for the grown one."""
    target = next(t for t in elf_targets(C_SMALL) if (t.file, t.number) == (LIBGCC, number))
    name = Edit(LIBGCC, "elf names", "name", object=number, symbol=".symtab", row=1, text="odd")
    more = Edit(LIBGCC, "elf symbols", "append", object=number, symbol=".symtab", row=2, value=3)
    before = bytes(target.elf.data)
    after = apply(before, [name, more])
    for file, data in (("before", before), ("after", after)):
        view = memoryview(data)
        where = symbol_map(view, file)
        found = {key: member_at(view, at, file).name for key, at in where.items()}
        assert found == {
            b"helper_divide": "divide.o/",
            b"helper_table": "shift.o/",
            b"helper_shift": "shift.o/",
            b"helper_unneeded": "unneeded.o/",
        }
    old, new = (elf_files(bytearray(data)) for data in (before, after))
    sizes = [len(b.data[b.at : b.at + b.size]) - a.size for a, b in zip(old, new, strict=True)]
    assert [size > 0 for size in sizes] == [row == number for row in range(3)]
    section = new[number].section(".symtab", 0)
    table = new[number].table("elf symbols", section)
    assert len(table) == len(old[number].table("elf symbols", section)) + 3
    strings = new[number].bounds(int(new[number].sections["link"][section]))
    assert bytes(new[number].data[slice(*strings)])[int(table["name"][1]) :] == b"odd\0"


GOOD = Outcome(0, "", False, "output", 0.1, 1 << 20, b"new", True, ())
REFUSED = attrs.evolve(GOOD, status=2, said="link: main: no", output=OLD, touched=False)
CRASHED = attrs.evolve(REFUSED, said="panic: oh\n")
NOTHING = Files({}, (), {})


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [
        (GOOD, None, "linked"),
        (GOOD, GOOD, "same"),
        (GOOD, attrs.evolve(GOOD, output=b"x"), "other bytes"),
        (GOOD, REFUSED, "links what the oracle refuses"),
        (GOOD, CRASHED, "where the oracle crashes"),
        (REFUSED, GOOD, "refuses what the oracle links"),
        (REFUSED, REFUSED, "clean error"),
        (attrs.evolve(REFUSED, said="not supported: is not supported yet main"), GOOD, "exception"),
        (attrs.evolve(REFUSED, said="something"), REFUSED, "nobody named"),
        (attrs.evolve(REFUSED, said=""), None, "nobody named"),
        (attrs.evolve(REFUSED, said="link: open /\n: no such file"), REFUSED, "clean error"),
        (attrs.evolve(REFUSED, touched=True), None, "old output touched"),
        (attrs.evolve(GOOD, left=("tmp/x",)), None, "files left"),
        (attrs.evolve(GOOD, peak=3 << 30), None, "memory"),
        (attrs.evolve(GOOD, peak=3 << 30), GOOD, "memory"),
        (attrs.evolve(GOOD, peak=3 << 30), attrs.evolve(GOOD, peak=3 << 30), "same"),
        (attrs.evolve(REFUSED, said="main: this is a bug in the pass"), None, "bug"),
        (attrs.evolve(REFUSED, status=99), None, "bug"),
        (attrs.evolve(REFUSED, said="Traceback (most recent call last)"), None, "traceback"),
        (attrs.evolve(REFUSED, status=-signal.SIGSEGV), None, "signal"),
        (attrs.evolve(REFUSED, status=-signal.SIGXCPU), None, "hang"),
        (attrs.evolve(REFUSED, late=True, status=-signal.SIGKILL), None, "hang"),
    ],
)
def test_classes(ours: Outcome, theirs: Outcome | None, expected: str) -> None:
    assert judge(NOTHING, ours, theirs).name == expected
    assert expected in (FINE + BAD)


@pytest.fixture
def forks() -> Iterator[Server]:
    made = Server(scratch())
    yield made
    made.close()
    shutil.rmtree(made.folder)


def _loop() -> int:
    while True:
        pass


def _wait() -> int:
    time.sleep(100)
    return 0


def _touch() -> int:
    Path("out").write_bytes(b"half")
    return 1


def _leave() -> int:
    Path("tmp/left").write_bytes(b"")
    return 0


def _kill() -> int:
    os.kill(os.getpid(), signal.SIGUSR1)
    return 0


def _crash() -> int:
    raise RuntimeError


def _swell() -> int:
    """Use half a GiB of pages that nobody had: freed memory that is kept costs a child nothing."""
    pages = mmap.mmap(-1, 1 << 29)
    for at in range(0, len(pages), mmap.PAGESIZE):
        pages[at] = 1
    return 0


def _refuse() -> int:
    print("link: main.a: no", file=sys.stderr)
    return 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (_loop, "hang"),
        (_wait, "hang"),
        (_touch, "old output touched"),
        (_leave, "files left"),
        (_kill, "signal"),
        (_crash, "traceback"),
        (_refuse, "clean error"),
        (lambda: 3, "bug"),
        (_swell, "memory"),
    ],
)
def test_faults_are_seen(
    fault: Callable[[], int], expected: str, forks: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a link does to itself, planted in its child, is what the verdict says."""
    monkeypatch.setattr(command, "main", lambda *_: fault())
    if fault is _loop:
        monkeypatch.setitem(server.LIMITS, resource.RLIMIT_CPU, 1)
    if fault is _wait:
        monkeypatch.setattr(server, "SECONDS", 2)
    monkeypatch.setattr(verdicts, "MEMORY", 1 << 28)
    given = files(Case(SMALL, "w", ()))
    assert judge(given, forks.linkpipe(given), None).name == expected


def test_memory_of_the_tests_is_not_the_links(
    forks: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process begins as a copy of one that may have run thousands."""
    pages = mmap.mmap(-1, 1 << 29, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for at in range(0, len(pages), mmap.PAGESIZE):
        pages[at] = 1
    monkeypatch.setattr(verdicts, "MEMORY", 1 << 28)
    given = files(Case(SMALL, "w", ()))
    assert judge(given, forks.linkpipe(given, fresh=True), None).name == "linked"


@pytest.mark.parametrize(
    ("base", "mode", "last"),
    [
        (SMALL, "plugin", "hostlink"),
        (C_SMALL, "dwarf", "output"),
        (C_SMALL, "external", "hostlink"),
    ],
)
def test_both_link_what_is_whole(base: str, mode: str, last: str, forks: Server) -> None:
    """All bases in all modes, the fewest of them here: `make fuzz` begins with the others."""
    given = files(Case(base, mode, ()))
    ours = forks.linkpipe(given)
    assert ours.last == last, ours.said
    assert judge(given, ours, forks.oracle(given)) == Verdict("same")


def test_a_finding_is_made_small_and_named() -> None:
    """As long as one edit of two is enough, and a smaller number too."""
    target = next(t for t in targets(SMALL) if t.file == "fuzz/lib")
    row = target.object.where(target.object.names.index("fuzz/lib.Total"))[1]
    guilty = Edit("fuzz/lib", "SymbolDefs", "set", row=row, field="size", value=1000)
    other = Edit("main", "Aux", "set", row=3, field="type", value=1)
    found = smaller(
        Case(SMALL, "plugin", (other, guilty)),
        lambda step: any(edit.field == "size" and edit.value >= 0 for edit in step.edits),
    )
    small = attrs.evolve(guilty, value=0, row=0, symbol="fuzz/lib.Total")
    assert named(found) == Case(SMALL, "w", (small,))


def test_the_table_adds_up() -> None:
    figures = Figures()
    for last, name in (("output", "same"), ("load", "clean error"), ("output", "same")):
        figures.add(Ran(1, "Relocs", 2, last, Verdict(name), compared=True))
    assert "| Relocs | 3 | 2 | 1 |" in figures.table()
    counted = (
        "3 cases, 6 edits; 3 compared with the oracle, 2 of which reached relocate, as did 67 %"
    )
    assert counted in figures.table()


def test_the_command_runs_a_case_and_a_few(capsys: pytest.CaptureFixture[str]) -> None:
    """The same ones with as many processes as are asked for."""
    tables = []
    for jobs in "12":
        given = ["--seed", "1", "--cases", "4", "--oracle", "0", "--jobs", jobs]
        assert main(given) in (0, 1)
        said = capsys.readouterr().out
        tables.append(re.findall(r"^\| .*|^\d+ cases, \d+ edits", said, re.MULTILINE))
    assert tables[0] == tables[1]
    assert any(line.startswith("4 cases") for line in tables[0])


def test_valid_programs_compile_and_link_the_same(
    folder: Path, forks: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of a batch; and the sources of a seed are always the same."""
    monkeypatch.setattr(programs, "PROGRAMS", 1)
    monkeypatch.setattr(programs, "LIBRARIES", 1)
    sources = []
    for at in ("a", "b"):
        (folder / at).mkdir()
        ((name, given),) = programs.batch(5, 0, folder / at)
        sources.append([file.read_text() for file in sorted((folder / at).rglob("*.go"))])
        verdict = judge(given, forks.linkpipe(given), forks.oracle(given))
        assert verdict == Verdict("same"), name
    assert sources[0] == sources[1]


@pytest.mark.parametrize("snippet", [file.stem for file in sorted(programs.SNIPPETS.glob("*.txt"))])
def test_snippets_are_expanded(snippet: str) -> None:
    """No mark is left, and each has its entry."""
    for seed in range(5):
        source = programs.Source("p/q")
        source.add(Random(seed), snippet)
        text = source.go("q")
        assert "func Use0(x int) int" in text
        assert not {"«", "»", "#"} & {*text, *"".join(source.assembly), *"".join(source.directives)}
