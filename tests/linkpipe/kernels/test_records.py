"""kernels/records.py, compiled and not, beside the slow, obvious version."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkpipe.formats import goobj
from linkpipe.kernels import records as kernel
from tests.kernels import forms
from tests.linkpipe.kernels.sample import (
    BEFORE,
    FUNCTIONS,
    LIMITS,
    OBJECT,
    PASSED,
    count,
    damage,
    has_table,
    parts,
)


def slowly(data: bytes) -> list[int]:
    """What is wrong with each symbol of the object."""
    header = goobj.read_header(memoryview(data), "a")
    defined = sum(count(header, b) for b in (goobj.SYMDEF, goobj.HASHED64DEF, goobj.NONPKGDEF))
    out = []
    for i in range(defined + count(header, goobj.NONPKGREF)):
        symbol = data[header.offsets[goobj.SYMDEF] + 21 * i :][:21]
        size, at, abi, kind, _, _, length, align = struct.unpack("<IIHBBBII", symbol)
        bad = 0
        if at + size > len(data):
            bad = kernel.NAME
        elif abi not in (0, 1, 0xFFFF):
            bad = kernel.ABI
        elif i < defined and align < 2**31 and align.bit_count() > 1:
            bad = kernel.ALIGN
        elif i < defined and kind not in PASSED:
            bad = parts(data, header, i)
            if bad == 0 and kind not in FUNCTIONS and has_table(data, header, i):
                bad = kernel.TABLE
            bad = bad or kernel.SIZE * (length > 2_000_000_000)
        out.append(bad)
    return out


def ask(records: Any, data: bytes) -> list[int]:
    """The same of the kernel: two such objects after one another, behind the row that is none."""
    header = goobj.read_header(memoryview(data), "a")
    offsets = np.array(header.offsets, np.int64)
    base = np.array([0, BEFORE, BEFORE + len(data)])
    defined = sum(count(header, b) for b in (goobj.SYMDEF, goobj.HASHED64DEF, goobj.NONPKGDEF))
    total = defined + count(header, goobj.NONPKGREF)
    passed, functions = np.zeros((2, 256), np.uint8)
    passed[PASSED], functions[FUNCTIONS] = 1, 1
    found = records.faults(
        np.frombuffer(bytes(BEFORE) + data + data, np.uint8),
        (base[:, None] + offsets).reshape(-1),
        base,
        base + np.array([0, len(data), len(data)]),
        np.array([0, 0, total, 2 * total]),
        np.array([0, defined, defined]),
        np.array([0, 0, len(LIMITS)], np.uint32),
        np.array([0, len(LIMITS), len(LIMITS)], np.uint32),
        np.array(LIMITS * 2, np.uint32),
        passed,
        functions,
    ).tolist()
    assert found[:total] == found[total:]
    return list(found[:total])


@forms("records")
def test_sound_objects_have_no_faults(records: Any) -> None:
    assert ask(records, OBJECT) == [0] * 5


@forms("records")
@settings(max_examples=300)
@given(damage())
def test_faults_are_found(records: Any, data: bytes) -> None:
    assert ask(records, data) == slowly(data)


@forms("records")
@pytest.mark.parametrize("wrong", ["base", "ends", "first", "short"])
def test_an_object_outside_of_its_bytes_is_an_error(records: Any, wrong: str) -> None:
    """Whoever calls it: nothing is read that is not there."""
    columns: dict[str, Any] = {
        "data": np.zeros(100, np.uint8),
        "blocks": np.zeros(38, np.int64),
        "base": np.array([0, -1 if wrong == "base" else 0]),
        "ends": np.array([0, 101 if wrong == "ends" else 100]),
        "local": np.zeros(3 if wrong != "short" else 2, np.int64),
        "defined": np.zeros(2, np.int64),
        "first": np.array([0, 9 if wrong == "first" else 0], np.uint32),
        "counts": np.array([0, 5], np.uint32),
        "limit": np.zeros(10, np.uint32),
        "passed": np.zeros(256, np.uint8),
        "functions": np.zeros(256, np.uint8),
    }
    with pytest.raises(ValueError if wrong == "short" else IndexError):
        records.faults(*columns.values())


STATIC, OWN, ROOTING, HASHED = [0, 70, 71], [0, 1 << 30, 0], 0x2020, 1 << 29
KINDS, FLAG2 = ([(k * n) & 0xFF for k in range(256)] for n in (3, 5))
LEFT = [2]
READ, DESCRIBED = "iBliiIIi", "iiiBliIlill"
"""Elements of the columns that the kernels write."""


def read_slowly(
    data: bytes, *, abis: bool, debug: bool
) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]], int]:
    """The symbols of two such objects, row by row; what each place is described as; and the first
    that is debug and a root."""
    header = goobj.read_header(memoryview(data), "a")
    blocks = (goobj.SYMDEF, goobj.HASHED64DEF, goobj.HASHEDDEF, goobj.NONPKGDEF, goobj.NONPKGREF)
    classes = [cls for cls, block in enumerate(blocks) for _ in range(count(header, block))]
    rows: list[tuple[int, ...]] = []
    described: list[tuple[int, ...]] = []
    root = -1
    for place in range(2 * len(classes)):
        obj, local = 1 + place // len(classes), place % len(classes)
        cls, base = classes[local], BEFORE + (obj - 1) * len(data)
        symbol = data[header.offsets[goobj.SYMDEF] + 21 * local :][:21]
        length, name, abi, kind, flag, flag2, size, align = struct.unpack("<iIHBBBIi", symbol)
        flags = flag | FLAG2[flag2] << 8
        version = STATIC[obj] if abi == goobj.ABI_STATIC else abi * abis
        align = max(align, 0)
        content, at = 0, -1
        if cls < 4:
            index = header.offsets[goobj.DATAIDX] + 4 * local
            start, end = struct.unpack_from("<II", data, index)
            content = (end - start + 2**31) % 2**32 - 2**31
            at = base + header.offsets[goobj.DATA] + start if content else -1
            about = (KINDS[kind], size, align, flags | OWN[obj] | HASHED * (cls == 2))
            described.append((obj, local, version, *about, base + name, length, at, content))
        else:
            described.append((0, 0, version, 0, 0, 0, 0, base + name, length, -1, 0))
        if kind in PASSED and flags & ROOTING and root < 0:
            root = place
        if place not in LEFT and (kind not in PASSED or debug):
            rows.append((place, cls, base + name, length, version, flags, size, align))
    return rows, described, root


def columns(data: bytes) -> dict[str, Any]:
    """What the kernel is given of two such objects, behind the row that is none."""
    header = goobj.read_header(memoryview(data), "a")
    base = np.array([0, BEFORE, BEFORE + len(data)])
    blocks = (goobj.SYMDEF, goobj.HASHED64DEF, goobj.HASHEDDEF, goobj.NONPKGDEF, goobj.NONPKGREF)
    counts = np.array([[0] * 5, *[[count(header, block) for block in blocks]] * 2])
    debug = np.zeros(256, np.uint8)
    debug[PASSED] = 1
    return {
        "data": np.frombuffer(bytes(BEFORE) + data + data, np.uint8),
        "blocks": (base[:, None] + np.array(header.offsets, np.int64)).reshape(-1),
        "base": base,
        "local": np.append(0, np.cumsum(counts.sum(axis=1))),
        "classes": counts.reshape(-1),
        "left_out": np.isin(np.arange(counts.sum()), LEFT).view(np.uint8),
        "static": np.array(STATIC, np.int32),
        "flag2": np.array(FLAG2, np.uint8),
        "debug": debug,
    }


COUNTED = ("data", "blocks", "local", "classes", "left_out", "flag2", "debug")


def read(
    records: Any, given: dict[str, Any], *, abis: bool, debug: bool
) -> tuple[list[npt.NDArray[Any]], int]:
    """The columns that the kernels make, and the first that is debug and a root."""
    count, root = records.count_symbols(*(given[name] for name in COUNTED), ROOTING, debug)
    columns = [np.full(count, 7, dtype) for dtype in READ]
    records.symbols(*given.values(), abis, debug, *columns)
    return columns, root


def describing(given: dict[str, Any]) -> dict[str, Any]:
    """The same for the kernel that describes places."""
    named = {name: given[name] for name in given if name not in ("left_out", "debug")}
    kinds, own = np.array(KINDS, np.uint8), np.array(OWN, np.uint32)
    return {**named, "kinds": kinds, "own": own, "hashed": HASHED}


@forms("records")
@settings(max_examples=200)
@given(damage(), st.booleans(), st.booleans(), st.lists(st.integers(0, 9)))
def test_symbols_are_read(
    records: Any, data: bytes, abis: bool, debug: bool, asked: list[int]
) -> None:
    """Whatever their records say: they are as one by one; described in any order."""
    given = columns(data)
    found, root = read(records, given, abis=abis, debug=debug)
    rows = list(zip(*(column.tolist() for column in found), strict=True))
    slow, described, slow_root = read_slowly(data, abis=abis, debug=debug)
    assert (rows, root) == (slow, slow_root)
    told = [np.full(len(asked), 7, dtype) for dtype in DESCRIBED]
    places = np.array(asked, np.int32)
    records.describe(*describing(given).values(), abis, places, *told)
    rows = list(zip(*(column.tolist() for column in told), strict=True))
    assert rows == [described[place] for place in asked]


MARKED = ("data", "blocks", "local", "classes")


@forms("records")
@given(damage(), st.sets(st.integers(0, 255)), st.booleans())
def test_marked_symbols_are_found(records: Any, data: bytes, chosen: set[int], whole: bool) -> None:
    """Among those that are found by name: the last two of each object's five."""
    given = columns(data)
    symdef = goobj.read_header(memoryview(data), "a").offsets[goobj.SYMDEF]
    marks = np.isin(np.arange(256), sorted(chosen)).view(np.uint8)
    wanted = [i for i in (3, 4) if data[symdef + 21 * i + 12] in chosen]
    found = records.marked(*(given[name] for name in MARKED), marks, np.array([0, 0, whole], "u1"))
    assert found.tolist() == [*wanted, *(5 + i for i in ((3, 4) if whole else wanted))]


