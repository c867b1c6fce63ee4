"""kernels/references.py, compiled and not, beside the slow, obvious version."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkpipe.formats import goobj
from linkpipe.kernels import references as kernel
from linkpipe.tables.objects import RELOC_DTYPES
from linkpipe.testing.objects import Obj, Reloc, Sym, write_object
from tests.kernels import forms
from tests.linkpipe.kernels.sample import BEFORE, LIMITS, OBJECT, damage, parts

TYPES = [(7 * n) & 0xFFFF for n in range(1 << 15)]
START = [100, 200, 300, 0, 500, 600, 20]
IDS = [n % 7 for n in range(700)]
"""References lead to the ids from START on, by the place of their package index."""


def owned(data: bytes, sound: list[int]) -> dict[str, Any]:
    """What the kernels are given to read of two such objects: what each ``sound`` symbol has, and
    twice what the linker's own symbol has: nothing."""
    header = goobj.read_header(memoryview(data), "a")
    base = np.array([0, BEFORE, BEFORE + len(data)])
    return {
        "data": np.frombuffer(bytes(BEFORE) + data + data, np.uint8),
        "blocks": (base[:, None] + np.array(header.offsets, np.int64)).reshape(-1),
        "objects": np.array([0, *[1] * len(sound), 0, *[2] * len(sound)], np.int32),
        "locals_": np.array([3, *sound, 9, *sound], np.int32),
        "skipped": np.zeros(0, np.uint8),
        "first": np.array([0, 0, len(LIMITS)], np.uint32),
        "counts": np.array([0, len(LIMITS), len(LIMITS)], np.uint32),
        "start": np.array(START * 2, np.uint32),
        "ids": np.array(IDS, np.int32),
    }


def records_of(data: bytes, local: int, index: int, block: int, form: str) -> list[tuple[int, ...]]:
    header = goobj.read_header(memoryview(data), "a")
    low, high = struct.unpack_from("<II", data, header.offsets[index] + 4 * local)
    size = struct.calcsize(form)
    rows = [
        struct.unpack_from(form, data, header.offsets[block] + size * row)
        for row in range(low, high)
    ]
    places = [pkg - goobj.PKG_SELF if pkg >= goobj.PKG_SELF else pkg + 5 for *_, pkg, _ in rows]
    targets = [IDS[START[place] + row[-1]] for place, row in zip(places, rows, strict=True)]
    return [(*row, target) for row, target in zip(rows, targets, strict=True)]


def read_relocs(references: Any, *given: Any) -> tuple[Any, Any, Any]:
    """How many relocations each has, the other columns, and who refers to what has no id."""
    data, _, objects, _, _, *table, types = given
    begin, number = references.owned(*given[:-2], False)
    columns: list[Any] = [np.zeros(int(number.sum()), of) for of in RELOC_DTYPES.values()]
    into = [*columns[:3], columns[3].view(np.uint8), *columns[4:]]
    spans = objects, begin, number
    return number, columns, references.relocations(data, *spans, *table, types, *into)


@forms("references")
@settings(max_examples=200)
@given(damage(), st.sampled_from(["none", "first", "all"]))
def test_relocations_and_auxiliary_symbols_are_read(
    references: Any, data: bytes, skipped: str
) -> None:
    """Of what is sound: as one by one; of what is skipped, none."""
    header = goobj.read_header(memoryview(data), "a")
    sound = [local for local in range(4) if not parts(data, header, local)]
    given = owned(data, sound)
    n = len(given["objects"])
    if skipped != "none":
        given["skipped"] = np.zeros(n, np.uint8)
        given["skipped"][: 2 if skipped == "first" else n] = 1
    relocs: list[tuple[int, ...]] = []
    auxs: list[tuple[int, ...]] = []
    counts: list[tuple[int, int]] = []
    undefined = []
    for i, (obj, local) in enumerate(zip(given["objects"], given["locals_"], strict=True)):
        mine, theirs = [], []
        if obj and not (len(given["skipped"]) and given["skipped"][i]):
            mine = records_of(data, local, goobj.RELOCIDX, goobj.RELOC, "<iBHqII")
            theirs = records_of(data, local, goobj.AUXIDX, goobj.AUX, "<BII")
            theirs = [row for row in theirs if row[0] != goobj.AUX_PCSP]
        relocs += [(o, s, TYPES[t & 0x7FFF], t >> 15, a, to) for o, s, t, a, _, _, to in mine]
        auxs += [(kind, to) for kind, _, _, to in theirs]
        counts.append((len(mine), len(theirs)))
        if any(row[6] == 0 and (row[4] or row[5]) for row in mine):
            undefined.append(i)
    many, columns, lacking = read_relocs(references, *given.values(), np.array(TYPES, np.uint16))
    assert many.tolist() == [n for n, _ in counts]
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == relocs
    assert [column.dtype.char for column in columns] == [*"iBH?li"]
    assert lacking.tolist() == undefined
    wanted = np.ones(256, np.uint8)
    wanted[goobj.AUX_PCSP] = 0
    many, kinds, targets = references.auxiliaries(*given.values(), wanted)
    assert many.tolist() == [n for _, n in counts]
    assert list(zip(kinds.tolist(), targets.tolist(), strict=True)) == auxs


