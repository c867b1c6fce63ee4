"""kernels/references.py, compiled and not, beside the slow, obvious version."""

from __future__ import annotations

import struct
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


def refers(given: dict[str, Any], symbol: int, wanted: npt.NDArray[np.uint8]) -> set[int]:
    """What a symbol's records refer to, as far as they lie in memory and that can be made out."""
    data, blocks = given["data"].tobytes(), given["blocks"].tolist()
    obj, local = int(given["objects"][symbol]), int(given["locals_"][symbol])
    found: set[int] = set()
    for index, block, size, skip in (
        (goobj.RELOCIDX, goobj.RELOC, 23, 15),
        (goobj.AUXIDX, goobj.AUX, 9, 1),
    ):
        entry = blocks[19 * obj + index] + 4 * local
        if not obj or not 0 <= entry <= len(data) - 8:
            continue
        low, high = struct.unpack_from("<II", data, entry)
        start = blocks[19 * obj + block]
        if start + high * size > len(data):
            continue
        for at in range(start + low * size, start + high * size, size):
            pkg, sym = struct.unpack_from("<II", data, at + skip)
            place = pkg - goobj.PKG_SELF if pkg >= goobj.PKG_SELF else pkg + 5
            if pkg > goobj.PKG_NONE or place >= given["counts"][obj]:
                continue
            place = int(given["start"][given["first"][obj] + place]) + sym
            if (skip > 1 or wanted[data[at]]) and place < len(given["ids"]):
                found.add(int(given["ids"][place]))
    return found & {*range(1, len(given["objects"]))}


@forms("references")
@settings(max_examples=200)
@given(damage(), st.lists(st.integers(0, 9)))
def test_what_can_be_reached_at_all_is_found(references: Any, data: bytes, wave: list[int]) -> None:
    """Of what is damaged: what can be made out."""
    given = owned(data, [0, 1, 2, 3])
    del given["skipped"]
    wanted = np.ones(256, np.uint8)
    wanted[goobj.AUX_PCSP] = 0
    reached, new = set(wave), set(wave)
    while new:
        new = set().union(*(refers(given, symbol, wanted) for symbol in new)) - reached
        reached |= new
    found = references.closure(*given.values(), wanted, np.array(wave, np.int32))
    assert np.flatnonzero(found).tolist() == sorted(reached)


@forms("references")
@pytest.mark.parametrize("step", [1, -1])
def test_what_takes_too_long_to_find_out_is_everything(references: Any, step: int) -> None:
    """A chain of symbols, each of which refers to the next; or to the one before, which only a
    damaged object has so many of, and nobody waits for each. The last one nobody refers to."""
    n = 2 * kernel.MOST_SWEEPS
    relocs = [(Reloc(0, 4, 1, (goobj.PKG_SELF, (i + step) % n)),) for i in range(n)]
    defs = (*(Sym(name=f"p.{i}", relocs=relocs[i]) for i in range(n)), Sym(name="p.alone"))
    data = write_object(Obj(defs=defs))
    header = goobj.read_header(memoryview(data), "a")
    given = (
        np.frombuffer(data, np.uint8),
        np.array(header.offsets * 2, np.int64),
        np.array([0, *[1] * (n + 1)], np.int32),
        np.array([0, *range(n + 1)], np.int32),
        np.array([0, 0], np.uint32),
        np.array([0, 5], np.uint32),
        np.zeros(5, np.uint32),
        np.arange(1, n + 2, dtype=np.int32),
        np.ones(256, np.uint8),
    )
    found = references.closure(*given, np.array([n // 2], np.int32))
    assert found.all() == (step < 0)
    assert found[1:-1].all()
    assert found[-1] == (step < 0)
    for symbol in (-1, n + 2):
        with pytest.raises(IndexError, match=f"symbol {symbol} is not among"):
            references.closure(*given, np.array([symbol], np.int32))


@forms("references")
def test_symbols_of_no_object_are_an_error(references: Any) -> None:
    for column, value, why in (("objects", 3, "in no object"), ("first", 8, "references of obj")):
        given = owned(OBJECT, [0, 1, 2, 3])
        del given["skipped"]
        given[column][1] = value
        with pytest.raises(IndexError, match=why):
            references.closure(*given.values(), np.ones(256, np.uint8), np.array([1], np.int32))
    given = owned(OBJECT, [0, 1, 2, 3])
    del given["skipped"]
    for short in ("locals_", "counts", "blocks"):
        wrong = given | {short: given[short][1:]}
        with pytest.raises(ValueError, match="differ in length"):
            references.closure(*wrong.values(), np.ones(256, np.uint8), np.array([1], np.int32))