@forms("records")
def test_what_is_marked_lies_in_its_object(records: Any) -> None:
    marks, whole = np.ones(256, np.uint8), np.ones(3, np.uint8)
    for at, value in ((9, -1), (8, -1), (9, 9)):
        given = columns(OBJECT)
        given["local"] = np.zeros(4, np.int64)
        given["classes"][at] = value
        with pytest.raises(IndexError, match="object 1 has no"):
            records.marked(*(given[name] for name in MARKED), marks, whole)
    for short in (marks[1:], whole), (marks, whole[1:]):
        with pytest.raises(ValueError, match="differ in length"):
            records.marked(*(columns(OBJECT)[name] for name in MARKED), *short)


@forms("records")
def test_objects_are_read_in_shares(records: Any) -> None:
    """Each thread some of them, into its part of the columns."""
    given = columns(OBJECT)
    whole, _ = read(records, given, abis=True, debug=True)
    behind = {name: given[name][2:] for name in ("base", "local", "static")}
    behind |= {"blocks": given["blocks"][38:], "classes": given["classes"][10:]}
    count, _ = records.count_symbols(*((given | behind)[name] for name in COUNTED), ROOTING, True)
    part = [np.full(count, 7, column.dtype) for column in whole]
    records.symbols(*(given | behind).values(), True, True, *part)
    assert count == 5
    assert [column.tolist() for column in part] == [column[4:].tolist() for column in whole]
    for room in (count - 1, count + 1):
        part = [np.zeros(room, column.dtype) for column in whole]
        with pytest.raises(ValueError, match=f"5 rows, and room for {room}"):
            records.symbols(*(given | behind).values(), True, True, *part)
    part[3] = part[3][1:]
    with pytest.raises(ValueError, match="differ in length"):
        records.symbols(*(given | behind).values(), True, True, *part)