@forms("references")
@pytest.mark.parametrize(
    ("column", "at", "value"),
    [
        ("blocks", 19 + goobj.RELOCIDX, -1),
        ("blocks", 19 + goobj.AUXIDX, 10**6),
        ("blocks", 38 + goobj.RELOC, 10**6),
        ("blocks", 38 + goobj.AUX, -1000),
        ("objects", 1, 3),
        ("objects", 1, -1),
        ("locals_", 1, -1),
        ("locals_", 1, 10**6),
        ("first", 1, 8),
        ("counts", 1, 2),
        ("start", 6, 700),
        ("start", 0, 10**6),
    ],
)
def test_records_outside_of_their_bytes_are_an_error(
    references: Any, column: str, at: int, value: int
) -> None:
    """Whoever calls it: nothing is read that is not there."""
    readers: list[tuple[Any, Any]] = [
        (partial(read_relocs, references), np.array(TYPES, np.uint16)),
        (references.auxiliaries, np.ones(256, np.uint8)),
    ]
    failed = 0
    for read, last in readers:
        given = owned(OBJECT, [0, 1, 2, 3])
        given[column][at] = value
        try:
            read(*given.values(), last)
        except IndexError:
            failed += 1
        given = owned(OBJECT, [0, 1, 2, 3])
        for short in ("locals_", "counts", "blocks"):
            with pytest.raises(ValueError, match="differ in length"):
                read(*(given | {short: given[short][1:]}).values(), last)
        with pytest.raises(ValueError, match="differs? in length"):
            read(*given.values(), last[1:])
    assert failed >= 1


@forms("references")
@pytest.mark.parametrize(
    ("begin", "number", "owner", "room"),
    [
        (-1, 1, 1, 9),
        (2**62, 1, 1, 9),
        (BEFORE, 10**6, 1, 10**6),
        (BEFORE, 2**62, 1, 9),
        (BEFORE, -1, 1, 9),
        (BEFORE, 2, 1, 1),
        (BEFORE, 1, 3, 9),
        (BEFORE, 1, -1, 9),
    ],
)
def test_relocations_that_there_are_not_are_an_error(
    references: Any, begin: int, number: int, owner: int, room: int
) -> None:
    """Nor is anything written where there is no room for it."""
    given = owned(OBJECT, [0])
    table = [given[name] for name in ("first", "counts", "start", "ids")]
    columns: list[Any] = [np.zeros(room, of) for of in RELOC_DTYPES.values()]
    columns[3] = columns[3].view(np.uint8)
    spans = np.array([owner], np.int32), np.array([begin]), np.array([number])
    types = np.array(TYPES, np.uint16)
    with pytest.raises(IndexError, match="relocations of symbol 0 lie outside"):
        references.relocations(given["data"], *spans, *table, types, *columns)
    given["first"][1] = 2**32 - 1
    some = np.array([1], np.int32), np.array([BEFORE]), np.array([1])
    with pytest.raises(IndexError, match="relocations of symbol 0 lie outside"):
        references.relocations(given["data"], *some, *table, types, *columns)
    for short in range(6):
        cut = [column[: room - (i == short)] for i, column in enumerate(columns)]
        with pytest.raises(ValueError, match="differ in length"):
            references.relocations(given["data"], *spans, *table, types, *cut)


@dataclass
class Rules:
    """What `flood` is told, and the slow, obvious version of it."""

    given: dict[str, Any]
    rule: npt.NDArray[np.uint8]
    rules: npt.NDArray[np.uint8]
    wanted: npt.NDArray[np.uint8]

    def records(self, symbol: int, index: int, block: int, size: int) -> range:
        """Where those are that belong to a symbol, as far as they lie in memory."""
        data, blocks = self.given["data"].tobytes(), self.given["blocks"].tolist()
        obj, local = int(self.given["objects"][symbol]), int(self.given["locals_"][symbol])
        entry = blocks[19 * obj + index] + 4 * local
        if not obj or self.rule[symbol] > 1 or not 0 <= entry <= len(data) - 8:
            return range(0)
        low, high = struct.unpack_from("<II", data, entry)
        start = blocks[19 * obj + block]
        if start + high * size > len(data):
            return range(0)
        return range(start + low * size, start + high * size, size)

    def target(self, symbol: int, at: int) -> int:
        """What the reference at ``at`` is to, -1 where that cannot be made out."""
        obj = int(self.given["objects"][symbol])
        pkg, sym = struct.unpack_from("<II", self.given["data"].tobytes(), at)
        place = pkg - goobj.PKG_SELF if pkg >= goobj.PKG_SELF else pkg + 5
        if pkg > goobj.PKG_NONE or place >= self.given["counts"][obj]:
            return -1
        place = int(self.given["start"][self.given["first"][obj] + place]) + sym
        return int(self.given["ids"][place]) if place < len(self.given["ids"]) else -1

    def needs(self, symbol: int) -> tuple[set[int], set[tuple[int, int]]]:
        """What a symbol refers to, and its relocations that are noted."""
        data = self.given["data"].tobytes()
        found, noted = set(), set()
        for at in self.records(symbol, goobj.RELOCIDX, goobj.RELOC, 23):
            (kind,) = struct.unpack_from("<H", data, at + 5)
            what = self.rules[int(self.rule[symbol]) << 16 | kind]
            if what == kernel.FOLLOW:
                found.add(self.target(symbol, at + 15))
            elif what == kernel.NOTE and self.target(symbol, at + 15) >= 0:
                noted.add((symbol, at))
        for at in self.records(symbol, goobj.AUXIDX, goobj.AUX, 9):
            if self.wanted[data[at]]:
                found.add(self.target(symbol, at + 1))
        return found & {*range(1, len(self.rule))}, noted

    def flood(
        self, references: Any, reached: npt.NDArray[np.uint8], wave: list[int], room: int
    ) -> set[tuple[int, int]]:
        """What is noted; with ``room`` for so many at once."""
        waiting = np.zeros(len(self.rule), np.int32)
        waiting[: len(wave)] = wave
        waits = len(wave)
        notes: list[tuple[int, int]] = []
        given = {name: column for name, column in self.given.items() if name != "skipped"}
        while waits:
            owner, at = np.zeros(room, np.int32), np.zeros(room, np.int64)
            how = self.rule, self.rules, self.wanted, reached, waiting
            waits, noted = references.flood(*given.values(), *how, waits, owner, at)
            notes += zip(owner[:noted].tolist(), at[:noted].tolist(), strict=True)
            room += not noted
        assert len(set(notes)) == len(notes)
        return set(notes)


def rules(given: dict[str, Any]) -> Rules:
    """Ones by which all leads further."""
    n = len(given["objects"])
    follow = np.full(2 << 16, kernel.FOLLOW, np.uint8)
    return Rules(given, np.zeros(n, np.uint8), follow, np.ones(256, np.uint8))