@forms("records")
@pytest.mark.parametrize(
    ("column", "at", "value"),
    [
        ("blocks", 19 + goobj.SYMDEF, -1),
        ("blocks", 19 + goobj.SYMDEF, 10**6),
        ("blocks", 19 + goobj.DATAIDX, -9),
        ("blocks", 38 + goobj.DATAIDX, 10**6),
        ("classes", 9, 0),
        ("classes", 5, 3),
    ],
)
def test_symbols_outside_of_their_bytes_are_an_error(
    records: Any, column: str, at: int, value: int
) -> None:
    """Whoever calls it: nothing is read that is not there."""
    given = columns(OBJECT)
    given[column][at] = value
    with pytest.raises(IndexError):
        records.count_symbols(*(given[name] for name in COUNTED), ROOTING, True)
    rows = [np.zeros(10, dtype) for dtype in READ]
    with pytest.raises(IndexError):
        records.symbols(*given.values(), True, True, *rows)
    told = [np.zeros(1, dtype) for dtype in DESCRIBED]
    with pytest.raises(IndexError):
        records.describe(*describing(given).values(), True, np.zeros(1, np.int32), *told)
    given = columns(OBJECT)
    for place in (-1, 10):
        with pytest.raises(IndexError, match=f"no symbol at place {place}"):
            records.describe(*describing(given).values(), True, np.array([place], "i4"), *told)
    for short in ("base", "static", "debug", "blocks", "classes", "left_out"):
        wrong = given | {short: given[short][1:]}
        with pytest.raises(ValueError, match="differ in length"):
            records.symbols(*wrong.values(), True, True, *rows)
    for short in ("base", "static", "own", "kinds", "flag2", "blocks", "classes"):
        asked = describing(given)
        asked[short] = asked[short][1:]
        with pytest.raises(ValueError, match="differ in length"):
            records.describe(*asked.values(), True, np.zeros(1, np.int32), *told)
    told[4] = told[4][1:]
    with pytest.raises(ValueError, match="differ in length"):
        records.describe(*describing(given).values(), True, np.zeros(1, np.int32), *told)