@forms("references")
@settings(max_examples=200)
@given(damage(), st.data())
def test_what_can_be_reached_is_marked_and_noted(references: Any, data: bytes, draw: Any) -> None:
    """Of what is damaged: what can be made out."""
    these = rules(owned(data, [0, 1, 2, 3]))
    n = len(these.rule)
    these.rule[:] = draw.draw(st.lists(st.sampled_from([0, 1, 255]), min_size=n, max_size=n))
    factor = draw.draw(st.sampled_from([1, 3, 7]))
    these.rules[:] = np.arange(2 << 16) // factor % 3
    these.wanted[goobj.AUX_PCSP] = 0
    marked = draw.draw(st.lists(st.integers(0, n - 1), unique=True))
    wave = draw.draw(st.lists(st.sampled_from(marked), unique=True) if marked else st.just([]))
    reached, notes, new = set(marked), set(), [*wave]
    while new:
        found, noted = these.needs(new.pop())
        notes |= noted
        new += found - reached
        reached |= found
    marks = np.zeros(n, np.uint8)
    marks[marked] = 1
    assert these.flood(references, marks, wave, draw.draw(st.integers(1, 4))) == notes
    assert np.flatnonzero(marks).tolist() == sorted(reached)


@forms("references")
def test_one_waits_that_could_have_more_to_note_than_there_is_room_for(references: Any) -> None:
    """A chain of symbols; each refers to the next, and has three relocations that are noted."""
    n = 50
    relocs = [
        (Reloc(0, 4, 1, (goobj.PKG_SELF, (i + 1) % n)), *[Reloc(0, 4, 2, (goobj.PKG_SELF, 0))] * 3)
        for i in range(n)
    ]
    data = write_object(Obj(defs=tuple(Sym(name=f"p.{i}", relocs=relocs[i]) for i in range(n))))
    header = goobj.read_header(memoryview(data), "a")
    given = {
        "data": np.frombuffer(data, np.uint8),
        "blocks": np.array(header.offsets * 2, np.int64),
        "objects": np.array([0, *[1] * n], np.int32),
        "locals_": np.array([0, *range(n)], np.int32),
        "first": np.array([0, 0], np.uint32),
        "counts": np.array([0, 5], np.uint32),
        "start": np.zeros(5, np.uint32),
        "ids": np.arange(1, n + 1, dtype=np.int32),
    }
    these = rules(given)
    these.rules[2] = kernel.NOTE
    for room in (1, 4, 10, 1000):
        reached = np.zeros(n + 1, np.uint8)
        reached[7] = 1
        notes = these.flood(references, reached, [7], room)
        assert reached.tolist() == [0, *[1] * n]
        assert sorted(owner for owner, _ in notes) == sorted([*range(1, n + 1)] * 3)
    waiting, owner, at = np.full(n + 1, 7, np.int32), np.zeros(9, np.int32), np.zeros(9, np.int64)
    how = these.rule, these.rules, these.wanted, np.zeros(n + 1, np.uint8), waiting
    assert references.flood(*given.values(), *how, 1, owner, at) == (1, 6)


@forms("references")
def test_symbols_of_no_object_are_an_error(references: Any) -> None:
    def flood(changed: dict[str, Any], these: Rules, first: int = 1, waits: int = 1) -> None:
        n = len(these.rule)
        waiting = np.full(n, first, np.int32)
        marks, owner, at = np.zeros(n, np.uint8), np.zeros(9, np.int32), np.zeros(9, np.int64)
        how = these.rule, these.rules, these.wanted, marks, waiting, waits, owner, at
        references.flood(*changed.values(), *how)

    for column, value, why in (("objects", 3, "in no object"), ("first", 8, "references of obj")):
        given = owned(OBJECT, [0, 1, 2, 3])
        del given["skipped"]
        these = rules(given)
        given[column][1] = value
        with pytest.raises(IndexError, match=why):
            flood(given, these)
    given = owned(OBJECT, [0, 1, 2, 3])
    del given["skipped"]
    these = rules(given)
    for symbol in (-1, len(these.rule)):
        with pytest.raises(IndexError, match=f"symbol {symbol} is not among"):
            flood(given, these, symbol)
    for short in ("locals_", "counts", "blocks"):
        with pytest.raises(ValueError, match="differ in length"):
            flood(given | {short: given[short][1:]}, these)
    for short in ("rule", "rules", "wanted"):
        with pytest.raises(ValueError, match="differ in length"):
            flood(given, replace(these, **{short: getattr(these, short)[1:]}))
    for waits in (-1, len(these.rule) + 1):
        with pytest.raises(ValueError, match="differ in length"):
            flood(given, these, 1, waits)