@forms("records")
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3)), max_size=20))
def test_symbols_are_numbered(records: Any, rows: list[tuple[int, int]]) -> None:
    """By stages; a stage that there is not has none, and who is led by such a row is an error."""
    leader = np.arange(len(rows), dtype=np.int32)
    for row, (back, _) in enumerate(rows):
        leader[row] = leader[max(row - back, 0)]
    stage = np.array([stage for _, stage in rows], np.uint8)
    order = [i for s in range(3) for i in range(len(rows)) if leader[i] == i and stage[i] == s]
    if any(stage[i] == 3 for i in leader.tolist()):
        with pytest.raises(IndexError, match="does not lead itself"):
            records.numbered(leader, stage)
        return
    ids, found = records.numbered(leader, stage)
    assert found.tolist() == order
    assert ids.tolist() == [1 + order.index(i) for i in leader.tolist()]


@forms("records")
@pytest.mark.parametrize("leader", [[1, 0], [-1, 1], [0, 2]])
def test_a_row_is_led_by_one_that_leads_itself(records: Any, leader: list[int]) -> None:
    with pytest.raises(IndexError, match="does not lead itself"):
        records.numbered(np.array(leader, np.int32), np.zeros(2, np.uint8))
    with pytest.raises(ValueError, match="differ in length"):
        records.numbered(np.array(leader, np.int32), np.zeros(1, np.uint8))


ROWS = st.lists(
    st.tuples(st.integers(1, 5), st.booleans(), st.integers(0, 15), st.integers(0, 9)), max_size=20
)


@forms("records")
@given(ROWS, st.lists(st.integers(0, 19), min_size=6, max_size=6), st.integers(0, 15))
def test_what_several_rows_say_counts(
    records: Any, rows: list[tuple[int, bool, int, int]], winner: list[int], sticky: int
) -> None:
    """Flags of all, alignments of definitions; the winner's own are there already."""
    ids, refers, flags, align = zip(*rows, strict=True) if rows else ((), (), (), ())
    said, aligned = [1, 2, 4, 8, 16, 32], [1, 2, 3, 4, 5, 6]
    found = np.array(said, np.uint32), np.array(aligned, np.int32)
    given_rows = (
        np.array(ids, np.int32),
        np.array(winner, np.int32),
        np.array(refers, np.uint8),
        np.array(flags, np.uint32),
        np.array(align, np.int32),
    )
    records.shared(*given_rows, sticky, *found)
    for row, (sym, refer, bits, least) in enumerate(rows):
        if refer or winner[sym] != row:
            said[sym] |= bits & sticky
        if not refer and winner[sym] != row:
            aligned[sym] = max(aligned[sym], least)
    assert [column.tolist() for column in found] == [said, aligned]


@forms("records")
def test_rows_of_symbols_that_there_are_not_are_an_error(records: Any) -> None:
    column: list[Any] = [np.zeros(2, np.int32), np.zeros(3, np.int32), np.zeros(2, np.uint8)]
    column += [np.zeros(2, np.uint32), np.zeros(2, np.int32)]
    into: list[Any] = [np.zeros(3, np.uint32), np.zeros(3, np.int32)]
    for wrong in (-1, 3):
        ids = np.array([0, wrong], np.int32)
        with pytest.raises(IndexError, match=f"row 1 is of symbol {wrong}, and there are 3"):
            records.shared(ids, *column[1:], 1, *into)
    for short in (2, 3, 4):
        with pytest.raises(ValueError, match="differ in length"):
            records.shared(*column[:short], column[short][1:], *column[short + 1 :], 1, *into)
    for one, other in ((1, 0), (0, 1)):
        with pytest.raises(ValueError, match="differ in length"):
            records.shared(*column, 1, into[0][one:], into[1][other:])
